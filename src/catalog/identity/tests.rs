use super::*;

const HERE: &str = "here.md";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// A live article with the text `[1; 32]`, published at 100, that was seen before.
fn known(number: i64, path: &str) -> KnownArticle {
    KnownArticle {
        number,
        id: ArticleId::new(format!("urn:x:{number}")),
        path: path.into(),
        state: ArticleState::Live,
        slug: Slug::new(format!("slug-{number}")).unwrap(),
        published: at(100),
        updated: at(200),
        entry_hash: [1; 32],
        held_until: at(0),
        guid: None,
        shown: true,
        revised: at(200),
        buried: None,
        content: RecordedContent::Current,
        file_hash: [1; 32],
        is_missing: false,
    }
}

fn missing(number: i64, path: &str) -> KnownArticle {
    KnownArticle { is_missing: true, ..known(number, path) }
}

fn gone(number: i64, path: &str) -> KnownArticle {
    KnownArticle { state: ArticleState::Gone, ..known(number, path) }
}

/// A file at [`HERE`] that arrives at 1,000, with the text `[2; 32]`.
fn arrival(article: &Article) -> Arrival<'_> {
    Arrival {
        path: Path::new(HERE),
        article,
        terms: None,
        file_hash: [2; 32],
        entry_hash: [2; 32],
        extent: Extent::Whole,
        stat: Stat::default(),
        first_seen: at(900),
        file_date: None,
        held_until: at(0),
        now: at(1_000),
    }
}

fn in_words(decision: &Match<'_>) -> String {
    match decision {
        Match::New => "new".to_owned(),
        Match::Known(article) => article.number.to_string(),
        Match::CopyOf(path) => format!("copy of {}", path.display()),
        Match::SameId(path) => format!("same id as {}", path.display()),
    }
}

#[test]
fn a_file_is_the_article_that_the_first_rule_names() {
    let none = Candidates::default;
    let at_path = || Candidates { at_path: Some(known(1, HERE)), ..none() };
    let with_id = |article| Candidates { with_id: Some(article), ..at_path() };
    let bytes = |with_bytes: Vec<KnownArticle>| Candidates { with_bytes, ..none() };
    let held = KnownArticle { state: ArticleState::Held, ..known(2, "b.md") };
    let same_file = |article| Candidates { same_file: Some(article), ..none() };
    let original = || Candidates { original: Some(missing(4, "d.md")), ..none() };
    let rows = vec![
        ("nothing is known", false, none(), "new"),
        ("an id that no article has", true, none(), "new"),
        ("an id that no article has, at a known path", true, at_path(), "1"),
        ("the id of the article at the path", true, with_id(known(2, HERE)), "2"),
        ("the id of a vanished file wins over the path", true, with_id(missing(2, "b.md")), "2"),
        ("the id of a deleted article", true, with_id(gone(2, "b.md")), "2"),
        ("the id of a file that is there", true, with_id(known(2, "b.md")), "same id as b.md"),
        ("the path wins over the bytes", false, Candidates { with_bytes: vec![known(2, "b.md")], ..at_path() }, "1"),
        ("the bytes of a published file", false, bytes(vec![known(2, "b.md")]), "copy of b.md"),
        ("the bytes of a vanished file", false, bytes(vec![missing(2, "b.md")]), "2"),
        ("one is there, one has vanished", false, bytes(vec![missing(2, "b.md"), known(3, "c.md")]), "copy of c.md"),
        ("the bytes of a deleted article", false, bytes(vec![gone(2, "b.md")]), "2"),
        ("of several deleted ones, the first", false, bytes(vec![gone(3, HERE), gone(2, "b.md")]), "3"),
        ("the bytes of a draft that is there", false, bytes(vec![held.clone()]), "new"),
        ("the bytes of a draft that has vanished", false, bytes(vec![KnownArticle { is_missing: true, ..held }]), "2"),
        ("moved and edited", false, same_file(missing(5, "e.md")), "5"),
        ("a second name of a file", false, same_file(known(5, "e.md")), "new"),
        (
            "bytes win over the inode",
            false,
            Candidates { with_bytes: vec![gone(2, "b.md")], ..same_file(missing(5, "e.md")) },
            "2",
        ),
        ("an edited copy of a vanished file", false, original(), "4"),
        ("the inode wins over the copy", false, Candidates { same_file: Some(missing(5, "e.md")), ..original() }, "5"),
    ];
    let (article, id) = (Article::default(), ArticleId::new("urn:x:stated"));
    for (rule, states_id, candidates, expected) in rows {
        let decision = decide(&arrival(&article), states_id.then_some(&id), &candidates);
        assert_eq!(in_words(&decision), expected, "{rule}");
    }
}

