//! `gazetted generate DIR`: writes manual pages, shell completions, a service's configuration and the licences of grammars, for packagers.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::article;

/// The documented sample configuration.
const CONFIGURATION: &str = include_str!("../../config/gazetted.toml");
/// Lines of the sample and their replacements for a service, so that commands find what the service uses.
const SERVICE_VALUES: [(&str, &str); 2] = [
    ("#directory = \"seeds\"", "directory = \"/srv/gazetted/articles\""),
    ("## directory = \"/var/lib/gazetted\"", "directory = \"/var/lib/gazetted\""),
];
/// File name of the manual page of the configuration.
const CONFIGURATION_PAGE: &str = "gazetted.toml.5";

/// Write manual pages, shell completions, the configuration of a service and the licences of grammars, for a package
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Target folder; created if it does not exist
    directory: PathBuf,
}

impl GenerateArgs {
    /// Writes the files; `command` is the whole command line.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn run(self, command: &Command) -> anyhow::Result<()> {
        for (name, bytes) in files(command).context("cannot make the manual pages")? {
            write_file(&self.directory, &name, &bytes)?;
        }
        Ok(())
    }
}

/// Returns the names and contents of the files.
fn files(command: &Command) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set()).map(|sub| {
        let name = format!("gazetted-{}", sub.get_name());
        // Global options are documented on each page.
        let global = command.get_arguments().filter(|argument| argument.is_global_set()).cloned();
        sub.clone().args(global).name(leaked(&name)).display_name(name)
    });
    for command in std::iter::once(command.clone().disable_help_subcommand(true)).chain(commands) {
        let mut page = Vec::new();
        let name = format!("{}.1", command.get_name());
        clap_mangen::Man::new(command).render(&mut page)?;
        files.push((name, page));
    }
    let replace = |text: String, (line, value): (&str, &str)| text.replace(line, value);
    let service = SERVICE_VALUES.into_iter().fold(CONFIGURATION.to_owned(), replace);
    files.push(("gazetted.toml".to_owned(), service.into_bytes()));
    files.push((CONFIGURATION_PAGE.to_owned(), configuration_page().into_bytes()));
    files.push(("grammars.md".to_owned(), article::notices().into_bytes()));
    for (shell, name) in [(Shell::Bash, "gazetted.bash"), (Shell::Zsh, "_gazetted"), (Shell::Fish, "gazetted.fish")] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command.clone(), "gazetted", &mut script);
        files.push((name.to_owned(), script));
    }
    Ok(files)
}

/// Writes a file and creates its folder if needed.
fn write_file(directory: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let file = directory.join(name);
    let write = || std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&file, bytes));
    write().with_context(|| format!("{}: cannot write the file", file.display()))
}

/// Leaks a name: clap needs names of static lifetime. There are a dozen.
fn leaked(name: &str) -> &'static str {
    name.to_owned().leak()
}

/// Renders the sample configuration as a manual page: each key with the comment above it.
fn configuration_page() -> String {
    let mut page = Roff::new();
    page.control("TH", ["gazetted.toml", "5", "", concat!("gazetted ", env!("CARGO_PKG_VERSION"))]);
    page.control("SH", ["NAME"]).text([roman("gazetted.toml - configuration of gazetted(1)")]);
    page.control("SH", ["DESCRIPTION"]);
    let mut comment: Vec<&str> = Vec::new();
    for line in CONFIGURATION.lines() {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            page.control("SH", [format!("[{section}]").as_str()]);
        } else if let Some(key) = key(line) {
            page.control("TP", []).text([bold(key)]);
            page.text([roman(comment.join(" "))]);
            comment.clear();
        } else if let Some(text) = line.strip_prefix("# ") {
            comment.push(text);
        } else if !comment.is_empty() {
            let paragraph: Vec<Inline> = vec![roman(comment.join(" "))];
            page.control("PP", []).text(paragraph);
            comment.clear();
        }
    }
    page.control("SH", ["SEE ALSO"]).text([bold("gazetted"), roman("(1)")]);
    page.to_roff()
}

/// Returns a key with its default, or with an example if it has none.
fn key(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("## ").or_else(|| line.strip_prefix('#'))?;
    let name = rest.split(" = ").next().filter(|name| name.len() < rest.len())?;
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_').then_some(rest)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;
    use crate::config::Config;

    #[test]
    fn every_command_and_every_key_is_documented() {
        let files = files(&Cli::command()).unwrap();
        let text = |name: &str| {
            let found = files.iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("{name} is missing"));
            String::from_utf8(found.1.clone()).unwrap()
        };
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            assert!(text(&format!("gazetted-{name}.1")).contains("config"), "{name} lists the global options");
            for variable in command.get_arguments().filter_map(clap::Arg::get_env) {
                let variable = variable.to_string_lossy();
                assert!(text(&format!("gazetted-{name}.1")).contains(&*variable), "{name} names {variable}");
            }
            assert!(text("gazetted.bash").contains(name) && text("_gazetted").contains(name), "{name} is completed");
        }
        assert!(text("gazetted.1").contains("serve"));
        assert!(text("gazetted.fish").contains("serve"));
        assert!(text("grammars.md").contains("Permission is hereby granted"), "the notices of the MIT licence");
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
        assert!(!files.iter().any(|(name, _)| name.contains("generate")), "this command is for packagers");
    }
}
