//! The job that pinode was made for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pinode_jepsen::Testbed;
use serde_json::Value;

use crate::world::{states, three};

/// A film of `seconds` seconds in `size`, with a key frame every second, and sound.
fn film(bed: &Testbed, name: &str, size: &str, seconds: u32) -> PathBuf {
    let path = bed.machine(1).join(name);
    let picture = format!("testsrc2=size={size}:rate=25:duration={seconds}");
    let sound = format!("sine=frequency=440:duration={seconds}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    path
}

fn probe(path: &Path, what: &[&str]) -> String {
    let output =
        Command::new("ffprobe").args(["-v", "error"]).args(what).args(["-of", "csv=p=0"]).arg(path).output();
    String::from_utf8_lossy(&output.unwrap().stdout).trim().trim_end_matches(',').to_owned()
}

fn frames(path: &Path) -> u64 {
    let counted = ["-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames"];
    probe(path, &counted).parse().unwrap()
}

fn encode(bed: &Testbed, k: usize, film: &Path, out: &Path, parts: &str) -> std::process::Child {
    let args =
        ["encode", film.to_str().unwrap(), "-n", parts, "--bitrate", "300k", "-o", out.to_str().unwrap()];
    let mut command = bed.program(&[k]).command(&[&args[..], &["--format", "json"]].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: std::process::Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn two_films_at_once_never_mix() {
    let bed = three();
    bed.image("build").unwrap();
    let (small, large) = (film(&bed, "small.mp4", "160x120", 4), film(&bed, "large.mp4", "320x240", 6));
    let (small_out, large_out) = (bed.machine(1).join("small.out.mp4"), bed.machine(1).join("large.out.mp4"));
    let first = encode(&bed, 1, &small, &small_out, "3");
    let second = encode(&bed, 2, &large, &large_out, "2");
    let (first, second) = (ended(first), ended(second));
    assert_eq!((&first["parts"], &first["frames_out"]), (&3.into(), &100.into()), "{first}");
    assert_eq!((&second["parts"], &second["frames_out"]), (&2.into(), &150.into()), "{second}");
    let size = ["-select_streams", "v:0", "-show_entries", "stream=width,height"];
    assert_eq!((frames(&small_out), probe(&small_out, &size)), (100, "160,120".to_owned()));
    assert_eq!((frames(&large_out), probe(&large_out, &size)), (150, "320,240".to_owned()));
    assert_eq!(probe(&large_out, &["-select_streams", "a", "-show_entries", "stream=codec_type"]), "audio");
}

#[test]
fn what_is_no_film_is_refused_at_the_door_and_leaves_nothing() {
    let bed = three();
    bed.image("build").unwrap();
    let folder = bed.machine(1);
    std::fs::write(folder.join("text.mp4"), "this is no film").unwrap();
    std::fs::write(folder.join("empty.mp4"), "").unwrap();
    for (name, word) in [("text.mp4", "text.mp4"), ("empty.mp4", "empty"), ("nobody.mp4", "nobody.mp4")] {
        let path = folder.join(name);
        let printed = bed.program(&[1]).run(&["encode", path.to_str().unwrap()]).unwrap();
        assert!(printed.code == 125 && printed.err.contains(word), "{printed:?}");
    }
    assert_eq!(states(&bed.client(1)), []);
    let left = std::fs::read_dir(bed.shared_dir().join("films")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

#[test]
fn without_the_film_image_the_refusal_names_it_and_the_command_that_makes_it() {
    let bed = three();
    let film = bed.machine(1).join("film.mp4");
    std::fs::write(&film, "whatever").unwrap();
    let printed = bed.program(&[2]).run(&["encode", film.to_str().unwrap()]).unwrap();
    assert!(printed.code == 125, "{printed:?}");
    assert!(
        printed.err.contains("pinode/film:local") && printed.err.contains("deploy/images/build"),
        "{printed:?}"
    );
}
