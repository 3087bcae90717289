//! The log in a PostgreSQL database, or in one that speaks its protocol.
//!
//! A record is a row; its number is the primary key, so that the database refuses the second one. A trimmed record is an empty row, so that
//! its number is not used again. A copy of the catalog is stored in parts, and becomes visible with a row of its own.
//!
//! The client library is asynchronous, and is driven by the calling thread: the synchronous one over it can wait without end for a server
//! that has stopped.

mod address;
mod encryption;
mod errors;
mod session;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use self::address::PostgresAddress;
use self::errors::{describe, is_lost};
use self::session::{Session, channel_name};
use super::log::{Appended, LogError, LogResult, ReplicaLog, refuse_empty};
use super::memory::file_error;

/// Time in which the server must answer a statement. More is allowed for what is large: a second for each MiB.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Time in which a connection must be ready: for one address of the server, and for the tables.
const SESSION_TIMEOUT: Duration = Duration::from_secs(8);

/// Size of the parts in which what is large is stored and fetched, in bytes.
const PART: usize = 1 << 20;

/// How often the table is looked at while a record is awaited: notifications can be lost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Records that one statement trims.
const TRIM_BATCH: i64 = 500;

/// The result of statements.
type StatementResult<T> = Result<T, tokio_postgres::Error>;

/// The log in a database.
pub struct PostgresLog {
    address: PostgresAddress,
    runtime: Option<Runtime>,
    session: Option<Session>,
}

impl PostgresLog {
    /// Opens the log at `address`. The server is reached when it is first used.
    ///
    /// # Errors
    /// The address is wrong.
    pub fn new(address: &str) -> LogResult<Self> {
        let runtime = crate::system::threads::runtime().map_err(|error| LogError(error.to_string()))?;
        Ok(Self { address: PostgresAddress::parse(address)?, runtime: Some(runtime), session: None })
    }

    fn error(&self, why: &str) -> LogError {
        LogError(format!("{}: {why}", self.address.place))
    }

    /// Runs something on this thread until it ends or the time is over.
    fn block_on<T>(&self, bound: Duration, work: impl Future<Output = T>) -> LogResult<T> {
        let runtime = self.runtime.as_ref().ok_or_else(|| self.error("the log is closed"))?;
        // The timeout needs the runtime when it is made.
        let result = runtime.block_on(async { timeout(bound, work).await });
        result.map_err(|_| self.error(&format!("no answer within {} seconds", bound.as_secs())))
    }

    /// Runs statements on a connection. A refusal of the server is a result.
    fn run<T>(
        &mut self,
        size: usize,
        work: &impl AsyncFn(&Session) -> StatementResult<T>,
    ) -> LogResult<StatementResult<T>> {
        let bound = ANSWER_TIMEOUT + Duration::from_secs(u64::try_from(size / PART).unwrap_or(u64::MAX));
        let mut is_reused = true;
        loop {
            let session = if let Some(session) = self.session.take() {
                session
            } else {
                is_reused = false;
                let opened = self.block_on(SESSION_TIMEOUT, Session::open(&self.address))?;
                opened.map_err(|error| self.error(&describe(&error)))?
            };
            // After a timeout the session is dropped: its next answer would be that of this statement.
            let answer = self.block_on(bound, work(&session))?;
            match answer {
                // The server has closed the connection since it was last used. If the statements took effect nevertheless, they find that.
                Err(error) if is_lost(&error) && is_reused => {}
                Err(error) if is_lost(&error) => return Err(self.error(&describe(&error))),
                answer => {
                    self.session = Some(session);
                    return Ok(answer);
                }
            }
        }
    }

    /// Runs statements that the server has no reason to refuse.
    fn must_run<T>(&mut self, size: usize, work: &impl AsyncFn(&Session) -> StatementResult<T>) -> LogResult<T> {
        self.run(size, work)?.map_err(|error| self.error(&describe(&error)))
    }

    /// The length of a record, and a part of it from the byte `start`, counted from 0.
    fn read_part(&mut self, number: i64, start: usize) -> LogResult<Option<(usize, Vec<u8>)>> {
        let sql = format!(
            "SELECT octet_length(record)::bigint, substr(record, $2, $3) FROM {}_records\" WHERE number = $1",
            self.address.tables
        );
        let start = i32::try_from(start + 1).map_err(|_| self.error("a record is too large"))?;
        let size = i32::try_from(PART).unwrap_or(i32::MAX);
        let row = self.must_run(0, &async |session| {
            let values = [(&number as _, Type::INT8), (&start as _, Type::INT4), (&size as _, Type::INT4)];
            let row = session.client.query_typed_opt(&sql, &values).await?;
            row.map(|row| Ok((row.try_get::<_, i64>(0)?, row.try_get(1)?))).transpose()
        })?;
        Ok(row.map(|(length, part)| (usize::try_from(length).unwrap_or_default(), part)))
    }

