//! What the stories have in common.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pinode_jepsen::testbed::{Options, await_true};
use pinode_jepsen::{Client, Testbed};
use serde_json::{Value, json};

/// Longest wait for something that should happen by itself.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Three machines, all up.
pub(crate) fn three() -> Testbed {
    Testbed::whole(&Options::STORY, Path::new(env!("CARGO_BIN_EXE_pinode"))).unwrap()
}

/// Starts another pinode than usual on machine `k`, or in another environment.
pub(crate) fn start_with(bed: &Testbed, k: usize, pinode: &Path, env: &[(&str, &str)]) {
    let mut script = Command::new(bed.top().join("deploy/testbed"));
    script.args(["start-node", &k.to_string(), "--state"]).arg(bed.folder());
    let lease = Options::STORY.lease_seconds.unwrap_or(10.0).to_string();
    script.env("PINODE", pinode).env("PINODE_LEASE_SECONDS", lease).envs(env.iter().copied());
    let said = script.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// A container of the test image that runs `script` in a shell.
pub(crate) fn shell(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "busybox:local", "cmd": ["sh", "-c", script], "network_mode": "none"})
}

/// Starts the container `long` on node `k`, and returns when it runs there.
pub(crate) fn long_runs_on(bed: &Testbed, k: usize, script: &str) {
    let mut long = shell("long", script);
    long["constraints"] = json!([format!("node==n{k}")]);
    bed.client(k).submit(&long).unwrap();
    await_state(&bed.client(k), "long", &["running"]);
}

/// The same as `shell`, waiting for `waitfor`.
pub(crate) fn shell_after(name: &str, script: &str, waitfor: &str) -> Value {
    let mut spec = shell(name, script);
    spec["waitfor"] = json!([waitfor]);
    spec
}

/// Until `name` is in one of `states`.
pub(crate) fn await_state(client: &Client, name: &str, states: &[&str]) -> Value {
    let mut seen = Value::Null;
    let reached = await_true(SOON, || {
        seen = client.container(name).unwrap_or(Value::Null);
        states.iter().any(|state| seen["state"] == **state)
    });
    assert!(reached.is_ok(), "{name} should be {}, and is: {seen:#}", states.join(" or "));
    seen
}

/// Names and states of all containers, as `client`'s node has them.
pub(crate) fn states(client: &Client) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = client.containers_here().unwrap();
    all.iter().map(|container| (text(&container["name"]), text(&container["state"]))).collect()
}

/// RFC 3339 text sorts as time, once all fractions are equally long.
pub(crate) fn moment(container: &Value, field: &str) -> String {
    let text = container[field].as_str().unwrap_or_else(|| panic!("{field} of {container:#}"));
    let (seconds, fraction) =
        text.trim_end_matches('Z').split_once('.').unwrap_or((text.trim_end_matches('Z'), "0"));
    format!("{seconds}.{fraction:0<9}")
}
