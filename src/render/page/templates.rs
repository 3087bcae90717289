//! The templates of pages: the built-in ones, and those that a site has in their place.
//!
//! A template of the site that cannot be compiled is left out. A page whose rendering fails has the built-in templates. Rendering is bounded in
//! time, memory and size.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, Value};

use super::filters::{fill, format, word};
use crate::site::TemplateFile;

/// The built-in templates. Pages are those that [`VARIABLES`] names; the others are parts of them.
const BUILT_IN: [(&str, &str); 19] = [
    ("base.html", include_str!("templates/base.html")),
    ("top.html", include_str!("templates/top.html")),
    ("logo.html", include_str!("templates/logo.html")),
    ("subscribe.html", include_str!("templates/subscribe.html")),
    ("entries.html", include_str!("templates/entries.html")),
    ("entry.html", include_str!("templates/entry.html")),
    ("front.html", include_str!("templates/front.html")),
    ("view.html", include_str!("templates/view.html")),
    ("views.html", include_str!("templates/views.html")),
    ("feed.html", include_str!("templates/feed.html")),
    ("archive.html", include_str!("templates/archive.html")),
    ("period.html", include_str!("templates/period.html")),
    ("lines.html", include_str!("templates/lines.html")),
    ("article.html", include_str!("templates/article.html")),
    ("blogroll.html", include_str!("templates/blogroll.html")),
    ("about.html", include_str!("templates/about.html")),
    ("page.html", include_str!("templates/page.html")),
    ("menu.html", include_str!("templates/menu.html")),
    ("missing.html", include_str!("templates/missing.html")),
];

/// The variables of templates, and the one that has each; empty: all but `entry.html`, which is rendered alone for each entry of a list. `docs/templates.md` describes them.
pub const VARIABLES: &[(&str, &str)] = &[
    ("site.title", ""),
    ("site.description", ""),
    ("site.language", ""),
    ("site.address", ""),
    ("site.opml", ""),
    ("site.style", ""),
    ("site.icon", ""),
    ("site.icon_png", ""),
    ("site.logo", ""),
    ("site.footer", ""),
    ("site.copyright", ""),
    ("site.share", ""),
    ("site.license", ""),
    ("site.fediverse", ""),
    ("site.me", ""),
    ("site.robots", ""),
    ("site.blogroll", ""),
    ("head.title", ""),
    ("head.name", ""),
    ("head.description", ""),
    ("head.address", ""),
    ("head.kind", ""),
    ("head.language", ""),
    ("direction", ""),
    ("locale", ""),
    ("words", ""),
    ("mark", ""),
    ("data", ""),
    ("feeds", ""),
    ("all_feeds", ""),
    ("menu", ""),
    ("digests", "front.html"),
    ("title", "front.html"),
    ("description", "front.html"),
    ("about", "front.html"),
    ("entries", "front.html"),
    ("groups", "front.html"),
    ("older", "front.html"),
    ("folder", "front.html"),
    ("recommended", "front.html"),
    ("players", "front.html"),
    ("code", "front.html"),
    ("name", "view.html"),
    ("language", "view.html"),
    ("lead", "view.html"),
    ("description", "view.html"),
    ("about", "view.html"),
    ("above", "view.html"),
    ("entries", "view.html"),
    ("lines", "view.html"),
    ("recommended", "view.html"),
    ("players", "view.html"),
    ("code", "view.html"),
    ("name", "feed.html"),
    ("description", "feed.html"),
    ("format", "feed.html"),
    ("page", "feed.html"),
    ("source", "feed.html"),
    ("entries", "feed.html"),
    ("recommended", "feed.html"),
    ("players", "feed.html"),
    ("code", "feed.html"),
    ("name", "views.html"),
    ("root", "views.html"),
    ("links", "views.html"),
    ("older", "archive.html"),
    ("newer", "archive.html"),
    ("dates", "archive.html"),
    ("lines", "archive.html"),
    ("above", "archive.html"),
    ("older", "period.html"),
    ("archives", "period.html"),
    ("parts", "period.html"),
    ("groups", "period.html"),
    ("above", "period.html"),
    ("html", "article.html"),
    ("cover", "article.html"),
    ("image", "article.html"),
    ("forms", "article.html"),
    ("markdown", "article.html"),
    ("episode", "article.html"),
    ("transcripts", "article.html"),
    ("attachments", "article.html"),
    ("entry", "article.html"),
    ("folders", "article.html"),
    ("older", "article.html"),
    ("newer", "article.html"),
    ("translations", "article.html"),
    ("series", "article.html"),
    ("title", "blogroll.html"),
    ("groups", "blogroll.html"),
    ("heading", "missing.html"),
    ("text", "missing.html"),
    ("near", "missing.html"),
    ("lines", "missing.html"),
    ("entry", "entry.html"),
    ("note", "entry.html"),
    ("mark", "entry.html"),
    ("pinned", "entry.html"),
];

