//! One validated configuration from flags, environment and file; flags win over environment, environment over file.

mod address;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{JoinArgs, LogFormat, StrategyName};
use crate::docker_api::{ANNOUNCED, OLDEST, Version};
use crate::liveness::Timing;

/// Leases, in seconds: a shorter one is lost to a busy disk, a longer one keeps work of a dead node from going on.
const LEASE_SECONDS: std::ops::RangeInclusive<f64> = 0.5..=3_600.0;

/// How long a node that leaves is waited for, where nobody says otherwise; and at most, because nothing of it is claimed
/// elsewhere before.
const AWAY: Duration = Duration::from_secs(300);
const AWAY_MAX: Duration = Duration::from_secs(86_400);
/// The engine of a machine that has one, and where its process id is.
const DEFAULT_ENGINE: &str = "unix:///var/run/docker.sock";
const DEFAULT_ENGINE_PID: &str = "/var/run/docker.pid";

/// How a node is to be.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// Where people reach it.
    pub listen: String,
    /// Where nodes reach it.
    pub peer_listen: String,
    /// What people are told.
    pub advertise: String,
    /// What nodes are told.
    pub peer_advertise: String,
    /// The first nodes, itself perhaps among them.
    pub peers: BTreeSet<String>,
    /// What it must not forget.
    pub data_dir: PathBuf,
    /// Its engine.
    pub docker_host: String,
    /// What all nodes share.
    pub shared_dir: PathBuf,
    /// Encodes films.
    pub film_image: String,
    /// Given labels.
    pub labels: BTreeMap<String, String>,
    /// For local people; none where the folder cannot be ours.
    pub socket: Option<PathBuf>,
    /// So long its containers go on without it when it leaves.
    pub away: Duration,
    /// Its containers end when it leaves.
    pub stop_containers: bool,
    /// The file with the engine's process id, where the engine may be killed.
    pub fence_engine: Option<PathBuf>,
    /// The machine's watchdog.
    pub watchdog: Option<PathBuf>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
    /// Leases.
    pub timing: Timing,
    /// How nodes are ranked.
    pub strategy: StrategyName,
    /// What the Docker API announces.
    pub docker_api_version: Version,
}

/// Why a node cannot be so.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read {}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file says what it must not.
    #[error("{}, line {line}: {why}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A value.
    #[error("--{flag} {value}: {why}")]
    Bad {
        /// Which flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What is wrong, and the way out.
        why: String,
    },
}

impl ConfigError {
    fn bad(flag: &'static str, value: &str, why: impl Into<String>) -> ConfigError {
        ConfigError::Bad { flag, value: value.to_owned(), why: why.into() }
    }
}

