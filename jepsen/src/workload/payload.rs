//! The program inside a container of the workload. It writes to a file outside of the system what happens to it: no
//! word of pinode or Docker is needed to know when it ran.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::history::{Mark, Record};

/// The shared volume with one file a container.
const VOLUME: &str = "records";
/// Between two signs of life, in seconds.
const BEAT: &str = "0.1";

/// A program: how long it lives, and how it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its life, in tenths of a second.
    pub beats: u64,
    /// The code that it ends with.
    pub code: i64,
    /// So many first attempts end with code 9 instead.
    pub fails: u32,
}

/// What is sent for a container. Its program answers SIGTERM with code 0, as careless programs do: that is no success,
/// because the record of its end is then missing.
pub fn container(name: &str, program: Program, waits: &[String]) -> Value {
    let Program { beats, code, fails } = program;
    // One `echo` is one write to a file opened for appending: lines of two attempts never mix.
    let script = format!(
        "say() {{ t=$EPOCHREALTIME; echo \"$PINODE_CONTAINER $PINODE_ATTEMPT $PINODE_NODE ${{t%.*}}${{t#*.}}000 $*\" \
         >>/{VOLUME}/$PINODE_CONTAINER; }}; trap 'exit 0' TERM; say start; i=0; \
         while [ $i -lt {beats} ]; do sleep {BEAT}; say alive; i=$((i+1)); done; \
         code={code}; [ $PINODE_ATTEMPT -gt {fails} ] || code=9; say end $code; exit $code"
    );
    json!({
        "name": name, "image": "busybox:local", "cmd": ["sh", "-c", script], "network_mode": "none",
        "volumes": [format!("{VOLUME}:/{VOLUME}")], "volume_driver": "glusterfs", "waitfor": waits,
        // The machines are one computer: what they all together may run at once is bounded by its memory, not by a
        // CPU for each of these, which sleep.
        "cpus": 0.2,
    })
}

/// Everything that was written below the shared folder.
pub fn records(shared_dir: &Path) -> anyhow::Result<Vec<Record>> {
    let folder = shared_dir.join(VOLUME);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut records = Vec::new();
    for file in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let path = file?.path();
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        for line in text.lines() {
            records.push(parse(line).with_context(|| format!("{}: the line `{line}`", path.display()))?);
        }
    }
    records.sort_by_key(|record| record.at_ns);
    Ok(records)
}

fn parse(line: &str) -> anyhow::Result<Record> {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, attempt, node, at, mark, code @ ..] = words.as_slice() else {
        bail!("has too few words");
    };
    let mark = match (*mark, code) {
        ("start", []) => Mark::Start,
        ("alive", []) => Mark::Alive,
        ("end", [code]) => Mark::End(code.parse()?),
        (other, _) => bail!("`{other}` is no mark"),
    };
    Ok(Record {
        name: (*name).to_owned(),
        attempt: attempt.parse()?,
        node: (*node).to_owned(),
        at_ns: at.parse()?,
        mark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_record_and_a_torn_one_is_the_harness_s_own_failure() {
        let record = parse("c1.a 2 n3 1795552586608668000 end 3").unwrap();
        assert_eq!((record.name.as_str(), record.attempt, record.mark), ("c1.a", 2, Mark::End(3)));
        assert!(parse("c1.a 2 n3 17955").is_err());
        assert!(parse("c1.a 2 n3 1795552586608668000 sta").is_err());
    }
}
