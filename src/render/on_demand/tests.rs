use super::*;
use crate::config::Config;
use crate::model::collection::{ArticleLine, Collection, FeedLimits, SitemapLookup, ViewGroup, ViewSummary};
use crate::model::digest::DatedArticles;
use crate::model::entry::{Entry, Slug};
use crate::model::period::{PeriodArticles, PeriodLookup};
use crate::model::site_page::MenuItem;
use crate::render::feed::tests::{channel, entry};
use crate::render::feed::{FORMATS, atom, json, rss, twtxt};
use crate::render::page::Front;
use crate::render::snapshot::Snapshot;

fn second(number: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(number, 0).unwrap()
}

fn moment(version: i64) -> Moment {
    Moment::of(Version::at(second(version)))
}

/// A library in memory: one tag and one archive, which hold all entries and changed at `changed`.
#[derive(Debug, Default)]
struct MemoryLibrary {
    entries: Vec<Arc<Entry>>,
    /// Number of the newest archive, if it is not 1.
    newest_archive: Option<u32>,
    changed: DateTime<Utc>,
    /// Numbers of articles whose texts have not been read.
    unread: Vec<i64>,
    is_incomplete: bool,
    /// How often a feed was read.
    reads: Arc<AtomicUsize>,
}

impl MemoryLibrary {
    fn collection(&self) -> Collection {
        Collection {
            name: "Sea".into(),
            revised: self.changed,
            entries: self.entries.clone(),
            parts: Vec::new(),
            pinned: Vec::new(),
            tombstones: Vec::new(),
            is_whole: true,
            about: None,
            is_podcast: false,
            guid: None,
            latest: self.changed,
        }
    }

    fn feed(&self, moment: Moment, cached: Option<DateTime<Utc>>) -> FeedLookup {
        match cached {
            _ if self.changed > moment.version.date() => FeedLookup::NotYet,
            Some(cached) if cached == self.changed => FeedLookup::Same,
            _ if !self.unread.is_empty() => FeedLookup::Unread(self.unread.clone()),
            _ => {
                self.reads.fetch_add(1, Relaxed);
                FeedLookup::Found(Box::new(self.collection()))
            }
        }
    }
}

fn tag() -> View {
    View::named(ViewKind::Tag, "Sea").unwrap()
}

impl Library for MemoryLibrary {
    fn article(&self, slug: &str, _moment: Moment) -> library::Result<ArticleLookup> {
        let entry = self.entries.iter().find(|entry| *entry.slug == *slug);
        Ok(entry.map_or(ArticleLookup::Unknown, |entry| {
            ArticleLookup::Current(Box::new(Entry::clone(entry)), Box::default())
        }))
    }

    fn page(&self, slug: &str, moment: Moment) -> library::Result<ArticleLookup> {
        self.article(slug, moment)
    }

    fn old_address(&self, _: &str, _: Moment) -> library::Result<ArticleLookup> {
        Ok(ArticleLookup::Unknown)
    }

    fn shows_file(&self, path: &Path) -> library::Result<bool> {
        Ok(path == Path::new("linked.docx"))
    }

