use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, mpsc};
use std::time::Instant;

use chrono::{DateTime, Utc};
use tokio::task::JoinHandle;

use super::*;
use crate::change::TextRequests;
use crate::config::Config;
use crate::folder::media::MediaFiles;
use crate::model::collection::{ArticleLine, ArticleLookup, FeedLimits, FeedLookup, SitemapLookup, ViewGroup};
use crate::model::digest::DatedLookup;
use crate::model::entry::Slug;
use crate::model::library::{Library, LibraryError, Result};
use crate::model::moment::Moment;
use crate::model::near::ArticleNames;
use crate::model::period::{DateRange, PeriodLookup};
use crate::model::taxonomy::{View, ViewKind};
use crate::render::feed::tests::{channel, entry};
use crate::render::page::Pages;
use crate::render::snapshot::SiteDates;
use crate::system::threads;

/// The gate of a [`GatedLibrary`], and its reads.
#[derive(Debug, Default)]
struct Gate {
    is_open: Mutex<bool>,
    changed: Condvar,
    reads: Mutex<Vec<String>>,
    begun: AtomicUsize,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn reads(&self) -> usize {
        self.reads.lock().unwrap().len()
    }
}

/// A library of articles whose reads wait until a gate opens. The texts of `unread-…` are never read; `broken` is an error.
#[derive(Debug)]
struct GatedLibrary(Arc<Gate>);

impl Library for GatedLibrary {
    fn article(&self, slug: &str, _moment: Moment) -> Result<ArticleLookup> {
        self.0.begun.fetch_add(1, SeqCst);
        if slug.starts_with("unread-") {
            return Ok(ArticleLookup::Unread(vec![1]));
        }
        let is_open = self.0.is_open.lock().unwrap();
        drop(self.0.changed.wait_while(is_open, |is_open| !*is_open).unwrap());
        self.0.reads.lock().unwrap().push(slug.to_owned());
        if slug == "broken" {
            return Err(LibraryError::new(std::io::Error::other("on purpose")));
        }
        Ok(ArticleLookup::Current(Box::new((*entry(slug, "Title")).clone()), Box::default()))
    }

    fn page(&self, _: &str, _: Moment) -> Result<ArticleLookup> {
        Ok(ArticleLookup::Unknown)
    }

    fn old_address(&self, _: &str, _: Moment) -> Result<ArticleLookup> {
        Ok(ArticleLookup::Unknown)
    }

    fn shows_file(&self, _: &Path) -> Result<bool> {
        Ok(false)
    }

    fn view(&self, _: &View, _: &FeedLimits, _: bool, _: Moment, _: Option<DateTime<Utc>>) -> Result<FeedLookup> {
        unreachable!()
    }

    fn archive(&self, _: u32, _: Moment, _: Option<DateTime<Utc>>) -> Result<FeedLookup> {
        unreachable!()
    }

    fn main(&self, _: &FeedLimits, _: Moment, _: Option<DateTime<Utc>>) -> Result<FeedLookup> {
        unreachable!()
    }

    fn newest_names(&self, _: Moment) -> Result<Vec<ArticleNames>> {
        Ok(vec![ArticleNames { slug: Slug::new("storm").unwrap(), others: Vec::new() }])
    }

    fn lines(&self, slugs: &[&Slug], _: Moment) -> Result<Vec<ArticleLine>> {
        self.0.begun.fetch_add(1, SeqCst);
        let is_open = self.0.is_open.lock().unwrap();
        drop(self.0.changed.wait_while(is_open, |is_open| !*is_open).unwrap());
        Ok(slugs.iter().map(|slug| ArticleLine::from(&*entry(slug, slug))).collect())
    }

    fn newest_archive(&self) -> Result<Option<u32>> {
        Ok(None)
    }

    fn dated(
        &self,
        _: (DateTime<Utc>, DateTime<Utc>),
        _: usize,
        _: Moment,
        _: Option<DateTime<Utc>>,
    ) -> Result<DatedLookup> {
        unreachable!("no digest is requested")
    }

    fn listing(&self, _: DateRange, _: Moment, _: Option<DateTime<Utc>>) -> Result<PeriodLookup> {
        unreachable!()
    }

    fn years(&self, _: Moment) -> Result<Vec<DateRange>> {
        unreachable!()
    }

    fn views(&self, _: &[ViewKind]) -> Result<(Vec<ViewGroup>, DateTime<Utc>)> {
        unreachable!()
    }

