//! The page that leads to the pages of several scenarios.

use super::page::{document, escape};
use super::summary;
use crate::check::Verdict;
use crate::history::{FaultOutcome, History};
use crate::moment;

/// What is told of each scenario, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct Index {
    rows: String,
    violations: usize,
}

impl Index {
    /// One more, whose page is in the folder of its name.
    pub fn add(&mut self, history: &History, verdicts: &[Verdict]) {
        let violations = summary::count(verdicts);
        let installed =
            history.faults.iter().filter(|fault| fault.outcome == FaultOutcome::Installed).count();
        let name = escape(&history.scenario);
        let found = match violations {
            0 if installed == 0 => "<td>skipped</td>".to_owned(),
            0 => "<td class=\"good\">holds</td>".to_owned(),
            more => format!("<td class=\"bad\">{more}</td>"),
        };
        self.rows += &format!(
            "<tr><td><a href=\"{name}/report.html\">{name}</a></td><td class=\"n\">{installed}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{:.0} s</td>{found}</tr>\n",
            summary::containers(history),
            moment::seconds(history.began_ns, history.ended_ns),
        );
        self.violations += violations;
    }

    /// The page.
    pub(super) fn page(&self, last_line: &str) -> String {
        let kind = if self.violations == 0 { "good" } else { "bad" };
        let line = escape(last_line);
        let body = format!(
            "<h1>pinode under harm</h1>\n<p class=\"verdict {kind}\">{line}</p>\n<table><tr><th>scenario</th><th>pieces of \
             harm</th><th>containers</th><th>took</th><th>violations</th></tr>\n{}</table>\n",
            self.rows
        );
        document("pinode under harm", &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::judge;
    use crate::check::sample::good;

    #[test]
    fn each_scenario_has_a_row_that_leads_to_its_page() {
        let mut index = Index::default();
        index.add(&good(), &judge(&good()));
        let page = index.page("scenarios=1 violations=0");
        assert!(
            page.contains("<a href=\"film/report.html\">film</a>") && page.contains("class=\"verdict good\""),
            "{page}"
        );
    }
}
