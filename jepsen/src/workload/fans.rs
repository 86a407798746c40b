//! Pipelines: fan-out and fan-in by a pattern with a count, two ways from one to one, and a failure whose children are
//! skipped or run, as they asked for.

use super::beats;
use super::payload::Program;
use super::story::{Pipeline, Step, Story};
use crate::history::Kind;
use crate::random::Random;

/// One, then several at once, then one after all of them, by a pattern.
pub fn fan(random: &mut Random, tag: &str) -> Story {
    let width = random.between(2, 4);
    let mut pipeline = Pipeline::new(format!("fan-{tag}"));
    let split = pipeline.add("split", lives(random), &[], &[]);
    let mut all = Vec::new();
    for k in 0..width {
        all.push(pipeline.add(
            &format!("part{k}"),
            lives(random),
            &["container==split"],
            &[(&split, Kind::Container)],
        ));
    }
    let waits: Vec<(&str, Kind)> = all.iter().map(|on| (on.as_str(), Kind::Container)).collect();
    pipeline.add("merge", lives(random), &[&format!("container==part*,count={width}")], &waits);
    vec![Step::Ask(pipeline.request())]
}

/// Two ways from one to one; another one waits for the first start alone.
pub fn diamond(random: &mut Random, tag: &str) -> Story {
    let mut pipeline = Pipeline::new(format!("diamond-{tag}"));
    let top = pipeline.add("top", lives(random), &[], &[]);
    let after_top = [(top.as_str(), Kind::Container)];
    let left = pipeline.add("left", lives(random), &["container==top"], &after_top);
    let right = pipeline.add("right", lives(random), &["container==top"], &after_top);
    let both = [(left.as_str(), Kind::Container), (right.as_str(), Kind::Container)];
    pipeline.add("bottom", lives(random), &["container==left,right"], &both);
    pipeline.add("beside", lives(random), &["started==top"], &[(top.as_str(), Kind::Started)]);
    vec![Step::Ask(pipeline.request())]
}

/// One that fails: who waits for its success is skipped, who waits for its end or its failure runs.
pub fn failure(random: &mut Random, tag: &str) -> Story {
    let mut pipeline = Pipeline::new(format!("fails-{tag}"));
    let code = i64::try_from(random.between(1, 100)).unwrap_or(1);
    let fails = pipeline.add("fails", Program { code, ..lives(random) }, &[], &[]);
    pipeline.add("skipped", lives(random), &["container==fails"], &[(fails.as_str(), Kind::Container)]);
    pipeline.add("after", lives(random), &["exited==fails"], &[(fails.as_str(), Kind::Exited)]);
    pipeline.add("mends", lives(random), &["failed==fails"], &[(fails.as_str(), Kind::Failed)]);
    vec![Step::Ask(pipeline.request())]
}

fn lives(random: &mut Random) -> Program {
    Program { beats: beats(random), ..Program::default() }
}
