//! What a container is given of its machine: ports and devices, as Docker writes them.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use bollard::models::{DeviceMapping, PortBinding};
use pinode_scheduler::spec::{HostPort, Protocol};

use super::spec::Invalid;

/// Docker's map of a container's ports to those of its machine.
pub(crate) type Ports = HashMap<String, Option<Vec<PortBinding>>>;

/// `[[IP:]HOST:]CONTAINER[/PROTOCOL]`.
pub(super) fn ports(texts: &[String]) -> Result<Option<Ports>, Invalid> {
    let mut ports = Ports::new();
    for text in texts {
        let bad = || {
            Invalid::bad(
                "ports",
                format!("`{text}` is no port; write [HOST:]CONTAINER[/udp], for example 8080:80"),
            )
        };
        let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        if !matches!(protocol, "tcp" | "udp" | "sctp") {
            return Err(bad());
        }
        let mut pieces = numbers.rsplitn(3, ':');
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(bad);
        let container = port(pieces.next().unwrap_or_default())?;
        let host = pieces.next().filter(|host| !host.is_empty()).map(port).transpose()?;
        let ip = pieces.next().filter(|ip| !ip.is_empty()).map(|ip| ip.trim_matches(['[', ']']));
        let ip = ip.map(|ip| ip.parse::<IpAddr>().map(|ip| ip.to_string()).map_err(|_| bad())).transpose()?;
        let binding = PortBinding { host_ip: ip, host_port: host.map(|port| port.to_string()) };
        ports.entry(format!("{container}/{protocol}")).or_default().get_or_insert_default().push(binding);
    }
    Ok(Some(ports).filter(|ports| !ports.is_empty()))
}

/// The ports of its machine that a container takes. Where Docker may choose one, none is meant.
pub(crate) fn host_ports(ports: &Ports) -> BTreeSet<HostPort> {
    let protocol = |key: &str| match key.split_once('/').map(|(_, protocol)| protocol) {
        None | Some("tcp") => Some(Protocol::Tcp),
        Some("udp") => Some(Protocol::Udp),
        Some("sctp") => Some(Protocol::Sctp),
        Some(_) => None,
    };
    let fixed = |binding: &PortBinding| {
        let port = binding.host_port.as_ref()?.parse().ok();
        port.filter(|port: &u16| *port > 0)
    };
    let taken = ports.iter().filter_map(|(key, bindings)| Some((protocol(key)?, bindings.as_ref()?)));
    let each = |(protocol, bindings): (Protocol, &Vec<PortBinding>)| {
        let fixed: Vec<u16> = bindings.iter().filter_map(fixed).collect();
        fixed.into_iter().map(move |port| HostPort { port, protocol })
    };
    taken.flat_map(each).collect()
}

/// `/dev/x[:/dev/y[:rwm]]`.
pub(super) fn devices(texts: &[String]) -> Result<Option<Vec<DeviceMapping>>, Invalid> {
    let device = |text: &String| {
        let mut pieces = text.splitn(3, ':');
        let host = pieces.next().unwrap_or_default();
        let (inside, may) = (pieces.next().unwrap_or(host), pieces.next().unwrap_or("rwm"));
        let fine = host.starts_with('/')
            && inside.starts_with('/')
            && !text.contains('\0')
            && !may.is_empty()
            && may.chars().all(|c| "rwm".contains(c));
        if !fine {
            let why = format!("`{text}` is no device; write /dev/x or /dev/x:/dev/y[:rwm]");
            return Err(Invalid::bad("devices", why));
        }
        Ok(DeviceMapping {
            path_on_host: Some(host.to_owned()),
            path_in_container: Some(inside.to_owned()),
            cgroup_permissions: Some(may.to_owned()),
        })
    };
    let devices: Vec<DeviceMapping> = texts.iter().map(device).collect::<Result<_, _>>()?;
    Ok(Some(devices).filter(|devices| !devices.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_docker_s() {
        for text in
            ["80", "8080:80", "8080:80/udp", "127.0.0.1:8080:80", "[::1]:8080:80", ":80", "127.0.0.1::80"]
        {
            assert!(ports(&[text.to_owned()]).is_ok(), "{text}");
        }
        for text in ["", "http", "0", "70000", "80/icmp", "999.1.1.1:80:80", "a:80:80", "1:2:3:4", "-1:80"] {
            let refusal = ports(&[text.to_owned()]).unwrap_err();
            assert!(refusal.field == "ports" && refusal.message.contains(&format!("`{text}`")), "{refusal}");
        }
    }

    #[test]
    fn only_a_fixed_port_of_the_machine_is_taken() {
        let texts = ["80", ":81", "127.0.0.1::82", "8080:80", "127.0.0.1:53:53/udp", "9:9/sctp", "8080:90"];
        let ports = ports(&texts.map(str::to_owned)).unwrap().unwrap();
        let taken: Vec<String> = host_ports(&ports).iter().map(HostPort::to_string).collect();
        assert_eq!(taken, ["9/sctp", "53/udp", "8080/tcp"]);
        let binding = |port: &str| PortBinding { host_ip: None, host_port: Some(port.to_owned()) };
        let docker = Ports::from([
            ("80".to_owned(), Some(vec![binding("7"), binding("0"), binding(""), binding("8000-8010")])),
            ("81/tcp".to_owned(), None),
        ]);
        let taken: Vec<String> = host_ports(&docker).iter().map(HostPort::to_string).collect();
        assert_eq!(taken, ["7/tcp"]);
    }

    #[test]
    fn devices_are_docker_s() {
        for text in ["/dev/video0", "/dev/a:/dev/b", "/dev/a:/dev/b:r"] {
            assert!(devices(&[text.to_owned()]).is_ok(), "{text}");
        }
        for text in ["", "video0", "/dev/a:b", "/dev/a:/dev/b:x", "/dev/a:/dev/b:"] {
            let refusal = devices(&[text.to_owned()]).unwrap_err();
            assert!(
                refusal.field == "devices" && refusal.message.contains(&format!("`{text}`")),
                "{refusal}"
            );
        }
    }
}
