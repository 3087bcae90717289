//! The open connections, their phases and limits: no slow, broken or hostile client can crowd out another. A connection records
//! its phase and progress without a lock or a clock; a periodic sweep applies the limits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::prepared_head::PreparedHead;
use crate::config::Http;
use crate::observe::metrics::Metrics;

/// Slowest acceptable rate at which a client reads a response, in bytes per second; the slowest mobile networks are ten times
/// as fast.
const MIN_RATE: u64 = 4 << 10;
/// Idle time after which a connection releases its buffers.
const HIBERNATE_AFTER: Duration = Duration::from_secs(2);
/// Longest interval between two sweeps while there are connections; a shorter limit shortens it.
const LONGEST_SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Descriptors reserved for files.
const DESCRIPTORS_FOR_FILES: usize = 256;

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// The request has not arrived yet, or only in part.
    AwaitingRequest,
    /// The request is being answered.
    Responding,
    /// The response has been sent.
    Idle,
}

/// A command to a connection. A higher one overrides a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub enum Command {
    /// Continue.
    None,
    /// Release all buffers while the client is silent.
    Hibernate,
    /// Finish the response, then end.
    Finish,
    /// End at once.
    End,
}

/// The state of one connection, written by its own task.
#[derive(Debug)]
pub struct Connection {
    phase: AtomicU8,
    /// Number of phase changes.
    changes: AtomicU32,
    /// Whether part of a response waits for the client to read it.
    blocked: AtomicBool,
    /// Bytes sent to the client.
    written: AtomicU64,
    command: AtomicU8,
    waker: OnceLock<Waker>,
    /// Prepared lines of the next response.
    pub prepared: PreparedHead,
}

impl Connection {
    fn new() -> Self {
        Self {
            phase: AtomicU8::new(Phase::AwaitingRequest as u8),
            changes: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            written: AtomicU64::new(0),
            command: AtomicU8::new(Command::None as u8),
            waker: OnceLock::new(),
            prepared: PreparedHead::default(),
        }
    }

    /// Returns the current phase.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::AwaitingRequest,
            1 => Phase::Responding,
            _ => Phase::Idle,
        }
    }

    /// Records a new phase.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        // A single task writes: no atomic addition is needed.
        self.changes.store(self.changes().wrapping_add(1), Relaxed);
    }

    /// Returns the number of phase changes so far.
    pub fn changes(&self) -> u32 {
        self.changes.load(Relaxed)
    }

    /// Records bytes sent to the client.
    pub fn add_written(&self, bytes: usize) {
        self.written.store(self.written.load(Relaxed).wrapping_add(bytes as u64), Relaxed);
    }

    /// Records whether unsent bytes wait for the client.
    pub fn set_blocked(&self, blocked: bool) {
        if self.blocked.load(Relaxed) != blocked {
            self.blocked.store(blocked, Relaxed);
        }
    }

    /// Whether unsent bytes wait for the client.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed)
    }

    /// Returns the pending command. `waker` is woken when it changes; it must always belong to the same task.
    pub fn command(&self, waker: &Waker) -> Command {
        self.waker.get_or_init(|| waker.clone());
        match self.command.load(SeqCst) {
            0 => Command::None,
            1 => Command::Hibernate,
            2 => Command::Finish,
            _ => Command::End,
        }
    }

    /// Clears a command that was carried out, unless a higher one has replaced it.
    pub fn acknowledge(&self, command: Command) {
        let _ = self.command.compare_exchange(command as u8, Command::None as u8, SeqCst, SeqCst);
    }

    fn send(&self, command: Command) {
        if self.command.fetch_max(command as u8, SeqCst) < command as u8
            && let Some(waker) = self.waker.get()
        {
            waker.wake_by_ref();
        }
    }
}

/// Limits for connections, in number and time.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Maximum number of connections.
    pub total: usize,
    /// Maximum number of connections from one address.
    pub per_address: usize,
    /// Longest wait for a complete request.
    pub request: Duration,
    /// Longest pause between two requests.
    pub idle: Duration,
    /// Longest wait for the client to read part of a response.
    pub blocked: Duration,
}

