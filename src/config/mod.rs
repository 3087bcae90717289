//! The configuration: one file, parsed and checked once; nothing is merged into it. Each task gets its own section.

mod base_url;
mod colour;
mod globs;
mod listen;
mod look;
mod origin;
mod rights;
mod text_form;
mod timezone_form;
mod trusted;
mod units;
mod wording;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

pub use base_url::BaseUrl;
pub use colour::Colour;
pub use globs::Globs;
pub use listen::{Endpoint, Listen};
pub use look::FileNames;
pub use origin::Origin;
pub use rights::{Crawlers, FediverseAccount, License, is_no_license};
pub use trusted::TrustedProxies;
pub use units::{Period, Size};
pub use wording::in_plain_words;

/// The file that is read if `--config` names none.
pub const SYSTEM_FILE: &str = "/etc/gazetted/gazetted.toml";

/// The whole configuration. `config/gazetted.toml` documents each key with its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub site: SiteConfig,
    pub articles: Articles,
    pub feed: FeedConfig,
    pub http: Http,
    pub state: StateConfig,
    pub admin: AdminConfig,
    pub export: ExportConfig,
    pub replicas: ReplicasConfig,
}

/// `[site]`: name, address and author of the site.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a section [site]")]
pub struct SiteConfig {
    /// Name of the site and of its main feed.
    pub title: String,
    /// One sentence about the site.
    pub description: String,
    /// Public address of the site. All addresses in documents start with it, never with the Host of a request.
    pub base_url: Option<BaseUrl>,
    /// BCP 47 tag of the language of most articles; empty: none.
    pub language: String,
    /// Time zone of dates without one.
    #[serde(with = "timezone_form")]
    pub timezone: chrono_tz::Tz,
    /// Author of the articles that name none.
    pub author: AuthorConfig,
    /// Host name in permanent ids; `None`: the host of `base_url`.
    pub authority: Option<String>,
    /// The picture that stands for the site, in one form or two: SVG and PNG. Empty: the built-in one.
    pub icon: FileNames,
    /// The picture in the header of pages.
    pub logo: Option<PathBuf>,
    /// The colour of links and marks; `None`: that of the built-in style.
    pub accent: Option<Colour>,
    /// A line of Markdown at the end of each page.
    pub footer: String,
    /// A style sheet that is added to the built-in one.
    pub style: Option<PathBuf>,
    /// A line such as `© 2026 Ann`.
    pub copyright: String,
    /// The licence of the articles.
    pub license: Option<License>,
    pub crawlers: Crawlers,
    /// The account of the author in the fediverse.
    pub fediverse: Option<FediverseAccount>,
    /// Addresses of the same person elsewhere.
    pub me: Vec<String>,
    /// A folder of templates that replace built-in ones of the same name.
    pub templates: Option<PathBuf>,
    /// Where these values are stated.
    #[serde(skip)]
    pub origin: Origin,
}

/// `[site.author]`: author of the articles that name none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a table such as { name = \"Ann\" }")]
pub struct AuthorConfig {
    /// Empty: the title of the site.
    pub name: String,
    /// Empty: not published.
    pub email: String,
    /// Empty: not published.
    pub url: String,
}

/// `[articles]`: the folder of articles, and how it is watched and read.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a section [articles]")]
pub struct Articles {
    /// The watched folder. It is never written to.
    pub directory: PathBuf,
    /// Only files that match one of these are articles; empty: all.
    pub include: Globs,
    /// Files that match one of these are neither articles nor served beside them.
    pub exclude: Globs,
    pub clean: Clean,
    /// Delay before a new article is published, so that its writer can undo.
    #[serde(with = "text_form")]
    pub hold: Period,
    /// Larger files are refused.
    #[serde(with = "text_form")]
    pub max_file_size: Size,
    pub watch: Watching,
    /// Interval of listing folders that have no file events.
    #[serde(with = "text_form")]
    pub poll_interval: Period,
    pub follow_links: FollowLinks,
}

/// Which links in the folder are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FollowLinks {
    /// Those whose target is in the folder.
    Inside,
    /// Also those to files elsewhere.
    Anywhere,
}

