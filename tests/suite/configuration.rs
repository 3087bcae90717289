//! The sample configuration says what the program does.

use gazetted::config::Config;

const SAMPLE: &str = include_str!("../../config/gazetted.toml");

/// The sample with every `#key = value` in force.
fn uncommented() -> String {
    let is_key = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase()) && rest.contains(" = ");
    let line = |line: &'static str| match line.strip_prefix('#') {
        Some(rest) if is_key(rest) => rest,
        _ => line,
    };
    SAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_changes_nothing_as_it_is() {
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

#[test]
fn the_readme_names_every_key() {
    let readme = include_str!("../../README.md");
    let defaults = serde_json::to_value(Config::default()).unwrap();
    for (section, keys) in defaults.as_object().unwrap() {
        for key in keys.as_object().unwrap().keys() {
            assert!(readme.contains(&format!("`{key}`")), "{section}.{key} is not in the README");
        }
    }
}
