//! The address of a log in PostgreSQL: `postgres://user@host/database?table=name`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_rustls::rustls::ClientConfig;

use super::errors::describe;
use crate::replicas::log::{LogError, LogResult};
use crate::system::tls;

/// Start of the names of the tables, unless the address has another one.
const DEFAULT_TABLE: &str = "gazetted";

/// Longest start of the names of the tables. PostgreSQL cuts names of more than 63 bytes.
const MAX_TABLE: usize = 50;

/// Time for one attempt to reach one address of the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long sent bytes may stay unacknowledged, and a quiet connection untested.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the log is and how it is reached.
pub struct PostgresAddress {
    pub config: Config,
    /// `None` where the address does without TLS.
    pub tls: Option<Arc<ClientConfig>>,
    /// Start of the names of the tables, quoted but for the last quotation mark: `"schema"."name`.
    pub tables: String,
    /// For people, without credentials.
    pub place: String,
}

/// The parameters of an address that the client library does not read.
#[derive(Default)]
struct OwnParameters {
    table: Option<String>,
    sslmode: Option<String>,
    sslrootcert: Option<String>,
}

impl PostgresAddress {
    /// Reads an address. A password that it lacks is taken from `PGPASSWORD`.
    ///
    /// # Errors
    /// It is wrong, or asks for what is not supported.
    pub fn parse(address: &str) -> LogResult<Self> {
        let (own, address) = split_parameters(address)?;
        // The library's message does not repeat the address, which may have a password.
        let mut config: Config = address
            .parse()
            .map_err(|error| LogError(format!("the address of the database is wrong: {}", describe(&error))))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(LogError("the address of the database names no host".to_owned()));
        }
        let table = own.table.as_deref().unwrap_or(DEFAULT_TABLE);
        let tables = quoted(table)?;
        if let (None, Some(password)) = (config.get_password(), std::env::var_os("PGPASSWORD")) {
            config.password(password.into_encoded_bytes());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config.tcp_user_timeout(NETWORK_TIMEOUT).keepalives_idle(NETWORK_TIMEOUT);
        if config.get_application_name().is_none() {
            config.application_name("gazetted");
        }
        let tls = Self::tls(&config, &own)?;
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        let place = place(&config, table);
        Ok(Self { config, tls, tables, place })
    }

    /// The settings of TLS, which only connections inside of this machine do without, unless the address says so.
    fn tls(config: &Config, own: &OwnParameters) -> LogResult<Option<Arc<ClientConfig>>> {
        let is_wanted = match own.sslmode.as_deref() {
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            None => !config.get_hosts().iter().all(is_local) || config.get_hosts().is_empty(),
            Some(mode) => {
                return Err(LogError(format!(
                    "sslmode={mode} is not supported: use verify-full (TLS with a checked certificate) or disable"
                )));
            }
        };
        let authorities = own.sslrootcert.as_ref().map(PathBuf::from);
        let tls = is_wanted.then(|| tls::client_config(authorities.as_deref())).transpose();
        tls.map(|tls| tls.map(Arc::new)).map_err(LogError)
    }
}

/// Whether a host is reached without a network.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Takes the own parameters out of an address.
fn split_parameters(address: &str) -> LogResult<(OwnParameters, String)> {
    let mut own = OwnParameters::default();
    let Some((start, query)) = address.split_once('?') else { return Ok((own, address.to_owned())) };
    let mut others = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        match key {
            "table" => own.table = Some(value),
            "sslmode" => own.sslmode = Some(value),
            "sslrootcert" => own.sslrootcert = Some(value),
            "channel_binding" if value == "require" => {
                let why = "channel_binding=require is not supported: remove it; the certificate is checked instead";
                return Err(LogError(why.to_owned()));
            }
            _ => others.push(parameter),
        }
    }
    let separator = if others.is_empty() { "" } else { "?" };
    Ok((own, format!("{start}{separator}{}", others.join("&"))))
}

