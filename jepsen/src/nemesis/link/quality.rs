//! How bad a link is.

use std::fmt;
use std::time::Duration;

use crate::random::Random;

/// Shortest and longest delay, in milliseconds: from a full switch to the other side of the world.
const DELAY_MS: (u64, u64) = (5, 180);
/// Packets in a hundred that come twice, and that others overtake, at most.
const TWICE: u64 = 10;
const OVERTAKEN: u64 = 25;

/// How bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quality {
    delay_ms: u64,
    jitter_ms: u64,
    twice: u64,
    overtaken: u64,
}

impl Quality {
    pub(super) fn drawn(random: &mut Random) -> Quality {
        let delay_ms = random.between(DELAY_MS.0, DELAY_MS.1);
        Quality {
            delay_ms,
            jitter_ms: random.between(0, delay_ms / 2),
            twice: random.between(0, TWICE),
            overtaken: random.between(0, OVERTAKEN),
        }
    }

    /// The delays of one packet's copies: one, or two.
    pub(super) fn delays(&self, random: &mut Random) -> Vec<Duration> {
        let jitter = random.between(0, 2 * self.jitter_ms);
        let usual = self.delay_ms + jitter - self.jitter_ms;
        let late = if random.between(1, 100) <= self.overtaken { usual } else { 0 };
        let first = Duration::from_millis(usual + late);
        let second = (random.between(1, 100) <= self.twice).then(|| first + Duration::from_millis(1));
        [Some(first), second].into_iter().flatten().collect()
    }

    /// The same in the words of netem.
    pub(super) fn netem(&self) -> Vec<String> {
        let Quality { delay_ms, jitter_ms, twice, overtaken } = self;
        let words = format!("delay {delay_ms}ms {jitter_ms}ms duplicate {twice}% reorder {overtaken}%");
        words.split(' ').map(str::to_owned).collect()
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Quality { delay_ms, jitter_ms, twice, overtaken } = self;
        write!(
            f,
            "{delay_ms} ms ± {jitter_ms} ms each way; of 100 packets {twice} come twice, and {overtaken} are overtaken"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_late_by_the_delay_and_its_jitter_some_twice_as_late_and_some_come_twice() {
        let quality = Quality { delay_ms: 20, jitter_ms: 5, twice: 50, overtaken: 50 };
        let mut random = Random::new(1);
        let all: Vec<Vec<Duration>> = (0..200).map(|_| quality.delays(&mut random)).collect();
        let ms: Vec<u128> = all.iter().flatten().map(Duration::as_millis).collect();
        assert!(ms.iter().all(|ms| (15..=51).contains(ms)), "{ms:?}");
        assert!(ms.iter().any(|ms| *ms <= 25) && ms.iter().any(|ms| *ms >= 30));
        assert!(all.iter().any(|copies| copies.len() == 1) && all.iter().any(|copies| copies.len() == 2));
    }
}
