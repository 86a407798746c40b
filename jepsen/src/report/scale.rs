//! From moments to places.

use crate::history::History;
use crate::moment;

/// Names of the lanes stand here.
pub(super) const LEFT: f64 = 64.0;
/// Where the lanes begin, below the axis.
pub(super) const TOP: f64 = 22.0;
/// A short run fills the page; a long one is as long as it needs, and is scrolled.
const LEAST_WIDTH: f64 = 1200.0;
const A_SECOND: f64 = 13.0;
/// Between two ticks of the axis, at least.
const TICK: f64 = 80.0;

/// The width of a picture, and what is where in it.
pub(super) struct Scale {
    pub(super) width: f64,
    from_ns: u64,
    first: f64,
    last: f64,
}

impl Scale {
    /// From the first request to the last look.
    pub(super) fn of(history: &History) -> Scale {
        let sent =
            history.operations.iter().flat_map(|operation| &operation.tries).map(|tried| tried.sent_ns);
        let from_ns = history.began_ns;
        let first = moment::seconds(from_ns, sent.min().unwrap_or(from_ns));
        let last = moment::seconds(from_ns, history.ended_ns).max(first + 1.0);
        let width = (LEFT + (last - first) * A_SECOND).max(LEAST_WIDTH);
        Scale { width, from_ns, first, last }
    }

    pub(super) fn x(&self, ns: u64) -> f64 {
        self.place(moment::seconds(self.from_ns, ns))
    }

    fn place(&self, seconds: f64) -> f64 {
        let part = (seconds - self.first) / (self.last - self.first);
        LEFT + part.clamp(0.0, 1.0) * (self.width - LEFT - 4.0)
    }

    /// The same seconds since the run began that sentences tell.
    pub(super) fn axis(&self, bottom: f64) -> String {
        let pixels = (self.width - LEFT) / (self.last - self.first);
        let fits = |step: &f64| step * pixels >= TICK;
        let step = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0].into_iter().find(fits).unwrap_or(300.0);
        let mut svg = String::new();
        let mut seconds = (self.first / step).ceil() * step;
        while seconds <= self.last {
            let x = self.place(seconds);
            svg += &format!("<path class=\"tick\" d=\"M{x:.1} {TOP}V{bottom:.1}\"/>");
            svg += &format!("<text class=\"axis\" x=\"{x:.1}\" y=\"12\">{seconds} s</text>");
            seconds += step;
        }
        svg
    }
}
