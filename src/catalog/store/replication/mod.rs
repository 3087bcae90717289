//! The catalog as a copy of a log that several nodes share.
//!
//! `capture` collects the rows that a transaction changes, `apply` writes the rows of a record, `base` makes and installs copies of the
//! whole catalog, `session` connects a catalog with a log. The log is the truth: a transaction is committed only after its record was
//! created, and what was created but not committed is applied from the log.

mod apply;
mod base;
mod capture;
mod session;
#[cfg(test)]
mod tests;

pub use base::{Joined, join};
pub use session::CaughtUp;
