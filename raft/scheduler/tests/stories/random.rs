//! Random histories: whatever is thrown at it, `apply` answers, every invariant holds after every entry, the same
//! entries give the same state, and a snapshot with the rest of the log gives what the whole log gives.

use pinode_scheduler::command::{Missing, NewContainer};
use pinode_scheduler::container::Decline;
use pinode_scheduler::filter;
use pinode_scheduler::later::Pace;
use pinode_scheduler::node::{Ailment, Capacity, Image};
use pinode_scheduler::spec::{
    HostPort, Needs, OnUpstreamFailure, Protocol, Rerun, Restart, Strategy as Rank,
};
use pinode_scheduler::{
    Command, ContainerId, Entry, NodeFacts, Outcome, Request, RequestKey, SessionId, Spec, State, Timer,
    check, owed,
};
use proptest::prelude::*;

use crate::world::{id_of, labelled, spec};

const NAMES: [&str; 8] = ["a1", "a2", "a3", "b1", "b2", "c", "d", "e"];
const WAITS: [&str; 14] = [
    "container==a1",
    "container==a*",
    "exited==a*,min=2",
    "container==b*,count=2",
    "failed==/^[ab]1$/",
    "started==c",
    "healthy==d",
    "exited!=e",
    "container==~b*",
    "container==c,d",
    "exited==b1",
    "container==e",
    "container==*1",
    "exited==a2,wait_timeout=5s",
];

const CONSTRAINTS: [&str; 6] = ["node!=n1", "node==~n2", "zone==a*", "arch!=arm64", "zone!=~/b/", "zone==~b"];
const AFFINITIES: [&str; 8] = [
    "container!=a*",
    "container==~b1",
    "container==/^[cd]$/",
    "image==busybox",
    "image!=~busy*",
    "tier==x",
    "tier!=~/y/",
    "container!=e",
];

fn digest(state: &State) -> Vec<u8> {
    bincode::serde::encode_to_vec(state, bincode::config::standard()).unwrap()
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

/// Where it may run, and would rather. Most say nothing of it, or little would run at all.
fn any_wishes() -> impl Strategy<Value = Spec> {
    let some = |texts: &'static [&'static str]| prop::collection::vec(prop::sample::select(texts), 0..2);
    let dice = (0..9_u8, 0..3_u8, 0..6_u16, 0..9_u8);
    (some(&CONSTRAINTS), some(&AFFINITIES), dice).prop_map(
        |(constraints, affinities, (rank, tier, port, beside))| Spec {
            constraints: constraints.iter().map(|text| filter::constraint(text).unwrap()).collect(),
            affinities: affinities.iter().map(|text| filter::affinity(text).unwrap()).collect(),
            strategy: [Rank::Spread, Rank::Binpack, Rank::Random][usize::from(rank % 3)],
            host_ports: (port < 2)
                .then_some(HostPort { port, protocol: Protocol::Tcp })
                .into_iter()
                .collect(),
            beside: (beside == 0).then(|| "c".to_owned()).into_iter().collect(),
            labels: [("tier".to_owned(), ["x", "y", "z"][usize::from(tier)].to_owned())].into(),
            ..spec("", &[])
        },
    )
}

fn any_spec() -> impl Strategy<Value = Spec> {
    let waits = prop::collection::vec(prop::sample::select(&WAITS[..]), 0..3);
    let policies = (0..3_u8, 0..3_u8, 0..3_u8, 0..3_u32, any::<[bool; 4]>(), 0..5_u64);
    (any_name(), waits, any_wishes(), policies).prop_map(
        |(name, waits, wishes, (upstream, rerun, restart, retries, flags, cpus))| Spec {
            on_upstream_failure: [OnUpstreamFailure::Skip, OnUpstreamFailure::Hold, OnUpstreamFailure::Run]
                [upstream as usize],
            rerun: [Rerun::Fenced, Rerun::Never, Rerun::Eager][rerun as usize],
            restart: [Restart::No, Restart::OnFailure(Some(1)), Restart::Always][restart as usize],
            retries,
            has_health: flags[0],
            remove_after_ms: flags[1].then_some(if flags[0] { 0 } else { 10_000 }),
            shared: flags[2],
            run_timeout_ms: flags[3].then_some(7),
            needs: Needs { cpu_milli: cpus * 500, memory: 0 },
            local_volumes: flags[2].then(|| "dd".to_owned()).into_iter().collect(),
            constraints: wishes.constraints,
            affinities: wishes.affinities,
            strategy: wishes.strategy,
            host_ports: wishes.host_ports,
            beside: wishes.beside,
            labels: wishes.labels,
            ..spec(name, &waits)
        },
    )
}

