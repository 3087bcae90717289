//! Programs that a test needs beyond Rust. A missing one skips its test, and says so; with `GAZETTED_NO_SKIP` set, as in
//! CI, it fails it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Says that a test is skipped for want of something.
pub fn skip(want: &str) {
    assert!(std::env::var_os("GAZETTED_NO_SKIP").is_none(), "{want} is missing, and GAZETTED_NO_SKIP is set");
    eprintln!("SKIPPED: {want} is missing");
}

/// Whether a program is there; if not, the test is skipped.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        skip(program);
    }
    found
}

/// Whether Python has a module; if not, the test is skipped.
pub fn has_python(module: &str) -> bool {
    if !has("python3") {
        return false;
    }
    let import = format!("import {module}");
    let status = Command::new("python3").args(["-c", &import]).stderr(Stdio::null()).status();
    let found = status.is_ok_and(|status| status.success());
    if !found {
        skip(&format!("the Python module {module}"));
    }
    found
}

/// A file of the workplace beside the project, if the project has one; if not, the test is skipped.
pub fn beside(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("SKIPPED: {path} is not there");
    None
}

/// Runs a program to its end, which must be a good one; gives what it printed.
pub fn run(command: &mut Command) -> String {
    let output: Output = command.stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {printed}\n{errors}");
    printed
}