impl Config {
    /// From what was given.
    pub fn load(args: JoinArgs) -> Result<Config, ConfigError> {
        let file = file::read(args.config.as_deref())?;
        let root = rustix::process::geteuid().is_root();
        let data_dir = data_dir(args.data_dir.or(file.data_dir));
        let data_dir = absolute("data-dir", &data_dir)?;
        let shared_dir = args.shared_dir.or(file.shared_dir).unwrap_or_else(|| data_dir.join("shared"));
        let addresses = address::Asked {
            listen: args.listen.or(file.listen).unwrap_or_else(|| "127.0.0.1:7373".to_owned()),
            peer_listen: args.peer_listen.or(file.peer_listen).unwrap_or_else(|| "127.0.0.1:7374".to_owned()),
            advertise: args.advertise.or(file.advertise),
            peer_advertise: args.peer_advertise.or(file.peer_advertise),
            peers: args.peers.or(file.peers).unwrap_or_default(),
            insecure: args.insecure || file.insecure,
        };
        let addresses = addresses.settle(&address::ThisMachine)?;
        let docker_host = args.docker_host.or(file.docker_host).unwrap_or_else(|| DEFAULT_ENGINE.to_owned());
        let label = if args.label.is_empty() { file.label } else { args.label };
        Ok(Config {
            name: check_name(args.name.or(file.name).unwrap_or_else(host_name))?,
            listen: addresses.listen,
            peer_listen: addresses.peer_listen,
            advertise: addresses.advertise,
            peer_advertise: addresses.peer_advertise,
            peers: addresses.peers,
            fence_engine: match args.fence_engine.or(file.fence_engine) {
                Some(path) => Some(path).filter(|path| path != Path::new("none")),
                None => (root && docker_host == DEFAULT_ENGINE).then(|| PathBuf::from(DEFAULT_ENGINE_PID)),
            },
            watchdog: args.watchdog.or(file.watchdog),
            away: args.away.or(file.away).map_or(Ok(AWAY), |text| away(&text))?,
            docker_host,
            shared_dir: check_shared_dir(&shared_dir)?,
            film_image: args.film_image.or(file.film_image).unwrap_or_else(|| "pinode/film:local".to_owned()),
            labels: label.iter().map(|label| pair(label)).collect::<Result<_, _>>()?,
            socket: args.socket.or(file.socket).or_else(|| root.then(|| PathBuf::from(DEFAULT_SOCKET))),
            stop_containers: args.stop_containers || file.stop_containers,
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            log: args.log.or(file.log).unwrap_or_else(|| "info,openraft=warn".to_owned()),
            timing: args.lease_seconds.or(file.lease_seconds).map_or(Ok(Timing::DEFAULT), timing)?,
            strategy: args.strategy.or(file.strategy).unwrap_or_default(),
            docker_api_version: match args.docker_api_version.or(file.docker_api_version) {
                Some(text) => docker_api_version(&text)?,
                None => ANNOUNCED,
            },
            data_dir,
        })
    }
}

/// Where local people find a node that root started.
pub const DEFAULT_SOCKET: &str = "/run/pinode/pinode.sock";

/// The folder of a node: the given one, or where `join` would look.
pub fn data_dir(given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(default_data_dir)
}

fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/pinode");
    }
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let state = var("XDG_STATE_HOME").or_else(|| var("HOME").map(|home| home.join(".local/state")));
    state.unwrap_or_else(|| PathBuf::from(".")).join("pinode")
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn check_name(name: String) -> Result<String, ConfigError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(fine) && name.len() <= 63 {
        return Ok(name);
    }
    Err(ConfigError::bad(
        "name",
        &name,
        "a node's name has 1 to 63 letters, digits, and _ . - after the first",
    ))
}

fn docker_api_version(text: &str) -> Result<Version, ConfigError> {
    let bad = |why: String| ConfigError::bad("docker-api-version", text, why);
    let version: Version =
        text.parse().map_err(|error: crate::docker_api::NoVersion| bad(error.to_string()))?;
    if version < OLDEST {
        return Err(bad(format!("older than {OLDEST}, which is the oldest that is served")));
    }
    Ok(version)
}

fn away(text: &str) -> Result<Duration, ConfigError> {
    let ms = pinode_scheduler::duration::parse_ms(text)
        .map_err(|error| ConfigError::bad("away", text, error.to_string()))?;
    let away = Duration::from_millis(ms);
    if away > AWAY_MAX {
        return Err(ConfigError::bad(
            "away",
            text,
            "nothing of this node is claimed elsewhere for so long; at most 24h",
        ));
    }
    Ok(away)
}

fn timing(lease_seconds: f64) -> Result<Timing, ConfigError> {
    if LEASE_SECONDS.contains(&lease_seconds) {
        return Ok(Timing::scaled(Duration::from_secs_f64(lease_seconds)));
    }
    let why = format!("a lease has {} to {} seconds", LEASE_SECONDS.start(), LEASE_SECONDS.end());
    Err(ConfigError::bad("lease-seconds", &lease_seconds.to_string(), why))
}

