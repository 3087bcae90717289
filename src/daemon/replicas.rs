//! Connects the catalog of this node with the log of the replicas.

use std::path::Path;

use anyhow::Context;

use super::state_dir::{self, Opening};
use crate::catalog::{self, Catalog, CatalogError, FILE, IDENTITIES, Joined};
use crate::config::Config;
use crate::observe::status::ReplicaStatus;
use crate::replicas::{self, ReplicaLog};

/// The log, before the catalog is open.
#[derive(Debug)]
pub(super) struct Replicas {
    /// For the writer.
    log: Box<dyn ReplicaLog>,
    /// For the thread that waits for records.
    listening: Box<dyn ReplicaLog>,
    node: String,
}

impl Replicas {
    /// Opens the log that the configuration names, if it names one, and installs the catalog from it if necessary. While the log is away,
    /// the catalog stays as it is.
    ///
    /// # Errors
    /// The address of the log is wrong, or there is neither a log nor a catalog.
    pub fn join(config: &Config, state: &Path, opening: &Opening) -> anyhow::Result<Option<Self>> {
        let Some(address) = &config.replicas.log else { return Ok(None) };
        let open = || replicas::open(address).context("replicas.log");
        let (mut log, listening) = (open()?, open()?);
        let node = config.replicas.node.clone().unwrap_or_else(host_name);
        if let Opening::Recovering(why) | Opening::Empty(why) = opening {
            let aside = state_dir::set_aside(state)?;
            state_dir::discard(state)?;
            tracing::error!(
                error = why,
                file = aside.map(|aside| aside.display().to_string()),
                "the catalog was damaged: it is installed again from the log of the replicas"
            );
        }
        match catalog::join(state, &mut *log) {
            Ok(Joined::Installed(number)) => {
                // The second record of identities belongs to the catalog that was replaced.
                let _ = std::fs::remove_file(state.join(IDENTITIES));
                tracing::info!(log = log.place(), number, "the catalog was installed from the log of the replicas");
            }
            Ok(Joined::Founding | Joined::Continuing) => {}
            Err(error @ (CatalogError::LogAway(_) | CatalogError::LogRefused(_))) if state.join(FILE).exists() => {
                // The publisher tries again, and says so.
                tracing::debug!(%error, "the log of the replicas cannot be used at the start");
            }
            Err(error) => return Err(error).with_context(|| format!("{}", state.display())),
        }
        Ok(Some(Self { log, listening, node }))
    }

    /// The status of this node before it has followed the log.
    pub fn status(&self) -> ReplicaStatus {
        ReplicaStatus { node: self.node.clone(), log: self.log.place(), ..ReplicaStatus::default() }
    }

    /// Connects the open catalog with the log. Returns the handle for the thread that waits for records.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn connect(self, catalog: &mut Catalog, rendering: [u8; 32]) -> catalog::Result<Box<dyn ReplicaLog>> {
        catalog.replicate(self.log, &self.node, rendering)?;
        Ok(self.listening)
    }
}

/// The name of this host.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
