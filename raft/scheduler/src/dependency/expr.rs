//! A name, a glob or a regular expression, and what it matches.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest pattern, in bytes. Checked at the door; a limit of our own, because a crate's limits move.
pub const PATTERN_MAX_BYTES: usize = 256;

/// Far above what a pattern of [`PATTERN_MAX_BYTES`] that passed the door can need, so that `apply` never meets it.
const COMPILED_MAX_BYTES: usize = 64 << 20;

/// The right-hand side of a term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expr {
    /// Exactly this name.
    Name(String),
    /// `*` stands for any run of characters, `?` for one; anchored at both ends.
    Glob(String),
    /// Between slashes, anywhere in the name unless it anchors itself.
    Regex(Pattern),
}

impl Expr {
    /// Whether `name` is matched.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Expr::Name(own) => own == name,
            Expr::Glob(glob) => glob_matches(glob.as_bytes(), name.as_bytes()),
            Expr::Regex(pattern) => pattern.compiled.is_match(name.as_bytes()),
        }
    }

    /// The one name that can match, if there is only one.
    pub fn only_name(&self) -> Option<&str> {
        match self {
            Expr::Name(name) => Some(name),
            Expr::Glob(_) | Expr::Regex(_) => None,
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Name(text) | Expr::Glob(text) => f.write_str(text),
            Expr::Regex(pattern) => write!(f, "/{}/", pattern.text),
        }
    }
}

/// Iterative, with one point to fall back to: linear in the product of the lengths at worst, no recursion.
fn glob_matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut g, mut n) = (0, 0);
    let mut fallback: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some(b'*') => {
                fallback = Some((g, n));
                g += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                g += 1;
                n += 1;
            }
            _ => match fallback {
                Some((star, from)) => {
                    fallback = Some((star, from + 1));
                    g = star + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|&c| c == b'*')
}

/// A pattern that does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

/// A compiled regular expression over ASCII names. Stored as its text; a committed one that does not compile here
/// fails to load, which stops the process: better no answer than one that differs from the other nodes'.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    compiled: regex::bytes::Regex,
}

impl Pattern {
    /// Compiles `text`, which stood between slashes.
    pub fn new(text: &str) -> Result<Self, BadPattern> {
        let compiled = regex::bytes::RegexBuilder::new(text)
            .unicode(false)
            .size_limit(COMPILED_MAX_BYTES)
            .dfa_size_limit(COMPILED_MAX_BYTES)
            .build()
            .map_err(|error| BadPattern(one_line(&error.to_string())))?;
        Ok(Pattern { text: text.to_owned(), compiled })
    }

    /// What stood between the slashes.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The regex crate draws a picture over several lines; its last line is the sentence.
fn one_line(error: &str) -> String {
    error.lines().rfind(|line| !line.trim().is_empty()).unwrap_or(error).trim().to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Pattern::new(&text).map_err(|error| de::Error::custom(format!("committed pattern /{text}/: {error}")))
    }
}
