//! Articles that are scheduled, expire, or are held for a while.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::site::Site;

fn in_seconds(seconds: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::seconds(seconds)
}

/// Every document that could show an article.
fn documents(site: &Site) -> String {
    ["/", "/atom.xml", "/rss.xml", "/feed.json", "/feed"].iter().map(|path| site.get(path).text()).collect()
}

#[test]
fn a_scheduled_article_is_in_no_document_before_it_is_due() {
    let mut site = Site::started();
    let due = in_seconds(3);
    site.write("later.md", format!("---\ntitle: Later\ndate: {}\n---\nSecret until then.\n", due.to_rfc3339()));
    site.write("a.md", "# First\n\nText.\n");
    site.wait_for(&["First"]);
    assert!(!documents(&site).contains("Later") && !documents(&site).contains("Secret"));
    assert_eq!(site.get("/articles/later").status, 404);
    // It becomes due while no daemon runs.
    site.stop();
    std::thread::sleep(Duration::from_millis(3_200));
    site.start();
    assert_eq!(site.titles().len(), 2);
    assert_eq!(site.get("/articles/later").status, 200);
}

#[test]
fn an_article_expires() {
    let mut site = Site::started();
    let end = in_seconds(3);
    site.write("offer.md", format!("---\ntitle: Offer\nexpiryDate: {}\n---\nOnly today.\n", end.to_rfc3339()));
    site.write("old.md", "---\ntitle: Old\nexpires: 2020-01-01\n---\nLong gone.\n");
    site.wait_for(&["Offer"]);
    let id = site.entry("Offer")["id"].clone();
    assert_eq!(site.get("/articles/offer").status, 200);
    site.wait_for(&[]);
    assert!(Utc::now() >= end - TimeDelta::seconds(1));
    assert!(!documents(&site).contains("Offer"));
    assert_eq!((site.get("/articles/offer").status, site.get("/articles/old").status), (410, 410));
    // With a later date it returns with its old id.
    let end = in_seconds(600);
    site.write("offer.md", format!("---\ntitle: Offer\nexpiryDate: {}\n---\nOnly today.\n", end.to_rfc3339()));
    site.wait_for(&["Offer"]);
    assert_eq!(site.entry("Offer")["id"], id);
    site.restart();
    assert_eq!(site.titles(), ["Offer"]);
}

#[test]
fn an_article_can_be_withdrawn_while_it_is_held() {
    let mut site = Site::configured("[articles]\nhold = \"3s\"\n");
    site.start();
    site.write("kept.md", "# Kept\n\nText of it.\n");
    site.write("undone.md", "# Undone\n\nText of that.\n");
    let written = Utc::now();
    std::thread::sleep(Duration::from_millis(500));
    site.remove("undone.md");
    assert!(!documents(&site).contains("Kept"));
    // An edit does not restart the hold.
    site.write("kept.md", "# Kept\n\nText of it, mended.\n");
    site.wait_for(&["Kept"]);
    let waited = Utc::now() - written;
    assert!(waited >= TimeDelta::seconds(2), "{waited}");
    let published: DateTime<Utc> = site.entry("Kept")["date_published"].as_str().unwrap().parse().unwrap();
    assert!(published > written, "published when readers could see it");
    // It was never published, so it is not gone.
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(site.get("/articles/undone").status, 404);
    // A withdrawn article that returns is new.
    site.write("undone.md", "# Undone\n\nText of that.\n");
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(!documents(&site).contains("Undone"));
    // A published article is not held again.
    site.write("kept.md", "# Kept\n\nText of it, mended again.\n");
    site.wait_until("the edit is served", |site| documents(site).contains("mended again"));
    assert!(site.titles().contains(&"Kept".to_owned()));
}

/// The addresses of the entries in the feed.
fn addresses(site: &Site) -> Vec<String> {
    let feed = site.feed();
    feed["items"].as_array().unwrap().iter().map(|item| item["url"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_episode_is_public_until_a_scheduled_article_takes_it_over() {
    let mut site = Site::started();
    site.write("audio/storm-hour.wav", [&b"RIFF\x24\0\0\0WAVEfmt "[..], &[0; 60]].concat());
    site.wait_for(&["storm hour"]);
    let (before, address) = (site.entry("storm hour"), addresses(&site));
    let due = in_seconds(4);
    let date = due.to_rfc3339();
    site.write("notes.md", format!("---\ntitle: Notes\ndate: {date}\naudio: audio/storm-hour.wav\n---\nText.\n"));
    site.settle();
    assert_eq!(site.entry("storm hour"), before, "it stays as it is");
    site.wait_for(&["Notes", "Barrier"]);
    let after = site.entry("Notes");
    assert_eq!((&after["id"], &after["url"]), (&before["id"], &before["url"]), "one entry continues");
    assert!(!site.get("/atom.xml").text().contains("deleted-entry"));
    site.restart();
    assert_eq!((site.entry("Notes")["id"].clone(), addresses(&site).len()), (before["id"].clone(), 2));
    site.remove("notes.md");
    site.wait_for(&["storm hour", "Barrier"]);
    assert_eq!(site.entry("storm hour")["id"], before["id"]);
    assert!(addresses(&site).contains(&address[0]), "the same address");
}
