//! The whole configuration: parsed and checked once, one section for each task. One file, nothing merged into it.

mod listen;
mod trusted;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

pub use listen::{Endpoint, Listen};
pub use trusted::TrustedProxies;

/// The file that is read when no other is named.
pub const SYSTEM_FILE: &str = "/etc/gazetted/gazetted.toml";

/// Everything that can be configured. `config/gazetted.toml` documents each key with its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who publishes, and under which address.
    pub site: SiteConfig,
    /// Where the articles are and how they are read.
    pub articles: Articles,
    /// What the feed documents hold.
    pub feed: FeedConfig,
    /// How they are served.
    pub http: Http,
    /// Where the catalog is kept.
    pub state: StateConfig,
    /// What the operator looks at.
    pub admin: AdminConfig,
}

/// `[site]`: who publishes, and under which address.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteConfig {
    /// Name of the site and of its main feed.
    pub title: String,
    /// One sentence about the site.
    pub description: String,
    /// Where the public finds the site. The only source of addresses; a request's Host never is.
    pub base_url: Option<BaseUrl>,
    /// BCP 47 tag of the language most articles are in.
    pub language: String,
    /// Zone of dates that are written without one.
    #[serde(with = "written")]
    pub timezone: chrono_tz::Tz,
    /// Who wrote the articles that name nobody.
    pub author: AuthorConfig,
    /// Host name that ids are made from; `None`: the host of `base_url`.
    pub authority: Option<String>,
}

/// `[site.author]`: who wrote the articles that name nobody.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorConfig {
    /// Empty: the title of the site stands in.
    pub name: String,
    /// Empty: not published.
    pub email: String,
    /// Empty: none.
    pub url: String,
}

/// `[articles]`: where the articles are and how they are read.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Articles {
    /// The watched folder. It is never written to.
    pub directory: PathBuf,
    /// Only files that match one of these are articles; empty: all.
    pub include: Globs,
    /// Files that match one of these are not articles, and are not served beside them either.
    pub exclude: Globs,
    /// What happens to the lines around a plain-text article that the website added.
    pub clean: Clean,
    /// How long a new article waits before it is published, so that its writer can undo.
    #[serde(with = "written")]
    pub hold: Period,
    /// Larger files are refused.
    #[serde(with = "written")]
    pub max_file_size: Size,
    /// How changes in the folder are noticed.
    pub watch: Watching,
    /// How often folders are listed where the system tells of nothing.
    #[serde(with = "written")]
    pub poll_interval: Period,
}

/// How changes in the folder are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Watching {
    /// By the system's events, and by listing on file systems that do not tell of everything.
    Auto,
    /// By events alone.
    Events,
    /// By listing alone.
    Poll,
}

/// What happens to the lines around a plain-text article that the website added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Clean {
    /// Remove them where that is safe.
    Safe,
    /// Keep them, and log what `safe` would remove.
    Report,
    /// Keep them.
    Off,
}

/// `[feed]`: what the feed documents hold.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedConfig {
    /// How many of the newest entries a feed holds at least.
    pub entries: usize,
    /// All that were published within this of the newest entry are in the feed, too.
    #[serde(with = "written")]
    pub window: Period,
    /// A document is not made larger by further entries.
    #[serde(with = "written")]
    pub max_bytes: Size,
    /// Whether entries carry their whole text.
    pub content: FeedContent,
    /// How many entries an archive document holds.
    pub archive_entries: usize,
}

/// Whether the entries of a feed carry their whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedContent {
    /// Summary and whole text.
    Full,
    /// Summary only.
    Summary,
}

