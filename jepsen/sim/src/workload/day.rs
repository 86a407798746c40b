//! Who asks for what, and when.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{Client, Wish};
use super::shape::Shape;
use crate::cluster::Cluster;
use crate::history::Answer;
use crate::random::Random;

/// Between two pipelines, in milliseconds.
const BETWEEN_MS: (u64, u64) = (3_000, 12_000);
/// Between the look at a container that somebody waits for.
const LOOK: Duration = Duration::from_secs(2);
/// So many looks, and then it is let be.
const LOOKS: usize = 40;

/// Asks for work until that moment, and sees to what was asked for.
pub async fn work(cluster: Arc<Cluster>, mut random: Random, until: Duration) {
    let mut asking = JoinSet::new();
    let mut number = 0;
    while cluster.now() < until {
        number += 1;
        let name = format!("p{number}");
        let shapes = match random.between(0, 9) {
            0..=2 => vec![Shape::chain(&mut random, name)],
            3..=5 => vec![Shape::film(&mut random, name)],
            6..=7 => vec![Shape::failure(&mut random, name)],
            8 => vec![Shape::endless(&mut random, name)],
            _ => {
                let (first, second) = Shape::late(&mut random, name);
                vec![first, second]
            }
        };
        let (cluster, own) = (cluster.clone(), random.fork());
        asking.spawn(see_to(cluster, own, shapes));
        sleep(Duration::from_millis(random.between(BETWEEN_MS.0, BETWEEN_MS.1))).await;
    }
    while asking.join_next().await.is_some() {}
}

async fn see_to(cluster: Arc<Cluster>, mut random: Random, shapes: Vec<Shape>) {
    for shape in shapes {
        let mut client = Client::new(cluster.clone(), random.fork());
        submit(&cluster, &mut client, &shape).await;
        if let Some(name) = &shape.to_stop {
            sleep(Duration::from_millis(random.between(500, 12_000))).await;
            wish(&cluster, &mut client, name, Wish::Stop, &["claimed", "running", "ready"]).await;
        }
        if let Some(name) = &shape.to_retry {
            wish(&cluster, &mut client, name, Wish::Retry, &["failed"]).await;
        }
        sleep(Duration::from_millis(random.between(500, 6_000))).await;
    }
}

async fn submit(cluster: &Cluster, client: &mut Client, shape: &Shape) {
    for machine in 0..cluster.count() {
        let engine = cluster.machine(machine).await.engine.clone();
        for (name, program) in shape.programs() {
            engine.on_start(&name, program);
        }
    }
    let Ok(pipeline) = serde_json::from_value(shape.body()) else {
        return cluster.wrong(format!("harness: {} is no pipeline", shape.name));
    };
    cluster.history().jobs.extend(shape.jobs());
    let (answer, ids) = client.submit(&format!("submit {}", shape.name), &pipeline).await;
    let now = cluster.now();
    match answer {
        Answer::Accepted => {
            for (name, id) in &ids {
                if let Some(job) = cluster.history().jobs.get_mut(name) {
                    job.accepted = Some((id.clone(), now));
                }
            }
            if let Some((name, id)) = ids.first() {
                client.must_see(name, id).await;
            }
        }
        Answer::Refused(_) => {
            for (name, _) in shape.jobs() {
                if let Some(job) = cluster.history().jobs.get_mut(&name) {
                    job.refused = true;
                }
            }
        }
        Answer::Unknown => {}
    }
}

/// Waits until the container is in one of those states, and then has a wish.
async fn wish(cluster: &Cluster, client: &mut Client, name: &str, wish: Wish, when: &[&str]) {
    for _ in 0..LOOKS {
        if let Some((id, state)) = client.find(name).await
            && when.contains(&state)
        {
            if let Some(job) = cluster.history().jobs.get_mut(name) {
                match wish {
                    Wish::Stop => job.stopped = true,
                    Wish::Retry => job.retried = true,
                }
            }
            client.wish(&format!("{wish:?} {name}"), wish, id).await;
            return;
        }
        sleep(LOOK).await;
    }
}
