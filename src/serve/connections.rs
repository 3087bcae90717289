//! Who is connected, what each client is doing, and who must go: so that no client, slow, broken or hostile, takes the place of
//! another. What happens on a connection is written down without a lock or a clock; once in a while somebody looks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config::Http;
use crate::observe::metrics::Metrics;

/// A client that takes an answer more slowly than this, in bytes for a second, keeps it from others: the slowest mobile networks
/// are ten times as fast.
const LEAST_RATE: u64 = 4 << 10;
/// A connection that was idle for so long is kept in as little memory as may be.
const DOZE: Duration = Duration::from_secs(2);
/// How often connections are looked at while there are any; more often where a limit is shorter.
const LONGEST_TICK: Duration = Duration::from_secs(1);
/// Descriptors that are kept for files, whoever connects.
const DESCRIPTORS_FOR_FILES: usize = 256;

/// What a client is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Its request has not come yet, or not all of it.
    Asking,
    /// It is being answered.
    Answered,
    /// It has its answer.
    Idle,
}

/// What a connection is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub enum Command {
    /// Go on.
    None,
    /// Keep nothing in memory while the client says nothing.
    Doze,
    /// Finish the answer, and then end.
    Finish,
    /// End at once.
    End,
}

/// One connection, as its own task writes it down.
#[derive(Debug)]
pub struct Connection {
    phase: AtomicU8,
    /// How often the phase has changed.
    changes: AtomicU32,
    /// Whether part of an answer waits for the client to take it.
    blocked: AtomicBool,
    /// Bytes that the client was sent.
    written: AtomicU64,
    order: AtomicU8,
    waker: OnceLock<Waker>,
}

impl Connection {
    fn new() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Asking as u8),
            changes: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            written: AtomicU64::new(0),
            order: AtomicU8::new(Command::None as u8),
            waker: OnceLock::new(),
        }
    }

    /// What the client is doing.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Asking,
            1 => Phase::Answered,
            _ => Phase::Idle,
        }
    }

    /// Notes what the client does from now on.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        self.changes.fetch_add(1, Relaxed);
    }

    /// How often that has changed.
    pub fn changes(&self) -> u32 {
        self.changes.load(Relaxed)
    }

    /// Notes bytes that the client took.
    pub fn took(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Relaxed);
    }

    /// Notes whether more waits for it.
    pub fn set_blocked(&self, blocked: bool) {
        if self.blocked.load(Relaxed) != blocked {
            self.blocked.store(blocked, Relaxed);
        }
    }

    /// Whether more waits for it.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed)
    }

    /// What the connection is to do. It is woken by `waker` when that changes, which must always be the same task's.
    pub fn order(&self, waker: &Waker) -> Command {
        self.waker.get_or_init(|| waker.clone());
        match self.order.load(SeqCst) {
            0 => Command::None,
            1 => Command::Doze,
            2 => Command::Finish,
            _ => Command::End,
        }
    }

    /// It does what it was told to, and goes on. What is more was not told meanwhile, or stays.
    pub fn obeyed(&self, order: Command) {
        let _ = self.order.compare_exchange(order as u8, Command::None as u8, SeqCst, SeqCst);
    }

    fn tell(&self, order: Command) {
        if self.order.fetch_max(order as u8, SeqCst) < order as u8
            && let Some(waker) = self.waker.get()
        {
            waker.wake_by_ref();
        }
    }
}

/// How much of the machine clients may take, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Connections.
    pub all: usize,
    /// Of one address.
    pub of_one: usize,
    /// For a request to come.
    pub asking: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// For part of an answer to be taken.
    pub blocked: Duration,
}

impl ConnectionLimits {
    /// As configured, for a process that may have so many descriptors.
    pub fn new(http: &Http, descriptors: usize) -> Self {
        let all = http.connections.min(descriptors.saturating_sub(DESCRIPTORS_FOR_FILES).max(1));
        Self {
            all,
            of_one: if http.connections_per_address == 0 { usize::MAX } else { http.connections_per_address },
            asking: http.header_timeout.0,
            idle: http.idle_timeout.0,
            blocked: http.write_timeout.0,
        }
    }

    /// No limit is overrun by more than this.
    fn tick(&self) -> Duration {
        let shortest = self.asking.min(self.idle).min(self.blocked);
        (shortest / 4).min(LONGEST_TICK)
    }
}

/// A connection, and what it was doing when somebody last looked.
#[derive(Debug)]
struct ConnectionEntry {
    connection: Arc<Connection>,
    owner: Option<IpAddr>,
    changes: u32,
    blocked: bool,
    written: u64,
    since: Instant,
}

impl ConnectionEntry {
    /// What is to be done about it at the instant `now`.
    fn due(&mut self, limits: &ConnectionLimits, now: Instant) -> Command {
        let (changes, blocked) = (self.connection.changes(), self.connection.is_blocked());
        if (changes, blocked) != (self.changes, self.blocked) {
            self.notice(changes, blocked, now);
            return Command::None;
        }
        let elapsed = now.saturating_duration_since(self.since);
        if blocked {
            if elapsed < limits.blocked {
                return Command::None;
            }
            let taken = self.connection.written.load(Relaxed) - self.written;
            self.notice(changes, blocked, now);
            return if taken < LEAST_RATE * limits.blocked.as_secs() { Command::End } else { Command::None };
        }
        match self.connection.phase() {
            Phase::Asking if elapsed >= limits.asking => Command::End,
            Phase::Idle if elapsed >= limits.idle => Command::End,
            Phase::Idle if elapsed >= DOZE => Command::Doze,
            _ => Command::None,
        }
    }

