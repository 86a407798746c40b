//! One validated configuration from flags, environment and file; flags win over environment, environment over file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;

use crate::cli::{JoinArgs, LogFormat};
use crate::liveness::Timing;

/// Read when `--config` is not given, if it is there.
const DEFAULT_FILE: &str = "/etc/pinode/pinode.toml";

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
    /// Its containers end when it leaves.
    pub stop_containers: bool,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
    /// Leases.
    pub timing: Timing,
}

/// Why a node cannot be so.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("read the configuration: {0}")]
    File(#[from] Box<figment::Error>),
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

/// The same names as the flags, in TOML.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    name: Option<String>,
    listen: Option<String>,
    peer_listen: Option<String>,
    advertise: Option<String>,
    peer_advertise: Option<String>,
    peers: Option<Vec<String>>,
    data_dir: Option<PathBuf>,
    docker_host: Option<String>,
    shared_dir: Option<PathBuf>,
    film_image: Option<String>,
    label: Vec<String>,
    socket: Option<PathBuf>,
    insecure: bool,
    stop_containers: bool,
    log_format: Option<LogFormat>,
    log: Option<String>,
    lease_seconds: Option<f64>,
}

impl Config {
    /// From what was given.
    pub fn load(args: JoinArgs) -> Result<Config, ConfigError> {
        let file = read(args.config.as_deref())?;
        let root = rustix::process::geteuid().is_root();
        let data_dir = args.data_dir.or(file.data_dir).unwrap_or_else(|| default_data_dir(root));
        let listen = args.listen.or(file.listen).unwrap_or_else(|| "127.0.0.1:7373".to_owned());
        let peer_listen =
            args.peer_listen.or(file.peer_listen).unwrap_or_else(|| "127.0.0.1:7374".to_owned());
        let peers: BTreeSet<String> = args.peers.or(file.peers).unwrap_or_default().into_iter().collect();
        let insecure = args.insecure || file.insecure;
        let bound = |flag, value: &str| check_listen(flag, value, insecure);
        bound("listen", &listen)?;
        let peer_socket = bound("peer-listen", &peer_listen)?;
        check_peers(&peers, peer_socket)?;
        let label = if args.label.is_empty() { file.label } else { args.label };
        let lease = args.lease_seconds.or(file.lease_seconds);
        let shared_dir = args.shared_dir.or(file.shared_dir).unwrap_or_else(|| data_dir.join("shared"));
        Ok(Config {
            name: check_name(args.name.or(file.name).unwrap_or_else(host_name))?,
            advertise: advertised(args.advertise.or(file.advertise), &listen, &peers),
            peer_advertise: advertised(args.peer_advertise.or(file.peer_advertise), &peer_listen, &peers),
            listen,
            peer_listen,
            peers,
            docker_host: args
                .docker_host
                .or(file.docker_host)
                .unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned()),
            shared_dir,
            film_image: args.film_image.or(file.film_image).unwrap_or_else(|| "pinode/film:local".to_owned()),
            labels: label.iter().map(|label| pair(label)).collect::<Result<_, _>>()?,
            socket: args.socket.or(file.socket).or_else(|| root.then(|| PathBuf::from(DEFAULT_SOCKET))),
            stop_containers: args.stop_containers || file.stop_containers,
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            log: args.log.or(file.log).unwrap_or_else(|| "info,openraft=warn".to_owned()),
            timing: lease
                .map_or(Timing::DEFAULT, |seconds| Timing::scaled(Duration::from_secs_f64(seconds.max(0.5)))),
            data_dir,
        })
    }
}

/// Where local people find a node that root started.
pub const DEFAULT_SOCKET: &str = "/run/pinode/pinode.sock";

fn read(given: Option<&Path>) -> Result<File, ConfigError> {
    let figment = match given {
        Some(path) => Figment::from(Toml::file_exact(path)),
        None => Figment::from(Toml::file_exact(DEFAULT_FILE)),
    };
    if given.is_none() && !Path::new(DEFAULT_FILE).exists() {
        return Ok(File::default());
    }
    figment.extract().map_err(|error| Box::new(error).into())
}

