//! Which addresses a node binds, and which it tells the others.

use super::*;

/// A Pi called pi1 in 10.0.0.0/24, in whose /etc/hosts its own name is 127.0.1.1.
struct Pi {
    has_route: bool,
}

const PI: Pi = Pi { has_route: true };
const ALONE: Pi = Pi { has_route: false };

impl Machine for Pi {
    fn resolve(&self, host_port: &str) -> io::Result<Vec<SocketAddr>> {
        let (host, port) = host_port.rsplit_once(':').ok_or(io::ErrorKind::InvalidInput)?;
        let ip = match host.trim_matches(['[', ']']) {
            "pi1" => "127.0.1.1",
            "localhost" => "127.0.0.1",
            "pi2" => "10.0.0.2",
            other => other,
        };
        let ip = ip.parse().map_err(|_| io::Error::other("no such host"))?;
        let port = port.parse().map_err(|_| io::Error::other("no such port"))?;
        Ok(vec![SocketAddr::new(ip, port)])
    }

    fn source(&self, to: SocketAddr) -> Option<IpAddr> {
        let from = match to.ip() {
            ip if ip.is_loopback() => ip.to_string(),
            IpAddr::V4(ip) if ip.octets()[0] == 10 => "10.0.0.1".to_owned(),
            IpAddr::V4(_) if self.has_route => "192.168.1.1".to_owned(),
            IpAddr::V6(_) if self.has_route => "2001:db8::7".to_owned(),
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        from.parse().ok()
    }
}

fn asked(peer_listen: &str, peers: &[&str]) -> Asked {
    Asked {
        listen: "127.0.0.1:7373".to_owned(),
        peer_listen: peer_listen.to_owned(),
        advertise: None,
        peer_advertise: None,
        peers: peers.iter().map(|peer| (*peer).to_owned()).collect(),
        insecure: true,
    }
}

fn refusal(asked: Asked, machine: &Pi) -> String {
    asked.settle(machine).unwrap_err().to_string()
}

fn peer_advertise(asked: Asked) -> String {
    asked.settle(&PI).unwrap().peer_advertise
}

#[test]
fn an_open_port_without_keys_is_refused_unless_it_is_meant() {
    let careful = Asked { insecure: false, ..asked("0.0.0.0:7374", &[]) };
    assert!(refusal(careful, &PI).contains("--insecure"));
    assert!(asked("0.0.0.0:7374", &[]).settle(&PI).is_ok());
}

#[test]
fn a_loopback_peer_port_with_remote_peers_is_refused() {
    for listen in ["127.0.0.1:7374", "pi1:7374", "[::1]:7374"] {
        for peer in ["10.0.0.2:7374", "pi2:7374", "not-up-yet:7374"] {
            let text = refusal(asked(listen, &["localhost:7374", "pi1:7374", peer]), &PI);
            assert!(text.contains(peer) && text.contains("--peer-listen"), "{listen}: {text}");
        }
    }
}

#[test]
fn peers_on_this_machine_may_meet_on_loopback() {
    let peers = ["localhost:7374", "127.0.0.1:8374", "pi1:9374", ""];
    assert_eq!(asked("127.0.0.1:7374", &peers).settle(&PI).unwrap().peers.len(), 3);
}

#[test]
fn peers_are_host_and_port() {
    for peer in ["127.0.0.1", ":7374", "pi2:", "pi2:peer", "pi2:0", "pi2:70000"] {
        assert!(refusal(asked("127.0.0.1:7374", &[peer]), &PI).contains("HOST:PORT"), "{peer}");
    }
}

#[test]
fn all_addresses_are_advertised_as_the_one_on_the_way_to_the_first_peer_that_is_another_machine() {
    assert_eq!(peer_advertise(asked("0.0.0.0:7374", &["pi1:7374", "pi2:7374"])), "10.0.0.1:7374");
    assert_eq!(peer_advertise(asked("[::]:7374", &["pi2:7374"])), "10.0.0.1:7374");
    assert_eq!(peer_advertise(asked("[::]:7374", &["[2001:db8::2]:7374", "pi2:7374"])), "[2001:db8::7]:7374");
    assert_eq!(peer_advertise(asked("0.0.0.0:7374", &["[2001:db8::2]:7374", "pi2:7374"])), "10.0.0.1:7374");
}

#[test]
fn without_a_peer_that_tells_all_addresses_are_advertised_as_that_of_the_default_route() {
    for peers in [&[] as &[&str], &["pi1:7374"], &["not-up-yet:7374"]] {
        assert_eq!(peer_advertise(asked("0.0.0.0:7374", peers)), "192.168.1.1:7374", "{peers:?}");
    }
    let people = Asked { listen: "0.0.0.0:7373".to_owned(), ..asked("127.0.0.1:7374", &[]) };
    assert_eq!(people.settle(&PI).unwrap().advertise, "192.168.1.1:7373");
}

#[test]
fn without_any_route_the_flag_that_tells_is_named() {
    let text = refusal(asked("0.0.0.0:7374", &[]), &ALONE);
    assert!(text.starts_with("--peer-listen 0.0.0.0:7374: ") && text.contains("--peer-advertise"), "{text}");
    let people = Asked { listen: "[::]:7373".to_owned(), ..asked("127.0.0.1:7374", &[]) };
    let text = refusal(people, &ALONE);
    assert!(text.starts_with("--listen [::]:7373: ") && text.contains("--advertise"), "{text}");
}

#[test]
fn what_is_said_to_be_advertised_is_advertised() {
    let said =
        Asked { peer_advertise: Some("pi1.lan:7374".to_owned()), ..asked("0.0.0.0:7374", &["pi2:7374"]) };
    assert_eq!(peer_advertise(said), "pi1.lan:7374");
}

#[test]
fn what_others_cannot_reach_is_not_advertised_to_them() {
    for given in ["127.0.0.1:7374", "pi1:7374", "0.0.0.0:7374", "pi1"] {
        let said = Asked { peer_advertise: Some(given.to_owned()), ..asked("0.0.0.0:7374", &["pi2:7374"]) };
        let text = refusal(said, &PI);
        assert!(text.starts_with(&format!("--peer-advertise {given}: ")), "{text}");
    }
}
