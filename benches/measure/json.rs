//! The numbers of a benchmark as JSON, for `-- --json FILE`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{middle, processor, text_argument};

/// The program whose numbers are divided by those of the others.
const OWN: &str = "gazetted";

/// A measured number.
struct Number {
    name: String,
    program: String,
    unit: &'static str,
    values: Vec<f64>,
}

/// The numbers of this run, in order.
static NUMBERS: Mutex<Vec<Number>> = Mutex::new(Vec::new());

fn numbers() -> MutexGuard<'static, Vec<Number>> {
    NUMBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a number of one program: the values of all rounds, or one. Numbers of several programs that are compared have the same name and
/// unit. Nothing is noted without a value.
pub fn record(name: impl Into<String>, program: &str, unit: &'static str, values: impl IntoIterator<Item = f64>) {
    let values: Vec<f64> = values.into_iter().collect();
    if !values.is_empty() {
        numbers().push(Number { name: name.into(), program: program.to_owned(), unit, values });
    }
}

/// Writes all numbers to the file of `--json`, if there is one.
pub fn write(benchmark: &str) {
    let Some(file) = text_argument("--json") else { return };
    let (processor, cores) = processor();
    let numbers = numbers();
    let rows: Vec<Value> = numbers.iter().map(|number| row(number, &numbers)).collect();
    let document = json!({ "benchmark": benchmark, "processor": processor, "cores": cores, "numbers": rows });
    let text = serde_json::to_string_pretty(&document).expect("numbers can be written");
    std::fs::write(&file, text + "\n").unwrap_or_else(|error| panic!("{file}: {error}"));
}

fn row(number: &Number, all: &[Number]) -> Value {
    let Number { name, program, unit, values } = number;
    let value = median(values);
    let mut row = json!({ "name": name, "program": program, "unit": unit, "value": value });
    if values.len() > 1 {
        let (least, most) =
            (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(f64::MIN, f64::max));
        row["spread"] = json!([least, most]);
    }
    let is_own = |other: &&Number| other.program == OWN && other.name == *name && other.unit == *unit;
    if program != OWN
        && value != 0.0
        && let Some(own) = all.iter().find(is_own)
    {
        row["ratio"] = json!(median(&own.values) / value);
    }
    row
}

fn median(values: &[f64]) -> f64 {
    middle(values.iter().copied())
}
