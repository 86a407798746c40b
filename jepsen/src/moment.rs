//! Moments as nanoseconds since 1970. All machines of a testbed share one kernel, so one clock orders them all.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECOND: u64 = 1_000_000_000;

/// Now.
pub fn now() -> u64 {
    nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// As a plain number.
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// `2026-01-02T03:04:05.678Z`, as engines write it; none for what is no such text, and for the year 1, by which they
/// mean "never".
pub fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(whole, ':')?;
    let nanoseconds: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let days = days_since_1970(year, month, day)?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * SECOND + nanoseconds)
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let numbers: Vec<u64> = text.split(separator).map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let leap_day = u64::from(month > 2 && leap(year));
    (year >= 1970).then_some(years + months + leap_day + day.checked_sub(1)?)
}

/// Seconds from `from` to `to`, as people read them.
pub fn seconds(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / SECOND as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_engines_are_moments() {
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Some(1_500_000_000));
        assert_eq!(parse("2024-02-29T12:00:00Z"), Some(1_709_208_000 * SECOND));
        assert_eq!(parse("2026-11-24T20:18:44.000000001Z"), Some(1_795_551_524 * SECOND + 1));
    }

    #[test]
    fn the_year_one_means_never() {
        assert_eq!(parse("0001-01-01T00:00:00Z"), None);
        assert_eq!(parse("yesterday"), None);
    }
}