/// `[http]`: how documents are served.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where clients connect to.
    pub listen: Listen,
    /// How long a cache or a reader may keep a document before it asks again.
    #[serde(with = "written")]
    pub max_age: Period,
    /// How long a client may take to send a request's header.
    #[serde(with = "written")]
    pub header_timeout: Period,
    /// How long a client may stay connected between two requests.
    #[serde(with = "written")]
    pub idle_timeout: Period,
    /// How long a client may take hardly anything of an answer.
    #[serde(with = "written")]
    pub write_timeout: Period,
    /// How many connections there may be; more are made room for by those that ask for nothing.
    pub connections: usize,
    /// How many of them may be one address's; 0: as many as there may be.
    pub connections_per_address: usize,
    /// Who is believed when it says for whom it asks, and may have as many connections as there may be.
    pub trusted_proxies: TrustedProxies,
    /// How long a client that does not say what it has must wait between two requests for one document; zero: it need not.
    #[serde(with = "written")]
    pub least_interval: Period,
    /// Whether each answer is told of on standard output.
    pub access_log: AccessLines,
    /// How long answers in flight may take to finish when the daemon stops.
    #[serde(with = "written")]
    pub stop_timeout: Period,
}

/// How an answer is told of on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLines {
    /// Not at all.
    Off,
    /// By a line as Apache and nginx write it.
    Combined,
    /// By a line of JSON.
    Json,
}

/// `[state]`: where the catalog is kept.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateConfig {
    /// `None`: `$STATE_DIRECTORY`, else a folder of its own below `$XDG_STATE_HOME/gazetted`.
    pub directory: Option<PathBuf>,
}

/// `[admin]`: what the operator looks at.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// Where; `None`: nowhere. Whoever can connect there sees names of files.
    pub listen: Option<Listen>,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self {
            title: "Articles".into(),
            description: "New articles, as they are published".into(),
            base_url: None,
            language: "en".into(),
            timezone: chrono_tz::UTC,
            author: AuthorConfig::default(),
            authority: None,
        }
    }
}

impl Default for Articles {
    fn default() -> Self {
        Self {
            directory: "seeds".into(),
            include: Globs::default(),
            exclude: Globs::default(),
            clean: Clean::Safe,
            hold: Period(Duration::ZERO),
            max_file_size: Size(8 << 20),
            watch: Watching::Auto,
            poll_interval: Period(Duration::from_secs(2)),
        }
    }
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            entries: 50,
            window: Period(Duration::from_hours(48)),
            max_bytes: Size(512 << 10),
            content: FeedContent::Full,
            archive_entries: 100,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)).into(),
            max_age: Period(Duration::from_mins(5)),
            header_timeout: Period(Duration::from_secs(10)),
            idle_timeout: Period(Duration::from_mins(1)),
            write_timeout: Period(Duration::from_secs(20)),
            connections: 4096,
            connections_per_address: 256,
            trusted_proxies: TrustedProxies::default(),
            least_interval: Period(Duration::ZERO),
            access_log: AccessLines::Off,
            stop_timeout: Period(Duration::from_secs(10)),
        }
    }
}

/// Why a configuration cannot be used: `file:line: what is wrong`.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    place: String,
    message: String,
}

