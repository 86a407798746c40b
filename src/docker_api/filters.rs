//! Docker's `filters`: JSON, each key with a list (or, from old clients, a map) of values. Several values of one key are
//! alternatives, several keys must all hold. A key that is unknown is refused, because it would seem to hold.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::DockerError;
use super::params::Params;

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    List(Vec<String>),
    Map(BTreeMap<String, bool>),
}

/// The filters of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// From the parameter `filters`.
    pub(super) fn parse(params: &Params, known: &[&str]) -> Result<Filters, DockerError> {
        let all: BTreeMap<String, Values> = params.json("filters")?.unwrap_or_default();
        if let Some(unknown) = all.keys().find(|key| !known.contains(&key.as_str())) {
            let message = format!("invalid filter '{unknown}'; there are {}", known.join(", "));
            return Err(DockerError::bad(message));
        }
        let values = |values| match values {
            Values::List(list) => list,
            Values::Map(map) => map.into_iter().filter(|(_, on)| *on).map(|(value, _)| value).collect(),
        };
        Ok(Filters(all.into_iter().map(|(key, all)| (key, values(all))).collect()))
    }

    /// The values of a key; none if it does not filter.
    pub(super) fn values(&self, key: &str) -> Option<&[String]> {
        self.0.get(key).map(Vec::as_slice).filter(|values| !values.is_empty())
    }

    /// Whether one of the values of `key`, if it filters, is taken.
    pub(super) fn takes(&self, key: &str, take: impl Fn(&str) -> bool) -> bool {
        self.values(key).is_none_or(|values| values.iter().any(|value| take(value)))
    }

    /// Whether all of the values of `key` (`K` or `K=V`) are among these labels.
    pub(super) fn takes_labels<'a>(&self, key: &str, find: impl Fn(&str) -> Option<&'a str>) -> bool {
        let has = |wanted: &String| match wanted.split_once('=') {
            Some((key, value)) => find(key) == Some(value),
            None => find(wanted).is_some(),
        };
        self.values(key).is_none_or(|values| values.iter().all(has))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(json: &str) -> Result<Filters, DockerError> {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("filters", json).finish();
        Filters::parse(&Params::parse(&query), &["name", "label"])
    }

    #[test]
    fn lists_and_maps_are_the_same() {
        for json in [r#"{"name": ["a", "b"]}"#, r#"{"name": {"a": true, "b": true, "c": false}}"#] {
            let filters = filters(json).unwrap();
            assert!(filters.takes("name", |name| name == "b") && !filters.takes("name", |name| name == "c"));
            assert!(filters.takes("label", |_| false), "what does not filter takes all");
        }
    }

    #[test]
    fn all_labels_must_be_there() {
        let filters = filters(r#"{"label": ["a", "b=1"]}"#).unwrap();
        let of = |pairs: &'static [(&str, &str)]| {
            move |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
        };
        assert!(filters.takes_labels("label", of(&[("a", ""), ("b", "1")])));
        assert!(!filters.takes_labels("label", of(&[("a", ""), ("b", "2")])));
    }

    #[test]
    fn what_is_unknown_or_no_json_is_refused() {
        assert!(filters(r#"{"nmae": ["a"]}"#).unwrap_err().message.starts_with("invalid filter 'nmae'"));
        assert!(filters("{").is_err() && filters(r#"{"name": 1}"#).is_err());
    }
}
