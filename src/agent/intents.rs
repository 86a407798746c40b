//! What this node is about to do to a container, on disk before it does it. After a crash the question "did I start
//! it?" has one of two answers: certainly not, or perhaps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

use pinode_raft::{remove_durably, seal, unseal, write_durably};
use pinode_scheduler::ContainerId;

/// No boot has this id.
const UNKNOWN_BOOT: &str = "";

/// Attempt of a container.
pub type Key = (ContainerId, u32);

/// What was intended, for one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intent {
    /// A start was, or was about to be, sent, in this boot of the machine.
    pub start: Option<String>,
    /// A signal was, or was about to be, sent.
    pub signal: Option<Signal>,
}

/// Why a signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Somebody stops it.
    Stop,
    /// The lease ran out, or its session is over.
    Fence,
    /// Its node is to be empty.
    Drain,
}

/// The folder of intents. One small file an attempt; its lines say what was intended.
#[derive(Debug)]
pub struct Intents {
    dir: PathBuf,
    known: Mutex<BTreeMap<Key, Intent>>,
}

impl Intents {
    /// Opens the folder and reads what an earlier process intended.
    pub fn open(dir: &Path) -> io::Result<Intents> {
        fs::create_dir_all(dir)?;
        let mut known = BTreeMap::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if let Some(key) = key_of(&path) {
                known.insert(key, parse(&fs::read(&path)?));
            }
        }
        Ok(Intents { dir: dir.to_owned(), known: Mutex::new(known) })
    }

    /// What was intended for an attempt.
    pub fn of(&self, key: Key) -> Intent {
        self.known().get(&key).cloned().unwrap_or_default()
    }

    /// Attempts that may have been started in this boot, and whose Docker containers are not known to be gone.
    pub fn started_in(&self, boot: &str) -> Vec<Key> {
        let known = self.known();
        let of = |intent: &Intent| intent.start.as_deref().is_some_and(|of| of == boot || of == UNKNOWN_BOOT);
        known.iter().filter(|(_, intent)| of(intent)).map(|(key, _)| *key).collect()
    }

    /// Durably: a start is about to be sent.
    pub fn starting(&self, key: Key, boot: &str) -> io::Result<()> {
        self.change(key, |intent| intent.start = Some(boot.to_owned()))
    }

    /// Durably: a signal is about to be sent. The first reason stays.
    pub fn signalling(&self, key: Key, signal: Signal) -> io::Result<()> {
        self.change(key, |intent| {
            intent.signal.get_or_insert(signal);
        })
    }

    /// The attempt's Docker container is gone, and so is the question.
    pub fn forget(&self, key: Key) -> io::Result<()> {
        let mut known = self.known();
        if known.contains_key(&key) {
            // The file first: what could not be removed is tried again.
            remove_durably(&self.path(key))?;
            known.remove(&key);
        }
        Ok(())
    }

    /// One at a time: a worker, a fence and a polite stop may have the same intent at the same moment, and each believes
    /// that it is on disk when this returns.
    fn change(&self, key: Key, change: impl FnOnce(&mut Intent)) -> io::Result<()> {
        let mut known = self.known();
        let before = known.get(&key).cloned().unwrap_or_default();
        let mut intent = before.clone();
        change(&mut intent);
        if intent != before {
            write_durably(&self.path(key), &seal(&print(&intent)))?;
            known.insert(key, intent);
        }
        Ok(())
    }

    fn path(&self, (container, attempt): Key) -> PathBuf {
        self.dir.join(format!("{container}-{attempt}.intent"))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Intent>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(path: &Path) -> Option<Key> {
    let name = path.file_name()?.to_str()?.strip_suffix(".intent")?;
    let (container, attempt) = name.split_once('-')?;
    Some((container.parse().ok()?, attempt.parse().ok()?))
}

fn print(intent: &Intent) -> String {
    let start = intent.start.iter().map(|boot| format!("start {boot}\n"));
    let signal = intent.signal.iter().map(|signal| match signal {
        Signal::Stop => "signal stop\n".to_owned(),
        Signal::Fence => "signal fence\n".to_owned(),
        Signal::Drain => "signal drain\n".to_owned(),
    });
    start.chain(signal).collect()
}

/// A file that exists is an intent, whatever can still be read of it. A damaged one counts as a start in an unknown boot,
/// and as a fence, after which code 0 is no success: the careful answers.
fn parse(bytes: &[u8]) -> Intent {
    let damaged = Intent { start: Some(UNKNOWN_BOOT.to_owned()), signal: Some(Signal::Fence) };
    unseal(bytes).and_then(parse_lines).filter(|intent| *intent != Intent::default()).unwrap_or(damaged)
}

fn parse_lines(text: &str) -> Option<Intent> {
    let mut intent = Intent::default();
    for line in text.lines() {
        match line.split_once(' ')? {
            ("start", boot) => intent.start = Some(boot.to_owned()),
            ("signal", "stop") => intent.signal = Some(Signal::Stop),
            ("signal", "fence") => intent.signal = Some(Signal::Fence),
            ("signal", "drain") => intent.signal = Some(Signal::Drain),
            _ => return None,
        }
    }
    Some(intent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::every_flip;

    #[test]
    fn an_intent_is_there_after_a_restart_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let key = (ContainerId([7; 32]), 3);
        let first = Intents::open(dir.path()).unwrap();
        first.starting(key, "boot-1").unwrap();
        first.signalling(key, Signal::Fence).unwrap();
        first.signalling(key, Signal::Stop).unwrap();
        let second = Intents::open(dir.path()).unwrap();
        let expected = Intent { start: Some("boot-1".to_owned()), signal: Some(Signal::Fence) };
        assert_eq!(second.of(key), expected);
        second.forget(key).unwrap();
        assert_eq!(Intents::open(dir.path()).unwrap().of(key), Intent::default());
    }

    #[test]
    fn two_who_intend_the_same_at_the_same_moment_both_find_it_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let intents = Intents::open(dir.path()).unwrap();
        for attempt in 0..50 {
            let key = (ContainerId([7; 32]), attempt);
            intents.starting(key, "boot-1").unwrap();
            std::thread::scope(|scope| {
                let intents = &intents;
                for signal in [Signal::Stop, Signal::Fence, Signal::Fence] {
                    scope.spawn(move || intents.signalling(key, signal).unwrap());
                }
            });
        }
    }

    #[test]
    fn every_signal_is_read_as_it_was_written() {
        for signal in [Signal::Stop, Signal::Fence, Signal::Drain] {
            let intent = Intent { start: Some("boot-1".to_owned()), signal: Some(signal) };
            assert_eq!(parse(&seal(&print(&intent))), intent);
        }
    }

    #[test]
    fn an_intent_of_an_earlier_version_is_read_as_it_was_written() {
        let intent = Intent { start: Some("boot-1".to_owned()), signal: Some(Signal::Stop) };
        assert_eq!(parse(print(&intent).as_bytes()), intent);
    }

    #[test]
    fn no_damage_to_an_intent_makes_a_start_or_a_kill_of_ours_unsaid() {
        let sealed = seal(&print(&Intent { start: Some("boot-1".to_owned()), signal: Some(Signal::Fence) }));
        for (bit, flipped) in every_flip(&sealed) {
            let dir = tempfile::tempdir().unwrap();
            let key = (ContainerId([7; 32]), 1);
            let intents = Intents::open(dir.path()).unwrap();
            fs::write(intents.path(key), flipped).unwrap();
            let Intent { start, signal } = Intents::open(dir.path()).unwrap().of(key);
            assert!(start.is_some() && signal == Some(Signal::Fence), "bit {bit}: {start:?}, {signal:?}");
        }
        assert_eq!(parse(b"").start.as_deref(), Some(UNKNOWN_BOOT));
    }

    #[test]
    fn what_was_started_in_this_boot_or_nobody_knows_when_may_still_run() {
        let dir = tempfile::tempdir().unwrap();
        let of = |number| (ContainerId([number; 32]), 1);
        let intents = Intents::open(dir.path()).unwrap();
        intents.starting(of(1), "boot-1").unwrap();
        intents.starting(of(2), "boot-2").unwrap();
        intents.signalling(of(3), Signal::Stop).unwrap();
        fs::write(intents.path(of(4)), b"\xff").unwrap();
        assert_eq!(Intents::open(dir.path()).unwrap().started_in("boot-2"), [of(2), of(4)]);
    }
}
