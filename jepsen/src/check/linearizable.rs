//! Reads and writes are linearizable: for each name there is one order of submits, removals and reads, each somewhere
//! between its sending and its answer, that explains every answer. What was never answered may have happened at any
//! moment since, or never. Names do not touch each other, so each is judged by itself, and cheaply.

use std::collections::{BTreeMap, BTreeSet};

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use super::Violation;
use crate::history::{History, Operation, Outcome, Try, Verb};

/// Longest history of one name that is judged, from its beginning: the search is exponential in what overlaps.
const LONGEST: usize = 40;

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let names: BTreeSet<&str> = history.operations.iter().flat_map(read).collect();
    names.into_iter().filter_map(|name| violation(history, name)).collect()
}

/// A name that nobody read is explained by any order.
fn read(operation: &Operation) -> Option<&str> {
    if let Verb::Read(name) = &operation.verb { Some(name) } else { None }
}

/// What one name stands for: nothing, or a container, whose id is not known where its submit was not answered.
#[derive(Clone, Debug, Default, PartialEq)]
struct Name(Option<Option<String>>);

#[derive(Clone, Debug, PartialEq)]
enum Op {
    Submit(Option<String>),
    Remove,
    Read,
}

#[derive(Clone, Debug, PartialEq)]
enum Ret {
    /// It was done.
    Done,
    /// The name was taken.
    Taken,
    /// It stands for this container.
    Holds(String),
    /// It stands for nothing.
    Nothing,
}

impl SequentialSpec for Name {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        match op {
            Op::Submit(_) if self.0.is_some() => Ret::Taken,
            Op::Submit(id) => {
                self.0 = Some(id.clone());
                Ret::Done
            }
            Op::Remove => {
                self.0 = None;
                Ret::Done
            }
            Op::Read => self.0.clone().flatten().map_or(Ret::Nothing, Ret::Holds),
        }
    }

    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        if let (Op::Read, Ret::Holds(id), Some(None)) = (op, ret, &self.0) {
            // It is the one whose submit was not answered; now its id is known.
            self.0 = Some(Some(id.clone()));
            return true;
        }
        self.invoke(op) == *ret
    }
}

/// One operation on one name.
#[derive(Clone, Debug)]
struct Call {
    op: Op,
    sent_ns: u64,
    /// When it was answered, and with what; none if it may still happen.
    answer: Option<(u64, Ret)>,
}

fn violation(history: &History, name: &str) -> Option<Violation> {
    let mut calls: Vec<Call> =
        history.operations.iter().enumerate().filter_map(|(n, one)| call(history, n, one, name)).collect();
    calls.sort_by_key(|call| call.sent_ns);
    calls.truncate(LONGEST);
    let until = calls.last()?.sent_ns;
    let mut tester = LinearizabilityTester::<usize, Name>::default();
    for (_, event) in events(&calls, until) {
        let noted = match event {
            Event::Sent(number) => tester.on_invoke(number, calls.get(number)?.op.clone()),
            Event::Answered(number) => tester.on_return(number, calls.get(number)?.answer.clone()?.1),
        };
        if let Err(why) = noted {
            return Some(Violation(format!("{name} cannot be judged: {why}")));
        }
    }
    (!tester.is_consistent()).then(|| {
        let told: Vec<String> = calls.iter().map(|call| tell(history, call)).collect();
        Violation(format!(
            "no order of what was asked of {name} explains what was answered: {}",
            told.join("; ")
        ))
    })
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Sent(usize),
    Answered(usize),
}

/// In the order of time; what was sent at the moment of an answer counts as overlapping it. An answer after the last
/// sending orders nothing, but must be explained all the same.
fn events(calls: &[Call], until: u64) -> BTreeMap<(u64, Event), Event> {
    let mut events = BTreeMap::new();
    for (number, call) in calls.iter().enumerate() {
        events.insert((call.sent_ns, Event::Sent(number)), Event::Sent(number));
        if let Some((at, _)) = &call.answer {
            events.insert(
                ((*at).min(until.saturating_add(1)), Event::Answered(number)),
                Event::Answered(number),
            );
        }
    }
    events
}

fn call(history: &History, number: usize, operation: &Operation, name: &str) -> Option<Call> {
    let sent_ns = operation.tries.first()?.sent_ns;
    let last = operation.tries.last()?;
    let answered = |ret| Some((last.answered_ns, ret));
    let call = |op, sent_ns, answer| Some(Call { op, sent_ns, answer });
    match (&operation.verb, &operation.outcome) {
        (Verb::Submit, Outcome::Accepted { ids }) => {
            let id = ids.get(name)?;
            call(Op::Submit(Some(id.clone())), sent_ns, answered(Ret::Done))
        }
        (Verb::Submit, outcome) => {
            let asked = history.jobs.get(name).is_some_and(|job| job.operation == number);
            match outcome {
                _ if !asked => None,
                Outcome::Refused { why } if why.starts_with("name_taken") => {
                    call(Op::Submit(None), sent_ns, answered(Ret::Taken))
                }
                Outcome::Unknown { .. } => call(Op::Submit(None), sent_ns, None),
                Outcome::Refused { .. } | Outcome::Accepted { .. } => None,
            }
        }
        // What runs is killed first, and goes with its end: the answer says only that it will.
        (Verb::Remove(of), Outcome::Accepted { .. } | Outcome::Unknown { .. }) if of == name => {
            call(Op::Remove, sent_ns, None)
        }
        (Verb::Read(of), outcome) if of == name => {
            let Try { sent_ns, .. } = last;
            match outcome {
                Outcome::Accepted { ids } => {
                    call(Op::Read, *sent_ns, answered(Ret::Holds(ids.values().next()?.clone())))
                }
                Outcome::Refused { why } if why.starts_with("no_such_container") => {
                    call(Op::Read, *sent_ns, answered(Ret::Nothing))
                }
                Outcome::Refused { .. } | Outcome::Unknown { .. } => None,
            }
        }
        (Verb::Remove(_) | Verb::Read(_) | Verb::Stop(_) | Verb::Look, _) => None,
    }
}

