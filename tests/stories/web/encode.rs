//! A film goes in and comes out, and nobody needs a command line.

use std::path::Path;

use pinode_jepsen::testbed::number;
use pinode_jepsen::{Testbed, media};

use super::browser::Browser;
use super::{film, three};

fn folders(bed: &Testbed) -> Vec<String> {
    let entries = std::fs::read_dir(bed.shared_dir().join("films")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_film_dropped_in_comes_out_whole_though_a_node_dies_on_the_way() {
    let bed = three();
    let film = film(&bed, "holiday.mp4", "640x360", 30);
    let browser = Browser::open(1200, 900);
    browser.goto(&format!("{}/#/encode", bed.url(1)));
    browser.keys("[name=parts]", "8");
    browser.keys("[name=bitrate]", "1M");
    browser.choose(&[&film]);
    browser.until("document.querySelector('.filmlist .film')");
    browser.shot("encode");
    browser.until("document.querySelector('.film .steps')");
    browser.js("document.querySelector('.film .acts a[href^=\"#/graph\"]').click()");
    let busy = "[...document.querySelectorAll('.tile.running')].map((tile) => tile.getAttribute('aria-label'))\
                .find((label) => /^encode.* on n[23]$/.test(label))";
    browser.until(busy);
    browser.shot("graph");
    let label = browser.js(&format!("return {busy};"));
    let node = label.as_str().and_then(|label| label.rsplit(' ').next()).unwrap_or("n2");
    bed.cut(number(node).unwrap()).unwrap();
    browser.js("location.hash = '#/'");
    browser.until_says(".shelf .pill", "lost");
    browser.shot("now");
    browser.js("location.hash = '#/encode'");
    browser.until_says(".film .pill", "succeeded");
    browser.until_says(".film .quiet", "as many as the source has");
    browser.js(
        "[...document.querySelectorAll('.film button')].find((one) => one.textContent === 'Play').click()",
    );
    browser
        .until("document.querySelector('video')?.readyState >= 2 || document.querySelector('video')?.error");
    browser.js("document.querySelector('video').currentTime = 20");
    browser.until(
        "document.querySelector('video').currentTime >= 19 && !document.querySelector('video').seeking",
    );
    assert_eq!(browser.js("return document.querySelector('video').error"), serde_json::Value::Null);
    browser.shot("film");
    browser.js("location.hash = '#/cluster'");
    browser.until("document.querySelectorAll('.bar').length > 8");
    browser.until("document.querySelector('.bar.failed') && document.querySelector('.bar.again')");
    browser.shot("cluster");
    browser.js("location.hash = '#/containers'");
    browser.until("document.querySelectorAll('.all tbody tr').length === 11");
    browser.shot("containers");
    let id = bed.client(1).get("/api/v1/videos").unwrap().body[0]["id"].as_str().unwrap().to_owned();
    let out = bed.machine(1).join("out.mp4");
    bed.client(1).fetch(&format!("/api/v1/videos/{id}/result"), &out).unwrap();
    let (source, result) = (media::probe(&film).unwrap(), media::probe(&out).unwrap());
    assert_eq!(result.frames, source.frames);
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn several_films_at_once_with_names_as_people_give_them_and_what_is_no_film_is_refused() {
    let bed = three();
    let umlauts = film(&bed, "Übermut & Süße \"2\".mp4", "160x120", 3);
    let spaces = film(&bed, "my film's <b>.mp4", "160x120", 2);
    let (text, empty) = (bed.machine(1).join("text.mp4"), bed.machine(1).join("empty.mp4"));
    std::fs::write(&text, "this is no film").unwrap();
    std::fs::write(&empty, "").unwrap();
    let browser = Browser::open(390, 844);
    browser.goto(&format!("{}/#/encode", bed.url(2)));
    let files: [&Path; 4] = [&umlauts, &spaces, &text, &empty];
    browser.choose(&files);
    browser.until_says(".wrong", "text.mp4: ");
    browser.until_says(".wrong", "the file is empty");
    browser.until("document.querySelectorAll('.filmlist .film').length === 2");
    browser.until_says(".film h3", "Übermut & Süße \"2\".mp4");
    browser.until_says(".film h3", "my film's <b>.mp4");
    browser.keys("[name=name]", "../../x");
    browser.choose(&[&spaces]);
    browser.until_says("label .wrong", "`../../x` is no name of a film");
    browser.shot("refused-phone");
    browser.until("[...document.querySelectorAll('.filmlist .pill')].every((pill) => pill.textContent.includes('succeeded'))");
    let saved = browser.js("return fetch(document.querySelector('.film a[download]').href).then((r) => r.headers.get('content-disposition'))");
    assert!(saved.as_str().is_some_and(|name| name.ends_with(".mp4")), "{saved}");
    assert_eq!(folders(&bed).len(), 2, "{:?}", folders(&bed));
    let beside: Vec<_> =
        [bed.shared_dir().join("x"), bed.folder().join("x"), bed.folder().join("../x")].into();
    assert!(beside.iter().all(|path| !path.exists()));
    // Refusals are errors of the network to the console, and nothing else is there.
    let complaints = browser.complaints();
    assert!(
        complaints.iter().all(|line| line.contains("the server responded with a status of 4")),
        "{complaints:?}"
    );
}
