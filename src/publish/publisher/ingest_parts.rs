//! What the ingest is made from.

use std::sync::Arc;

use crate::catalog::{self, Catalog};
use crate::change::TextRequests;
use crate::config::Config;
use crate::folder::Folder;
use crate::folder::watch::{Armed, Fence, OpenFiles};
use crate::observe::heartbeat::Heartbeat;
use crate::publish::ingest::Ingest;
use crate::render::feed::Channel;
use crate::site::Site;
use crate::system::reading_journal::ReadingJournal;

/// The handles that the ingest shares with the watch, the server and the log.
pub(super) type Handles = (OpenFiles, TextRequests, Armed, Fence, Heartbeat, ReadingJournal);

/// The parts of the daemon that an ingest is connected with. An ingest is discarded with all that it has noted when its transaction was
/// rolled back, and a new one looks at the folder again.
#[derive(Debug)]
pub(super) struct IngestParts {
    folder: Folder,
    config: Config,
    channel: Channel,
    site: Arc<Site>,
    handles: Handles,
}

impl IngestParts {
    pub fn new(folder: Folder, config: Config, channel: Channel, site: Arc<Site>, handles: Handles) -> Self {
        Self { folder, config, channel, site, handles }
    }

    /// Makes an ingest that has seen nothing yet.
    ///
    /// # Errors
    /// The catalog cannot be read or written.
    pub fn ingest(&self, catalog: &mut Catalog) -> catalog::Result<Ingest> {
        let (open_files, text_requests, armed, fence, heartbeat, journal) = &self.handles;
        let mut ingest = Ingest::new(catalog, self.folder.clone(), &self.config, &self.channel, open_files.clone())?;
        ingest.serve_requests(text_requests.clone());
        ingest.follow_watch(armed.clone(), fence.clone());
        ingest.beat_with(heartbeat.clone());
        ingest.record_readings(journal.clone());
        ingest.report_site(&self.site);
        Ok(ingest)
    }
}
