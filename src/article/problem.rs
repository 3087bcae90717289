//! Problems of files, to be reported to their writers.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::text::{path_line, single_line};

/// A problem of a file, to be reported to its writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line in the file, from 1; `None` if it concerns the whole file.
    pub line: Option<usize>,
    /// What is wrong, why it matters and what to do. It may quote the file and so contain any character: pass it through
    /// [`single_line`] before showing it.
    pub message: String,
    /// The article is published, or held back, as its writer wants it, as far as can be known: there is something to know, and nothing that must be done.
    pub is_remark: bool,
    /// A file for the whole folder causes it, so that it is the same for all articles beneath.
    pub is_of_folder: bool,
    /// It concerns what has no lines, such as a folder.
    pub has_no_line: bool,
}

impl Problem {
    /// Makes a problem of a line, counted from 1, or of the whole file.
    pub fn new(line: Option<usize>, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), is_remark: false, is_of_folder: false, has_no_line: false }
    }

    /// Makes a problem of the whole file.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self::new(None, message)
    }

    /// Makes a remark on a line, counted from 1, or on the whole file.
    pub fn intended(line: Option<usize>, message: impl Into<String>) -> Self {
        Self { is_remark: true, ..Self::new(line, message) }
    }

    /// Makes a problem of a folder.
    pub fn of_folder(message: impl Into<String>) -> Self {
        Self { has_no_line: true, ..Self::of_file(message) }
    }

    /// Makes a remark on one line, counted from 1.
    pub fn remark(line: usize, message: impl Into<String>) -> Self {
        Self::intended(Some(line), message)
    }

    /// Returns `file:line: message`, a form that editors and terminals can open. A problem of the whole file is at its first line.
    pub fn in_file(&self, file: &Path) -> String {
        let (file, message) = (path_line(file), single_line(&self.message));
        if self.has_no_line {
            format!("{file}: {message}")
        } else {
            format!("{file}:{}: {message}", self.line.unwrap_or(1))
        }
    }

    /// Makes the problem of a file with the bytes of a published one.
    pub fn same_text(published: &Path) -> Self {
        let published = path_line(published);
        Self::of_file(format!(
            "the same text as {published}, which is published: change this file or delete one of the two"
        ))
    }

    /// Makes the problem of a file with the id of a published one, at the line that states it.
    pub fn same_id(published: &Path, line: Option<usize>) -> Self {
        let published = path_line(published);
        let message = format!(
            "the same id as {published}, which is published: an id belongs to one article; give this one another"
        );
        Self::new(line, message)
    }

    /// Makes the problem of a file that describes an author whom another file describes.
    pub fn same_author(counted: &Path) -> Self {
        let counted = path_line(counted);
        Self::of_file(format!("{counted} describes the same author, and only one of them counts: delete one"))
    }

    /// Makes a problem of one line, counted from 1.
    pub fn at(line: usize, message: impl Into<String>) -> Self {
        Self::new(Some(line), message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{line}: {}", single_line(&self.message)),
            None => f.write_str(&single_line(&self.message)),
        }
    }
}

/// Runs work on one file. A file may have unexpected content that makes the program panic; the panic then becomes a problem of
/// this file, and all other files are still published.
///
/// # Errors
/// The work panicked. Values that it was changing must not be used again.
pub fn panic_as_problem<T>(work: impl FnOnce() -> T) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        Problem::of_file("a fault of the program keeps it from being read: please report it, with this file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_problem_of_one_file() {
        assert_eq!(panic_as_problem(|| 7), Ok(7));
        let problem =
            panic_as_problem(|| "".parse::<u8>().expect("a parser that is wrong about its input")).unwrap_err();
        let line = problem.in_file(Path::new("a.md"));
        assert_eq!(line, "a.md:1: a fault of the program keeps it from being read: please report it, with this file");
    }
}
