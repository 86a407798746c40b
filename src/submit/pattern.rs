//! Our own limit on regular expressions: parsed nodes times repetitions. A crate's limit may move between versions, and
//! then two nodes would disagree on what they can match.

use regex_syntax::hir::{Hir, HirKind};

/// Most nodes, each counted as often as its repetition allows.
pub(super) const COST_MAX: u64 = 10_000;

/// The cost of a pattern; none if it does not parse with Unicode off.
pub(super) fn cost(pattern: &str) -> Option<u64> {
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