fn default_data_dir(root: bool) -> PathBuf {
    if root {
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
    let why = "a node's name has 1 to 63 letters, digits, and _ . - after the first".to_owned();
    Err(ConfigError::Bad { flag: "name", value: name, why })
}

fn check_listen(flag: &'static str, value: &str, insecure: bool) -> Result<SocketAddr, ConfigError> {
    let bad = |why: String| ConfigError::Bad { flag, value: value.to_owned(), why };
    let addr = value
        .to_socket_addrs()
        .map_err(|error| bad(format!("is no ADDRESS:PORT of this machine ({error})")))?
        .next();
    let addr = addr.ok_or_else(|| bad("names no address".to_owned()))?;
    if !addr.ip().is_loopback() && !insecure {
        return Err(bad("anybody who reaches it would own this machine, and keys are not built yet: \
                        use a loopback address, or say --insecure on a network that you trust"
            .to_owned()));
    }
    Ok(addr)
}

fn check_peers(peers: &BTreeSet<String>, own: SocketAddr) -> Result<(), ConfigError> {
    for peer in peers {
        let bad = |why: &str| ConfigError::Bad { flag: "peers", value: peer.clone(), why: why.to_owned() };
        let (host, port) =
            peer.rsplit_once(':').ok_or_else(|| bad("write it as HOST:PORT, for example pi2:7374"))?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(bad("write it as HOST:PORT, for example pi2:7374"));
        }
        let remote = host.parse::<std::net::IpAddr>().map_or(host != "localhost", |ip| !ip.is_loopback());
        if remote && own.ip().is_loopback() {
            return Err(bad(
                "it is another machine and could not reach this one on its loopback --peer-listen",
            ));
        }
    }
    Ok(())
}

/// `0.0.0.0` is no address that others could use: the address of the route to the first peer is.
fn advertised(given: Option<String>, listen: &str, peers: &BTreeSet<String>) -> String {
    let wildcard =
        listen.to_socket_addrs().ok().and_then(|mut all| all.next()).filter(|a| a.ip().is_unspecified());
    match (given, wildcard) {
        (Some(given), _) => given,
        (None, None) => listen.to_owned(),
        (None, Some(wildcard)) => {
            let route = peers.iter().find_map(|peer| {
                let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
                socket.connect(peer).ok()?;
                Some(socket.local_addr().ok()?.ip())
            });
            route.map_or_else(|| listen.to_owned(), |ip| SocketAddr::new(ip, wildcard.port()).to_string())
        }
    }
}

fn pair(label: &str) -> Result<(String, String), ConfigError> {
    let bad = || ConfigError::Bad {
        flag: "label",
        value: label.to_owned(),
        why: "write it as KEY=VALUE".to_owned(),
    };
    label.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(listen: &str, peers: &[&str]) -> JoinArgs {
        JoinArgs {
            name: Some("n1".to_owned()),
            peer_listen: Some(listen.to_owned()),
            peers: Some(peers.iter().map(|peer| (*peer).to_owned()).collect()),
            ..JoinArgs::default()
        }
    }

    fn refusal(args: JoinArgs) -> String {
        Config::load(args).unwrap_err().to_string()
    }

    #[test]
    fn an_open_port_without_keys_is_refused_unless_it_is_meant() {
        assert!(refusal(args("0.0.0.0:7374", &[])).contains("--insecure"));
        assert!(Config::load(JoinArgs { insecure: true, ..args("0.0.0.0:7374", &[]) }).is_ok());
    }

    #[test]
    fn a_loopback_peer_port_with_remote_peers_is_refused() {
        assert!(refusal(args("127.0.0.1:7374", &["10.0.0.2:7374"])).contains("could not reach this one"));
    }

    #[test]
    fn peers_are_host_and_port() {
        assert!(refusal(args("127.0.0.1:7374", &["127.0.0.1"])).contains("HOST:PORT"));
    }

    #[test]
    fn a_name_that_docker_would_refuse_is_refused() {
        let bad = JoinArgs { name: Some("my pi".to_owned()), ..args("127.0.0.1:7374", &[]) };
        assert!(refusal(bad).contains("a node's name"));
    }

    #[test]
    fn an_unknown_name_in_the_file_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "nmae = \"n1\"\n").unwrap();
        let config = Some(file.path().to_owned());
        assert!(refusal(JoinArgs { config, ..JoinArgs::default() }).contains("nmae"));
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "name = \"file\"\nlisten = \"127.0.0.1:9\"\n").unwrap();
        let loaded =
            Config::load(JoinArgs { config: Some(file.path().to_owned()), ..args("127.0.0.1:7374", &[]) });
        let loaded = loaded.unwrap();
        assert_eq!((loaded.name.as_str(), loaded.listen.as_str()), ("n1", "127.0.0.1:9"));
    }
}
