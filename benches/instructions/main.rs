//! Instructions of five fixed works, beside the recorded ones. Unlike times, they do not depend on the load of the machine, so that a
//! test can fail because of them.
//!
//! `cargo bench --bench instructions`, or in the profile of the tests, as CI does: `cargo test --features postgres,object-storage --bench
//! instructions`. `-- --record` records the numbers; `-- --only read` measures one work, and
//! `-- --keep` leaves the files of callgrind, for `callgrind_annotate`.
//!
//! The exit code is 1 if a work takes more instructions than recorded, by more than 3 %, or 6 % with several threads.

#[path = "../measure/mod.rs"]
mod measure;

mod callgrind;
mod record;
mod works;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use callgrind::{Callgrind, cores};
use measure::{argument, json, text_argument};
use record::{Comparison, Record, Records, Verdict, tolerance};
use works::{Run, WORKS, Work, child};

/// The profile of this program: that of tests, or that of packages.
const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "dist" };

fn main() -> ExitCode {
    if let Some(work) = text_argument("--work") {
        child(&work, argument("--count", 1));
        return ExitCode::SUCCESS;
    }
    let callgrind = match Callgrind::find() {
        Ok(callgrind) => callgrind,
        Err(missing) => {
            println!("NOT MEASURED: {missing} is not installed");
            let is_required = std::env::var_os("GAZETTED_NO_SKIP").is_some();
            return if is_required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let begun = Instant::now();
    let toolchain = callgrind.toolchain();
    let mut records = recorded();
    let is_recording = std::env::args().any(|argument| argument == "--record");
    let measured = measure_all(&callgrind).and_then(|measured| {
        // The smaller of two numbers counts, since threads that wait for each other take more on a busy machine.
        let comparison = Comparison::of(records.get(PROFILE), &toolchain, &measured);
        if is_recording { Ok(measured) } else { measure_again(&callgrind, &comparison, measured) }
    });
    let measured = match measured {
        Ok(measured) => measured,
        Err(reason) => {
            println!("NOT MEASURED: {reason}");
            return ExitCode::FAILURE;
        }
    };
    println!("instructions in the profile {PROFILE}, counted in {:.0} s", begun.elapsed().as_secs_f64());
    if is_recording {
        Record::update(&mut records, PROFILE, &toolchain, &measured);
        write(&records);
    }
    let comparison = Comparison::of(records.get(PROFILE), &toolchain, &measured);
    report(&comparison, &measured);
    for (name, instructions) in &measured {
        #[allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.
        json::record(name, "gazetted", "instructions", [*instructions as f64]);
    }
    json::write("instructions");
    if comparison.fails() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Measures all works, or the one of `--only`.
fn measure_all(callgrind: &Callgrind) -> Result<Vec<(String, u64)>, String> {
    let only = text_argument("--only");
    count(callgrind, |name| only.as_ref().is_none_or(|only| only == name))
}

/// Measures the works that failed once more, and takes the smaller number.
fn measure_again(
    callgrind: &Callgrind,
    comparison: &Comparison,
    measured: Vec<(String, u64)>,
) -> Result<Vec<(String, u64)>, String> {
    let failed = comparison.failed();
    if failed.is_empty() {
        return Ok(measured);
    }
    let again = count(callgrind, |name| failed.contains(&name))?;
    let smaller = |(name, first): (String, u64)| {
        let second = again.iter().find(|(other, _)| *other == name).map_or(first, |(_, second)| *second);
        (name, first.min(second))
    };
    Ok(measured.into_iter().map(smaller).collect())
}

/// Measures some works, at the same time on all cores.
fn count(callgrind: &Callgrind, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, u64)>, String> {
    // The paths have the same length on all machines.
    let keeps = std::env::args().any(|argument| argument == "--keep");
    let mut directory = tempfile::Builder::new();
    let directory = directory.prefix("instructions-").disable_cleanup(keeps).tempdir_in("/tmp");
    let directory = directory.expect("a folder for the run");
    if keeps {
        println!("the files of callgrind are in {}", directory.path().display());
    }
    let works = || WORKS.iter().filter(|work| is_wanted(work.name));
    let mut jobs: Vec<(&Work, usize)> = works().flat_map(|work| work.counts.map(|count| (work, count))).collect();
    jobs.reverse();
    let (jobs, totals) = (Mutex::new(jobs), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        // Two for each core, since some wait.
        for core in cores().into_iter().cycle().take(cores().len() * 2) {
            let (jobs, totals, directory) = (&jobs, &totals, directory.path());
            scope.spawn(move || {
                loop {
                    let job = jobs.lock().expect("no job panics").pop();
                    let Some((work, count)) = job else { return };
                    let directory = directory.join(format!("{:-<12}-{count:06}", work.name));
                    let total = Run { callgrind, core, work, count, directory }.instructions();
                    totals.lock().expect("no job panics").insert((work.name, count), total);
                }
            });
        }
    });
    let totals = totals.into_inner().expect("no job panics");
    let total = |work: &Work, count| totals[&(work.name, count)].clone().map_err(|why| format!("{}: {why}", work.name));
    let difference = |work: &Work| {
        let [few, many] = work.counts;
        let instructions = total(work, many)?.saturating_sub(total(work, few)?);
        Ok((work.name.to_owned(), instructions * work.per as u64 / (many - few) as u64))
    };
    works().map(difference).collect()
}

fn report(comparison: &Comparison, measured: &[(String, u64)]) {
    println!("  {:<14}{:>16}{:>16}{:>8}", "", "instructions", "recorded", "ratio");
    let rows = match comparison {
        Comparison::Compared(rows) => rows,
        Comparison::NotComparable(reasons) => {
            for (name, instructions) in measured {
                println!("  {name:<14}{instructions:>16}{:>16}{:>8}", "-", "-");
            }
            for reason in reasons {
                println!("NOT COMPARED: {reason}");
            }
            return;
        }
    };
    for row in rows {
        let recorded = row.recorded.map_or("-".to_owned(), |recorded| recorded.to_string());
        #[allow(clippy::cast_precision_loss)] // Ratios have three digits.
        let ratio =
            row.recorded.map_or("-".to_owned(), |recorded| format!("{:.3}", row.measured as f64 / recorded as f64));
        println!("  {:<14}{:>16}{recorded:>16}{ratio:>8}", row.name, row.measured);
    }
    for row in rows {
        let name = &row.name;
        let limit = tolerance(name);
        match row.verdict {
            Verdict::Within => {}
            Verdict::More => println!("FAILED: {name} takes over {limit} % more instructions than recorded"),
            Verdict::Fewer => {
                println!("{name} takes over {limit} % fewer instructions than recorded: record it with `-- --record`");
            }
            Verdict::NotRecorded => println!("{name} is not recorded: record it with `-- --record`"),
        }
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/recorded.toml")
}

fn recorded() -> Records {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    toml::from_str(&text).expect("the record can be read")
}

fn write(records: &Records) {
    let text = toml::to_string(records).expect("the record can be written");
    let text = format!(
        "# Written by `-- --record` of benches/instructions: instructions of each work, by the profile of the program.\n\n{text}"
    );
    std::fs::write(file(), text).expect("the record can be written");
}
