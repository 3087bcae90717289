//! A generated site of any size: Markdown articles with front matter, whose sizes, tags, authors, dates and
//! languages are distributed as on real sites. The same number of articles always gives the same bytes.

// Numbers of this size are exact, and none is negative.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Version of the generator: raised whenever its output changes, so that no old folder is used.
const EDITION: u32 = 1;
/// Tags of the whole site; the first is on about every eighth article, the last on hardly any.
const TAGS: usize = 2_000;
const AUTHORS: usize = 200;
/// First number of articles that arrive later, above those of all sites.
const GUESTS: usize = 100_000_000;
const SECTIONS: [&str; 8] = ["news", "science", "culture", "sport", "politics", "travel", "food", "opinion"];
/// Ratio of the articles in the last year to those in the first.
const GROWTH: f64 = 4.0;
const FIRST_YEAR: u64 = 2005;
const YEARS: f64 = 20.0;
/// Median length of texts, in bytes.
const MEDIAN_LENGTH: f64 = 2_600.0;
/// Standard deviation of the logarithms of lengths.
const SPREAD: f64 = 0.9;
const LENGTHS: (f64, f64) = (200.0, 60_000.0);

/// Words by language, with the percentage of articles in it.
const LANGUAGES: [(&str, usize, &str); 6] = [
    (
        "en",
        62,
        "the of and to in a is that for it was on are with as they at be this from have or by one had not but what all were \
         when we there can an your which their said if do will each about how up out them then she many some so these would \
         other into has more her two like him see time could no make than first been its who now people my made over did down \
         only way find use may water long little very after words called just where most know council river railway market \
         school winter garden engine harbour library budget theatre bridge island weather doctor village court festival",
    ),
    (
        "de",
        12,
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie \
         nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein \
         wurde sei Stadt Fluss Brücke Garten Schule Winter Bahnhof Bücherei Haushalt Theater Insel Wetter Gericht Straße Größe",
    ),
    (
        "fr",
        10,
        "le de un être et à il avoir ne je son que se qui ce dans en du elle au pour pas vous par sur faire plus dire me on mon \
         lui nous comme mais pouvoir avec tout y aller voir bien où sans tu ou leur homme si deux mari moi vouloir te femme \
         ville rivière pont jardin école hiver gare bibliothèque théâtre île météo médecin marché",
    ),
    (
        "es",
        8,
        "el la de que y a en un ser se no haber por con su para como estar tener le lo todo pero más hacer o poder decir este ir \
         otro ese si me ya ver porque dar cuando él muy sin vez mucho saber qué sobre mi alguno mismo yo también hasta año dos \
         ciudad río puente jardín escuela invierno estación biblioteca teatro isla tiempo mercado",
    ),
    (
        "ru",
        5,
        "и в не на я быть он с что а по это она этот к но они мы весь который из у то за свой что весь год от так о для ты же все \
         тот мочь вы человек такой его сказать только или ещё бы себя один как уже до время если сам когда другой город река мост \
         сад школа зима рынок остров погода театр",
    ),
    (
        "ja",
        3,
        "これは 私たちの 町の 新しい 図書館について 昨日 発表された 計画です。 川の 橋が 冬の間に 修理され、 市場は 春に 再び 開かれます。 \
         学校の 庭では 子供たちが 花を 植えました。 天気は よく、 多くの 人が 集まりました。",
    ),
];

/// Reproducible pseudo-random numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn of(article: usize) -> Self {
        Self((article as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x6761_7A65_7474_6564)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// One of `count`, the first far more often than the last (Zipf).
    fn rank(&mut self, count: usize) -> usize {
        let rank = ((count as f64).ln() * self.part()).exp();
        (rank as usize).clamp(1, count) - 1
    }

    /// Normally distributed, with mean 0 and deviation 1.
    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.part().max(f64::MIN_POSITIVE), self.part());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    fn hit(&mut self, of_a_hundred: usize) -> bool {
        self.below(100) < of_a_hundred
    }
}

/// One article of the site.
pub struct Sample {
    /// Path below the folder.
    pub path: PathBuf,
    pub title: String,
    pub text: String,
}

/// The article with a number. Those of a site have numbers from 0.
pub fn sample(number: usize) -> Sample {
    let mut dice = Dice::of(number);
    let (year, date) = date(&mut dice);
    dated(number, &mut dice, year, &date)
}

fn dated(number: usize, dice: &mut Dice, year: u64, date: &str) -> Sample {
    let mut words = Words::of(dice);
    let title = words.title(dice, number);
    let section = SECTIONS[dice.rank(SECTIONS.len())];
    let mut text = format!("---\ntitle: \"{title}\"\ndate: {date}\nauthor: {}\n", author(dice));
    let tags: Vec<String> = (0..dice.below(7)).map(|_| format!("tag {}", dice.rank(TAGS))).collect();
    if !tags.is_empty() {
        text.push_str(&format!("tags: [{}]\n", tags.join(", ")));
    }
    if dice.hit(40) {
        text.push_str(&format!("description: \"{}\"\n", words.sentence(dice)));
    }
    text.push_str("---\n\n");
    let length = (MEDIAN_LENGTH.ln() + SPREAD * dice.normal()).exp().clamp(LENGTHS.0, LENGTHS.1);
    words.body(dice, &mut text, length as usize);
    let path = PathBuf::from(format!("{section}/{year}/{}-article-{number}.md", &date[..10]));
    Sample { path, title, text }
}

