//! Searches for inputs that cost more than their size, by mutation and selection for processor time per byte.
//!
//! `cargo bench --bench slow_inputs -- --seconds 600 --bytes 65536 --seed 1`
//!
//! Prints the worst shapes of each kind with their times at one, two and four times the size, and the exponent: 1 is linear, 2 is
//! quadratic. The inputs are in `target/tmp/slow-inputs`; `current` is the one being read, for a search that hangs.

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

#[path = "../measure/mod.rs"]
mod measure;
mod random;
mod shape;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gazetted::article::address::Addresses;
use gazetted::article::front_matter::inherited::Inherited;
use gazetted::article::{Rules, Verdict, html, read_file};
use gazetted::config::{Articles, Config};
use gazetted::folder::{Folder, SourceFormat};
use measure::{argument, machine};
use random::Random;
use shape::{Kind, Shape};
use url::Url;

/// Number of shapes of a kind that survive a round.
const SURVIVORS: usize = 40;
/// Shapes of the same fragments that survive a round.
const ALIKE: usize = 2;
/// Number of shapes of each kind that are reported.
const REPORTED: usize = 4;
/// An input that takes so long in a smaller size is not tried in full size.
const SLOW: Duration = Duration::from_millis(500);

/// The reader of a folder in which each input is written.
struct Bench {
    folder: Folder,
    directory: PathBuf,
    rules: Rules,
    permalink: Url,
}

/// The processor time of an input, and the part of its way that it came to.
#[derive(Debug, Clone, Copy)]
struct Cost {
    read: Duration,
    sanitise: Duration,
    verdict: &'static str,
}

impl Cost {
    fn total(self) -> Duration {
        self.read + self.sanitise
    }
}

impl Bench {
    fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(&directory).expect("a folder");
        let articles = Articles { directory: directory.clone(), ..Articles::default() };
        let folder = Folder::open(&articles).expect("a folder");
        let rules = Rules::new(&Config::default().articles, &Config::default().site);
        Self { folder, directory, rules, permalink: Url::parse("https://site.example/articles/a").expect("an address") }
    }

    /// Reads an input as the daemon does.
    fn cost(&self, shape: &Shape, size: usize) -> Cost {
        let (bytes, name) = (shape.input(size), shape.kind.file_name());
        let format = match shape.kind {
            Kind::Html => SourceFormat::Html,
            Kind::Markdown | Kind::FrontMatter(_) => SourceFormat::Markdown,
            Kind::Text => SourceFormat::Text,
            Kind::Recording(_) => SourceFormat::Audio,
        };
        if format == SourceFormat::Audio {
            fs::write(self.directory.join(name), &bytes).expect("a file");
        }
        let begun = processor_time();
        let reading = read_file(&self.folder, &bytes, Path::new(name), format, &Inherited::default(), &self.rules);
        let read = processor_time().saturating_sub(begun);
        let begun = processor_time();
        let verdict = match &reading.verdict {
            Verdict::Publish(article) => {
                let safe = html::sanitise(&article.html, &Addresses::of_page(&self.permalink));
                let count = html::pictures(&safe).len()
                    + html::addresses(&safe).count()
                    + html::outline(&safe).paragraphs.len();
                if count > usize::MAX / 2 { "impossible" } else { "published" }
            }
            Verdict::Broken(_) => "refused",
            Verdict::Draft(..) | Verdict::Withheld(..) => "draft",
            Verdict::Bio(_) => "bio",
            Verdict::Empty => "empty",
        };
        Cost { read, sanitise: processor_time().saturating_sub(begun), verdict }
    }

    /// The better of two costs in full size. A slow input is measured in a smaller size, as if its time were linear.
    fn fitness(&self, shape: &Shape, size: usize) -> f64 {
        // For a search that hangs.
        fs::write(self.directory.join("current"), shape.line()).expect("a file");
        let small = self.cost(shape, size / 8).total();
        if small > SLOW {
            return small.as_secs_f64() / (size / 8) as f64;
        }
        let first = self.cost(shape, size).total();
        let best = if first < SLOW { first.min(self.cost(shape, size).total()) } else { first };
        best.as_secs_f64() / size as f64
    }

    /// Removes the fragments without which a shape costs nearly as much.
    fn simplified(&self, mut shape: Shape, mut fitness: f64, size: usize) -> (Shape, f64) {
        for _ in 0..20 {
            let mut simpler = shape.simpler().into_iter().map(|simpler| (self.fitness(&simpler, size), simpler));
            let Some((cost, next)) = simpler.find(|(cost, _)| *cost > fitness * 0.85) else { break };
            (shape, fitness) = (next, cost);
        }
        (shape, fitness)
    }

    fn report(&self, shape: &Shape, fitness: f64, size: usize) -> String {
        let costs = [size, 2 * size, 4 * size].map(|size| {
            let cost = self.cost(shape, size);
            if cost.total() < SLOW && self.cost(shape, size).total() < cost.total() {
                self.cost(shape, size)
            } else {
                cost
            }
        });
        let seconds = costs.map(|cost| cost.total().as_secs_f64().max(1e-6));
        let exponent = (seconds[2] / seconds[0]).log2() / 2.0;
        let Cost { read, sanitise, verdict } = costs[2];
        format!(
            "{:>8.1} ns/B {:>8.1} {:>8.1} {:>8.1} ms  n^{exponent:.2}  {verdict} (read {:.1}, sanitise {:.1})  {}",
            fitness * 1e9,
            seconds[0] * 1e3,
            seconds[1] * 1e3,
            seconds[2] * 1e3,
            read.as_secs_f64() * 1e3,
            sanitise.as_secs_f64() * 1e3,
            shape.line()
        )
    }
}

