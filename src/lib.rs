//! *gazetted* watches a folder of articles and serves it as RSS 2.0, Atom 1.0 and JSON Feed.
//!
//! # The map
//!
//! An hourglass. **Ingest** turns a folder into entries; **serving** turns entries into bytes. They share one type,
//! [`model::entry::Entry`], and one handle, [`render::snapshot::Current`].
//!
//! ```text
//!         INGEST (blocking, one thread, the only writer)      |      SERVING (async, many tasks, read-only)
//!                                                             |
//!   folder ── watch ──▶ Change ──▶ publish ───────────────────┼──▶ Snapshot ──▶ serve ──▶ HTTP
//!                                  │    ▲                     |                  │
//!                       article ◀──┤    └── feed, page        |                 door (read-only)
//!                       catalog ◀──┘        (render)          |                  │
//!                          ▲                                  |                  │
//!                          └──────────────────────────────────┼──────────────────┘
//! ```
//!
//! # What always holds
//!
//! - An article's id is given once, by `catalog`, and survives edit, rename, move, restart and a change of title.
//! - A snapshot is a pure function of the configuration and the entries: the same entries give the same bytes and ETags.
//! - An event is a hint; what is true is found by reading. A lost hint is made good by looking everywhere.
//! - A file that is half written, broken or a draft never reaches a feed; a folder that is away deletes nothing.
//! - A folder is watched before it is looked into, so that nothing slips in between.
//! - Nothing that readers get shows an article whose text was not read yet: who asks for one waits until it was.
//! - Versions are at least a second apart, so `ETag` and `Last-Modified` always move together.
//! - Nobody waits for whoever reads a log; what is lost by that is counted and told.
//! - `serve` cannot reach a file; what it needs from the disk comes through one read-only door.
//!
//! # The modules, in reading order
//!
//! A module uses only what stands above it; `tests/architecture.rs` keeps that true. The blank lines keep rustfmt from
//! sorting them.

pub mod model;

pub mod change;

pub mod config;

pub mod observe;

pub mod system;

pub mod folder;

pub mod article;

pub mod catalog;

pub mod render;

pub mod publish;

pub mod serve;

pub mod daemon;

pub mod cli;
