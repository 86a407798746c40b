//! Several machines on one, through `deploy/testbed`: network namespaces with a Docker Engine and a pinode each.

mod acts;

use std::borrow::Cow;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::client::Client;
use crate::program::Program;
pub use crate::wait::await_true;
pub use acts::Process;

/// Longest wait for a cluster to be whole.
const WHOLE_WITHIN: Duration = Duration::from_secs(60);

/// Machines that end when this is dropped.
#[derive(Debug)]
pub struct Testbed {
    top: PathBuf,
    state: PathBuf,
    pinode: PathBuf,
    options: Options,
    _alone: File,
}

/// What a testbed is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Begins the names of its machines and its bridge; two testbeds at once need two.
    pub prefix: Cow<'static, str>,
    /// First three numbers of its addresses, for the same reason.
    pub subnet: Cow<'static, str>,
    /// Machines.
    pub nodes: usize,
    /// Machines beyond those: they have an engine, and no pinode until one is started, which then joins the others.
    pub spare: usize,
    /// The nodes' lease, where the default of 10 s is too long to wait for.
    pub lease_seconds: Option<f64>,
    /// Each pinode reads its wall clock through faketime.
    pub fake_time: bool,
    /// Leave everything running for a look.
    pub keep: bool,
}

impl Options {
    /// Three machines for the stories.
    pub const STORY: Options = Options::three("pnt", "10.77.64", Some(3.0));
    /// Three machines for a scenario.
    pub const SCENARIO: Options = Options::three("pnj", "10.77.96", None);

    /// Three plain machines.
    pub const fn three(prefix: &'static str, subnet: &'static str, lease_seconds: Option<f64>) -> Options {
        Options {
            prefix: Cow::Borrowed(prefix),
            subnet: Cow::Borrowed(subnet),
            nodes: 3,
            spare: 0,
            lease_seconds,
            fake_time: false,
            keep: false,
        }
    }
}

impl Testbed {
    /// Machines and engines, with the test image in each; no pinode yet. Waits for another testbed of this prefix to
    /// end, in this process or another.
    pub fn up(options: &Options, pinode: &Path) -> anyhow::Result<Testbed> {
        Testbed::up_with(options, pinode, "folder")
    }

    /// The same, where the shared folder is a GlusterFS volume with a brick on each machine.
    pub fn up_on_glusterfs(options: &Options, pinode: &Path) -> anyhow::Result<Testbed> {
        Testbed::up_with(options, pinode, "glusterfs")
    }