    /// Who has written the copy of the catalog with this number, and in how many parts.
    fn base(&mut self, number: i64) -> LogResult<Option<(String, i64)>> {
        let sql = format!("SELECT writer, parts FROM {}_bases\" WHERE number = $1", self.address.tables);
        self.must_run(0, &async |session| {
            let row = session.client.query_typed_opt(&sql, &[(&number as _, Type::INT8)]).await?;
            row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
        })
    }

    /// Stores the parts of a file. Returns their number.
    fn write_parts(&mut self, number: i64, writer: &str, file: &Path) -> LogResult<i64> {
        let sql = format!(
            "INSERT INTO {}_parts\" (number, writer, part, bytes) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            self.address.tables
        );
        let source = File::open(file).map_err(|error| file_error(file, &error))?;
        let mut part: i64 = 0;
        loop {
            let mut bytes = Vec::with_capacity(PART);
            let limit = u64::try_from(PART).unwrap_or(u64::MAX);
            (&source).take(limit).read_to_end(&mut bytes).map_err(|error| file_error(file, &error))?;
            if bytes.is_empty() {
                return Ok(part);
            }
            self.must_run(bytes.len(), &async |session| {
                let values = [
                    (&number as _, Type::INT8),
                    (&writer as _, Type::TEXT),
                    (&part as _, Type::INT8),
                    (&bytes as _, Type::BYTEA),
                ];
                session.client.execute_typed(&sql, &values).await
            })?;
            part += 1;
        }
    }

    fn remove_parts(&mut self, number: i64, writer: &str) -> LogResult<()> {
        let sql = format!("DELETE FROM {}_parts\" WHERE number = $1 AND writer = $2", self.address.tables);
        let removed = self.must_run(0, &async |session| {
            session.client.execute_typed(&sql, &[(&number as _, Type::INT8), (&writer as _, Type::TEXT)]).await
        });
        removed.map(|_| ())
    }

    /// Removes the copies of the catalog that are older, and parts of copies that were not finished.
    fn trim_bases(&mut self, number: i64) -> LogResult<()> {
        let tables = self.address.tables.clone();
        let remove = format!("DELETE FROM {tables}_bases\" WHERE number < $1 RETURNING number, writer");
        let removed = self.must_run(0, &async |session| {
            let rows = session.client.query_typed(&remove, &[(&number as _, Type::INT8)]).await?;
            rows.iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
                .collect::<StatementResult<Vec<(i64, String)>>>()
        })?;
        for (base, writer) in removed {
            self.remove_parts(base, &writer)?;
        }
        let abandoned = format!(
            "DELETE FROM {tables}_parts\" WHERE created < now() - interval '1 hour'
             AND NOT EXISTS (SELECT 1 FROM {tables}_bases\" AS base
                WHERE base.number = {tables}_parts\".number AND base.writer = {tables}_parts\".writer)"
        );
        self.must_run(0, &async |session| session.client.execute_typed(&abandoned, &[]).await).map(|_| ())
    }

    fn has(&mut self, number: i64) -> LogResult<bool> {
        let sql = format!("SELECT 1 FROM {}_records\" WHERE number = $1", self.address.tables);
        let row = self
            .must_run(0, &async |session| session.client.query_typed_opt(&sql, &[(&number as _, Type::INT8)]).await)?;
        Ok(row.is_some())
    }

    /// The highest number that was announced on the connection.
    fn announced(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| *session.announced.borrow())
    }

    /// Waits for an announcement of `number` or a later one that is higher than `known`, at most for `pause`.
    fn listen(&mut self, number: u64, known: u64, pause: Duration) -> LogResult<()> {
        let session = self.session.as_ref().filter(|session| session.notifies);
        let Some(mut announced) = session.map(|session| session.announced.clone()) else {
            std::thread::sleep(pause);
            return Ok(());
        };
        let is_new = |highest: &u64| *highest >= number && *highest > known;
        let heard = async { timeout(pause, announced.wait_for(is_new)).await.map(|heard| heard.is_ok()) };
        if self.block_on(pause + ANSWER_TIMEOUT, heard)? == Ok(false) {
            // The connection has ended.
            self.session = None;
        }
        Ok(())
    }
}

/// A number as SQL has it.
fn integer(number: u64) -> LogResult<i64> {
    i64::try_from(number).map_err(|_| LogError(format!("{number} is too large")))
}

impl std::fmt::Debug for PostgresLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresLog").field("place", &self.address.place).finish_non_exhaustive()
    }
}

impl Drop for PostgresLog {
    fn drop(&mut self) {
        self.session = None;
        if let Some(runtime) = self.runtime.take() {
            // A look-up of a name may still block.
            runtime.shutdown_background();
        }
    }
}

