//! Errors of the TOML parser and of serde in the terms of the configuration file.

/// Starts of messages, and their replacements.
const STARTS: [(&str, &str); 4] = [
    ("unknown field `", "unknown key `"),
    ("unknown variant `", "unknown value `"),
    ("invalid type: sequence,", "invalid type: list,"),
    ("invalid type: map,", "invalid type: table or date,"),
];
/// Descriptions of an expected value at the end of a message, and their replacements.
const EXPECTED: [(&str, &str); 4] = [
    ("a sequence", "a list"),
    ("path string", "a string"),
    ("usize", "a whole number, 0 or more"),
    ("a map", "a table"),
];
/// Starts of messages about a value of another type in place of one of a few words.
const WORD_EXPECTED: [&str; 2] = ["wanted string or table", "wanted exactly 1 element"];

/// Replaces the terms of Rust and of its crates in a message. Only its start and its end are changed: the middle may quote the
/// file.
pub fn in_plain_words(message: &str) -> String {
    let message = message.replace('\n', " ");
    if WORD_EXPECTED.iter().any(|start| message.starts_with(start)) {
        return "invalid type, expected a string".to_owned();
    }
    // The toml crate represents a date as a table with this key.
    if message.starts_with("unknown field `$__toml_private") {
        return "invalid type: date, expected a table".to_owned();
    }
    let start = STARTS.iter().find_map(|(old, new)| Some(format!("{new}{}", message.strip_prefix(old)?)));
    let message = start.unwrap_or(message);
    let end = EXPECTED.iter().find_map(|(old, new)| {
        let before = message.strip_suffix(old)?.strip_suffix(", expected ")?;
        Some(format!("{before}, expected {new}"))
    });
    end.unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// Names of Rust, serde and the toml crate that say nothing to an operator.
    const TERMS: [&str; 11] =
        ["struct", "enum", "usize", "u64", "sequence", "map", "variant", "field", "wanted", "private", "element"];

    fn error(text: &str) -> Option<String> {
        Config::parse(text, "g.toml").err().map(|error| error.to_string())
    }

    #[test]
    fn no_error_names_a_type_of_the_program() {
        let defaults = serde_json::to_value(Config::default()).unwrap();
        let wrong =
            ["3", "-1", "\"?\"", "true", "[]", "[3]", "1.5", "{}", "{ x = 1 }", "1979-05-27", "9999999999999999999"];
        let mut texts = vec!["[site.author]\nname = 3".to_owned(), "[site.author]\nx = 1".to_owned()];
        for (section, keys) in defaults.as_object().unwrap() {
            texts.extend(wrong.map(|value| format!("{section} = {value}")));
            for key in keys.as_object().unwrap().keys() {
                texts.extend(wrong.map(|value| format!("[{section}]\n{key} = {value}")));
            }
        }
        let errors: Vec<(String, String)> = texts.into_iter().filter_map(|text| Some((error(&text)?, text))).collect();
        assert!(errors.len() > 200, "only {} values are refused", errors.len());
        for (error, text) in errors {
            let mut words = error.split(|c: char| !c.is_alphanumeric());
            assert!(!words.any(|word| TERMS.contains(&word) || word.ends_with("Config")), "{text}: {error}");
        }
    }

    #[test]
    fn messages_say_what_is_expected() {
        for (text, expected) in [
            ("[site]\ntitel = \"A\"", "g.toml:2: unknown key `titel`, expected one of `title`, "),
            ("[feed]\ncontent = \"half\"", "g.toml:2: unknown value `half`, expected `full` or `summary`"),
            ("[feed]\ncontent = 3", "g.toml:2: invalid type, expected a string"),
            (
                "[feed]\nentries = \"many\"",
                "g.toml:2: invalid type: string \"many\", expected a whole number, 0 or more",
            ),
            ("[feed]\nentries = -1", "g.toml:2: invalid value: integer `-1`, expected a whole number, 0 or more"),
            (
                "[site]\nauthor = \"Ann\"",
                "g.toml:2: invalid type: string \"Ann\", expected a table such as { name = \"Ann\" }",
            ),
            ("[site]\nauthor = 1979-05-27", "g.toml:2: invalid type: date, expected a table"),
            ("site = 3", "g.toml:1: invalid type: integer `3`, expected a section [site]"),
            ("[articles]\nexclude = \"*.md\"", "g.toml:2: invalid type: string \"*.md\", expected a list"),
            ("[articles]\ndirectory = []", "g.toml:2: invalid type: list, expected a string"),
        ] {
            let error = error(text).unwrap();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
