//! A copy of the whole site as files, which any web server can serve.
//!
//! The catalog is read in one state and never written; each document is what the daemon serves: the same functions render it and make
//! its header fields. `site_copy` lists all documents, `exporter` writes those that differ from the last export to a target, and `manifest` records
//! what was written. Nothing else is ever overwritten or deleted.

mod exporter;
mod file_row;
mod folder_target;
mod layout;
mod main_documents;
mod manifest;
mod media_links;
mod rules;
mod server_files;
mod site_copy;
mod target;

pub use exporter::{ExportReport, ExportedSite, Stopped, Unready, run};
pub use folder_target::FolderTarget;
pub use site_copy::next_change;
