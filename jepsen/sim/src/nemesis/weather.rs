//! A bad network, everywhere.

use super::Hand;
use crate::world::Weather;

/// Slow, lossy, or frames twice and out of order, for a while.
pub async fn bad(mut hand: Hand) {
    let (what, weather) = match hand.random.between(0, 3) {
        0 => {
            ("slow", Weather { delay_min_ms: 5, delay_max_ms: hand.random.between(10, 90), ..Weather::FINE })
        }
        1 => ("lossy", Weather { loss: hand.random.between(2, 20), ..Weather::FINE }),
        2 => (
            "frames come twice",
            Weather { twice: hand.random.between(5, 30), delay_max_ms: 8, ..Weather::FINE },
        ),
        _ => (
            "frames overtake each other",
            Weather { overtake: true, delay_max_ms: 20, twice: 5, ..Weather::FINE },
        ),
    };
    hand.cluster.net.set_weather(weather);
    hand.done(format_args!("{what}: {weather:?}"));
    hand.wait(2_000, 12_000).await;
    hand.cluster.net.set_weather(Weather::FINE);
    hand.cluster.trace.event(format_args!("fine weather"));
}