/// Work that rendering one page may take, in steps of the template engine. A page of 500 lines takes 20,000. The engine counts 64 bytes of
/// memory as one step.
const FUEL: u64 = 1_000_000;
/// Maximum size of a page that templates of a site make, in bytes.
const MAX_PAGE: usize = 16 << 20;

/// A problem of a template of the site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateFault {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    pub message: String,
    /// The built-in template is used in its place.
    pub is_broken: bool,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, message, .. } = self;
        write!(f, "{}:{line}: {message}", path.display())
    }
}

/// The templates of all pages.
#[derive(Debug)]
pub struct Templates {
    built_in: Environment<'static>,
    own: Option<OwnTemplates>,
    pub faults: Vec<TemplateFault>,
}

/// The templates of the site among the built-in ones.
#[derive(Debug)]
struct OwnTemplates {
    environment: Environment<'static>,
    files: Vec<TemplateFile>,
    /// Failures that were logged.
    logged: Mutex<BTreeSet<String>>,
}

/// The problems of the templates of a site.
pub fn faults(files: &[TemplateFile]) -> Vec<TemplateFault> {
    Templates::new(files).faults
}

/// An empty environment with everything that templates can use.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_formatter(format);
    environment.set_syntax(syntax.expect("the usual delimiters are valid"));
    environment.add_filter("word", word);
    environment.add_filter("fill", fill);
    environment
}

impl Templates {
    /// Compiles the built-in templates, and those of the site.
    pub fn new(files: &[TemplateFile]) -> Self {
        let mut built_in = environment();
        for (name, source) in BUILT_IN {
            built_in.add_template(name, source).expect("the built-in templates are valid");
        }
        let mut templates = Self { built_in, own: None, faults: Vec::new() };
        if files.is_empty() {
            return templates;
        }
        let mut environment = environment();
        environment.set_fuel(Some(FUEL));
        for (name, source) in BUILT_IN {
            let own = files.iter().find(|file| file.name == name);
            if !own.is_some_and(|file| templates.compiles(&mut environment, file)) {
                environment.add_template(name, source).expect("the built-in templates are valid");
            }
        }
        let is_unknown = |file: &&TemplateFile| !BUILT_IN.iter().any(|(name, _)| file.name == *name);
        for file in files.iter().filter(is_unknown) {
            let names = BUILT_IN.map(|(name, _)| name).join(", ");
            let message = format!("no page has a template of this name: the names are {names}");
            templates.faults.push(TemplateFault { path: file.path.clone(), line: 1, message, is_broken: false });
        }
        templates.faults.sort();
        templates.own = Some(OwnTemplates { environment, files: files.to_vec(), logged: Mutex::default() });
        templates
    }

