//! The comparison of instructions with recorded ones, which `benches/instructions` prints and CI fails by.

// Not all of it is used here.
#[allow(dead_code)]
#[path = "../../benches/instructions/record.rs"]
mod record;

use record::{Comparison, Record, Records, Toolchain, Verdict};

fn toolchain(rustc: &str) -> Toolchain {
    Toolchain {
        rustc: rustc.to_owned(),
        cc: "cc 12.2".to_owned(),
        libc: "glibc 2.36".to_owned(),
        valgrind: "valgrind-3.19.0".to_owned(),
        processor: "x86_64 with AVX2".to_owned(),
    }
}

fn record(works: &[(&str, u64)]) -> Record {
    let works = works.iter().map(|(name, instructions)| ((*name).to_owned(), *instructions)).collect();
    Record { toolchain: toolchain("rustc 1.95.0"), works }
}

#[test]
fn a_work_fails_above_three_per_cent() {
    for (measured, verdict) in [
        (969, Verdict::Fewer),
        (970, Verdict::Within),
        (1_000, Verdict::Within),
        (1_030, Verdict::Within),
        (1_031, Verdict::More),
        (u64::MAX, Verdict::More),
        (0, Verdict::Fewer),
    ] {
        assert_eq!(Verdict::of(measured, Some(1_000), record::tolerance("read")), verdict, "{measured}");
    }
    assert_eq!(Verdict::of(1_000, None, 3), Verdict::NotRecorded);
    assert_eq!(Verdict::of(1_000, Some(0), 3), Verdict::NotRecorded);

    let recorded = record(&[("read", 1_000), ("feeds", 1_000), ("import-1000", 1_000)]);
    let fails = |works: &[(&str, u64)]| {
        let measured: Vec<(String, u64)> = works.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Comparison::of(Some(&recorded), &toolchain("rustc 1.95.0"), &measured).fails()
    };
    assert!(!fails(&[("read", 1_030), ("feeds", 500), ("new", 9_000)]));
    assert!(!fails(&[("import-1000", 1_060)]) && fails(&[("import-1000", 1_061)]), "threads take turns");
    assert!(fails(&[("read", 500), ("feeds", 1_040), ("import-1000", 500)]), "one work does not make up for another");
}

#[test]
fn instructions_of_another_toolchain_are_not_compared() {
    let recorded = record(&[("read", 1_000)]);
    let measured = [("read".to_owned(), 9_000)];
    let other = Comparison::of(Some(&recorded), &toolchain("rustc 1.96.0"), &measured);
    let reason = "recorded with rustc \"rustc 1.95.0\", this is \"rustc 1.96.0\"".to_owned();
    assert_eq!(other, Comparison::NotComparable(vec![reason]));
    assert!(!other.fails());
    let unrecorded = Comparison::of(None, &toolchain("rustc 1.95.0"), &measured);
    assert!(!unrecorded.fails() && matches!(unrecorded, Comparison::NotComparable(_)));
    assert!(Comparison::of(Some(&recorded), &toolchain("rustc 1.95.0"), &measured).fails(), "the same one is");
}

#[test]
fn a_record_has_numbers_of_one_toolchain() {
    let mut records = Records::from([("dev".to_owned(), record(&[("read", 1_000), ("feeds", 1_000)]))]);
    let measured = [("read".to_owned(), 900)];
    Record::update(&mut records, "dev", &toolchain("rustc 1.95.0"), &measured);
    assert_eq!(records["dev"], record(&[("read", 900), ("feeds", 1_000)]));
    let newer = toolchain("rustc 1.96.0");
    Record::update(&mut records, "dev", &newer, &measured);
    assert_eq!(records["dev"], Record { toolchain: newer, works: record(&[("read", 900)]).works });
}

#[test]
fn the_record_has_every_work_of_the_tests_profile() {
    let records: Records = toml::from_str(include_str!("../../benches/instructions/recorded.toml")).unwrap();
    let works: Vec<&str> = records["dev"].works.keys().map(String::as_str).collect();
    assert_eq!(works, ["feeds", "import-1000", "not-modified", "publish", "read"]);
}