impl ConnectionLimits {
    /// The configured limits, for a process that may open `descriptors` file descriptors.
    pub fn new(http: &Http, descriptors: usize) -> Self {
        let total = http.connections.min(descriptors.saturating_sub(DESCRIPTORS_FOR_FILES).max(1));
        Self {
            total,
            per_address: if http.connections_per_address == 0 { usize::MAX } else { http.connections_per_address },
            request: http.header_timeout.0,
            idle: http.idle_timeout.0,
            blocked: http.write_timeout.0,
        }
    }

    /// Interval of the sweep; no limit is exceeded by more than this.
    fn sweep_interval(&self) -> Duration {
        let shortest = self.request.min(self.idle).min(self.blocked);
        (shortest / 4).min(LONGEST_SWEEP_INTERVAL)
    }
}

/// A connection and its state at the last sweep.
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
    /// Returns the command that the limits require at the instant `now`.
    fn due(&mut self, limits: &ConnectionLimits, now: Instant) -> Command {
        let (changes, blocked) = (self.connection.changes(), self.connection.is_blocked());
        if (changes, blocked) != (self.changes, self.blocked) {
            self.remember(changes, blocked, now);
            return Command::None;
        }
        let elapsed = now.saturating_duration_since(self.since);
        if blocked {
            if elapsed < limits.blocked {
                return Command::None;
            }
            let sent = self.connection.written.load(Relaxed) - self.written;
            self.remember(changes, blocked, now);
            return if sent < MIN_RATE * limits.blocked.as_secs() { Command::End } else { Command::None };
        }
        match self.connection.phase() {
            Phase::AwaitingRequest if elapsed >= limits.request => Command::End,
            Phase::Idle if elapsed >= limits.idle => Command::End,
            Phase::Idle if elapsed >= HIBERNATE_AFTER => Command::Hibernate,
            _ => Command::None,
        }
    }

    fn remember(&mut self, changes: u32, blocked: bool, now: Instant) {
        (self.changes, self.blocked, self.since) = (changes, blocked, now);
        self.written = self.connection.written.load(Relaxed);
    }
}

/// The table of open connections.
#[derive(Debug)]
struct ConnectionTable {
    limits: ConnectionLimits,
    next: u64,
    /// In the order of arrival.
    entries: BTreeMap<u64, ConnectionEntry>,
    by_owner: HashMap<IpAddr, BTreeSet<u64>>,
}

impl ConnectionTable {
    fn remove(&mut self, number: u64) -> Option<ConnectionEntry> {
        let entry = self.entries.remove(&number)?;
        if let Some(owner) = entry.owner
            && let Some(numbers) = self.by_owner.get_mut(&owner)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
        Some(entry)
    }

    /// Closes one connection without a request in progress: the oldest that waits for a request, else the oldest idle one.
    /// Returns whether there was one.
    fn evict(&mut self, among: Option<IpAddr>) -> bool {
        let oldest = |phase: Phase| {
            let is_in_phase =
                |number: &&u64| self.entries.get(number).is_some_and(|entry| entry.connection.phase() == phase);
            match among {
                Some(owner) => self.by_owner.get(&owner).and_then(|numbers| numbers.iter().find(is_in_phase)).copied(),
                None => self.entries.keys().find(is_in_phase).copied(),
            }
        };
        let evicted =
            oldest(Phase::AwaitingRequest).or_else(|| oldest(Phase::Idle)).and_then(|number| self.remove(number));
        evicted.is_some_and(|entry| {
            entry.connection.send(Command::End);
            true
        })
    }
}

/// The open connections and their limits.
#[derive(Debug)]
pub struct Connections {
    open: Mutex<ConnectionTable>,
    /// Notified when the first connection opens and when the last one closes.
    first_or_last: Notify,
    metrics: Metrics,
}

