//! TCP between the machines, as bad as it can be: slow, lossy (a lost frame comes after a retransmission), cut in one
//! direction or in both, and frames of one connection that come twice or overtake each other, which TCP never does and
//! the protocol above must bear all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pinode::transport::{Listens, Socket, Wires};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until};

use super::lock;
use super::pipe::{Connection, End};
use super::trace::Trace;
use crate::random::Random;

/// Bytes that the other machine does not acknowledge for so long break their connection, as the transport sets it.
const UNACKNOWLEDGED: Duration = Duration::from_secs(2);
/// TCP's first retransmission; each further one takes twice as long.
const RETRANSMIT: Duration = Duration::from_millis(200);
/// The first frames of each direction are a handshake; they come once and in order.
const HANDSHAKE: u64 = 2;
/// Connections that wait to be accepted.
const BACKLOG: usize = 128;

/// How bad the network is at present, everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Shortest way of a frame, in milliseconds.
    pub delay_min_ms: u64,
    /// Longest.
    pub delay_max_ms: u64,
    /// Frames of a hundred that are lost and sent again.
    pub loss: u64,
    /// Frames of a hundred that come twice.
    pub twice: u64,
    /// Whether frames of one connection may overtake each other.
    pub overtake: bool,
}

impl Weather {
    /// One switch, and nothing to complain of.
    pub const FINE: Weather =
        Weather { delay_min_ms: 0, delay_max_ms: 1, loss: 0, twice: 0, overtake: false };
}

enum What {
    Frame(Vec<u8>),
    End,
    /// Whether it was acknowledged by now.
    Check,
}

struct Travelling {
    connection: Arc<Connection>,
    side: usize,
    sent: Instant,
    what: What,
}

struct Inner {
    random: Random,
    weather: Weather,
    /// From whom to whom nothing passes.
    cut: BTreeSet<(usize, usize)>,
    listeners: BTreeMap<String, (usize, mpsc::Sender<(Socket, String)>)>,
    travelling: BTreeMap<(Instant, u64), Travelling>,
    sent: u64,
    /// Machines without power.
    dark: BTreeSet<usize>,
    /// Machines whose ways are fine whatever is done to the network.
    spared: BTreeSet<usize>,
    connections: Vec<Weak<Connection>>,
}

/// The network. Clones are the same one.
#[derive(Clone)]
pub struct Net(Arc<(Mutex<Inner>, Notify, Trace)>);

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}

