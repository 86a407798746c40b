//! The stock `docker` command, and its kin, against any node.

mod compose;
mod endpoints;
mod images;
mod placing;
mod service;
mod strangers;
mod waiting;

use pinode_jepsen::program::Program;

/// Runs a container of the test image in the background; its id.
pub(super) fn run(docker: &Program, name: &str, options: &[&str], script: &str) -> String {
    let head = ["run", "-d", "--net", "none", "--name", name];
    let args: Vec<&str> =
        head.iter().chain(options).chain(&["busybox:local", "sh", "-c", script]).copied().collect();
    docker.prints(&args).unwrap().trim().to_owned()
}

/// One field of `inspect`.
pub(super) fn field(docker: &Program, name: &str, field: &str) -> String {
    docker.prints(&["inspect", "-f", &format!("{{{{{field}}}}}"), name]).unwrap().trim().to_owned()
}
