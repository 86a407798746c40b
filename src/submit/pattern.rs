//! Our own limit on regular expressions: parsed nodes times repetitions. A crate's limit may move between versions, and
//! then two nodes would disagree on what they can match.

use pinode_scheduler::dependency::Expr;
use regex_syntax::hir::{Hir, HirKind};

use super::spec::Invalid;

/// Most nodes, each counted as often as its repetition allows.
const COST_MAX: u64 = 10_000;

/// Refuses a regular expression that another node might not compile.
pub(super) fn check(field: &'static str, expr: &Expr) -> Result<(), Invalid> {
    let Expr::Regex(regex) = expr else { return Ok(()) };
    let why = match cost(regex.as_str()) {
        Some(cost) if cost <= COST_MAX => return Ok(()),
        Some(cost) => {
            format!("the regular expression {expr} is too complex ({cost}, the limit is {COST_MAX})")
        }
        None => format!("the regular expression {expr} does not parse without Unicode"),
    };
    Err(Invalid::bad(field, why))
}

/// The cost of a pattern; none if it does not parse with Unicode off.
fn cost(pattern: &str) -> Option<u64> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    parser.parse(pattern).ok().map(|hir| cost_of(&hir))
}

fn cost_of(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Capture(capture) => cost_of(&capture.sub).saturating_add(1),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().map(cost_of).fold(1, |sum, cost| sum.saturating_add(cost))
        }
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1));
            cost_of(&repetition.sub).saturating_mul(times)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_repetitions_multiply() {
        assert!(cost("^enc[0-9]{1,3}$").is_some_and(|cost| cost < 20));
        assert!(cost("((a{100}){100}){100}").is_some_and(|cost| cost > COST_MAX));
    }

    #[test]
    fn unicode_classes_are_off() {
        assert_eq!(cost("\\p{Greek}"), None);
    }
}
