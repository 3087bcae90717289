//! One row of a damaged catalog. Wrong values are replaced by values that the article file or other rows will correct.

use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};

use super::check::Latest;
use super::media::Claim;
use super::ownership::CONTINUES;
use super::values::{self, article_path, date};
use crate::catalog::visibility::PageState;
use crate::model::entry::Slug;
use crate::model::text::{is_iri, xml_legal};

/// The replacement of a wrong hash; no file has it.
const NO_HASH: [u8; 32] = [0; 32];

/// The temporary replacement of a wrong path or slug.
const LOST: &str = "lost";

/// The values of a row by column. Texts that are not UTF-8 are blobs.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    pub names: Vec<String>,
    pub values: Vec<Value>,
    /// Number of replaced values.
    pub repairs: usize,
}

impl Cells {
    pub fn read(names: &[String], row: &Row<'_>) -> rusqlite::Result<Self> {
        let value = |value: ValueRef<'_>| match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => Value::Blob(bytes.to_vec()),
            },
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        };
        let values = (0..names.len()).map(|column| row.get_ref(column).map(value)).collect::<rusqlite::Result<_>>()?;
        Ok(Self { names: names.to_vec(), values, repairs: 0 })
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.names.iter().position(|column| column == name).map(|column| &self.values[column])
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        if let Some(Value::Integer(number)) = self.get(name) { Some(*number) } else { None }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.get(name) { Some(text) } else { None }
    }

    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(column) = self.names.iter().position(|column| column == name) {
            self.values[column] = value.into();
        }
    }

    /// Replaces a value unless it is valid, and returns whether it was. Columns that an older file does not have are valid.
    fn repair(&mut self, name: &str, replacement: impl Into<Value>, is_valid: impl Fn(&Value) -> bool) -> bool {
        let is_valid = self.get(name).is_none_or(is_valid);
        if !is_valid {
            self.set(name, replacement);
            self.repairs += 1;
        }
        is_valid
    }

    fn repair_integer(&mut self, name: &str, replacement: impl Into<Value>, is_valid: impl Fn(i64) -> bool) -> bool {
        self.repair(name, replacement, |value| matches!(value, Value::Integer(number) if is_valid(*number)))
    }

    fn repair_text(&mut self, name: &str, replacement: impl Into<Value>, is_valid: impl Fn(&str) -> bool) -> bool {
        self.repair(name, replacement, |value| matches!(value, Value::Text(text) if is_valid(text)))
    }

    /// Replaces an invalid value of an optional column by NULL.
    fn repair_optional(&mut self, name: &str, is_valid: impl Fn(&Value) -> bool) -> bool {
        self.repair(name, Value::Null, |value| matches!(value, Value::Null) || is_valid(value))
    }

    /// Repairs a row of `view`. Its members and its cutoff are computed again.
    pub fn repair_view(&mut self, latest: Latest, version: i64) {
        self.set("members", 0);
        self.set("recordings", 0);
        self.set("floor", i64::MIN);
        let key = self.text("key").unwrap_or_default().to_owned();
        self.repair_text("name", key, |name| xml_legal(name) == name);
        self.repair_integer("revised", version, |seconds| latest.clock(seconds).is_ok());
        self.repair_integer("latest", 0, |seconds| latest.clock(seconds).is_ok());
        self.repair_integer("pinned", version, |seconds| latest.clock(seconds).is_ok());
        self.repair_optional("guid", |guid| matches!(guid, Value::Text(guid) if guid.parse::<uuid::Uuid>().is_ok()));
    }

    /// Repairs a row of `adopted`; `has_article` says whether an article exists.
    pub fn repair_adopted(&mut self, has_article: impl Fn(i64) -> bool) {
        self.repair_optional("guid", |guid| matches!(guid, Value::Text(guid) if xml_legal(guid) == *guid));
        for column in ["link", "stem", "title"] {
            self.repair_optional(column, |text| matches!(text, Value::Text(_)));
        }
        for column in ["published", "updated"] {
            self.repair_optional(
                column,
                |date| matches!(date, Value::Integer(seconds) if self::date(*seconds).is_ok()),
            );
        }
        self.repair_optional("article", |number| matches!(number, Value::Integer(number) if has_article(*number)));
    }

    /// Repairs a row of `media`. The version of the file is set when the article is read again.
    pub fn repair_media(&mut self) {
        self.repair_integer("stamp", 0, |_| true);
        self.repair_integer("claim", 0, |claim| (0..=Claim::Owns as i64).contains(&claim));
    }

    /// Repairs a row of `article`. If it is not certain that the article is visible, it is withdrawn until its file has been read. Returns
    /// the names of lost columns, which other rows may restore.
    pub fn repair_article(&mut self, latest: Latest, version: i64) -> Vec<&'static str> {
        self.repair_dates(latest, version);
        self.repair_visibility();
        self.repair_file();
        for column in ["weight", "brief"] {
            self.repair_integer(column, 0, |bytes| values::weight(bytes).is_ok());
        }
        // It follows from the path and the content.
        self.repair("rank", Vec::new(), |rank| matches!(rank, Value::Blob(_)));
        self.repair_integer("episode", 0, |mark| (0..=CONTINUES).contains(&mark));
        // Reading the file restores it.
        self.repair_integer("pinned", 0, |pinned| u32::try_from(pinned).is_ok());
        self.repair_integer("page", 0, |page| PageState::from_number(page).is_some());
        self.repair_optional("archive", |number| matches!(number, Value::Integer(1..=0xFFFF_FFFF)));
        let is_valid = [
            ("number", self.repair_integer("number", Value::Null, |number| number > 0)),
            ("id", self.repair_text("id", Value::Null, is_iri)),
            ("slug", self.repair_text("slug", LOST.to_owned(), |slug| Slug::new(slug).is_some())),
            (
                "guid",
                self.repair_optional("guid", |guid| matches!(guid, Value::Text(guid) if xml_legal(guid) == *guid)),
            ),
        ];
        is_valid.into_iter().filter(|(_, is_valid)| !is_valid).map(|(name, _)| name).collect()
    }

    fn repair_dates(&mut self, latest: Latest, version: i64) {
        let is_past = |seconds: i64| latest.clock(seconds).is_ok();
        self.repair_integer("revised", version, is_past);
        let revised = self.integer("revised").unwrap_or(version);
        self.repair_integer("headline", revised, is_past);
        self.repair_integer("around", revised, is_past);
        let right = |cells: &Self, name| cells.integer(name).filter(|seconds| date(*seconds).is_ok());
        let updated = right(self, "updated")
            .filter(|seconds| *seconds < 0 || is_past(*seconds) || right(self, "published") == Some(*seconds));
        // A publication date after the last change is wrong, unless the file states it; then reading the file restores it.
        let published = right(self, "published")
            .filter(|published| updated.is_none_or(|updated| updated >= *published) || is_past(*published));
        let published = published.or(updated).unwrap_or(revised);
        let updated = updated.filter(|updated| *updated >= published).unwrap_or(published);
        self.repair_integer("published", published, |seconds| seconds == published);
        self.repair_integer("updated", updated, |seconds| seconds == updated);
    }

    fn repair_visibility(&mut self) {
        let is_date = |seconds: i64| seconds >= 0 && date(seconds).is_ok();
        let state = self.integer("state").filter(|state| (0..=2).contains(state));
        let is_certain = [
            self.repair_integer("state", 1, |state| (0..=2).contains(&state)),
            self.repair_integer("shown", 0, |shown| (0..=1).contains(&shown)),
            self.repair_integer("due", 0, is_date),
            self.repair_integer("held_until", 0, is_date),
            self.repair_optional("expires", |date| matches!(date, Value::Integer(seconds) if is_date(*seconds))),
        ];
        if is_certain.contains(&false) && state != Some(2) {
            self.hold();
        }
    }

    /// Withdraws the article until its file has been read.
    fn hold(&mut self) {
        self.set("state", 1);
        self.set("shown", 0);
    }

    /// Repairs the columns of the file. An article without a path is recognised by the bytes of its file.
    fn repair_file(&mut self) {
        if let Some(path) = self.text("path").map(str::to_owned) {
            self.set("path", path.into_bytes());
        }
        if !self.repair(
            "path",
            LOST.as_bytes().to_vec(),
            |path| matches!(path, Value::Blob(path) if article_path(path.clone()).is_ok()),
        ) {
            self.give_up_path();
        }
        for column in ["file_hash", "entry_hash"] {
            self.repair(
                column,
                NO_HASH.to_vec(),
                |hash| matches!(hash, Value::Blob(hash) if hash.len() == NO_HASH.len()),
            );
        }
        for column in ["inode", "born"] {
            self.repair_integer(column, 0, |_| true);
        }
        for column in ["size", "mtime", "ctime"] {
            self.set(column, 0);
        }
        if self.integer("stale") != Some(values::LOST) {
            self.set("stale", 0);
        }
    }

    /// Marks the article as deleted, because its path is lost or belongs to another article.
    pub fn give_up_path(&mut self) {
        self.set("state", 2);
        self.set("shown", 0);
    }
}
