//! A small language for stories: nodes, containers, and what happens to them. Every step is checked.

use std::collections::BTreeMap;

use pinode_scheduler::command::{Missing, NewContainer};
use pinode_scheduler::container::{Claim, Decline};
use pinode_scheduler::node::{Capacity, Image, Start};
use pinode_scheduler::spec::{Needs, Restart};
use pinode_scheduler::{
    Applied, Change, Command, Container, ContainerId, Duty, Entry, NodeFacts, NodeId, Outcome, Phase,
    Rejection, Reply, Request, RequestKey, SessionId, Spec, State, Submitted, Timer, What, check, dependency,
    filter, owed, why,
};

pub fn id_of(name: &str) -> ContainerId {
    let mut id = [0; 32];
    let bytes = name.as_bytes();
    id[..bytes.len().min(32)].copy_from_slice(&bytes[..bytes.len().min(32)]);
    ContainerId(id)
}

pub fn spec(name: &str, waits: &[&str]) -> Spec {
    let terms: Vec<_> = waits.iter().map(|wait| dependency::parse(wait).unwrap()).collect();
    Spec {
        name: name.to_owned(),
        image: "busybox:local".to_owned(),
        create: "{}".to_owned(),
        wait_timeout_ms: terms.iter().find_map(|t| t.wait_timeout_ms),
        waitfor: terms.into_iter().flat_map(|t| t.waitfor).collect(),
        run_timeout_ms: None,
        needs: Needs::default(),
        constraints: Vec::new(),
        affinities: Vec::new(),
        strategy: Default::default(),
        host_ports: Default::default(),
        beside: Default::default(),
        rerun: Default::default(),
        retries: 0,
        restart: Default::default(),
        on_upstream_failure: Default::default(),
        local_volumes: Default::default(),
        shared: false,
        has_health: false,
        remove_after_ms: None,
        stop_timeout_s: 10,
        labels: BTreeMap::new(),
    }
}

/// One that must, or would rather, be on certain nodes.
pub fn bound(name: &str, constraints: &[&str]) -> Spec {
    let constraints = constraints.iter().map(|text| filter::constraint(text).unwrap()).collect();
    Spec { constraints, ..spec(name, &[]) }
}

/// One that must, or would rather, have others near it, or far.
pub fn drawn(name: &str, affinities: &[&str]) -> Spec {
    let affinities = affinities.iter().map(|text| filter::affinity(text).unwrap()).collect();
    Spec { affinities, ..spec(name, &[]) }
}

/// A node with labels.
pub fn labelled(name: &str, labels: &[(&str, &str)]) -> NodeFacts {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    NodeFacts { labels, ..facts(name) }
}

pub fn facts(name: &str) -> NodeFacts {
    NodeFacts {
        name: name.to_owned(),
        api: format!("{name}:7373"),
        peer: format!("{name}:7374"),
        boot_id: "boot".to_owned(),
        start: Start { count: 1, mark: 1 },
        capacity: Capacity { cpu_milli: 4000, memory: 4 << 30, slots: 16 },
        labels: BTreeMap::new(),
        shared_id: Some("shared".to_owned()),
        feature: 1,
        engine: "20.10".to_owned(),
    }
}

pub struct World {
    pub state: State,
    pub changes: Vec<Change>,
    index: u64,
    /// How often each name was used: an id is never used again.
    used: BTreeMap<String, u8>,
}

impl World {
    pub fn empty() -> World {
        World { state: State::default(), changes: Vec::new(), index: 0, used: BTreeMap::new() }
    }

    /// Nodes `n1`, `n2`, … with ids 1, 2, ….
    pub fn with_nodes(count: u64) -> World {
        let mut world = World::empty();
        for id in 1..=count {
            world.open(id, 1, facts(&format!("n{id}")));
        }
        world
    }

    pub fn apply(&mut self, command: Command) -> Reply {
        self.index += 1;
        let at_ms = self.index * 1000;
        let Applied { reply, changes } = self.state.apply(self.index, &Entry { at_ms, command });
        assert_eq!(check::check(&self.state), Vec::<String>::new(), "after entry {}", self.index);
        self.changes = changes;
        reply
    }

    pub fn request(&mut self) -> Request {
        Request { key: RequestKey(format!("request-{}", self.index + 1)), body: [0; 32] }
    }

    pub fn open(&mut self, node: NodeId, number: u64, facts: NodeFacts) -> Reply {
        self.apply(Command::SessionOpened { session: SessionId { node, number }, facts })
    }

