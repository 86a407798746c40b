//! Small values: names, sizes, CPUs, durations, words.

use pinode_scheduler::duration;

use super::spec::Invalid;
use crate::api::Memory;

/// Longest name, in bytes.
const NAME_MAX: usize = 63;
/// Docker's least share of a CPU, and its least memory.
const CPUS_MIN: f64 = 0.01;
const MEMORY_MIN: u64 = 6 << 20;

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}`.
pub fn name(field: &'static str, text: &str) -> Result<String, Invalid> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && text.len() <= NAME_MAX && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err(Invalid::bad(
        field,
        format!("the name `{text}` must have 1 to 63 letters, digits, and _ . - after the first"),
    ))
}

/// The name of a container that is there: its own, or `PIPELINE.NAME`.
pub(super) fn full_name(field: &'static str, text: &str) -> Result<String, Invalid> {
    match text.split_once('.') {
        Some((pipeline, member)) if text.len() > NAME_MAX => {
            name(field, pipeline)?;
            name(field, member)?;
            Ok(text.to_owned())
        }
        Some(_) | None => name(field, text),
    }
}

/// A text that a program can be given: it ends at the first NUL there, so none may have one.
pub(super) fn text(field: &'static str, text: &str) -> Result<String, Invalid> {
    if text.contains('\0') {
        let shown = text.replace('\0', "\\0");
        return Err(Invalid::bad(field, format!("`{shown}` has a NUL byte, which no program can be given")));
    }
    Ok(text.to_owned())
}

/// The same for a list.
pub(super) fn texts(
    field: &'static str,
    texts: Option<&Vec<String>>,
) -> Result<Option<Vec<String>>, Invalid> {
    texts.map(|texts| texts.iter().map(|one| text(field, one)).collect()).transpose()
}

/// A folder inside the container.
pub(super) fn working_dir(dir: &str) -> Result<String, Invalid> {
    if dir.is_empty() || dir.starts_with('/') {
        return text("working_dir", dir);
    }
    Err(Invalid::bad("working_dir", format!("`{dir}` is no absolute path; write for example /work")))
}

/// Bytes of `64m`, `1g`, `512k`, `1024`.
pub(super) fn memory(given: &Memory) -> Result<u64, Invalid> {
    let (bytes, shown) = match given {
        Memory::Bytes(bytes) => (Some(*bytes), bytes.to_string()),
        Memory::Text(text) => (bytes_of(text), text.clone()),
    };
    match bytes {
        Some(bytes) if bytes >= MEMORY_MIN && i64::try_from(bytes).is_ok() => Ok(bytes),
        Some(1..MEMORY_MIN) => Err(Invalid::never(
            "memory",
            format!("`{shown}` is less than Docker gives a container; ask for 6m or more"),
        )),
        Some(_) | None => {
            Err(Invalid::bad("memory", format!("`{shown}` is no size; write for example 64m or 1g")))
        }
    }
}

fn bytes_of(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let plain = lower.strip_suffix("ib").or_else(|| lower.strip_suffix('b')).unwrap_or(&lower);
    let (digits, shift) = match plain.char_indices().last() {
        Some((at, 'k')) => (&plain[..at], 10),
        Some((at, 'm')) => (&plain[..at], 20),
        Some((at, 'g')) => (&plain[..at], 30),
        Some((at, 't')) => (&plain[..at], 40),
        Some(_) | None => (plain, 0),
    };
    let fine = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| fine)?.checked_mul(1 << shift)
}

/// Thousandths of CPUs.
pub(super) fn cpu_milli(cpus: f64) -> Result<u64, Invalid> {
    if !cpus.is_finite() || cpus <= 0.0 || cpus > 100_000.0 {
        return Err(Invalid::bad(
            "cpus",
            format!("{cpus:?} is no number of CPUs; write for example 0.5 or 2"),
        ));
    }
    if cpus < CPUS_MIN {
        let why = format!("{cpus} CPUs are less than Docker gives a container; ask for {CPUS_MIN} or more");
        return Err(Invalid::never("cpus", why));
    }
    Ok((cpus * 1000.0).round() as u64)
}

/// Milliseconds.
pub(super) fn duration_ms(field: &'static str, text: Option<&String>) -> Result<Option<u64>, Invalid> {
    let parse =
        |text: &String| duration::parse_ms(text).map_err(|error| Invalid::bad(field, error.to_string()));
    text.map(parse).transpose()
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    field: &'static str,
    text: Option<&String>,
    words: &[(&str, T)],
    default: T,
) -> Result<T, Invalid> {
    let Some(text) = text else { return Ok(default) };
    let known = words.iter().find(|(word, _)| word == text).map(|(_, value)| *value);
    known.ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Invalid::bad(field, format!("`{text}` is not one of {}", all.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_docker_s() {
        for (text, bytes) in [
            ("64m", 64 << 20),
            ("1g", 1 << 30),
            ("1GiB", 1 << 30),
            ("6144kb", 6 << 20),
            ("10000000", 10_000_000),
        ] {
            assert_eq!(memory(&Memory::Text(text.to_owned())), Ok(bytes), "{text}");
        }
        for text in ["", "m", "0", "-1", "+8m", "1.5g", "1x", "1bb", "99999999999g", "9000000t"] {
            let refusal = memory(&Memory::Text(text.to_owned())).unwrap_err();
            assert!(!refusal.never && refusal.message.contains(&format!("`{text}`")), "{refusal}");
        }
        assert!(memory(&Memory::Bytes(0)).is_err());
        assert!(memory(&Memory::Bytes(u64::MAX)).is_err());
    }

    #[test]
    fn what_docker_gives_nobody_can_never_run() {
        assert!(memory(&Memory::Text("5m".to_owned())).unwrap_err().never);
        assert!(memory(&Memory::Bytes(1)).unwrap_err().never);
        assert!(cpu_milli(0.001).unwrap_err().never);
        assert_eq!(cpu_milli(0.01), Ok(10));
        for cpus in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(!cpu_milli(cpus).unwrap_err().never, "{cpus}");
        }
    }

    #[test]
    fn a_nul_byte_is_refused_and_shown() {
        assert!(text("cmd", "a\0b").unwrap_err().message.contains("`a\\0b`"));
        assert!(working_dir("work").unwrap_err().message.contains("`work`"));
    }

    #[test]
    fn names_are_docker_s() {
        assert!(name("name", "encode_1.b-2").is_ok());
        for text in ["", "-a", ".a", "a b", "é", &"a".repeat(64), "a/b"] {
            assert!(name("name", text).is_err(), "{text}");
        }
    }
}