    fn views_changed(&self, _: &[ViewKind]) -> Result<DateTime<Utc>> {
        unreachable!()
    }

    fn counts_changed(&self, _: ViewKind) -> Result<DateTime<Utc>> {
        unreachable!()
    }

    fn sitemap(&self, _: Option<u32>, _: Moment) -> Result<SitemapLookup> {
        Ok(SitemapLookup::Unknown)
    }

    fn is_incomplete(&self) -> Result<bool> {
        Ok(false)
    }

    fn created(&self) -> Result<DateTime<Utc>> {
        unreachable!()
    }
}

/// Renders on one thread, of a library with a gate.
fn gated() -> (Renders, Arc<Gate>) {
    let gate = Arc::<Gate>::default();
    let files = MediaFiles::new(Path::new("/nonexistent"), &Config::default().articles);
    let (library, pages) = (Box::new(GatedLibrary(gate.clone())), Arc::new(Pages::new(channel())));
    let on_demand = OnDemand::new(library, pages, SiteDates::default(), files, TextRequests::default());
    // On a busy machine, no client gives up.
    let timeout = Duration::from_mins(3);
    (Renders { timeout, ..Renders::new(Arc::new(on_demand), WorkPool::start("test", 1)) }, gate)
}

fn article(slug: &str) -> Route {
    Route::Article(slug.to_owned())
}

fn moment(second: i64) -> Moment {
    Moment::of(Version::at(DateTime::from_timestamp(second, 0).unwrap()))
}

/// A client that asks for an article.
fn client(renders: &Renders, slug: &str, second: i64) -> JoinHandle<RenderOutcome> {
    let (renders, route) = (renders.clone(), article(slug));
    tokio::spawn(async move { renders.find(&route, moment(second)).await })
}

/// Yields to other tasks until a condition holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn waiting(renders: &Renders, slug: &str) -> usize {
    lock(&renders.table).renders.get(&article(slug)).map_or(0, |render| render.outcome.receiver_count())
}

fn is_document(outcome: &RenderOutcome) -> bool {
    matches!(outcome, RenderOutcome::Found(Lookup::Document(_)))
}

fn block_on(test: impl Future<Output = ()>) {
    threads::runtime().unwrap().block_on(test);
}

#[test]
fn many_clients_of_one_document_share_one_render() {
    block_on(async {
        let (renders, gate) = gated();
        let clients: Vec<_> = (0..300).map(|_| client(&renders, "a", 1)).collect();
        until("all wait", || waiting(&renders, "a") == 300).await;
        gate.open();
        for client in clients {
            assert!(is_document(&client.await.unwrap()));
        }
        assert_eq!(gate.reads(), 1);
        assert!(lock(&renders.table).renders.is_empty());
        assert!(is_document(&renders.find(&article("a"), moment(1)).await));
        assert_eq!(gate.reads(), 1, "it is cached");
    });
}

#[test]
fn a_failure_is_shared_as_well() {
    block_on(async {
        let (renders, gate) = gated();
        let clients: Vec<_> = (0..20).map(|_| client(&renders, "broken", 1)).collect();
        until("all wait", || waiting(&renders, "broken") == 20).await;
        gate.open();
        for client in clients {
            assert!(matches!(client.await.unwrap(), RenderOutcome::Failed));
        }
        assert_eq!(gate.reads(), 1);
    });
}

#[test]
fn clients_above_the_bound_are_refused_at_once() {
    block_on(async {
        let (renders, gate) = gated();
        let clients: Vec<_> = (0..MAX_RENDERS).map(|number| client(&renders, &format!("a-{number}"), 1)).collect();
        until("all wait", || lock(&renders.table).renders.len() == MAX_RENDERS).await;
        let refused = renders.find(&article("one-too-many"), moment(1)).await;
        assert!(matches!(refused, RenderOutcome::Busy), "{refused:?}");
        let joined = client(&renders, "a-7", 1);
        until("a client joins a render that waits", || waiting(&renders, "a-7") == 2).await;
        gate.open();
        for client in clients.into_iter().chain([joined]) {
            assert!(is_document(&client.await.unwrap()));
        }
    });
}

