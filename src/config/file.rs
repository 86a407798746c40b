//! The configuration file: the same names as the flags, in TOML.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;
use crate::cli::{LogFormat, StrategyName};

/// Read when `--config` is not given, if it is there.
const DEFAULT_FILE: &str = "/etc/pinode/pinode.toml";

/// What a file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct File {
    pub(super) name: Option<String>,
    pub(super) listen: Option<String>,
    pub(super) peer_listen: Option<String>,
    pub(super) advertise: Option<String>,
    pub(super) peer_advertise: Option<String>,
    pub(super) peers: Option<Vec<String>>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) docker_host: Option<String>,
    pub(super) shared_dir: Option<PathBuf>,
    pub(super) film_image: Option<String>,
    pub(super) label: Vec<String>,
    pub(super) socket: Option<PathBuf>,
    pub(super) insecure: bool,
    pub(super) away: Option<String>,
    pub(super) stop_containers: bool,
    pub(super) fence_engine: Option<PathBuf>,
    pub(super) watchdog: Option<PathBuf>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) log: Option<String>,
    pub(super) lease_seconds: Option<f64>,
    pub(super) docker_api_version: Option<String>,
    pub(super) strategy: Option<StrategyName>,
}

/// The file that was named, or the usual one. Only the usual one may be missing.
pub(super) fn read(given: Option<&Path>) -> Result<File, ConfigError> {
    let path = given.unwrap_or(Path::new(DEFAULT_FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if given.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(File::default()),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

fn parse(path: &Path, text: &str) -> Result<File, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let begin = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..begin].iter().filter(|byte| **byte == b'\n').count() + 1;
        // Its sentences may have several lines; a log line is one.
        let why = error.message().lines().collect::<Vec<_>>().join("; ");
        ConfigError::File { path: path.to_owned(), line, why }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(error: ConfigError) -> String {
        format!("{:#}", anyhow::Error::from(error))
    }

    #[test]
    fn an_unknown_name_is_refused_once_with_path_and_line() {
        let error = parse(Path::new(DEFAULT_FILE), "name = \"n1\"\nnmae = \"n1\"\n").unwrap_err();
        let text = printed(error);
        assert!(text.starts_with("/etc/pinode/pinode.toml, line 2: unknown field `nmae`"), "{text}");
        assert_eq!(text.matches("nmae").count(), 1, "{text}");
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        let text = printed(parse(Path::new("/x.toml"), "\n\nname = \n").unwrap_err());
        assert!(text.starts_with("/x.toml, line 3: ") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let text = printed(read(Some(Path::new("/nowhere/pinode.toml"))).unwrap_err());
        assert!(text.starts_with("read /nowhere/pinode.toml: No such file"), "{text}");
    }
}
