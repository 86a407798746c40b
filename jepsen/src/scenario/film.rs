//! A film is encoded beside small chains, and one of the nodes that encode it loses its power. The others must finish
//! everything that was accepted, and the node that comes back must agree with them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::survivors::Survivors;
use crate::history::{AT_THE_END, EngineRun, Fault, FaultOutcome, Film, History, Probed};
use crate::nemesis::cut;
use crate::node::Node;
use crate::progress::Progress;
use crate::random::Random;
use crate::testbed::{Options, await_true};
use crate::witness::Witness;
use crate::workload::client::{Clients, Sender};
use crate::workload::{chains, film, payload};
use crate::{Testbed, interrupt, media, moment};

/// Shapes of the workload beside the film.
const SHAPES: usize = 8;
/// An encoder that has run for so long is in the midst of its part.
const ENCODES_NS: u64 = 1_000_000_000;
/// Longest wait for such an encoder.
const OCCASION: Duration = Duration::from_secs(180);
/// Longest wait for a node that came back to agree with the others.
const AGREES: Duration = Duration::from_secs(60);

/// What a run is made from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// All choices follow from it.
    pub seed: u64,
    /// The line that runs it again.
    pub again: String,
    /// The film; one is made where none is given.
    pub video: Option<PathBuf>,
    /// Parts to cut it into.
    pub parts: u32,
    /// The nodes' lease, where it is not the default.
    pub lease_seconds: Option<f64>,
    /// Leave the machines running.
    pub keep: bool,
}

/// Does all of it. An error is the harness's own failure; what pinode does wrong is in the history.
pub fn run(plan: &Plan, pinode: &Path) -> anyhow::Result<History> {
    interrupt::listen()?;
    let mut run = Run::begin(plan, pinode)?;
    run.send_film(plan)?;
    run.await_occasion()?;
    let survivors = run.cut()?;
    run.await_end(&survivors)?;
    run.bring_back()?;
    run.last_looks()
}

struct Run {
    progress: Progress,
    history: History,
    random: Random,
    nodes: Vec<Node>,
    film: PathBuf,
    sent: Option<film::Sent>,
    occasion: Option<EngineRun>,
    cut: Option<Node>,
    clients: Clients,
    witness: Witness,
    // Last, so that who looks at the machines has ended when they go.
    bed: Testbed,
}

impl Run {
    fn begin(plan: &Plan, pinode: &Path) -> anyhow::Result<Run> {
        let progress = Progress::begin();
        let began_ns = moment::now();
        progress.step(&format!("seed {}: {}", plan.seed, plan.again));
        progress.step("starting 3 machines, each with a Docker Engine and a pinode");
        let options = Options { lease_seconds: plan.lease_seconds, keep: plan.keep, ..Options::SCENARIO };
        let bed = Testbed::up(&options, pinode)?;
        interrupt::check()?;
        bed.image("build")?;
        interrupt::check()?;
        let film = plan.video.clone().unwrap_or_else(|| bed.folder().join("film.mp4"));
        if plan.video.is_none() {
            progress.step("making a film");
            media::make(bed.top(), &film)?;
        }
        bed.start_nodes()?;
        let nodes = Node::all(&bed);
        let history = History {
            scenario: "film".to_owned(),
            seed: plan.seed,
            again: plan.again.clone(),
            began_ns,
            nodes: nodes.iter().map(|node| node.name.clone()).collect(),
            ..History::default()
        };
        let random = Random::new(plan.seed);
        let requests = chains::plan(&mut random.fork(1), SHAPES);
        let witness = Witness::begin(&nodes);
        let clients = Clients::begin(&nodes, &requests, &random.fork(2));
        let (sent, occasion, cut) = (None, None, None);
        Ok(Run { progress, history, random, nodes, film, sent, occasion, cut, clients, witness, bed })
    }

    fn send_film(&mut self, plan: &Plan) -> anyhow::Result<()> {
        self.progress
            .step(&format!("sending the film in {} parts, and {SHAPES} small shapes beside it", plan.parts));
        let mut sender = Sender::new(&self.nodes, self.random.fork(3));
        let (operation, sent) = film::send(&mut sender, &self.film, plan.parts);
        interrupt::check()?;
        let said = format!("{:?}", operation.outcome);
        let sent = sent.with_context(|| format!("no node took the film {}: {said}", self.film.display()))?;
        self.history.ask(operation, film::jobs(&sent));
        self.sent = Some(sent);
        Ok(())
    }

    fn sent(&self) -> anyhow::Result<&film::Sent> {
        self.sent.as_ref().context("the film was not sent")
    }