impl Config {
    /// Reads `file`, or [`SYSTEM_FILE`] if there is one, or takes the defaults.
    ///
    /// # Errors
    /// The file cannot be read, or it is not a valid configuration; the error names file and line.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let path = match file {
            Some(path) => path,
            None if Path::new(SYSTEM_FILE).exists() => Path::new(SYSTEM_FILE),
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            place: path.display().to_string(),
            message: format!("cannot read the configuration: {error}"),
        })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Parses the text of a configuration file; `name` stands before the line number in errors.
    ///
    /// # Errors
    /// An unknown key or a bad value, with its line.
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            ConfigError { place: format!("{name}:{line}"), message: error.message().replace('\n', " ") }
        })?;
        config.check().map_err(|message| ConfigError { place: name.to_owned(), message })?;
        Ok(config)
    }

    /// The folder that the catalog of the articles in `folder` (an absolute path) is kept in.
    ///
    /// # Errors
    /// Neither the configuration nor the environment names one.
    pub fn state_directory(&self, folder: &Path) -> Result<PathBuf, ConfigError> {
        if let Some(directory) = &self.state.directory {
            return Ok(directory.clone());
        }
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // systemd parts several directories by colons; ours is the first.
        if let Some(directories) = named("STATE_DIRECTORY") {
            let first = directories.to_string_lossy().split(':').next().unwrap_or_default().to_owned();
            return Ok(PathBuf::from(first));
        }
        let base = named("XDG_STATE_HOME").or_else(|| named("HOME").map(|home| home.join(".local/state"))).ok_or_else(|| ConfigError {
            place: "state.directory".into(),
            message: "not set, and neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is: say where to keep the catalog with --state".into(),
        })?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let hash = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
        Ok(base.join("gazetted").join(format!("{name}-{}", &hash[..8])))
    }

    /// The public address of the site; without a configured one, the one that it is served at.
    pub fn base_url(&self, bound: Option<SocketAddr>) -> String {
        match (&self.site.base_url, bound) {
            (Some(url), _) => url.to_string(),
            (None, None) => "http://localhost/".to_owned(),
            (None, Some(bound)) if bound.ip().is_unspecified() => format!("http://localhost:{}/", bound.port()),
            // Without the zone that a link-local address may carry: it means nothing elsewhere, and no URL may hold it.
            (None, Some(bound)) => format!("http://{}/", SocketAddr::new(bound.ip(), bound.port())),
        }
    }

    /// The host name that ids are made from, if the site has one that is its own: 127.0.0.1 is everybody's.
    pub fn authority(&self) -> Option<String> {
        let of_url = || match self.site.base_url.as_ref()?.host() {
            url::Host::Domain(name) => Some(name.to_owned()).filter(|name| name != "localhost"),
            url::Host::Ipv4(address) => (!address.is_loopback()).then(|| address.to_string()),
            url::Host::Ipv6(address) => (!address.is_loopback()).then(|| address.to_string()),
        };
        self.site.authority.clone().or_else(of_url)
    }

    /// What no single value can know about itself.
    fn check(&self) -> Result<(), String> {
        let SiteConfig { title, description, author, .. } = &self.site;
        for (key, text) in [("title", title), ("description", description), ("author.name", &author.name)] {
            if text.contains(char::is_control) {
                return Err(format!("site.{key} has a control character, which no feed may hold: take it out"));
            }
        }
        let http = &self.http;
        for (key, period) in [
            ("header_timeout", http.header_timeout),
            ("idle_timeout", http.idle_timeout),
            ("write_timeout", http.write_timeout),
            ("stop_timeout", http.stop_timeout),
        ] {
            if period.0.is_zero() || period.0 > Duration::from_hours(24) {
                return Err(format!("http.{key} is {period}: between 1s and 1d makes sense"));
            }
        }
        if http.least_interval.0 > Duration::from_hours(24) {
            return Err(format!("http.least_interval is {}: more than 1d keeps readers out", http.least_interval));
        }
        if http.connections == 0 {
            return Err("http.connections is 0: nobody could connect".into());
        }
        let Articles { hold, poll_interval, .. } = &self.articles;
        if hold.0 > Duration::from_hours(7 * 24) {
            return Err(format!("articles.hold is {hold}: more than 7d is no time to undo something, but a schedule"));
        }
        if poll_interval.0.is_zero() || poll_interval.0 > Duration::from_hours(1) {
            return Err(format!("articles.poll_interval is {poll_interval}: between 1s and 1h makes sense"));
        }
        if self.site.title.trim().is_empty() {
            return Err("site.title is empty: give the feed a name".into());
        }
        if self.feed.entries == 0 {
            return Err("feed.entries is 0: a feed needs room for one entry at least".into());
        }
        let language = self.site.language.as_str();
        let is_tag = language
            .split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !(language.is_empty() || (is_tag && language.len() >= 2)) {
            return Err(format!(
                "site.language: `{language}` is not a language tag: write it as in \"en\" or \"pt-BR\""
            ));
        }
        let AuthorConfig { email, url, .. } = &self.site.author;
        if !email.is_empty()
            && (email.matches('@').count() != 1 || email.contains(|c: char| c.is_whitespace() || "<>".contains(c)))
        {
            return Err(format!("site.author.email: `{email}` is not an address: write it as in \"ann@example.org\""));
        }
        if !url.is_empty() && !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(format!("site.author.url: `{url}` is not an absolute http address"));
        }
        if self.site.authority.as_deref().is_some_and(|host| host.is_empty() || host.contains('/')) {
            return Err("site.authority is not a host name: write it as in \"example.org\"".into());
        }
        Ok(())
    }
}

