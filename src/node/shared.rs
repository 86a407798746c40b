//! The folder that all nodes share, and the id in it by which they see that they do.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::http::hex;
use crate::random;

const FILE: &str = ".pinode-shared";
/// Between two looks at a mount that may come or go.
const LOOK: Duration = Duration::from_secs(5);

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
            // Another node may be about to write it; who reads nothing reports nothing and sees it at the next look.
            Ok(Some(id.trim().to_owned()).filter(|id| !id.is_empty()))
        }
        Err(error) => Err(error),
    }
}

/// What is seen in the folder's place, from now on; `id` was, a moment ago. One look at a time: on a network's file system it
/// may take for ever.
pub(super) fn follow(dir: PathBuf, id: Option<String>) -> watch::Receiver<Option<String>> {
    let (tell, seen) = watch::channel(id);
    tokio::spawn(async move {
        while !tell.is_closed() {
            sleep(LOOK).await;
            let path = dir.join(FILE);
            let Ok(id) = tokio::task::spawn_blocking(move || now(&path)).await else { continue };
            tell.send_if_modified(|before| {
                let other = *before != id;
                *before = id;
                other
            });
        }
    });
    seen
}

/// The id as it is; none is made, because what is there now may be the place of a mount.
fn now(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_mount_that_goes_and_comes_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let id = id_of(dir.path()).unwrap();
        let mut seen = follow(dir.path().to_owned(), id.clone());
        fs::rename(dir.path().join(FILE), dir.path().join("elsewhere")).unwrap();
        assert_eq!(*seen.wait_for(|seen| *seen != id).await.unwrap(), None);
        assert!(!dir.path().join(FILE).exists(), "nothing is made in its place");
        fs::rename(dir.path().join("elsewhere"), dir.path().join(FILE)).unwrap();
        assert_eq!(*seen.wait_for(Option::is_some).await.unwrap(), id);
    }

    #[test]
    fn two_nodes_on_one_folder_see_one_id() {
        let dir = tempfile::tempdir().unwrap();
        let first = id_of(dir.path()).unwrap();
        assert!(first.is_some());
        assert_eq!(id_of(dir.path()).unwrap(), first);
        assert_ne!(id_of(&dir.path().join("another")).unwrap(), first);
    }
}