    /// Until an encoder has run for long enough; or until the film is over, and nobody can be cut any more.
    fn await_occasion(&mut self) -> anyhow::Result<()> {
        let encoder = format!("{}.encode", self.sent()?.pipeline);
        let id = self.sent()?.id.clone();
        let mut candidates = Vec::new();
        await_true(OCCASION, || {
            candidates = self.witness.runs();
            candidates.retain(|run| run.name.starts_with(&encoder) && has_run_for(run, ENCODES_NS));
            let stands = self.nodes.iter().find_map(|node| film::stands(node, &id).ok());
            !candidates.is_empty() || stands.is_some_and(|stands| stands.is_terminal())
        })
        .context("wait for an encoder of the film to run for a second")?;
        self.occasion = self.random.fork(4).pick(&candidates).cloned();
        Ok(())
    }

    /// Cuts the power where the occasion is, and looks at who is left, at once and when they have settled.
    fn cut(&mut self) -> anyhow::Result<Survivors> {
        let Some(occasion) = self.occasion.take() else {
            self.history
                .faults
                .push(cut::skipped("the film was over before an encoder had run for a second"));
            return Ok(Survivors::new(self.nodes.clone()));
        };
        let (victims, others): (Vec<Node>, Vec<Node>) =
            self.nodes.iter().cloned().partition(|node| node.name == occasion.node);
        let victim =
            victims.into_iter().next().with_context(|| format!("find the node {}", occasion.node))?;
        let fault = cut::cut(
            &self.bed,
            victim.number,
            &format!("it ran {}, attempt {}", occasion.name, occasion.attempt),
        );
        self.progress.step(&format!("cut the power of {}: {}", fault.node, fault.note));
        self.done(fault)?;
        let survivors = Survivors::new(others);
        survivors.look("right after the cut", &mut self.history)?;
        if survivors.await_lost(&victim)? {
            self.progress.step(&format!("the others have given {} up", victim.name));
        } else {
            self.progress.step(&format!("the others have not given {} up", victim.name));
        }
        survivors.look("when the survivors had settled", &mut self.history)?;
        self.cut = Some(victim);
        Ok(survivors)
    }

    /// Harm that was perhaps done proves nothing.
    fn done(&mut self, fault: Fault) -> anyhow::Result<()> {
        ensure!(
            fault.outcome == FaultOutcome::Installed,
            "{:?} of {}: {}",
            fault.what,
            fault.node,
            fault.note
        );
        self.history.faults.push(fault);
        Ok(())
    }

    fn await_end(&mut self, survivors: &Survivors) -> anyhow::Result<()> {
        let sent = self.sent()?.clone();
        if survivors.await_end(&self.clients, &sent.id)? {
            self.progress.step("everything has ended");
        } else {
            self.progress.step("not everything has ended");
        }
        survivors.look("when everything had ended", &mut self.history)?;
        let source = media::probe(&self.film)?;
        let (stands, result) = survivors.result(&sent.id, &self.bed.folder().join("result.mp4"))?;
        self.progress.step(&format!("the film has {}: {}", stands.state, frames(&source, result.as_ref())));
        let (id, pipeline) = (sent.id, sent.pipeline);
        let film::Stands { state, error } = stands;
        self.history.film = Some(Film { id, pipeline, state, error, source, result });
        Ok(())
    }

    /// The power comes back; the engine is looked at before a pinode tidies it up.
    fn bring_back(&mut self) -> anyhow::Result<()> {
        let Some(victim) = self.cut.take() else { return Ok(()) };
        let fault = cut::power(&self.bed, victim.number, "everything had ended without it");
        self.progress.step(&format!("gave {} its power back", victim.name));
        self.done(fault)?;
        self.witness.look(&victim)?;
        // A node that does not come back is no failure of the harness: the judges miss it in the last looks.
        if let Err(error) = self.bed.start_node(victim.number) {
            self.progress.step(&format!("{} does not come back: {error:#}", victim.name));
        }
        Ok(())
    }

    /// When all nodes agree, or after a while in any case: what they show, and what engines and programs have left.
    fn last_looks(mut self) -> anyhow::Result<History> {
        let all = Survivors::new(self.nodes.clone());
        if all.await_agreement(AGREES)? {
            self.progress.step("all nodes agree");
        } else {
            self.progress.step("the nodes do not agree");
        }
        all.look(AT_THE_END, &mut self.history)?;
        all.digests(AT_THE_END, &mut self.history)?;
        for node in &self.nodes {
            self.witness.look(node)?;
        }
        for (operation, jobs) in self.clients.asked()? {
            self.history.ask(operation, jobs);
        }
        self.history.records = payload::records(&self.bed.shared_dir())?;
        self.history.engine_runs = self.witness.runs();
        self.history.digests.extend(self.witness.digests());
        self.history.ended_ns = moment::now();
        Ok(self.history)
    }
}

fn has_run_for(run: &EngineRun, ns: u64) -> bool {
    let began = run.started_ns.iter().min();
    run.state == "running" && began.is_some_and(|began| moment::now().saturating_sub(*began) >= ns)
}

fn frames(source: &Probed, result: Option<&Probed>) -> String {
    let result = result.map_or_else(|| "no result".to_owned(), |result| format!("{} frames", result.frames));
    format!("{result} of {}", source.frames)
}
