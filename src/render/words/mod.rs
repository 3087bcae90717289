//! The program's own words on pages and in feeds. Each language is a data file beside this one; all have the same keys.

mod amounts;
mod data;
mod filling;
mod language;

pub use amounts::{Day, machine_date, machine_duration};
pub use data::{Texts, Words, name_of_language, sources, words_in};
pub use filling::{TextPart, fill, parts};
pub use language::{direction, locale};

#[cfg(test)]
mod tests;