impl Net {
    /// In fine weather, nothing cut.
    pub fn new(random: Random, trace: Trace) -> Net {
        let inner = Inner {
            random,
            weather: Weather::FINE,
            cut: BTreeSet::new(),
            listeners: BTreeMap::new(),
            travelling: BTreeMap::new(),
            sent: 0,
            dark: BTreeSet::new(),
            spared: BTreeSet::new(),
            connections: Vec::new(),
        };
        Net(Arc::new((Mutex::new(inner), Notify::new(), trace)))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut lock(&self.0.0))
    }

    /// Carries frames. Never returns.
    pub async fn carry(self) {
        loop {
            let next = self.with(|net| net.travelling.first_key_value().map(|((at, _), _)| *at));
            match next {
                None => self.0.1.notified().await,
                Some(at) if at > Instant::now() => {
                    tokio::select! {
                        biased;
                        () = sleep_until(at) => {}
                        () = self.0.1.notified() => {}
                    }
                }
                Some(_) => {
                    if let Some(((_, _), one)) = self.with(|net| net.travelling.pop_first()) {
                        self.arrive(one);
                    }
                }
            }
        }
    }

    fn arrive(&self, one: Travelling) {
        let Travelling { connection, side, sent, what } = one;
        let (from, to) = (connection.ends[side], connection.ends[1 - side]);
        let (there, back) = self.with(|net| (net.passes(from, to), net.passes(to, from)));
        if connection.is_broken_at(side) {
            return;
        }
        if there && back && connection.is_broken_at(1 - side) {
            connection.break_at(side, io::ErrorKind::ConnectionReset);
        } else if there && (back || matches!(what, What::Frame(_) | What::End)) {
            match what {
                What::Frame(bytes) => {
                    self.0.2.frame(from, to, &bytes);
                    connection.arrive(side, &bytes);
                    if !back {
                        let check = Travelling { connection, side, sent, what: What::Check };
                        self.with(|net| net.put(sent + UNACKNOWLEDGED, check));
                    }
                }
                What::End => connection.end(side),
                What::Check => {}
            }
        } else if sent.elapsed() >= UNACKNOWLEDGED {
            connection.break_at(side, io::ErrorKind::TimedOut);
        } else {
            let one = Travelling { connection, side, sent, what };
            self.with(|net| {
                let again = Instant::now() + RETRANSMIT + Duration::from_millis(net.random.between(0, 50));
                net.put(again, one);
            });
        }
    }

    /// A whole frame begins its way.
    pub(super) fn send(&self, connection: &Arc<Connection>, side: usize, number: u64, bytes: Vec<u8>) {
        let sent = Instant::now();
        self.with(|net| {
            let weather = net.weather(connection.ends);
            let handshake = number <= HANDSHAKE;
            let twice = !handshake && net.random.percent(weather.twice);
            let overtake = !handshake && weather.overtake;
            for copy in twice.then(|| bytes.clone()).into_iter().chain([bytes]) {
                let at = net.arrival(connection, side, sent, overtake);
                let what = What::Frame(copy);
                let one = Travelling { connection: connection.clone(), side, sent, what };
                self.set_out(net, at, one);
            }
        });
    }

    /// One end is gone.
    pub(super) fn hang_up(&self, connection: &Arc<Connection>, side: usize) {
        let sent = Instant::now();
        self.with(|net| {
            let at = net.arrival(connection, side, sent, false);
            self.set_out(net, at, Travelling { connection: connection.clone(), side, sent, what: What::End });
        });
    }

    /// Who carries sleeps until the first arrives, and is woken by one that arrives sooner.
    fn set_out(&self, net: &mut Inner, at: Instant, one: Travelling) {
        if net.travelling.first_key_value().is_none_or(|((first, _), _)| at < *first) {
            self.0.1.notify_one();
        }
        net.put(at, one);
    }

    /// A machine's way out.
    pub fn wires(&self, machine: usize) -> Arc<dyn Wires> {
        Arc::new(SimWires { machine, net: self.clone() })
    }

    /// A machine's way in, until it is dropped or the next one is made.
    pub fn listen(&self, machine: usize, addr: &str) -> SimListener {
        let (tell, told) = mpsc::channel(BACKLOG);
        self.with(|net| net.listeners.insert(addr.to_owned(), (machine, tell)));
        SimListener(told)
    }

    /// A process of that machine is gone, and its kernel says so to whoever is connected.
    pub fn reset(&self, machine: usize) {
        let connections = self.with(|net| {
            net.connections.retain(|connection| connection.strong_count() > 0);
            net.listeners.retain(|_, (at, _)| *at != machine);
            net.connections.iter().filter_map(Weak::upgrade).collect::<Vec<_>>()
        });
        for connection in connections.iter().filter(|connection| connection.ends.contains(&machine)) {
            for (side, end) in connection.ends.into_iter().enumerate() {
                let told = self.with(|net| !net.dark.contains(&machine) && net.passes(machine, end));
                if end == machine || told {
                    connection.break_at(side, io::ErrorKind::ConnectionReset);
                }
            }
        }
    }

    /// Power off: a dark machine sends nothing, not even that it is gone.
    pub fn set_dark(&self, machine: usize, dark: bool) {
        self.with(|net| if dark { net.dark.insert(machine) } else { net.dark.remove(&machine) });
    }

    /// No cut and no weather touches the ways from and to a machine.
    pub fn spare(&self, machine: usize, spared: bool) {
        self.with(|net| if spared { net.spared.insert(machine) } else { net.spared.remove(&machine) });
    }

    /// From now on nothing passes from each first to its second.
    pub fn cut(&self, ways: &BTreeSet<(usize, usize)>) {
        self.with(|net| net.cut.extend(ways));
    }

    /// From now on those pass again.
    pub fn mend(&self, ways: &BTreeSet<(usize, usize)>) {
        self.with(|net| net.cut.retain(|way| !ways.contains(way)));
    }

    /// Everything passes, in fine weather.
    pub fn heal(&self) {
        self.with(|net| {
            net.cut.clear();
            net.weather = Weather::FINE;
        });
    }

    /// Changes the weather.
    pub fn set_weather(&self, weather: Weather) {
        self.with(|net| net.weather = weather);
    }
}

