//! A connection that breaks costs what was on the wire, and nothing more; a disk that is full costs nothing that was sent.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use pinode_jepsen::Testbed;
use serde_json::json;

use super::browser::Browser;
use super::{film, options, three};
use crate::disk::Small;
use crate::world::states;

/// The film is padded to this, so that there is time to break it, in bytes.
const SIZE: u64 = 48 << 20;
/// The browser's line, in bytes a second.
const LINE: u64 = 6 << 20;

fn long_film(bed: &Testbed) -> PathBuf {
    let film = film(bed, "long.mp4", "160x120", 3);
    // What follows the film in its file is ignored by who reads it.
    OpenOptions::new().write(true).open(&film).unwrap().set_len(SIZE).unwrap();
    film
}

/// The page of node 1.
fn on_a_thin_line(bed: &Testbed) -> Browser {
    let browser = Browser::open(1200, 900);
    browser.goto(&format!("{}/#/encode", bed.url(1)));
    browser.cdp("Network.enable", json!({}));
    let line = json!({"offline": false, "latency": 5, "downloadThroughput": -1, "uploadThroughput": LINE});
    browser.cdp("Network.emulateNetworkConditions", line);
    browser
}

/// That so much of the film has been sent, for the browser.
fn sent(share: f64) -> String {
    format!("document.querySelector('progress')?.value > {share}")
}

#[test]
fn an_upload_goes_on_where_it_was_after_a_restart_and_at_another_node() {
    let bed = three();
    let film = long_film(&bed);
    let browser = on_a_thin_line(&bed);
    browser.choose(&[&film]);
    let sent = |share: f64| browser.until(&sent(share));
    sent(0.2);
    bed.kill_node(1).unwrap();
    browser.until_says(".film .wrong", "the connection broke");
    browser.shot("broken");
    bed.start_node(1).unwrap();
    sent(0.45);
    bed.kill_node(1).unwrap();
    browser.goto(&format!("{}/#/encode", bed.url(2)));
    browser.choose(&[&film]);
    browser.until_says(".film .quiet", "went on where it was");
    browser.until("document.querySelector('.filmlist .film')");
    let id = bed.client(2).get("/api/v1/videos").unwrap().body[0]["id"].as_str().unwrap().to_owned();
    let source = bed.shared_dir().join("films").join(id).join("source");
    assert!(std::fs::read(source).unwrap() == std::fs::read(&film).unwrap(), "each byte is in its place");
    let left = bed.client(2).get("/api/v1/uploads").unwrap().body;
    assert_eq!(left, json!([]));
}

#[test]
fn a_disk_that_fills_up_stops_an_upload_visibly_and_it_goes_on_once_there_is_room() {
    let bed = Testbed::up(&options(), Path::new(env!("CARGO_BIN_EXE_pinode"))).unwrap();
    bed.image("build").unwrap();
    let _small = Small::over(&bed, &bed.shared_dir(), 128, &[1, 2, 3]);
    bed.start_nodes().unwrap();
    bed.await_whole().unwrap();
    let film = long_film(&bed);
    let browser = on_a_thin_line(&bed);
    let huge = bed.machine(1).join("huge.mp4");
    File::create(&huge).unwrap().set_len(256 << 20).unwrap();
    browser.choose(&[&huge]);
    browser.until_says(".film .wrong, .wrong", "full");
    browser.choose(&[&film]);
    browser.until(&sent(0.2));
    let filler = bed.shared_dir().join("filler").display().to_string();
    bed.exec(1, &["sh", "-c", &format!("cat /dev/zero > {filler} 2>&1; true")]).unwrap();
    browser.until("[...document.querySelectorAll('.film .wrong')].filter((one) => one.textContent.includes('full')).length === 2");
    browser.shot("full");
    assert_eq!(
        bed.client(2).get("/api/v1/videos").unwrap().body,
        json!([]),
        "nothing of it is taken for a film"
    );
    assert_eq!(states(&bed.client(2)), [], "and nothing runs for it");
    bed.exec(1, &["rm", &filler]).unwrap();
    browser.choose(&[&film]);
    browser.until_says(".film .quiet", "went on where it was");
    browser.until("document.querySelector('.filmlist .film')");
    let id = bed.client(2).get("/api/v1/videos").unwrap().body[0]["id"].as_str().unwrap().to_owned();
    let source = bed.shared_dir().join("films").join(id).join("source");
    bed.exec(2, &["cmp", source.to_str().unwrap(), film.to_str().unwrap()]).unwrap();
}
