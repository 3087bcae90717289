//! Finds the articles that a command is given.

use std::path::{Path, PathBuf};

use crate::config::{Articles, Config};
use crate::daemon::SiteState;
use crate::folder::{Folder, Found, Stat};

/// Finds the articles at a path: one file, or all below a folder. They belong to the configured folder if the path lies in it,
/// else to the nearest folder above it that a daemon has served, else to the given folder, or to the folder of the given file. Returns that folder, the resolved path, and the files.
pub fn articles(config: &Config, path: &Path) -> anyhow::Result<(Folder, PathBuf, Vec<Found>)> {
    let path = resolve_parent(path)?;
    let configured = Folder::open(&config.articles).ok();
    // Uses the configured spelling of the folder, even if links lead to it.
    let inside = configured.and_then(|folder| {
        let below = path.strip_prefix(folder.root().canonicalize().ok()?).ok()?.to_path_buf();
        Some((folder.root().join(below), folder))
    });
    let (path, configured) = inside.map_or((path, None), |(path, folder)| (path, Some(folder)));
    let folder = if let Some(folder) = configured {
        folder
    } else {
        let nearest = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
        let directory = SiteState::folder_above(config, &path).unwrap_or_else(|| nearest.to_path_buf());
        Folder::open(&Articles { directory, ..config.articles.clone() })?
    };
    let is_link_out = folder.relative(&path).is_some_and(|below| folder.folder_link_out(below).is_some());
    let found = if path.is_dir() && !is_link_out {
        folder.files_below(&path)?
    } else {
        let stat = path.metadata().map(|metadata| Stat::of(&metadata)).ok();
        let stat = stat.or_else(|| folder.dangling_target(&path).map(|_| Stat::default()));
        stat.map(|stat| Found { path: path.clone(), stat }).into_iter().collect()
    };
    Ok((folder, path, found))
}

/// Resolves `..` and symbolic links, except in the last component.
fn resolve_parent(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) if name != ".." => Ok(parent.canonicalize().unwrap_or(parent.into()).join(name)),
        _ => Ok(absolute.canonicalize()?),
    }
}
