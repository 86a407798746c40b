//! What a compose file becomes, and what is refused of it.

use super::*;
use crate::api::Memory;

fn refusal(text: &str) -> String {
    pipeline(text, "film").unwrap_err().message
}

#[test]
fn depends_on_becomes_waits() {
    let text = "
services:
  db: {image: db}
  job: {image: job, command: sh -c 'echo \"a b\"', depends_on: [db]}
  end:
    image: end
    depends_on:
      job: {condition: service_completed_successfully}
      db: {condition: service_healthy}
";
    let pipeline = pipeline(text, "film").unwrap();
    let by_name = |name: &str| pipeline.containers.iter().find(|c| c.name.as_deref() == Some(name)).unwrap();
    assert_eq!(by_name("job").waitfor, ["started==db"]);
    assert_eq!(by_name("job").cmd.as_deref().unwrap(), ["sh", "-c", "echo \"a b\""]);
    assert_eq!(by_name("end").waitfor, ["container==job", "healthy==db"]);
}

#[test]
fn all_that_is_not_supported_is_named_at_once() {
    let text = "
networks: {a: {}}
services:
  a:
    image: a
    build: .
    deploy: {replicas: 3, resources: {limits: {cpus: '0.5', memory: 64M, pids: 3}}}
";
    let refusal = refusal(text);
    for path in [
        "networks",
        "services.a.build",
        "services.a.deploy.replicas",
        "services.a.deploy.resources.limits.pids",
    ] {
        assert!(refusal.contains(path), "{path}: {refusal}");
    }
}

#[test]
fn resources_are_read_from_either_place() {
    let text = "{services: {a: {image: a, deploy: {resources: {limits: {cpus: '0.5', memory: 64M}}}}}}";
    let submit = &pipeline(text, "film").unwrap().containers[0];
    assert_eq!((submit.cpus, submit.memory.clone()), (Some(0.5), Some(Memory::Text("64M".to_owned()))));
}

#[test]
fn variables_and_shell_values_are_refused_and_double_dollars_are_dollars() {
    assert!(refusal("{services: {a: {image: 'a:${TAG}'}}}").contains("variables are not supported"));
    assert!(refusal("{services: {a: {image: a, environment: [HOME]}}}").contains("write K=V"));
    let text = "{services: {a: {image: a, command: ['echo', '$$HOME']}}}";
    assert_eq!(pipeline(text, "film").unwrap().containers[0].cmd.as_deref().unwrap(), ["echo", "$HOME"]);
}

#[test]
fn what_is_no_compose_file_is_refused() {
    for (text, says) in [
        ("- a", "map with `services`"),
        ("{}", "no services"),
        ("services: [", "does not parse"),
        ("{services: {a: {}}}", "image is missing"),
        ("{services: {a: {image: a, depends_on: [b]}}}", "no service of this file"),
        ("{services: {a: {image: a, depends_on: {a: {condition: maybe}}}}}", "condition maybe"),
        ("{services: {a: {image: a, command: \"echo 'open\"}}}", "not closed"),
    ] {
        assert!(refusal(text).contains(says), "{text}: {}", refusal(text));
    }
}

#[test]
fn services_and_their_environment_come_in_the_order_of_the_file() {
    let text = "
services:
  zoo: {image: a, environment: {Z: 1, A: 2}}
  ant: {image: a, environment: [Y=1, B=2]}
  mid: {image: a}
";
    let pipeline = pipeline(text, "film").unwrap();
    let names: Vec<&str> = pipeline.containers.iter().filter_map(|c| c.name.as_deref()).collect();
    assert_eq!(names, ["zoo", "ant", "mid"]);
    assert_eq!(pipeline.containers[0].env, ["Z=1", "A=2"]);
    assert_eq!(pipeline.containers[1].env, ["Y=1", "B=2"]);
}

#[test]
fn two_waits_in_one_environment_are_both_kept() {
    let text = "{services: {a: {image: a, environment: ['waitfor:container==x', 'waitfor:container==y']}}}";
    let submit = &pipeline(text, "film").unwrap().containers[0];
    assert_eq!(submit.env, ["waitfor:container==x", "waitfor:container==y"]);
}

#[test]
fn a_variable_is_found_behind_another_dollar() {
    assert!(refusal("{services: {a: {image: a, command: 'echo $1 ${X}'}}}").contains("variables"));
    assert!(refusal("{services: {a: {image: a, command: 'echo $$1 $X'}}}").contains("variables"));
}

#[test]
fn nothing_inside_a_service_is_ignored() {
    for (service, says) in [
        ("container_name: b", "services.a.container_name"),
        ("depends_on: {b: {condition: service_started, restart: true}}", "services.a.depends_on.b.restart"),
        ("depends_on: {b: started}", "services.a.depends_on.b is a map"),
        ("deploy: {resources: 5}", "services.a.deploy.resources is a map"),
        (
            "deploy: {resources: {limits: {memory: [64m]}}}",
            "services.a.deploy.resources.limits.memory is one value",
        ),
        ("cpus: two", "services.a.cpus is a number of CPUs, not `two`"),
        ("healthcheck: {test: [CMD, [x]]}", "services.a.healthcheck.test is a list of plain values"),
        ("healthcheck: {test: x, retries: often}", "services.a.healthcheck.retries is a number, not `often`"),
        ("healthcheck: {test: x, disable: perhaps}", "services.a.healthcheck.disable is true or false"),
        (
            "volumes: [{source: b, target: /b, read_only: perhaps}]",
            "services.a.volumes.read_only is true or false",
        ),
        ("environment: {HOME: }", "services.a.environment has `HOME`"),
    ] {
        let text = format!("services:\n  a: {{image: a, {service}}}\n  b: {{image: b}}\n");
        assert!(refusal(&text).contains(says), "{text}: {}", refusal(&text));
    }
    assert!(refusal("{name: [x], services: {a: {image: a}}}").contains("name is one value"));
}

#[test]
fn a_service_that_is_there_twice_is_refused() {
    assert!(refusal("services:\n  a: {image: a}\n  a: {image: b}\n").contains("does not parse"));
}

#[test]
fn a_backslash_means_what_it_means_to_a_shell() {
    let words = |line: &str| line::split(line);
    assert_eq!(words(r#"sh -c "printf 'a\n'""#).unwrap(), ["sh", "-c", r"printf 'a\n'"]);
    assert_eq!(words(r#""a \"b\" \\ \$c""#).unwrap(), [r#"a "b" \ $c"#]);
    assert_eq!(words(r"a\ b").unwrap(), ["a b"]);
    assert_eq!(words(r"a\"), None);
}
