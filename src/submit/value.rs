//! Small values: names, sizes, CPUs, durations, words.

use pinode_scheduler::duration;

use super::spec::Invalid;
use crate::api::Memory;

/// Longest name, in bytes.
const NAME_MAX: usize = 63;

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

/// Bytes of `64m`, `1g`, `512k`, `1024`.
pub(super) fn memory(given: &Memory) -> Result<u64, Invalid> {
    let text = match given {
        Memory::Bytes(bytes) => return Ok(*bytes),
        Memory::Text(text) => text,
    };
    let lower = text.to_ascii_lowercase();
    let plain = lower.trim_end_matches("ib").trim_end_matches('b');
    let (digits, unit) = match plain.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&plain[..at], unit),
        Some(_) | None => (plain, 'b'),
    };
    let shift = match unit {
        'b' => Some(0),
        'k' => Some(10),
        'm' => Some(20),
        'g' => Some(30),
        't' => Some(40),
        _ => None,
    };
    let bytes = shift.and_then(|shift| digits.parse::<u64>().ok()?.checked_mul(1 << shift));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| Invalid::bad("memory", format!("`{text}` is no size; write for example 64m or 1g")))
}

/// Thousandths of CPUs.
pub(super) fn cpu_milli(cpus: f64) -> Result<u64, Invalid> {
    if !cpus.is_finite() || cpus <= 0.0 || cpus > 100_000.0 {
        return Err(Invalid::bad("cpus", format!("{cpus} is no number of CPUs; write for example 0.5 or 2")));
    }
    Ok((cpus * 1000.0).round().max(1.0) as u64)
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
        for (text, bytes) in
            [("64m", 64 << 20), ("1g", 1 << 30), ("1GiB", 1 << 30), ("512kb", 512 << 10), ("1000", 1000)]
        {
            assert_eq!(memory(&Memory::Text(text.to_owned())), Ok(bytes), "{text}");
        }
        for text in ["", "m", "0", "-1", "1.5g", "1x", "99999999999g"] {
            assert!(memory(&Memory::Text(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_docker_s() {
        assert!(name("name", "encode_1.b-2").is_ok());
        for text in ["", "-a", ".a", "a b", "é", &"a".repeat(64), "a/b"] {
            assert!(name("name", text).is_err(), "{text}");
        }
    }
}
