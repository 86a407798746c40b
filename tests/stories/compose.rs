//! A compose file is a pipeline.

use std::fs;

use crate::world::{moment, three};

const FILE: &str = "
name: shop
services:
  database:
    image: busybox:local
    command: sh -c 'sleep 1; touch /tmp/ready; sleep 600'
    network_mode: none
    healthcheck: {test: [CMD, test, -e, /tmp/ready], interval: 1s}
  migrate:
    image: busybox:local
    command: ['true']
    network_mode: none
    depends_on: {database: {condition: service_healthy}}
  report:
    image: busybox:local
    command: sh -c 'echo $$GREETING'
    environment: {GREETING: hello}
    network_mode: none
    depends_on: {migrate: {condition: service_completed_successfully}, database: {condition: service_started}}
    deploy: {resources: {limits: {cpus: '0.5', memory: 32M}}}
";

#[test]
fn depends_on_with_its_three_conditions_orders_the_services() {
    let bed = three();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("compose.yaml");
    fs::write(&file, FILE).unwrap();
    let program = bed.program(&[2]);
    let printed = program.run(&["submit", file.to_str().unwrap()]).unwrap();
    assert_eq!(printed.code, 0, "{printed:?}");
    let client = bed.client(1);
    assert_eq!(client.wait("shop.report").unwrap()["state"], "succeeded");
    let migrate = client.container("shop.migrate").unwrap();
    let report = client.container("shop.report").unwrap();
    assert!(moment(&migrate, "finished_at") <= moment(&report, "started_at"));
    let logs = bed.program(&[3]).run(&["logs", "report"]).unwrap();
    assert_eq!(logs.out, "hello\n", "{logs:?}");
    let graph = program.run(&["graph", "shop", "--format", "dot"]).unwrap();
    assert!(graph.out.contains("shop.report") && graph.out.contains("->"), "{graph:?}");
}

#[test]
fn what_is_not_supported_is_named_and_nothing_is_made() {
    let bed = three();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("compose.yaml");
    fs::write(&file, "services: {a: {image: busybox:local, build: ., networks: [x]}}").unwrap();
    let printed = bed.program(&[1]).run(&["up", file.to_str().unwrap()]).unwrap();
    assert_eq!(printed.code, 1, "{printed:?}");
    assert!(
        printed.err.contains("services.a.build") && printed.err.contains("services.a.networks"),
        "{printed:?}"
    );
    assert_eq!(crate::world::states(&bed.client(1)), []);
}
