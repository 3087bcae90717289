//! The settings of the site: `[site]` of the configuration, what `_site.toml` in the watched folder adds, and the files that both name.
//! The configuration takes precedence, key by key.

mod blogroll;
mod look;
mod named_file;
mod settings_file;
mod share;
mod style;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::article::{self, Problem};
use crate::config::{Config, SiteConfig};
use crate::folder::{Folder, SETTINGS_FILE, Stat};
pub use look::{Look, SitePicture, TemplateFile};
use named_file::{NamedFiles, NamedIn};
use settings_file::SettingsFile;
pub use watch::SiteWatch;

/// The settings of a site at one moment.
#[derive(Debug)]
pub struct Site {
    /// `[site]` with the keys of `_site.toml`.
    pub config: SiteConfig,
    /// The content of the files that it names.
    pub look: Arc<Look>,
    /// The problems of `_site.toml`. All other keys count.
    pub problems: Vec<Problem>,
    /// The keys that `_site.toml` states and that count, each with its line.
    pub stated: Vec<(String, usize)>,
    /// The problem of `blogroll.opml`.
    pub blogroll_problem: Option<Problem>,
    /// The keys of `_site.toml` that the configuration states as well.
    pub overruled: Vec<String>,
    /// Every file that was read or looked for, absolute.
    stats: Vec<(PathBuf, Option<Stat>)>,
}

impl Site {
    /// Reads the settings of the site at `base_url` whose articles are in `folder`. A problem of `_site.toml` is no error.
    ///
    /// # Errors
    /// A file that the configuration names cannot be used; the error says which and why.
    pub fn load(config: &Config, folder: &Folder, base_url: &str) -> anyhow::Result<Self> {
        let file = SettingsFile::read(folder);
        let mut site = config.site.clone();
        let (mut problems, mut stated, mut overruled) = (file.problems, Vec::new(), Vec::new());
        for (key, line, value) in file.keys {
            if config.site.origin.states(&key) {
                overruled.push(key);
            } else {
                value.replace(&key, &mut site);
                stated.push((key, line));
            }
        }
        let mut files = NamedFiles::new(folder);
        files.note(folder.root().join(SETTINGS_FILE));
        let mut look = Look::default();
        for key in look::KEYS {
            let place = match stated.iter().find(|(name, _)| name == key) {
                Some((_, line)) => NamedIn::Folder(*line),
                None => NamedIn::Configuration(&config.site.origin),
            };
            match look.read(key, &site, &mut files, place) {
                Ok(()) => {}
                Err(message) => match place {
                    NamedIn::Folder(line) => {
                        problems.push(Problem::at(line, format!("{key}: {message}")));
                        stated.retain(|(name, _)| name != key);
                    }
                    NamedIn::Configuration(origin) => {
                        anyhow::bail!("{}: site.{key}: {message}", origin.place(key));
                    }
                },
            }
        }
        let (blogroll, blogroll_problem) = blogroll::read(folder, &mut files);
        look.blogroll = blogroll;
        look.accent = site.accent;
        look.share = share::picture(&look);
        look.footer = Url::parse(base_url).map(|page| article::line(&site.footer, &page)).unwrap_or_default();
        problems.sort_by_key(|problem| problem.line);
        Ok(Self {
            config: site,
            look: Arc::new(look),
            problems,
            stated,
            overruled,
            blogroll_problem,
            stats: files.stats,
        })
    }

    /// Reads the settings of a site at the address that the configuration gives it, as commands do beside a daemon.
    ///
    /// # Errors
    /// As for [`Site::load`].
    pub fn of(config: &Config, folder: &Folder) -> anyhow::Result<Self> {
        Self::load(config, folder, &config.base_url(config.http.listen.first_address()))
    }

    /// Whether the settings have the same effect.
    pub fn is_like(&self, other: &Self) -> bool {
        let problems = |site: &'_ Self| (site.problems.clone(), site.blogroll_problem.clone());
        (&self.config, &self.look, problems(self)) == (&other.config, &other.look, problems(other))
    }

    /// Returns a configuration with these settings.
    pub fn applied_to(&self, config: &Config) -> Config {
        Config { site: self.config.clone(), ..config.clone() }
    }
}

#[cfg(test)]
mod tests;