impl Connections {
    /// Starts without connections.
    pub fn new(limits: ConnectionLimits, metrics: Metrics) -> Self {
        let open = ConnectionTable { limits, next: 0, entries: BTreeMap::new(), by_owner: HashMap::new() };
        Self { open: Mutex::new(open), first_or_last: Notify::new(), metrics }
    }

    /// Changes the limits. Open connections stay open.
    pub fn set_limits(&self, limits: ConnectionLimits) {
        self.open().limits = limits;
    }

    fn open(&self) -> MutexGuard<'_, ConnectionTable> {
        // A panic leaves the table consistent: each operation on it is complete or has not begun.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a connection, evicting another one if the limits require it. `owner` is the address that the limit for one
    /// address applies to, if any. Returns `None` if all other connections are being answered.
    pub fn admit(self: &Arc<Self>, owner: Option<IpAddr>) -> Option<Admitted> {
        let owner = owner.map(network);
        let mut open = self.open();
        if let Some(owner) = owner
            && open.by_owner.get(&owner).map_or(0, BTreeSet::len) >= open.limits.per_address
            && !self.evict(&mut open, Some(owner))
        {
            return None;
        }
        if open.entries.len() >= open.limits.total && !self.evict(&mut open, None) {
            return None;
        }
        self.metrics.connection_opened();
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
            self.first_or_last.notify_waiters();
        }
        drop(open);
        Some(Admitted { connection, number, connections: self.clone() })
    }

    fn evict(&self, open: &mut ConnectionTable, among: Option<IpAddr>) -> bool {
        let evicted = open.evict(among);
        if evicted {
            self.metrics.connection_evicted();
        } else {
            self.metrics.connection_refused();
        }
        evicted
    }

    /// Closes connections that exceed their limits. Never ends; sleeps while there are no connections.
    pub async fn enforce_limits(&self) {
        loop {
            let changed = self.first_or_last.notified();
            let tick = {
                let open = self.open();
                (!open.entries.is_empty()).then(|| open.limits.sweep_interval())
            };
            let Some(tick) = tick else {
                changed.await;
                continue;
            };
            tokio::time::sleep(tick).await;
            self.sweep(Instant::now());
        }
    }

    fn sweep(&self, now: Instant) {
        let mut open = self.open();
        let limits = open.limits;
        for entry in open.entries.values_mut() {
            match entry.due(&limits, now) {
                Command::None => {}
                command => entry.connection.send(command),
            }
        }
    }

    /// Lets all connections finish their responses and waits until they have.
    pub async fn drain(&self) {
        loop {
            let changed = self.first_or_last.notified();
            let all: Vec<_> = self.open().entries.values().map(|entry| entry.connection.clone()).collect();
            if all.is_empty() {
                return;
            }
            for connection in all {
                connection.send(Command::Finish);
            }
            changed.await;
        }
    }
}

/// A registered connection. Dropping it removes the registration.
#[derive(Debug)]
pub struct Admitted {
    /// The connection's state.
    pub connection: Arc<Connection>,
    number: u64,
    connections: Arc<Connections>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.metrics.connection_closed();
        let mut open = self.connections.open();
        open.remove(self.number);
        if open.entries.is_empty() {
            self.connections.first_or_last.notify_waiters();
        }
    }
}

