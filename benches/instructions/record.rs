//! The recorded numbers of instructions, and their comparison with measured ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Percentage by which a work may take more instructions than recorded, and by which fewer are worth a new record.
pub const TOLERANCE: u64 = 3;
/// The same for works of several threads, whose turns depend a little on the machine.
const TOLERANCE_OF_THREADS: u64 = 6;

/// The percentage for the work of a name.
pub fn tolerance(name: &str) -> u64 {
    if ["import-1000", "publish"].contains(&name) { TOLERANCE_OF_THREADS } else { TOLERANCE }
}

/// What instructions depend on beside the code of the program: numbers of another one cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// The compiler, as `rustc --version` prints it.
    pub rustc: String,
    /// The compiler of SQLite, zstd and WebP.
    pub cc: String,
    /// The C library, which is linked dynamically.
    pub libc: String,
    pub valgrind: String,
    /// The processor that Valgrind shows to the program, which decides what libraries choose at run time.
    pub processor: String,
}

impl Toolchain {
    /// Each part with its name.
    fn parts(&self) -> [(&'static str, &str); 5] {
        let Self { rustc, cc, libc, valgrind, processor } = self;
        [("rustc", rustc), ("cc", cc), ("libc", libc), ("valgrind", valgrind), ("processor", processor)]
    }
}

/// The numbers of one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub toolchain: Toolchain,
    /// Instructions by the name of the work.
    pub works: BTreeMap<String, u64>,
}

/// The recorded numbers by profile.
pub type Records = BTreeMap<String, Record>;

impl Record {
    /// Replaces the numbers of the measured works, and all numbers of the profile if they are of another toolchain.
    pub fn update(records: &mut Records, profile: &str, toolchain: &Toolchain, measured: &[(String, u64)]) {
        let new = || Self { toolchain: toolchain.clone(), works: BTreeMap::new() };
        let record = records.entry(profile.to_owned()).or_insert_with(new);
        if record.toolchain != *toolchain {
            *record = new();
        }
        record.works.extend(measured.iter().cloned());
    }
}

/// The outcome of the comparison of one work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Within,
    /// More than recorded, by more than the tolerance.
    More,
    /// Fewer than recorded, by more than the tolerance.
    Fewer,
    NotRecorded,
}

impl Verdict {
    /// Compares the instructions of a work with the recorded ones.
    pub fn of(measured: u64, recorded: Option<u64>, tolerance: u64) -> Self {
        let Some(recorded) = recorded.filter(|recorded| *recorded > 0) else { return Self::NotRecorded };
        let (measured, recorded) = (u128::from(measured) * 100, u128::from(recorded));
        let tolerance = u128::from(tolerance);
        if measured > recorded * (100 + tolerance) {
            Self::More
        } else if measured < recorded * (100 - tolerance) {
            Self::Fewer
        } else {
            Self::Within
        }
    }
}

/// Compared numbers of one work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    pub measured: u64,
    pub recorded: Option<u64>,
    pub verdict: Verdict,
}

/// The outcome of the comparison of all works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    Compared(Vec<Row>),
    /// Why the numbers cannot be compared, a line for each reason.
    NotComparable(Vec<String>),
}

impl Comparison {
    /// Compares measured numbers with the record of their profile.
    pub fn of(record: Option<&Record>, toolchain: &Toolchain, measured: &[(String, u64)]) -> Self {
        let Some(record) = record else {
            return Self::NotComparable(vec!["nothing is recorded for this profile".to_owned()]);
        };
        let parts = record.toolchain.parts().into_iter().zip(toolchain.parts());
        let others: Vec<String> = parts
            .filter(|((_, recorded), (_, own))| recorded != own)
            .map(|((name, recorded), (_, own))| format!("recorded with {name} \"{recorded}\", this is \"{own}\""))
            .collect();
        if !others.is_empty() {
            return Self::NotComparable(others);
        }
        let row = |(name, measured): &(String, u64)| {
            let recorded = record.works.get(name).copied();
            Row {
                name: name.clone(),
                measured: *measured,
                recorded,
                verdict: Verdict::of(*measured, recorded, tolerance(name)),
            }
        };
        Self::Compared(measured.iter().map(row).collect())
    }

    /// The works that take more instructions than they may.
    pub fn failed(&self) -> Vec<&str> {
        match self {
            Self::Compared(rows) => {
                rows.iter().filter(|row| row.verdict == Verdict::More).map(|row| row.name.as_str()).collect()
            }
            Self::NotComparable(_) => Vec::new(),
        }
    }

    /// Whether a work takes more instructions than it may.
    pub fn fails(&self) -> bool {
        !self.failed().is_empty()
    }
}
