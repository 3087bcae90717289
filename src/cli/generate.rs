//! `gazetted generate DIR`: manual pages, shell completions and the configuration of a service, for whoever makes a package.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::Cli;
use crate::daemon;

/// The configuration as it is documented.
const CONFIGURATION: &str = include_str!("../../config/gazetted.toml");
/// What is set in it for a service, with what stands there otherwise: so that commands find what the service uses.
const OF_SERVICE: [(&str, &str); 2] = [
    ("#directory = \"seeds\"", "directory = \"/srv/gazetted/articles\""),
    ("## directory = \"/var/lib/gazetted\"", "directory = \"/var/lib/gazetted\""),
];
/// Name of its manual page.
const CONFIGURATION_PAGE: &str = "gazetted.toml.5";

/// Write manual pages, shell completions and the configuration of a service, for a package
#[derive(Debug, Args)]
pub struct Generate {
    /// Folder that they are written to; it is made if it is not there
    directory: PathBuf,
}

impl Generate {
    /// Writes all of them.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn run(self) -> anyhow::Result<()> {
        for (name, bytes) in files().context("cannot make the manual pages")? {
            daemon::write_file(&self.directory, &name, &bytes)?;
        }
        Ok(())
    }
}

/// Names and contents.
fn files() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let command = Cli::command();
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set()).map(|sub| {
        let name = format!("gazetted-{}", sub.get_name());
        // The options that are everybody's belong on each page.
        let global = command.get_arguments().filter(|argument| argument.is_global_set()).cloned();
        sub.clone().args(global).name(leaked(&name)).display_name(name)
    });
    for command in std::iter::once(command.clone().disable_help_subcommand(true)).chain(commands) {
        let mut page = Vec::new();
        let name = format!("{}.1", command.get_name());
        clap_mangen::Man::new(command).render(&mut page)?;
        files.push((name, page));
    }
    let set = |text: String, (unset, set): (&str, &str)| text.replace(unset, set);
    let of_service = OF_SERVICE.into_iter().fold(CONFIGURATION.to_owned(), set);
    files.push(("gazetted.toml".to_owned(), of_service.into_bytes()));
    files.push((CONFIGURATION_PAGE.to_owned(), configuration_page().into_bytes()));
    for (shell, name) in [(Shell::Bash, "gazetted.bash"), (Shell::Zsh, "_gazetted"), (Shell::Fish, "gazetted.fish")] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "gazetted", &mut script);
        files.push((name.to_owned(), script));
    }
    Ok(files)
}

/// clap wants names that live as long as the program; there are ten of them.
fn leaked(name: &str) -> &'static str {
    name.to_owned().leak()
}

/// The documented configuration as a manual page: each key with what is said above it.
fn configuration_page() -> String {
    let mut page = Roff::new();
    page.control("TH", ["gazetted.toml", "5", "", concat!("gazetted ", env!("CARGO_PKG_VERSION"))]);
    page.control("SH", ["NAME"]).text([roman("gazetted.toml - configuration of gazetted(1)")]);
    page.control("SH", ["DESCRIPTION"]);
    let mut said: Vec<&str> = Vec::new();
    for line in CONFIGURATION.lines() {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            page.control("SH", [format!("[{section}]").as_str()]);
        } else if let Some(key) = key(line) {
            page.control("TP", []).text([bold(key)]);
            page.text([roman(said.join(" "))]);
            said.clear();
        } else if let Some(text) = line.strip_prefix("# ") {
            said.push(text);
        } else if !said.is_empty() {
            let paragraph: Vec<Inline> = vec![roman(said.join(" "))];
            page.control("PP", []).text(paragraph);
            said.clear();
        }
    }
    page.control("SH", ["SEE ALSO"]).text([bold("gazetted"), roman("(1)")]);
    page.to_roff()
}

/// A key with its default, or with an example where it has none.
fn key(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("## ").or_else(|| line.strip_prefix('#'))?;
    let name = rest.split(" = ").next().filter(|name| name.len() < rest.len())?;
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_').then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_command_and_every_key_has_its_place() {
        let files = files().unwrap();
        let text = |name: &str| {
            let found = files.iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("{name} is not made"));
            String::from_utf8(found.1.clone()).unwrap()
        };
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            assert!(text(&format!("gazetted-{name}.1")).contains("config"), "{name} has the options of all commands");
            assert!(text("gazetted.bash").contains(name) && text("_gazetted").contains(name), "{name} is completed");
        }
        assert!(text("gazetted.1").contains("serve"));
        assert!(text("gazetted.fish").contains("serve"));
        let page = text(CONFIGURATION_PAGE);
        let defaults = serde_json::to_value(Config::default()).unwrap();
        for (section, keys) in defaults.as_object().unwrap() {
            assert!(page.contains(&format!(".SH [{section}]")), "[{section}] is in\n{page}");
            for key in keys.as_object().unwrap().keys() {
                assert!(page.contains(&format!("\\fB{key} = ")), "{section}.{key} is in\n{page}");
            }
        }
        let service = Config::parse(&text("gazetted.toml"), "gazetted.toml").unwrap();
        assert_eq!(service.articles.directory, std::path::Path::new("/srv/gazetted/articles"));
        assert_eq!(service.state.directory.as_deref(), Some(std::path::Path::new("/var/lib/gazetted")));
        assert!(!files.iter().any(|(name, _)| name.contains("generate")), "nobody needs to be told of this command");
    }
}
