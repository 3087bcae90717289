//! Articles whose files are elsewhere. An article follows its file, which inode and birth identify: it is neither replaced nor deleted while
//! its file is known to be at another path, whether that file can be read yet or not.

use std::path::{Path, PathBuf};

use super::conductor::Ingest;
use super::remembered_renames::{Evidence, Whereabouts};
use super::step::{Trigger, WriteMoment};
use crate::catalog::{self, Catalog, Known, OwnName};
use crate::folder::Stat;
use crate::folder::watch::QUIET;

impl Ingest {
    /// Where the file of an article is, by the last comparison and the hints since.
    pub(super) fn whereabouts(&self, known: &Known) -> Whereabouts {
        let is_at = |path: &Path| self.folder.stat(path).is_some_and(|now| now.file_only() == known.stat.file_only());
        match self.renames.place_of(known.stat) {
            Some(place) if place != known.path && !is_at(&known.path) => {
                if is_at(place) {
                    Whereabouts::Elsewhere(place.to_path_buf())
                } else {
                    Whereabouts::Moving
                }
            }
            _ => Whereabouts::Recorded,
        }
    }

    /// Moves the article at a path to the place of its file, if that is elsewhere, before the file that is at the path now is processed.
    /// An article in its way follows its own file in the same way, so that articles that have changed places in a circle all do. Returns
    /// whether anything that is served has changed; `None` if the path will be processed again.
    pub(super) fn give_way(
        &mut self,
        catalog: &mut Catalog,
        path: &Path,
        arrived: (Stat, Option<&Path>),
        trigger: Trigger,
        moment: WriteMoment,
    ) -> catalog::Result<Option<bool>> {
        let (stat, holder) = arrived;
        let mut changed = false;
        while let Some(known) = catalog.known(path)? {
            let place = match self.whereabouts(&known) {
                // As far as is known, the file that has arrived replaces this one. Only a comparison shows that after a loss of hints.
                Whereabouts::Recorded => {
                    let is_certain = holder.is_none() || trigger == Trigger::FirstScan || !self.lacks_hints();
                    return if is_certain { Ok(Some(changed)) } else { Ok(self.process_later(path, moment)) };
                }
                Whereabouts::Moving if self.lacks_hints() => return Ok(self.process_later(path, moment)),
                Whereabouts::Moving => {
                    // If a hint of its new place is on the way, it comes before the fence.
                    self.renames.forget_place(known.stat);
                    let can_wait = trigger != Trigger::FirstScan;
                    if can_wait && self.fences.defer(path, stat, Trigger::Closed, moment.instant) {
                        return Ok(None);
                    }
                    continue;
                }
                Whereabouts::Elsewhere(place) => place,
            };
            if trigger == Trigger::FencePassed {
                // The file that has arrived is another article's, which changes places with this one until its file is processed.
                if holder.is_some() {
                    break;
                }
                if self.fences.is_deferred(&place) && self.fences.defer(path, stat, Trigger::Closed, moment.instant) {
                    return Ok(None);
                }
            } else {
                self.foresee(path, &place, moment);
                let fence = self.fences.next(moment.instant);
                self.renames.infer(&place, fence);
            }
            changed |= self.follow_file(catalog, &known, place, moment)?;
        }
        Ok(Some(changed))
    }

    /// Whether hints were lost, so that only the next comparison shows where files are.
    fn lacks_hints(&self) -> bool {
        self.must_reconcile || self.fences.has_lost_hints()
    }

    fn process_later(&mut self, path: &Path, moment: WriteMoment) -> Option<bool> {
        self.schedule.set(path.to_path_buf(), moment.instant + QUIET, Trigger::Closed);
        None
    }

