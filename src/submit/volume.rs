//! Docker `-v` strings.

use std::path::Path;

use super::spec::Invalid;
use crate::agent::SHARED_DRIVER;

/// What the volumes of one container come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Volumes {
    /// As Docker takes them.
    pub(super) binds: Vec<String>,
    /// Named local ones.
    pub(super) local: Vec<String>,
    /// The shared folder is used.
    pub(super) shared: bool,
    /// What may not be meant.
    pub(super) warnings: Vec<String>,
}

/// `NAME:/PATH[:OPTIONS]` or `/HOST:/PATH[:OPTIONS]`.
pub(super) fn parse(texts: &[String], driver: Option<&str>, shared_dir: &Path) -> Result<Volumes, Invalid> {
    let mut volumes = Volumes::default();
    for text in texts {
        let bad = |why: &str| Invalid::bad("volumes", format!("the volume `{text}` {why}"));
        let mut pieces = text.split(':');
        let (source, target) = (pieces.next().unwrap_or_default(), pieces.next());
        let target = target.ok_or_else(|| bad("has no target; write NAME:/PATH or /HOST:/PATH"))?;
        if !target.starts_with('/') {
            return Err(bad("needs an absolute path after the colon"));
        }
        if source.starts_with('/') {
            if Path::new(source).starts_with(shared_dir) {
                volumes.shared = true;
            } else {
                volumes.warnings.push(format!(
                    "{source} is a folder of whichever node runs it; a folder below the shared folder is the same on all"
                ));
            }
        } else {
            super::value::name("volumes", source)?;
            match driver {
                Some(SHARED_DRIVER) => volumes.shared = true,
                None | Some("local") => volumes.local.push(source.to_owned()),
                // A driver of the engine's own: where its data is, is its affair.
                Some(_) => {}
            }
        }
        volumes.binds.push(text.clone());
    }
    Ok(volumes)
}
