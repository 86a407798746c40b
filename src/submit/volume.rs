//! Docker `-v` strings.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

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

/// Docker's words after the second colon.
const OPTIONS: [&str; 14] = [
    "ro",
    "rw",
    "z",
    "Z",
    "nocopy",
    "consistent",
    "cached",
    "delegated",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "private",
    "rprivate",
];

/// `NAME:/PATH[:OPTIONS]` or `/HOST:/PATH[:OPTIONS]`.
pub(super) fn parse(texts: &[String], driver: Option<&str>, shared_dir: &Path) -> Result<Volumes, Invalid> {
    let mut volumes = Volumes::default();
    let mut targets = BTreeSet::new();
    for text in texts {
        let bad = |why: &str| Invalid::bad("volumes", format!("the volume `{text}` {why}"));
        let pieces: Vec<&str> = text.split(':').collect();
        let (source, target, options) = match pieces[..] {
            [source, target] => (source, target, None),
            [source, target, options] => (source, target, Some(options)),
            [_] | [] => return Err(bad("has no target; write NAME:/PATH or /HOST:/PATH")),
            [..] => return Err(bad("has too many colons; write NAME:/PATH or /HOST:/PATH")),
        };
        if text.contains('\0') {
            return Err(Invalid::bad(
                "volumes",
                format!("the volume `{}` has a NUL byte", text.replace('\0', "\\0")),
            ));
        }
        if let Some(option) =
            options.into_iter().flat_map(|all| all.split(',')).find(|one| !OPTIONS.contains(one))
        {
            return Err(bad(&format!(
                "has the option `{option}`, which Docker does not know; there is for example ro"
            )));
        }
        if !target.starts_with('/') {
            return Err(bad("needs an absolute path after the colon"));
        }
        let inside = clean(target).ok_or_else(|| bad("leaves its folder with `..`; write where it leads"))?;
        if inside == Path::new("/") {
            return Err(bad("would hide the whole image; mount it below /"));
        }
        if !targets.insert(inside) {
            return Err(bad("is mounted where another one is already"));
        }
        if source.starts_with('/') {
            let source =
                clean(source).ok_or_else(|| bad("leaves its folder with `..`; write where it leads"))?;
            if source.starts_with(shared_dir) {
                volumes.shared = true;
            } else {
                volumes.warnings.push(format!(
                    "{} is a folder of whichever node runs it; a folder below the shared folder is the same on all",
                    source.display()
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

/// A path without `.` and doubled slashes; none if it goes up, for then what it is below depends on links.
fn clean(path: &str) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => return None,
            Component::CurDir => {}
            Component::RootDir | Component::Normal(_) | Component::Prefix(_) => clean.push(component),
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(texts: &[&str], driver: Option<&str>) -> Result<Volumes, Invalid> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        parse(&texts, driver, Path::new("/srv/shared"))
    }

    #[test]
    fn a_folder_below_the_shared_one_is_shared_and_any_other_is_warned_of() {
        assert!(parsed(&["/srv/shared/a:/a"], None).unwrap().shared);
        assert!(parsed(&["a:/a"], Some(SHARED_DRIVER)).unwrap().shared);
        let other = parsed(&["/srv/sharedish:/a:ro", "/srv/:/b"], None).unwrap();
        assert!(!other.shared && other.warnings.len() == 2, "{other:?}");
        assert_eq!(parsed(&["a:/a"], None).unwrap().local, ["a"]);
    }

    #[test]
    fn what_docker_would_refuse_or_what_leads_elsewhere_is_refused_with_its_text() {
        for text in [
            "",
            "a",
            "a:",
            "a:b",
            ":/a",
            "../a:/a",
            "a/../b:/a",
            "/srv/shared/../../etc:/a",
            "a:/a/../b",
            "a:/",
            "a:/.",
            "a:/a:rx",
            "a:/a:ro,",
            "a:/a:ro:rw",
            "a b:/a",
            "é:/a",
        ] {
            let refusal = parsed(&[text], Some(SHARED_DRIVER)).unwrap_err();
            let source = text.split(':').next().unwrap();
            assert!(refusal.field == "volumes" && refusal.message.contains(source), "{text}: {refusal}");
        }
        assert!(parsed(&["a:/a\0"], None).unwrap_err().message.contains("NUL"));
        assert!(parsed(&["a:/x", "b:/x/"], None).unwrap_err().message.contains("`b:/x/` is mounted where"));
    }
}