    fn notice(&mut self, changes: u32, blocked: bool, now: Instant) {
        (self.changes, self.blocked, self.since) = (changes, blocked, now);
        self.written = self.connection.written.load(Relaxed);
    }
}

#[derive(Debug)]
struct Open {
    limits: ConnectionLimits,
    next: u64,
    /// In the order in which they came.
    entries: BTreeMap<u64, ConnectionEntry>,
    by_owner: HashMap<IpAddr, BTreeSet<u64>>,
}

impl Open {
    fn remove(&mut self, number: u64) -> Option<ConnectionEntry> {
        let entry = self.entries.remove(&number)?;
        if let Some(owner) = entry.owner
            && let Some(own) = self.by_owner.get_mut(&owner)
        {
            own.remove(&number);
            if own.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
        Some(entry)
    }

    /// Ends one of these connections that asks for nothing: the oldest whose request has not come, or else the oldest that has
    /// its answer. Says whether there was one.
    fn make_room(&mut self, among: Option<IpAddr>) -> bool {
        let of = |phase: Phase| {
            let is_so = |number: &&u64| self.entries.get(number).is_some_and(|entry| entry.connection.phase() == phase);
            match among {
                Some(owner) => self.by_owner.get(&owner).and_then(|own| own.iter().find(is_so)).copied(),
                None => self.entries.keys().find(is_so).copied(),
            }
        };
        let evicted = of(Phase::Asking).or_else(|| of(Phase::Idle)).and_then(|number| self.remove(number));
        evicted.is_some_and(|entry| {
            entry.connection.tell(Command::End);
            true
        })
    }
}

/// All connections.
#[derive(Debug)]
pub struct Connections {
    open: Mutex<Open>,
    /// The first has come, or the last has gone.
    turned: Notify,
    metrics: Metrics,
}

impl Connections {
    /// None yet.
    pub fn new(limits: ConnectionLimits, metrics: Metrics) -> Self {
        let open = Open { limits, next: 0, entries: BTreeMap::new(), by_owner: HashMap::new() };
        Self { open: Mutex::new(open), turned: Notify::new(), metrics }
    }

