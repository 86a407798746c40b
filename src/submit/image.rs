//! Names of images, by Docker's grammar: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`. Whether there is such an image is not asked
//! here; what no engine could even look for is refused.

use super::spec::Invalid;

/// Longest name, in bytes, without tag and digest (Docker's).
const NAME_MAX: usize = 255;
/// Longest tag, in bytes (Docker's).
const TAG_MAX: usize = 128;

pub(super) fn check(image: &str) -> Result<(), Invalid> {
    let why = "is no image; write for example busybox, busybox:1.36 or registry.lan:5000/films/encode:2";
    if is_image(image) { Ok(()) } else { Err(Invalid::bad("image", format!("`{image}` {why}"))) }
}

fn is_image(image: &str) -> bool {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    // A colon in the last piece is the tag's, in an earlier one the port's.
    let last = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[last..].split_once(':') {
        Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag)),
        None => (rest, None),
    };
    name.len() <= NAME_MAX && is_name(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest)
}

fn is_name(name: &str) -> bool {
    let path = match name.split_once('/') {
        Some((host, path))
            if host == "localhost" || host.contains(['.', ':']) || host != host.to_lowercase() =>
        {
            if !is_host(host) {
                return false;
            }
            path
        }
        Some(_) | None => name,
    };
    path.split('/').all(is_component)
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let label = |label: &str| {
        let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !label.is_empty() && label.bytes().all(fine) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Small letters and digits, with one dot, one or two underscores, or dashes between them.
fn is_component(component: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = component.bytes().next().is_some_and(is_word) && component.bytes().last().is_some_and(is_word);
    let fine = component.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'_' | b'-'));
    let mut between = component.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends && fine && between.all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins = tag.bytes().next().is_some_and(word);
    begins && tag.len() <= TAG_MAX && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'_' | b'-');
        !algorithm.is_empty()
            && algorithm.bytes().all(fine)
            && hex.len() >= 32
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_docker_s() {
        let digest = format!("a/b@sha256:{}", "0".repeat(64));
        for image in [
            "busybox",
            "busybox:local",
            "pinode/film:local",
            "nobody/has-this:1",
            "registry.lan:5000/films/encode:2.1-rc_1",
            "localhost/a",
            "localhost:5000/a__b/c--d:X",
            "ghcr.io/Owner/x".to_lowercase().as_str(),
            "0123456789abcdef",
            "sha256:0123456789abcdef",
            &digest,
        ] {
            assert!(check(image).is_ok(), "{image}");
        }
    }

    #[test]
    fn what_no_engine_could_look_for_is_refused_with_its_name() {
        let long = "a".repeat(NAME_MAX + 1);
        for image in [
            "",
            " ",
            "Busybox",
            "../etc",
            "a b",
            "a:",
            "a:b:c",
            "a::b",
            "/a",
            "a/",
            "a//b",
            "a\0b",
            "é",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "http://a/b",
            "a@sha256:12",
            "a@",
            "registry.lan:port/a",
            &long,
        ] {
            let refusal = check(image).unwrap_err();
            assert!(refusal.field == "image" && refusal.message.contains(image), "{refusal}");
        }
    }
}