    /// Compiles a template of the site. Returns whether it can be used.
    fn compiles(&mut self, environment: &mut Environment<'static>, file: &TemplateFile) -> bool {
        let fault = |line, message, is_broken| TemplateFault { path: file.path.clone(), line, message, is_broken };
        let compiled = match &file.source {
            Ok(source) => environment
                .add_template_owned(file.name.clone(), source.clone())
                .map_err(|error| (error.line().unwrap_or(1), reason(&error))),
            Err(why) => Err((1, why.clone())),
        };
        if let Err((line, why)) = compiled {
            self.faults.push(fault(line, format!("{why}; the built-in template is used"), true));
            return false;
        }
        let names = environment.get_template(&file.name).map(|template| template.undeclared_variables(true));
        let globals: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
        for name in names.unwrap_or_default() {
            let first = name.split('.').next().unwrap_or_default();
            if !globals.contains(first) && !is_variable(&name) {
                let line = file.source.iter().flat_map(|text| text.lines()).position(|line| line.contains(&name));
                let message = format!("unknown variable `{name}`: it is empty; docs/templates.md lists all");
                self.faults.push(fault(1 + line.unwrap_or(0), message, false));
            }
        }
        true
    }

    /// The sources of all templates, in the order of their names.
    pub fn sources(&self) -> Vec<String> {
        let environment = self.own.as_ref().map_or(&self.built_in, |own| &own.environment);
        environment.templates().map(|(_, template)| template.source().to_owned()).collect()
    }

    /// Renders a template. If that fails with the templates of the site, it is logged once, and the built-in ones are used.
    pub fn render(&self, name: &str, context: Value) -> String {
        if let Some(own) = &self.own {
            match own.render(name, context.clone()) {
                Ok(page) => return page,
                Err(message) => own.log(message),
            }
        }
        let template = self.built_in.get_template(name).expect("every template that is rendered is built in");
        template.render(context).expect("the built-in templates render every context")
    }
}

impl OwnTemplates {
    fn render(&self, name: &str, context: Value) -> Result<String, String> {
        let template = self.environment.get_template(name).map_err(|error| self.place(name, &error))?;
        let mut page = BoundedPage::default();
        match template.render_captured_to(context, &mut page) {
            Ok(_) => {}
            Err(_) if page.is_full => {
                return Err(format!("{}: the page has more than {} MiB", self.path(name), MAX_PAGE >> 20));
            }
            Err(error) => return Err(self.place(name, &error)),
        }
        String::from_utf8(page.bytes).map_err(|_| format!("{}: the page is not in UTF-8", self.path(name)))
    }

    /// The path of a template of the site, or else its name.
    fn path(&self, name: &str) -> String {
        let file = self.files.iter().find(|file| file.name == name);
        file.map_or_else(|| name.to_owned(), |file| file.path.display().to_string())
    }

    /// The innermost place of an error, and its reason: an error of an included template is the source of another.
    fn place(&self, name: &str, error: &Error) -> String {
        let mut innermost = error;
        while let Some(source) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref::<Error>())
        {
            innermost = source;
        }
        let path = self.path(innermost.name().or(error.name()).unwrap_or(name));
        let line = innermost.line().or(error.line()).unwrap_or(1);
        format!("{path}:{line}: {}", reason(innermost))
    }

    fn log(&self, message: String) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if !logged.contains(&message) {
            tracing::error!(error = %message, "a page cannot be rendered with its template: it has the built-in one");
            logged.insert(message);
        }
    }
}

/// Why a template fails, in one line.
fn reason(error: &Error) -> String {
    let kind = error.kind().to_string();
    error.detail().map_or_else(|| kind.clone(), |detail| format!("{kind}: {}", detail.replace('\n', " ")))
}

/// Whether a page has a variable of this name. Of most variables, the parts are not listed.
fn is_variable(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    let is_part = |listed: &str| match (parts.as_slice(), listed.split_once('.')) {
        ([first, second, ..], Some((of, part))) => *first == of && *second == part,
        ([first, ..], listed_part) => *first == listed_part.map_or(listed, |(of, _)| of),
        _ => false,
    };
    ["loop", "self", "super", "caller"].contains(&parts[0]) || VARIABLES.iter().any(|(listed, _)| is_part(listed))
}

/// A page that is being rendered.
#[derive(Debug, Default)]
struct BoundedPage {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for BoundedPage {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_PAGE {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::render::feed::Channel;
    use crate::render::feed::tests::channel;
    use crate::render::page::Pages;
    use crate::site::Look;

