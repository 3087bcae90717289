//! Bytes -> article, with the invariants of any file. The first byte chooses the format, the rest is the
//! file. From the root of the repository, on the stable toolchain:
//!
//! ```sh
//! cargo install cargo-fuzz && mkdir -p tests/fuzz/corpus && cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none article tests/fuzz/corpus tests/corpus -- -max_total_time=600 -timeout=5 -max_len=65536
//! ```
//!
//! Findings stay in `tests/fuzz/corpus` and `tests/fuzz/artifacts`, which git ignores. An input worth
//! keeping is minimised (`cargo fuzz tmin`) and put into `tests/corpus`, which every test run reads.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../suite/invariants.rs"]
mod invariants;

fuzz_target!(|bytes: &[u8]| invariants::check(bytes));
