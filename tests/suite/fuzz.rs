//! Random file operations. After each series, the feed must equal the folder: nothing missing, nothing extra, nothing stale,
//! and no id changed.
//!
//! `GAZETTED_FUZZ_SEEDS=200 cargo test --test suite fuzz` runs more seeds. A failure names its seed, and
//! `GAZETTED_FUZZ_FIRST` starts with it.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::random::Random;
use crate::site::Site;

/// Comparisons for each seed, and operations before each comparison.
const RESTS: usize = 3;
const OPERATIONS: usize = 350;

/// Expected content of the folder: number and edition of each article, by path.
struct Work {
    site: Site,
    random: Random,
    files: BTreeMap<String, (usize, usize)>,
    folders: Vec<String>,
    next: usize,
    /// Deletions left before the next comparison. The daemon delays a deletion of very many files by a minute.
    deletable: usize,
}

impl Work {
    fn text(number: usize, edition: usize) -> String {
        format!("# Article {number}\n\nEdition {edition} of article {number}.\n\nMore text.\n")
    }

    fn new_name(&mut self) -> String {
        self.next += 1;
        let folder = self.random.pick(&self.folders).unwrap();
        let extension = ["md", "md", "markdown"][self.random.below(3)];
        format!("{folder}file{}.{extension}", self.next)
    }

    fn any_file(&mut self) -> Option<String> {
        let files: Vec<String> = self.files.keys().cloned().collect();
        self.random.pick(&files)
    }

    fn step(&mut self) {
        match self.random.below(14) {
            0..=3 => self.create(),
            4..=6 => self.edit(),
            7 | 8 => self.rename(),
            9 => self.delete(),
            10 => self.new_folder(),
            11 => self.move_folder(),
            12 => self.delete_folder(),
            _ => self.swap(),
        }
        // If a file is moved into a folder that was renamed within the same millisecond, and then replaced, nothing shows which
        // article it was. No person and no editor is that fast.
        std::thread::sleep(Duration::from_millis(5));
    }

    fn create(&mut self) {
        let name = self.new_name();
        let number = self.next;
        println!("create {name}");
        self.site.write(&name, Self::text(number, 0));
        self.files.insert(name, (number, 0));
    }

    fn edit(&mut self) {
        let Some(name) = self.any_file() else { return };
        let (number, edition) = self.files[&name];
        let text = Self::text(number, edition + 1);
        let way = self.random.below(5);
        println!("edit {name} (article {number}) in way {way}");
        match way {
            // At once, in parts, slowly, through a temporary file, by removing the old file first.
            0 => self.site.write(&name, &text),
            1 => {
                let mut file = std::fs::File::create(self.site.path(&name)).unwrap();
                let (start, end) = text.split_at(text.len() / 2);
                file.write_all(start.as_bytes()).unwrap();
                std::thread::yield_now();
                file.write_all(end.as_bytes()).unwrap();
            }
            2 => {
                let mut file = std::fs::File::create(self.site.path(&name)).unwrap();
                for part in text.as_bytes().chunks(20) {
                    file.write_all(part).unwrap();
                    std::thread::sleep(Duration::from_millis(3));
                }
            }
            3 => {
                let temporary = format!("{name}.tmp");
                self.site.write(&temporary, &text);
                self.site.rename(&temporary, &name);
            }
            _ => {
                self.site.remove(&name);
                self.site.write(&name, &text);
            }
        }
        self.files.insert(name, (number, edition + 1));
    }

    fn rename(&mut self) {
        let (Some(from), to) = (self.any_file(), self.new_name()) else { return };
        println!("rename {from} to {to}");
        self.site.rename(&from, &to);
        let article = self.files.remove(&from).unwrap();
        self.files.insert(to, article);
    }

    /// Swaps two files, atomically or through a third name.
    fn swap(&mut self) {
        let (Some(one), Some(other)) = (self.any_file(), self.any_file()) else { return };
        if one == other {
            return;
        }
        let (first, second) = (self.site.path(&one), self.site.path(&other));
        let at_once = self.random.below(2) == 0;
        println!("swap {one} and {other}, at once: {at_once}");
        if at_once {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            renameat_with(CWD, &first, CWD, &second, RenameFlags::EXCHANGE).unwrap();
        } else {
            let third = first.with_extension("tmp");
            std::fs::rename(&first, &third).unwrap();
            std::fs::rename(&second, &first).unwrap();
            std::fs::rename(&third, &second).unwrap();
        }
        let (a, b) = (self.files[&one], self.files[&other]);
        self.files.extend([(one, b), (other, a)]);
    }

