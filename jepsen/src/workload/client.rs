//! Sends requests to nodes at random, the same again under the same key until one answers, and notes what may be
//! believed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::story::{Request, Step, Story};
use crate::background::{Background, Stop};
use crate::history::{Job, Operation, Outcome, Try, Verb};
use crate::node::Node;
use crate::random::Random;
use crate::{Answer, Client, moment};

/// A request that no node has answered for so long stays unknown: twice what a cluster needs to give up a node.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Clients at once.
const CLIENTS: u64 = 4;
/// Shortest and longest pause between two stories of one client, in milliseconds.
const BETWEEN_MS: (u64, u64) = (100, 1_500);
/// With more containers than this under way, clients begin nothing new.
const BUSY_MAX: usize = 18;
/// Longest time until a pause that shall end does.
const NOTICE: Duration = Duration::from_millis(50);

/// Of so many requests, the containers are read: what was just written, removed, or not answered.
const LATELY: usize = 12;

/// One client.
#[derive(Clone, Debug)]
pub struct Sender {
    nodes: Vec<Node>,
    random: Random,
}

impl Sender {
    /// Of these nodes.
    pub fn new(nodes: &[Node], random: Random) -> Sender {
        Sender { nodes: nodes.to_vec(), random }
    }

    /// Sends until there is an answer. `send` gives one; `ids` reads the ids of what was accepted out of it.
    pub fn ask(
        &mut self,
        stop: &Stop,
        (what, key): (&str, &str),
        mut send: impl FnMut(&Client) -> anyhow::Result<Answer>,
        mut ids: impl FnMut(&Client, &Value) -> anyhow::Result<BTreeMap<String, String>>,
    ) -> Operation {
        let began = Instant::now();
        let mut tries: Vec<Try> = Vec::new();
        let mut outcome = Outcome::Unknown { why: "it was never sent".to_owned() };
        while let Some(node) = self.random.pick(&self.nodes) {
            let sent_ns = moment::now();
            let answer = send(&node.client);
            // Before the ids are read: from here on the client may believe.
            let answered_ns = moment::now();
            outcome = believed(answer, |body| ids(&node.client, body));
            tries.push(Try { node: node.name.clone(), sent_ns, answered_ns, outcome: outcome.clone() });
            let is_known = !matches!(outcome, Outcome::Unknown { .. });
            if is_known || began.elapsed() > PATIENCE || stop.is_wanted() {
                break;
            }
            stop.sleep(PAUSE);
        }
        Operation { what: what.to_owned(), verb: Verb::Submit, key: key.to_owned(), tries, outcome }
    }
}

fn believed(
    answer: anyhow::Result<Answer>,
    ids: impl FnOnce(&Value) -> anyhow::Result<BTreeMap<String, String>>,
) -> Outcome {
    let unknown = |why: String| Outcome::Unknown { why };
    match answer {
        Err(error) => unknown(format!("{error:#}")),
        Ok(answer) => match answer.status {
            200..300 => match ids(&answer.body) {
                Ok(ids) => Outcome::Accepted { ids },
                Err(error) => unknown(format!("answered with {}, and {error:#}", answer.status)),
            },
            // Too many requests is no judgement of this one.
            400..500 if answer.status != 429 => {
                Outcome::Refused { why: format!("{}: {}", answer.code(), answer.message()) }
            }
            status => unknown(format!("{status}: {}", answer.body)),
        },
    }
}

/// Ids of what was accepted, by full name: of a pipeline, or of one container.
fn accepted(body: &Value) -> anyhow::Result<BTreeMap<String, String>> {
    let one = |each: &Value| {
        let text = |field: &str| {
            each[field].as_str().map(str::to_owned).with_context(|| format!("it has no {field}"))
        };
        Ok((text("name")?, text("id")?))
    };
    match body["containers"].as_array() {
        Some(containers) => containers.iter().map(one).collect(),
        None => Ok(BTreeMap::from([one(body)?])),
    }
}

/// What was asked, and the containers in it.
type Asked = (Operation, BTreeMap<String, Job>);

/// Several clients that share stories.
#[derive(Debug)]
pub struct Clients {
    shared: Arc<Shared>,
    threads: Background,
}

#[derive(Debug, Default)]
struct Shared {
    stories: Mutex<VecDeque<(usize, Story)>>,
    asked: Mutex<Vec<Asked>>,
    begun: AtomicUsize,
    busy: Arc<AtomicUsize>,
    closed: AtomicBool,
}

