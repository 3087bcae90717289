//! The migrations of the schema.

/// `user_version` is the number of the last one that was applied; a new file starts with the first. A
/// released migration never changes.
pub(super) const MIGRATIONS: [&str; 7] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
];