/// A step as dice: what to do, to whom, how. Turned into a command that fits the state as it is, so that most reach
/// deep; the rest are late, doubled or nonsense, which must do no harm.
#[derive(Clone, Debug)]
enum Dice {
    Submit(Box<Spec>),
    Pipeline(Vec<Spec>),
    Person(u8, &'static str),
    Report(u8, &'static str, bool),
    Node(u8, u64),
    Timer(usize),
    Nonsense(u8, u32, u64),
}

fn any_dice() -> impl Strategy<Value = Dice> {
    prop_oneof![
        4 => any_spec().prop_map(|spec| Dice::Submit(Box::new(spec))),
        1 => prop::collection::vec(any_spec(), 1..4).prop_map(Dice::Pipeline),
        3 => (0..9_u8, any_name()).prop_map(|(what, name)| Dice::Person(what, name)),
        8 => (0..9_u8, any_name(), any::<bool>()).prop_map(|(what, name, code)| Dice::Report(what, name, code)),
        2 => (0..15_u8, 1..4_u64).prop_map(|(what, node)| Dice::Node(what, node)),
        2 => (0..8_usize).prop_map(Dice::Timer),
        1 => (0..9_u8, 0..9_u32, 0..9_u64).prop_map(|(a, b, c)| Dice::Nonsense(a, b, c)),
    ]
}

fn request(index: u64) -> Request {
    // Now and then a key comes twice.
    Request { key: RequestKey(format!("k{}", index - index % 3)), body: [0; 32] }
}

fn person(state: &State, index: u64, what: u8, name: &str) -> Command {
    let container = state.find_named(name).map_or(id_of(name), |c| c.id);
    let request = request(index);
    match what {
        0 => Command::Stop { request, container, kill: false, grace_s: None },
        1 => Command::Stop { request, container, kill: true, grace_s: None },
        2 => Command::Remove { request, container, force: false },
        3 => Command::Remove { request, container, force: true },
        4 => Command::Retry { request, container },
        5 => Command::Start { request, container, attached: index.is_multiple_of(2) },
        6 => Command::Restart { request, container, grace_s: None },
        7 => {
            let name = NAMES[index as usize % NAMES.len()].to_owned();
            Command::Rename { request, container, name }
        }
        _ => {
            let needs = Needs { cpu_milli: index % 3 * 500, memory: 0 };
            let restart = if index.is_multiple_of(2) { Restart::No } else { Restart::Always };
            Command::Amend { request, container, create: "{}".to_owned(), needs, restart }
        }
    }
}

fn report(state: &State, what: u8, name: &str, good: bool) -> Command {
    let found = state.find_named(name);
    let container = found.map_or(id_of(name), |c| c.id);
    let attempt = found.map_or(1, |c| c.attempt);
    let session = found.and_then(|c| c.latest()).map_or(SessionId { node: 1, number: 1 }, |a| a.session);
    let outcome = match what {
        0 => return Command::Started { container, attempt, session, started_at: "T".to_owned() },
        1 => return Command::Healthy { container, attempt, session },
        2 => {
            let image = "i".to_owned();
            let reason = if good { Decline::ImageMissing(image) } else { Decline::Other(image) };
            return Command::Declined { container, attempt, session, reason };
        }
        3 | 4 => Outcome::Exited { code: i64::from(!good), witnessed: true, oom: !good },
        5 => Outcome::Interrupted { code: None, reason: "r".to_owned() },
        6 => Outcome::NeverStarted { reason: "r".to_owned() },
        7 => Outcome::LaunchFailed { code: 127, reason: "r".to_owned() },
        _ => Outcome::Cancelled { code: Some(143) },
    };
    let at = Some("T".to_owned());
    Command::Exited {
        container,
        attempt,
        session,
        outcome,
        started_at: at.clone(),
        finished_at: at,
        ran_ms: 5,
    }
}

fn node(state: &State, index: u64, what: u8, node: u64) -> Command {
    let known = state.find_node(node);
    let session = known.map_or(SessionId { node, number: 1 }, |n| n.session_id());
    let capacity = Capacity { cpu_milli: 2000, memory: 1 << 30, slots: 3 };
    let zone = [("zone", "a"), ("zone", "b"), ("containerslots", "2")][node as usize % 3];
    let facts = NodeFacts { capacity, feature: 2, ..labelled(&format!("n{node}"), &[zone]) };
    let request = Request { key: RequestKey(format!("operator-{}", index - index % 2)), body: [0; 32] };
    match what {
        0 => Command::SessionOpened { session, facts },
        1 => Command::SessionOpened { session: SessionId { node, number: session.number + 1 }, facts },
        2 => Command::Suspected { session },
        3 => Command::Trusted { session },
        4 => Command::NodeLost { session },
        5 => {
            let gone = owed(state, node)
                .into_iter()
                .filter(|(_, d)| matches!(d, pinode_scheduler::Duty::Remove { .. }));
            Command::Removed { node, attempts: gone.map(|(key, _)| key).collect() }
        }
        6 => {
            let images = [("busybox:latest", "amd64"), ("film:1", "arm64")].into_iter().take(node as usize);
            let image = |(name, arch): (&str, &str)| Image { name: name.to_owned(), arch: arch.to_owned() };
            let images = images.map(image).collect();
            Command::Images { session, images }
        }
        8 => Command::Drain { request, node, deadline_ms: [None, Some(0), Some(5)][index as usize % 3] },
        9 => Command::Undrain { request, node },
        // One id of the three at most, or soon nobody would be left.
        10 => Command::RemoveNode { request, node: 3, force: index.is_multiple_of(2) },
        11 => {
            let labels = [("zone".to_owned(), index.is_multiple_of(2).then(|| "b".to_owned()))];
            Command::LabelNode { request, node, labels: labels.into() }
        }
        12 => {
            let voters = Some(u8::try_from(index % 9).unwrap());
            Command::Configure { request, voters, replace_voter_after_ms: Some(index * 100) }
        }
        13 => Command::Away { session, grace_ms: 300_000 },
        14 => Command::LevelRaised { level: node as u16 },
        _ => {
            let problem = session.number.is_multiple_of(2).then(|| "hot".to_owned());
            Command::NodeCondition { session, ailment: Ailment::Heat, problem }
        }
    }
}

fn nonsense(what: u8, attempt: u32, number: u64) -> Command {
    let (container, session) = (ContainerId([what; 32]), SessionId { node: number, number });
    match what {
        0 => Command::TimerFired { timer: Timer::Backoff { container, attempt } },
        1 => Command::ForgetRequests { up_to: number },
        2 => Command::NodeLost { session },
        3 => Command::Removed { node: number, attempts: vec![(container, attempt)] },
        4 => Command::Started { container, attempt, session, started_at: String::new() },
        5 => Command::Declined { container, attempt, session, reason: Decline::Other(String::new()) },
        6 => Command::Away { session, grace_ms: number },
        7 => Command::Paced { pace: Pace { sync_ms: attempt, lease_ms: 3_000 } },
        _ => Command::TimerFired { timer: Timer::BarLifted { container, node: number } },
    }
}

fn command(state: &State, index: u64, dice: &Dice) -> Command {
    let new = |prefix: &str, spec: &Spec| {
        let mut id = id_of(&format!("{prefix}{}", spec.name));
        id.0[24..].copy_from_slice(&index.to_be_bytes());
        NewContainer { id, spec: spec.clone(), held: index.is_multiple_of(5) }
    };
    match dice {
        Dice::Submit(spec) => Command::Submit {
            request: request(index),
            pipeline: None,
            containers: vec![new("", spec)],
            missing: if index.is_multiple_of(7) { Missing::Reject } else { Missing::Wait },
        },
        Dice::Pipeline(specs) => Command::Submit {
            request: request(index),
            pipeline: Some("p".to_owned()),
            containers: specs.iter().map(|spec| new("p.", spec)).collect(),
            missing: Missing::Wait,
        },
        Dice::Person(what, name) => person(state, index, *what, name),
        Dice::Report(what, name, good) => report(state, *what, name, *good),
        Dice::Node(what, id) => node(state, index, *what, *id),
        Dice::Timer(which) => match state.timers().keys().nth(*which) {
            Some(timer) => Command::TimerFired { timer: *timer },
            None => nonsense(0, 0, 0),
        },
        Dice::Nonsense(what, attempt, number) => nonsense(*what, *attempt, *number),
    }
}

/// Plays dice into a log, checking after every entry.
fn play(dice: &[Dice]) -> Result<(State, Vec<Entry>), TestCaseError> {
    let mut state = State::default();
    let mut log = Vec::new();
    for index in 1..=dice.len() as u64 + 2 {
        let command = match index.checked_sub(3) {
            None => node(&state, index, 0, index),
            Some(at) => command(&state, index, &dice[at as usize]),
        };
        let entry = Entry { at_ms: index * 10, command };
        state.apply(index, &entry);
        let broken = check::check(&state);
        prop_assert!(broken.is_empty(), "entry {index}, {:?}: {broken:#?}", entry.command);
        log.push(entry);
    }
    Ok((state, log))
}

fn replay(mut state: State, log: &[Entry], from: usize) -> State {
    for (index, entry) in (1..).zip(log).skip(from) {
        state.apply(index, entry);
    }
    state
}

proptest! {

    #[test]
    fn every_invariant_holds_after_every_entry_and_a_replay_gives_the_same_state(
        dice in prop::collection::vec(any_dice(), 1..120),
    ) {
        let (state, log) = play(&dice)?;
        prop_assert_eq!(digest(&replay(State::default(), &log, 0)), digest(&state));
    }

    #[test]
    fn a_snapshot_and_the_rest_of_the_log_give_what_the_whole_log_gives(
        dice in prop::collection::vec(any_dice(), 1..120),
        cut in 0.0..1.0_f64,
    ) {
        let (state, log) = play(&dice)?;
        let cut = (log.len() as f64 * cut) as usize;
        let snapshot = digest(&replay(State::default(), &log[..cut], 0));
        let (restored, _) = bincode::serde::decode_from_slice::<State, _>(&snapshot, bincode::config::standard()).unwrap();
        prop_assert_eq!(digest(&replay(restored, &log, cut)), digest(&state));
    }
}
