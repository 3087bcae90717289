//! A copy of the whole site as files, which any web server can serve.
//!
//! The catalog is read in one state and never written; each document is what the daemon serves: the same functions render it and make
//! its header fields. `site_copy` lists all documents, `exporter` writes those that differ from the last export to a target, and `manifest` records
//! what was written. Nothing else is ever overwritten or deleted.

#[cfg(feature = "object-storage")]
mod bucket_target;
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

use std::path::Path;

#[cfg(feature = "object-storage")]
pub use bucket_target::BucketTarget;
pub use exporter::{ExportReport, ExportedSite, Stopped, Unready, run};
pub use folder_target::FolderTarget;
pub use layout::StoreKind;
pub use site_copy::next_change;
pub use target::ExportTarget;

/// Which kind of store an address names: `s3://bucket/prefix`, or a path.
pub fn kind_of(to: &Path) -> StoreKind {
    let is_bucket = to.to_str().is_some_and(|to| to.starts_with("s3://"));
    if is_bucket { StoreKind::Bucket } else { StoreKind::Folder }
}

/// Opens the folder or the bucket that a site is exported to.
///
/// # Errors
/// It has what no export has written, another export is writing to it, it cannot be used, or this program was built without object storage.
pub fn open(to: &Path) -> anyhow::Result<Box<dyn ExportTarget>> {
    match kind_of(to) {
        StoreKind::Folder => Ok(Box::new(FolderTarget::open(to)?)),
        StoreKind::Bucket => open_bucket(&to.to_string_lossy()),
    }
}

#[cfg(feature = "object-storage")]
fn open_bucket(address: &str) -> anyhow::Result<Box<dyn ExportTarget>> {
    Ok(Box::new(BucketTarget::open(crate::system::object_storage::open(address)?)?))
}

#[cfg(not(feature = "object-storage"))]
fn open_bucket(address: &str) -> anyhow::Result<Box<dyn ExportTarget>> {
    anyhow::bail!(
        "{address}: this program was built without object storage: use a package, or build it with `cargo build --release --features object-storage`"
    )
}