    pub fn try_submit(&mut self, spec: Spec) -> Reply {
        let request = self.request();
        let used = self.used.entry(spec.name.clone()).or_default();
        let mut id = id_of(&spec.name);
        id.0[31] = *used;
        *used += 1;
        let containers = vec![NewContainer { id, spec, held: false }];
        self.apply(Command::Submit { request, pipeline: None, containers, missing: Missing::Wait })
    }

    pub fn submit_spec(&mut self, spec: Spec) -> Submitted {
        match self.try_submit(spec) {
            Reply::Submitted(mut all) => all.remove(0),
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub fn submit(&mut self, name: &str, waits: &[&str]) -> Submitted {
        self.submit_spec(spec(name, waits))
    }

    pub fn refused(&mut self, name: &str, waits: &[&str]) -> Rejection {
        rejection(self.try_submit(spec(name, waits)))
    }

    pub fn try_pipeline(&mut self, pipeline: &str, specs: Vec<Spec>) -> Reply {
        let request = self.request();
        let new =
            |spec: Spec| NewContainer { id: id_of(&format!("{pipeline}.{}", spec.name)), spec, held: false };
        let containers = specs.into_iter().map(new).collect();
        let pipeline = Some(pipeline.to_owned());
        self.apply(Command::Submit { request, pipeline, containers, missing: Missing::Wait })
    }

    pub fn pipeline(&mut self, pipeline: &str, specs: Vec<Spec>) -> Vec<Submitted> {
        match self.try_pipeline(pipeline, specs) {
            Reply::Submitted(all) => all,
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub fn get(&self, name: &str) -> &Container {
        self.state.find_named(name).unwrap_or_else(|| panic!("no container {name}"))
    }

    pub fn word(&self, name: &str) -> &'static str {
        self.get(name).phase.word()
    }

    /// The state of several, in the order given.
    pub fn words<const N: usize>(&self, names: [&str; N]) -> [&'static str; N] {
        names.map(|name| self.word(name))
    }

    pub fn claim(&self, name: &str) -> Claim {
        self.get(name).phase.claim().unwrap_or_else(|| panic!("{name} is {}", self.word(name)))
    }

    pub fn node_of(&self, name: &str) -> NodeId {
        self.claim(name).session.node
    }

    pub fn start(&mut self, name: &str) -> Reply {
        let Claim { session, attempt } = self.claim(name);
        let container = self.get(name).id;
        self.apply(Command::Started { container, attempt, session, started_at: "T1".to_owned() })
    }

    pub fn exit(&mut self, name: &str, code: i64) -> Reply {
        self.outcome(name, Outcome::Exited { code, witnessed: true, oom: false })
    }

    pub fn outcome(&mut self, name: &str, outcome: Outcome) -> Reply {
        let claim = self.claim(name);
        self.report(name, claim, outcome)
    }

    pub fn report(&mut self, name: &str, Claim { session, attempt }: Claim, outcome: Outcome) -> Reply {
        let container = self.get(name).id;
        let ran = !matches!(outcome, Outcome::NeverStarted { .. });
        let [started_at, finished_at] = ["T1", "T2"].map(|at| ran.then(|| at.to_owned()));
        self.apply(Command::Exited {
            container,
            attempt,
            session,
            outcome,
            started_at,
            finished_at,
            ran_ms: 5,
        })
    }

    pub fn decline(&mut self, name: &str, reason: Decline) -> Reply {
        let Claim { session, attempt } = self.claim(name);
        let container = self.get(name).id;
        self.apply(Command::Declined { container, attempt, session, reason })
    }

    pub fn stop(&mut self, name: &str) -> Reply {
        let (request, container) = (self.request(), self.get(name).id);
        self.apply(Command::Stop { request, container, kill: false, grace_s: None })
    }

    pub fn remove(&mut self, name: &str, force: bool) -> Reply {
        let (request, container) = (self.request(), self.get(name).id);
        self.apply(Command::Remove { request, container, force })
    }

    pub fn retry(&mut self, name: &str) -> Reply {
        let (request, container) = (self.request(), self.get(name).id);
        self.apply(Command::Retry { request, container })
    }

    /// As Docker's `create`.
    pub fn make_spec(&mut self, spec: Spec) -> Reply {
        let request = self.request();
        let containers = vec![NewContainer { id: id_of(&spec.name), spec, held: true }];
        self.apply(Command::Submit { request, pipeline: None, containers, missing: Missing::Wait })
    }

    pub fn make(&mut self, name: &str, waits: &[&str]) -> Reply {
        self.make_spec(spec(name, waits))
    }

    /// As Docker's `start`.
    pub fn launch(&mut self, name: &str) -> Reply {
        let (request, container) = (self.request(), self.get(name).id);
        self.apply(Command::Start { request, container, attached: false })
    }

    pub fn restart(&mut self, name: &str) -> Reply {
        let (request, container) = (self.request(), self.get(name).id);
        self.apply(Command::Restart { request, container, grace_s: None })
    }

    pub fn rename(&mut self, name: &str, to: &str) -> Reply {
        let (request, container) = (self.request(), self.get(name).id);
        self.apply(Command::Rename { request, container, name: to.to_owned() })
    }

    pub fn amend(&mut self, name: &str, needs: Needs) -> Reply {
        let (request, container) = (self.request(), self.get(name).id);
        let (create, restart) = ("{}".to_owned(), Restart::Always);
        self.apply(Command::Amend { request, container, create, needs, restart })
    }

    /// As `node drain`.
    pub fn drain(&mut self, node: NodeId, deadline_ms: Option<u64>) -> Reply {
        let request = self.request();
        self.apply(Command::Drain { request, node, deadline_ms })
    }

    /// As `node undrain`.
    pub fn undrain(&mut self, node: NodeId) -> Reply {
        let request = self.request();
        self.apply(Command::Undrain { request, node })
    }

    /// As `node rm`.
    pub fn remove_node(&mut self, node: NodeId, force: bool) -> Reply {
        let request = self.request();
        self.apply(Command::RemoveNode { request, node, force })
    }

    pub fn lose(&mut self, node: NodeId) -> Reply {
        let session = self.state.find_node(node).unwrap().session_id();
        self.apply(Command::NodeLost { session })
    }

    pub fn fire(&mut self, timer: Timer) -> Reply {
        self.apply(Command::TimerFired { timer })
    }

    /// Fires the one timer that is armed.
    pub fn fire_only(&mut self) -> (Timer, u64) {
        let timers: Vec<_> = self.state.timers().iter().map(|(timer, ms)| (*timer, *ms)).collect();
        let [(timer, ms)] = timers[..] else { panic!("not one timer: {timers:?}") };
        assert_eq!(self.fire(timer), Reply::Done);
        (timer, ms)
    }

    pub fn duty(&self, node: NodeId, name: &str) -> Option<Duty> {
        let all = owed(&self.state, node);
        all.into_iter().filter(|((id, _), _)| *id == id_of(name)).map(|(_, duty)| duty).next_back()
    }

    /// What each node lacks for a container that is ready, in the order of the nodes.
    pub fn lacks(&self, name: &str) -> Vec<String> {
        assert_eq!(self.word(name), "ready");
        why(&self.state, self.get(name).id).unwrap().nodes.into_iter().map(|(_, lacks)| lacks).collect()
    }

    /// What a node's engine has, made for whatever machine.
    pub fn images(&mut self, node: NodeId, images: &[&str]) -> Reply {
        self.images_for(node, "", images)
    }

    /// What a node's engine has, all made for one kind of machine.
    pub fn images_for(&mut self, node: NodeId, arch: &str, images: &[&str]) -> Reply {
        let session = self.state.find_node(node).unwrap().session_id();
        let image = |name: &&str| Image { name: (*name).to_owned(), arch: arch.to_owned() };
        let images = images.iter().map(image).collect();
        self.apply(Command::Images { session, images })
    }

    /// What the last entry did, in words, so that a story can say "and nothing else".
    pub fn said(&self) -> Vec<String> {
        self.changes.iter().map(say).collect()
    }

    pub fn finish(&mut self, name: &str) {
        self.start(name);
        self.exit(name, 0);
    }

    pub fn failed(&self, name: &str) -> (Option<i64>, Option<String>) {
        match &self.get(name).phase {
            Phase::Failed(failure) => (failure.code, failure.reason.clone()),
            other => panic!("{name} is {}", other.word()),
        }
    }
}

fn say(change: &Change) -> String {
    let name = change.container.as_ref().map_or("", |(_, name)| name.as_str());
    let on = change.node.as_deref().map(|node| format!(" on {node}")).unwrap_or_default();
    let what = match &change.what {
        What::Claimed(attempt) => format!("claimed as {attempt}"),
        What::Started(attempt) => format!("started as {attempt}"),
        What::AttemptEnded(attempt, _) => format!("attempt {attempt} ended"),
        What::Skipped(cause) => format!("skipped: {}", cause.join(" < ")),
        What::Failed(code, _) => {
            format!("failed {}", code.map_or_else(|| "without code".to_owned(), |c| c.to_string()))
        }
        What::Blocked(waits) => format!("blocked: {}", waits.join(", ")),
        other => format!("{other:?}").to_lowercase(),
    };
    format!("{name} {what}{on}")
}

pub fn rejection(reply: Reply) -> Rejection {
    match reply {
        Reply::Rejected(rejection) => rejection,
        other => panic!("not refused: {other:?}"),
    }
}
