//! Notices that the settings of the site have changed, in the watched folder or beside the configuration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Site;
use super::named_file::stat;
use crate::config::Config;
use crate::folder::watch::QUIET;
use crate::folder::{Folder, Stat};

/// How long a file may be missing: many programs save by deleting and writing again.
const GRACE: Duration = Duration::from_secs(2);

/// Compares the settings that are in effect with the files.
#[derive(Debug)]
pub struct SiteWatch {
    config: Config,
    folder: Folder,
    base_url: String,
    site: Arc<Site>,
    stats: Vec<(PathBuf, Option<Stat>)>,
    /// When the files are read, since one of them has changed.
    due: Option<Instant>,
}

impl SiteWatch {
    /// Watches the settings `site`, which were read with these arguments.
    pub fn new(config: &Config, folder: &Folder, base_url: &str, site: &Arc<Site>) -> Self {
        let (config, folder, base_url) = (config.clone(), folder.clone(), base_url.to_owned());
        Self { config, folder, base_url, site: site.clone(), stats: site.stats.clone(), due: None }
    }

    /// The settings that are in effect.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The same, shared.
    pub fn shared_site(&self) -> Arc<Site> {
        self.site.clone()
    }

    /// Looks whether a file has changed. Reads none.
    pub fn look(&mut self, now: Instant) {
        let mut wait = None;
        for (path, before) in &mut self.stats {
            let found = stat(path);
            if found != *before {
                wait = wait.max(Some(if found.is_none() { GRACE } else { QUIET }));
                *before = found;
            }
        }
        self.due = wait.map(|wait| now + wait).or(self.due);
    }

    /// Time until [`SiteWatch::has_changed`] has work.
    pub fn until_due(&self, now: Instant) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(now))
    }

    /// Whether the settings differ from those in effect. Settings that cannot be read are not in effect.
    pub fn has_changed(&mut self, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.due = None;
        self.look(now);
        if self.due.is_some() {
            return false;
        }
        self.differs()
    }

    /// Reads the settings again, and compares them.
    pub fn differs(&self) -> bool {
        // The settings of a folder that is away stay in effect.
        self.folder.is_there()
            && Site::load(&self.config, &self.folder, &self.base_url).is_ok_and(|site| !site.is_like(&self.site))
    }
}
