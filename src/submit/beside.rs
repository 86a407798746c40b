//! Which containers one must have on its own node, because it uses what is theirs.

use std::collections::BTreeSet;

use super::spec::Invalid;
use super::value;

/// The names in Docker's `--net=container:NAME`, `--volumes-from NAME[:ro]` and `--link NAME[:ALIAS]`, without the
/// slash that Docker's API puts before names.
pub(crate) fn beside(
    own: &str,
    network_mode: Option<&str>,
    volumes_from: &[String],
    links: &[String],
) -> Result<BTreeSet<String>, Invalid> {
    let network = network_mode.and_then(|mode| mode.strip_prefix("container:"));
    let network = network.into_iter().map(|name| ("network_mode", name));
    let first = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
    let volumes = volumes_from.iter().map(|text| ("volumes_from", first(text)));
    let links = links.iter().map(|text| ("links", first(text)));
    let all = network.map(|(field, name)| (field, name.to_owned())).chain(volumes).chain(links);
    let mut beside = BTreeSet::new();
    for (field, text) in all {
        let name = container(field, &text)?;
        if name == own {
            let why = format!("{own} can not use its own; name another container");
            return Err(Invalid::never(field, why));
        }
        beside.insert(name);
    }
    Ok(beside)
}

/// A name, or an id, which is one digit too long for a name.
fn container(field: &'static str, text: &str) -> Result<String, Invalid> {
    let text = text.strip_prefix('/').unwrap_or(text);
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_owned());
    }
    value::full_name(field, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(network: &str, volumes_from: &str, links: &str) -> Result<Vec<String>, Invalid> {
        let [volumes_from, links] = [volumes_from, links].map(|text| [text.to_owned()]);
        beside("own", Some(network), &volumes_from, &links).map(|names| names.into_iter().collect())
    }

    #[test]
    fn whose_network_volumes_or_links_it_uses_must_be_beside_it() {
        assert_eq!(names("container:net", "data:ro", "/db:sql").unwrap(), ["data", "db", "net"]);
        assert_eq!(beside("own", Some("host"), &[], &[]).unwrap(), BTreeSet::new());
        let id = "0a".repeat(32);
        assert_eq!(beside("own", Some(&format!("container:{id}")), &[], &[]).unwrap(), BTreeSet::from([id]));
        let member = format!("{}.{}", "p".repeat(63), "m".repeat(63));
        assert!(beside("own", None, &[member], &[]).is_ok());
    }

    #[test]
    fn what_names_nobody_or_itself_is_refused_by_its_field() {
        for (network, volumes_from, links, field) in [
            ("container:", "a", "b", "network_mode"),
            ("container:a b", "a", "b", "network_mode"),
            ("host", ":ro", "b", "volumes_from"),
            ("host", "a", "../b", "links"),
        ] {
            assert_eq!(names(network, volumes_from, links).unwrap_err().field, field);
        }
        assert!(names("container:own", "a", "b").unwrap_err().never);
    }
}