#[test]
fn a_client_waits_no_longer_than_the_deadline() {
    block_on(async {
        let (mut renders, gate) = gated();
        renders.timeout = Duration::from_millis(20);
        let late = renders.find(&article("a"), moment(1)).await;
        assert!(matches!(late, RenderOutcome::Busy), "{late:?}");
        gate.open();
        // The render has begun, so it is completed for the next client.
        until("it is cached", || renders.on_demand.cached(&article("a"), moment(1).version).is_some()).await;
    });
}

#[test]
fn a_document_that_no_client_waits_for_is_not_rendered() {
    block_on(async {
        let (renders, gate) = gated();
        let first = client(&renders, "first", 1);
        until("the first has the only thread", || gate.begun.load(SeqCst) == 1).await;
        let clients: Vec<_> = ["left", "left", "stays"].map(|slug| client(&renders, slug, 1)).into();
        until("all wait", || waiting(&renders, "left") == 2 && waiting(&renders, "stays") == 1).await;
        clients[0].abort();
        until("one has left", || waiting(&renders, "left") == 1).await;
        clients[1].abort();
        until("it is abandoned", || !lock(&renders.table).renders.contains_key(&article("left"))).await;
        gate.open();
        assert!(is_document(&first.await.unwrap()));
        for client in clients.into_iter().skip(2) {
            assert!(is_document(&client.await.unwrap()));
        }
        assert_eq!(*gate.reads.lock().unwrap(), ["first", "stays"]);
    });
}

#[test]
fn waiting_for_texts_takes_no_thread() {
    block_on(async {
        let (renders, gate) = gated();
        let unread: Vec<_> = (0..50).map(|number| client(&renders, &format!("unread-{number}"), 1)).collect();
        until("all texts are requested", || gate.begun.load(SeqCst) == 50).await;
        gate.open();
        assert!(is_document(&renders.find(&article("a"), moment(1)).await));
        assert!(renders.probe().await);
        assert!(unread.iter().all(|client| !client.is_finished()), "they wait for their texts");
        unread.iter().for_each(JoinHandle::abort);
        until("all are abandoned", || lock(&renders.table).renders.is_empty()).await;
    });
}

#[test]
fn a_client_never_gets_an_older_version_than_it_has_seen() {
    block_on(async {
        let (renders, gate) = gated();
        let old = client(&renders, "a", 1);
        until("the old version is being rendered", || gate.begun.load(SeqCst) == 1).await;
        let new = client(&renders, "a", 2);
        until("both wait", || waiting(&renders, "a") == 2).await;
        gate.open();
        assert!(is_document(&old.await.unwrap()) && is_document(&new.await.unwrap()));
        assert_eq!(gate.reads(), 2, "the second client causes a lookup in its own version");
    });
}

#[test]
fn a_probe_precedes_all_renders_that_wait() {
    block_on(async {
        let (renders, gate) = gated();
        let clients: Vec<_> = (0..100).map(|number| client(&renders, &format!("a-{number}"), 1)).collect();
        until("all wait", || lock(&renders.table).renders.len() == 100).await;
        let (sender, probed) = mpsc::channel();
        let (same_renders, counter) = (renders.clone(), gate.clone());
        tokio::spawn(async move {
            same_renders.probe().await;
            sender.send(counter.reads()).unwrap();
        });
        tokio::task::yield_now().await;
        gate.open();
        for client in clients {
            assert!(is_document(&client.await.unwrap()));
        }
        let reads_before = probed.recv().unwrap();
        assert!(reads_before < 50, "the probe waited for {reads_before} renders");
    });
}

#[test]
fn one_search_for_near_articles_runs_at_a_time() {
    block_on(async {
        let (renders, gate) = gated();
        let edition = || Edition::from(moment(1));
        assert_eq!(renders.missing_near("storm.png", edition()).await, None);
        let first = {
            let (renders, edition) = (renders.clone(), edition());
            tokio::spawn(async move { renders.missing_near("storms", edition).await })
        };
        until("it has begun", || gate.begun.load(SeqCst) > 0).await;
        assert_eq!(renders.missing_near("storms", edition()).await, None, "another search is running");
        first.abort();
        assert!(first.await.is_err());
        assert_eq!(renders.missing_near("storms", edition()).await, None, "the search continues without its client");
        gate.open();
        until("it has ended", || renders.search.available_permits() > 0).await;
        let page = renders.missing_near("storms", edition()).await.unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert!(page.contains("Perhaps you meant") && page.contains("href=\"/articles/storm\""), "{page}");
    });
}
