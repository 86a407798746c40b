//! Addresses: where a node listens, whom it names, and what it tells others. What it tells must be reachable by those who
//! are told; what cannot be is refused here, where a flag mends it, and not by a cluster that never comes together.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use super::ConfigError;

/// Somewhere far away (addresses for documentation): the route there is the default route.
const FAR_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
const FAR_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9);

/// What a machine knows of names and routes.
pub(super) trait Machine {
    /// The addresses of a `HOST:PORT`.
    fn resolve(&self, host_port: &str) -> io::Result<Vec<SocketAddr>>;
    /// The address that something sent to `to` would come from; none without a route.
    fn source(&self, to: SocketAddr) -> Option<IpAddr>;
}

/// The machine this process runs on.
pub(super) struct ThisMachine;

impl Machine for ThisMachine {
    fn resolve(&self, host_port: &str) -> io::Result<Vec<SocketAddr>> {
        host_port.to_socket_addrs().map(Iterator::collect)
    }

    /// Connecting a datagram socket asks for the route and sends nothing.
    fn source(&self, to: SocketAddr) -> Option<IpAddr> {
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip())
    }
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) listen: String,
    pub(super) peer_listen: String,
    pub(super) advertise: Option<String>,
    pub(super) peer_advertise: Option<String>,
    /// In the order given.
    pub(super) peers: Vec<String>,
    pub(super) insecure: bool,
}

/// What it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) listen: String,
    pub(super) peer_listen: String,
    pub(super) advertise: String,
    pub(super) peer_advertise: String,
    pub(super) peers: BTreeSet<String>,
}

/// The other machines among the peers.
#[derive(Default)]
struct Remote {
    /// The first of them.
    first: Option<String>,
    /// Where they are, as far as their names resolve, in the order given.
    at: Vec<SocketAddr>,
}

impl Asked {
    pub(super) fn settle(self, machine: &impl Machine) -> Result<Addresses, ConfigError> {
        let listen = self.bound("listen", &self.listen, machine)?;
        let peer_listen = self.bound("peer-listen", &self.peer_listen, machine)?;
        let remote = self.remote(machine)?;
        if let Some(peer) = remote.first.as_ref().filter(|_| peer_listen.ip().is_loopback()) {
            let why = format!(
                "it is another machine and could not reach this one on its loopback --peer-listen {}; \
                 give that an address of this machine, or 0.0.0.0",
                self.peer_listen
            );
            return Err(ConfigError::bad("peers", peer, why));
        }
        let advertise = match &self.advertise {
            Some(given) => told("advertise", given, machine, None)?,
            None => found(["listen", "advertise"], &self.listen, listen, &remote, machine)?,
        };
        let peer_advertise = match &self.peer_advertise {
            Some(given) => told("peer-advertise", given, machine, remote.first.as_deref())?,
            None => {
                found(["peer-listen", "peer-advertise"], &self.peer_listen, peer_listen, &remote, machine)?
            }
        };
        let peers = self.peers().map(str::to_owned).collect();
        Ok(Addresses { listen: self.listen, peer_listen: self.peer_listen, advertise, peer_advertise, peers })
    }

    /// A list that ends with a comma, or an empty variable of the environment, names nobody.
    fn peers(&self) -> impl Iterator<Item = &str> {
        self.peers.iter().map(|peer| peer.trim()).filter(|peer| !peer.is_empty())
    }

    fn bound(
        &self,
        flag: &'static str,
        value: &str,
        machine: &impl Machine,
    ) -> Result<SocketAddr, ConfigError> {
        let bad = |why: String| ConfigError::bad(flag, value, why);
        let found = machine.resolve(value);
        let found = found.map_err(|error| bad(format!("is no ADDRESS:PORT of this machine ({error})")))?;
        let addr = *found.first().ok_or_else(|| bad("names no address".to_owned()))?;
        if found.iter().any(|addr| !addr.ip().is_loopback()) && !self.insecure {
            return Err(bad("anybody who reaches it would own this machine, and keys are not built yet: \
                            use a loopback address, or say --insecure on a network that you trust"
                .to_owned()));
        }
        Ok(addr)
    }

    /// A name that resolves to loopback alone is this machine's own: Debian gives the host name 127.0.1.1. One that does
    /// not resolve yet is another machine's.
    fn remote(&self, machine: &impl Machine) -> Result<Remote, ConfigError> {
        let mut remote = Remote::default();
        for peer in self.peers() {
            check_host_port("peers", peer)?;
            let at = machine.resolve(peer).unwrap_or_default();
            if at.is_empty() || at.iter().any(|addr| !addr.ip().is_loopback()) {
                remote.first.get_or_insert_with(|| peer.to_owned());
                remote.at.extend(at.into_iter().filter(|addr| is_reachable(addr.ip())));
            }
        }
        Ok(remote)
    }
}

fn check_host_port(flag: &'static str, value: &str) -> Result<(), ConfigError> {
    let pieces = value.rsplit_once(':');
    match pieces.filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)) {
        Some(_) => Ok(()),
        None => Err(ConfigError::bad(flag, value, "write it as HOST:PORT, for example pi2:7374")),
    }
}

/// Whether anybody else may reach it.
fn is_reachable(ip: IpAddr) -> bool {
    !ip.is_loopback() && !ip.is_unspecified()
}

/// What somebody wants others to be told. A name that does not resolve here may still resolve there.
fn told(
    flag: &'static str,
    given: &str,
    machine: &impl Machine,
    remote: Option<&str>,
) -> Result<String, ConfigError> {
    check_host_port(flag, given)?;
    let at = machine.resolve(given).unwrap_or_default();
    if at.iter().any(|addr| addr.ip().is_unspecified()) {
        return Err(ConfigError::bad(
            flag,
            given,
            "nobody can reach this address; say the one that is meant",
        ));
    }
    let own = !at.is_empty() && at.iter().all(|addr| addr.ip().is_loopback());
    match remote.filter(|_| own) {
        None => Ok(given.to_owned()),
        Some(peer) => {
            Err(ConfigError::bad(flag, given, format!("{peer} would find itself at a loopback address")))
        }
    }
}

/// What others are told when nobody says it: where the node listens. `0.0.0.0` and `::` are no address that anybody could
/// use: the address of the route to the first peer is, and without a peer that of the default route.
fn found(
    [flag, way_out]: [&'static str; 2],
    listen: &str,
    bound: SocketAddr,
    remote: &Remote,
    machine: &impl Machine,
) -> Result<String, ConfigError> {
    if !bound.ip().is_unspecified() {
        return Ok(listen.to_owned());
    }
    let ways = remote.at.iter().copied().chain([FAR_V4, FAR_V6]);
    // `::` takes both kinds, `0.0.0.0` only one.
    let mut sources = ways.filter(|to| bound.is_ipv6() || to.is_ipv4()).filter_map(|to| machine.source(to));
    match sources.find(|ip| is_reachable(*ip)) {
        Some(ip) => Ok(SocketAddr::new(ip, bound.port()).to_string()),
        None => {
            let why = format!(
                "no route tells at which of its addresses others reach this machine; \
                 say it with --{way_out} ADDRESS:{}",
                bound.port()
            );
            Err(ConfigError::bad(flag, listen, why))
        }
    }
}

#[cfg(test)]
mod tests;