/// Method of noticing changes in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Watching {
    /// File events; also listing, on file systems without complete events.
    Auto,
    /// File events alone.
    Events,
    /// Listing alone.
    Poll,
}

/// Treatment of the lines that a website added around a plain-text article.
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

/// `[feed]`: the contents of feed documents.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a section [feed]")]
pub struct FeedConfig {
    /// Number of newest entries in a feed. `window` may add more.
    pub entries: usize,
    /// Entries published within this time of the newest are in the feed as well.
    #[serde(with = "text_form")]
    pub window: Period,
    /// No entry is added that would make a document larger.
    #[serde(with = "text_form")]
    pub max_bytes: Size,
    pub content: FeedContent,
    /// Number of entries in an archive document.
    pub archive_entries: usize,
    /// Paths of the main feed on the site before this one, which redirect to it.
    pub aliases: Vec<String>,
}

/// Text of the entries in a feed.
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
#[serde(deny_unknown_fields, default, expecting = "a section [http]")]
pub struct Http {
    pub listen: Listen,
    /// `max-age` of documents.
    #[serde(with = "text_form")]
    pub max_age: Period,
    /// Time for a client to send the header of a request.
    #[serde(with = "text_form")]
    pub header_timeout: Period,
    /// Time that a connection may be idle between two requests.
    #[serde(with = "text_form")]
    pub idle_timeout: Period,
    /// Time after which a client is cut off that hardly takes any bytes of a response.
    #[serde(with = "text_form")]
    pub write_timeout: Period,
    /// Maximum number of connections. Above it, idle ones are closed.
    pub connections: usize,
    /// Maximum number of connections from one address; 0: no limit.
    pub connections_per_address: usize,
    /// Proxies whose forwarded client addresses are believed, and which have no limit per address.
    pub trusted_proxies: TrustedProxies,
    /// Shortest interval between unconditional requests from one client for one document; zero: no limit.
    #[serde(with = "text_form")]
    pub least_interval: Period,
    /// Form of the access log on standard output.
    pub access_log: AccessLines,
    /// Time for responses in flight to finish when the daemon stops.
    #[serde(with = "text_form")]
    pub stop_timeout: Period,
}

/// Form of the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLines {
    Off,
    /// The combined log format of Apache and nginx.
    Combined,
    /// One JSON object a line.
    Json,
}

/// `[state]`: the state directory.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a section [state]")]
pub struct StateConfig {
    /// `None`: `$STATE_DIRECTORY`, else a folder for each site below `$XDG_STATE_HOME/gazetted`.
    pub directory: Option<PathBuf>,
    /// Maximum size of the smaller forms of pictures; zero: there are none.
    #[serde(with = "text_form")]
    pub pictures: Size,
}

/// `[admin]`: the admin listener.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a section [admin]")]
pub struct AdminConfig {
    /// `None`: off. All who can connect see the names of files.
    pub listen: Option<Listen>,
    /// Host names that requests may name, beside IP addresses and localhost.
    pub hosts: Vec<String>,
}

/// `[export]`: a copy of the site as files.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a section [export]")]
pub struct ExportConfig {
    /// The folder, or the `s3://bucket/prefix`, that `gazetted export` writes to.
    pub to: Option<PathBuf>,
}

/// `[replicas]`: the log that the nodes of a site share.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default, expecting = "a section [replicas]")]
pub struct ReplicasConfig {
    /// Address of the log; `None`: this is the only node.
    pub log: Option<String>,
    /// Name of this node; `None`: the name of the host.
    pub node: Option<String>,
}

impl ReplicasConfig {
    fn check(&self) -> Result<(), String> {
        let is_name = |name: &str| !name.trim().is_empty() && name.len() <= 100 && !name.contains(char::is_control);
        match &self.node {
            Some(node) if !is_name(node) => {
                return Err(
                    "replicas.node is not a name: use one such as \"news-1\", a different one on each node".to_owned()
                );
            }
            _ => {}
        }
        let is_place = |log: &String| match log.split_once("://") {
            Some((kind, _)) => matches!(kind, "postgres" | "postgresql" | "s3"),
            None => Path::new(log).is_absolute(),
        };
        // The address itself is not repeated: it may have a password.
        match self.log.as_ref().filter(|log| !is_place(log)) {
            Some(_) => {
                Err("replicas.log: the log of replicas is an absolute path of a shared folder, postgres://… or s3://…"
                    .to_owned())
            }
            None => Ok(()),
        }
    }
}

