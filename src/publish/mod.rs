//! The single writer: [`Change`](crate::change::Change) -> catalog -> snapshot. Runs on its own blocking thread; the functions that it
//! calls get the current time as an argument.

mod build;
mod compressor;
mod ingest;
mod publisher;

pub use publisher::{Ending, Publisher, PublisherWiring, adopt};