    fn view(
        &self,
        view: &View,
        _limits: &FeedLimits,
        _is_page: bool,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> library::Result<FeedLookup> {
        Ok(if *view == tag() { self.feed(moment, cached) } else { FeedLookup::Unknown })
    }

    fn archive(&self, number: u32, moment: Moment, cached: Option<DateTime<Utc>>) -> library::Result<FeedLookup> {
        Ok(if number == 1 { self.feed(moment, cached) } else { FeedLookup::Unknown })
    }

    fn main(&self, _limits: &FeedLimits, moment: Moment, cached: Option<DateTime<Utc>>) -> library::Result<FeedLookup> {
        Ok(self.feed(moment, cached))
    }

    fn newest_archive(&self) -> library::Result<Option<u32>> {
        Ok(Some(self.newest_archive.unwrap_or(1)))
    }

    fn listing(&self, _: DateRange, moment: Moment, cached: Option<DateTime<Utc>>) -> library::Result<PeriodLookup> {
        Ok(match cached {
            _ if self.changed > moment.version.date() => PeriodLookup::NotYet,
            Some(cached) if cached == self.changed => PeriodLookup::Same,
            _ => PeriodLookup::Found(Box::new(PeriodArticles { changed: self.changed, ..PeriodArticles::default() })),
        })
    }

    fn dated(
        &self,
        (_, end): (DateTime<Utc>, DateTime<Utc>),
        _: usize,
        moment: Moment,
        cached: Option<DateTime<Utc>>,
    ) -> library::Result<DatedLookup> {
        let changed = self.changed.max(end);
        Ok(match cached {
            _ if self.changed > moment.version.date() => DatedLookup::NotYet,
            Some(cached) if cached == changed => DatedLookup::Same,
            _ => DatedLookup::Found(Box::new(DatedArticles { changed, ..DatedArticles::default() })),
        })
    }

    fn newest_names(&self, _: Moment) -> library::Result<Vec<ArticleNames>> {
        Ok(Vec::new())
    }

    fn lines(&self, _: &[&Slug], _: Moment) -> library::Result<Vec<ArticleLine>> {
        Ok(Vec::new())
    }

    fn years(&self, _: Moment) -> library::Result<Vec<DateRange>> {
        Ok(Vec::new())
    }

    fn views(&self, kinds: &[ViewKind]) -> library::Result<(Vec<ViewGroup>, DateTime<Utc>)> {
        let views = |kind| {
            if kind == ViewKind::Tag {
                vec![ViewSummary { view: tag(), name: "Sea".into(), title: None, order: None, members: 1 }]
            } else {
                vec![]
            }
        };
        Ok((kinds.iter().map(|kind| (*kind, views(*kind))).collect(), self.changed))
    }

    fn views_changed(&self, _kinds: &[ViewKind]) -> library::Result<DateTime<Utc>> {
        Ok(self.changed)
    }

    fn counts_changed(&self, _kind: ViewKind) -> library::Result<DateTime<Utc>> {
        Ok(self.changed)
    }

    fn sitemap(&self, _: Option<u32>, _: Moment) -> library::Result<SitemapLookup> {
        Ok(SitemapLookup::Unknown)
    }

    fn is_incomplete(&self) -> library::Result<bool> {
        Ok(self.is_incomplete)
    }

    fn created(&self) -> library::Result<DateTime<Utc>> {
        Ok(second(0))
    }
}

fn on_demand(library: MemoryLibrary, formats: Formats) -> OnDemand {
    on_demand_with(library, formats, TextRequests::default())
}

fn on_demand_with(library: MemoryLibrary, formats: Formats, text_requests: TextRequests) -> OnDemand {
    let pages = Arc::new(Pages::new(channel()).with_formats(formats));
    let files = media::MediaFiles::new(Path::new("/nonexistent"), &Config::default().articles);
    OnDemand::new(Box::new(library), pages, SiteDates::default(), files, text_requests)
}

#[test]
fn a_document_is_a_file_where_it_is_no_article_or_an_article_links_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = media::MediaFiles::new(folder.path(), &Config::default().articles);
    let requests = TextRequests::default();
    let library = Box::new(MemoryLibrary::default());
    let on_demand = OnDemand::new(library, Arc::new(Pages::new(channel())), SiteDates::default(), files, requests);
    for (path, is_file) in [
        ("static/form.docx", true),
        ("Downloads/2026/form.ODT", true),
        ("linked.docx", true),
        ("letter.docx", false),
        ("static.docx", false),
        ("notes/static/letter.odt", false),
    ] {
        let place = folder.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, "text").unwrap();
        let found = on_demand.file(Path::new(path)).unwrap();
        assert_eq!(matches!(found, media::MediaLookup::File(_)), is_file, "{path}");
    }
}

fn snapshot(version: i64, formats: Formats) -> Snapshot {
    Snapshot::new(moment(version), formats, HashMap::new(), "".into(), "".into())
}

/// The text of the document at a path.
fn text(on_demand: &OnDemand, path: &str, snapshot: &Snapshot) -> String {
    let route = Route::at(path, snapshot.formats).unwrap_or_else(|| panic!("{path}: no route"));
    match on_demand.find(&route, snapshot.moment).unwrap() {
        Lookup::Document(document) => String::from_utf8(document.identity.bytes.to_vec()).unwrap(),
        lookup => panic!("{path}: {lookup:?}"),
    }
}