/// The network that the limit for one address applies to: for IPv6 the /64, which a single customer is usually assigned.
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
        total: 4,
        per_address: 2,
        request: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        blocked: Duration::from_secs(20),
    };

    fn all() -> Arc<Connections> {
        Arc::new(Connections::new(LIMITS, Metrics::default()))
    }

    fn command(admitted: &Admitted) -> Command {
        admitted.connection.command(Waker::noop())
    }

    fn admit(all: &Arc<Connections>, address: &str) -> Option<Admitted> {
        all.admit(Some(address.parse().unwrap()))
    }

    #[test]
    fn the_oldest_connection_without_a_request_is_evicted() {
        let all = all();
        let four: Vec<_> = (0..4).map(|_| all.admit(None).unwrap()).collect();
        four[0].connection.enter(Phase::Responding);
        four[1].connection.enter(Phase::Idle);
        let fifth = all.admit(None).unwrap();
        assert_eq!(
            four.iter().map(command).collect::<Vec<_>>(),
            [Command::None, Command::None, Command::End, Command::None]
        );
        fifth.connection.enter(Phase::Responding);
        four[3].connection.enter(Phase::Responding);
        let sixth = all.admit(None).unwrap();
        assert_eq!(
            command(&four[1]),
            Command::End,
            "an idle connection is evicted after those that wait for a request"
        );
        sixth.connection.enter(Phase::Responding);
        assert!(all.admit(None).is_none(), "a connection that is being answered is never evicted");
        drop(sixth);
        assert!(all.admit(None).is_some());
    }

    #[test]
    fn one_address_evicts_its_own_connections_only() {
        let all = all();
        let other = admit(&all, "192.0.2.1").unwrap();
        let own: Vec<_> = (0..2).map(|_| admit(&all, "192.0.2.2").unwrap()).collect();
        own[0].connection.enter(Phase::Responding);
        let third = admit(&all, "::ffff:192.0.2.2").unwrap();
        assert_eq!((command(&other), command(&own[0]), command(&own[1])), (Command::None, Command::None, Command::End));
        third.connection.enter(Phase::Responding);
        assert!(admit(&all, "192.0.2.2").is_none());
        let same_network: Vec<_> = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|text| admit(&all, text)).into();
        assert_eq!(same_network.iter().flatten().map(command).filter(|command| *command == Command::End).count(), 1);
    }

    #[test]
    fn each_limit_closes_the_connections_that_exceed_it() {
        let all = all();
        let admitted = all.admit(None).unwrap();
        let connection = &admitted.connection;
        let start = Instant::now();
        let after = |seconds| all.sweep(start + Duration::from_secs(seconds));
        after(1);
        after(9);
        assert_eq!(command(&admitted), Command::None);
        connection.enter(Phase::Responding);
        after(10);
        after(100);
        assert_eq!(command(&admitted), Command::None, "the server is slow, not the client");
        connection.set_blocked(true);
        after(101);
        connection.add_written(80 << 10);
        after(121);
        assert_eq!(command(&admitted), Command::None, "slow, but not too slow");
        connection.set_blocked(false);
        connection.enter(Phase::Idle);
        after(122);
        after(125);
        assert_eq!(command(&admitted), Command::Hibernate);
        connection.acknowledge(Command::Hibernate);
        after(150);
        after(182);
        assert_eq!(command(&admitted), Command::End);
    }

    #[test]
    fn a_client_that_reads_too_slowly_is_closed() {
        let all = all();
        let admitted = all.admit(None).unwrap();
        let start = Instant::now();
        admitted.connection.enter(Phase::Responding);
        admitted.connection.set_blocked(true);
        all.sweep(start + Duration::from_secs(1));
        admitted.connection.add_written(200);
        all.sweep(start + Duration::from_secs(20));
        assert_eq!(command(&admitted), Command::None);
        all.sweep(start + Duration::from_secs(21));
        assert_eq!(command(&admitted), Command::End);
    }

    #[test]
    fn a_lower_command_does_not_replace_a_higher_one() {
        let all = all();
        let admitted = all.admit(None).unwrap();
        admitted.connection.send(Command::End);
        admitted.connection.send(Command::Hibernate);
        admitted.connection.acknowledge(Command::Hibernate);
        assert_eq!(command(&admitted), Command::End);
    }

    #[test]
    fn descriptors_are_reserved_for_files() {
        let http = Http { connections: 4096, ..Http::default() };
        assert_eq!(ConnectionLimits::new(&http, 20_000).total, 4096);
        assert_eq!(ConnectionLimits::new(&http, 1024).total, 768);
        assert_eq!(ConnectionLimits::new(&http, 200).total, 1);
    }
}