impl ReplicaLog for PostgresLog {
    fn append(&mut self, number: u64, record: &[u8]) -> LogResult<Appended> {
        refuse_empty(record)?;
        let number = integer(number)?;
        let insert = format!("INSERT INTO {}_records\" (number, record) VALUES ($1, $2)", self.address.tables);
        // One statement is one transaction: one sync of the disk, one answer.
        let announce = format!(
            "WITH created AS ({insert} RETURNING number) SELECT pg_notify('{}', number::text)::text FROM created",
            channel_name(&self.address.tables)
        );
        let answer = self.run(record.len(), &async |session| {
            let sql = if session.notifies { &announce } else { &insert };
            session.client.execute_typed(sql, &[(&number as _, Type::INT8), (&record as _, Type::BYTEA)]).await
        })?;
        match answer {
            Ok(_) => Ok(Appended::Created),
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(Appended::Exists),
            Err(error) => Err(self.error(&describe(&error))),
        }
    }

    fn read(&mut self, number: u64) -> LogResult<Option<Vec<u8>>> {
        let number = integer(number)?;
        let Some((length, mut record)) = self.read_part(number, 0)? else { return Ok(None) };
        while record.len() < length {
            match self.read_part(number, record.len())? {
                Some((same, part)) if same == length && !part.is_empty() => record.extend(part),
                // It was trimmed meanwhile.
                _ => return Ok(None),
            }
        }
        Ok(Some(record).filter(|record| !record.is_empty()))
    }

    fn write_base(&mut self, number: u64, file: &Path) -> LogResult<()> {
        let (number, writer) = (integer(number)?, Uuid::new_v4().to_string());
        if self.base(number)?.is_some() {
            return Ok(());
        }
        let parts = self.write_parts(number, &writer, file)?;
        let tables = &self.address.tables;
        let sql = format!(
            "INSERT INTO {tables}_bases\" (number, writer, parts) SELECT $1, $2, $3
             WHERE (SELECT count(*) FROM {tables}_parts\" WHERE number = $1 AND writer = $2) = $3"
        );
        let answer = self.run(0, &async |session| {
            let values = [(&number as _, Type::INT8), (&writer as _, Type::TEXT), (&parts as _, Type::INT8)];
            session.client.execute_typed(&sql, &values).await
        })?;
        match answer {
            Ok(1) => Ok(()),
            Ok(_) => Err(self.error("parts of a copy of the catalog were removed before it was complete")),
            // Another node was faster; or this one, if the answer was lost.
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                if self.base(number)?.is_some_and(|(stored, _)| stored != writer) {
                    self.remove_parts(number, &writer)?;
                }
                Ok(())
            }
            Err(error) => Err(self.error(&describe(&error))),
        }
    }

    fn newest_base(&mut self) -> LogResult<Option<u64>> {
        let sql = format!("SELECT max(number) FROM {}_bases\"", self.address.tables);
        let newest: Option<i64> =
            self.must_run(0, &async |session| session.client.query_typed_one(&sql, &[]).await?.try_get(0))?;
        Ok(newest.and_then(|number| u64::try_from(number).ok()))
    }

    fn read_base(&mut self, number: u64, file: &Path) -> LogResult<bool> {
        let number = integer(number)?;
        let Some((writer, parts)) = self.base(number)? else { return Ok(false) };
        let sql = format!(
            "SELECT bytes FROM {}_parts\" WHERE number = $1 AND writer = $2 AND part = $3",
            self.address.tables
        );
        let mut target = File::create(file).map_err(|error| file_error(file, &error))?;
        for part in 0..parts {
            let bytes: Option<Vec<u8>> = self.must_run(PART, &async |session| {
                let values = [(&number as _, Type::INT8), (&writer as _, Type::TEXT), (&part as _, Type::INT8)];
                session.client.query_typed_opt(&sql, &values).await?.map(|row| row.try_get(0)).transpose()
            })?;
            // It was trimmed meanwhile.
            let Some(bytes) = bytes else { return Ok(false) };
            target.write_all(&bytes).map_err(|error| file_error(file, &error))?;
        }
        Ok(true)
    }

    fn trim(&mut self, number: u64) -> LogResult<()> {
        let number = integer(number)?;
        let records = format!("{}_records\"", self.address.tables);
        let sql = format!(
            "UPDATE {records} SET record = '' WHERE number IN
             (SELECT number FROM {records} WHERE number <= $1 AND octet_length(record) > 0 ORDER BY number LIMIT $2)"
        );
        while 0 < self.must_run(PART, &async |session| {
            session.client.execute_typed(&sql, &[(&number as _, Type::INT8), (&TRIM_BATCH as _, Type::INT8)]).await
        })? {}
        self.trim_bases(number)
    }

    fn wait(&mut self, number: u64, timeout: Duration) -> LogResult<()> {
        let until = Instant::now() + timeout;
        let row = integer(number)?;
        while Instant::now() < until {
            // What is announced later is not missed. What was announced may be of another log, if two have tables of one name.
            let known = self.announced();
            if self.has(row)? {
                break;
            }
            self.listen(number, known, until.saturating_duration_since(Instant::now()).min(POLL_INTERVAL))?;
        }
        Ok(())
    }

    fn place(&self) -> String {
        self.address.place.clone()
    }
}