    fn file(name: &str, source: &str) -> TemplateFile {
        let path = PathBuf::from(format!("/t/{name}"));
        TemplateFile { name: name.to_owned(), path, source: Ok(source.to_owned()) }
    }

    fn rendered(source: &str) -> (String, Vec<String>) {
        let look = Look { templates: vec![file("missing.html", source)], ..Look::default() };
        let pages = Pages::new(Channel { look: Arc::new(look), ..channel() });
        let page = pages.missing(false, &[], &[]);
        let own = pages.templates.own.as_ref().unwrap();
        (page, own.logged.lock().unwrap().iter().cloned().collect())
    }

    #[test]
    fn a_template_of_the_site_is_escaped_as_the_built_in_one() {
        let (page, logged) = rendered("{{ site.title }}/{{ nothing }}");
        assert_eq!((page.as_str(), logged), ("News &amp; Views/", Vec::new()));
    }

    #[test]
    fn a_template_that_fails_leaves_the_built_in_one_and_is_logged_once() {
        for (source, reason) in [
            ("a\n{{ text.x.y }}", "/t/missing.html:2: undefined value"),
            ("{% include \"none.html\" %}", "/t/missing.html:1: template not found"),
            (
                "{% for i in range(100000) %}{% for j in range(100000) %}{{ j }}{% endfor %}{% endfor %}",
                "engine ran out of fuel",
            ),
            (
                "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "/t/missing.html:1: engine ran out of fuel",
            ),
            ("{% set s = 'x' * 30000000 %}{{ s }}{{ s }}", "/t/missing.html: the page has more than 16 MiB"),
            ("{% include \"missing.html\" %}", "/t/missing.html:1: invalid operation: recursion limit exceeded"),
        ] {
            let (page, logged) = rendered(source);
            assert!(page.starts_with("<!doctype html>") && page.contains("News &amp; Views"), "{source}: {page}");
            assert!(logged.len() == 1 && logged[0].contains(reason), "{source}: {logged:?}");
        }
    }

    #[test]
    fn faults_have_file_and_line() {
        let files = [
            file("top.html", "a\n{% if %}"),
            file(
                "missing.html",
                "{{ site.title }} {{ range(3) }}\n{{ titel }} {{ site.titel }} {% for x in feeds %}{{ loop.index }}{{ x.name }}{% endfor %}",
            ),
            file("unknown.html", ""),
            TemplateFile { source: Err("not in UTF-8".to_owned()), ..file("base.html", "") },
        ];
        let lines: Vec<String> = faults(&files).iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 5, "{lines:#?}");
        assert_eq!(lines[0], "/t/base.html:1: not in UTF-8; the built-in template is used");
        for (line, start) in lines[1..].iter().zip([
            "/t/missing.html:2: unknown variable `site.titel`",
            "/t/missing.html:2: unknown variable `titel`",
            "/t/top.html:2: syntax error: ",
            "/t/unknown.html:1: no page has a template of this name: the names are base.html, ",
        ]) {
            assert!(line.starts_with(start), "{line}");
        }
    }

    /// The variables of the paper, each with the template that has it.
    fn documented() -> BTreeSet<(String, String)> {
        let paper = include_str!("../../../docs/templates.md");
        let mut template = String::new();
        let mut found = BTreeSet::new();
        for line in paper.lines() {
            if let Some(heading) = line.strip_prefix("### ") {
                template = heading.split('`').nth(1).unwrap_or_default().to_owned();
            }
            if let Some(name) = line.strip_prefix("| `").and_then(|rest| rest.split('`').next()) {
                found.insert((name.to_owned(), template.clone()));
            }
        }
        found
    }

    #[test]
    fn the_paper_lists_every_variable() {
        let listed: BTreeSet<(String, String)> =
            VARIABLES.iter().map(|(name, template)| ((*name).to_owned(), (*template).to_owned())).collect();
        assert_eq!(documented(), listed);
        assert_eq!(listed.len(), VARIABLES.len(), "each once");
    }

    #[test]
    fn the_built_in_templates_use_listed_variables_only() {
        let files = BUILT_IN.map(|(name, source)| file(name, source));
        assert_eq!(faults(&files), []);
    }
}
