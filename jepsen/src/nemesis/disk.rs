//! A file system of its own for what each pinode stores: so small that it can be filled, and on a device that can be made
//! slow or fail. It lives in the machine's own mounts, and goes with the machine.

use super::Ground;

/// Size of the file system, in MiB: some of pinode's segments, and not many.
const MEBIBYTES: u64 = 96;
/// What the device may hold, in MiB: everything, as long as nobody takes it away.
const BACKING: u64 = 112;

/// Before any pinode starts: gives machine `k` such a disk.
pub fn mount(ground: &Ground, k: usize) -> anyhow::Result<()> {
    let (folder, backing) = (ground.bed.data_dir(k), backing(ground, k));
    let script = format!(
        "set -e; mkdir -p '{backing}' '{folder}'
         mount -t tmpfs -o size={BACKING}m tmpfs '{backing}'
         truncate -s {MEBIBYTES}M '{backing}/disk.img'
         mkfs.ext4 -q -m0 -E lazy_itable_init=0,lazy_journal_init=0 '{backing}/disk.img'
         mount -o loop '{backing}/disk.img' '{folder}'",
        folder = folder.display(),
    );
    sh(ground, k, &script)
}

/// Where the device of machine `k` has its bytes.
pub(super) fn backing(ground: &Ground, k: usize) -> String {
    ground.bed.machine(k).join("backing").display().to_string()
}

/// Whether machine `k` has such a disk.
pub(super) fn is_there(ground: &Ground, k: usize) -> bool {
    ground.bed.exec(k, &["mountpoint", "-q", &ground.bed.data_dir(k).display().to_string()]).is_ok()
}

/// A few words of shell on machine `k`.
pub(super) fn sh(ground: &Ground, k: usize, script: &str) -> anyhow::Result<()> {
    ground.bed.exec(k, &["sh", "-c", script]).map(drop)
}
