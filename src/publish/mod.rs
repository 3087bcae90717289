//! THE SINGLE WRITER: [`Change`](crate::change::Change) -> catalog -> snapshot. It runs on a blocking thread of its own, and passes the time
//! to everything that it calls.

mod build;
mod compressor;
mod ingest;
mod publisher;

pub use publisher::{Publisher, PublisherWiring, adopt};
