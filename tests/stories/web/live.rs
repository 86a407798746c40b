//! The pages are fresh, quick and quiet, and outlive the node that serves them.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::browser::Browser;
use super::three;
use crate::world::{shell, shell_after};

/// Everything of the first visit, in bytes.
const FIRST_LOAD: u64 = 100_000;
/// One update's scripts, in milliseconds.
const UPDATE_MS: f64 = 100.0;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn the_page_moves_to_another_node_when_its_own_dies() {
    let bed = three();
    let chain = json!({"name": "chain", "containers": [
        shell("first", "sleep 600"),
        shell_after("second", "true", "container==first"),
    ]});
    bed.client(1).post("/api/v1/pipelines", &chain).unwrap().ok().unwrap();
    let browser = Browser::open(1000, 700);
    browser.goto(&format!("{}/#/graph/chain", bed.url(1)));
    browser.until_says(".tile.running", "first");
    browser.until_says(".tile.blocked", "second");
    browser.click(".tile.blocked");
    browser.until_says(".detail .why", "not met");
    bed.kill_node(1).unwrap();
    browser.until(&format!("location.origin !== '{}'", bed.url(1)));
    assert_eq!(browser.js("return location.hash"), "#/graph/chain?container=chain.second");
    browser.until_says(".said", "n1 fell silent");
    browser.until_says(".detail h2", "second");
    let other = bed.client(2);
    other.post_text("/api/v1/containers/chain.first/stop", "").unwrap();
    browser.until_says(".tile.cancelled", "first");
    browser.until_says(".tile.skipped", "second");
}

#[test]
fn three_hundred_containers_are_quick_to_draw_and_an_idle_page_asks_nothing() {
    let bed = three();
    let browser = Browser::open(1200, 900);
    browser.goto(&bed.url(3));
    browser.until("document.querySelectorAll('.board').length === 3");
    let loaded = "return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))\
                  .filter((one) => !one.name.includes('/api/')).reduce((sum, one) => sum + one.transferSize, 0)";
    let loaded = browser.js(loaded);
    assert!(loaded.as_u64().is_some_and(|bytes| bytes > 10_000 && bytes < FIRST_LOAD), "{loaded} bytes");

    let worker = |k: usize| shell_after(&format!("work{k}"), "true", "container==begin");
    let mut containers = vec![shell("begin", "sleep 600")];
    containers.extend((0..298).map(worker));
    containers.push(shell_after("finish", "true", "container==work*,count=298"));
    let many = json!({"name": "many", "containers": containers});
    bed.client(1).post("/api/v1/pipelines", &many).unwrap().ok().unwrap();
    for (hash, css) in [("#/graph/many", ".tile"), ("#/containers", ".all tbody tr")] {
        browser.js(&format!("location.hash = {}", json!(hash)));
        browser.until(&format!("document.querySelectorAll('{css}').length >= 300"));
        browser.js("performance.clearMeasures()");
        for k in 0..6 {
            let name = format!("{}{k}", css.len());
            bed.client(2).submit(&shell_after(&name, "true", "container==many.finish")).unwrap();
            sleep(Duration::from_millis(700));
        }
        browser.until("performance.getEntriesByName('pinode-update').length > 3");
        let median = "const all = performance.getEntriesByName('pinode-update').map((one) => one.duration).sort((a, b) => a - b);\
                      return all[Math.floor(all.length / 2)];";
        let median = number(&browser.js(median));
        println!("{hash}: the median update takes {median:.1} ms");
        assert!(median < UPDATE_MS, "{hash}: {median} ms");
        browser.shot(if css == ".tile" { "graph-300" } else { "containers-300" });
    }

    browser.js("performance.clearResourceTimings()");
    sleep(Duration::from_secs(6));
    let asked = browser.js("return performance.getEntriesByType('resource').map((one) => one.name)");
    assert_eq!(asked, json!([]), "an idle page asks nothing");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
