//! What a container is given of its machine: ports and devices, as Docker writes them.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard::models::{DeviceMapping, PortBinding};

use super::spec::Invalid;

pub(super) type Ports = HashMap<String, Option<Vec<PortBinding>>>;

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
