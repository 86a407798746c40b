//! The folder that all nodes share, and the id in it by which they see that they do.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::http::hex;
use crate::random;

const FILE: &str = ".pinode-shared";

/// The id in the folder, made when there is none. On a mount that is missing this makes an id of its own, and that is
/// the point: the node is then the odd one out, and gets no work that needs the folder.
pub(super) fn id_of(dir: &Path) -> io::Result<Option<String>> {
    fs::create_dir_all(dir)?;
    let path = dir.join(FILE);
    match File::options().write(true).create_new(true).open(&path) {
        Ok(mut file) => {
            let id = hex(&random::bytes::<16>()?);
            file.write_all(id.as_bytes())?;
            file.sync_all()?;
            Ok(Some(id))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let id = fs::read_to_string(&path)?;
            // Another node may be about to write it; who reads nothing reports nothing and sees it at its next start.
            Ok(Some(id.trim().to_owned()).filter(|id| !id.is_empty()))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nodes_on_one_folder_see_one_id() {
        let dir = tempfile::tempdir().unwrap();
        let first = id_of(dir.path()).unwrap();
        assert!(first.is_some());
        assert_eq!(id_of(dir.path()).unwrap(), first);
        assert_ne!(id_of(&dir.path().join("another")).unwrap(), first);
    }
}