fn tell(history: &History, call: &Call) -> String {
    let op = match &call.op {
        Op::Submit(_) => "submit",
        Op::Remove => "remove",
        Op::Read => "read",
    };
    let sent = history.at(call.sent_ns);
    match &call.answer {
        None => format!("{op} at {sent}, done at some moment since, or never"),
        Some((at, ret)) => {
            let ret = match ret {
                Ret::Done => "done",
                Ret::Taken => "taken",
                Ret::Holds(id) => id.get(..12).unwrap_or(id),
                Ret::Nothing => "nothing",
            };
            format!("{op} at {sent}, answered at {} with {ret}", history.at(*at))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::sample::{at, sentences};
    use super::*;
    use crate::history::Job;

    fn operation(verb: Verb, (sent, answered): (u64, u64), outcome: Outcome) -> Operation {
        let (sent_ns, answered_ns) = (at(sent), at(answered));
        let tried = Try { node: "n1".to_owned(), sent_ns, answered_ns, outcome: outcome.clone() };
        Operation { what: String::new(), verb, key: String::new(), tries: vec![tried], outcome }
    }

    fn id(id: &str) -> Outcome {
        Outcome::Accepted { ids: BTreeMap::from([("a".to_owned(), id.to_owned())]) }
    }

    fn refused(why: &str) -> Outcome {
        Outcome::Refused { why: why.to_owned() }
    }

    fn lost() -> Outcome {
        Outcome::Unknown { why: "connection refused".to_owned() }
    }

    fn submit(when: (u64, u64), outcome: Outcome) -> Operation {
        operation(Verb::Submit, when, outcome)
    }

    fn remove(when: (u64, u64), outcome: Outcome) -> Operation {
        operation(Verb::Remove("a".to_owned()), when, outcome)
    }

    fn reads(when: (u64, u64), outcome: Outcome) -> Operation {
        operation(Verb::Read("a".to_owned()), when, outcome)
    }

    fn nothing() -> Outcome {
        refused("no_such_container: a")
    }

    fn said(operations: Vec<Operation>) -> Vec<String> {
        let mut history = History::default();
        for operation in operations {
            let jobs = match operation.verb {
                Verb::Submit => BTreeMap::from([("a".to_owned(), Job::default())]),
                Verb::Stop(_) | Verb::Remove(_) | Verb::Look | Verb::Read(_) => BTreeMap::new(),
            };
            history.ask(operation, jobs);
        }
        sentences(judge(&history))
    }

    #[test]
    fn reads_that_follow_what_was_written_are_good() {
        let good = vec![
            reads((0, 1), nothing()),
            submit((10, 30), id("x")),
            reads((15, 18), nothing()),
            reads((20, 25), id("x")),
            reads((40, 41), id("x")),
            remove((50, 60), id("x")),
            reads((55, 57), id("x")),
            reads((70, 71), id("x")),
            reads((80, 81), nothing()),
        ];
        assert_eq!(said(good), [""; 0]);
    }

    #[test]
    fn a_read_that_does_not_see_an_accepted_submit_is_stale() {
        let stale = said(vec![submit((10, 20), id("x")), reads((30, 31), nothing())]);
        assert_eq!(stale.len(), 1);
        assert!(stale[0].starts_with("no order of what was asked of a explains"), "{stale:?}");
    }

    #[test]
    fn what_one_read_has_seen_no_later_read_may_miss() {
        let seen_then_missed =
            vec![submit((10, 90), id("x")), reads((20, 25), id("x")), reads((30, 31), nothing())];
        assert_eq!(said(seen_then_missed).len(), 1);
        let overlapping =
            vec![submit((10, 90), id("x")), reads((20, 35), id("x")), reads((30, 31), nothing())];
        assert_eq!(said(overlapping), [""; 0]);
    }

    #[test]
    fn what_was_removed_does_not_come_back() {
        let risen = vec![
            submit((0, 1), id("x")),
            remove((10, 20), id("x")),
            reads((30, 31), nothing()),
            reads((40, 41), id("x")),
        ];
        assert_eq!(said(risen).len(), 1);
    }

    #[test]
    fn an_unanswered_submit_happens_at_any_moment_or_never() {
        let late = vec![submit((10, 20), lost()), reads((30, 31), nothing()), reads((40, 41), id("x"))];
        assert_eq!(said(late), [""; 0]);
        let never = vec![submit((10, 20), lost()), reads((30, 31), nothing())];
        assert_eq!(said(never), [""; 0]);
        let twice = vec![submit((10, 20), lost()), reads((30, 31), id("x")), reads((40, 41), nothing())];
        assert_eq!(said(twice).len(), 1);
    }

    #[test]
    fn two_submits_of_one_name_cannot_both_be_accepted() {
        let both = vec![submit((0, 1), id("x")), submit((10, 11), id("y")), reads((20, 21), id("y"))];
        assert_eq!(said(both).len(), 1);
        let refused = vec![
            submit((0, 1), id("x")),
            submit((10, 11), refused("name_taken: a is taken")),
            reads((20, 21), id("x")),
        ];
        assert_eq!(said(refused), [""; 0]);
    }

    #[test]
    fn a_name_cannot_be_taken_by_nobody() {
        let refused = vec![submit((0, 1), refused("name_taken: a is taken")), reads((20, 21), nothing())];
        assert_eq!(said(refused).len(), 1);
    }
}
