//! The problems of published articles. They stay until the file is read again or its article is withdrawn.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};

use super::database::Catalog;
use super::error::Result;
use super::values::{self, bytes, damaged, date, path_of};
use crate::article::Problem;
use crate::catalog::visibility;

/// How serious the problems of a published article are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// All of them are remarks.
    Remark = 0,
    /// Its writer has something to correct.
    Fault = 1,
}

/// Files of one kind: their number, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    pub count: usize,
    pub first: Vec<(PathBuf, T)>,
}

impl Catalog {
    /// Records the problems of the published article at a path. Returns whether they differ from those that were recorded.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn record_problems(&mut self, path: &Path, problems: &[Problem]) -> Result<bool> {
        if problems.is_empty() {
            let sql = "DELETE FROM problem WHERE article = (SELECT number FROM article WHERE path = ?1 AND state < 2)";
            return Ok(self.connection.prepare_cached(sql)?.execute([bytes(path)])? > 0);
        }
        let severity =
            if problems.iter().all(|problem| problem.is_remark) { Severity::Remark } else { Severity::Fault };
        let json = serde_json::to_string(problems).expect("texts and numbers make JSON");
        let sql = "
            INSERT INTO problem (article, is_fault, problems) SELECT number, ?2, ?3 FROM article WHERE path = ?1 AND state < 2
            ON CONFLICT (article) DO UPDATE SET is_fault = excluded.is_fault, problems = excluded.problems
            WHERE problem.problems <> excluded.problems";
        Ok(self.connection.prepare_cached(sql)?.execute(params![bytes(path), severity as i64, json])? > 0)
    }

    /// The problems of the published article at a path.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn problems_of(&self, path: &Path) -> Result<Vec<Problem>> {
        let sql = "SELECT problems FROM problem JOIN article ON number = article WHERE path = ?1 AND state < 2";
        let json: Option<String> =
            self.connection.prepare_cached(sql)?.query_row([bytes(path)], |row| row.get(0)).optional()?;
        json.map_or(Ok(Vec::new()), |json| parse(&json))
    }

    /// Published articles whose problems are of this severity, the newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn flawed(&self, severity: Severity, most: usize) -> Result<Listing<Vec<Problem>>> {
        let sql = "SELECT count(*) FROM problem WHERE is_fault = ?1";
        let count = self.connection.prepare_cached(sql)?.query_row([severity as i64], |row| row.get(0))?;
        let sql = "
            SELECT path, problems FROM problem JOIN article ON number = article WHERE is_fault = ?1
            ORDER BY article DESC LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![severity as i64, limit(most)])?;
        let mut first = Vec::new();
        while let Some(row) = rows.next()? {
            first.push((path_of(row.get(0)?), parse(&row.get::<_, String>(1)?)?));
        }
        Ok(Listing { count: number_of(count)?, first })
    }

    /// Articles that are scheduled at `now`, with the dates on which they appear, the next one first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn scheduled(&self, now: DateTime<Utc>, most: usize) -> Result<Listing<DateTime<Utc>>> {
        self.dated("due", &visibility::waits("?1"), now, most)
    }

    /// Articles that have expired at `now`, with the dates on which they did, in the order of these.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn expired(&self, now: DateTime<Utc>, most: usize) -> Result<Listing<DateTime<Utc>>> {
        self.dated("expires", &visibility::has_expired("?1"), now, most)
    }

    /// Articles that meet a condition on `?1`, a moment, in the order of a column of dates.
    fn dated(&self, column: &str, condition: &str, now: DateTime<Utc>, most: usize) -> Result<Listing<DateTime<Utc>>> {
        let sql = format!("SELECT count(*) FROM article WHERE {condition}");
        let count = self.connection.prepare_cached(&sql)?.query_row([now.timestamp()], |row| row.get(0))?;
        let sql = format!("SELECT path, {column} FROM article WHERE {condition} ORDER BY {column} LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![now.timestamp(), limit(most)])?;
        let mut first = Vec::new();
        while let Some(row) = rows.next()? {
            first.push((path_of(row.get(0)?), date(row.get(1)?)?));
        }
        Ok(Listing { count: number_of(count)?, first })
    }

    /// Forgets the problems of an article that is not published any more.
    pub(super) fn forget_problems(&mut self, number: i64) -> Result<()> {
        self.connection.prepare_cached("DELETE FROM problem WHERE article = ?1")?.execute([number])?;
        Ok(())
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn number_of(count: i64) -> Result<usize> {
    Ok(usize::try_from(values::count(count)?).unwrap_or(usize::MAX))
}

/// Parses recorded problems.
fn parse(json: &str) -> Result<Vec<Problem>> {
    serde_json::from_str(json).or_else(|error| damaged(format!("problems of a file: {error}")))
}

/// Checks the severity and the text of a row.
pub(super) fn check(row: &Row<'_>) -> Result<()> {
    let severity: i64 = row.get(0)?;
    let problems = parse(&row.get::<_, String>(1)?)?;
    let is_fault = problems.iter().any(|problem| !problem.is_remark);
    if problems.is_empty() || severity != i64::from(is_fault) {
        return damaged(format!("problems of severity {severity}"));
    }
    Ok(())
}
