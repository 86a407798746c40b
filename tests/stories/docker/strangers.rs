//! Clients that send rubbish, stop in the middle, or are gone: an answer in Docker's shape, and nothing left behind.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use pinode_jepsen::Testbed;
use pinode_jepsen::testbed::await_true;

use super::run;
use crate::world::{SOON, three};

/// Tries of each kind, four kinds: a thousand in all.
const TRIES: usize = 250;

fn connect(bed: &Testbed, k: usize) -> TcpStream {
    let stream = TcpStream::connect(bed.url(k).trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends one request and reads the answer to its end.
fn ask(bed: &Testbed, head: &str, body: &str) -> String {
    let mut stream = connect(bed, 1);
    let request = format!(
        "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_malformed_is_answered_in_dockers_shape() {
    let bed = three();
    let huge = format!("{{\"Image\": \"{}\"}}", "x".repeat(2 << 20));
    for (head, body, status, says) in [
        ("POST /v1.41/containers/create", "{\"Image\": 5}", "400", "Image"),
        ("POST /containers/create", "not json", "400", "JSON"),
        ("POST /containers/create", "{}", "400", "no image"),
        ("POST /containers/create?name=a%20b", "{\"Image\": \"busybox:local\"}", "400", "a b"),
        ("POST /containers/create", &huge, "413", "larger"),
        ("GET /containers/json?filters=%7B", "", "400", "filters"),
        ("GET /containers/json?limit=many", "", "400", "many"),
        ("GET /containers/nobody/json", "", "404", "No such container: nobody"),
        ("POST /containers/nobody/wait?condition=sometime", "", "400", "sometime"),
        ("GET /v1.99/version", "", "400", "too new"),
        ("GET /v1.12/version", "", "400", "too old"),
        ("GET /no/such/page", "", "404", "page not found"),
        ("DELETE /containers/json", "", "405", ""),
    ] {
        let answer = ask(&bed, head, body);
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{head}: {answer}");
        assert!(
            says.is_empty() || answer.contains("{\"message\":") && answer.contains(says),
            "{head}: {answer}"
        );
    }
}

#[test]
fn a_thousand_clients_that_vanish_leave_no_connection_and_no_memory_behind() {
    let bed = three();
    let docker = bed.face(1);
    run(&docker, "ticks", &["-e", "constraint:node==n2"], "while :; do echo tick; sleep 0.1; done");
    run(&docker, "late", &["-e", "waitfor:container==never-there"], "true");
    // What is kept for good (connections between nodes, threads) is made first.
    vanish(&bed, 10);
    let settled = || settle(&bed);
    let (files, memory) = settled();
    vanish(&bed, TRIES);
    let (later_files, later_memory) = settled();
    assert!(
        later_files.iter().zip(&files).all(|(later, before)| *later <= before + 4),
        "open files: {files:?}, then {later_files:?}"
    );
    assert!(later_memory < memory + (24 << 10), "resident: {memory} kB, then {later_memory} kB");
    assert_eq!(docker.prints(&["ps", "-q"]).unwrap().lines().count(), 2, "and it works as before");
}

/// Open files of all nodes, and the memory of the one that was asked, once they no longer fall.
fn settle(bed: &Testbed) -> (Vec<usize>, u64) {
    let files = || {
        bed.all()
            .map(|k| fs::read_dir(format!("/proc/{}/fd", bed.pid(k).unwrap())).unwrap().count())
            .collect::<Vec<_>>()
    };
    let mut before = files();
    let _ = await_true(SOON, || {
        std::thread::sleep(Duration::from_secs(6));
        let now = files();
        let still = now.iter().sum::<usize>() >= before.iter().sum();
        before = now;
        still
    });
    let status = fs::read_to_string(format!("/proc/{}/status", bed.pid(1).unwrap())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (before, resident.trim().trim_end_matches(" kB").parse().unwrap())
}

/// Each of four kinds of clients, so many times.
fn vanish(bed: &Testbed, times: usize) {
    for _ in 0..times {
        // Attached to what waits, gone at once.
        let mut attach = connect(bed, 1);
        attach.write_all(b"POST /containers/late/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n").unwrap();
        let mut head = [0; 12];
        attach.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 101");
        drop(attach);
        // Follows the logs of what runs on another node, and hangs up in the middle.
        let mut logs = connect(bed, 1);
        logs.write_all(b"GET /containers/ticks/logs?follow=1&stdout=1&tail=1 HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        logs.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        drop(logs);
        // Waits, and does not wait for the answer.
        let mut wait = connect(bed, 1);
        wait.write_all(b"POST /containers/late/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").unwrap();
        wait.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        drop(wait);
        // Attached to what runs; closes its own direction first, as clients without stdin do.
        let mut hijack = connect(bed, 1);
        hijack.write_all(b"POST /containers/ticks/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n").unwrap();
        hijack.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 101");
        hijack.shutdown(Shutdown::Write).unwrap();
        let mut some = [0; 64];
        assert!(hijack.read(&mut some).unwrap() > 0, "half-closed, it still hears");
        drop(hijack);
    }
}