#[test]
fn each_route_has_one_path() {
    for (path, canonical) in [
        ("articles/a-b", "articles/a-b"),
        ("articles/a-b/", "articles/a-b"),
        ("tags/Rust", "tags/rust/"),
        ("tags/rust/", "tags/rust/"),
        ("tags/Caf%C3%A9/atom.xml", "tags/cafe/atom.xml"),
        ("sections/a/B/feed.json", "sections/a/b/feed.json"),
        ("authors/Ann%20Smith/rss.xml", "authors/ann-smith/rss.xml"),
        ("archive/12", "archive/12/"),
        ("archive/12/rss.xml", "archive/12/rss.xml"),
        ("archive", "archive/"),
        ("years", "archive/"),
        ("years/2026", "years/2026/"),
        ("years/2026/05/", "years/2026/05/"),
        ("tags", "tags/"),
        ("sections/", "sections/"),
        ("feeds.opml", "feeds.opml"),
    ] {
        assert_eq!(Route::at(path, FORMATS).map(|route| route.path()).as_deref(), Some(canonical), "{path}");
    }
    for nothing in ["", "x", "archive/0", "archive/01", "archive/x", "articles/", "articles/a/b", "tagsx/a", "tags/a/b"]
    {
        assert_eq!(Route::at(nothing, FORMATS), None, "{nothing}");
    }
}

#[test]
fn the_least_recently_requested_document_is_evicted() {
    let mut cache = DocumentCache::default();
    let epoch = DateTime::UNIX_EPOCH;
    let document = |letter: &str| {
        let document = Arc::new(Document::new(DocumentKind::Page, letter.repeat(CACHE_SIZE / 4), epoch));
        CachedDocument { revised: epoch, menu: epoch, confirmed: Version::default(), requested: 0, document }
    };
    for name in ["a", "b", "c"] {
        cache.insert(name, document(name));
    }
    assert!(cache.get("a").is_some());
    cache.insert("d", document("d"));
    assert!(cache.get("b").is_none() && cache.get("a").is_some() && cache.get("d").is_some());
    assert!(cache.bytes <= CACHE_SIZE);
}

#[test]
fn an_unchanged_feed_is_rendered_once() {
    let library = MemoryLibrary { entries: vec![entry("a", "A")], changed: second(10), ..MemoryLibrary::default() };
    let reads = library.reads.clone();
    let on_demand = on_demand(library, FORMATS);
    let first = text(&on_demand, "tags/sea/rss.xml", &snapshot(10, FORMATS));
    assert!(first.contains("<title>A</title>"), "{first}");
    assert_eq!(text(&on_demand, "tags/sea/rss.xml", &snapshot(11, FORMATS)), first);
    assert_eq!(reads.load(Relaxed), 1);
}

#[test]
fn a_change_after_the_snapshot_is_not_shown() {
    let library = MemoryLibrary { changed: second(10), ..MemoryLibrary::default() };
    let on_demand = on_demand(library, FORMATS);
    for path in ["tags/sea/", "archive/1/atom.xml", "archive/", "tags/", "feeds.opml"] {
        let route = Route::at(path, FORMATS).unwrap();
        let lookup = on_demand.find(&route, moment(9)).unwrap();
        assert!(matches!(lookup, Lookup::NotYet), "{path}: {lookup:?}");
        assert!(!text(&on_demand, path, &snapshot(10, FORMATS)).is_empty());
    }
}

#[test]
fn other_spellings_and_the_next_archive_redirect() {
    let on_demand = on_demand(MemoryLibrary::default(), FORMATS);
    let find = |path: &str| {
        let route = Route::at(path, FORMATS).unwrap();
        on_demand.at(&route, path, on_demand.find(&route, moment(1)).unwrap())
    };
    assert!(matches!(find("tags/SEA"), Lookup::Moved(address) if address == "https://example.org/tags/sea/"));
    assert!(
        matches!(find("archive/2/rss.xml"), Lookup::Temporary(address) if address == "https://example.org/rss.xml")
    );
    assert!(matches!(find("archive/3/rss.xml"), Lookup::Unknown));
    assert!(matches!(find("tags/other/"), Lookup::Unknown));
    assert!(matches!(find("articles/x"), Lookup::Unknown));
}