    /// Holds them to other limits from now on. Who is there stays.
    pub fn limit(&self, limits: ConnectionLimits) {
        self.open().limits = limits;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Whoever panicked here left a list that is whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a client, if need be in place of another. `owner` is who answers for it, if there is a limit to what one may
    /// have. `None` if all the others are being answered.
    pub fn admit(self: &Arc<Self>, owner: Option<IpAddr>) -> Option<Admitted> {
        let owner = owner.map(network);
        let mut open = self.open();
        if let Some(owner) = owner
            && open.by_owner.get(&owner).map_or(0, BTreeSet::len) >= open.limits.of_one
            && !self.make_room(&mut open, Some(owner))
        {
            return None;
        }
        if open.entries.len() >= open.limits.all && !self.make_room(&mut open, None) {
            return None;
        }
        self.metrics.connected();
        let number = open.next;
        open.next += 1;
        let connection = Arc::new(Connection::new());
        let since = Instant::now();
        let entry =
            ConnectionEntry { connection: connection.clone(), owner, changes: 0, blocked: false, written: 0, since };
        open.entries.insert(number, entry);
        if let Some(owner) = owner {
            open.by_owner.entry(owner).or_default().insert(number);
        }
        if open.entries.len() == 1 {
            self.turned.notify_waiters();
        }
        drop(open);
        Some(Admitted { connection, number, connections: self.clone() })
    }

    fn make_room(&self, open: &mut Open, among: Option<IpAddr>) -> bool {
        let has_room = open.make_room(among);
        if has_room {
            self.metrics.evicted();
        } else {
            self.metrics.refused();
        }
        has_room
    }

    /// Ends connections that overrun their limits, for ever. While there are none, it does nothing at all.
    pub async fn watch_over(&self) {
        loop {
            let turned = self.turned.notified();
            let tick = {
                let open = self.open();
                (!open.entries.is_empty()).then(|| open.limits.tick())
            };
            let Some(tick) = tick else {
                turned.await;
                continue;
            };
            tokio::time::sleep(tick).await;
            self.look(Instant::now());
        }
    }

    fn look(&self, now: Instant) {
        let mut open = self.open();
        let limits = open.limits;
        for entry in open.entries.values_mut() {
            match entry.due(&limits, now) {
                Command::None => {}
                order => entry.connection.tell(order),
            }
        }
    }

    /// Lets all connections finish what they do, and waits until they have.
    pub async fn finish(&self) {
        loop {
            let turned = self.turned.notified();
            let all: Vec<_> = self.open().entries.values().map(|entry| entry.connection.clone()).collect();
            if all.is_empty() {
                return;
            }
            for connection in all {
                connection.tell(Command::Finish);
            }
            turned.await;
        }
    }
}

/// The place of a connection among all, which it gives back in the end.
#[derive(Debug)]
pub struct Admitted {
    /// Itself.
    pub connection: Arc<Connection>,
    number: u64,
    connections: Arc<Connections>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.metrics.disconnected();
        let mut open = self.connections.open();
        open.remove(self.number);
        if open.entries.is_empty() {
            self.connections.turned.notify_waiters();
        }
    }
}

/// Who answers for an address: with IPv6, whoever has the network of 64 bits, since that is what one customer is given.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits {
        all: 4,
        of_one: 2,
        asking: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        blocked: Duration::from_secs(20),
    };

    fn all() -> Arc<Connections> {
        Arc::new(Connections::new(LIMITS, Metrics::default()))
    }

    fn order(admitted: &Admitted) -> Command {
        admitted.connection.order(Waker::noop())
    }

    fn admit(all: &Arc<Connections>, address: &str) -> Option<Admitted> {
        all.admit(Some(address.parse().unwrap()))
    }

    #[test]
    fn the_oldest_that_asks_nothing_makes_room() {
        let all = all();
        let four: Vec<_> = (0..4).map(|_| all.admit(None).unwrap()).collect();
        four[0].connection.enter(Phase::Answered);
        four[1].connection.enter(Phase::Idle);
        let fifth = all.admit(None).unwrap();
        assert_eq!(
            four.iter().map(order).collect::<Vec<_>>(),
            [Command::None, Command::None, Command::End, Command::None]
        );
        fifth.connection.enter(Phase::Answered);
        four[3].connection.enter(Phase::Answered);
        let sixth = all.admit(None).unwrap();
        assert_eq!(order(&four[1]), Command::End, "who has an answer goes after those who ask");
        sixth.connection.enter(Phase::Answered);
        assert!(all.admit(None).is_none(), "nobody who is being answered is ended for another");
        drop(sixth);
        assert!(all.admit(None).is_some());
    }

    #[test]
    fn one_address_makes_room_for_itself() {
        let all = all();
        let other = admit(&all, "192.0.2.1").unwrap();
        let own: Vec<_> = (0..2).map(|_| admit(&all, "192.0.2.2").unwrap()).collect();
        own[0].connection.enter(Phase::Answered);
        let third = admit(&all, "::ffff:192.0.2.2").unwrap();
        assert_eq!((order(&other), order(&own[0]), order(&own[1])), (Command::None, Command::None, Command::End));
        third.connection.enter(Phase::Answered);
        assert!(admit(&all, "192.0.2.2").is_none());
        let of_net: Vec<_> = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|text| admit(&all, text)).into();
        assert_eq!(of_net.iter().flatten().map(order).filter(|order| *order == Command::End).count(), 1);
    }

    #[test]
    fn each_limit_ends_whom_it_is_for() {
        let all = all();
        let admitted = all.admit(None).unwrap();
        let connection = &admitted.connection;
        let start = Instant::now();
        let after = |seconds| all.look(start + Duration::from_secs(seconds));
        after(1);
        after(9);
        assert_eq!(order(&admitted), Command::None);
        connection.enter(Phase::Answered);
        after(10);
        after(100);
        assert_eq!(order(&admitted), Command::None, "we are the ones who are slow");
        connection.set_blocked(true);
        after(101);
        connection.took(80 << 10);
        after(121);
        assert_eq!(order(&admitted), Command::None, "slow, but not too slow");
        connection.set_blocked(false);
        connection.enter(Phase::Idle);
        after(122);
        after(125);
        assert_eq!(order(&admitted), Command::Doze);
        connection.obeyed(Command::Doze);
        after(150);
        after(182);
        assert_eq!(order(&admitted), Command::End);
    }

    #[test]
    fn hardly_anything_is_too_little() {
        let all = all();
        let admitted = all.admit(None).unwrap();
        let start = Instant::now();
        admitted.connection.enter(Phase::Answered);
        admitted.connection.set_blocked(true);
        all.look(start + Duration::from_secs(1));
        admitted.connection.took(200);
        all.look(start + Duration::from_secs(20));
        assert_eq!(order(&admitted), Command::None);
        all.look(start + Duration::from_secs(21));
        assert_eq!(order(&admitted), Command::End);
    }

    #[test]
    fn what_was_ordered_is_not_taken_back_by_less() {
        let all = all();
        let admitted = all.admit(None).unwrap();
        admitted.connection.tell(Command::End);
        admitted.connection.tell(Command::Doze);
        admitted.connection.obeyed(Command::Doze);
        assert_eq!(order(&admitted), Command::End);
    }

    #[test]
    fn files_keep_their_descriptors() {
        let http = Http { connections: 4096, ..Http::default() };
        assert_eq!(ConnectionLimits::new(&http, 20_000).all, 4096);
        assert_eq!(ConnectionLimits::new(&http, 1024).all, 768);
        assert_eq!(ConnectionLimits::new(&http, 200).all, 1);
    }
}
