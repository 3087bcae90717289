//! `gazetted preview FILE`: shows one article, also a draft, as the site will show it. Publishes nothing, and writes no file.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use url::Url;

use super::articles::articles;
use super::outcome::Outcome;
use super::site_options::SiteOptions;
use crate::article::address::{Addresses, LinkTarget};
use crate::article::folder_data::{DataLookup, FolderData};
use crate::article::load::load_as;
use crate::article::{self, Article, Problem, Reading, Rules, Verdict, html};
use crate::config::Config;
use crate::daemon::{self, SiteState};
use crate::folder::media::{self, MediaFiles};
use crate::folder::{Folder, MediaNames};
use crate::model::collection::{ArticleState, Record};
use crate::model::entry::{ArticleId, Content, Entry, Media, Slug};
use crate::model::site_page::Permalink;
use crate::model::text::path_line;
use crate::render::feed::Channel;
use crate::render::page::{self, Pages};

/// How long a connection may be silent. Browsers open some that they do not use.
const PATIENCE: Duration = Duration::from_millis(500);
/// Maximum length of the head of a request, in bytes.
const MAX_HEAD: u64 = 16 << 10;
/// Length of the parts in which a file is sent, in bytes.
const PART: usize = 256 << 10;

/// Show one article, also a draft, as the site will show it, on a free port of this machine
///
/// Prints the address of the page, and then the problems of the file. The page is made again for each request. Nothing is
/// published, and nothing is written; Ctrl-C ends it.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// File, in the folder of articles or elsewhere
    file: PathBuf,
    #[command(flatten)]
    site: SiteOptions,
}

impl PreviewArgs {
    /// Serves the page until the process ends.
    ///
    /// # Errors
    /// The configuration is invalid, the file is no article, or no port is free.
    pub fn run(self, file: Option<&Path>) -> anyhow::Result<Outcome> {
        let config = self.site.load(file)?;
        let (folder, path, _) = articles(&config, &self.file)?;
        if path.is_dir() {
            bail!("{}: a folder: name one file", path_line(&self.file));
        }
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).context("no port is free")?;
        let address = listener.local_addr().context("no port is free")?;
        let base_url = config.base_url(Some(address));
        let mut preview = Preview::new(&config, folder, &path, &base_url)?;
        let place = preview.entry()?.permalink();
        let path = preview.pages.channel().permalink(&place);
        let path = path.strip_prefix(&base_url).unwrap_or_default();
        println!("http://{address}{}{path}", preview.pages.channel().base_path());
        io::stdout().flush().context("cannot print the address")?;
        loop {
            // A client that leaves is no reason to end.
            if let Ok((stream, _)) = listener.accept() {
                let _ = preview.answer(&stream, address);
            }
        }
    }
}

/// One article and the site around it.
struct Preview {
    config: Config,
    folder: Folder,
    /// Path of the article below the folder.
    path: PathBuf,
    pages: Pages,
    base_url: String,
    files: MediaFiles,
    /// The problems that were printed last.
    printed: Vec<Problem>,
}

impl Preview {
    fn new(config: &Config, folder: Folder, file: &Path, base_url: &str) -> anyhow::Result<Self> {
        let Some(path) = folder.relative(file).map(Path::to_path_buf) else {
            bail!("{}: {}", path_line(file), folder.why_not(file));
        };
        if folder.format(file).is_none() {
            bail!("{}: {}", path_line(file), folder.why_not(file));
        }
        let (config, look) = daemon::settings(config, &folder)?;
        let channel = Channel::new(&config, base_url, String::new()).with_look(look);
        let pages = Pages::new(channel).with_folder(folder.root());
        let files = MediaFiles::new(folder.root(), &config.articles);
        Ok(Self { config, folder, path, pages, base_url: base_url.to_owned(), files, printed: Vec::new() })
    }

