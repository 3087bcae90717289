//! Keys that keep an article from the public where it comes from: passwords, opt-outs from lists and feeds, pages that are not made,
//! redirects. They are recognised by the words that they consist of, in any case and writing: `hiddenInRss`, `feed-exclude`, `noRSS`.

use super::key::Key;
use super::value::Value;

/// How a key keeps an article from the public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockReason {
    /// Only some readers may read it.
    Restricted,
    /// It is not in lists and feeds.
    Unlisted,
    /// It has no page.
    NotMade,
    /// It only leads to another page.
    Redirect,
}

impl LockReason {
    /// The message about an article that is held by the key `name`.
    pub fn message(self, name: &str) -> String {
        let why = match self {
            Self::Restricted => "restricts who may read this",
            Self::Unlisted => "keeps this out of lists or feeds",
            Self::NotMade => "says that this has no page of its own",
            Self::Redirect => "makes this a pointer to another page, not an article",
        };
        format!("held: `{name}` {why}; remove that key to publish it")
    }
}

/// What a key and its value say about publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Public,
    Held(LockReason),
    /// It may say that the article is not for the public, in words that are not understood.
    Doubtful,
}

/// The meaning of a word within a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Reverses the others: "no", "not".
    Negator,
    /// Says alone that something is not for all: "hidden".
    Hidden,
    /// Says so of what is named with it: "exclude".
    Excluding,
    /// Restricts who may read: "password".
    Restricting,
    /// Says alone that something is public: "listed".
    Public,
    /// Says so of what is named with it: "include".
    Including,
    /// What a page is made by: "render".
    Making,
    /// Where articles are listed: "feed".
    Channel,
    Filler,
}

/// Words that keys consist of, in lower case.
const WORDS: [(Word, &[&str]); 9] = [
    (Word::Negator, &["no", "not", "non", "dont", "do", "never", "without"]),
    (
        Word::Hidden,
        &[
            "hidden",
            "hide",
            "hides",
            "private",
            "unlisted",
            "unlist",
            "unpublished",
            "unpublish",
            "invisible",
            "secret",
            "confidential",
            "nonpublic",
            "draft",
            "wip",
            "deleted",
            "trashed",
            "embargoed",
            "noindexing",
        ],
    ),
    (
        Word::Excluding,
        &[
            "exclude",
            "excluded",
            "excludes",
            "exclusion",
            "ignore",
            "ignored",
            "skip",
            "skipped",
            "omit",
            "omitted",
            "disable",
            "disabled",
            "disallow",
            "remove",
            "removed",
            "suppress",
            "off",
            "out",
            "optout",
        ],
    ),
    (
        Word::Restricting,
        &[
            "password",
            "passwords",
            "passwd",
            "passphrase",
            "passcode",
            "pwd",
            "protected",
            "protect",
            "protection",
            "encrypt",
            "encrypted",
            "encryption",
            "locked",
            "lock",
            "restricted",
            "restrict",
            "paywall",
            "paywalled",
            "premium",
            "membersonly",
            "memberonly",
            "subscribersonly",
            "subscriberonly",
            "friendsonly",
            "familyonly",
            "patronsonly",
            "paidonly",
            "emailonly",
            "membership",
            "internal",
            "loginrequired",
            "requireslogin",
            "requirelogin",
            "requiresauth",
            "authrequired",
        ],
    ),
    (Word::Public, &["public", "published", "publish", "listed", "visible", "enabled", "active"]),
    (
        Word::Including,
        &["show", "shown", "include", "included", "includes", "enable", "allow", "allowed", "list", "add"],
    ),
    (Word::Making, &["render", "rendered", "renderable", "routable"]),
    (
        Word::Channel,
        &[
            "rss",
            "atom",
            "feed",
            "feeds",
            "rssfeed",
            "atomfeed",
            "jsonfeed",
            "syndication",
            "syndicate",
            "syndicated",
            "collections",
            "lists",
            "listing",
            "listings",
            "everywhere",
        ],
    ),
    (
        Word::Filler,
        &[
            "is", "in", "from", "on", "the", "this", "to", "be", "post", "posts", "page", "article", "entry", "note",
            "item", "content", "site", "all", "blog", "dg", "hugo", "eleventy", "jekyll", "zola", "wp", "ghost",
            "hexo",
        ],
    ),
];

/// Tables whose keys count as if they stood outside.
const NAMESPACES: [&str; 16] = [
    "extra",
    "params",
    "custom",
    "options",
    "attributes",
    "page",
    "post",
    "blog",
    "meta",
    "metadata",
    "settings",
    "config",
    "flags",
    "publishing",
    "obsidian",
    "dg",
];
/// Hugo's table of what is made of a page, in its two writings.
const BUILD: [&str; 2] = ["build", "_build"];
/// Keys of addresses to which a page leads. The first has other meanings, too.
const REDIRECTS: [&str; 7] =
    ["redirect", "redirectto", "redirecturl", "redirectlink", "redirecttarget", "redirectexternal", "forwardto"];
