//! Durations as people write them: `90s`, `10m`, `1h30m`, `500ms`.

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration; write for example 90s, 10m or 1h30m")]
pub struct BadDuration(pub String);

/// Milliseconds of `text`. Units `ms`, `s`, `m`, `h`, `d`, largest first by custom, any order accepted; zero is refused.
pub fn parse_ms(text: &str) -> Result<u64, BadDuration> {
    let bad = || BadDuration(text.to_owned());
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(bad()),
        };
        let number: u64 = number.parse().map_err(|_| bad())?;
        total = number.checked_mul(unit_ms).and_then(|ms| total.checked_add(ms)).ok_or_else(bad)?;
        rest = tail;
    }
    if total == 0 { Err(bad()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_their_parts() {
        assert_eq!(parse_ms("10m"), Ok(600_000));
        assert_eq!(parse_ms("1h30m"), Ok(5_400_000));
        assert_eq!(parse_ms("500ms"), Ok(500));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "10", "m", "0s", "-1s", "1.5h", "1y", "99999999999999999999s", "18446744073709551615d", "1é"]
        {
            assert!(parse_ms(text).is_err(), "{text}");
        }
    }
}
