//! A map somewhere in the file, which knows where it is: whatever is wrong in it is named by its whole path.

use serde_json::{Map, Value};

use super::line::{plain, scalar, split};
use super::{Unsupported, bad};
use crate::submit::spec::Invalid;

/// A map and its path.
pub(super) struct At<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> At<'a> {
    pub(super) fn top(map: &'a Map<String, Value>) -> At<'a> {
        At { path: String::new(), map }
    }

    pub(super) fn new(path: String, map: &'a Map<String, Value>) -> At<'a> {
        At { path, map }
    }

    pub(super) fn map(&self) -> &'a Map<String, Value> {
        self.map
    }

    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes every key but these, and those that are the user's own.
    pub(super) fn refuse_others(&self, known: &[&str], unsupported: &mut Unsupported) {
        let others = self.map.keys().filter(|key| !known.contains(&key.as_str()) && !key.starts_with("x-"));
        others.for_each(|key| unsupported.note(&self.path(key)));
    }

    /// What is there; `key:` with nothing after it is not.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn inner(&self, key: &str) -> Result<Option<At<'a>>, Invalid> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let path = self.path(key);
        let map = value.as_object().ok_or_else(|| bad(&path, "is a map"))?;
        Ok(Some(At { path, map }))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Invalid> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let text = scalar(value).ok_or_else(|| bad(&self.path(key), "is one value"))?;
        plain(&self.path(key), &text).map(Some)
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, Invalid> {
        let Some(value) = self.get(key) else { return Ok(false) };
        value.as_bool().ok_or_else(|| bad(&self.path(key), "is true or false"))
    }

    pub(super) fn number<T: std::str::FromStr>(&self, key: &str, what: &str) -> Result<Option<T>, Invalid> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| bad(&self.path(key), &format!("is {what}, not `{text}`")))
    }

    /// A list, or a line that is split as a shell would.
    pub(super) fn words(&self, key: &str) -> Result<Option<Vec<String>>, Invalid> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(line)) => {
                let line = plain(&self.path(key), line)?;
                split(&line).map(Some).ok_or_else(|| {
                    bad(&self.path(key), "has a quote that is not closed, or ends with a backslash")
                })
            }
            Some(_) => self.list(key).map(Some),
        }
    }

    pub(super) fn list(&self, key: &str) -> Result<Vec<String>, Invalid> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let path = self.path(key);
        let list = value.as_array().ok_or_else(|| bad(&path, "is a list"))?;
        let text = |value: &Value| scalar(value).ok_or_else(|| bad(&path, "is a list of plain values"));
        list.iter().map(|value| plain(&path, &text(value)?)).collect()
    }

    /// A map, or a list of `K=V`, in the order of the file. A key without a value has none.
    pub(super) fn pairs(&self, key: &str) -> Result<Vec<(String, Option<String>)>, Invalid> {
        let Some(Value::Object(map)) = self.get(key) else {
            // `waitfor:container==a` has its first `=` inside the operator.
            let pair = |entry: String| match entry.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (entry, None),
            };
            return Ok(self.list(key)?.into_iter().map(pair).collect());
        };
        let path = self.path(key);
        let pair = |(key, value): (&String, &Value)| {
            if value.is_null() {
                return Ok((key.clone(), None));
            }
            let value = scalar(value).ok_or_else(|| bad(&path, "is a map of plain values"))?;
            Ok((key.clone(), Some(plain(&path, &value)?)))
        };
        map.iter().map(pair).collect()
    }
}