/// Keys whose value says how far an article has come.
const STATES: [&str; 9] = [
    "state",
    "stage",
    "workflow",
    "workflowstate",
    "workflowstatus",
    "poststate",
    "publicationstatus",
    "publishstatus",
    "publishstate",
];
/// Values of such keys that keep an article from the public.
const UNFINISHED: [&str; 12] = [
    "draft",
    "hidden",
    "private",
    "skip",
    "pending",
    "unpublished",
    "unlisted",
    "trash",
    "trashed",
    "future",
    "scheduled",
    "wip",
];
const LAYOUTS: [&str; 3] = ["layout", "template", "type"];
/// Keys whose value says who may read.
const AUDIENCES: [&str; 4] = ["access", "audience", "accesslevel", "readaccess"];
/// Words in an unknown key that may say that an article is not for the public.
const DOUBTFUL: [&str; 10] =
    ["hidden", "private", "exclude", "draft", "unlisted", "secret", "password", "encrypt", "confidential", "unpublish"];
/// Parts of keys that concern something else than whether readers see an article.
const HARMLESS: [&str; 11] = [
    "search",
    "sitemap",
    "sidebar",
    "nav",
    "menu",
    "toc",
    "breadcrumb",
    "related",
    "localization",
    "publisher",
    "draftversion",
];

/// Maximum length of a key, in letters.
const MAX_LENGTH: usize = 40;

/// Whether a table of this name has keys that count as if they stood outside.
pub fn is_namespace(name: &str) -> bool {
    NAMESPACES.contains(&letters(name).as_str())
}

/// Whether a key of this name is about publication, whatever its value.
pub fn is_about_publication(name: &str) -> bool {
    let folded = letters(name);
    let listed = REDIRECTS.contains(&folded.as_str()) || AUDIENCES.contains(&folded.as_str());
    listed || BUILD.contains(&name) || words(&folded).is_some_and(|words| has_meaning(&words))
}

/// Whether a key of this name restricts who may read, as `password` does.
pub fn restricts_readers(name: &str) -> bool {
    words(&letters(name)).is_some_and(|words| words.contains(&Word::Restricting))
}

/// Judges a key; `None` if it is not about publication. Keys that [`Key`] knows as marks of a draft are not judged here.
pub fn judge(name: &str, value: &Value) -> Option<Judgement> {
    let folded = letters(name);
    if BUILD.contains(&name.to_ascii_lowercase().as_str()) {
        return build(value);
    }
    if matches!(Key::of(name), Some(Key::Address)) {
        return (value.flag() == Some(false)).then_some(Judgement::Held(LockReason::NotMade));
    }
    if REDIRECTS.contains(&folded.as_str()) {
        return redirect(&folded, value);
    }
    if LAYOUTS.contains(&folded.as_str()) {
        let leads_away = value.text().is_some_and(|text| text.to_ascii_lowercase().starts_with("redirect"));
        return leads_away.then_some(Judgement::Held(LockReason::Redirect));
    }
    if AUDIENCES.contains(&folded.as_str()) {
        return audience(value);
    }
    if STATES.contains(&folded.as_str()) {
        return is_unfinished(value).then_some(Judgement::Held(LockReason::Unlisted));
    }
    match words(&folded) {
        Some(words) if has_meaning(&words) => judge_words(&words, value),
        _ => doubt(&folded, value),
    }
}

/// Whether a value clearly says that an article is not for the public yet, or no longer.
pub fn is_unfinished(value: &Value) -> bool {
    value.text().is_some_and(|text| UNFINISHED.contains(&text.to_ascii_lowercase().as_str()))
}

/// Returns the letters and digits of a name, in lower case; empty if there are too many.
pub fn letters(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if letters.len() > MAX_LENGTH { String::new() } else { letters }
}

/// Divides a key into known words; `None` if it has another.
fn words(folded: &str) -> Option<Vec<Word>> {
    if folded.is_empty() {
        return Some(Vec::new());
    }
    // Longer words first: "unlisted" is not "un" and "listed".
    let mut begins: Vec<(usize, Word)> = WORDS
        .iter()
        .flat_map(|(meaning, words)| words.iter().map(move |word| (*meaning, *word)))
        .filter(|(_, word)| folded.starts_with(word))
        .map(|(meaning, word)| (word.len(), meaning))
        .collect();
    begins.sort_unstable_by_key(|(length, _)| std::cmp::Reverse(*length));
    begins.into_iter().find_map(|(length, meaning)| {
        let mut rest = words(&folded[length..])?;
        rest.insert(0, meaning);
        Some(rest)
    })
}

