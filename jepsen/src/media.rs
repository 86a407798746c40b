//! Films on this host: one is made where none is given, and what comes back is counted by somebody else than pinode.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::history::Probed;

/// Long enough that the encoders still work when the power goes.
const SECONDS: u32 = 30;

/// Makes the film of the demo at `path`: moving pictures with a clock, a tone, a key frame every two seconds.
pub fn make(top: &Path, path: &Path) -> anyhow::Result<()> {
    let script = ". \"$0\"; film_make \"$1\" \"$2\"";
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(top.join("deploy/lib/film.sh")).arg(path).arg(SECONDS.to_string());
    output(&mut command).map(drop)
}

/// Frames, length and sound of a film.
pub fn probe(path: &Path) -> anyhow::Result<Probed> {
    let counted = ["-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames"];
    let frames = ffprobe(path, &counted)?;
    let seconds = ffprobe(path, &["-show_entries", "format=duration"])?;
    let sound = ffprobe(path, &["-select_streams", "a", "-show_entries", "stream=codec_type"])?;
    Ok(Probed {
        frames: frames.parse().with_context(|| format!("count the frames of {}", path.display()))?,
        seconds: seconds.parse().with_context(|| format!("read the length of {}", path.display()))?,
        sound: sound.lines().any(|line| line.starts_with("audio")),
    })
}

fn ffprobe(path: &Path, what: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error"]).args(what).args(["-of", "csv=p=0"]).arg(path);
    Ok(output(&mut command)?.trim().trim_end_matches(',').to_owned())
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed:\n{said}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