/// An absolute http or https address that ends with a slash; every address of the site starts with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The address as a text that ends with a slash.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host's name or address.
    pub fn host(&self) -> url::Host<&str> {
        self.0.host().expect("an http address has a host")
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text)
            .map_err(|error| format!("not an absolute address ({error}): write it as in https://example.org/"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("not an http or https address".into());
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("it has a query, a fragment or a user name: the address of a site has none".into());
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        written::deserialize(deserializer)
    }
}

impl Serialize for BaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        written::serialize(self, serializer)
    }
}

/// A length of time, written as in `90s`, `5m`, `48h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(pub Duration);

const PERIOD_UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, seconds) = PERIOD_UNITS
            .iter()
            .find_map(|(unit, seconds)| text.strip_suffix(unit).map(|number| (number, seconds)))
            .ok_or("not a length of time: write it as in 90s, 5m, 48h or 7d")?;
        let number: u64 =
            number.trim_end().parse().map_err(|_| "not a length of time: a whole number and then s, m, h or d")?;
        number.checked_mul(*seconds).map(|seconds| Self(Duration::from_secs(seconds))).ok_or_else(|| "too long".into())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (unit, size) = PERIOD_UNITS
            .into_iter()
            .find(|(_, size)| seconds != 0 && seconds.is_multiple_of(*size))
            .unwrap_or(("s", 1));
        write!(f, "{}{unit}", seconds / size)
    }
}

/// A number of bytes, written as in `512 KiB` or `8 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not a number of bytes: write it as in 512 KiB or 8 MiB".to_owned();
        let (number, bytes) = SIZE_UNITS
            .iter()
            .find_map(|(unit, bytes)| text.strip_suffix(unit).map(|number| (number, bytes)))
            .ok_or_else(wrong)?;
        let number: u64 = number.trim_end().parse().map_err(|_| wrong())?;
        number.checked_mul(*bytes).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            SIZE_UNITS.into_iter().find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size)).unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / size)
    }
}

/// File patterns such as `drafts/**` or `*.txt`, matched against the path below the watched folder.
/// A pattern without a slash is matched against the file's name wherever it is.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    patterns: Vec<String>,
    set: GlobSet,
}

impl Globs {
    fn new(patterns: Vec<String>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in &patterns {
            let anywhere = if pattern.contains('/') { pattern.clone() } else { format!("**/{pattern}") };
            set.add(GlobBuilder::new(&anywhere).literal_separator(true).build()?);
        }
        Ok(Self { patterns, set: set.build()? })
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a path below the watched folder matches one of the patterns.
    pub fn matches(&self, path: &Path) -> bool {
        self.set.is_match(path)
    }
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Globs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.patterns.serialize(serializer)
    }
}