    fn up_with(options: &Options, pinode: &Path, shared: &str) -> anyhow::Result<Testbed> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("find the top folder")?.to_owned();
        let home =
            std::env::var_os("PINODE_TESTBED_DIR").map_or_else(|| PathBuf::from("/var/lib"), PathBuf::from);
        let state = home.join(format!("pinode-{}", options.prefix));
        let lock = state.with_extension("lock");
        fs::create_dir_all(&home).with_context(|| format!("make {}", home.display()))?;
        let alone = File::create(&lock).with_context(|| format!("make {}", lock.display()))?;
        alone.lock().with_context(|| format!("lock {}", lock.display()))?;
        let testbed =
            Testbed { top, state, pinode: pinode.to_owned(), options: options.clone(), _alone: alone };
        if testbed.state.join("testbed.conf").exists() {
            testbed.script(&["down"])?;
        }
        let nodes = (options.nodes + options.spare).to_string();
        testbed.script(&[
            "up",
            "--prefix",
            &options.prefix,
            "--subnet",
            &options.subnet,
            "--nodes",
            &nodes,
            "--shared",
            shared,
        ])?;
        testbed.image("busybox")?;
        Ok(testbed)
    }

    /// The same, with a pinode on each machine, until all are members and take work.
    pub fn whole(options: &Options, pinode: &Path) -> anyhow::Result<Testbed> {
        let testbed = Testbed::up(options, pinode)?;
        testbed.start_nodes()?;
        Ok(testbed)
    }

    /// A pinode on each machine where none runs, until all are members and take work.
    pub fn start_nodes(&self) -> anyhow::Result<()> {
        if self.options.spare == 0 {
            self.script(&["nodes"])?;
        } else {
            self.all().try_for_each(|k| self.start_node(k))?;
        }
        self.await_whole()
    }

    /// Puts an image into every engine: `busybox` or `build` (the film image).
    pub fn image(&self, script: &str) -> anyhow::Result<()> {
        let mut command = Command::new(self.top.join("deploy/images").join(script));
        for k in self.all().chain(self.spare()) {
            command.arg("-H").arg(self.engine(k));
        }
        run(&mut command).map(drop)
    }

    /// Installs a program of this host where it is missing.
    pub fn need(&self, program: &str) -> anyhow::Result<()> {
        let script = ". \"$0/say.sh\"; . \"$0/packages.sh\"; need \"$1\"";
        run(Command::new("bash").args(["-c", script]).arg(self.top.join("deploy/lib")).arg(program)).map(drop)
    }

    /// Until every node sees every node as up, and one leads.
    pub fn await_whole(&self) -> anyhow::Result<()> {
        self.all().try_for_each(|k| self.await_up(k, &self.all().collect::<Vec<_>>()))
    }

    /// Until node `k` sees the nodes `others` as up.
    pub fn await_up(&self, k: usize, others: &[usize]) -> anyhow::Result<()> {
        let names: Vec<String> = others.iter().map(|k| name(*k)).collect();
        let all_up = || {
            let Ok(answer) = self.client(k).get("/api/v1/nodes") else { return false };
            let up = |name: &&String| {
                let nodes = answer.body.as_array();
                nodes.into_iter().flatten().any(|node| node["name"] == **name && node["state"] == "up")
            };
            names.iter().filter(up).count() == names.len()
        };
        await_true(WHOLE_WITHIN, all_up).with_context(|| format!("{} sees {} up", name(k), names.join(", ")))
    }

    /// 1 to the number of machines.
    pub fn all(&self) -> impl Iterator<Item = usize> + use<> {
        1..=self.options.nodes
    }

    /// The numbers of the machines beyond those.
    pub fn spare(&self) -> impl Iterator<Item = usize> + use<> {
        self.options.nodes + 1..=self.options.nodes + self.options.spare
    }

    /// What it is made of.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The stock `docker` command, talking to node `k` as if it were an engine.
    pub fn face(&self, k: usize) -> Program {
        Program::of_docker("docker", &self.face_host(k))
    }

    /// The address of node `k` for `docker -H`.
    pub fn face_host(&self, k: usize) -> String {
        self.url(k).replace("http://", "tcp://")
    }

    /// A client of node `k` alone.
    pub fn client(&self, k: usize) -> Client {
        Client::new(&self.url(k))
    }

    /// The `pinode` command, talking to these nodes in this order.
    pub fn program(&self, nodes: &[usize]) -> Program {
        let hosts: Vec<String> = nodes.iter().map(|k| self.url(*k)).collect();
        Program::new(&self.pinode, &hosts.join(","))
    }

    /// Where node `k` answers people.
    pub fn url(&self, k: usize) -> String {
        format!("http://{}:7373", self.address(k))
    }

    /// Where machine `k` is in the network.
    pub fn address(&self, k: usize) -> String {
        format!("{}.{k}", self.options.subnet)
    }

    /// The network namespace of machine `k`.
    pub fn namespace(&self, k: usize) -> String {
        format!("{}{k}", self.options.prefix)
    }

    /// The engine of machine `k`, as DOCKER_HOST.
    pub fn engine(&self, k: usize) -> String {
        format!("unix://{}", self.engine_socket(k).display())
    }

    /// Where the engine of machine `k` listens.
    pub fn engine_socket(&self, k: usize) -> PathBuf {
        self.machine(k).join("docker.sock")
    }

    /// The `docker` command on the engine of machine `k`; what it prints.
    pub fn docker(&self, k: usize, args: &[&str]) -> anyhow::Result<String> {
        run(Command::new("docker").arg("-H").arg(self.engine(k)).args(args))
    }

    /// The top of the sources, with `deploy` in it.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// All files of the testbed; what is put here goes with it.
    pub fn folder(&self) -> &Path {
        &self.state
    }

    /// The folder of machine `k`: sockets and logs.
    pub fn machine(&self, k: usize) -> PathBuf {
        self.state.join(name(k))
    }

    /// What the node `k` must not forget.
    pub fn data_dir(&self, k: usize) -> PathBuf {
        self.machine(k).join("pinode")
    }

    /// The folder that all nodes share. On a volume, only the machines see into it.
    pub fn shared_dir(&self) -> PathBuf {
        self.state.join("shared")
    }

    /// What the pinode of machine `k` has said.
    pub fn log(&self, k: usize) -> String {
        fs::read_to_string(self.machine(k).join("pinode.log")).unwrap_or_default()
    }

    /// The process id of the pinode of machine `k`.
    pub fn pid(&self, k: usize) -> anyhow::Result<u32> {
        Ok(self.script(&["pid", &k.to_string()])?.trim().parse()?)
    }

    fn script(&self, args: &[&str]) -> anyhow::Result<String> {
        run(self.command().args(args).arg("--state").arg(&self.state))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.top.join("deploy/testbed"));
        command.env("PINODE", &self.pinode);
        command.env("PINODE_FOUNDERS", self.options.nodes.to_string());
        if let Some(seconds) = self.options.lease_seconds {
            command.env("PINODE_LEASE_SECONDS", seconds.to_string());
        }
        if self.options.fake_time {
            command.env("PINODE_FAKETIME", "1");
        }
        command
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        if self.options.keep {
            let (down, state) = (self.top.join("deploy/testbed"), self.state.display());
            eprintln!("the testbed goes on; {} down --state {state} ends it", down.display());
            return;
        }
        if let Err(error) = self.script(&["down"]) {
            eprintln!("take the testbed down: {error:#}");
        }
    }
}

/// The name of node `k`.
pub fn name(k: usize) -> String {
    format!("n{k}")
}

/// The number of the node called `name`.
pub fn number(name: &str) -> anyhow::Result<usize> {
    let digits = name.strip_prefix('n').with_context(|| format!("`{name}` is no node of a testbed"))?;
    Ok(digits.parse()?)
}

/// Runs a command to its end. Ctrl-C is not for it: a script that ends half-way leaves half a machine.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.process_group(0).output().with_context(|| format!("run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