/// Whether words together say something about publication.
fn has_meaning(words: &[Word]) -> bool {
    let has = |wanted: Word| words.contains(&wanted);
    has(Word::Hidden)
        || has(Word::Restricting)
        || has(Word::Public)
        || has(Word::Making)
        || has(Word::Channel)
        || (has(Word::Excluding) && words.iter().all(|word| matches!(word, Word::Excluding | Word::Filler)))
}

fn judge_words(words: &[Word], value: &Value) -> Option<Judgement> {
    let has = |wanted: Word| words.contains(&wanted);
    let is_reversing = |word: &&Word| matches!(word, Word::Negator | Word::Hidden | Word::Excluding);
    // "do not" is one negation.
    let reversals = words.iter().filter(is_reversing).count()
        - usize::from(words.windows(2).any(|pair| pair == [Word::Negator, Word::Negator]));
    let reason = match () {
        () if has(Word::Restricting) => LockReason::Restricted,
        () if has(Word::Making) => LockReason::NotMade,
        () => LockReason::Unlisted,
    };
    if has(Word::Restricting) {
        return Some(if reversals == 0 && restricts(value) { Judgement::Held(reason) } else { Judgement::Public });
    }
    if let Value::Table(fields) = value {
        return judge_table(words, fields);
    }
    let says_no_if_true = reversals % 2 == 1;
    if says_no_if_true && !has(Word::Channel) && names_channel(value) {
        return Some(Judgement::Held(reason));
    }
    let is_public = match value.flag().or_else(|| negation(value)) {
        Some(flag) => Some(flag != says_no_if_true),
        None if *value == Value::Nothing || value.text().is_none() && !matches!(value, Value::List(_)) => Some(true),
        None => None,
    };
    match is_public {
        Some(true) => Some(Judgement::Public),
        // `exclude: [navigation]`, `hide: [toc]`, `list: of boats`
        None if !has(Word::Channel) && !has(Word::Making) => None,
        // `feed: summary`, `rss: https://example.org/feed`
        None if !says_no_if_true => None,
        Some(false) | None => Some(Judgement::Held(reason)),
    }
}

/// Judges the keys of a table together with its own: `rss: {exclude: true}`.
fn judge_table(outer: &[Word], fields: &[(String, Value)]) -> Option<Judgement> {
    let judgements = fields.iter().filter_map(|(name, value)| {
        let inner = words(&letters(name))?;
        let all: Vec<Word> = outer.iter().copied().chain(inner).collect();
        if matches!(value, Value::Table(_)) { None } else { judge_words(&all, value) }
    });
    let mut is_any = None;
    for judgement in judgements {
        is_any = Some(judgement);
        if matches!(judgement, Judgement::Held(_)) {
            break;
        }
    }
    is_any
}

/// Whether a text or a list names feeds: `exclude: [rss]`.
fn names_channel(value: &Value) -> bool {
    let is_channel = |text: &str| {
        let words = words(&letters(text)).unwrap_or_default();
        words.contains(&Word::Channel) && words.iter().all(|word| matches!(word, Word::Channel | Word::Filler))
    };
    value.texts().iter().any(|text| is_channel(text))
}

/// Reads a word in place of a flag.
fn negation(value: &Value) -> Option<bool> {
    let text = value.text()?.to_ascii_lowercase();
    match text.as_str() {
        "never" | "none" | "null" | "nil" | "skip" | "exclude" | "excluded" | "hidden" | "hide" | "disabled" | "n"
        | "f" => Some(false),
        "always" | "y" | "t" | "enabled" | "visible" => Some(true),
        _ => None,
    }
}

/// Whether the value of a restriction is one: `password: ""` and `encrypted: false` are not.
fn restricts(value: &Value) -> bool {
    match value {
        Value::Nothing | Value::Flag(false) => false,
        Value::Flag(true) => true,
        Value::Text(text) => {
            let text = text.trim().to_ascii_lowercase();
            !matches!(
                text.as_str(),
                "" | "false" | "no" | "off" | "none" | "null" | "nil" | "~" | "n" | "f" | "never" | "disabled"
            )
        }
        Value::List(list) => list.iter().any(restricts),
        Value::Table(fields) => {
            let switch = fields.iter().find(|(name, _)| {
                matches!(
                    letters(name).as_str(),
                    "enable" | "enabled" | "active" | "on" | "use" | "protected" | "encrypt"
                )
            });
            match switch {
                Some((_, value)) => restricts(value),
                None => fields.iter().any(|(_, value)| restricts(value)),
            }
        }
    }
}

