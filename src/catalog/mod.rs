//! The durable record of all published articles, in one SQLite file. Ids and timestamps are decided here and nowhere else.
//!
//! The rules are pure and know no rows: `identity` (which article a file is), `imports` (which entry of another publisher's feed
//! it was), `names` (which article a link means), `ownership` (which entry a recording and its article share), `visibility` (which articles are visible). `store` reads and writes the rows.
//!
//! `identity_log` is a second record of the identities, in a file that outlives the catalog.
//!
//! There is one writer ([`Catalog`]) and any number of readers ([`Reader`]). All changes of a [`Catalog::transaction`] are durable
//! once it returns: the file survives a power cut.

mod identity;
mod identity_log;
mod imports;
pub mod names;
mod ownership;
mod store;
mod visibility;

pub use identity::{Arrival, Decision, Extent, Identity};
pub use identity_log::{IDENTITIES, logged_namespace};
pub use names::{is_reference, may_be_article, reference, references_of};
pub use store::{
    Catalog, CatalogError, CaughtUp, Claim, FILE, Joined, Known, KnownSurroundings, ListedPlace, ListedView, Listing,
    OwnName, Owner, Publishing, Reader, Recorded, RecordedVersions, Referred, RestoredIdentities, Result, Salvaged,
    Severity, SitePart, TOMBSTONE_LIFE, Window, join,
};
