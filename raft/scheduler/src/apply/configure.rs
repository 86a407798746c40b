//! `Configure`: an operator sets what holds for the whole cluster.

use super::Step;
use crate::reply::{Rejection, Reply, What};
use crate::settings::{REPLACE_VOTER_AFTER_MIN_MS, VOTERS_MAX};

impl Step<'_> {
    pub(super) fn configure(&mut self, voters: Option<u8>, replace_voter_after_ms: Option<u64>) -> Reply {
        let mut settings = self.state.settings;
        if let Some(voters) = voters {
            if voters.is_multiple_of(2) || voters > VOTERS_MAX {
                let why = format!("{voters} voters: it must be an odd number from 1 to {VOTERS_MAX}");
                return Rejection::BadSetting(why).into();
            }
            settings.voters = voters;
        }
        if let Some(ms) = replace_voter_after_ms {
            if ms < REPLACE_VOTER_AFTER_MIN_MS {
                let why = format!(
                    "a voter must be lost for {} s at least before another takes its place",
                    REPLACE_VOTER_AFTER_MIN_MS / 1000
                );
                return Rejection::BadSetting(why).into();
            }
            settings.replace_voter_after_ms = ms;
        }
        self.state.settings = settings;
        let words = format!(
            "{} voters at most, a lost one replaced after {} s",
            settings.voters,
            settings.replace_voter_after_ms / 1000
        );
        self.say(None, None, What::Configured(words));
        Reply::Done
    }
}
