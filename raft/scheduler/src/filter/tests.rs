use super::*;

#[test]
fn what_is_written_is_read_and_printed_again() {
    for text in [
        "node==pi2",
        "node!=pi*",
        "node==~/^pi[0-9]$/",
        "zone!=~b",
        "kernelversion==6.1*",
        "operatingsystem==Debian GNU/Linux 12",
        "model==/(?i)model b/",
        "_x.y-z/1==a,b",
        "storage==a=b!=c",
    ] {
        assert_eq!(constraint(text).unwrap().to_string(), text);
        assert_eq!(affinity(text).unwrap().to_string(), text);
    }
}

#[test]
fn container_and_image_are_no_labels() {
    assert_eq!(affinity("container==db").unwrap().about, About::Container);
    assert_eq!(affinity("image!=pinode/film:local").unwrap().about, About::Image);
    assert_eq!(
        affinity("com.docker.compose.service==db").unwrap().about.to_string(),
        "com.docker.compose.service"
    );
}

#[test]
fn an_operator_that_is_not_known_is_refused_with_the_way_out() {
    for text in
        ["arch", "arch=arm64", "arch===arm64", "arch!arm64", "arch=~arm64", "arch==~~a", "arch!==a", ""]
    {
        let refusal = constraint(text).unwrap_err().to_string();
        assert!(refusal.contains(&format!("`{text}`")) && refusal.contains("KEY==VALUE"), "{refusal}");
    }
}

#[test]
fn what_is_malformed_is_refused_and_named() {
    let long = format!("a=={}", "x".repeat(257));
    let key = format!("{}==a", "k".repeat(129));
    for (text, says) in [
        ("==a", "no key"),
        ("1a==a", "no key"),
        ("node ==a", "`node `"),
        ("é==a", "no key"),
        (&key, "no key"),
        ("zone==", "no value"),
        ("zone==~", "no value"),
        ("zone!= ", "no value"),
        ("node==pi1,pi2", "node==/^(a|b)$/"),
        ("node==pi 2", "`pi 2`"),
        ("zone==/a", "/^\\/a$/"),
        ("zone==/", "closing slash"),
        ("zone==//", "closing slash"),
        ("zone==/(/", "does not compile"),
        ("zone==a\nb", "control character"),
        (&long, "257 bytes"),
    ] {
        let refusal = constraint(text).unwrap_err().to_string();
        assert!(refusal.contains(says), "{text}: {refusal}");
    }
    assert!(affinity("container==a b").is_err());
}

#[test]
fn the_way_out_of_a_value_that_begins_with_a_slash_leads_there() {
    let way_out = constraint("disk==/^\\/mnt/ssd$/").unwrap();
    assert!(way_out.expr.matches("/mnt/ssd"));
}
