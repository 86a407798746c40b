//! A film is encoded beside small chains, and one of the nodes that encode it loses its power. The others must finish
//! everything that was accepted, and the node that comes back must agree with them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::survivors::Survivors;
use super::{Setting, begin};
use crate::history::{AT_THE_END, EngineRun, FaultKind, FaultOutcome, Film, History, Probed};
use crate::nemesis::{Ground, Harm, power};
use crate::node::Node;
use crate::progress::Progress;
use crate::random::Random;
use crate::testbed::await_true;
use crate::witness::Witness;
use crate::workload::client::{Clients, Sender};
use crate::workload::{film, mix, payload};
use crate::{Testbed, interrupt, media, moment};

/// Shapes of the workload beside the film.
const SHAPES: usize = 8;
/// An encoder that has run for so long is in the midst of its part.
const ENCODES_NS: u64 = 1_000_000_000;
/// Longest wait for such an encoder.
const OCCASION: Duration = Duration::from_secs(180);
/// Longest wait for a node that came back to agree with the others.
const AGREES: Duration = Duration::from_secs(60);

/// What is special about it.
#[derive(Clone, Debug, Default)]
pub struct Reel {
    /// The film; one is made where none is given.
    pub video: Option<PathBuf>,
    /// Parts to cut it into.
    pub parts: u32,
}

/// Does all of it. An error is the harness's own failure; what pinode does wrong is in the history.
pub fn run(setting: &Setting, reel: &Reel, pinode: &Path) -> anyhow::Result<History> {
    let mut run = Run::begin(setting, reel, pinode)?;
    run.send_film(reel)?;
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
    cut: Option<(Harm, Node)>,
    clients: Clients,
    witness: Witness,
    // Last, so that who looks at the machines has ended when they go.
    ground: Ground,
}

impl Run {
    fn begin(setting: &Setting, reel: &Reel, pinode: &Path) -> anyhow::Result<Run> {
        let progress = Progress::begin();
        let began_ns = moment::now();
        progress.step(&format!("film, seed {}: {}", setting.seed, setting.again));
        progress.step("starting machines, each with a Docker Engine and a pinode");
        let bed = Testbed::up(&setting.options, pinode)?;
        interrupt::check()?;
        bed.image("build")?;
        interrupt::check()?;
        let film = reel.video.clone().unwrap_or_else(|| bed.folder().join("film.mp4"));
        if reel.video.is_none() {
            progress.step("making a film");
            media::make(bed.top(), &film)?;
        }
        bed.start_nodes()?;
        let ground = Ground::new(bed);
        let nodes = ground.nodes.clone();
        let history = begin("film", setting, began_ns, &nodes);
        let random = Random::new(setting.seed);
        let stories = mix::small(&mut random.fork(1), SHAPES);
        let witness = Witness::begin(&nodes);
        let clients = Clients::begin(&nodes, stories, witness.busy(), &random.fork(2));
        let (sent, occasion, cut) = (None, None, None);
        Ok(Run { progress, history, random, nodes, film, sent, occasion, cut, clients, witness, ground })
    }

    fn send_film(&mut self, reel: &Reel) -> anyhow::Result<()> {
        self.progress
            .step(&format!("sending the film in {} parts, and {SHAPES} small stories beside it", reel.parts));
        let mut sender = Sender::new(&self.nodes, self.random.fork(3));
        let (operation, sent) = film::send(&mut sender, &self.film, reel.parts);
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
            let why = "the film was over before an encoder had run for a second";
            self.history.faults.push(Harm::skipped(FaultKind::Cut, why).fault);
            return Ok(Survivors::new(self.nodes.clone()));
        };
        let (victims, others): (Vec<Node>, Vec<Node>) =
            self.nodes.iter().cloned().partition(|node| node.name == occasion.node);
        let victim =
            victims.into_iter().next().with_context(|| format!("find the node {}", occasion.node))?;
        let why = format!("it ran {}, attempt {}", occasion.name, occasion.attempt);
        let harm = power::cut(&self.ground, victim.number, &why);
        self.progress.step(&format!("cut the power of {}: {}", victim.name, harm.fault.note));
        // Harm that was perhaps done proves nothing.
        ensure!(
            harm.fault.outcome == FaultOutcome::Installed,
            "the power of {}: {}",
            victim.name,
            harm.fault.note
        );
        let survivors = Survivors::new(others);
        survivors.look("right after the cut", &mut self.history)?;
        if survivors.await_lost(&victim)? {
            self.progress.step(&format!("the others have given {} up", victim.name));
        } else {
            self.progress.step(&format!("the others have not given {} up", victim.name));
        }
        survivors.look("when the survivors had settled", &mut self.history)?;
        self.cut = Some((harm, victim));
        Ok(survivors)
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
        let (stands, result) = survivors.result(&sent.id, &self.ground.bed.folder().join("result.mp4"))?;
        self.progress.step(&format!("the film has {}: {}", stands.state, frames(&source, result.as_ref())));
        let (id, pipeline) = (sent.id, sent.pipeline);
        let film::Stands { state, error } = stands;
        self.history.film = Some(Film { id, pipeline, state, error, source, result });
        Ok(())
    }

    /// The power comes back; the engine is looked at before a pinode tidies it up.
    fn bring_back(&mut self) -> anyhow::Result<()> {
        let Some((mut harm, victim)) = self.cut.take() else { return Ok(()) };
        harm.heal(&self.ground)?;
        self.history.faults.push(harm.fault);
        self.progress.step(&format!("gave {} its power back", victim.name));
        self.witness.look(&victim)?;
        // A node that does not come back is no failure of the harness: the judges miss it in the last looks.
        self.ground.let_up(victim.number);
        Ok(())
    }

    /// When all nodes agree, or after a while in any case: what they show, and what engines and programs have left.
    fn last_looks(mut self) -> anyhow::Result<History> {
        let all = Survivors::new(self.nodes.clone());
        self.progress.step(&all.await_agreement(AGREES)?);
        all.look(AT_THE_END, &mut self.history)?;
        all.digests(AT_THE_END, &mut self.history)?;
        for node in &self.nodes {
            self.witness.look(node)?;
        }
        for (operation, jobs) in self.clients.asked()? {
            self.history.ask(operation, jobs);
        }
        self.history.records = payload::records(&self.ground.bed.shared_dir())?;
        self.witness.tell(&mut self.history);
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