#[test]
fn published_is_set_once_unless_the_file_states_it() {
    let plain = Article::default();
    let dated = Article { published: Some(at(50)), ..Article::default() };
    let beside = Article { of_recording: Some(at(40)), ..Article::default() };
    let both = Article { published: Some(at(50)), ..beside.clone() };
    let adopted = Adopted {
        id: ArticleId::new("urn:x:adopted"),
        guid: None,
        link: None,
        published: Some(at(70)),
        updated: None,
        is_taken: false,
    };
    let old = known(1, HERE);
    let oldest = KnownArticle { published: at(-10_000), ..known(1, HERE) };
    let rows = [
        ("a new file", &plain, None, None, 900),
        ("a known one", &plain, Some(&old), None, 100),
        ("an adopted one", &plain, None, Some(&adopted), 70),
        ("adopted after it was known", &plain, Some(&old), Some(&adopted), 70),
        ("a stated date", &dated, Some(&old), Some(&adopted), 50),
        ("the date of its recording", &beside, None, None, 40),
        ("of one that follows soon", &beside, Some(&old), None, 40),
        ("of one that follows later", &beside, Some(&oldest), None, -10_000),
        ("of an adopted one", &beside, Some(&old), Some(&adopted), 70),
        ("of one with a stated date", &both, Some(&old), None, 50),
    ];
    for (rule, article, known, adopted, expected) in rows {
        assert_eq!(dates(&arrival(article), known, adopted).published, at(expected), "{rule}");
    }
    let undated = Adopted { published: None, ..adopted };
    let of_file = Arrival { file_date: Some(at(300)), ..arrival(&plain) };
    for (rule, known, adopted, expected) in [
        ("an adopted one without a date has that of its file", None, Some(&undated), 300),
        ("unless it has one already", Some(&old), Some(&undated), 100),
        ("another one has not", None, None, 900),
    ] {
        assert_eq!(dates(&of_file, known, adopted).published, at(expected), "{rule}");
    }
    let unclear = Article { has_unclear_date: true, ..plain.clone() };
    let of_file = Arrival { file_date: Some(at(300)), ..arrival(&unclear) };
    assert_eq!(dates(&of_file, None, None).published, at(300), "one whose date cannot be read has that of its file");
}

#[test]
fn updated_moves_when_the_content_does() {
    let plain = Article::default();
    let stated = |seconds| Article { updated: Some(at(seconds)), ..Article::default() };
    let same = KnownArticle { entry_hash: [2; 32], ..known(1, HERE) };
    let outdated = KnownArticle { content: RecordedContent::Outdated, file_hash: [2; 32], ..known(1, HERE) };
    let removed = |seconds| KnownArticle { buried: Some(at(seconds)), ..same.clone() };
    let withdrawn = KnownArticle { state: ArticleState::Held, ..same.clone() };
    let unseen = KnownArticle { shown: false, ..withdrawn.clone() };
    let lost = KnownArticle { content: RecordedContent::Lost, entry_hash: [0; 32], ..withdrawn.clone() };
    let lost_same = KnownArticle { file_hash: [2; 32], ..lost.clone() };
    let rows = vec![
        ("a new file", plain.clone(), None, 900),
        ("a new file with a date", stated(950), None, 950),
        ("a date that has not come", stated(5_000), None, 1_000),
        ("before its publication", stated(10), None, 900),
        ("an edit", plain.clone(), Some(known(1, HERE)), 1_000),
        ("an edit while its content is lost", plain.clone(), Some(lost), 1_000),
        ("no edit while its content is lost", plain.clone(), Some(lost_same), 200),
        ("an edit with a new date", stated(300), Some(known(1, HERE)), 300),
        ("an edit with the old date", stated(200), Some(known(1, HERE)), 1_000),
        ("no edit", plain.clone(), Some(same.clone()), 200),
        ("no edit, but a date", stated(300), Some(same.clone()), 200),
        ("read by another program", plain.clone(), Some(outdated), 200),
        ("back after its removal", plain.clone(), Some(removed(400)), 1_000),
        ("back in the second of its removal", plain.clone(), Some(removed(1_000)), 1_001),
        ("back after it was withdrawn", plain.clone(), Some(withdrawn), 1_000),
        ("back after a withdrawal without readers", plain, Some(unseen), 200),
    ];
    for (rule, article, known, expected) in rows {
        assert_eq!(dates(&arrival(&article), known.as_ref(), None).updated, at(expected), "{rule}");
    }
}

#[test]
fn an_article_is_due_at_its_date_and_after_its_hold() {
    let dated = Article { published: Some(at(2_000)), expires: Some(at(-5)), ..Article::default() };
    let due = |article, known: Option<&KnownArticle>, held_until| {
        let arrival = Arrival { held_until: at(held_until), ..arrival(article) };
        dates(&arrival, known, None).due.timestamp()
    };
    let plain = Article::default();
    assert_eq!(due(&plain, None, 0), 0);
    assert_eq!(due(&plain, None, 1_300), 1_300);
    assert_eq!(due(&dated, None, 1_300), 2_000);
    assert_eq!(due(&plain, Some(&known(1, HERE)), 1_300), 0, "a hold is for new articles");
    let never_seen = KnownArticle { shown: false, ..gone(1, HERE) };
    assert_eq!(due(&plain, Some(&never_seen), 1_300), 1_300, "a deletion in the hold is undone");
    assert_eq!(dates(&arrival(&dated), None, None).expires, Some(DateTime::UNIX_EPOCH));
}

