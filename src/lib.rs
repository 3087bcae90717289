//! *gazetted* watches a folder of articles and serves it as RSS 2.0, Atom 1.0 and JSON Feed.
//!
//! # The map
//!
//! The program has the shape of an hourglass. **Ingest** turns a folder into entries; **serving** turns entries into bytes. They
//! share the types of [`model`] and one handle, [`render::snapshot::Current`].
//!
//! ```text
//!         INGEST (blocking, one thread, the only writer)      |      SERVING (async, many tasks, read-only)
//!                                                             |
//!   folder ── watch ──▶ Change ──▶ publish ───────────────────┼──▶ Snapshot ──▶ serve ──▶ HTTP
//!                                  │    ▲                     |                  │
//!                       article ◀──┤    └── render            |                 render::on_demand (read-only)
//!                       catalog ◀──┘                          |                  │
//!                          ▲                                  |                  │
//!                          └──────────────────────────────────┼──────────────────┘
//! ```
//!
//! # Invariants
//!
//! - The catalog gives an article its id once. The id survives edit, rename, move, restart and a change of title.
//! - A snapshot is a pure function of the configuration and the entries: the same entries give the same bytes and ETags.
//! - An event is only a hint where to look; the content of the file decides. Reconciling makes up for lost hints.
//! - Half-written files, broken files and drafts never reach a feed. If the folder goes missing, nothing is deleted.
//! - A folder is watched before it is listed, so no change is missed.
//! - No response shows an article before its text has been read; a request for one waits until it has.
//! - Versions are at least a second apart, so `ETag` and `Last-Modified` always change together.
//! - Logging never blocks. Dropped lines are counted and reported.
//! - `serve` opens no files. Its only access to the disk is read-only, through `render::on_demand`.
//!
//! # Reading the comments
//!
//! "(standards 88)" refers to row 88 of `tests/standards.md`, which states the rule, its source and the test that proves it.
//! A reference such as "RFC 9110 section 8.8.3" cites the source directly.
//!
//! # The modules, in reading order
//!
//! A module uses only modules above it; `tests/architecture.rs` checks that. The blank lines between the declarations keep rustfmt
//! from sorting them.
//!
//! - [`model`]: the types that ingest produces and serving presents: entries, collections, views. Pure data.
//! - [`change`]: the messages that reach the single writer.
//! - [`config`]: the configuration file: parsing, defaults and checks.
//! - [`observe`]: the operator's view: log, metrics, status, heartbeats.
//! - [`system`]: the host: listening sockets, systemd, threads for work that blocks, and the journal of files that end the process.
//! - [`replicas`]: the numbered log that the nodes of a site share, and the engines that can store it.
//! - [`folder`]: the watched folder: names, walking, media files, and the watch for changes.
//! - [`article`]: the bytes of one file -> an article and its problems. Pure.
//! - [`moving`]: feeds and exports of other publishers -> entries, and files of posts. Pure.
//! - [`site`]: the settings of the site, and the files that they name.
//! - [`catalog`]: the durable record of published articles. Assigns ids, slugs and dates.
//! - [`render`]: entries -> feeds and pages, the snapshot that holds them, and rendering on demand. Pure.
//! - [`publish`]: the single writer: changes -> catalog -> snapshot.
//! - [`serve`]: snapshot -> HTTP responses.
//! - [`export`]: catalog -> a copy of the whole site as files.
//! - [`daemon`]: starts, supervises, reloads and stops all of the above.
//! - [`cli`]: the command line: one file for each command.

pub mod model;

pub mod change;

pub mod config;

pub mod observe;

pub mod system;

pub mod replicas;

pub mod folder;

pub mod article;

pub mod moving;

pub mod site;

pub mod catalog;

pub mod render;

pub mod publish;

pub mod serve;

pub mod export;

pub mod daemon;

pub mod cli;
