//! A connection that breaks costs what was on the wire, and nothing more.

use std::fs::OpenOptions;

use serde_json::json;

use super::browser::Browser;
use super::{film, three};

/// The film is padded to this, so that there is time to break it, in bytes.
const SIZE: u64 = 48 << 20;
/// The browser's line, in bytes a second.
const LINE: u64 = 6 << 20;

#[test]
fn an_upload_goes_on_where_it_was_after_a_restart_and_at_another_node() {
    let bed = three();
    let film = film(&bed, "long.mp4", "160x120", 3);
    // What follows the film in its file is ignored by who reads it.
    OpenOptions::new().write(true).open(&film).unwrap().set_len(SIZE).unwrap();
    let browser = Browser::open(1200, 900);
    browser.goto(&format!("{}/#/encode", bed.url(1)));
    browser.cdp("Network.enable", json!({}));
    let line = json!({"offline": false, "latency": 5, "downloadThroughput": -1, "uploadThroughput": LINE});
    browser.cdp("Network.emulateNetworkConditions", line);
    browser.choose(&[&film]);
    let sent = |share: f64| browser.until(&format!("document.querySelector('progress')?.value > {share}"));
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
