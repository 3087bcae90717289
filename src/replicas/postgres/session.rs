//! A connection to PostgreSQL, made ready for the log.

use std::future::poll_fn;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Connection};

use super::address::PostgresAddress;
use super::encryption::Encryption;
use super::errors::is_lost_race;

/// Ends statements of clients that no longer wait, and sees to it that a record is durable when it is created.
const SETTINGS: &str = "SET statement_timeout = '60s'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit', true) = 'off'";

/// How often tables are looked for while other nodes may create them, too.
const ATTEMPTS: usize = 5;

/// A connection that is ready.
pub struct Session {
    pub client: Client,
    /// The highest number that another connection, or this one, has announced.
    pub announced: watch::Receiver<u64>,
    /// Whether the server has notifications. CockroachDB has none.
    pub notifies: bool,
    /// Moves the messages.
    _task: AbortOnDrop,
}

/// A task that ends with its owner. Else it would still send what the server has not taken yet.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Session {
    /// Connects, and creates the tables if they are missing. Takes as long as the server does.
    pub async fn open(address: &PostgresAddress) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = address.config.connect(Encryption(address.tls.clone())).await?;
        let (announce, announced) = watch::channel(0);
        let task = AbortOnDrop(tokio::spawn(drive(connection, announce)).abort_handle());
        client.batch_execute(SETTINGS).await?;
        create_tables(&client, &address.tables).await?;
        let notifies = match client.batch_execute(&format!("LISTEN {}", channel(&address.tables))).await {
            Ok(()) => true,
            Err(error) if error.as_db_error().is_some() => false,
            Err(error) => return Err(error),
        };
        Ok(Self { client, announced, notifies, _task: task })
    }
}

/// The channel of notifications, as an identifier.
pub fn channel(tables: &str) -> String {
    format!("\"{}\"", channel_name(tables))
}

/// The channel of notifications, as a text.
pub fn channel_name(tables: &str) -> String {
    tables.replace('"', "")
}

/// Moves messages until the connection ends.
async fn drive<S, T>(mut connection: Connection<S, T>, announce: watch::Sender<u64>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message {
            let number: u64 = notification.payload().parse().unwrap_or_default();
            announce.send_if_modified(|highest| {
                let is_higher = number > *highest;
                *highest = number.max(*highest);
                is_higher
            });
        }
    }
}

async fn create_tables(client: &Client, tables: &str) -> Result<(), tokio_postgres::Error> {
    // A user who may not create tables can use those that are there, so they are looked for first.
    let look = format!(
        "SELECT 1 FROM {tables}_records\" LIMIT 0; SELECT 1 FROM {tables}_bases\" LIMIT 0; SELECT 1 FROM {tables}_parts\" LIMIT 0"
    );
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {tables}_records\" (number bigint PRIMARY KEY, record bytea NOT NULL);
         CREATE TABLE IF NOT EXISTS {tables}_bases\" (number bigint PRIMARY KEY, writer text NOT NULL, parts bigint NOT NULL);
         CREATE TABLE IF NOT EXISTS {tables}_parts\" (number bigint NOT NULL, writer text NOT NULL, part bigint NOT NULL,
            created timestamptz NOT NULL DEFAULT now(), bytes bytea NOT NULL, PRIMARY KEY (number, writer, part))"
    );
    for _ in 1..ATTEMPTS {
        match client.batch_execute(&look).await {
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
            looked => return looked,
        }
        match client.batch_execute(&create).await {
            // Another node creates the same tables: `IF NOT EXISTS` does not exclude that.
            Err(error) if is_lost_race(&error) => {}
            created => return created,
        }
    }
    client.batch_execute(&look).await
}
