//! Clients that ask for the same document again and again without saying which version they have (standards 126, 127). Off unless
//! the operator wants it: readers show it as an error, and some never learn.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header;
use hyper::http::request::Parts;

/// Requests that are free within one interval: some readers ask several times at first.
const FREE: u32 = 5;
/// Clients that are remembered at most, twice, by a few dozen bytes each.
const MOST: usize = 50_000;

/// When a client began to ask, and how often it has since.
#[derive(Debug, Clone, Copy)]
struct Asked {
    since: Instant,
    times: u32,
}

/// Who asked for what, and how often.
#[derive(Debug)]
pub struct PollLimiter {
    interval: Duration,
    asked: Mutex<Generations>,
    /// What somebody asks is known by a hash of address, program and path, which nobody outside can make collide.
    hasher: RandomState,
}

/// Who asked of late, and who did before: a crowd makes those forgotten that have asked the longest ago, and nobody else.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<u64, Asked>,
    old: HashMap<u64, Asked>,
}

impl Generations {
    fn of(&mut self, key: u64, now: Instant) -> &mut Asked {
        let known = self.old.remove(&key);
        if self.young.len() >= MOST && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(key).or_insert(known.unwrap_or(Asked { since: now, times: 0 }))
    }
}

impl PollLimiter {
    /// Lets nobody ask more than a few times in `interval`; nothing is kept where that is nothing.
    pub fn new(interval: Duration) -> Option<Self> {
        (!interval.is_zero()).then(|| Self { interval, asked: Mutex::default(), hasher: RandomState::new() })
    }

    /// How long this client must wait before it may ask again, if it has asked too often.
    pub fn refuse(&self, client: Option<IpAddr>, request: &Parts, now: Instant) -> Option<Duration> {
        let says_what_it_has =
            [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].iter().any(|name| request.headers.contains_key(name));
        if request.method != Method::GET || says_what_it_has {
            return None;
        }
        let program = request.headers.get(header::USER_AGENT).map(header::HeaderValue::as_bytes);
        let key = self.hasher.hash_one((client, program, request.uri.path()));
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let own = asked.of(key, now);
        let elapsed = now.saturating_duration_since(own.since);
        if elapsed >= self.interval {
            *own = Asked { since: now, times: 0 };
        }
        own.times = own.times.saturating_add(1);
        (own.times > FREE).then(|| self.interval.saturating_sub(elapsed))
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
    fn who_asks_too_often_without_need_must_wait() {
        let pollers = PollLimiter::new(Duration::from_mins(30)).unwrap();
        let (start, client) = (Instant::now(), "192.0.2.1".parse().ok());
        let ask = |minutes: u64, request: &Parts| pollers.refuse(client, request, start + Duration::from_mins(minutes));
        let plain = request(&[("user-agent", "a")]);
        for _ in 0..FREE {
            assert_eq!(ask(0, &plain), None, "standards 127: some ask several times at first");
        }
        assert_eq!(ask(10, &plain), Some(Duration::from_mins(20)), "standards 126");
        for polite in [request(&[("user-agent", "a"), ("if-none-match", "\"x\"")]), request(&[("user-agent", "b")])] {
            assert_eq!(ask(10, &polite), None);
        }
        assert_eq!(pollers.refuse("192.0.2.2".parse().ok(), &plain, start), None);
        assert_eq!(ask(30, &plain), None, "the time is over");
    }

    #[test]
    fn nothing_is_kept_where_nobody_is_refused() {
        assert!(PollLimiter::new(Duration::ZERO).is_none());
    }

    #[test]
    fn no_crowd_takes_more_than_its_room() {
        let pollers = PollLimiter::new(Duration::from_mins(30)).unwrap();
        let (plain, now) = (request(&[]), Instant::now());
        let ask = |number: u32| pollers.refuse(Some(IpAddr::from(number.to_be_bytes())), &plain, now);
        let most = u32::try_from(MOST).unwrap();
        for _ in 0..FREE {
            assert_eq!(ask(0), None);
        }
        // It asks on while a crowd goes by.
        for number in 1..3 * most {
            assert_eq!(ask(number), None);
            assert!(number % 1_000 != 0 || ask(0).is_some(), "nobody is forgotten for others after {number}");
        }
        let asked = pollers.asked.lock().unwrap();
        assert!(asked.young.len() <= MOST && asked.old.len() <= MOST);
    }
}
