//! Entries -> documents: feeds, pages, and the snapshot that holds them.

pub mod words;

pub mod feed;

pub mod page;

pub mod digest;

pub mod sitemap;

mod markdown;

pub mod plain;

pub mod crawlers;

pub mod compression;

pub mod snapshot;

pub mod on_demand;