    fn delete(&mut self) {
        if let Some(name) = self.any_file().filter(|_| self.deletable > 0) {
            self.deletable -= 1;
            println!("delete {name}");
            self.site.remove(&name);
            self.files.remove(&name);
        }
    }

    fn new_folder(&mut self) {
        self.next += 1;
        let parent = self.random.pick(&self.folders).unwrap();
        let folder = format!("{parent}folder{}/", self.next);
        std::fs::create_dir(self.site.path(&folder)).unwrap();
        self.folders.push(folder);
        self.create();
    }

    fn any_folder(&mut self) -> Option<String> {
        let below: Vec<String> = self.folders.iter().filter(|folder| !folder.is_empty()).cloned().collect();
        self.random.pick(&below)
    }

    fn move_folder(&mut self) {
        let Some(from) = self.any_folder() else { return };
        self.next += 1;
        let to = format!("moved{}/", self.next);
        println!("move {from} to {to}");
        self.site.rename(&from, &to);
        let moved = |path: &String| path.strip_prefix(&from).map_or_else(|| path.clone(), |rest| format!("{to}{rest}"));
        self.files = self.files.iter().map(|(path, article)| (moved(path), *article)).collect();
        self.folders = self.folders.iter().map(moved).collect();
    }

    fn delete_folder(&mut self) {
        let Some(folder) = self.any_folder() else { return };
        let files = self.files.keys().filter(|path| path.starts_with(&folder)).count();
        let Some(deletable) = self.deletable.checked_sub(files) else { return };
        self.deletable = deletable;
        println!("delete {folder}");
        std::fs::remove_dir_all(self.site.path(&folder)).unwrap();
        self.files.retain(|path, _| !path.starts_with(&folder));
        self.folders.retain(|path| !path.starts_with(&folder));
    }

    /// Waits until the feed equals the folder, and returns the id of each article.
    fn rest(&mut self, seed: usize) -> BTreeMap<usize, String> {
        let mut expected: Vec<(usize, usize)> = self.files.values().copied().collect();
        expected.sort_unstable();
        self.site.wait_until(&format!("the feed is the folder (seed {seed})"), |site| {
            let mut served: Vec<(usize, usize)> = entries(site).into_iter().map(|(article, _)| article).collect();
            served.sort_unstable();
            let missing: Vec<_> = expected.iter().filter(|article| !served.contains(article)).collect();
            let left_over: Vec<_> = served.iter().filter(|article| !expected.contains(article)).collect();
            // Shown when the test fails.
            println!("seed {seed}: missing {missing:?}, left over {left_over:?}");
            served == expected
        });
        entries(&self.site).into_iter().map(|((number, _), id)| (number, id)).collect()
    }
}

/// Number, edition and id of each served entry. A file written again within a millisecond after it was closed can be read half
/// written until its next close: its edition is then none of those written.
fn entries(site: &Site) -> Vec<((usize, usize), String)> {
    let feed = site.feed();
    let entry = |item: &serde_json::Value| {
        let html = item["content_html"].as_str().unwrap();
        let words: Vec<&str> = html.split([' ', '.', '<']).collect();
        let after = |word: &str| {
            let place = words.iter().position(|found| found.ends_with(word))?;
            words.get(place + 1)?.parse().ok()
        };
        let article = (after("article").unwrap_or(usize::MAX), after("Edition").unwrap_or(usize::MAX));
        (article, item["id"].as_str().unwrap().to_owned())
    };
    feed["items"].as_array().unwrap().iter().map(entry).collect()
}

fn run(seed: usize) {
    let mut site = Site::configured("[feed]\nentries = 5000\nmax_bytes = '64 MiB'");
    site.start();
    let random = Random::new(seed);
    let mut work = Work { site, random, files: BTreeMap::new(), folders: vec![String::new()], next: 0, deletable: 0 };
    let mut known: BTreeMap<usize, String> = BTreeMap::new();
    for rest in 0..RESTS {
        work.deletable = 15;
        for _ in 0..OPERATIONS {
            work.step();
        }
        let ids = work.rest(seed);
        for (number, id) in &ids {
            let before = known.get(number);
            assert!(
                before.is_none_or(|before| before == id),
                "article {number} changed its id (seed {seed}, rest {rest})"
            );
        }
        let mut distinct: Vec<&String> = ids.values().collect();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), ids.len(), "two articles have one id (seed {seed})");
        known = ids;
        // The next series starts with a daemon that has read its catalog.
        work.site.restart();
    }
}

#[test]
fn random_file_operations_leave_the_feed_equal_to_the_folder() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (first, seeds) = (number("GAZETTED_FUZZ_FIRST", 0), number("GAZETTED_FUZZ_SEEDS", 1));
    for seed in first..first + seeds {
        run(seed);
    }
}