#[test]
fn a_slug_is_kept_unless_the_writer_states_another() {
    let source = Article { slug_source: "A title".to_owned(), ..Article::default() };
    let wish = |slug: &str| Article { slug: Some(slug.to_owned()), ..source.clone() };
    let (live, deleted) = (known(1, HERE), gone(1, HERE));
    let own = live.slug.clone();
    assert_eq!(slug_choice(&source, None), SlugChoice::FirstFree("A title"));
    assert_eq!(slug_choice(&source, Some(&live)), SlugChoice::Keep(&own));
    assert_eq!(slug_choice(&source, Some(&deleted)), SlugChoice::FirstFree("slug-1"));
    assert_eq!(slug_choice(&wish("Slug 1"), Some(&live)), SlugChoice::Keep(&own));
    assert_eq!(slug_choice(&wish("Slug 1"), Some(&deleted)), SlugChoice::FirstFree("Slug 1"));
    assert_eq!(slug_choice(&wish("Other"), Some(&live)), SlugChoice::FirstFree("Other"));
}

#[test]
fn slugs_are_numbered_then_hashed_then_random() {
    let path = Path::new("notes/My file.md");
    let list: Vec<String> = slugs("Straße nach Süden", path, None).take(160).map(|slug| slug.to_string()).collect();
    assert_eq!(list[..3], ["strasse-nach-suden", "strasse-nach-suden-2", "strasse-nach-suden-3"]);
    assert_eq!(list[98], "strasse-nach-suden-99");
    assert_eq!(list[99].len(), "strasse-nach-suden-".len() + 8);
    assert!(list[100].starts_with(&list[99]), "{list:?}");
    assert_ne!(list[158], list[159]);
    let first = |wish: &str, path: &str| slugs(wish, Path::new(path), None).next().unwrap().to_string();
    assert_eq!(first("…", "notes/My file.md"), "my-file");
    assert_eq!(first("", "….md"), "article");
    let long = "word ".repeat(40);
    assert_eq!(first(&long, "a.md"), "word-".repeat(16).trim_end_matches('-'));
}

#[test]
fn titles_and_dates_keep_slugs_apart_before_numbers_do() {
    let published = DateTime::from_timestamp(1_785_542_400, 0);
    let article = Article { title: "This week 02".into(), published, ..Article::default() };
    let first = |article: &Article| {
        let slugs = slugs("this-week", Path::new("2026-08-02-this-week.md"), Some(article));
        slugs.take(4).map(|slug| slug.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(first(&article), ["this-week", "this-week-02", "this-week-2026-08-01", "this-week-2"]);
    let same_title = Article { title: "This week".into(), published: None, ..article.clone() };
    assert_eq!(first(&same_title)[..2], ["this-week", "this-week-2"]);
    let stated = Article { slug: Some("this-week".into()), ..article };
    assert_eq!(first(&stated)[..2], ["this-week", "this-week-2"], "the writer's wish is kept");
}

#[test]
fn ids_follow_from_the_path() {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"x.example");
    let list: Vec<ArticleId> = ids(namespace, Path::new("a.md")).take(2).collect();
    let id = |name: &str| Uuid::new_v5(&namespace, name.as_bytes()).urn().to_string();
    assert_eq!(list, [ArticleId::new(id("article:a.md")), ArticleId::new(id("article:a.md#2"))]);
    let chosen = |text: &str| chosen_id(&namespace, &Article { id: Some(text.to_owned()), ..Article::default() });
    let uuid = "ead4c236-bf58-58c6-a2c6-a6b28d128cb6";
    assert_eq!(chosen("tag:x.example,2024:1"), Some(ArticleId::new("tag:x.example,2024:1")));
    assert_eq!(chosen(&uuid.to_uppercase()), Some(ArticleId::new(format!("urn:uuid:{uuid}"))));
    assert_eq!(chosen("my id"), Some(ArticleId::new(id("id:my id"))));
    assert_eq!(chosen_id(&namespace, &Article::default()), None);
    let of_feed = |guid: &str, own: Option<&str>| {
        let article = Article { id: own.map(str::to_owned), feed_guid: Some(guid.to_owned()), ..Article::default() };
        let id = chosen_id(&namespace, &article).unwrap();
        (id.to_string(), chosen_guid(&id, &article))
    };
    assert_eq!(of_feed("12 at x", None), (id("guid:12 at x"), Some("12 at x".to_owned())), "as it is adopted");
    assert_eq!(of_feed("urn:x:1", None), ("urn:x:1".to_owned(), None));
    assert_eq!(of_feed("12", Some("urn:x:1")), ("urn:x:1".to_owned(), Some("12".to_owned())));
}
