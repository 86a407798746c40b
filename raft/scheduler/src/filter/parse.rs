//! From the text of a constraint or an affinity to what it means. Runs at the door only; what is malformed never
//! reaches the log, and an operator that is not known is refused: a filter that is not understood is not ignored.

use super::{About, Affinity, Constraint, Op};
use crate::dependency::{BadPattern, Expr, PATTERN_MAX_BYTES, Pattern};

/// Longest key, in bytes.
const KEY_MAX_BYTES: usize = 128;

/// Why a filter was refused. Each sentence names the text and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFilter {
    /// None of the four operators after the key.
    #[error("`{0}` has no operator that is known; write KEY==VALUE, KEY!=VALUE, KEY==~VALUE or KEY!=~VALUE")]
    NoOperator(String),
    /// What stands before the operator is no key.
    #[error(
        "`{0}` before the operator is no key; it has 1 to {KEY_MAX_BYTES} letters, digits and _ . - /, the first a letter or _"
    )]
    BadKey(String),
    /// Nothing after the operator.
    #[error("`{0}` has no value; write for example {0}VALUE or {0}*")]
    Empty(String),
    /// Characters that the value of this key cannot have.
    #[error(
        "`{value}` in `{text}` is no name, glob or /regex/; for one of several names write {key}==/^(a|b)$/"
    )]
    BadName {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// All of it.
        text: String,
    },
    /// A value with a line break in it, or another control character.
    #[error("`{0}` has a control character in it; take it out")]
    Control(String),
    /// A regular expression without its closing slash.
    #[error(
        "the regular expression `{0}` has no closing slash; a value that begins with one is written /^\\{0}$/"
    )]
    OpenRegex(String),
    /// Longer than [`PATTERN_MAX_BYTES`].
    #[error("the value of {key} has {bytes} bytes, the limit is {PATTERN_MAX_BYTES}")]
    TooLong {
        /// Whose.
        key: String,
        /// How long it is.
        bytes: usize,
    },
    /// The expression does not compile.
    #[error("the regular expression `/{pattern}/` does not compile: {source}")]
    BadRegex {
        /// As written.
        pattern: String,
        /// The regex crate's sentence.
        source: BadPattern,
    },
}

/// Parses a constraint, for example `arch==aarch64` or `node!=~pi1`.
pub fn constraint(text: &str) -> Result<Constraint, BadFilter> {
    let Term { key, op, soft, expr } = term(text)?;
    if key == "node" {
        check_name(key, &expr, text)?;
    }
    Ok(Constraint { key: key.to_owned(), op, soft, expr })
}

/// Parses an affinity, for example `container==db` or `image==~busybox`.
pub fn affinity(text: &str) -> Result<Affinity, BadFilter> {
    let Term { key, op, soft, expr } = term(text)?;
    let about = match key {
        "container" => About::Container,
        "image" => About::Image,
        label => About::Label(label.to_owned()),
    };
    if about == About::Container {
        check_name(key, &expr, text)?;
    }
    Ok(Affinity { about, op, soft, expr })
}

struct Term<'a> {
    key: &'a str,
    op: Op,
    soft: bool,
    expr: Expr,
}

fn term(text: &str) -> Result<Term<'_>, BadFilter> {
    // What stands in a sentence must not break its line.
    if text.chars().any(char::is_control) {
        return Err(BadFilter::Control(text.escape_debug().to_string()));
    }
    let no_operator = || BadFilter::NoOperator(text.to_owned());
    let at = text.find(['=', '!']).ok_or_else(no_operator)?;
    let (key, rest) = text.split_at(at);
    let (op, rest) = [("==", Op::Is), ("!=", Op::IsNot)]
        .into_iter()
        .find_map(|(written, op)| rest.strip_prefix(written).map(|rest| (op, rest)))
        .ok_or_else(no_operator)?;
    let (soft, value) = rest.strip_prefix('~').map_or((false, rest), |value| (true, value));
    if value.starts_with(['=', '~']) {
        return Err(no_operator());
    }
    let begins = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    if !begins || key.len() > KEY_MAX_BYTES || !key.chars().all(fine) {
        return Err(BadFilter::BadKey(key.to_owned()));
    }
    if value.trim().is_empty() {
        return Err(BadFilter::Empty(text.trim_end().to_owned()));
    }
    Ok(Term { key, op, soft, expr: expr(key, value)? })
}

/// Values are wider than names: a kernel has a `+`, a model spaces, an image slashes.
fn expr(key: &str, value: &str) -> Result<Expr, BadFilter> {
    if value.len() > PATTERN_MAX_BYTES {
        return Err(BadFilter::TooLong { key: key.to_owned(), bytes: value.len() });
    }
    if let Some(rest) = value.strip_prefix('/') {
        let pattern = rest.strip_suffix('/').filter(|pattern| !pattern.is_empty());
        let pattern = pattern.ok_or_else(|| BadFilter::OpenRegex(value.to_owned()))?;
        let bad = |source| BadFilter::BadRegex { pattern: pattern.to_owned(), source };
        return Pattern::new(pattern).map(Expr::Regex).map_err(bad);
    }
    Ok(if value.contains(['*', '?']) { Expr::Glob(value.to_owned()) } else { Expr::Name(value.to_owned()) })
}

/// Where a value is the name of a node or a container, what no name has is a slip of the pen.
fn check_name(key: &str, expr: &Expr, text: &str) -> Result<(), BadFilter> {
    let value = match expr {
        Expr::Name(value) | Expr::Glob(value) => value,
        Expr::Regex(_) => return Ok(()),
    };
    if value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '*' | '?')) {
        return Ok(());
    }
    let bad = BadFilter::BadName { key: key.to_owned(), value: value.clone(), text: text.to_owned() };
    Err(bad)
}
