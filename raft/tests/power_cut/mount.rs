//! The disk, mounted: what a program does to files in it is done to the disk, call by call.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::disk::{Disk, File, Folder, Node};

/// The kernel asks each time.
const NOT_KEPT: Duration = Duration::ZERO;

/// Called before each sync, when as much as ever is unsynced. It must not look into what it takes: who waits for the sync
/// may be who it waits for.
pub type BeforeSync = Box<dyn FnMut(&Disk) + Send>;

/// What a sync does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncing {
    /// What it says.
    Honest,
    /// Nothing.
    Lying,
}

struct Mounted {
    disk: Mutex<Disk>,
    syncing: Syncing,
    before_sync: Mutex<BeforeSync>,
}

/// Mounts an empty disk, until what this returns is dropped.
pub fn mount(at: &Path, syncing: Syncing, before_sync: BeforeSync) -> io::Result<BackgroundSession> {
    let disk = Mutex::new(Disk::new());
    let mounted = Mounted { disk, syncing, before_sync: Mutex::new(before_sync) };
    fuser::spawn_mount(mounted, at, &Config::default())
}

impl Mounted {
    fn with<T>(&self, act: impl FnOnce(&mut Disk) -> Option<T>) -> Result<T, Errno> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut disk).ok_or(Errno::ENOENT)
    }

    fn sync(&self, act: impl FnOnce(&mut Disk) -> Option<()>, reply: ReplyEmpty) {
        let synced = self.with(|disk| {
            (self.before_sync.lock().unwrap_or_else(PoisonError::into_inner))(disk);
            if self.syncing == Syncing::Lying { Some(()) } else { act(disk) }
        });
        answer(synced, reply);
    }

    fn attributes(&self, number: u64) -> Result<FileAttr, Errno> {
        self.with(|disk| Some(attributes(disk, number)))
    }

    fn make(&self, parent: INodeNo, name: &OsStr, node: Node) -> Result<FileAttr, Errno> {
        self.with(|disk| {
            let number = disk.add(node);
            disk.folder(parent.0)?.link(name, number);
            Some(attributes(disk, number))
        })
    }
}

fn attributes(disk: &mut Disk, number: u64) -> FileAttr {
    let (kind, size) = match disk.node(number) {
        Node::File(file) => (FileType::RegularFile, file.len() as u64),
        Node::Folder(_) => (FileType::Directory, 0),
    };
    FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: 0o700,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4_096,
        flags: 0,
    }
}

fn answer(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.with(|disk| {
            let number = disk.folder(parent.0)?.find(name)?;
            Some(attributes(disk, number))
        });
        match found {
            Ok(found) => reply.entry(&NOT_KEPT, &found, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(node.0) {
            Ok(found) => reply.attr(&NOT_KEPT, &found),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changed = self.with(|disk| {
            if let Some(size) = size {
                disk.file(node.0)?.resize(size as usize);
            }
            Some(attributes(disk, node.0))
        });
        match changed {
            Ok(changed) => reply.attr(&NOT_KEPT, &changed),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        match self.make(parent, name, Node::Folder(Folder::default())) {
            Ok(made) => reply.entry(&NOT_KEPT, &made, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        match self.make(parent, name, Node::File(File::default())) {
            Ok(made) => {
                reply.created(&NOT_KEPT, &made, Generation(0), FileHandle(0), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(self.with(|disk| disk.folder(parent.0)?.unlink(name).map(drop)), reply);
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.unlink(request, parent, name, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to_parent: INodeNo,
        to_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let renamed = self.with(|disk| {
            let number = disk.folder(parent.0)?.unlink(name)?;
            disk.folder(to_parent.0)?.link(to_name, number);
            Some(())
        });
        answer(renamed, reply);
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        from: u64,
        length: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.with(|disk| Some(disk.file(node.0)?.read(from as usize, length as usize).to_vec())) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        at: u64,
        bytes: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.with(|disk| {
            disk.file(node.0)?.write(at as usize, bytes);
            Some(())
        });
        match written {
            Ok(()) => reply.written(bytes.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(|disk| disk.file(node.0).map(File::sync), reply);
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(|disk| disk.folder(node.0).map(Folder::sync), reply);
    }

    fn readdir(&self, _: &Request, node: INodeNo, _: FileHandle, from: u64, mut reply: ReplyDirectory) {
        let names = self.with(|disk| {
            let names: Vec<_> =
                disk.folder(node.0)?.names().map(|(name, number)| (name.clone(), number)).collect();
            let kinds = names.into_iter().map(|(name, number)| {
                let kind = attributes(disk, number).kind;
                (name, number, kind)
            });
            Some(kinds.collect::<Vec<_>>())
        });
        match names {
            Ok(names) => {
                for (place, (name, number, kind)) in (1..).zip(names).skip(from as usize) {
                    if reply.add(INodeNo(number), place, kind, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(error) => reply.error(error),
        }
    }
}
