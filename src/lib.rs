//! *gazetted* watches a folder of articles and serves it as RSS 2.0, Atom 1.0 and JSON Feed.
//!
//! # The map
//!
//! An hourglass. **Ingest** turns a folder into entries; **serving** turns entries into bytes. They share the types of
//! [`model`] and one handle, [`render::snapshot::Current`].
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
//! - An event is a hint; reading the file says what is true. Reconciling repairs a lost hint.
//! - A half-written file, a broken file and a draft never reach a feed. A missing folder deletes nothing.
//! - A folder is watched before it is listed, so no change falls between the two.
//! - No response shows an article before its text has been read; a request for one waits until it has.
//! - Versions are at least a second apart, so `ETag` and `Last-Modified` always change together.
//! - Logging never blocks. Dropped lines are counted and reported.
//! - `serve` cannot open a file. It reads the disk through one read-only door, `render::on_demand`.
//!
//! # Reading the comments
//!
//! "(standards 88)" refers to row 88 of `tests/standards.md`, which states the rule, its source and the test that proves it.
//! "RFC 9110 section 8.8.3" and the like name the source itself.
//!
//! # The modules, in reading order
//!
//! A module uses only modules above it; `tests/architecture.rs` checks that. The blank lines keep rustfmt from sorting them.

/// The types that ingest makes and serving shows: entries, collections, views. Pure data.
pub mod model;

/// The messages that reach the single writer.
pub mod change;

/// The configuration file: parsing, defaults and checks.
pub mod config;

/// What an operator sees: log, metrics, status, heartbeats.
pub mod observe;

/// The host: listening sockets and systemd.
pub mod system;

/// The watched folder: names, walking, media files, and the watch for changes.
pub mod folder;

/// The bytes of one file -> an article and its problems. Pure.
pub mod article;

/// The durable record of what was published. Decides ids, slugs and dates.
pub mod catalog;

/// Entries -> feeds and pages, the snapshot that holds them, and rendering on demand. Pure.
pub mod render;

/// The single writer: changes -> catalog -> snapshot.
pub mod publish;

/// Snapshot -> HTTP responses.
pub mod serve;

/// Starts, supervises, reloads and stops all of the above.
pub mod daemon;

/// The command line: one file for each command.
pub mod cli;
