//! The rows of the catalog: the statements that read and write them.
//!
//! `database` has the connection of the writer ([`Catalog`]) and its transactions, `reader` that of readers ([`Reader`]). The other files
//! add methods to one of them, or are the state that they collect (`identity_record`, `import_state`, `view_batch`).

mod adopted;
mod archive;
mod backlog;
mod bulk_import;
mod check;
mod checksum;
mod columns;
mod damage;
mod data_files;
mod database;
mod entries;
mod error;
mod forget;
mod identify;
mod identities;
mod identity_record;
mod import_state;
mod known;
mod languages;
mod library;
mod media;
mod menu;
mod meta;
mod migrations;
mod moves;
mod names;
mod ownership;
mod periods;
mod pinned;
mod problems;
mod queries;
mod reader;
mod record;
mod repair;
mod salvage;
mod sections;
mod series;
mod site_list;
mod sitemap;
mod surroundings;
mod translations;
mod values;
mod view_batch;
mod views;
mod window;
mod write_views;

pub use bulk_import::Publishing;
pub use database::{Catalog, FILE};
pub use error::{CatalogError, Result};
pub use identities::RestoredIdentities;
pub use known::Known;
pub use media::{Claim, Referred};
pub use moves::OwnName;
pub use ownership::Owner;
pub use problems::{Listing, Severity};
pub use reader::Reader;
pub use record::Recorded;
pub use salvage::Salvaged;
pub use site_list::{ListedPlace, ListedView, RecordedVersions, SitePart};
pub use surroundings::KnownSurroundings;
pub use views::TOMBSTONE_LIFE;
pub use window::Window;
