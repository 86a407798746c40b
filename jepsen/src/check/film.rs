//! The film came out whole: counted by somebody else than pinode.

use super::Violation;
use crate::history::{Film, History, Probed};

/// Longest difference between a film and its result, in seconds: what `deploy/images/film` promises.
const TOLERANCE: f64 = 0.15;

/// Judges it.
pub fn judge(history: &History) -> Vec<Violation> {
    let sentences = match &history.film {
        None if history.scenario == "film" => vec!["there is no film".to_owned()],
        None => Vec::new(),
        Some(film) => wrong(film),
    };
    sentences.into_iter().map(Violation).collect()
}

fn wrong(film: &Film) -> Vec<String> {
    let id = &film.id;
    if film.state != "succeeded" {
        let why = film.error.as_deref().unwrap_or("no reason is told");
        return vec![format!("the film {id} has not succeeded, it is {}: {why}", film.state)];
    }
    match &film.result {
        None => vec![format!("the film {id} has succeeded, and no node gives its result")],
        Some(result) => unlike(id, &film.source, result),
    }
}

fn unlike(id: &str, source: &Probed, result: &Probed) -> Vec<String> {
    let mut wrong = Vec::new();
    if source.frames != result.frames {
        wrong.push(format!("the film {id} has {} frames, and its result {}", source.frames, result.frames));
    }
    // A length that is no number is not close to anything.
    let is_close = (source.seconds - result.seconds).abs() <= TOLERANCE;
    if !is_close {
        wrong.push(format!(
            "the film {id} is {:.3} s long, and its result {:.3} s",
            source.seconds, result.seconds
        ));
    }
    if source.sound != result.sound {
        let word = |sound: bool| if sound { "sound" } else { "no sound" };
        wrong.push(format!(
            "the film {id} has {}, and its result has {}",
            word(source.sound),
            word(result.sound)
        ));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::sample::{good, sentences};
    use super::*;

    fn after(change: impl Fn(&mut Film, &mut Probed)) -> Vec<String> {
        let mut history = good();
        let film = history.film.as_mut().unwrap();
        let mut result = film.result.take().unwrap();
        change(film, &mut result);
        film.result = Some(result);
        sentences(judge(&history))
    }

    #[test]
    fn a_whole_film_is_good() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn one_frame_fewer_or_more_is_wrong() {
        assert_eq!(after(|_, result| result.frames -= 1), ["the film 1 has 900 frames, and its result 899"]);
        assert_eq!(after(|_, result| result.frames += 1), ["the film 1 has 900 frames, and its result 901"]);
    }

    #[test]
    fn another_length_is_wrong_and_none_too() {
        assert_eq!(
            after(|_, result| result.seconds = 30.16),
            ["the film 1 is 30.000 s long, and its result 30.160 s"]
        );
        assert_eq!(after(|_, result| result.seconds = f64::NAN).len(), 1);
    }

    #[test]
    fn lost_sound_is_wrong() {
        assert_eq!(
            after(|_, result| result.sound = false),
            ["the film 1 has sound, and its result has no sound"]
        );
    }

    #[test]
    fn a_film_that_failed_tells_why() {
        let failed = after(|film, _| {
            film.state = "failed".to_owned();
            film.error = Some("film-1.merge failed with code 1".to_owned());
        });
        assert_eq!(failed, ["the film 1 has not succeeded, it is failed: film-1.merge failed with code 1"]);
    }

    #[test]
    fn a_result_that_nobody_gives_and_a_film_that_is_not_there_are_wrong() {
        let mut history = good();
        history.film.as_mut().unwrap().result = None;
        assert_eq!(judge(&history).len(), 1);
        history.film = None;
        assert_eq!(judge(&history).len(), 1);
    }
}
