//! The systemd units, checked by `systemd-analyze` without running them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::tools;

/// All units of the project, by name.
fn units() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let mut units: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "service" || extension == "socket"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .collect();
    units.sort();
    assert!(units.len() >= 6, "only {} units were found: is the test blind?", units.len());
    units
}

/// Writes units into a folder, with a program that exists.
fn put(folder: &Path, units: &[(String, String)]) -> Vec<PathBuf> {
    let put = |(name, text): &(String, String)| {
        let file = folder.join(name);
        fs::write(&file, text.replace("/usr/bin/gazetted", env!("CARGO_BIN_EXE_gazetted"))).unwrap();
        file
    };
    units.iter().map(put).collect()
}

fn verify(files: &[PathBuf]) -> Output {
    Command::new("systemd-analyze").args(["verify", "--man=no"]).args(files).output().unwrap()
}

#[test]
fn systemd_accepts_every_unit() {
    if !tools::has("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut units = units();
    let output = verify(&put(folder.path(), &units));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !said.contains("gazetted"), "{said}");
    // An unknown directive is reported.
    let service = units.iter_mut().find(|(name, _)| name == "gazetted.service").unwrap();
    service.1 = service.1.replace("ProtectClock=yes", "ProtectKlock=yes");
    let said = String::from_utf8_lossy(&verify(&put(folder.path(), &units)).stderr).into_owned();
    assert!(said.contains("ProtectKlock"), "{said}");
}

/// Highest permitted exposure in tenths, of 100. `systemd-analyze` fails above it.
fn is_shut_off(file: &Path) -> bool {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--threshold=2", "--no-pager"]).arg(file);
    command.output().unwrap().status.success()
}

#[test]
fn the_services_are_sandboxed() {
    if !tools::has("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let services: Vec<_> = units().into_iter().filter(|(name, _)| name.ends_with(".service")).collect();
    assert_eq!(services.len(), 3);
    for (file, (name, text)) in put(folder.path(), &services).iter().zip(&services) {
        assert!(is_shut_off(file), "{name} is exposed to more than it was");
        // It fails with one protection less.
        for line in ["PrivateNetwork=yes\n", "ProtectHome=yes\n", "CapabilityBoundingSet=\n", "DynamicUser=yes\n"] {
            assert!(text.contains(line), "{name} says {line}");
            // Another user is no more exposed.
            if line.starts_with("DynamicUser=") && text.contains("\nUser=") {
                continue;
            }
            fs::write(file, text.replace(line, "")).unwrap();
            assert!(!is_shut_off(file), "{name} without {line}: is the test blind?");
        }
    }
}

/// Lines of a unit that do not depend on its site.
fn settings(text: &str) -> Vec<String> {
    let own = ["Description=", "After=", "ExecStart=", "ExecReload="];
    let lines = text.lines().filter(|line| !line.starts_with('#') && !own.iter().any(|own| line.starts_with(own)));
    lines.map(|line| line.replace("@%i", "").replace("-%i", "")).collect()
}

#[test]
fn one_of_several_sites_is_sandboxed_like_a_single_one() {
    let units = units();
    let text = |name: &str| &units.iter().find(|(unit, _)| unit == name).unwrap().1;
    assert_eq!(settings(text("gazetted@.service")), settings(text("gazetted.service")));
    assert!(settings(text("gazetted.service")).len() > 60, "is the test blind?");
}

#[test]
fn every_unit_is_in_the_package() {
    let manifest = include_str!("../../Cargo.toml");
    for (name, _) in units() {
        assert!(manifest.contains(&format!("[\"systemd/{name}\", \"usr/lib/systemd/system/\"")), "{name}");
    }
}
