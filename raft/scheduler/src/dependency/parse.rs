//! From the text after `waitfor:` to terms. Runs at the door only; what is malformed never reaches the log.

use crate::dependency::{BadPattern, Expr, Kind, Op, PATTERN_MAX_BYTES, Pattern, Waitfor};
use crate::duration::{self, BadDuration};

/// What one `waitfor` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Its terms; all must be met.
    pub waitfor: Vec<Waitfor>,
    /// Its `wait_timeout=`, in milliseconds.
    pub wait_timeout_ms: Option<u64>,
}

/// Why a `waitfor` was refused. Each sentence names the text and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWaitfor {
    /// No `==`, `!=` or `==~` after the kind.
    #[error("waitfor `{0}` has no operator; write KIND==NAME, KIND!=NAME or KIND==~NAME")]
    NoOperator(String),
    /// The word before the operator is not one of the five.
    #[error("waitfor kind `{0}` is unknown; it is one of container, exited, failed, started, healthy")]
    UnknownKind(String),
    /// Nothing between two commas, or nothing at all.
    #[error("waitfor `{0}` has an empty name in it")]
    EmptyName(String),
    /// Characters that no name has.
    #[error("`{0}` in waitfor is no container name, glob or /regex/")]
    BadName(String),
    /// A regular expression without its closing slash.
    #[error("the regular expression `{0}` in waitfor has no closing slash")]
    OpenRegex(String),
    /// Longer than [`PATTERN_MAX_BYTES`].
    #[error("the pattern in waitfor has {0} bytes, the limit is {PATTERN_MAX_BYTES}")]
    TooLong(usize),
    /// The expression does not compile.
    #[error("the regular expression `/{pattern}/` in waitfor does not compile: {source}")]
    BadRegex {
        /// As written.
        pattern: String,
        /// The regex crate's sentence.
        source: BadPattern,
    },
    /// An option that does not exist.
    #[error("waitfor option `{0}` is unknown; there are count=, min= and wait_timeout=")]
    UnknownOption(String),
    /// `count=x`.
    #[error("waitfor option `{0}` needs a whole number from 1 to 4294967295")]
    BadNumber(String),
    /// `count=` without a pattern it could close.
    #[error("waitfor option `{0}` closes a pattern; put it after one, as in encode*,count=5")]
    NoPattern(String),
    /// The same option twice, or count and min of one pattern.
    #[error("waitfor option `{0}` is given although the pattern already has count= or min=")]
    TwiceCounted(String),
    /// `count=` with `!=` or `==~`, which are never open.
    #[error("waitfor option `{0}` works with == only: != and ==~ are evaluated once")]
    CountedOnce(String),
    /// `wait_timeout=` is no duration.
    #[error("waitfor option wait_timeout: {0}")]
    BadTimeout(#[from] BadDuration),
}

/// Parses what follows `waitfor:`, for example `container==split,/^enc[0-9]+$/,count=5`.
pub fn parse(text: &str) -> Result<Terms, BadWaitfor> {
    let (kind, op, list) = head(text)?;
    let mut terms = Terms::default();
    for item in items(list)? {
        match item.split_once('=').filter(|_| !item.starts_with('/')) {
            Some(("wait_timeout", value)) => terms.wait_timeout_ms = Some(duration::parse_ms(value)?),
            Some((option @ ("count" | "min"), value)) => count(&mut terms.waitfor, item, option, value)?,
            Some(_) => return Err(BadWaitfor::UnknownOption(item.to_owned())),
            None if item.is_empty() => return Err(BadWaitfor::EmptyName(text.to_owned())),
            None => terms.waitfor.push(Waitfor { kind, op, expr: expr(item)?, count: None, min: None }),
        }
    }
    if terms.waitfor.is_empty() { Err(BadWaitfor::EmptyName(text.to_owned())) } else { Ok(terms) }
}

fn head(text: &str) -> Result<(Kind, Op, &str), BadWaitfor> {
    let at = text.find(['=', '!']).ok_or_else(|| BadWaitfor::NoOperator(text.to_owned()))?;
    let (kind, rest) = text.split_at(at);
    let (op, list) = [("==~", Op::IsSoft), ("==", Op::Is), ("!=~", Op::IsNot), ("!=", Op::IsNot)]
        .into_iter()
        .find_map(|(written, op)| rest.strip_prefix(written).map(|list| (op, list)))
        .ok_or_else(|| BadWaitfor::NoOperator(text.to_owned()))?;
    let kind = [Kind::Container, Kind::Exited, Kind::Failed, Kind::Started, Kind::Healthy]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| BadWaitfor::UnknownKind(kind.to_owned()))?;
    Ok((kind, op, list))
}

/// Splits at commas; a regular expression, from a slash to the next slash that ends an item, keeps its own.
fn items(list: &str) -> Result<Vec<&str>, BadWaitfor> {
    let mut items = Vec::new();
    let mut rest = list;
    loop {
        let end = if rest.starts_with('/') {
            let ends_here =
                |&(at, _): &(usize, &str)| at > 0 && matches!(rest.as_bytes().get(at + 1), None | Some(b','));
            let close = rest.match_indices('/').find(ends_here);
            close.ok_or_else(|| BadWaitfor::OpenRegex(rest.to_owned()))?.0 + 1
        } else {
            rest.find(',').unwrap_or(rest.len())
        };
        items.push(&rest[..end]);
        match rest[end..].strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(items),
        }
    }
}

fn expr(item: &str) -> Result<Expr, BadWaitfor> {
    if item.len() > PATTERN_MAX_BYTES {
        return Err(BadWaitfor::TooLong(item.len()));
    }
    if let Some(pattern) = item.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        if pattern.is_empty() {
            return Err(BadWaitfor::EmptyName(item.to_owned()));
        }
        let bad = |source| BadWaitfor::BadRegex { pattern: pattern.to_owned(), source };
        return Pattern::new(pattern).map(Expr::Regex).map_err(bad);
    }
    let wild = |c: char| c == '*' || c == '?';
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let begins = |c: char| c.is_ascii_alphanumeric() || wild(c);
    if !item.starts_with(begins) || !item.chars().all(|c| named(c) || wild(c)) {
        return Err(BadWaitfor::BadName(item.to_owned()));
    }
    Ok(if item.contains(wild) { Expr::Glob(item.to_owned()) } else { Expr::Name(item.to_owned()) })
}

/// An option belongs to the nearest pattern before it, or to the only pattern when a name stands between.
fn count(terms: &mut [Waitfor], item: &str, option: &str, value: &str) -> Result<(), BadWaitfor> {
    let number = value.parse::<u32>().ok().filter(|&n| n > 0);
    let number = number.ok_or_else(|| BadWaitfor::BadNumber(item.to_owned()))?;
    let nearest = terms.iter_mut().rev().find(|term| term.expr.only_name().is_none());
    let term = nearest.ok_or_else(|| BadWaitfor::NoPattern(item.to_owned()))?;
    if term.op != Op::Is {
        return Err(BadWaitfor::CountedOnce(item.to_owned()));
    }
    if term.count.is_some() || term.min.is_some() {
        return Err(BadWaitfor::TwiceCounted(item.to_owned()));
    }
    if option == "count" {
        term.count = Some(number);
    } else {
        term.min = Some(number);
    }
    Ok(())
}
