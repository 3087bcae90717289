//! `gazetted check [PATH]...`: what is wrong with the configuration and the articles, for a person, an editor or a hook.

use crate::model::text::path_line;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::{Outcome, articles};
use crate::article::load::load_as;
use crate::article::{self, Problem, Reading, Rules, Verdict};
use crate::config::Config;
use crate::folder::{Folder, Found};

/// Say what is wrong with the configuration and the articles
///
/// Each problem is one line, `file:line: what is wrong`. Ends with 1 if there is any. Drafts are none.
#[derive(Debug, Args)]
pub struct Check {
    /// Files or folders [default: articles.directory, which is `seeds`]
    paths: Vec<PathBuf>,
}

/// What is found on the way.
#[derive(Default)]
struct Tally {
    files: usize,
    problems: usize,
    drafts: usize,
    /// Which file says what, by the hash of its bytes and by its id.
    texts: HashMap<[u8; 32], PathBuf>,
    ids: HashMap<String, PathBuf>,
}

impl Check {
    /// Reads everything and says what is wrong with it.
    ///
    /// # Errors
    /// The configuration is wrong, or a path cannot be read.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let config = Config::load(file)?;
        let paths = if self.paths.is_empty() { vec![config.articles.directory.clone()] } else { self.paths };
        let mut tally = Tally::default();
        for path in &paths {
            let (folder, top, mut files) =
                articles(&config, path).with_context(|| format!("{}: cannot be read", path_line(path)))?;
            files.sort_by(|a, b| a.path.cmp(&b.path));
            let is_folder = path.is_dir();
            if files.is_empty() && !is_folder {
                tally.tell(path, &Problem::of_file("no such file: check the name"));
            }
            for found in &files {
                // As it was asked for: an editor must find it.
                let name = if is_folder { path.join(found.path.strip_prefix(&top)?) } else { path.clone() };
                tally.check(&config, &folder, found, &name);
            }
        }
        let Tally { files, problems, drafts, .. } = tally;
        eprintln!("files read: {files}, drafts: {drafts}, problems: {problems}");
        Ok(if problems == 0 { Outcome::Good } else { Outcome::Found })
    }
}

impl Tally {
    fn check(&mut self, config: &Config, folder: &Folder, found: &Found, name: &Path) {
        self.files += 1;
        let rules = Rules::new(&config.articles, &config.site);
        let (Some(format), Some(path)) = (folder.format(&found.path), folder.relative(&found.path)) else {
            let why = Problem::of_file(folder.why_not(&found.path));
            if folder.is_conflict_copy(&found.path) {
                return self.tell(name, &why);
            }
            // A hook may name every file of a commit.
            self.files -= 1;
            eprintln!("passed over: {}", why.in_file(name));
            return;
        };
        let loaded = match load_as(&found.path, format, config.articles.max_file_size.0) {
            Ok(loaded) => loaded,
            Err(error) => return self.tell(name, &Problem::of_file(error.to_string())),
        };
        let Reading { verdict, problems, .. } = article::read_file(&found.path, &loaded.bytes, path, format, &rules);
        for problem in &problems {
            self.tell(name, problem);
        }
        match verdict {
            Verdict::Publish(article) => {
                let twin = self.texts.insert(blake3::hash(&loaded.bytes).into(), name.to_path_buf());
                self.tell_twin(name, "text", twin);
                let namesake = article.id.and_then(|id| self.ids.insert(id, name.to_path_buf()));
                self.tell_twin(name, "id", namesake);
            }
            Verdict::Draft(..) => self.drafts += 1,
            Verdict::Empty => self.tell(name, &Problem::of_file("nothing in it yet: it is published once it has text")),
            Verdict::Broken(problem) => self.tell(name, &problem),
        }
    }

    fn tell_twin(&mut self, name: &Path, what: &str, twin: Option<PathBuf>) {
        if let Some(twin) = twin.filter(|twin| twin != name) {
            let message = format!("the same {what} as {}: only one of them is published", path_line(&twin));
            self.tell(name, &Problem::of_file(message));
        }
    }

    fn tell(&mut self, name: &Path, problem: &Problem) {
        self.problems += 1;
        println!("{}", problem.in_file(name));
    }
}
