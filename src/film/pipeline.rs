//! One film, one pipeline. Names are unique by the film's id, so two films never mix.

use crate::agent::SHARED_DRIVER;
use crate::api::{Pipeline, Submit};

/// More tries of each step; every step can be run again after a crash.
const RETRIES: u32 = 2;
/// The shared volume with all films, and where the containers see it.
pub(super) const VOLUME: &str = "films";

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Order<'a> {
    pub(super) id: &'a str,
    pub(super) image: &'a str,
    pub(super) parts: u32,
    /// A bitrate, or `crf` and a quality.
    pub(super) rate: &'a str,
    pub(super) codec: &'a str,
}

/// Split and audio side by side, one encoder a part after the split, merge after all of them.
pub(super) fn pipeline(order: &Order<'_>) -> Pipeline {
    let parts = order.parts;
    let encoder = |part: u32| {
        let cmd = ["encode", &part.to_string(), order.rate, order.codec];
        step(order, &format!("encode{part}"), &cmd, &["container==split"])
    };
    let wait = format!("container==audio,encode*,count={parts}");
    let mut containers = vec![
        step(order, "split", &["split", &parts.to_string()], &[]),
        step(order, "audio", &["audio"], &[]),
    ];
    containers.extend((0..parts).map(encoder));
    containers.push(step(order, "merge", &["merge"], &[&wait]));
    Pipeline { name: name(order.id), containers, waitfor_missing: None }
}

/// The pipeline's name of a film.
pub(super) fn name(id: &str) -> String {
    format!("film-{id}")
}

fn step(order: &Order<'_>, name: &str, cmd: &[&str], waits: &[&str]) -> Submit {
    Submit {
        name: Some(name.to_owned()),
        image: order.image.to_owned(),
        cmd: Some(cmd.iter().map(|word| (*word).to_owned()).collect()),
        env: vec![format!("FILM_DIR=/{VOLUME}/{}", order.id)],
        waitfor: waits.iter().map(|wait| (*wait).to_owned()).collect(),
        volumes: vec![format!("{VOLUME}:/{VOLUME}")],
        volume_driver: Some(SHARED_DRIVER.to_owned()),
        network_mode: Some("none".to_owned()),
        retries: Some(RETRIES),
        ..Submit::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: &str, parts: u32) -> Pipeline {
        pipeline(&Order { id, image: "film", parts, rate: "2M", codec: "libx264" })
    }

    #[test]
    fn encoders_wait_for_the_split_and_the_merge_for_everything() {
        let film = order("a", 3);
        let waits: Vec<_> =
            film.containers.iter().map(|c| (c.name.clone().unwrap(), c.waitfor.join(" "))).collect();
        let expected = [
            ("split", ""),
            ("audio", ""),
            ("encode0", "container==split"),
            ("encode1", "container==split"),
            ("encode2", "container==split"),
            ("merge", "container==audio,encode*,count=3"),
        ];
        assert_eq!(waits, expected.map(|(name, wait)| (name.to_owned(), wait.to_owned())));
    }

    #[test]
    fn two_films_share_no_name() {
        assert_ne!(order("a", 1).name, order("b", 1).name);
    }
}