/// Processor time of this thread. The kernel brings the number up to date when the thread yields.
fn processor_time() -> Duration {
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("statistics of the scheduler");
    let nanoseconds = text.split_whitespace().next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The shapes of one kind that have cost most.
struct Island {
    kind: Kind,
    vocabulary: Vec<Vec<u8>>,
    /// Fragments that have not been tried alone.
    untried: Vec<Shape>,
    shapes: Vec<(f64, Shape)>,
}

impl Island {
    fn new(kind: Kind) -> Self {
        let vocabulary = words::words(kind);
        let alone = vocabulary.iter().map(|word| Shape::of(kind, vec![word.clone()], Vec::new()));
        let untried = alone.collect();
        Self { kind, vocabulary, untried, shapes: Vec::new() }
    }

    fn candidate(&mut self, random: &mut Random) -> Shape {
        if let Some(shape) = self.untried.pop() {
            return shape;
        }
        if self.shapes.is_empty() || random.below(8) == 0 {
            return Shape::random(self.kind, random);
        }
        // The smaller of two numbers: the worst shapes have more children.
        let mut pick = || random.below(self.shapes.len()).min(random.below(self.shapes.len()));
        let (one, other) = (pick(), pick());
        self.shapes[one].1.mutated(&self.shapes[other].1, random, &self.vocabulary)
    }

    fn add(&mut self, fitness: f64, shape: Shape) {
        let family = shape.family();
        if self.shapes.iter().any(|(_, other)| *other == shape) {
            return;
        }
        let place = self.shapes.partition_point(|(other, _)| *other > fitness);
        self.shapes.insert(place, (fitness, shape));
        let mut alike = 0;
        self.shapes.retain(|(_, other)| {
            alike += usize::from(other.family() == family);
            other.family() != family || alike <= ALIKE
        });
        self.shapes.truncate(SURVIVORS);
    }
}

fn main() {
    let (seconds, size, seed) = (argument("--seconds", 60), argument("--bytes", 64 << 10), argument("--seed", 1));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("slow-inputs");
    let bench = Bench::new(directory);
    let mut random = Random::new(seed);
    // The kinds with the most code behind them are tried most often.
    let only = std::env::args().skip_while(|argument| argument != "--kind").nth(1).unwrap_or_default();
    let kinds = Kind::ALL.into_iter().filter(|kind| format!("{kind:?}").contains(&only));
    let mut islands: Vec<Island> = kinds.map(Island::new).collect();
    let end = Instant::now() + Duration::from_secs(seconds as u64);
    let mut tried = 0_usize;
    while Instant::now() < end {
        for (index, island) in islands.iter_mut().enumerate() {
            for _ in 0..if index < 3 { 8 } else { 2 } {
                let shape = island.candidate(&mut random);
                let mut fitness = bench.fitness(&shape, size);
                tried += 1;
                // On a busy machine, a single measurement may be several times too long.
                for _ in 0..2 {
                    if island.shapes.get(SURVIVORS / 4).is_none_or(|(other, _)| fitness > *other) {
                        fitness = fitness.min(bench.fitness(&shape, size));
                    }
                }
                let is_worst = island.shapes.first().is_none_or(|(worst, _)| fitness > *worst * 1.5);
                if is_worst && fitness > 1e-6 {
                    eprintln!("{:>8.1} ns/B {}", fitness * 1e9, shape.line());
                }
                island.add(fitness, shape);
            }
        }
    }
    println!("{tried} inputs of {size} bytes in {seconds} s, seed {seed}, {}", machine());
    for island in islands {
        let mut reported: Vec<Shape> = Vec::new();
        for (fitness, shape) in island.shapes {
            let (shape, fitness) = bench.simplified(shape, fitness, size);
            if !reported.iter().any(|other| other.family() == shape.family()) {
                println!("{}", bench.report(&shape, fitness, size));
                reported.push(shape);
            }
            if reported.len() == REPORTED {
                break;
            }
        }
    }
}
