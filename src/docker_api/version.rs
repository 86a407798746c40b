//! Versions of Docker's API: what is announced, what a path asks for, and what an engine gets instead.

use std::fmt;
use std::str::FromStr;

/// As in `/v1.41/containers/json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Always 1 so far.
    pub major: u16,
    /// Rises with Docker.
    pub minor: u16,
}

/// Older clients are refused, as by Docker's own engines for many years.
pub const OLDEST: Version = Version { major: 1, minor: 24 };
/// Announced, unless a flag says otherwise.
pub const ANNOUNCED: Version = Version { major: 1, minor: 47 };

/// Not `MAJOR.MINOR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version of Docker's API is written as 1.47")]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Version, NoVersion> {
        let (major, minor) = text.split_once('.').ok_or(NoVersion)?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or(NoVersion)
        };
        Ok(Version { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version that a path begins with, and the rest of the path.
pub(super) fn split(path: &str) -> (Option<Version>, &str) {
    let Some(rest) = path.strip_prefix("/v") else { return (None, path) };
    let (first, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match first.parse() {
        Ok(version) if !rest.is_empty() => (Some(version), rest),
        Ok(_) | Err(NoVersion) => (None, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_begin_with_a_version() {
        let version = Version { major: 1, minor: 41 };
        assert_eq!(split("/v1.41/containers/json"), (Some(version), "/containers/json"));
        assert_eq!(split("/containers/json"), (None, "/containers/json"));
        for odd in ["/version", "/volumes/create", "/v1/x", "/v1.+1/x", "/v1.41", "/v/x"] {
            assert_eq!(split(odd), (None, odd));
        }
        assert!(Version { major: 1, minor: 9 } < OLDEST);
    }
}
