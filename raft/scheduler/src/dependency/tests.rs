//! How a `waitfor` is read, and what it matches.

use super::*;

fn written(text: &str) -> Vec<String> {
    parse(text).unwrap().waitfor.iter().map(ToString::to_string).collect()
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

fn matches(expr: &str, name: &str) -> bool {
    parse(&format!("container=={expr}")).unwrap().waitfor[0].expr.matches(name)
}

#[test]
fn a_list_is_several_terms_of_one_kind() {
    assert_eq!(
        written("container==split,audio,/^enc[0-9]{1,3}$/"),
        ["container==split", "container==audio", "container==/^enc[0-9]{1,3}$/"]
    );
}

#[test]
fn every_kind_and_operator_is_known() {
    for kind in ["container", "exited", "failed", "started", "healthy"] {
        for op in ["==", "!=", "==~"] {
            let text = format!("{kind}{op}a*");
            assert_eq!(written(&text), [text.as_str()]);
        }
    }
}

#[test]
fn a_count_belongs_to_the_nearest_pattern() {
    assert_eq!(written("container==a*,count=2,b*,min=3"), ["container==a*,count=2", "container==b*,min=3"]);
    assert_eq!(written("container==a*,split,count=2"), ["container==a*,count=2", "container==split"]);
}

#[test]
fn a_timeout_is_of_the_whole_wait() {
    assert_eq!(parse("exited==a,wait_timeout=10m").unwrap().wait_timeout_ms, Some(600_000));
}

#[test]
fn a_typo_never_starts_at_once() {
    let cases = [
        ("", "no operator"),
        ("container", "no operator"),
        ("container=split", "no operator"),
        ("contianer==split", "`contianer` is unknown"),
        ("==split", "`` is unknown"),
        ("container==", "empty name"),
        ("container==a,,b", "empty name"),
        ("container==a,", "empty name"),
        ("container==//", "empty name"),
        ("container==a b", "no container name"),
        ("container==-a", "no container name"),
        ("container==é", "no container name"),
        ("container==/abc", "no closing slash"),
        ("container==/a(/", "does not compile"),
        ("container==/\\p{Greek}/", "does not compile"),
        ("container==a*,cuont=5", "`cuont=5` is unknown"),
        ("container==a*,count=0", "whole number"),
        ("container==a*,count=five", "whole number"),
        ("container==a*,count=2,min=1", "already has"),
        ("container==a,count=2", "closes a pattern"),
        ("container==count=2", "closes a pattern"),
        ("container!=a*,count=2", "== only"),
        ("container==a,wait_timeout=soon", "not a duration"),
    ];
    for (text, says) in cases {
        assert!(refusal(text).contains(says), "{text}: {}", refusal(text));
    }
}

#[test]
fn a_pattern_has_a_limit_of_its_own() {
    let long = "a".repeat(PATTERN_MAX_BYTES + 1);
    assert!(refusal(&format!("container=={long}")).contains("257 bytes"));
}

#[test]
fn globs_are_anchored_and_regexes_are_not() {
    assert!(matches("encode*", "encode"));
    assert!(matches("encode*", "encode17"));
    assert!(!matches("encode*", "reencode1"));
    assert!(matches("*en?ode*1", "reencode-11"));
    assert!(!matches("*en?ode*2", "reencode-11"));
    assert!(matches("/code/", "encode1"));
    assert!(matches("/(?i)^ENC.*[0-9]$/", "encode1"));
    assert!(!matches("/^enc$/", "encode1"));
}

#[test]
fn an_open_pattern_with_a_count_needs_all_of_them_before_it_is_met() {
    let mut dependency =
        Dependency::new(parse("container==e*,count=2").unwrap().waitfor.remove(0), Scope::Cluster);
    let (a, b) = (ContainerId([1; 32]), ContainerId([2; 32]));
    assert_eq!(dependency.verdict(false), Verdict::Unmet);
    dependency.set(a, "e1", EdgeState::Met);
    assert_eq!(dependency.verdict(false), Verdict::Unmet);
    assert!(dependency.is_live());
    dependency.set(b, "e2", EdgeState::Open);
    assert!(!dependency.is_live());
    dependency.set(b, "e2", EdgeState::Met);
    assert_eq!(dependency.verdict(false), Verdict::Met);
}

#[test]
fn a_pattern_reads_back_from_its_bytes() {
    let waitfor = parse("container==/^e[0-9]+$/,min=2").unwrap().waitfor;
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&waitfor, config).unwrap();
    let (back, _): (Vec<Waitfor>, usize) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
    assert_eq!(back, waitfor);
}

#[test]
fn a_committed_pattern_that_does_not_compile_does_not_load() {
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec("a(", config).unwrap();
    assert!(bincode::serde::decode_from_slice::<Pattern, _>(&bytes, config).is_err());
}