impl ExportConfig {
    fn check(&self) -> Result<(), String> {
        let Some(to) = &self.to else { return Ok(()) };
        let kind = to.to_str().and_then(|to| Some(to.split_once("://")?.0));
        if kind.is_some_and(|kind| kind != "s3") || to.as_os_str().is_empty() {
            return Err(format!(
                "export.to: `{}` is neither a folder nor the address of a bucket: use a path, or one such as \"s3://bucket/prefix\"",
                to.display()
            ));
        }
        Ok(())
    }
}

impl SiteConfig {
    /// Checks values that have no type of their own.
    ///
    /// # Errors
    /// The first key whose value is not usable, and why.
    pub fn check(&self) -> Result<(), String> {
        let Self { title, description, author, footer, copyright, .. } = self;
        for (key, text) in [
            ("title", title),
            ("description", description),
            ("author.name", &author.name),
            ("footer", footer),
            ("copyright", copyright),
        ] {
            if text.contains(char::is_control) {
                return Err(format!(
                    "site.{key} contains a control character, which is not allowed in feeds: remove it"
                ));
            }
        }
        if self.title.trim().is_empty() {
            return Err("site.title is empty: give the feed a name".into());
        }
        let language = self.language.as_str();
        let is_part =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // No language has a longer code: `english` is a name.
        let is_code = |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_tag = language.split('-').next().is_some_and(is_code) && language.split('-').all(is_part);
        if !(language.is_empty() || is_tag) {
            return Err(format!(
                "site.language: `{language}` is not a language tag: use one such as \"en\" or \"pt-BR\""
            ));
        }
        let AuthorConfig { email, url, .. } = &self.author;
        if !email.is_empty()
            && (email.matches('@').count() != 1 || email.contains(|c: char| c.is_whitespace() || "<>".contains(c)))
        {
            return Err(format!(
                "site.author.email: `{email}` is not an email address: use one such as \"ann@example.org\""
            ));
        }
        if !url.is_empty() && !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(format!("site.author.url: `{url}` is not an absolute http or https address"));
        }
        if let Some(address) = self.me.iter().find(|address| !rights::is_address(address)) {
            return Err(format!("site.me: `{address}` is not an absolute http or https address"));
        }
        if self.authority.as_deref().is_some_and(|host| host.is_empty() || host.contains('/')) {
            return Err("site.authority is not a host name: use one such as \"example.org\"".into());
        }
        Ok(())
    }
}

impl FeedConfig {
    fn check(&self) -> Result<(), String> {
        if self.entries == 0 {
            return Err("feed.entries is 0: allow at least one entry".into());
        }
        let is_path = |alias: &&String| {
            alias.starts_with('/') && alias.len() > 1 && !alias.contains(|c: char| c.is_whitespace() || c == '#')
        };
        match self.aliases.iter().find(|alias| !is_path(alias)) {
            Some(alias) => {
                Err(format!("feed.aliases: `{alias}` is not a path: use one such as \"/feeds/all.atom.xml\""))
            }
            None => Ok(()),
        }
    }
}

impl AdminConfig {
    fn check(&self) -> Result<(), String> {
        let is_name = |name: &str| {
            let is_label = |label: &str| {
                let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                (1..=63).contains(&label.len()) && label.bytes().all(is_letter)
            };
            name.len() <= 253 && name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
        };
        match self.hosts.iter().find(|name| !is_name(name)) {
            Some(name) => Err(format!(
                "admin.hosts: `{name}` is not a host name: use one such as \"monitor.example.org\", without a port"
            )),
            None => Ok(()),
        }
    }
}

impl Default for StateConfig {
    fn default() -> Self {
        Self { directory: None, pictures: Size(256 << 20) }
    }
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
            icon: FileNames::default(),
            logo: None,
            accent: None,
            footer: String::new(),
            style: None,
            copyright: String::new(),
            license: None,
            crawlers: Crawlers::All,
            fediverse: None,
            me: Vec::new(),
            templates: None,
            origin: Origin::default(),
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
            follow_links: FollowLinks::Inside,
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
            aliases: Vec::new(),
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

/// An invalid configuration, as `file:line: message`.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    place: String,
    message: String,
}

