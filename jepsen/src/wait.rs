//! Waits with an end: for what shall come true, or for somebody who wants the program to end.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::interrupt;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Looks until it is true. An error if it is not in time.
pub fn await_true(within: Duration, look: impl FnMut() -> bool) -> anyhow::Result<()> {
    ensure!(in_time(within, LOOK, look)?, "not within {} s", within.as_secs_f64());
    Ok(())
}

/// Whether it is true in time, with a pause between two looks. An error if the program shall end.
pub fn in_time(within: Duration, pause: Duration, mut look: impl FnMut() -> bool) -> anyhow::Result<bool> {
    let began = Instant::now();
    while !look() {
        interrupt::check()?;
        if began.elapsed() >= within {
            return Ok(false);
        }
        sleep(pause);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_true_at_the_third_look_is_in_time_and_what_never_does_is_not() {
        let mut looks = 0;
        let third = || {
            looks += 1;
            looks == 3
        };
        assert!(in_time(Duration::from_secs(5), Duration::ZERO, third).unwrap());
        assert!(!in_time(Duration::ZERO, Duration::ZERO, || false).unwrap());
        assert_eq!(await_true(Duration::ZERO, || false).unwrap_err().to_string(), "not within 0 s");
    }
}