/// The start of the names of the tables, quoted for SQL: `name` or `schema.name`.
fn quoted(table: &str) -> LogResult<String> {
    let is_name = |name: &str| {
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        starts && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let parts: Vec<&str> = table.split('.').collect();
    if parts.len() > 2 || table.len() > MAX_TABLE || !parts.iter().all(|part| is_name(part)) {
        return Err(LogError(format!(
            "table={table} is wrong: it is `name` or `schema.name`, of lower-case letters, digits and underscores, up to {MAX_TABLE} in all"
        )));
    }
    Ok(format!("\"{}", parts.join("\".\"")))
}

fn place(config: &Config, table: &str) -> String {
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
    let host = |(index, host): (usize, &Host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(index)),
        Host::Unix(folder) => format!("{}:{}", folder.display(), port(index)),
    };
    let mut hosts: Vec<String> = config.get_hosts().iter().enumerate().map(host).collect();
    if hosts.is_empty() {
        hosts = config.get_hostaddrs().iter().map(ToString::to_string).collect();
    }
    let database = config.get_dbname().or(config.get_user()).unwrap_or("of the user");
    format!("the PostgreSQL database {database} on {}, tables {table}_*", hosts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(address: &str) -> String {
        PostgresAddress::parse(address).err().unwrap().0
    }

    #[test]
    fn the_place_says_where_the_log_is_and_no_password() {
        let place = |address| PostgresAddress::parse(address).unwrap().place;
        assert_eq!(
            place("postgres://me:secret@127.0.0.1/news"),
            "the PostgreSQL database news on 127.0.0.1:5432, tables gazetted_*"
        );
        assert_eq!(
            place("postgresql://me:secret@localhost:1234,127.0.0.1:5678/news?table=sites.blog&sslmode=disable"),
            "the PostgreSQL database news on localhost:1234, 127.0.0.1:5678, tables sites.blog_*"
        );
        assert_eq!(
            place("postgres://me@%2Frun%2Fpostgresql/news"),
            "the PostgreSQL database news on /run/postgresql:5432, tables gazetted_*"
        );
    }

    #[test]
    fn tables_are_quoted() {
        let tables = |address| PostgresAddress::parse(address).unwrap().tables;
        assert_eq!(tables("postgres://localhost/news"), "\"gazetted");
        assert_eq!(tables("postgres://localhost/news?table=sites.blog"), "\"sites\".\"blog");
    }

    #[test]
    fn wrong_addresses_are_refused_without_their_password() {
        for (address, why) in [
            ("postgres://me:secret@localhost/a?table=A%22b", "table=A\"b is wrong"),
            ("postgres://me:secret@localhost/a?table=a.b.c", "table=a.b.c is wrong"),
            ("postgres://me:secret@localhost/a?sslmode=prefer", "sslmode=prefer is not supported"),
            ("postgres://me:secret@localhost/a?channel_binding=require", "channel_binding=require is not supported"),
            ("postgres://me:secret@localhost/a?colour=blue", "the address of the database is wrong"),
            ("postgres://me:secret@localhost:port/a", "the address of the database is wrong"),
            ("postgres:///a", "names no host"),
            ("postgres://me:secret@localhost/a?sslmode=require&sslrootcert=/missing", "no certificate authority"),
        ] {
            let error = error(address);
            assert!(error.contains(why) && !error.contains("secret"), "{address}: {error}");
        }
    }

    #[test]
    fn only_connections_inside_of_the_machine_do_without_tls() {
        let uses_tls = |address| PostgresAddress::parse(address).unwrap().tls.is_some();
        assert!(!uses_tls("postgres://localhost/a") && !uses_tls("postgres://[::1]/a"));
        assert!(!uses_tls("postgres://%2Frun%2Fpostgresql/a"));
        assert!(!uses_tls("postgres://db.example/a?sslmode=disable"));
    }
}
