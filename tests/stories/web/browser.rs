//! A headless chromium, driven by its chromedriver. WebDriver is JSON over HTTP, and the harness has a client for that.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pinode_jepsen::Client;
use pinode_jepsen::testbed::await_true;
use serde_json::{Value, json};

/// A step in the browser waits so long at most.
const WITHIN: Duration = Duration::from_secs(180);
/// A page is loaded so soon, or something was lost.
const LOADED_WITHIN: Duration = Duration::from_secs(20);
/// What chromium says when an interface of this host comes or goes; it is no fault of the page.
const NETWORK_CHANGED: &str = "ERR_NETWORK_CHANGED";
/// The name that WebDriver gives an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page; it ends with this.
pub(super) struct Browser {
    driver: Child,
    client: Client,
    session: String,
}

impl Browser {
    /// A window of `width` × `height`, light or dark.
    pub(super) fn open(width: u32, height: u32) -> Browser {
        let mut command = Command::new("chromedriver");
        let mut driver =
            command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = said.find_map(|line| {
            let line = line.unwrap();
            line.rsplit_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        std::thread::spawn(move || said.count());
        let client = Client::new(&format!("http://127.0.0.1:{}", port.unwrap()));
        let size = format!("--window-size={width},{height}");
        let args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", &size];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": args},
        }}});
        let made = client.within(WITHIN).post("/session", &wanted).unwrap().ok().unwrap();
        let session = format!("/session/{}", made["value"]["sessionId"].as_str().unwrap());
        let browser = Browser { driver, client, session };
        browser.look("light", width, height);
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        self.client.post(&path, body).unwrap().ok().unwrap()["value"].clone()
    }

    /// What chromium's own protocol can do.
    pub(super) fn cdp(&self, command: &str, params: Value) {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": params}));
    }

    /// `light` or `dark`, and a size.
    pub(super) fn look(&self, scheme: &str, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.cdp("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.cdp("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// Opens a page, until it follows its node. A machine that comes or goes changes this host's network, and chromium
    /// ends what it was just loading.
    pub(super) fn goto(&self, url: &str) {
        let follows = "return document.querySelector('.link.live') !== null;";
        for _ in 0..3 {
            self.post("/url", &json!({"url": "about:blank"}));
            self.post("/url", &json!({"url": url}));
            if await_true(LOADED_WITHIN, || self.js(follows) == true).is_ok() {
                return;
            }
        }
        panic!("{url} does not come to life: {:?}", self.complaints());
    }

    /// What a script returns.
    pub(super) fn js(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Until an expression of the page is true.
    pub(super) fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression});");
        if await_true(WITHIN, || self.js(&script) == true).is_err() {
            self.shot("surprise");
            panic!("never true: {expression}\n{}", self.text("body"));
        }
    }

    /// Until the page says so somewhere in `css`.
    pub(super) fn until_says(&self, css: &str, words: &str) {
        let (css, words) = (json!(css), json!(words));
        self.until(&format!(
            "[...document.querySelectorAll({css})].some((one) => one.textContent.includes({words}))"
        ));
    }

    pub(super) fn text(&self, css: &str) -> String {
        let css = json!(css);
        let text = self.js(&format!("return document.querySelector({css})?.innerText ?? '';"));
        text.as_str().unwrap_or_default().to_owned()
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// A click by a pointer.
    pub(super) fn click(&self, css: &str) {
        self.post(&format!("/element/{}/click", self.element(css)), &json!({}));
    }

    /// Keys, into a field; for a choice of files, their paths a line each.
    pub(super) fn keys(&self, css: &str, text: &str) {
        self.post(&format!("/element/{}/value", self.element(css)), &json!({"text": text}));
    }

    /// Chooses files as somebody does who does not drop them.
    pub(super) fn choose(&self, files: &[&Path]) {
        let paths: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
        self.keys("#film", &paths.join("\n"));
    }

    /// Keeps a picture of the page.
    pub(super) fn shot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tests/screens");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        let seen = self.client.get(&format!("{}/screenshot", self.session)).unwrap().ok().unwrap();
        fs::write(&path, base64(seen["value"].as_str().unwrap())).unwrap();
        path
    }

    /// What the console says: errors of scripts, and what the policy refused.
    pub(super) fn complaints(&self) -> Vec<String> {
        let lines = self.post("/se/log", &json!({"type": "browser"}));
        let lines = lines.as_array().unwrap().iter();
        let lines = lines.map(|line| format!("{} {}", line["level"], line["message"]));
        lines.filter(|line| !line.contains(NETWORK_CHANGED)).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session, and the driver after it.
        let ended = self.client.delete(&self.session).is_ok();
        let killed = self.driver.kill().is_ok();
        let waited = self.driver.wait().is_ok();
        if !(ended && killed && waited) {
            eprintln!("the browser did not end in order");
        }
    }
}

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|letter| LETTERS.iter().position(|known| *known == letter));
    let digits: Vec<usize> = digits.collect();
    let piece = |four: &[usize]| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        (0..four.len() - 1).map(move |at| (bits >> (16 - 8 * at)) as u8).collect::<Vec<u8>>()
    };
    digits.chunks(4).flat_map(piece).collect()
}