impl Inner {
    fn passes(&self, from: usize, to: usize) -> bool {
        let cut = self.cut.contains(&(from, to)) && !self.spares([from, to]);
        !cut && !self.dark.contains(&from) && !self.dark.contains(&to)
    }

    fn spares(&self, ends: [usize; 2]) -> bool {
        ends.iter().any(|end| self.spared.contains(end))
    }

    fn weather(&self, ends: [usize; 2]) -> Weather {
        if self.spares(ends) { Weather::FINE } else { self.weather }
    }

    fn put(&mut self, at: Instant, one: Travelling) {
        self.sent += 1;
        self.travelling.insert((at, self.sent), one);
    }

    fn arrival(
        &mut self,
        connection: &Arc<Connection>,
        side: usize,
        sent: Instant,
        overtake: bool,
    ) -> Instant {
        let Weather { delay_min_ms, delay_max_ms, loss, .. } = self.weather(connection.ends);
        let mut at = sent + Duration::from_millis(self.random.between(delay_min_ms, delay_max_ms));
        let mut again = RETRANSMIT;
        while loss > 0 && self.random.percent(loss) && again < UNACKNOWLEDGED {
            at += again;
            again *= 2;
        }
        if overtake { at } else { connection.after_the_last(side, at) }
    }
}

#[derive(Debug)]
struct SimWires {
    machine: usize,
    net: Net,
}

impl Wires for SimWires {
    fn connect<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Socket>> {
        async move {
            let from = self.machine;
            let delay = self.net.with(|net| {
                let Weather { delay_min_ms, delay_max_ms, .. } = net.weather;
                Duration::from_millis(2 * net.random.between(delay_min_ms, delay_max_ms))
            });
            sleep(delay).await;
            let listener = self.net.with(|net| net.listeners.get(addr).cloned());
            let Some((to, listener)) = listener else {
                return Err(io::ErrorKind::ConnectionRefused.into());
            };
            if !self.net.with(|net| net.passes(from, to) && net.passes(to, from)) {
                // Nothing answers; whoever waits gives up before TCP does.
                std::future::pending().await
            }
            let connection = Connection::new([from, to]);
            let end = |side| {
                let end = End { connection: connection.clone(), side, net: self.net.clone() };
                Socket::Simulated(Box::new(end))
            };
            let (mine, theirs) = (end(0), end(1));
            self.net.with(|net| net.connections.push(Arc::downgrade(&connection)));
            match listener.try_send((theirs, format!("machine {from}"))) {
                Ok(()) => Ok(mine),
                Err(_) => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        }
        .boxed()
    }
}

/// A machine's way in.
#[derive(Debug)]
pub struct SimListener(mpsc::Receiver<(Socket, String)>);

impl Listens for SimListener {
    async fn accept(&mut self) -> io::Result<(Socket, String)> {
        match self.0.recv().await {
            Some(accepted) => Ok(accepted),
            None => std::future::pending().await,
        }
    }
}
