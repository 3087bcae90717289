//! Programs under callgrind, which counts their instructions.
//!
//! Removed: other load (instructions are counted, not time), the number of cores (one), the layout of memory (no randomisation), the
//! environment and the working directory (the same in each run), the lengths of temporary paths, and starting up (two runs of different
//! length are subtracted).
//!
//! Left: the random seeds of hash tables, ids and dates, what the daemon does by the clock, and where Valgrind switches threads.
//! `benches/README.md` says by how much the numbers vary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::program::installed;
use super::record::Toolchain;

/// Name of the files with the counts.
const OUT: &str = "callgrind.out";

/// The programs that are needed.
#[derive(Debug, Clone)]
pub struct Callgrind {
    valgrind: PathBuf,
    taskset: PathBuf,
    setarch: PathBuf,
    /// Whether the layout of memory can be fixed; some containers forbid it.
    is_fixed: bool,
}

impl Callgrind {
    /// Finds the programs.
    ///
    /// # Errors
    /// The name of the missing one.
    pub fn find() -> Result<Self, &'static str> {
        let [valgrind, taskset, setarch] = ["valgrind", "taskset", "setarch"].map(|name| installed(name).ok_or(name));
        let (valgrind, taskset, setarch) = (valgrind?, taskset?, setarch?);
        let fixed = Command::new(&setarch).args([std::env::consts::ARCH, "-R", "true"]).output();
        let is_fixed = fixed.is_ok_and(|output| output.status.success());
        Ok(Self { valgrind, taskset, setarch, is_fixed })
    }

    /// A command to which a program and its arguments are added, and which runs in `directory`.
    pub fn command(&self, core: usize, directory: &Path) -> Command {
        let mut command = Command::new(&self.taskset);
        command.arg("-c").arg(core.to_string());
        if self.is_fixed {
            command.arg(&self.setarch).args([std::env::consts::ARCH, "-R"]);
        }
        command.arg(&self.valgrind).args(["--tool=callgrind", "--quiet", "--separate-threads=yes"]);
        command.arg(format!("--callgrind-out-file={OUT}"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").current_dir(directory);
        command
    }

    /// What the numbers depend on beside the program.
    pub fn toolchain(&self) -> Toolchain {
        let valgrind = self.valgrind.display().to_string();
        Toolchain {
            rustc: first_line("rustc", &["--version"]),
            cc: first_line("cc", &["--version"]),
            libc: first_line("getconf", &["GNU_LIBC_VERSION"]),
            valgrind: first_line(&valgrind, &["--version"]),
            processor: processor(),
        }
    }
}

/// The processor that Valgrind shows: always the same model, with AVX2 where the real one has it. So the choices that memchr, BLAKE3 and
/// the C library make at run time differ only by that.
fn processor() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has_avx2 = about.lines().any(|line| line.starts_with("flags") && line.split(' ').any(|flag| flag == "avx2"));
    format!("{}{}", std::env::consts::ARCH, if has_avx2 { " with AVX2" } else { "" })
}

/// The first line that a program prints; `?` if there is none.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("?").to_owned()
}

/// Instructions of a program that ran in `directory` and has ended, without those of threads that have called a function whose name
/// contains one of `excluded`.
pub fn instructions(directory: &Path, excluded: &[&str]) -> u64 {
    let files = fs::read_dir(directory).expect("a folder").map(|file| file.expect("a file").path());
    // One for each thread.
    let is_out = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(OUT));
    let texts = files.filter(is_out).map(|file| fs::read(file).expect("callgrind writes it"));
    let texts = texts.map(|text| String::from_utf8_lossy(&text).into_owned());
    texts.filter(|text| !excluded.iter().any(|name| text.contains(name))).map(|text| total(&text)).sum()
}

/// The total of a file of callgrind. There is none if nothing was counted.
fn total(text: &str) -> u64 {
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.map_or(0, |total| total.trim().parse().expect("a number"))
}

/// The cores on which this process may run.
pub fn cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or("0").trim();
    let range = |range: &str| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        Some(from.parse().ok()?..=to.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}