/// Hugo's `build: {list: never, render: never}`.
fn build(value: &Value) -> Option<Judgement> {
    let Value::Table(fields) = value else { return None };
    for (name, value) in fields {
        let word = value.text().unwrap_or_default().to_ascii_lowercase();
        let is_off = value.flag() == Some(false);
        match letters(name).as_str() {
            "render" if is_off || matches!(word.as_str(), "never" | "link") => {
                return Some(Judgement::Held(LockReason::NotMade));
            }
            "list" if is_off || matches!(word.as_str(), "never" | "local") => {
                return Some(Judgement::Held(LockReason::Unlisted));
            }
            _ => {}
        }
    }
    Some(Judgement::Public)
}

fn redirect(folded: &str, value: &Value) -> Option<Judgement> {
    let value = match value {
        Value::Table(fields) => {
            let to = fields
                .iter()
                .find(|(name, _)| matches!(letters(name).as_str(), "to" | "url" | "target" | "destination"));
            &to?.1
        }
        value => value,
    };
    let text = value.text().filter(|_| value.flag() != Some(false))?;
    let is_address = text.contains('/') || text.starts_with('#');
    (folded != "redirect" || is_address).then_some(Judgement::Held(LockReason::Redirect))
}

fn audience(value: &Value) -> Option<Judgement> {
    let is_some_only = |text: &String| {
        let text = letters(text);
        let only = [
            "private",
            "member",
            "paid",
            "paying",
            "subscriber",
            "restricted",
            "locked",
            "password",
            "internal",
            "onlypaid",
        ];
        let alike = [
            "protected",
            "secret",
            "hidden",
            "login",
            "loggedin",
            "registered",
            "tiers",
            "patron",
            "friends",
            "onlyfree",
        ];
        only.iter().chain(&alike).any(|word| text.starts_with(word))
    };
    let is_held = value.texts().iter().any(is_some_only);
    is_held.then_some(Judgement::Held(LockReason::Restricted))
}

/// Judges a key that is not understood.
fn doubt(folded: &str, value: &Value) -> Option<Judgement> {
    if HARMLESS.iter().any(|part| folded.contains(part)) {
        return None;
    }
    // `draft_of: 1` is a number.
    let is_number = value.text().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let flag = value.flag().or_else(|| negation(value)).filter(|_| !is_number)?;
    let is_publish = folded.contains("publish") && !folded.contains("unpublish");
    let says_no = if is_publish { !flag } else { flag && DOUBTFUL.iter().any(|word| folded.contains(word)) };
    says_no.then_some(Judgement::Doubtful)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn keys_are_understood_by_their_words() {
        let flag = Value::Flag;
        for (name, value, expected) in [
            ("password", text("secret"), Some(Judgement::Held(LockReason::Restricted))),
            ("password", text("0"), Some(Judgement::Held(LockReason::Restricted))),
            ("password", text(""), Some(Judgement::Public)),
            ("password", Value::Nothing, Some(Judgement::Public)),
            ("encrypted", flag(false), Some(Judgement::Public)),
            ("no_password", flag(true), Some(Judgement::Public)),
            ("hiddenInRss", flag(true), Some(Judgement::Held(LockReason::Unlisted))),
            ("hiddeninrss", flag(false), Some(Judgement::Public)),
            ("noRSS", text("yes"), Some(Judgement::Held(LockReason::Unlisted))),
            ("in_feed", flag(false), Some(Judgement::Held(LockReason::Unlisted))),
            ("in_feed", flag(true), Some(Judgement::Public)),
            ("do-not-publish", flag(true), Some(Judgement::Held(LockReason::Unlisted))),
            ("rss_only", flag(true), None),
            ("feed", text("summary"), None),
            ("render", flag(false), Some(Judgement::Held(LockReason::NotMade))),
            ("exclude", Value::List(vec![text("toc")]), None),
            ("exclude", Value::List(vec![text("toc"), text("RSS feed")]), Some(Judgement::Held(LockReason::Unlisted))),
            ("hidden_comments", flag(true), Some(Judgement::Doubtful)),
            ("publisher", text("Ann"), None),
            ("published_elsewhere", flag(false), Some(Judgement::Doubtful)),
            ("searchHidden", flag(true), None),
            ("show_reading_time", flag(false), None),
            ("layout", text("post"), None),
            ("title", text("private"), None),
        ] {
            assert_eq!(judge(name, &value), expected, "{name}: {value:?}");
        }
    }

    #[test]
    fn a_word_has_one_meaning() {
        let mut all: Vec<&str> = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
