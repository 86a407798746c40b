//! The pipelines that are asked for: each container with its program, and with what must hold of it.

use std::time::Duration;

use pinode::agent::fake;
use serde_json::{Value, json};

use crate::history::{Job, Kind, Rerun};
use crate::random::Random;

/// Shortest and longest program, in milliseconds.
const LENGTH_MS: (u64, u64) = (100, 9_000);
/// One that outlives a lease, and so can still run when its node is given up, in milliseconds.
const LONG_MS: (u64, u64) = (15_000, 30_000);
/// A program that somebody will have to stop runs so long, in milliseconds.
const ENDLESS_MS: u64 = 40_000;

/// A program.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// How long it runs.
    pub length: Duration,
    /// What it exits with.
    pub code: i64,
    /// A trap: when it is told to end, it exits with 0.
    pub trap: bool,
}

/// One container of a pipeline.
#[derive(Clone, Debug)]
pub struct One {
    name: String,
    program: Program,
    /// As in `waitfor`, and what that means: full names.
    waits: Vec<(String, Vec<String>, Kind)>,
    rerun: Rerun,
    retries: u32,
}

/// A pipeline.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Its name.
    pub name: String,
    ones: Vec<One>,
    /// Somebody stops the first of them.
    pub to_stop: Option<String>,
    /// Somebody runs that one again when it has failed.
    pub to_retry: Option<String>,
}

fn program(random: &mut Random) -> Program {
    let length = Duration::from_millis(random.between(LENGTH_MS.0, LENGTH_MS.1));
    Program { length, code: 0, trap: random.percent(50) }
}

/// Makes it outlive a lease, so many times in a hundred.
fn lengthen(random: &mut Random, one: &mut One, percent: u64) {
    if random.percent(percent) {
        one.program.length = Duration::from_millis(random.between(LONG_MS.0, LONG_MS.1));
    }
}

fn one(random: &mut Random, name: &str) -> One {
    let rerun = match random.between(0, 9) {
        0 => Rerun::Eager,
        1 => Rerun::Never,
        _ => Rerun::Fenced,
    };
    One { name: name.to_owned(), program: program(random), waits: Vec::new(), rerun, retries: 0 }
}

impl Shape {
    fn of(name: String, ones: Vec<One>) -> Shape {
        Shape { name, ones, to_stop: None, to_retry: None }
    }

    /// One after the other.
    pub fn chain(random: &mut Random, name: String) -> Shape {
        let mut ones: Vec<One> = Vec::new();
        for number in 0..random.between(2, 4) {
            let mut next = one(random, &format!("c{number}"));
            if let Some(before) = ones.last() {
                let full = format!("{name}.{}", before.name);
                next.waits.push((format!("container=={}", before.name), vec![full], Kind::Container));
            } else {
                lengthen(random, &mut next, 50);
            }
            ones.push(next);
        }
        Shape::of(name, ones)
    }

    /// As a film is encoded: split, all parts at once, merge by pattern.
    pub fn film(random: &mut Random, name: String) -> Shape {
        let count = random.between(2, 5);
        let mut ones = vec![one(random, "split")];
        let mut parts = Vec::new();
        for number in 0..count {
            let mut part = one(random, &format!("enc{number}"));
            part.waits.push(("container==split".to_owned(), vec![format!("{name}.split")], Kind::Container));
            lengthen(random, &mut part, 30);
            parts.push(format!("{name}.enc{number}"));
            ones.push(part);
        }
        let mut merge = one(random, "merge");
        merge.waits.push((format!("container==enc*,count={count}"), parts, Kind::Container));
        ones.push(merge);
        Shape::of(name, ones)
    }

    /// A failure, what is skipped because of it, and what waits for the end alone.
    pub fn failure(random: &mut Random, name: String) -> Shape {
        let mut bad = one(random, "bad");
        bad.program.code = i64::try_from(random.between(1, 9)).unwrap_or(1);
        bad.retries = u32::from(random.percent(30));
        let waits = |waitfor: &str, kind| (waitfor.to_owned(), vec![format!("{name}.bad")], kind);
        let mut skipped = one(random, "skipped");
        skipped.waits.push(waits("container==bad", Kind::Container));
        let mut after = one(random, "after");
        after.waits.push(waits("exited==bad", Kind::Exited));
        let mut mourner = one(random, "mourner");
        mourner.waits.push(waits("failed==bad", Kind::Failed));
        let to_retry = random.percent(40).then(|| format!("{name}.bad"));
        Shape { to_retry, ..Shape::of(name, vec![bad, skipped, after, mourner]) }
    }

    /// Somebody will have to stop it.
    pub fn endless(random: &mut Random, name: String) -> Shape {
        let mut endless = one(random, "endless");
        endless.program.length = Duration::from_millis(ENDLESS_MS);
        let to_stop = Some(format!("{name}.endless"));
        Shape { to_stop, ..Shape::of(name, vec![endless]) }
    }

    /// A merger that is there before its parts: they come with the pipeline that is returned beside it.
    pub fn late(random: &mut Random, name: String) -> (Shape, Shape) {
        let parts = format!("{name}-parts");
        let count = random.between(2, 3);
        let ones: Vec<One> = (0..count).map(|number| one(random, &format!("enc{number}"))).collect();
        let full: Vec<String> = ones.iter().map(|one| format!("{parts}.{}", one.name)).collect();
        let mut merge = one(random, "merge");
        merge.waits.push((format!("container=={parts}.enc*,count={count}"), full, Kind::Container));
        (Shape::of(name, vec![merge]), Shape::of(parts, ones))
    }

    /// What is sent.
    pub fn body(&self) -> Value {
        let one = |one: &One| {
            let waitfor: Vec<&str> = one.waits.iter().map(|(text, _, _)| text.as_str()).collect();
            let rerun = match one.rerun {
                Rerun::Never => "never",
                Rerun::Fenced => "fenced",
                Rerun::Eager => "eager",
            };
            json!({
                "name": one.name,
                "image": "busybox",
                "waitfor": waitfor,
                "rerun": rerun,
                "retries": one.retries,
                "cpus": 0.5,
            })
        };
        json!({ "name": self.name, "containers": self.ones.iter().map(one).collect::<Vec<_>>() })
    }

    /// What must hold, by full name.
    pub fn jobs(&self) -> Vec<(String, Job)> {
        let job = |one: &One| {
            let waits = one.waits.iter().flat_map(|(_, on, kind)| on.iter().map(|on| (on.clone(), *kind)));
            let job = Job {
                waits: waits.collect(),
                code: one.program.code,
                rerun: one.rerun,
                stopped: false,
                retried: false,
                accepted: None,
                refused: false,
            };
            (format!("{}.{}", self.name, one.name), job)
        };
        self.ones.iter().map(job).collect()
    }

    /// What its containers do on an engine, by full name.
    pub fn programs(&self) -> Vec<(String, fake::Program)> {
        let program = |one: &One| {
            let Program { length, code, trap } = one.program;
            let program = fake::Program::runs_for(length).exits(code);
            let program = if trap { program.exits_when_told_to_end(0) } else { program };
            (format!("{}.{}", self.name, one.name), program)
        };
        self.ones.iter().map(program).collect()
    }
}
