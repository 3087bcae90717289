//! Problems of files, to be reported to their writers.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::model::text::{path_line, single_line};

/// A problem of a file, to be reported to its writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1; `None` if it concerns the whole file.
    pub line: Option<usize>,
    /// What is wrong, why it matters and what to do. It may quote the file and so contain any character: pass it through
    /// [`single_line`] before showing it.
    pub message: String,
    /// The article is published as its writer wants it, as far as can be known: there is something to know, and nothing that must be done.
    pub is_remark: bool,
    /// A file for the whole folder causes it, so that it is the same for all articles beneath.
    pub is_of_folder: bool,
}

impl Problem {
    /// Makes a problem of a line, counted from 1, or of the whole file.
    pub fn new(line: Option<usize>, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), is_remark: false, is_of_folder: false }
    }

    /// Makes a problem of the whole file.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self::new(None, message)
    }

    /// Makes a remark on one line, counted from 1.
    pub fn remark(line: usize, message: impl Into<String>) -> Self {
        Self { is_remark: true, ..Self::at(line, message) }
    }

    /// Returns `file:line: message`, a form that editors and terminals can open.
    pub fn in_file(&self, file: &Path) -> String {
        let (file, message) = (path_line(file), single_line(&self.message));
        match self.line {
            Some(line) => format!("{file}:{line}: {message}"),
            None => format!("{file}: {message}"),
        }
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
        assert_eq!(line, "a.md: a fault of the program keeps it from being read: please report it, with this file");
    }
}
