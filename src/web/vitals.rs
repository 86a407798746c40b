//! How the machines are: what the kernel says of CPU, memory, heat and voltage. Nobody stores it; it is looked at while
//! somebody looks at the page.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::future::join_all;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, Limited};
use pinode_scheduler::NodeId;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::http::{Backend, Nothing, Query};

/// Where a node says it of itself.
pub(super) const HERE: &str = "/web/vitals/here";
/// Between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// How long the CPU is watched for one look.
const WATCH: Duration = Duration::from_millis(250);
/// Longest wait for another node's.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest such answer, in bytes.
const WORD_MAX_BYTES: usize = 4096;

/// Of one machine; what it does not tell is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Vitals {
    /// CPUs in use.
    cpus_used: Option<f64>,
    /// Bytes in use.
    memory_used: Option<u64>,
    /// Bytes.
    memory: Option<u64>,
    /// Degrees Celsius of the hottest sensor.
    celsius: Option<f64>,
    /// What a Pi says of its power and its heat, in words.
    throttled: Vec<String>,
}

/// This machine's.
pub(super) async fn here() -> Json<Vitals> {
    let before = cpu_time();
    sleep(WATCH).await;
    let cpus_used = before.zip(cpu_time()).and_then(|(before, after)| busy(before, after));
    let (memory, free) = fs::read_to_string("/proc/meminfo")
        .map_or((None, None), |text| (kilobytes(&text, "MemTotal:"), kilobytes(&text, "MemAvailable:")));
    let throttled = fs::read_to_string("/sys/devices/platform/soc/soc:firmware/get_throttled");
    Json(Vitals {
        cpus_used,
        memory_used: memory.zip(free).map(|(memory, free)| memory.saturating_sub(free)),
        memory,
        celsius: hottest(),
        throttled: throttled.map(|text| words(&text)).unwrap_or_default(),
    })
}

/// All machines', again and again.
pub(super) async fn stream(
    State(backend): State<Backend>,
    Query(Nothing {}): Query<Nothing>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let looks = stream::unfold((backend, true), |(backend, first)| async move {
        if !first {
            sleep(LOOK).await;
        }
        let all = all(&backend).await;
        let event = Event::default().event("vitals").json_data(all).unwrap_or_default();
        Some((Ok(event), (backend, false)))
    });
    Sse::new(looks).keep_alive(KeepAlive::default())
}

/// By name. Who does not answer is left out.
async fn all(backend: &Backend) -> BTreeMap<String, Vitals> {
    let nodes: Vec<(NodeId, String)> = {
        let state = backend.machine.state();
        let open = state.nodes().filter(|node| node.is_open());
        open.map(|node| (node.id, node.facts.name.clone())).collect()
    };
    let looks = nodes.into_iter().map(|(id, name)| async move { Some((name, ask(backend, id).await?)) });
    join_all(looks).await.into_iter().flatten().collect()
}

async fn ask(backend: &Backend, node: NodeId) -> Option<Vitals> {
    if node == backend.me {
        return Some(here().await.0);
    }
    let asked = async {
        let answer = backend.ask_node(node, HERE).await.ok()?;
        let body = Limited::new(answer.into_body(), WORD_MAX_BYTES).collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok()
    };
    timeout(ASK_TIMEOUT, asked).await.ok().flatten()
}

/// CPUs, busy and all ticks since the boot.
fn cpu_time() -> Option<(u32, u64, u64)> {
    parse_cpu_time(&fs::read_to_string("/proc/stat").ok()?)
}

fn parse_cpu_time(text: &str) -> Option<(u32, u64, u64)> {
    let mut lines = text.lines();
    let ticks: Vec<u64> =
        lines.next()?.strip_prefix("cpu ")?.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guests are counted in user already.
    let all: u64 = ticks.iter().take(8).sum();
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    let cpus = lines.take_while(|line| line.starts_with("cpu")).count();
    Some((u32::try_from(cpus).ok()?, all - idle, all))
}

fn busy(before: (u32, u64, u64), after: (u32, u64, u64)) -> Option<f64> {
    let (busy, all) = (after.1.saturating_sub(before.1), after.2.saturating_sub(before.2));
    (all > 0).then(|| busy as f64 / all as f64 * f64::from(after.0))
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

fn hottest() -> Option<f64> {
    let zones = fs::read_dir("/sys/class/thermal").ok()?.flatten();
    let heat =
        zones.filter_map(|zone| fs::read_to_string(zone.path().join("temp")).ok()?.trim().parse().ok());
    heat.map(|milli: f64| milli / 1000.0).reduce(f64::max)
}

/// The firmware's bits, as Raspberry Pi documents them for `vcgencmd get_throttled`.
fn words(text: &str) -> Vec<String> {
    const BITS: [(u32, &str); 8] = [
        (0, "under-voltage now"),
        (1, "CPU frequency capped now"),
        (2, "throttled now"),
        (3, "near the temperature limit now"),
        (16, "under-voltage since the boot"),
        (17, "CPU frequency capped since the boot"),
        (18, "throttled since the boot"),
        (19, "near the temperature limit since the boot"),
    ];
    let bits = u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).unwrap_or(0);
    BITS.iter().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, word)| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pi_s_bits_are_words() {
        assert_eq!(
            words("50005\n"),
            [
                "under-voltage now",
                "throttled now",
                "under-voltage since the boot",
                "throttled since the boot"
            ]
        );
        assert!(words("0\n").is_empty() && words("nonsense").is_empty());
    }

    #[test]
    fn cpus_in_use_are_the_busy_share_of_all() {
        let at = |user: u64, idle: u64| {
            parse_cpu_time(&format!("cpu  {user} 0 0 {idle} 0 0 0 0 9 9\ncpu0 1\ncpu1 1\nintr 5\n")).unwrap()
        };
        assert_eq!(busy(at(100, 100), at(150, 250)), Some(0.5));
        assert_eq!(busy(at(1, 1), at(1, 1)), None);
    }

    #[test]
    fn memory_is_told_in_kilobytes() {
        let text = "MemTotal:        2000 kB\nMemFree: 5 kB\nMemAvailable:    500 kB\n";
        assert_eq!((kilobytes(text, "MemTotal:"), kilobytes(text, "Swap:")), (Some(2_048_000), None));
    }
}
