//! Pictures, recordings and links of articles: what feeds say of files that lie beside the articles.

use crate::site::{BASE_URL, Site};

/// HTML of the entry with a title.
fn html(site: &Site, title: &str) -> String {
    site.entry(title)["content_html"].as_str().unwrap().to_owned()
}

#[test]
fn a_picture_beside_an_article_has_an_address_of_its_own() {
    let mut site = Site::started();
    site.write("trips/storm.md", "# Storm\n\n![Waves](waves.png) and ![more](../pics/a%20b.jpg)\n");
    site.wait_for(&["Storm"]);
    let html = html(&site, "Storm");
    assert!(html.contains(&format!("src=\"{BASE_URL}media/trips/waves.png\"")), "{html}");
    assert!(html.contains(&format!("src=\"{BASE_URL}media/pics/a%20b.jpg\"")), "{html}");
}

#[test]
fn a_picture_that_comes_later_is_found_where_generators_keep_it() {
    let mut site = Site::started();
    site.write("storm.md", "# Storm\n\n![Waves](/img/waves.png)\n");
    site.wait_for(&["Storm"]);
    let before = site.entry("Storm");
    assert!(html(&site, "Storm").contains(&format!("src=\"{BASE_URL}img/waves.png\"")), "{before}");
    site.write("static/img/waves.png", "no picture yet");
    site.wait_until("the picture is found", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}media/static/img/waves.png\""))
    });
    let after = site.entry("Storm");
    assert_eq!(after["date_modified"], before["date_modified"], "the writer changed nothing");
    site.remove("static/img/waves.png");
    site.wait_until("the picture has gone", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}img/waves.png\""))
    });
}

#[test]
fn a_picture_is_found_that_came_while_nobody_watched() {
    let mut site = Site::started();
    site.write("storm.md", "# Storm\n\n![Waves](/img/waves.png)\n");
    site.wait_for(&["Storm"]);
    site.stop();
    site.write("assets/img/waves.png", "no picture yet");
    site.start();
    site.wait_until("the picture is found", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}media/assets/img/waves.png\""))
    });
}

#[test]
fn a_folder_takes_its_pictures_along() {
    let mut site = Site::started();
    site.write("old/storm.md", "# Storm\n\n![Waves](waves.png)\n");
    site.wait_for(&["Storm"]);
    site.rename("old", "new");
    site.wait_until("the address has changed", |site| {
        html(site, "Storm").contains(&format!("src=\"{BASE_URL}media/new/waves.png\""))
    });
}

#[test]
fn links_to_files_of_articles_lead_to_their_pages() {
    let mut site = Site::started();
    site.write("one.md", "# One\n\nSee [two](notes/two.md#part) and [three](three.md).\n");
    site.wait_for(&["One"]);
    let three = format!("href=\"{BASE_URL}articles/three.md\"");
    assert!(html(&site, "One").contains(&three), "{}", html(&site, "One"));
    site.write("notes/two.md", "# Two\n\nBack to [one](../one.md).\n");
    site.wait_until("the links lead to pages", |site| {
        site.titles().contains(&"Two".to_owned())
            && html(site, "One").contains(&format!("href=\"{BASE_URL}articles/two#part\""))
            && html(site, "Two").contains(&format!("href=\"{BASE_URL}articles/one\""))
    });
    assert!(html(&site, "One").contains(&three));
}