    /// Moves an article to the place of its file. Returns whether anything that is served has changed.
    pub(super) fn follow_file(
        &mut self,
        catalog: &mut Catalog,
        known: &Known,
        place: PathBuf,
        moment: WriteMoment,
    ) -> catalog::Result<bool> {
        let old = known.path.clone();
        let changed = self.apply_rename_of(catalog, old, place, OwnName::Changed, Evidence::File, moment)?;
        self.renames.forget_place(known.stat);
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use crate::change::Change;
    use crate::folder::watch::QUIET;
    use crate::model::entry::ArticleId;
    use crate::publish::ingest::content::tests::Site;

    /// Names of the articles in the folder of each case before anything happens to them.
    const NAMES: [&str; 4] = ["a.md", "b.md", "c.md", "sub/d.md"];

    /// A change of a file.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Rename(&'static str, &'static str),
        /// Adds to the file, which stays the same.
        Edit(&'static str),
        /// Writes a file that was not there.
        Create(&'static str),
    }
    use Step::{Create, Edit, Rename};

    /// What happens unseen, and the former name of the article that each file is then (`new`: none).
    type Case = (&'static str, &'static [Step], &'static [(&'static str, &'static str)]);

    const SWAP: [Step; 3] = [Rename("a.md", "t.tmp"), Rename("b.md", "a.md"), Rename("t.tmp", "b.md")];
    const CIRCLE: [Step; 4] =
        [Rename("a.md", "t.tmp"), Rename("c.md", "a.md"), Rename("b.md", "c.md"), Rename("t.tmp", "b.md")];

    const CASES: [Case; 10] = [
        ("swap", &SWAP, &[("a.md", "b.md"), ("b.md", "a.md"), ("c.md", "c.md"), ("sub/d.md", "sub/d.md")]),
        ("circle", &CIRCLE, &[("a.md", "c.md"), ("b.md", "a.md"), ("c.md", "b.md"), ("sub/d.md", "sub/d.md")]),
        (
            "circle that is edited",
            &[CIRCLE[0], CIRCLE[1], CIRCLE[2], CIRCLE[3], Edit("a.md"), Edit("b.md"), Edit("c.md")],
            &[("a.md", "c.md"), ("b.md", "a.md"), ("c.md", "b.md"), ("sub/d.md", "sub/d.md")],
        ),
        (
            "circle the other way, through a folder",
            &[
                Rename("a.md", "t.tmp"),
                Rename("b.md", "a.md"),
                Rename("c.md", "b.md"),
                Rename("sub/d.md", "c.md"),
                Rename("t.tmp", "sub/d.md"),
            ],
            &[("a.md", "b.md"), ("b.md", "c.md"), ("c.md", "sub/d.md"), ("sub/d.md", "a.md")],
        ),
        (
            "swap of which one is swapped once more",
            &[
                SWAP[0],
                SWAP[1],
                SWAP[2],
                Rename("b.md", "t.tmp"),
                Rename("sub/d.md", "b.md"),
                Rename("t.tmp", "sub/d.md"),
            ],
            &[("a.md", "b.md"), ("b.md", "sub/d.md"), ("c.md", "c.md"), ("sub/d.md", "a.md")],
        ),
        (
            "all move up",
            &[Rename("a.md", "0.md"), Rename("b.md", "a.md"), Rename("c.md", "b.md"), Rename("sub/d.md", "c.md")],
            &[("0.md", "a.md"), ("a.md", "b.md"), ("b.md", "c.md"), ("c.md", "sub/d.md")],
        ),
        (
            "all move down, and a new one comes",
            &[
                Rename("sub/d.md", "sub/e.md"),
                Rename("c.md", "sub/d.md"),
                Rename("b.md", "c.md"),
                Rename("a.md", "b.md"),
                Create("a.md"),
            ],
            &[("a.md", "new"), ("b.md", "a.md"), ("c.md", "b.md"), ("sub/d.md", "c.md"), ("sub/e.md", "sub/d.md")],
        ),
        (
            "new file at the old place, before it and behind it",
            &[Rename("b.md", "z.md"), Create("b.md"), Rename("c.md", "0.md"), Create("c.md")],
            &[
                ("0.md", "c.md"),
                ("a.md", "a.md"),
                ("b.md", "new"),
                ("c.md", "new"),
                ("z.md", "b.md"),
                ("sub/d.md", "sub/d.md"),
            ],
        ),
        (
            "place of one that has left",
            &[Rename("b.md", "z.md"), Rename("a.md", "b.md"), Edit("b.md")],
            &[("b.md", "a.md"), ("c.md", "c.md"), ("sub/d.md", "sub/d.md"), ("z.md", "b.md")],
        ),
        (
            // The text of a file that replaces another is a new version of the article there.
            "replacement",
            &[Rename("a.md", "b.md")],
            &[("b.md", "b.md"), ("c.md", "c.md"), ("sub/d.md", "sub/d.md")],
        ),
    ];

    /// How the daemon learns of it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Way {
        /// It was stopped meanwhile.
        Stopped,
        /// All hints are lost.
        Lost,
        /// All hints are lost but that of one file, which is decided while the others may still be written; by its number.
        OneHint(usize),
        /// The same, and then the daemon is restarted.
        OneHintAndRestart(usize),
        /// The same, and the folder is compared only later, as in a storm of changes.
        OneHintAndLateComparison(usize),
    }

    fn apply(site: &Site, folder: &str, step: Step) {
        let file = |name: &str| site.file(&format!("{folder}/{name}"));
        match step {
            Rename(from, to) => std::fs::rename(file(from), file(to)).unwrap(),
            Edit(name) => {
                let text = std::fs::read_to_string(file(name)).unwrap();
                std::fs::write(file(name), text + " Edited.").unwrap();
            }
            Create(name) => std::fs::write(file(name), format!("# New\n\nNew in {folder}: {name}")).unwrap(),
        }
    }

    /// Follows all that is to be followed.
    fn rest(site: &mut Site) {
        std::thread::sleep(QUIET + Duration::from_millis(100));
        for _ in 0..4 {
            site.wait();
            site.deliver(&[Change::Reconcile], Duration::ZERO);
        }
        site.wait();
    }

    fn check(way: Way) {
        let mut site = Site::new();
        for (folder, ..) in CASES {
            for name in NAMES {
                site.put(&format!("{folder}/{name}"), format!("# Article\n\nThis is {name} in {folder}."));
            }
        }
        site.restart();
        let ids = |site: &Site, folder: &str, names: &[&'static str]| -> HashMap<&'static str, Option<ArticleId>> {
            names.iter().map(|name| (*name, site.public(&format!("{folder}/{name}")))).collect()
        };
        let before: Vec<_> = CASES.iter().map(|(folder, ..)| ids(&site, folder, &NAMES)).collect();
        assert_eq!(site.live(), CASES.len() * NAMES.len());
        let mut hints = vec![Change::Lost, Change::Reconcile];
        for (folder, steps, files) in CASES {
            for step in steps {
                apply(&site, folder, *step);
            }
            // Before the comparison, a new file at the path of an article looks like its new version.
            let has_new = steps.iter().any(|step| matches!(step, Create(_)));
            let number = match way {
                Way::OneHint(number) | Way::OneHintAndRestart(number) => Some(number),
                Way::OneHintAndLateComparison(number) if !has_new => Some(number),
                _ => None,
            };
            hints.extend(number.map(|number| {
                let (name, _) = files[number % files.len()];
                Change::Look(site.file(&format!("{folder}/{name}")))
            }));
        }
        match way {
            Way::Stopped => site.restart(),
            Way::Lost => site.deliver(&hints, Duration::ZERO),
            Way::OneHint(_) | Way::OneHintAndRestart(_) => {
                site.deliver(&hints, Duration::ZERO);
                site.wait();
            }
            Way::OneHintAndLateComparison(_) => {
                hints.retain(|hint| *hint != Change::Reconcile);
                site.deliver(&hints, Duration::ZERO);
                site.wait();
            }
        }
        if matches!(way, Way::OneHintAndRestart(_)) {
            site.restart();
        }
        rest(&mut site);
        for ((folder, _, files), before) in CASES.iter().zip(&before) {
            let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
            let after = ids(&site, folder, &names);
            for (name, former) in *files {
                let id = after[name].as_ref();
                let is_right = match before.get(former) {
                    Some(former) => id == former.as_ref(),
                    None => id.is_some() && !before.values().any(|former| former.as_ref() == id),
                };
                assert!(is_right, "{way:?}: {folder}: {name} is not the article {former}: {before:#?} {after:#?}");
            }
        }
        let files: usize = CASES.iter().map(|(.., files)| files.len()).sum();
        assert_eq!(site.live(), files, "{way:?}");
    }

    /// A file that was renamed unseen and is written all the time is not read for long; until then its article stays.
    #[test]
    fn an_article_is_not_deleted_while_its_file_is_written_elsewhere() {
        let mut site = Site::new();
        let text = |number: usize| format!("# Article\n\nVersion {number}");
        for name in ["a.md", "other.md"] {
            site.put(name, format!("# Article\n\nThis is {name}."));
        }
        site.restart();
        let id = site.public("a.md").unwrap();
        std::fs::rename(site.file("a.md"), site.file("b.md")).unwrap();
        site.put("b.md", text(0));
        site.deliver(&[Change::Lost, Change::Reconcile], Duration::ZERO);
        for number in 1..6 {
            site.put("b.md", text(number));
            site.wait();
            site.put("b.md", text(number));
            site.deliver(&[Change::Reconcile], Duration::ZERO);
        }
        assert_eq!((site.live(), site.tombstones()), (2, vec![]));
        rest(&mut site);
        assert_eq!((site.public("b.md"), site.live(), site.tombstones()), (Some(id), 2, vec![]));
        assert!(site.content("b.md").html.contains("Version 5"));
    }

    /// Which article a file is does not depend on whether the daemon sees it move, on when it can read it, or in which order.
    #[test]
    fn an_article_follows_its_file_that_moved_unseen() {
        let one = (0..4).flat_map(|number| {
            [Way::OneHint(number), Way::OneHintAndRestart(number), Way::OneHintAndLateComparison(number)]
        });
        std::thread::scope(|scope| {
            for way in [Way::Stopped, Way::Lost].into_iter().chain(one) {
                scope.spawn(move || check(way));
            }
        });
    }
}
