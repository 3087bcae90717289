//! The waist: pure data that ingest makes and serving shows. It uses no other module.

pub mod language;
pub mod text;

pub mod moment;

pub mod digest;
pub mod entry;

pub mod rank;

pub mod section;

pub mod site_page;

pub mod collection;

pub mod period;

pub mod taxonomy;

pub mod natural;
pub mod near;

pub mod library;
