//! What a record of the log says, and its bytes.
//!
//! A record holds rows as they are after a transaction, not the statements that made them: applying it twice is the same as applying
//! it once. SQLite's session extension could make such records, but needs libclang when the program is built.

use std::io::Read as _;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::log::{LogError, LogResult};

/// Start of each record: the name and version of its form.
const FORM: &[u8] = b"gazetted record 1\n";

/// Largest size of an uncompressed record, in bytes.
pub const MAX_SIZE: usize = 256 << 20;

/// Length of the checksum at the end.
const CHECKSUM: usize = blake3::OUT_LEN;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LogValue {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The changed rows of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableRows {
    /// The name of the table.
    pub table: String,
    /// The names of its replicated columns.
    pub columns: Vec<String>,
    /// The primary keys of the rows that are no longer there.
    pub removed: Vec<Vec<LogValue>>,
    /// The rows as they are now, in the order of `columns`.
    pub rows: Vec<Vec<LogValue>>,
}

/// What a record changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RecordBody {
    /// Rows of the catalog.
    Rows(Vec<TableRows>),
    /// The whole catalog: the copy that the log has with this number.
    Base,
}

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// Which log it belongs to.
    pub lineage: Uuid,
    /// The hash of the record before it; zero for the first.
    pub previous: [u8; 32],
    /// The node that created it.
    pub node: String,
    /// A different one for each record, so that a node recognises its own.
    pub nonce: Uuid,
    /// The schema of the catalog.
    pub schema: u32,
    /// Determines which bytes are made from the rows: templates, and the keys of the configuration that documents depend on.
    pub rendering: [u8; 32],
    /// The changes.
    pub body: RecordBody,
}

/// The hash of a record's bytes.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

impl LogRecord {
    /// The bytes of the record: form, compressed content, checksum.
    ///
    /// # Errors
    /// It is too large.
    pub fn to_bytes(&self) -> LogResult<Vec<u8>> {
        let content = postcard::to_stdvec(self).map_err(|error| LogError(error.to_string()))?;
        if content.len() > MAX_SIZE {
            return Err(LogError(format!("a record of {} bytes is too large", content.len())));
        }
        let compressed = zstd::bulk::compress(&content, 1).map_err(|error| LogError(error.to_string()))?;
        let mut bytes = [FORM, &compressed].concat();
        let checksum = hash(&bytes);
        bytes.extend(checksum);
        Ok(bytes)
    }

    /// Reads the bytes of a record.
    ///
    /// # Errors
    /// They were changed, or were written by a newer program.
    pub fn from_bytes(bytes: &[u8]) -> LogResult<Self> {
        let wrong = |why: &str| LogError(format!("a record cannot be read: {why}"));
        let split = bytes.len().checked_sub(CHECKSUM).ok_or_else(|| wrong("it is too short"))?;
        let (signed, checksum) = bytes.split_at(split);
        let Some(compressed) = signed.strip_prefix(FORM) else {
            return Err(wrong("its form is not known; a newer program may have written it"));
        };
        if hash(signed) != checksum {
            return Err(wrong("its checksum differs"));
        }
        let mut content = Vec::new();
        let decoder = zstd::Decoder::new(compressed).map_err(|error| wrong(&error.to_string()))?;
        let limit = u64::try_from(MAX_SIZE).unwrap_or(u64::MAX);
        decoder.take(limit).read_to_end(&mut content).map_err(|error| wrong(&error.to_string()))?;
        postcard::from_bytes(&content).map_err(|error| wrong(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> LogRecord {
        let values = vec![
            LogValue::Null,
            LogValue::Integer(-1),
            LogValue::Real(0.5),
            LogValue::Text("ü".to_owned()),
            LogValue::Blob(vec![0, 255]),
        ];
        LogRecord {
            lineage: Uuid::from_u128(1),
            previous: [2; 32],
            node: "one".to_owned(),
            nonce: Uuid::from_u128(3),
            schema: 14,
            rendering: [4; 32],
            body: RecordBody::Rows(vec![TableRows {
                table: "meta".to_owned(),
                columns: vec!["key".to_owned()],
                removed: vec![vec![LogValue::Text("x".to_owned())]],
                rows: vec![values],
            }]),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = record();
        assert_eq!(LogRecord::from_bytes(&record.to_bytes().unwrap()).unwrap(), record);
        let base = LogRecord { body: RecordBody::Base, ..record };
        assert_eq!(LogRecord::from_bytes(&base.to_bytes().unwrap()).unwrap(), base);
    }

    #[test]
    fn a_changed_or_shortened_record_is_refused() {
        let bytes = record().to_bytes().unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(LogRecord::from_bytes(&changed).is_err(), "byte {index}");
            assert!(LogRecord::from_bytes(&bytes[..index]).is_err(), "cut at {index}");
        }
        let newer = LogRecord::from_bytes(&[b"gazetted record 2\n".as_slice(), &bytes[FORM.len()..]].concat());
        assert!(newer.unwrap_err().0.contains("newer program"));
    }
}