/// Values that stand in the file as a text of their own form.
mod written {
    use super::{Deserialize, Deserializer, FromStr, Serializer, fmt};

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: fmt::Display,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
    }

    pub fn serialize<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse(text, "g.toml").expect_err("must be refused").to_string()
    }

    #[test]
    fn empty_file_is_the_defaults() {
        assert_eq!(Config::parse("", "g.toml").unwrap(), Config::default());
    }

    #[test]
    fn errors_name_file_line_and_reason() {
        let message = error("[site]\ntitle = \"A\"\ntitel = \"B\"\n");
        assert!(message.starts_with("g.toml:3: unknown field `titel`, expected one of `title`"), "{message}");
        assert!(error("\n[http]\nlisten = \"nowhere\"\n").starts_with("g.toml:3: `nowhere`: "));
        assert!(error("[http]\nmax_age = \"5 minutes\"\n").starts_with("g.toml:2: `5 minutes`: not a length of time"));
        assert!(
            error("[site]\nbase_url = \"example.org\"\n")
                .starts_with("g.toml:2: `example.org`: not an absolute address")
        );
        assert!(error("[site]\ntimezone = \"Mars/Phobos\"\n").starts_with("g.toml:2: "));
        assert!(error("[articles]\nexclude = [\"a[\"]\n").starts_with("g.toml:2: "));
        assert!(error("[feed]\nentries = 0\n").contains("feed.entries"));
        assert!(error("[http]\nheader_timeout = \"0s\"\n").contains("http.header_timeout is 0s"));
        assert!(error("[http]\nstop_timeout = \"2d\"\n").contains("http.stop_timeout is 2d"));
        assert!(error("[site]\ntitle = \"a\\u0001\"\n").contains("site.title has a control character"));
        assert!(error("[site]\nlanguage = \"en_US\"\n").contains("site.language"));
        assert!(error("[site]\nlanguage = \"plain English\"\n").contains("site.language"));
        assert!(error("[site]\nauthor = { email = \"Ann <a@b.c>\" }\n").contains("site.author.email"));
        assert!(error("[site]\nauthor = { url = \"example.org\" }\n").contains("site.author.url"));
        assert!(error("[feed]\ncontent = \"half\"\n").contains("expected `full` or `summary`"));
        for message in [error("x"), error("[site]\nbase_url = 3"), error("[site]\ntitle=\"\"")] {
            assert!(!message.contains('\n'), "one line: {message}");
        }
    }

    #[test]
    fn a_site_without_a_public_address_is_where_it_listens() {
        let at = |text: &str| Config::default().base_url(text.parse().ok());
        assert_eq!(at("127.0.0.1:8080"), "http://127.0.0.1:8080/");
        assert_eq!(at("0.0.0.0:80"), "http://localhost:80/");
        assert_eq!(at("[::]:80"), "http://localhost:80/");
        assert_eq!(at("[fe80::1%4]:80"), "http://[fe80::1]:80/");
    }

    #[test]
    fn base_url_gets_its_slash() {
        let check = |text: &str| text.parse::<BaseUrl>().map(|url| url.to_string());
        assert_eq!(check("https://example.org").unwrap(), "https://example.org/");
        assert_eq!(check("https://example.org/news").unwrap(), "https://example.org/news/");
        for bad in ["ftp://example.org/", "https://u:p@example.org/", "https://example.org/?a", "/news", ""] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_and_sizes_print_as_they_are_written() {
        for text in ["0s", "90s", "5m", "48h", "7d"] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }
        assert_eq!("48h".parse::<Period>().unwrap().to_string(), "2d");
        assert_eq!("8 MiB".parse::<Size>().unwrap(), Size(8 << 20));
        assert_eq!("8MiB".parse::<Size>().unwrap().to_string(), "8 MiB");
        assert!("99999999999999999999d".parse::<Period>().is_err());
        assert!("-5m".parse::<Period>().is_err());
    }

    #[test]
    fn patterns_without_a_slash_match_anywhere() {
        let globs = Globs::new(vec!["*.txt".into(), "drafts/**".into()]).unwrap();
        assert!(globs.matches(Path::new("a/b/c.txt")));
        assert!(globs.matches(Path::new("drafts/a.md")));
        assert!(!globs.matches(Path::new("a/drafts/a.md")));
    }
}
