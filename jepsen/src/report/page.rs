//! One page that needs nothing else: no script, no font, no network.

use super::summary;
use super::timeline::timeline;
use crate::check::Verdict;
use crate::history::History;

const STYLE: &str = include_str!("page.css");

/// The page of a run.
pub(super) fn page(history: &History, verdicts: &[Verdict]) -> String {
    let title = escape(&summary::last_line(history, verdicts));
    let rows: String = verdicts.iter().map(row).collect();
    let faults: String = history
        .faults
        .iter()
        .map(|fault| format!("<li>{}</li>", escape(&fault_line(history, fault))))
        .collect();
    let (picture, again) = (timeline(history), escape(&history.again));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n<style>\n{STYLE}</style></head>\n\
         <body><h1>{title}</h1>\n<figure>{picture}</figure>\n\
         <p class=\"key\"><span class=\"succeeded\">ended with 0</span> <span class=\"failed\">ended with another code</span> \
         <span class=\"cut\">ended by the cut</span> <span class=\"unknown\">end not seen</span> #2: second attempt</p>\n\
         <h2>What was done</h2>\n<ul>{faults}</ul>\n\
         <h2>What was judged</h2>\n<table><tr><th>property</th><th>what must hold</th><th>found</th></tr>\n{rows}</table>\n\
         <h2>Again</h2>\n<pre>{again}</pre>\n</body></html>\n"
    )
}

fn fault_line(history: &History, fault: &crate::history::Fault) -> String {
    let (at, what) = (history.at(fault.began_ns), format!("{:?}", fault.what).to_lowercase());
    format!("{at}: {what} {}: {}", fault.node, fault.note)
}

fn row(verdict: &Verdict) -> String {
    let property = verdict.property;
    let found = if verdict.violations.is_empty() {
        "<td class=\"good\">holds</td>".to_owned()
    } else {
        let items: String = verdict.violations.iter().map(|v| format!("<li>{}</li>", escape(&v.0))).collect();
        format!("<td class=\"bad\"><ul>{items}</ul></td>")
    };
    format!("<tr><td>{}</td><td>{}</td>{found}</tr>\n", escape(property.name), escape(property.promise))
}

/// Text inside of HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::judge;
    use crate::check::sample::good;

    #[test]
    fn the_page_shows_attempts_faults_properties_and_the_line_that_runs_it_again() {
        let history = good();
        let page = page(&history, &judge(&history));
        for part in [
            "film-1.encode0 #1 on n3, from 6.000 s to 10.000 s: cut",
            "film-1.encode0 #2 on n1, from 28.000 s to 32.005 s: succeeded",
            "no power",
            "10.000 s: cut n3",
            "Two attempts of one container never run at the same time.",
            "<pre>pinode-jepsen film --seed 7</pre>",
            "prefers-color-scheme",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("class=\"bad\""));
    }

    #[test]
    fn violations_stand_in_the_table_and_are_text() {
        let mut history = good();
        let film = history.film.as_mut().unwrap();
        (film.state, film.error) = ("failed".to_owned(), Some("<b>&".to_owned()));
        let page = page(&history, &judge(&history));
        assert!(page.contains("it is failed: &lt;b&gt;&amp;</li>"), "{page}");
    }
}