/// The engine is told of folders in it, and does not know where this process was started.
fn absolute(flag: &'static str, path: &Path) -> Result<PathBuf, ConfigError> {
    std::path::absolute(path)
        .map_err(|error| ConfigError::bad(flag, &path.display().to_string(), error.to_string()))
}

fn check_shared_dir(path: &Path) -> Result<PathBuf, ConfigError> {
    let path = absolute("shared-dir", path)?;
    match path.to_str() {
        Some(text) if !text.contains(':') => Ok(path),
        Some(_) | None => {
            let why = "Docker can mount no folder whose path has a colon or is no UTF-8; choose another";
            Err(ConfigError::bad("shared-dir", &path.display().to_string(), why))
        }
    }
}

fn pair(label: &str) -> Result<(String, String), ConfigError> {
    let pair = label.split_once('=').filter(|(key, _)| !key.is_empty());
    pair.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| ConfigError::bad("label", label, "write it as KEY=VALUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> JoinArgs {
        JoinArgs { name: Some("n1".to_owned()), ..JoinArgs::default() }
    }

    fn refusal(args: JoinArgs) -> String {
        Config::load(args).unwrap_err().to_string()
    }

    #[test]
    fn a_name_that_docker_would_refuse_is_refused() {
        let bad = JoinArgs { name: Some("my pi".to_owned()), ..args() };
        assert!(refusal(bad).contains("a node's name"));
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "name = \"file\"\nlisten = \"127.0.0.1:9\"\n").unwrap();
        let loaded = Config::load(JoinArgs { config: Some(file.path().to_owned()), ..args() }).unwrap();
        assert_eq!((loaded.name.as_str(), loaded.listen.as_str()), ("n1", "127.0.0.1:9"));
    }

    #[test]
    fn a_relative_shared_folder_is_absolute_for_the_engine() {
        let loaded = Config::load(JoinArgs { shared_dir: Some("films".into()), ..args() }).unwrap();
        assert_eq!(loaded.shared_dir, std::env::current_dir().unwrap().join("films"));
    }

    #[test]
    fn a_shared_folder_that_docker_cannot_mount_is_refused() {
        let bad = JoinArgs { shared_dir: Some("/srv/a:b".into()), ..args() };
        assert!(refusal(bad).contains("--shared-dir /srv/a:b"));
    }

    #[test]
    fn a_lease_that_is_no_number_of_seconds_is_refused() {
        for seconds in [0.0, -1.0, 1e300, f64::INFINITY, f64::NAN] {
            let bad = JoinArgs { lease_seconds: Some(seconds), ..args() };
            assert!(refusal(bad).contains("--lease-seconds"), "{seconds}");
        }
    }

    #[test]
    fn a_node_is_away_for_five_minutes_or_as_long_as_it_is_told() {
        let away = |text: Option<&str>| {
            Config::load(JoinArgs { away: text.map(str::to_owned), ..args() }).unwrap().away
        };
        assert_eq!((away(None), away(Some("90s"))), (AWAY, Duration::from_secs(90)));
        for text in ["soon", "25h"] {
            assert!(refusal(JoinArgs { away: Some(text.to_owned()), ..args() }).contains("--away"), "{text}");
        }
    }

    #[test]
    fn an_engine_is_killed_only_where_it_is_known_which_process_it_is() {
        let fences = |fence: Option<&str>| {
            let fence_engine = fence.map(PathBuf::from);
            let docker_host = Some("unix:///x/docker.sock".to_owned());
            Config::load(JoinArgs { fence_engine, docker_host, ..args() }).unwrap().fence_engine
        };
        assert_eq!((fences(None), fences(Some("none"))), (None, None));
        assert_eq!(fences(Some("/x/pid")), Some(PathBuf::from("/x/pid")));
    }

    #[test]
    fn a_label_has_a_key() {
        for label in ["room", "=attic"] {
            let bad = JoinArgs { label: vec![label.to_owned()], ..args() };
            assert!(refusal(bad).contains("KEY=VALUE"), "{label}");
        }
    }
}
