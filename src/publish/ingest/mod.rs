//! Change -> catalog.
//!
//! There are three kinds of files, each of which uses only those before it:
//! - parts, which own state in a struct with private fields: `schedule` (when files are processed), `fences`, `remembered_renames`, `deletions`,
//!   `derivation` (whether a power cut could change the result), `scan`, `backlog` (texts still to be read), `recordings`, `problems`,
//!   `sections`, `bios`, `data_files`, `languages`, `transcripts`; `read_pool`, which reads files on other cores, and `reading_supervisor`, which runs the
//!   parsers
//! - `conductor`: [`Ingest`], which owns all parts and calls the actions in the order of hints and deadlines
//! - actions, which add methods to [`Ingest`]: `reading` (one file -> catalog), `content` (an article -> its served content),
//!   `rename_detection`, `deleting`, `reconciling` (the whole folder), `reading_backlog`, `references`, `describing`, `folder_data` and `folder_language`
//!   (files for a whole folder), `describing_authors`, `beside` and `ownership` (recordings)

mod backlog;
mod beside;
mod bios;
mod conductor;
mod content;
mod data_files;
mod deleting;
mod deletions;
mod derivation;
mod describing;
mod describing_authors;
mod fences;
mod folder_data;
mod folder_language;
mod languages;
mod mounting;
mod mounts;
mod named_media;
mod ownership;
mod places;
mod problems;
mod read_pool;
mod reading;
mod reading_backlog;
mod reading_supervisor;
mod reconciling;
mod recordings;
mod references;
mod remembered_renames;
mod rename_detection;
mod scan;
mod schedule;
mod sections;
mod step;
mod transcripts;

pub use conductor::Ingest;
pub use step::{Queue, WriteMoment};