    /// Reads the file. Prints its problems if they are others than before.
    fn entry(&mut self) -> anyhow::Result<Entry> {
        let rules = Rules::new(&self.config.articles, &self.config.site);
        let format =
            self.folder.format(&self.folder.root().join(&self.path)).context("the file is no article any more")?;
        let loaded = load_as(&self.folder, &self.path, format, self.config.articles.max_file_size.0)?;
        let inherited = FolderData::new(self.folder.clone(), rules.timezone).of(&self.path, DataLookup::Present);
        let inherited = inherited.showing_drafts();
        let Reading { verdict, mut problems, .. } =
            article::read_file(&self.folder, &loaded.bytes, &self.path, format, &inherited, &rules);
        let article = match verdict {
            Verdict::Publish(article) => Ok(article),
            Verdict::Bio(_) => Err(Problem::of_file("no article: it describes an author, whose page shows it")),
            Verdict::Empty => Err(Problem::of_file("nothing in it yet")),
            Verdict::Draft(problem, _) | Verdict::Withheld(problem, _) | Verdict::Broken(problem) => Err(problem),
        };
        problems.extend(article.as_ref().err().cloned());
        if problems != self.printed {
            for problem in &problems {
                eprintln!("{}", problem.in_file(&self.path));
            }
            self.printed = problems;
        }
        let article = article.map_err(|problem| anyhow::anyhow!("{}", problem.in_file(&self.path)))?;
        let modified = DateTime::from_timestamp_nanos(loaded.stat.mtime);
        Ok(self.entry_of(&article, article::date::whole_seconds(modified)))
    }

    fn entry_of(&self, article: &Article, modified: DateTime<Utc>) -> Entry {
        let site = SiteState::open(&self.config, &self.folder).ok();
        let record_of = |path: &Path| site.as_ref().and_then(|site| site.record(path).ok().flatten());
        let is_live = |record: &Record| record.state == ArticleState::Live;
        let record = record_of(&self.path).filter(is_live);
        let slug = record.as_ref().map(|record| record.entry.slug.clone());
        let slug = slug.or_else(|| Slug::new(article.wished_slug()));
        let slug = slug.or_else(|| Slug::new("preview")).unwrap_or_default();
        let published = article.published.or(record.map(|record| record.entry.published)).unwrap_or(modified);
        let is_there = |path: &Path| {
            let outer = path.parent().filter(|outer| media::media_type(outer).is_some());
            self.folder.stat(path).is_some() || outer.is_some_and(|outer| self.folder.stat(outer).is_some())
        };
        let media_names = MediaNames::of(&self.folder);
        let named = |name: &Path| media_names.nearest(name.file_name()?, &self.path).map(Path::to_path_buf);
        let channel = self.pages.channel();
        let page = |target: &LinkTarget| match target {
            LinkTarget::File(path) => {
                record_of(path).filter(is_live).map(|record| channel.permalink(&record.entry.permalink()))
            }
            LinkTarget::Address(_) | LinkTarget::Note(_) => None,
        };
        let permalink = Url::parse(&channel.permalink(&Permalink::new(slug.clone(), article.page.is_some())))
            .or_else(|_| Url::parse(&self.base_url));
        let permalink = permalink.unwrap_or_else(|_| Url::parse("http://localhost/").expect("an address"));
        let addresses = Addresses {
            permalink: &permalink,
            base_url: &self.base_url,
            base: None,
            path: &self.path,
            is_there: &is_there,
            named: &named,
            page: &page,
        };
        let media = |media: &Media| {
            let path = addresses.file(&media.url);
            let media_type =
                path.as_deref().and_then(media::media_type).map_or(media.media_type.clone(), str::to_owned);
            let url = path.map(|path| addresses.of_media(&path)).or_else(|| addresses.absolute(&media.url));
            Media { url: url.unwrap_or_default(), media_type, ..media.clone() }
        };
        let html = html::sanitise(&article.html, &addresses);
        let content = Content {
            title: article.title.clone(),
            is_untitled: article.is_untitled,
            authors: article.authors.clone(),
            summary: article.summary.clone(),
            highlighted: html::highlighted(&html),
            html,
            tags: article.tags.clone(),
            language: article.language.clone(),
            link: article.link.clone(),
            image: article.image.as_ref().map(media),
            enclosures: article.enclosures.iter().map(media).collect(),
            episode: article.episode.clone(),
            page: article.page.clone(),
            ..Content::default()
        };
        let updated = article.updated.unwrap_or(published).max(published);
        Entry { id: ArticleId::default(), guid: None, slug, published, updated, revised: updated, content }
    }