impl Clients {
    /// Tells the stories, from now on. `busy` is how many containers have not ended: where machines are slow, fewer are
    /// asked for.
    pub fn begin(nodes: &[Node], stories: Vec<Story>, busy: Arc<AtomicUsize>, random: &Random) -> Clients {
        let stories = Mutex::new(stories.into_iter().enumerate().collect());
        let shared = Arc::new(Shared { stories, busy, ..Shared::default() });
        let mut threads = Background::default();
        for client in 0..CLIENTS {
            let mut random = random.fork(client + 1);
            let sender = Sender::new(nodes, random.fork(1));
            let shared = Arc::clone(&shared);
            threads.run(move |stop| {
                let mut sender = sender;
                while let Some((number, story)) = shared.next() {
                    shared.tell(&mut sender, stop, number, story);
                    shared.pause(stop, random.between(BETWEEN_MS.0, BETWEEN_MS.1));
                    while shared.busy.load(Ordering::Relaxed) > BUSY_MAX && !shared.is_closed() {
                        if stop.is_wanted() {
                            return;
                        }
                        stop.sleep(NOTICE);
                    }
                    if stop.is_wanted() {
                        return;
                    }
                }
            });
        }
        Clients { shared, threads }
    }

    /// No new story is begun any more; those that are begun are told to their end, without their pauses.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::Relaxed);
    }

    /// Whether everything was sent, and answered or given up.
    pub fn have_ended(&self) -> bool {
        self.threads.has_ended()
    }

    /// What was asked so far; once they have ended, all of it.
    pub fn asked(&self) -> anyhow::Result<Vec<Asked>> {
        let asked = lock(&self.shared.asked).clone();
        let begun = self.shared.begun.load(Ordering::Relaxed);
        anyhow::ensure!(
            !self.have_ended() || asked.len() == begun,
            "the clients began {begun} requests and brought {}: one of them broke, see its message above",
            asked.len()
        );
        Ok(asked)
    }
}

impl Shared {
    fn next(&self) -> Option<(usize, Story)> {
        if self.is_closed() { None } else { lock(&self.stories).pop_front() }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn pause(&self, stop: &Stop, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        while Instant::now() < until && !stop.is_wanted() && !self.is_closed() {
            stop.sleep(NOTICE);
        }
    }

    fn tell(&self, sender: &mut Sender, stop: &Stop, number: usize, story: Story) {
        for (place, step) in story.into_iter().enumerate() {
            match step {
                Step::Pause(ms) => self.pause(stop, ms),
                Step::Ask(_) if stop.is_wanted() => return,
                Step::Ask(request) => {
                    self.begun.fetch_add(1, Ordering::Relaxed);
                    let asked = ask(sender, stop, &format!("story{number}-{place}"), request);
                    lock(&self.asked).push(asked);
                    self.read_one(sender, stop);
                }
            }
        }
    }
}

impl Shared {
    /// Reads one of the containers that anybody has asked for lately, from any node.
    fn read_one(&self, sender: &mut Sender, stop: &Stop) {
        let lately: Vec<String> = {
            let asked = lock(&self.asked);
            asked.iter().rev().take(LATELY).flat_map(|(_, jobs)| jobs.keys().cloned()).collect()
        };
        let Some(name) = sender.random.pick(&lately).filter(|_| !stop.is_wanted()) else { return };
        self.begun.fetch_add(1, Ordering::Relaxed);
        let read = ask(sender, stop, "", Request::read(name));
        lock(&self.asked).push(read);
    }
}

fn ask(sender: &mut Sender, stop: &Stop, key: &str, request: Request) -> Asked {
    let Request { what, verb, path, body, jobs } = request;
    let send = |client: &Client| match &verb {
        Verb::Submit => client.post_as(key, &path, &body),
        Verb::Stop(_) => client.post_as(key, &path, &json!({})),
        Verb::Remove(_) => client.delete_as(key, &path),
        Verb::Look | Verb::Read(_) => client.get(&path),
    };
    let ids = |_: &Client, body: &Value| match &verb {
        Verb::Submit | Verb::Read(_) => accepted(body),
        Verb::Stop(_) | Verb::Remove(_) | Verb::Look => Ok(BTreeMap::new()),
    };
    let operation = sender.ask(stop, (&what, key), send, ids);
    (Operation { verb, ..operation }, jobs)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: Value) -> Outcome {
        believed(Ok(Answer { status, body }), accepted)
    }

    #[test]
    fn only_an_answer_that_says_so_is_an_acceptance_or_a_refusal() {
        let ids = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        assert_eq!(answer(201, json!({"name": "a", "id": "1"})), Outcome::Accepted { ids });
        let refused = answer(409, json!({"error": {"code": "cycle", "message": "a -> a"}}));
        assert_eq!(refused, Outcome::Refused { why: "cycle: a -> a".to_owned() });
        for (status, body) in
            [(503, json!({})), (429, json!({})), (500, json!("?")), (201, json!({"name": "a"}))]
        {
            assert!(matches!(answer(status, body), Outcome::Unknown { .. }));
        }
        let lost = believed(Err(anyhow::anyhow!("connection reset")), accepted);
        assert_eq!(lost, Outcome::Unknown { why: "connection reset".to_owned() });
    }

    #[test]
    fn a_pipeline_is_accepted_with_all_its_containers() {
        let body = json!({"id": "p", "name": "p", "containers": [{"name": "p.a", "id": "1"}, {"name": "p.b", "id": "2"}]});
        assert_eq!(accepted(&body).unwrap().len(), 2);
    }
}
