use super::*;

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn from_env(entries: &[&str]) -> Result<Expressions, Invalid> {
    Expressions::collect(&texts(entries), &[], BTreeMap::new())
}

fn from_label(key: &str, value: &str) -> Result<Expressions, Invalid> {
    Expressions::collect(&[], &[], labels(&[(key, value)]))
}

fn printed(all: &[impl ToString]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn entries_are_taken_out_of_the_environment_and_the_rest_stays() {
    let found = from_env(&[
        "A=1",
        "waitfor:container==split,wait_timeout=5s",
        "constraint:arch==~arm64",
        "affinity:container!=/^web/",
        "reschedule:off",
        "NOTE=constraint:arch==x",
        "reschedule=mine",
        "B",
    ])
    .unwrap();
    assert_eq!(found.env, ["A=1", "NOTE=constraint:arch==x", "reschedule=mine", "B"]);
    assert_eq!(printed(&found.waitfor), ["container==split"]);
    assert_eq!(found.wait_timeout_ms, Some(5_000));
    assert_eq!(printed(&found.constraints), ["arch==~arm64"]);
    assert_eq!(printed(&found.affinities), ["container!=/^web/"]);
    assert_eq!(found.reschedule, Some(Reschedule::Off));
}

#[test]
fn swarm_s_labels_say_the_same_and_are_taken_out_too() {
    let found = Expressions::collect(
        &texts(&["constraint:node!=pi1"]),
        &texts(&["container==a"]),
        labels(&[
            ("mine", "1"),
            ("pinode.waitfor", r#"["exited==b"]"#),
            ("com.docker.swarm.constraints", r#"["arch==aarch64", "operatingsystem==Debian*"]"#),
            ("com.docker.swarm.affinities", r#"["image==busybox"]"#),
            ("com.docker.swarm.reschedule-policies", r#"["on-node-failure"]"#),
        ]),
    )
    .unwrap();
    assert_eq!(found.labels, labels(&[("mine", "1")]));
    assert_eq!(printed(&found.waitfor), ["container==a", "exited==b"]);
    assert_eq!(printed(&found.constraints), ["node!=pi1", "arch==aarch64", "operatingsystem==Debian*"]);
    assert_eq!(printed(&found.affinities), ["image==busybox"]);
    assert_eq!(found.reschedule, Some(Reschedule::OnNodeFailure));
}

#[test]
fn what_is_not_understood_is_refused_and_never_ignored() {
    for entry in [
        "constraint:arch=arm64",
        "constraint:arch",
        "constraint:",
        "constraint:arch=~arm64",
        "constraint:node==a b",
        "affinity:container=db",
        "affinity:image==",
        "affinity:container==/(/",
        "affinity:container==/((a{100}){100}){100}/",
        "constraint:zone==/\\p{Greek}/",
        "reschedule:",
        "reschedule:always",
        "reschedule:on-node-failure=",
        "waitfor:container=a",
        "=a",
        "",
    ] {
        assert_eq!(from_env(&[entry]).unwrap_err().field, "env", "{entry}");
    }
    for (key, value) in [
        ("com.docker.swarm.constraints", "arch==aarch64"),
        ("com.docker.swarm.constraints", r#"["arch=aarch64"]"#),
        ("com.docker.swarm.affinities", "{}"),
        ("com.docker.swarm.affinities", r#"["container~db"]"#),
        ("com.docker.swarm.reschedule-policies", "on-node-failure"),
        ("com.docker.swarm.reschedule-policies", r#"["never"]"#),
        ("pinode.waitfor", "container==a"),
        ("pinode.node", "n1"),
    ] {
        assert_eq!(from_label(key, value).unwrap_err().field, "labels", "{key} {value}");
    }
}

#[test]
fn a_refusal_shows_the_way_out() {
    let refusal = from_env(&["constraint:arch=arm64"]).unwrap_err();
    assert!(refusal.message.contains("`arch=arm64`") && refusal.message.contains("KEY==VALUE"), "{refusal}");
    let refusal = from_env(&["reschedule:maybe"]).unwrap_err();
    assert!(refusal.message.contains("on-node-failure and off"), "{refusal}");
}

#[test]
fn more_filters_than_every_node_should_be_held_against_are_refused() {
    let many: Vec<String> = (0..33).map(|i| format!("constraint:k{i}!=a")).collect();
    assert!(Expressions::collect(&many[..32], &[], BTreeMap::new()).is_ok());
    let refusal = Expressions::collect(&many, &[], BTreeMap::new()).unwrap_err();
    assert!(refusal.message.contains("33 constraints"), "{refusal}");
}

#[test]
fn constraints_that_no_node_s_name_can_meet_are_refused_together() {
    for entries in
        [["node==a", "node==b"], ["node==a", "node!=a"], ["node==a", "node!=/^a/"], ["node==a", "node==b*"]]
    {
        let refusal =
            from_env(&entries.map(|text| format!("constraint:{text}")).each_ref().map(|s| s.as_str()))
                .unwrap_err();
        assert!(refusal.never && refusal.message.contains(&entries.join(", ")), "{refusal}");
    }
    let mut both = from_env(&["constraint:node==a"]).unwrap();
    assert!(both.constrain("constraints", &texts(&["node==b"])).is_err(), "whichever way each was written");
}

#[test]
fn constraints_that_some_node_may_meet_are_taken() {
    for entries in [
        ["node==a", "node==a"],
        ["node==a", "node!=b"],
        ["node==a", "node==~b"],
        ["node==a", "node==00000000000000ab"],
        ["node==a", "zone!=a"],
    ] {
        let entries = entries.map(|text| format!("constraint:{text}"));
        assert!(from_env(&entries.each_ref().map(|text| text.as_str())).is_ok(), "{entries:?}");
    }
}

#[test]
fn reschedule_and_rerun_must_not_contradict() {
    let rerun = |entries: &[&str], given| from_env(entries).unwrap().rerun(given);
    for (entries, given, expected) in [
        (&[][..], None, Some(Rerun::Fenced)),
        (&[], Some(Rerun::Never), Some(Rerun::Never)),
        (&["reschedule:on-node-failure"], None, Some(Rerun::Fenced)),
        (&["reschedule:on-node-failure"], Some(Rerun::Eager), Some(Rerun::Eager)),
        (&["reschedule:on-node-failure"], Some(Rerun::Never), None),
        (&["reschedule:off"], None, Some(Rerun::Never)),
        (&["reschedule:off"], Some(Rerun::Never), Some(Rerun::Never)),
        (&["reschedule:off"], Some(Rerun::Fenced), None),
        (&["reschedule:off", "reschedule:off"], Some(Rerun::Eager), None),
    ] {
        let answer = rerun(entries, given);
        assert!(answer.as_ref().err().is_none_or(|refusal| refusal.field == "rerun"));
        assert_eq!(answer.ok(), expected, "{entries:?} {given:?}");
    }
    assert!(from_env(&["reschedule:off", "reschedule:on-node-failure"]).is_err());
}
