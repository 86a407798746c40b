//! The lines on standard output: each violation, and how it went in one line. All figures are the history's.

use crate::check::{Verdict, harm};
use crate::history::{Film, History};
use crate::moment;

/// A line for each violation.
pub fn lines(verdicts: &[Verdict]) -> Vec<String> {
    let of = |verdict: &Verdict| -> Vec<String> {
        let property = verdict.property.name;
        verdict.violations.iter().map(|violation| format!("{property}: {violation}")).collect()
    };
    verdicts.iter().flat_map(of).collect()
}

/// How many violations.
pub fn count(verdicts: &[Verdict]) -> usize {
    verdicts.iter().map(|verdict| verdict.violations.len()).sum()
}

/// How it went.
pub fn last_line(history: &History, verdicts: &[Verdict]) -> String {
    let violations = match count(verdicts) {
        1 => "1 violation".to_owned(),
        count => format!("{count} violations"),
    };
    let harm = match harm::victim(history) {
        Some((cut, _)) => format!("{} cut while it encoded", cut.node),
        None => "nobody cut while it encoded".to_owned(),
    };
    let seconds = moment::seconds(history.began_ns, history.ended_ns);
    let frames = frames(history.film.as_ref());
    format!("{}: {violations}; {frames}; {harm}; {seconds:.0} s", history.scenario)
}

fn frames(film: Option<&Film>) -> String {
    match film {
        None => "no film".to_owned(),
        Some(Film { source, result: Some(result), .. }) => {
            format!("{} frames of {}", result.frames, source.frames)
        }
        Some(Film { source, result: None, .. }) => format!("no result of {} frames", source.frames),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::judge;
    use crate::check::sample::good;

    #[test]
    fn a_good_run_is_one_line() {
        let history = good();
        let verdicts = judge(&history);
        assert_eq!(lines(&verdicts), Vec::<String>::new());
        let line = "film: 0 violations; 900 frames of 900; n3 cut while it encoded; 51 s";
        assert_eq!(last_line(&history, &verdicts), line);
    }

    #[test]
    fn a_violation_is_told_under_its_property() {
        let mut history = good();
        history.film.as_mut().unwrap().result.as_mut().unwrap().frames = 899;
        let verdicts = judge(&history);
        assert_eq!(lines(&verdicts), ["film: the film 1 has 900 frames, and its result 899"]);
        assert!(last_line(&history, &verdicts).starts_with("film: 1 violation; 899 frames of 900;"));
    }
}
