//! Single values: what is plain text, what would be a variable, and how a line becomes words.

use serde_json::Value;

use super::bad;
use crate::submit::spec::Invalid;

/// The text of a plain value.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// `${VAR}` would come from the shell of who submits, which a node does not see. `$$` is a dollar.
pub(super) fn plain(path: &str, text: &str) -> Result<String, Invalid> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        plain.push(c);
        match chars.peek() {
            Some('$') if c == '$' => drop(chars.next()),
            Some(next) if c == '$' && (matches!(next, '{' | '_') || next.is_ascii_alphabetic()) => {
                let why = "variables are not supported, write the value (or $$ for a dollar)";
                return Err(bad(path, &format!("has a variable in `{text}`; {why}")));
            }
            Some(_) | None => {}
        }
    }
    Ok(plain)
}

/// Splits as a shell does: spaces, both quotes, backslash. None if a quote stays open, or it ends with a backslash.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (None, '\\') => word.get_or_insert_default().push(chars.next()?),
            (Some('"'), '\\') => {
                // Inside double quotes it takes the meaning of these away, and is plain before all others.
                let next = chars.next()?;
                let word = word.get_or_insert_default();
                if !matches!(next, '"' | '\\' | '$' | '`') {
                    word.push('\\');
                }
                word.push(next);
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