impl Config {
    /// Reads `file`, else [`SYSTEM_FILE`] if it exists, else returns the defaults.
    ///
    /// # Errors
    /// The file cannot be read, or is not a valid configuration.
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
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            ConfigError { place: format!("{name}:{line}"), message: in_plain_words(error.message()) }
        })?;
        config.check().map_err(|message| ConfigError { place: name.to_owned(), message })?;
        config.site.origin = Origin::of(text, name);
        Ok(config)
    }

    /// Returns the state directory for the articles in `folder`, an absolute path.
    ///
    /// # Errors
    /// Neither the configuration nor the environment names one.
    pub fn state_directory(&self, folder: &Path) -> Result<PathBuf, ConfigError> {
        if let Some(directory) = &self.state.directory {
            return if directory.as_os_str().is_empty() {
                Err(ConfigError { place: "state.directory".into(), message: "empty: name a state directory".into() })
            } else {
                Ok(directory.clone())
            };
        }
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // systemd separates several directories with colons; the first belongs to the daemon.
        if let Some(directories) = named("STATE_DIRECTORY") {
            let first = directories.to_string_lossy().split(':').next().unwrap_or_default().to_owned();
            return Ok(PathBuf::from(first));
        }
        let base = named("XDG_STATE_HOME").or_else(|| named("HOME").map(|home| home.join(".local/state"))).ok_or_else(|| ConfigError {
            place: "state.directory".into(),
            message: "not set, and neither are STATE_DIRECTORY, XDG_STATE_HOME and HOME: name a state directory with --state".into(),
        })?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let hash = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
        Ok(base.join("gazetted").join(format!("{name}-{}", &hash[..8])))
    }

    /// Returns the public address of the site: the configured one, else the one that the daemon listens on.
    pub fn base_url(&self, bound: Option<SocketAddr>) -> String {
        match (&self.site.base_url, bound) {
            (Some(url), _) => url.to_string(),
            (None, None) => "http://localhost/".to_owned(),
            (None, Some(bound)) if bound.ip().is_unspecified() => format!("http://localhost:{}/", bound.port()),
            // Without the zone of a link-local address, which a URL must not contain.
            (None, Some(bound)) => format!("http://{}/", SocketAddr::new(bound.ip(), bound.port())),
        }
    }

    /// Returns the host name in permanent ids. A loopback address or `localhost` identifies no site.
    pub fn authority(&self) -> Option<String> {
        let of_url = || match self.site.base_url.as_ref()?.host() {
            url::Host::Domain(name) => Some(name.to_owned()).filter(|name| name != "localhost"),
            url::Host::Ipv4(address) => (!address.is_loopback()).then(|| address.to_string()),
            url::Host::Ipv6(address) => (!address.is_loopback()).then(|| address.to_string()),
        };
        self.site.authority.clone().or_else(of_url)
    }

    /// Checks ranges, and values that have no type of their own.
    fn check(&self) -> Result<(), String> {
        self.site.check()?;
        self.replicas.check()?;
        self.export.check()?;
        for (key, directory) in
            [("articles.directory", Some(&self.articles.directory)), ("state.directory", self.state.directory.as_ref())]
        {
            if directory.is_some_and(|directory| directory.as_os_str().is_empty()) {
                return Err(format!("{key} is empty: name a folder, or leave the key out"));
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
                return Err(format!("http.{key} is {period}: choose a value from 1s to 1d"));
            }
        }
        if http.least_interval.0 > Duration::from_hours(24) {
            return Err(format!(
                "http.least_interval is {}: choose at most 1d, or readers are shut out",
                http.least_interval
            ));
        }
        if http.connections == 0 {
            return Err("http.connections is 0: allow at least one connection".into());
        }
        let Articles { hold, poll_interval, .. } = &self.articles;
        if hold.0 > Duration::from_hours(7 * 24) {
            return Err(format!(
                "articles.hold is {hold}: choose at most 7d; a date in the future schedules an article"
            ));
        }
        if poll_interval.0.is_zero() || poll_interval.0 > Duration::from_hours(1) {
            return Err(format!("articles.poll_interval is {poll_interval}: choose a value from 1s to 1h"));
        }
        self.feed.check()?;
        self.admin.check()
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
        assert!(message.starts_with("g.toml:3: unknown key `titel`, expected one of `title`"), "{message}");
        assert!(error("\n[http]\nlisten = \"nowhere\"\n").starts_with("g.toml:3: `nowhere`: "));
        assert!(error("[http]\nmax_age = \"5 minutes\"\n").starts_with("g.toml:2: `5 minutes`: not a duration"));
        assert!(
            error("[site]\nbase_url = \"example.org\"\n")
                .starts_with("g.toml:2: `example.org`: not an absolute address")
        );
        assert!(error("[site]\ntimezone = \"Mars/Phobos\"\n").starts_with("g.toml:2: "));
        assert!(
            error("[site]\ntimezone = \"berlin\"\n")
                .contains("`berlin`: not a time zone: did you mean \"Europe/Berlin\"?")
        );
        assert!(
            error("[site]\ntimezone = \"CEST\"\n")
                .contains("`CEST`: not a time zone: use one such as \"Europe/Berlin\"")
        );
        assert!(error("[articles]\ndirectory = \"\"\n").contains("articles.directory is empty"));
        assert!(error("[state]\ndirectory = \"\"\n").contains("state.directory is empty"));
        assert!(error("[replicas]\nlog = \"rel\"\n").contains("replicas.log: "));
        assert!(error("[replicas]\nlog = \"ftp://x\"\n").contains("replicas.log: "));
        for to in ["ftp://x", "https://a.example/b", ""] {
            assert!(error(&format!("[export]\nto = \"{to}\"\n")).contains("export.to: "), "{to}");
        }
        assert!(Config::parse("[export]\nto = \"s3://b/c\"\n[replicas]\nlog = \"/a/b\"\n", "g.toml").is_ok());
        assert!(error("[articles]\nexclude = [\"a[\"]\n").starts_with("g.toml:2: "));
        assert!(error("[feed]\nentries = 0\n").contains("feed.entries"));
        assert!(error("[http]\nheader_timeout = \"0s\"\n").contains("http.header_timeout is 0s"));
        assert!(error("[http]\nstop_timeout = \"2d\"\n").contains("http.stop_timeout is 2d"));
        assert!(error("[site]\ntitle = \"a\\u0001\"\n").contains("site.title contains a control character"));
        assert!(error("[site]\nlanguage = \"en_US\"\n").contains("site.language"));
        assert!(error("[site]\nlanguage = \"plain English\"\n").contains("site.language"));
        assert!(error("[site]\nlanguage = \"english\"\n").contains("site.language"));
        assert!(error("[site]\nauthor = { email = \"Ann <a@b.c>\" }\n").contains("site.author.email"));
        assert!(error("[site]\nauthor = { url = \"example.org\" }\n").contains("site.author.url"));
        for name in ["monitor:8081", "http://monitor/", "", "a..b", "caf\u{e9}.example", "*"] {
            let message = error(&format!("[admin]\nhosts = [\"{name}\"]\n"));
            assert!(message.contains(&format!("admin.hosts: `{name}` is not a host name")), "{message}");
        }
        assert!(error("[feed]\ncontent = \"half\"\n").contains("expected `full` or `summary`"));
        for message in [error("x"), error("[site]\nbase_url = 3"), error("[site]\ntitle=\"\"")] {
            assert!(!message.contains('\n'), "one line: {message}");
        }
    }

    #[test]
    fn the_default_base_url_is_the_listening_address() {
        let at = |text: &str| Config::default().base_url(text.parse().ok());
        assert_eq!(at("127.0.0.1:8080"), "http://127.0.0.1:8080/");
        assert_eq!(at("0.0.0.0:80"), "http://localhost:80/");
        assert_eq!(at("[::]:80"), "http://localhost:80/");
        assert_eq!(at("[fe80::1%4]:80"), "http://[fe80::1]:80/");
    }
}
