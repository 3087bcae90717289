//! The sample configuration equals the program's defaults.

use gazetted::config::Config;

const SAMPLE: &str = include_str!("../../config/gazetted.toml");

/// The sample with every `#key = value` uncommented.
fn uncommented() -> String {
    let is_key = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains(" = ");
    let line = |line: &'static str| match line.strip_prefix('#') {
        Some(rest) if is_key(rest) => rest,
        _ => line,
    };
    SAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_equals_the_defaults() {
    assert_eq!(Config::parse(SAMPLE, "sample").unwrap(), Config::default());
}

#[test]
fn the_sample_shows_every_key_with_its_default() {
    let config = Config::parse(&uncommented(), "sample").unwrap();
    assert_eq!(config, Config::default());
    let written: toml::Table = toml::from_str(&uncommented()).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    for (section, keys) in defaults.as_object().unwrap() {
        for (key, default) in keys.as_object().unwrap() {
            let shown = written.get(section).and_then(|section| section.get(key)).is_some();
            // A key that is unset by default cannot be shown with its default: it is shown as `## key = "example"`.
            let example = format!("\n## {key} = ");
            assert!(shown || (default.is_null() && SAMPLE.contains(&example)), "{section}.{key} is not in the sample");
        }
    }
}

#[test]
fn the_examples_of_unset_keys_are_valid() {
    let text = SAMPLE.replace("\n## ", "\n");
    let config = Config::parse(&text, "sample").unwrap();
    assert!(config.site.base_url.is_some() && config.state.directory.is_some() && config.site.authority.is_some());
}

/// Keys of the tables in docs/configuration.md, by section, with the default of each as TOML; `None` for "unset".
fn documented() -> Vec<(String, String, Option<toml::Value>)> {
    let paper = include_str!("../../docs/configuration.md");
    let mut section = "";
    let mut keys = Vec::new();
    for line in paper.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.trim_matches(['`', '[', ']']);
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = |cell: &str| cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).map(str::to_owned);
        let (["", key, default, _, _, ""], true) = (cells.as_slice(), line.starts_with("| `")) else { continue };
        let default = name(default).map(|text| {
            let table: toml::Table = toml::from_str(&format!("value = {text}")).unwrap();
            table["value"].clone()
        });
        keys.push((section.to_owned(), name(key).unwrap(), default));
    }
    keys
}

#[test]
fn the_paper_lists_every_key_with_its_default() {
    let mut config = toml::Table::new();
    let mut unset = Vec::new();
    for (section, key, default) in documented() {
        let table = config.entry(section.clone()).or_insert(toml::Value::Table(toml::Table::new()));
        match default {
            Some(default) => drop(table.as_table_mut().unwrap().insert(key, default)),
            None => unset.push((section, key)),
        }
    }
    assert_eq!(Config::parse(&config.to_string(), "docs/configuration.md").unwrap(), Config::default());
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let mut keys = 0;
    for (section, values) in defaults.as_object().unwrap() {
        for (key, default) in values.as_object().unwrap() {
            let is_unset = unset.contains(&(section.clone(), key.clone()));
            let is_set = config.get(section).is_some_and(|table| table.get(key).is_some());
            assert!(
                if default.is_null() { is_unset } else { is_set },
                "{section}.{key} is not in docs/configuration.md"
            );
            keys += 1;
        }
    }
    assert_eq!(documented().len(), keys, "docs/configuration.md lists keys that do not exist");
}
