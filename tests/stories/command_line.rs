//! The commands: what they print, and the codes they end with.

use pinode_jepsen::Program;
use std::path::Path;

use crate::world::three;

#[test]
fn run_prints_what_the_container_prints_and_ends_as_it_ends() {
    let bed = three();
    let program = bed.program(&[1, 2, 3]);
    let base = ["run", "--net", "none"];
    let run = |more: &[&str]| program.run(&[&base, more].concat()).unwrap();
    let printed =
        run(&["--name", "a", "-e", "WHO=me", "busybox:local", "sh", "-c", "echo hello $WHO; exit 4"]);
    assert_eq!((printed.out.as_str(), printed.code), ("hello me\n", 4), "{printed:?}");
    let detached = run(&["-d", "-e", "waitfor:container==b*", "busybox:local", "true"]);
    assert_eq!((detached.code, detached.out.trim().len()), (0, 64), "{detached:?}");
    let nowhere = run(&["busybox:local", "/no/such/program"]);
    assert_eq!(nowhere.code, 127, "{nowhere:?}");
    let image = run(&["nobody/has-this:1"]);
    assert!(image.code == 125 && image.err.contains("nobody/has-this:1"), "{image:?}");
    let removed = run(&["--rm", "--name", "gone", "busybox:local", "true"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(program.run(&["inspect", "gone"]).unwrap().code, 1);
}

#[test]
fn listings_are_tables_for_people_and_json_for_scripts() {
    let bed = three();
    let program = bed.program(&[3]);
    program.run(&["run", "-d", "--name", "a", "--waitfor", "container==b", "busybox:local"]).unwrap();
    let ps = program.json(&["ps"]).unwrap();
    assert_eq!((&ps[0]["name"], &ps[0]["state"]), (&"a".into(), &"blocked".into()), "{ps}");
    assert_eq!(program.run(&["ps", "-q"]).unwrap().out.trim(), ps[0]["id"].as_str().unwrap());
    let nodes = program.json(&["nodes"]).unwrap();
    assert_eq!(nodes.as_array().unwrap().len(), 3);
    let status = program.json(&["status"]).unwrap();
    assert_eq!(status["members"].as_array().unwrap().len(), 3);
    assert!(program.run(&["inspect", "a"]).unwrap().out.contains("container"));
}

#[test]
fn every_kind_of_failure_has_its_own_code() {
    let bed = three();
    assert_eq!(bed.program(&[1]).run(&["inspect", "nobody"]).unwrap().code, 1);
    assert_eq!(bed.program(&[1]).run(&["ps", "--wrong"]).unwrap().code, 2);
    let alone = Program::new(Path::new(env!("CARGO_BIN_EXE_pinode")), "http://127.0.0.1:1");
    let unreachable = alone.run(&["ps"]).unwrap();
    assert!(unreachable.code == 3 && unreachable.err.contains("127.0.0.1:1"), "{unreachable:?}");
    // A dead first host costs a moment, not the command.
    let hosts = format!("http://127.0.0.1:1,{}", bed.url(2));
    assert_eq!(Program::new(Path::new(env!("CARGO_BIN_EXE_pinode")), &hosts).run(&["ps"]).unwrap().code, 0);
}