#[test]
fn a_feed_with_unread_articles_names_them() {
    let on_demand = on_demand(MemoryLibrary { unread: vec![7], ..MemoryLibrary::default() }, FORMATS);
    let route = Route::View(tag(), Representation::Feed(&atom::FORMAT));
    let lookup = on_demand.find(&route, moment(1));
    assert!(matches!(&lookup, Err(Obstacle::Unread(numbers)) if *numbers == [7]), "{lookup:?}");
}

#[test]
fn a_browser_gets_a_page_about_a_feed_and_a_reader_the_feed() {
    let library = MemoryLibrary { entries: vec![entry("a", "A & B")], changed: second(10), ..MemoryLibrary::default() };
    let reads = library.reads.clone();
    let on_demand = on_demand(library, FORMATS);
    let find = |route: &Route| match on_demand.find(route, moment(10)).unwrap() {
        Lookup::Document(document) => document,
        other => panic!("{other:?}"),
    };
    let archive = Route::Archive(1, Representation::Feed(&rss::FORMAT));
    for feed in FORMATS.iter().map(|format| Route::View(tag(), Representation::Feed(format))).chain([archive]) {
        let page = feed.clone().opened();
        assert_eq!((page.path(), page.clone().opened()), (feed.path(), page.clone()), "they share an address");
        let (feed, page) = (find(&feed), find(&page));
        assert!(feed.is_feed() && !feed.is_feed_page && page.is_feed_page && page.kind == DocumentKind::Page);
        assert_ne!(feed.identity.etag, page.identity.etag);
    }
    let main = Route::Main(Representation::FeedPage(&atom::FORMAT));
    let html = String::from_utf8(find(&main).identity.bytes.to_vec()).unwrap();
    for part in [
        "<title>News &amp; Views (Atom)</title>",
        "<link rel=\"canonical\" href=\"https://example.org/\">",
        "<code dir=\"ltr\">https://example.org/atom.xml</code>",
        "<a class=\"p-name u-url\" href=\"/articles/a\">A &amp; B</a>",
        "<a href=\"/atom.xml?raw\" rel=\"nofollow\">Source of this feed (Atom)</a>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let before = reads.load(Relaxed);
    find(&main);
    assert_eq!(reads.load(Relaxed), before, "it is cached");
}

#[test]
fn a_cached_document_is_found_without_the_library_in_the_same_version() {
    let library = MemoryLibrary { entries: vec![entry("a", "A")], changed: second(10), ..MemoryLibrary::default() };
    let on_demand = on_demand(library, FORMATS);
    for path in ["tags/sea/rss.xml", "articles/a", "archive/", "tags/", "feeds.opml"] {
        let route = Route::at(path, FORMATS).unwrap();
        let version = |number| Version::at(second(number));
        assert!(on_demand.cached(&route, version(10)).is_none(), "{path}: not rendered yet");
        on_demand.find(&route, moment(10)).unwrap();
        assert!(on_demand.cached(&route, version(10)).is_some(), "{path}");
        assert!(on_demand.cached(&route, version(11)).is_none(), "{path}: it may have changed");
        on_demand.find(&route, moment(11)).unwrap();
        assert!(on_demand.cached(&route, version(11)).is_some(), "{path}: unchanged");
    }
}

fn digest_routes() -> [Route; 2] {
    let period = DigestPeriod::parse(DigestKind::Weekly, "2026-w48").unwrap();
    [Route::Digests(DigestKind::Daily, Representation::Page), Route::Digest(period)]
}

#[test]
fn paths_of_digests() {
    let at = |path: &str| Route::at(path, FORMATS);
    for route in digest_routes() {
        assert_eq!(at(&route.path()), Some(route));
    }
    let atom = Route::Digests(DigestKind::Monthly, Representation::Feed(&atom::FORMAT));
    assert_eq!(at("digest/monthly/atom.xml"), Some(atom));
    for (path, canonical) in
        [("digest/daily", "digest/daily/"), ("digest/daily/2026-11-26/", "digest/daily/2026-11-26")]
    {
        assert_eq!(at(path).map(|route| route.path()).as_deref(), Some(canonical), "{path}");
    }
    for path in [
        "digest",
        "digest/",
        "digest/yearly/",
        "digest/weekly/2026-w54",
        "digest/weekly/x/atom.xml",
        "digest/daily/2026-w48",
    ] {
        assert_eq!(at(path), None, "{path}");
    }
}

#[test]
fn digests_change_when_a_day_ends_also_without_a_new_version() {
    let on_demand = on_demand(MemoryLibrary::default(), FORMATS);
    let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let changed = |now: &str| {
        let lookup =
            on_demand.digests(DigestKind::Daily, Representation::Page, "digest/daily/", moment(10), date(now)).unwrap();
        let Lookup::Document(document) = lookup else { panic!("{lookup:?}") };
        document.last_modified
    };
    let first = changed("2026-11-26T10:00:00Z");
    assert_eq!(changed("2026-11-26T23:59:59Z"), first);
    assert_eq!(changed("2026-11-27T00:00:00Z"), date("2026-11-27T00:00:00Z"));
    let period = DigestPeriod::parse(DigestKind::Daily, "2026-11-26").unwrap();
    let lookup = |now: &str| on_demand.digest(period, "digest/daily/2026-11-26", moment(10), date(now)).unwrap();
    assert!(matches!(lookup("2026-11-26T23:59:59Z"), Lookup::Unknown), "the day is not over");
    assert!(matches!(lookup("2026-11-27T00:00:00Z"), Lookup::Unknown), "no article was published");
}

/// The first part of the path of a route. A new kind of route needs its own part here, and in the list.
fn own_part(route: &Route) -> Option<String> {
    match route {
        Route::Article(_)
        | Route::Markdown(_)
        | Route::View(..)
        | Route::Archive(..)
        | Route::DateRange(_)
        | Route::Digests(..)
        | Route::Digest(_)
        | Route::Views(_) => route.path().split('/').next().map(str::to_owned),
        // Some are files, and pages have no dot in their addresses.
        Route::Opml | Route::Sitemap(_) | Route::Main(_) | Route::Page(_) | Route::OldAddress(_) => None,
    }
}

#[test]
fn no_page_can_be_at_an_own_address() {
    let years = [DateRange::All, DateRange::Year(2024)].map(Route::DateRange);
    let routes = [Route::Article("a".into()), Route::Markdown("a".into()), Route::Archive(1, Representation::Page)]
        .into_iter()
        .chain(years)
        .chain(digest_routes());
    let views = ViewKind::ALL
        .into_iter()
        .flat_map(|kind| [Route::Views(kind), Route::View(View::named(kind, "aa").unwrap(), Representation::Page)]);
    let of_routes = routes.chain(views).filter_map(|route| own_part(&route));
    let of_feeds = FORMATS.iter().flat_map(|format| format.aliases.iter().chain([&format.file]));
    let of_feeds = of_feeds.filter_map(|path| path.split('/').next()).map(str::to_owned);
    let mut count = 0;
    for part in of_routes.chain(of_feeds).chain(["media".to_owned()]).filter(|part| !part.contains('.')) {
        assert!(is_own_part(&part), "a page could hide /{part}");
        assert_eq!(Route::page_at(&part), None, "{part}");
        count += 1;
    }
    assert!(count > 10);
    assert_eq!(Route::page_at("about/"), Some(Route::Page("about".into())));
    for none in ["", "/", "about.html", "a/b", "über", "feed/"] {
        assert_eq!(Route::page_at(none), None, "{none}");
    }
}

#[test]
fn a_new_menu_changes_pages_and_no_feeds() {
    let library = MemoryLibrary { entries: vec![entry("a", "A")], changed: second(10), ..MemoryLibrary::default() };
    let on_demand = on_demand(library, FORMATS);
    let items = vec![MenuItem { slug: Slug::new("about").unwrap(), name: "About <us>".into(), language: None }];
    let with_menu = Arc::new(Menu { items, changed: second(2_000_000_000) });
    let find = |route: &Route, version, menu: &Arc<Menu>| {
        let edition = Edition { menu: menu.clone(), ..moment(version).into() };
        match on_demand.find(route, edition).unwrap() {
            Lookup::Document(document) => document,
            lookup => panic!("{lookup:?}"),
        }
    };
    for path in ["articles/a", "tags/sea/", "archive/1/", "archive/", "tags/"] {
        let route = Route::at(path, FORMATS).unwrap();
        let before = find(&route, 2_000_000_000 - 1, &Arc::default());
        let after = find(&route, 2_000_000_000, &with_menu);
        let text = |document: &Document| String::from_utf8(document.identity.bytes.to_vec()).unwrap();
        assert!(!text(&before).contains("class=\"menu\""), "{path}");
        assert!(text(&after).contains("<a href=\"/about\" lang=\"en\" dir=\"auto\">About &lt;us&gt;</a>"), "{path}");
        assert_ne!(before.identity.etag, after.identity.etag, "{path}");
        assert!(before.last_modified < after.last_modified, "{path}: standards 88");
    }
    for path in ["tags/sea/rss.xml", "archive/1/atom.xml", "feeds.opml"] {
        let route = Route::at(path, FORMATS).unwrap();
        let before = find(&route, 2_000_000_000 - 1, &Arc::default());
        let after = find(&route, 2_000_000_000, &with_menu);
        assert_eq!(before.identity, after.identity, "{path}");
        assert_eq!(before.last_modified, after.last_modified, "{path}");
    }
}

#[test]
fn documents_that_slow_clients_hold_are_counted_until_they_are_sent() {
    let large = "x".repeat(CACHE_SIZE / 8);
    let entries = (0..40).map(|number| entry(&format!("a-{number}"), &large)).collect();
    let on_demand = on_demand(MemoryLibrary { entries, ..MemoryLibrary::default() }, FORMATS);
    let find = |number: usize| on_demand.find(&Route::Article(format!("a-{number}")), moment(1));
    let mut held = Vec::new();
    let refused = loop {
        match find(held.len()) {
            Ok(Lookup::Document(document)) => held.push(document.identity.bytes.clone()),
            other => break other,
        }
    };
    assert!(matches!(refused, Err(Obstacle::NoMemory)), "{refused:?}");
    let total: usize = held.iter().map(Bytes::len).sum();
    let expected = MAX_HELD - CACHE_SIZE..2 * MAX_HELD;
    assert!(expected.contains(&total), "{} documents of {total} bytes", held.len());
    assert!(matches!(find(39), Err(Obstacle::NoMemory)), "as long as they are held");
    held.clear();
    assert!(matches!(find(39), Ok(Lookup::Document(_))), "they have been sent");
    let bytes = |cached: &CachedDocument| {
        let gzip = cached.document.variant(CODING).map_or(0, |variant| variant.bytes.len());
        cached.document.identity.bytes.len() + gzip
    };
    let in_cache: usize = on_demand.cache().documents.values().map(bytes).sum();
    assert_eq!(on_demand.held.load(Relaxed), in_cache, "only the cache holds documents");
}

#[test]
fn a_printed_feed_is_the_one_that_is_served() {
    let library =
        MemoryLibrary { entries: vec![entry("a", "A")], changed: second(2_000_000_000), ..MemoryLibrary::default() };
    let channel = channel();
    for format in FORMATS.iter() {
        let main = render_recorded(&library, &channel, None, format, second(0)).unwrap();
        let collection = library.collection();
        let history = History::of_main(Some(1), true);
        let feed = Feed { history, latest: collection.latest, ..Feed::main(&channel, &collection.entries) };
        assert_eq!(main, RecordedFeed::Feed((format.render)(&feed, second(0))), "{}", format.name);
    }
    let route = Route::at("tags/sea", FORMATS);
    let RecordedFeed::Feed(view) =
        render_recorded(&library, &channel, route.as_ref(), &json::FORMAT, second(0)).unwrap()
    else {
        panic!("no feed of the tag")
    };
    assert!(view.contains("https://example.org/tags/sea/feed.json"), "{view}");
    let route = Route::at("tags/other", FORMATS);
    assert_eq!(
        render_recorded(&library, &channel, route.as_ref(), &rss::FORMAT, second(0)).unwrap(),
        RecordedFeed::Nothing
    );
    let library = MemoryLibrary { unread: vec![1], ..library };
    let route = Route::at("archive/1", FORMATS);
    assert_eq!(
        render_recorded(&library, &channel, route.as_ref(), &rss::FORMAT, second(0)).unwrap(),
        RecordedFeed::Unread
    );
}

/// A row of the table is all that the rest of the program needs to offer, serve and print a format.
#[test]
fn a_new_format_takes_one_row() {
    let entries = vec![entry("a", "A"), entry("b", "B")];
    let line = "2024-05-01T10:00:00Z\tA https://example.org/articles/a\n";
    let pages = Pages::new(channel()).with_formats(twtxt::FORMATS);
    let feed = Feed::main(pages.channel(), &entries);

    let documents: HashMap<_, _> = snapshot::render(&pages, &feed, &Front::default(), second(0))
        .into_iter()
        .map(|rendered| {
            let document = Document::new(rendered.kind, rendered.body, second(1)).linked(rendered.links);
            (rendered.path.to_owned(), Arc::new(document))
        })
        .collect();
    let snapshot = Snapshot::new(moment(1), twtxt::FORMATS, documents, "".into(), "".into());
    for path in ["twtxt.txt", "tw.txt"] {
        let document = snapshot.document(path).unwrap_or_else(|| panic!("{path}: no document"));
        assert!(document.is_feed() && document.identity.bytes.starts_with(line.as_bytes()), "{document:?}");
        assert_eq!((document.kind.media_type(), document.kind.label()), ("text/plain; charset=utf-8", "twtxt"));
    }
    let front = snapshot.document("").unwrap();
    let page = String::from_utf8(front.identity.bytes.to_vec()).unwrap();
    let address = "https://example.org/twtxt.txt";
    for part in [
        format!("<link rel=\"alternate\" type=\"text/plain\" title=\"News &amp; Views (twtxt)\" href=\"{address}\">"),
        "<li><a href=\"/twtxt.txt\" type=\"text/plain\">twtxt</a></li>".to_owned(),
        "<li><a href=\"/twtxt.txt\">twtxt</a></li>".to_owned(),
    ] {
        assert!(page.contains(&part), "{part} is not in\n{page}");
    }
    let header = format!("<{address}>; rel=\"alternate\"; type=\"text/plain\"");
    assert!(front.links.as_ref().unwrap().contains(&header), "{:?}", front.links);

    let library = MemoryLibrary { entries, ..MemoryLibrary::default() };
    let printed = render_recorded(&library, pages.channel(), None, &twtxt::FORMAT, second(1)).unwrap();
    assert!(matches!(printed, RecordedFeed::Feed(text) if text.starts_with(line)));
    let on_demand = on_demand(library, twtxt::FORMATS);
    for path in ["tags/sea/twtxt.txt", "archive/1/twtxt.txt"] {
        assert!(text(&on_demand, path, &snapshot).starts_with(line), "{path}");
    }
    assert!(text(&on_demand, "tags/sea/", &snapshot).contains("https://example.org/tags/sea/twtxt.txt"));
    assert!(text(&on_demand, "articles/a", &snapshot).contains(address));
    assert!(text(&on_demand, "feeds.opml", &snapshot).contains("https://example.org/tags/sea/rss.xml"));
    assert_eq!(Route::at("tags/sea/twtxt.txt", FORMATS), None, "the program's own table has no such format");
}

#[test]
fn the_highest_archive_number_has_no_successor() {
    let on_demand = on_demand(MemoryLibrary { newest_archive: Some(u32::MAX), ..MemoryLibrary::default() }, FORMATS);
    let path = format!("archive/{}/rss.xml", u32::MAX - 1);
    let route = Route::at(&path, FORMATS).unwrap();
    assert!(matches!(on_demand.find(&route, moment(1)).unwrap(), Lookup::Unknown));
}

#[test]
fn what_an_incomplete_library_lacks_may_come_back() {
    let entries = vec![entry("a", "A")];
    let on_demand = on_demand(MemoryLibrary { entries, is_incomplete: true, ..MemoryLibrary::default() }, FORMATS);
    for (path, is_there) in [
        ("articles/a", true),
        ("articles/b", false),
        ("tags/sea/rss.xml", false),
        ("tags/other/", false),
        ("archive/1/rss.xml", false),
        ("archive/", false),
        ("tags/", false),
        ("feeds.opml", false),
    ] {
        let route = Route::at(path, FORMATS).unwrap();
        // The first time and from the cache.
        for _ in 0..2 {
            let lookup = on_demand.find(&route, moment(1)).unwrap();
            assert_eq!(matches!(lookup, Lookup::Document(_)), is_there, "{path}: {lookup:?}");
            assert!(is_there || matches!(lookup, Lookup::NotYet), "{path}: {lookup:?}");
            assert!(is_there || on_demand.cached(&route, moment(1).version).is_none(), "{path}");
        }
    }
}
