use super::*;

fn draft(submit: Submit) -> Result<Draft, Invalid> {
    let door = Door { shared_dir: PathBuf::from("/shared"), strategy: Default::default() };
    door.draft(&Submit { image: "busybox".to_owned(), ..submit }, "own", false)
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn fields_entries_and_labels_come_to_one_spec_and_only_the_rest_reaches_the_engine() {
    let label = ("com.docker.swarm.affinities".to_owned(), r#"["image==busybox"]"#.to_owned());
    let submit = Submit {
        env: texts(&["A=1", "constraint:arch==arm64", "reschedule:off"]),
        labels: [label, ("mine".to_owned(), "1".to_owned())].into(),
        constraints: texts(&["zone!=~a"]),
        affinities: texts(&["container==db"]),
        strategy: Some("binpack".to_owned()),
        ports: texts(&["8080:80", "81"]),
        network_mode: Some("container:net".to_owned()),
        ..Submit::default()
    };
    let spec = draft(submit).unwrap().spec;
    let constraints: Vec<String> = spec.constraints.iter().map(ToString::to_string).collect();
    let affinities: Vec<String> = spec.affinities.iter().map(ToString::to_string).collect();
    let ports: Vec<String> = spec.host_ports.iter().map(ToString::to_string).collect();
    assert_eq!(constraints, ["arch==arm64", "zone!=~a"]);
    assert_eq!(affinities, ["image==busybox", "container==db"]);
    assert_eq!((spec.strategy, spec.rerun), (Strategy::Binpack, Rerun::Never));
    assert_eq!((ports, spec.beside), (texts(&["8080/tcp"]), ["net".to_owned()].into()));
    assert_eq!(spec.labels, [("mine".to_owned(), "1".to_owned())].into());
    let body: ContainerCreateBody = serde_json::from_str(&spec.create).unwrap();
    assert_eq!(body.env, Some(texts(&["A=1"])));
    assert_eq!(body.labels, Some([("mine".to_owned(), "1".to_owned())].into()));
}

#[test]
fn a_constraint_in_the_environment_and_one_in_a_field_must_leave_a_node() {
    let submit =
        Submit { env: texts(&["constraint:node==a"]), constraints: texts(&["node==b"]), ..Submit::default() };
    assert!(draft(submit).unwrap_err().never);
}

#[test]
fn who_wants_its_own_network_is_refused() {
    let submit = Submit { network_mode: Some("container:own".to_owned()), ..Submit::default() };
    assert_eq!(draft(submit).unwrap_err().field, "network_mode");
}
