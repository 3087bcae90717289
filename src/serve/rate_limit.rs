//! Limits how often a client may request the same feed without a validator (standards 126, 127). Off by default: readers show
//! the refusal as an error, and some never adapt.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header;
use hyper::http::request::Parts;

/// Requests allowed within one interval: some readers send several at first.
const ALLOWANCE: u32 = 5;
/// Maximum number of clients in each of two generations, of a few dozen bytes each.
const GENERATION_SIZE: usize = 50_000;

/// The start of a client's interval, and its requests since then.
#[derive(Debug, Clone, Copy)]
struct PollCount {
    since: Instant,
    requests: u32,
}

/// Counts the requests of each client for each feed.
#[derive(Debug)]
pub struct PollLimiter {
    interval: Duration,
    counts: Mutex<Generations>,
    /// Hashes address, program and path with a random key, so that no client can cause collisions.
    hasher: RandomState,
}

/// Two generations of counts: many clients displace only those that have been silent longest.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<u64, PollCount>,
    old: HashMap<u64, PollCount>,
}

impl Generations {
    fn count_of(&mut self, key: u64, now: Instant) -> &mut PollCount {
        let old_count = self.old.remove(&key);
        if self.young.len() >= GENERATION_SIZE && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(key).or_insert(old_count.unwrap_or(PollCount { since: now, requests: 0 }))
    }
}

impl PollLimiter {
    /// Limits each client to a few requests in `interval`. Returns `None` for an interval of zero, which means no limit.
    pub fn new(interval: Duration) -> Option<Self> {
        (!interval.is_zero()).then(|| Self { interval, counts: Mutex::default(), hasher: RandomState::new() })
    }

    /// Counts a request. Returns how long the client has to wait if it has exceeded the limit.
    pub fn refuse(&self, client: Option<IpAddr>, request: &Parts, now: Instant) -> Option<Duration> {
        let has_validator =
            [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].iter().any(|name| request.headers.contains_key(name));
        if request.method != Method::GET || has_validator {
            return None;
        }
        let program = request.headers.get(header::USER_AGENT).map(header::HeaderValue::as_bytes);
        let key = self.hasher.hash_one((client, program, request.uri.path()));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let own = counts.count_of(key, now);
        let elapsed = now.saturating_duration_since(own.since);
        if elapsed >= self.interval {
            *own = PollCount { since: now, requests: 0 };
        }
        own.requests = own.requests.saturating_add(1);
        (own.requests > ALLOWANCE).then(|| self.interval.saturating_sub(elapsed))
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn request(fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/rss.xml");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_client_that_polls_too_often_without_validators_has_to_wait() {
        let limiter = PollLimiter::new(Duration::from_mins(30)).unwrap();
        let (start, client) = (Instant::now(), "192.0.2.1".parse().ok());
        let ask = |minutes: u64, request: &Parts| limiter.refuse(client, request, start + Duration::from_mins(minutes));
        let plain = request(&[("user-agent", "a")]);
        for _ in 0..ALLOWANCE {
            assert_eq!(ask(0, &plain), None, "standards 127: some readers send several requests at first");
        }
        assert_eq!(ask(10, &plain), Some(Duration::from_mins(20)), "standards 126");
        for polite in [request(&[("user-agent", "a"), ("if-none-match", "\"x\"")]), request(&[("user-agent", "b")])] {
            assert_eq!(ask(10, &polite), None);
        }
        assert_eq!(limiter.refuse("192.0.2.2".parse().ok(), &plain, start), None);
        assert_eq!(ask(30, &plain), None, "a new interval has begun");
    }

    #[test]
    fn an_interval_of_zero_means_no_limit() {
        assert!(PollLimiter::new(Duration::ZERO).is_none());
    }

    #[test]
    fn memory_is_bounded_however_many_clients_there_are() {
        let limiter = PollLimiter::new(Duration::from_mins(30)).unwrap();
        let (plain, now) = (request(&[]), Instant::now());
        let ask = |number: u32| limiter.refuse(Some(IpAddr::from(number.to_be_bytes())), &plain, now);
        let size = u32::try_from(GENERATION_SIZE).unwrap();
        for _ in 0..ALLOWANCE {
            assert_eq!(ask(0), None);
        }
        // It continues to send requests while many other clients come and go.
        for number in 1..3 * size {
            assert_eq!(ask(number), None);
            assert!(number % 1_000 != 0 || ask(0).is_some(), "forgotten after {number} other clients");
        }
        let counts = limiter.counts.lock().unwrap();
        assert!(counts.young.len() <= GENERATION_SIZE && counts.old.len() <= GENERATION_SIZE);
    }
}