    /// Answers one request.
    fn answer(&mut self, stream: &TcpStream, own: SocketAddr) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream.take(MAX_HEAD)).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        let mut host = String::new();
        for line in lines {
            let line = line?;
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("host") => value.trim().clone_into(&mut host),
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let mut parts = request.split(' ');
        let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let target = target.split('?').next().unwrap_or_default();
        // A page of another site must not read a draft under a name that leads here.
        let is_own_host = host == own.to_string() || host == format!("localhost:{}", own.port());
        let is_head = method == "HEAD";
        let base_path = self.pages.channel().base_path().to_owned();
        let below = target.strip_prefix(&base_path);
        let look = self.pages.channel().look.clone();
        let picture = look.pictures().find(|picture| is_own_host && below == Some(picture.path)).cloned();
        if let Some(picture) = picture {
            return respond(stream, "200 OK", picture.media_type, &picture.bytes, is_head);
        }
        match below {
            _ if !is_own_host => respond(stream, "421 Misdirected Request", page::MEDIA_TYPE, b"", is_head),
            _ if !matches!(method, "GET" | "HEAD") => {
                respond(stream, "405 Method Not Allowed", page::MEDIA_TYPE, b"", is_head)
            }
            Some("style.css") => respond(stream, "200 OK", page::STYLE_TYPE, self.pages.style().as_bytes(), is_head),
            Some("icon.svg") => respond(stream, "200 OK", "image/svg+xml", page::ICON.as_bytes(), is_head),
            Some(rest) if rest.starts_with("media/") => self.send_file(stream, &rest["media/".len()..], is_head),
            Some(rest) => match self.entry() {
                Ok(entry) if rest.is_empty() || rest == entry.permalink().path() => {
                    respond(stream, "200 OK", page::MEDIA_TYPE, self.pages.article(&entry).as_bytes(), is_head)
                }
                Ok(_) => respond(
                    stream,
                    "404 Not Found",
                    page::MEDIA_TYPE,
                    self.pages.missing(false, &[], &[]).as_bytes(),
                    is_head,
                ),
                Err(error) => {
                    let reason = format!("{error:#}\n");
                    respond(stream, "503 Service Unavailable", "text/plain; charset=utf-8", reason.as_bytes(), is_head)
                }
            },
            None => respond(stream, "404 Not Found", page::MEDIA_TYPE, b"", is_head),
        }
    }

    fn send_file(&self, stream: &TcpStream, encoded: &str, is_head: bool) -> io::Result<()> {
        let opened = media::path_of(encoded).map(|path| self.files.open(&path)).transpose()?.flatten();
        let Some(file) = opened else {
            return respond(
                stream,
                "404 Not Found",
                page::MEDIA_TYPE,
                self.pages.missing(false, &[], &[]).as_bytes(),
                is_head,
            );
        };
        send_head(stream, "200 OK", file.media_type(), file.size())?;
        let mut at = 0;
        while at < file.size() && !is_head {
            let length = usize::try_from(file.size() - at).unwrap_or(PART).min(PART);
            let mut writer = stream;
            writer.write_all(&file.read(at, length)?)?;
            at += length as u64;
        }
        Ok(())
    }
}

fn respond(mut stream: &TcpStream, status: &str, media_type: &str, body: &[u8], is_head: bool) -> io::Result<()> {
    send_head(stream, status, media_type, body.len() as u64)?;
    if is_head { Ok(()) } else { stream.write_all(body) }
}

fn send_head(mut stream: &TcpStream, status: &str, media_type: &str, length: u64) -> io::Result<()> {
    let policy = "default-src 'none'; style-src 'self'; img-src * data:; media-src *";
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nContent-Security-Policy: {policy}\r\nConnection: close\r\n\r\n"
    )
}
