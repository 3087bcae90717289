//! Environment variables in the place of options, as containers are configured. clap reads them; this module adds what it lacks: an
//! empty variable counts as unset, and the error of a bad value names the variable.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgMatches, Command};

/// Parses the command line. An option takes precedence over its variable.
///
/// # Errors
/// Wrong usage, or a request for help; clap prints it.
pub fn parse(command: Command, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let mut variables = Vec::new();
    let command = without_empty_variables(command, &mut variables);
    command.try_get_matches_from(arguments).map_err(|error| naming_the_variable(error, arguments, &variables))
}

/// An option and its variable, which has a value.
struct Variable {
    option: String,
    name: String,
}

/// Takes the empty variables away from all options. Adds the others to `variables`.
fn without_empty_variables(command: Command, variables: &mut Vec<Variable>) -> Command {
    let mut check = |argument: Arg| {
        let Some(name) = argument.get_env().and_then(|name| name.to_str()).map(str::to_owned) else { return argument };
        match std::env::var_os(&name) {
            None => argument,
            Some(value) if value.is_empty() => argument.env(None),
            Some(_) => {
                variables.extend(argument.get_long().map(|option| Variable { option: format!("--{option}"), name }));
                argument
            }
        }
    };
    let command = command.mut_args(&mut check);
    command.mut_subcommands(|command| without_empty_variables(command, variables))
}

/// Replaces the option in an error about its value by the variable that has the value.
fn naming_the_variable(mut error: clap::Error, arguments: &[OsString], variables: &[Variable]) -> clap::Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return error };
    let option = argument.split([' ', '=']).next().unwrap_or_default();
    let is_given = arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .any(|argument| argument.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')));
    if let Some(variable) = variables.iter().find(|variable| variable.option == option && !is_given) {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable.name.clone()));
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::cli::Cli;

    #[test]
    fn the_paper_lists_the_variable_of_each_option() {
        let paper = include_str!("../../docs/configuration.md");
        let command = Cli::command();
        let of_subcommands = command.get_subcommands().flat_map(clap::Command::get_arguments);
        let mut count = 0;
        for argument in command.get_arguments().chain(of_subcommands) {
            let Some(variable) = argument.get_env() else { continue };
            let option = argument.get_long().unwrap();
            let row = format!("| `{}` | `--{option}` |", variable.to_string_lossy());
            assert!(paper.contains(&row), "{row} in docs/configuration.md");
            count += 1;
        }
        assert!(count > 10, "only {count} were found");
    }
}
