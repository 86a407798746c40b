//! What is on a disk, and what of it is there after a power cut: what was synced, and of what was not, as the cut has it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

/// Of the file system's root.
pub const ROOT: u64 = 1;
/// The kernel writes back pages, one before the other as it likes: a write is lost page by page.
const PAGE: usize = 4_096;

/// Everything on it. Nothing is ever freed: a folder may have lost a name that is not synced as lost.
#[derive(Debug)]
pub struct Disk {
    nodes: Vec<Node>,
}

/// A file or a folder.
#[derive(Debug)]
pub enum Node {
    /// A file.
    File(File),
    /// A folder.
    Folder(Folder),
}

/// A file's bytes.
#[derive(Debug, Default)]
pub struct File {
    now: Vec<u8>,
    synced: Vec<u8>,
    /// What happened since, in its order.
    since: Vec<Change>,
}

/// A folder's names.
#[derive(Debug, Default)]
pub struct Folder {
    now: BTreeMap<OsString, u64>,
    synced: BTreeMap<OsString, u64>,
}

#[derive(Clone, Debug)]
enum Change {
    /// Within a page.
    Bytes {
        at: usize,
        bytes: Vec<u8>,
    },
    Length(usize),
}

/// What is lost of what was not synced.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// All of it.
    Everything,
    /// None of it, as after a kill.
    Nothing,
    /// Each page and each name has its own luck.
    Half(u64),
}

impl Cut {
    /// The cut of this number, of all that lose half.
    pub fn half(number: u64) -> Cut {
        Cut::Half((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn keeps(&mut self) -> bool {
        match self {
            Cut::Everything => false,
            Cut::Nothing => true,
            Cut::Half(luck) => {
                *luck ^= *luck << 13;
                *luck ^= *luck >> 7;
                *luck ^= *luck << 17;
                *luck & 1 == 1
            }
        }
    }
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Change::Bytes { bytes, .. } => bytes.len(),
            Change::Length(_) => 0,
        }
    }

    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Change::Length(length) => to.resize(*length, 0),
            Change::Bytes { at, bytes } => {
                let end = at + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*at..end].copy_from_slice(bytes);
            }
        }
    }
}

impl File {
    /// Its bytes from there on.
    pub fn read(&self, from: usize, length: usize) -> &[u8] {
        let from = from.min(self.now.len());
        &self.now[from..(from + length).min(self.now.len())]
    }

    /// How long it is.
    pub fn len(&self) -> usize {
        self.now.len()
    }

    /// Writes, page by page.
    pub fn write(&mut self, mut at: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (page, rest) = bytes.split_at(bytes.len().min(PAGE - at % PAGE));
            self.change(Change::Bytes { at, bytes: page.to_vec() });
            at += page.len();
            bytes = rest;
        }
    }

    /// Cuts it off, or makes it longer.
    pub fn resize(&mut self, length: usize) {
        self.change(Change::Length(length));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.since.push(change);
    }

    /// What was written is there after a cut.
    pub fn sync(&mut self) {
        self.since.drain(..).for_each(|change| change.apply(&mut self.synced));
    }

    fn after(&self, cut: &mut Cut) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        self.since.iter().filter(|_| cut.keeps()).for_each(|change| change.apply(&mut bytes));
        bytes
    }
}

impl Folder {
    /// What has this name.
    pub fn find(&self, name: &OsStr) -> Option<u64> {
        self.now.get(name).copied()
    }

    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = (&OsString, u64)> {
        self.now.iter().map(|(name, node)| (name, *node))
    }

    /// Gives a name, taking it from what had it.
    pub fn link(&mut self, name: &OsStr, node: u64) {
        self.now.insert(name.to_owned(), node);
    }

    /// Takes a name away.
    pub fn unlink(&mut self, name: &OsStr) -> Option<u64> {
        self.now.remove(name)
    }

    /// Its names are there after a cut.
    pub fn sync(&mut self) {
        self.synced.clone_from(&self.now);
    }

    fn after(&self, cut: &mut Cut) -> BTreeMap<OsString, u64> {
        let names: BTreeSet<&OsString> = self.synced.keys().chain(self.now.keys()).collect();
        let found = names.into_iter().filter_map(|name| {
            let changed = self.now.get(name) != self.synced.get(name);
            let names = if changed && cut.keeps() { &self.now } else { &self.synced };
            Some((name.clone(), *names.get(name)?))
        });
        found.collect()
    }
}

impl Disk {
    /// With nothing on it.
    pub fn new() -> Disk {
        Disk { nodes: vec![Node::Folder(Folder::default())] }
    }

    /// Adds what has no name yet.
    pub fn add(&mut self, node: Node) -> u64 {
        self.nodes.push(node);
        self.nodes.len() as u64
    }

    /// What has this number.
    pub fn node(&mut self, number: u64) -> &mut Node {
        &mut self.nodes[number as usize - 1]
    }

    /// The file of this number.
    pub fn file(&mut self, number: u64) -> Option<&mut File> {
        match self.node(number) {
            Node::File(file) => Some(file),
            Node::Folder(_) => None,
        }
    }

    /// The folder of this number.
    pub fn folder(&mut self, number: u64) -> Option<&mut Folder> {
        match self.node(number) {
            Node::Folder(folder) => Some(folder),
            Node::File(_) => None,
        }
    }

    /// How much was written to a file since it was synced, at most.
    pub fn unsynced_bytes(&self) -> usize {
        let files = self.nodes.iter().map(|node| match node {
            Node::File(file) => file.since.iter().map(Change::bytes).sum(),
            Node::Folder(_) => 0,
        });
        files.max().unwrap_or(0)
    }

    /// Puts into `dir` what is there after a cut.
    pub fn after(&self, mut cut: Cut, dir: &Path) -> io::Result<()> {
        self.put(ROOT, &mut cut, dir)
    }

    fn put(&self, number: u64, cut: &mut Cut, path: &Path) -> io::Result<()> {
        match &self.nodes[number as usize - 1] {
            Node::File(file) => fs::write(path, file.after(cut)),
            Node::Folder(folder) => {
                fs::create_dir_all(path)?;
                folder.after(cut).iter().try_for_each(|(name, node)| self.put(*node, cut, &path.join(name)))
            }
        }
    }
}
