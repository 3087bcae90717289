//! The values of keys, and their conversion from YAML, TOML and JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use url::Url;

use super::key::Key;
use crate::article::summary;
use crate::model::entry::Person;

/// The value of a key, in any of the notations.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nothing,
    Flag(bool),
    Text(String),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
}

impl Value {
    /// Returns a single text, or the first of a list; `None` if it is blank.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::List(list) => list.first()?.text(),
            _ => None,
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the texts of a list; or a single text, split at semicolons if it has any, otherwise at commas.
    pub fn texts(&self) -> Vec<String> {
        match self {
            // Nested lists, as Hexo has for categories in categories, are one.
            Self::List(list) => {
                let one = |value: &Self| match value {
                    Self::List(_) => value.texts(),
                    other => other.text().map(str::to_owned).into_iter().collect(),
                };
                let mut texts: Vec<String> = Vec::new();
                for text in list.iter().flat_map(one) {
                    let text = without_link(&text).to_owned();
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
                texts
            }
            Self::Text(text) => {
                let sign = if text.contains(';') { ';' } else { ',' };
                text.split(sign).map(|part| without_link(part).to_owned()).filter(|part| !part.is_empty()).collect()
            }
            _ => Vec::new(),
        }
    }

    pub fn people(&self) -> Vec<Person> {
        match self {
            Self::List(list) => list.iter().flat_map(Self::people_of_one).collect(),
            other => other.people_of_one(),
        }
    }

    fn people_of_one(&self) -> Vec<Person> {
        match self {
            Self::Table(fields) => {
                let field = |wanted: &[&str]| field_of(fields, wanted).map(str::to_owned);
                let email = field(&["email", "mail"]).filter(|email| is_email(email));
                let url = field(&["url", "uri", "website", "link"]).and_then(|url| absolute(&url));
                let in_parts = || {
                    let inner = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case("name")).map(|(_, value)| value);
                    name_in_parts(if let Some(Self::Table(inner)) = inner { inner } else { fields })
                };
                let name = field(&["name"]).or_else(in_parts);
                name.map(|name| Person { name, email, url }).into_iter().collect()
            }
            Self::Text(text) => text
                .split(';')
                .flat_map(|part| part.split(" and "))
                .flat_map(at_commas)
                .map(summary::one_line)
                .filter(|name| !name.is_empty())
                .map(|name| person(without_link(&name)))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The text of the first key that is one of these, which are in lower case.
fn field_of<'a>(fields: &'a [(String, Value)], wanted: &[&str]) -> Option<&'a str> {
    let field = fields.iter().find(|(key, _)| wanted.contains(&key.to_ascii_lowercase().as_str()));
    field.and_then(|(_, value)| value.text())
}

/// A name that is written as a table of its parts.
fn name_in_parts(fields: &[(String, Value)]) -> Option<String> {
    const PARTS: [&[&str]; 3] = [
        &["given", "given-names", "first", "firstname", "first_name"],
        &["non-dropping-particle", "dropping-particle", "particle"],
        &["family", "family-names", "last", "lastname", "last_name"],
    ];
    if let Some(whole) = field_of(fields, &["literal"]) {
        return Some(whole.to_owned());
    }
    let parts: Vec<&str> = PARTS.into_iter().filter_map(|names| field_of(fields, names)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The words of a text that is a link to a note: `Ann Lee` of `[[Ann Lee]]` and of `[[people/ann|Ann Lee]]`.
pub fn without_link(text: &str) -> &str {
    let text = text.trim();
    let inside = text.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    inside.map_or(text, |inside| inside.rsplit('|').next().unwrap_or(inside).trim())
}

/// Reads a person: `Ann Lee`, `Ann Lee <ann@a.example>`, `ann@a.example (Ann Lee)`, `Ann Lee (ann@a.example)`.
fn person(text: &str) -> Person {
    let parts = |open: char, close: char| {
        let (before, inside) = text.strip_suffix(close)?.split_once(open)?;
        Some((before.trim().to_owned(), inside.trim().to_owned()))
    };
    let angled = parts('<', '>').map(|(name, place)| (name.trim_matches('"').to_owned(), place));
    let round = || {
        let (before, inside) = parts('(', ')')?;
        Some(if is_email(&before) { (inside, before) } else { (before, inside) })
    };
    let found = angled.or_else(round);
    match found.filter(|(name, _)| !name.is_empty()) {
        Some((name, place)) if is_email(&place) => Person { name, email: Some(place), ..Person::default() },
        Some((name, place)) if absolute(&place).is_some() => {
            Person { name, url: absolute(&place), ..Person::default() }
        }
        _ => Person { name: text.to_owned(), ..Person::default() },
    }
}

/// Splits names: "Ann Lee, Bo Ek" are two people; "Brecht, Bertolt" and "Ann Lee, PhD" are one each.
fn at_commas(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let are_names = parts.iter().all(|part| part.contains(' '));
    if are_names { parts } else { vec![text] }
}

/// Whether a text has the form of an addr-spec (RFC 5322 section 3.4.1) without quoting.
fn is_email(text: &str) -> bool {
    let is_valid = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>()[],;:\\\"@".contains(&byte))
    };
    text.split_once('@').is_some_and(|(local, host)| is_valid(local) && is_valid(host))
}

/// Returns an absolute http or https address in its normal form.
pub fn absolute(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

/// The address of a discussion: an absolute one, or that of a post on Mastodon, which themes state by `host`, `username` and `id`.
pub fn discussion(value: &Value) -> Option<String> {
    if let Value::Table(fields) = value {
        let part = |wanted: &str| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1.text();
        let (host, user, id) = (part("host")?, part("username").or_else(|| part("user"))?, part("id")?);
        return absolute(&format!("https://{host}/@{}/{id}", user.trim_start_matches('@')));
    }
    value.text().and_then(absolute)
}

/// The keys and values of a mapping in order, each value converted as its key requires.
pub struct Fields(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let as_text = Key::of(&name).is_some_and(Key::is_text);
                    let value = if as_text { map.next_value::<TextFirst>()?.0 } else { map.next_value::<Value>()? };
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// The keys and values of a mapping in order, each value unconverted.
pub struct AnyFields(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for AnyFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_map(AnyValue)? {
            Value::Table(fields) => Ok(Self(fields)),
            _ => Err(serde::de::Error::custom("keys and values were expected")),
        }
    }
}

/// A value read as text, so that a plain `007` or `1.10` keeps every character.
struct TextFirst(Value);

impl<'de> Deserialize<'de> for TextFirst {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Optional;
        impl<'de> Visitor<'de> for Optional {
            type Value = TextFirst;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_none<E>(self) -> Result<TextFirst, E> {
                Ok(TextFirst(Value::Nothing))
            }

            fn visit_unit<E>(self) -> Result<TextFirst, E> {
                Ok(TextFirst(Value::Nothing))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<TextFirst, D::Error> {
                deserializer.deserialize_string(AnyValue).map(TextFirst)
            }
        }
        deserializer.deserialize_option(Optional)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = sequence.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        // The toml crate represents dates as a table with a private key.
        match fields.as_slice() {
            [(key, value)] if key.starts_with("$__toml_private") => Ok(value.clone()),
            _ => Ok(Value::Table(fields)),
        }
    }
}