/// Year of an article: sites grow, so that more articles are recent than old.
fn date(dice: &mut Dice) -> (u64, String) {
    let age = ((1.0 + dice.part() * (GROWTH * GROWTH - 1.0)).sqrt() - 1.0) / (GROWTH - 1.0);
    let days = (age * YEARS * 365.25) as u64;
    let (year, day) = (FIRST_YEAR + days / 366, days % 366);
    let (month, day) = (day / 31 + 1, day % 31 % 28 + 1);
    let (hour, minute, second) = (dice.below(24), dice.below(60), dice.below(60));
    (year, format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

fn author(dice: &mut Dice) -> String {
    const FIRST: [&str; 10] = ["Ann", "Ben", "Chloé", "Dieter", "Elif", "Fumiko", "Gustavo", "Hana", "Ivan", "Jorge"];
    const LAST: [&str; 20] = [
        "Abbot", "Becker", "Costa", "Dubois", "Evans", "Fischer", "García", "Hughes", "Ito", "Jansen", "Kovač", "Lee",
        "Müller", "Novak", "Olsen", "Petrov", "Quinn", "Rossi", "Silva", "Tanaka",
    ];
    let rank = dice.rank(AUTHORS);
    format!("{} {}", FIRST[rank % FIRST.len()], LAST[rank / FIRST.len() % LAST.len()])
}

struct Words {
    words: Vec<&'static str>,
}

impl Words {
    fn of(dice: &mut Dice) -> Self {
        let mut left = dice.below(100);
        for (_, share, words) in LANGUAGES {
            if left < share {
                return Self { words: words.split_whitespace().collect() };
            }
            left -= share;
        }
        unreachable!("the shares make a hundred")
    }

    fn word(&self, dice: &mut Dice) -> &'static str {
        // Every second word is one of the most frequent, as in any language.
        if dice.hit(50) { self.words[dice.rank(self.words.len())] } else { self.words[dice.below(self.words.len())] }
    }

    fn title(&mut self, dice: &mut Dice, number: usize) -> String {
        let words: Vec<&str> = (0..4 + dice.below(5)).map(|_| self.word(dice)).collect();
        format!("{} {number}", capital(&words.join(" ")))
    }

    fn sentence(&self, dice: &mut Dice) -> String {
        let words: Vec<&str> = (0..6 + dice.below(16)).map(|_| self.word(dice)).collect();
        format!("{}.", capital(&words.join(" ")))
    }

    /// Paragraphs, lists, links, pictures and code.
    fn body(&mut self, dice: &mut Dice, text: &mut String, length: usize) {
        let end = text.len() + length;
        while text.len() < end {
            match dice.below(24) {
                0 | 1 => text.push_str(&format!("## {}", capital(&self.sentence(dice)))),
                2 => (0..3 + dice.below(4)).for_each(|_| text.push_str(&format!("- {}\n", self.sentence(dice)))),
                3 => text.push_str(&format!("> {}\n> {}", self.sentence(dice), self.sentence(dice))),
                4 => text.push_str(&format!(
                    "![{}](https://media.example.org/{}.jpg)",
                    self.word(dice),
                    dice.below(9_999)
                )),
                5 if dice.hit(30) => {
                    let (one, other) = (dice.below(99), dice.below(99));
                    text.push_str(&format!("```rust\nfn main() {{\n    println!(\"{{}}\", {one} < {other});\n}}\n```"));
                }
                _ => self.paragraph(dice, text),
            }
            text.push_str("\n\n");
        }
    }

    fn paragraph(&self, dice: &mut Dice, text: &mut String) {
        for _ in 0..2 + dice.below(5) {
            match dice.below(12) {
                0 => text.push_str(&format!("*{}* ", self.sentence(dice))),
                1 => text.push_str(&format!("**{}** {} ", self.word(dice), self.sentence(dice))),
                2 => text.push_str(&format!(
                    "[{}](https://www.example.org/{}/{}) {} ",
                    self.word(dice),
                    SECTIONS[dice.below(8)],
                    dice.below(99_999),
                    self.sentence(dice)
                )),
                _ => text.push_str(&format!("{} ", self.sentence(dice))),
            }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The folder of a site with `articles` articles below `directory`, generated if it is missing: a large one takes minutes, and is
/// used again in the next run.
pub fn folder(directory: &Path, articles: usize) -> PathBuf {
    let whole = directory.join(format!("site-{articles}-{EDITION}"));
    if whole.is_dir() {
        return whole;
    }
    let part = directory.join(format!("site-{articles}.part"));
    let _ = fs::remove_dir_all(&part);
    for section in SECTIONS {
        for year in 0..=YEARS as u64 {
            fs::create_dir_all(part.join(section).join((FIRST_YEAR + year).to_string())).expect("a folder can be made");
        }
    }
    for number in 0..articles {
        let Sample { path, text, .. } = sample(number);
        fs::write(part.join(path), text).expect("a file can be written");
    }
    // Only a complete folder gets the name.
    fs::rename(&part, &whole).expect("a folder can be renamed");
    // A file younger than two seconds may change again without a change of its time stamps.
    std::thread::sleep(Duration::from_secs(3));
    whole
}

/// An article that arrives while a benchmark runs, newer than all others. Dropping it removes the file.
pub struct Guest {
    file: PathBuf,
    pub title: String,
}

impl Guest {
    /// Writes and closes the file.
    pub fn arrives(site: &Path, number: usize) -> Self {
        // Earlier runs may have left others.
        let number = number + std::process::id() as usize * 1_000 + GUESTS;
        let Sample { title, text, .. } = sample(number);
        let now = format!("date: {}\n", chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ"));
        let dated = |line| if str::starts_with(line, "date: ") { now.as_str() } else { line };
        let text: String = text.split_inclusive('\n').map(dated).collect();
        let file = site.join(SECTIONS[number % SECTIONS.len()]).join(format!("{FIRST_YEAR}/guest-{number}.md"));
        fs::write(&file, text).expect("a file can be written");
        Self { file, title }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}
