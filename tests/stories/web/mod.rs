//! The pages, in a real browser.

mod broken;
mod browser;
mod encode;
mod live;

use std::path::{Path, PathBuf};
use std::process::Command;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::Options;

/// Machines of their own.
fn options() -> Options {
    Options { prefix: "pnw".into(), subnet: "10.77.72".into(), ..Options::STORY }
}

/// Three of them, with the film image.
fn three() -> Testbed {
    let bed = Testbed::whole(&options(), Path::new(env!("CARGO_BIN_EXE_pinode"))).unwrap();
    bed.image("build").unwrap();
    bed
}

/// A film of `seconds` seconds in `size`, with a key frame each second.
fn film(bed: &Testbed, name: &str, size: &str, seconds: u32) -> PathBuf {
    let path = bed.machine(1).join(name);
    let picture = format!("testsrc2=size={size}:rate=25:duration={seconds}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", &picture, "-c:v", "libx264"])
        .args(["-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    path
}
