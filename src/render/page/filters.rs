//! What templates call: the filters of words, and the escaping of values.

use minijinja::value::Kwargs;
use minijinja::{Output, State, Value, escape_formatter};

use crate::model::text::{escape, escape_html};
use crate::render::words::{self, TextPart};

/// Marks the program's own words on a page in another language.
pub fn word(state: &State<'_, '_>, text: Value) -> Value {
    let html = match text.as_str() {
        Some(html) if text.is_safe() => html.to_owned(),
        Some(plain) => escape(plain),
        None => return text,
    };
    match state.lookup("mark").as_ref().and_then(Value::as_str) {
        None | Some("") => Value::from_safe_string(html),
        Some(mark) => Value::from_safe_string(format!("<span{mark}>{html}</span>")),
    }
}

/// Fills in the parts of a text. Markup in a value that is HTML stays, such as a link.
#[expect(clippy::needless_pass_by_value, reason = "filters get their named arguments so")]
pub fn fill(text: &str, values: Kwargs) -> Result<Value, minijinja::Error> {
    let mut html = String::with_capacity(text.len() + 64);
    for part in words::parts(text) {
        match part {
            TextPart::Text(text) => html.push_str(&escape_html(text)),
            TextPart::Name(name, _) => {
                let value: Value = values.get(name)?;
                let shown = value.to_string();
                html.push_str(&if value.is_safe() { shown } else { escape_html(&shown) });
            }
        }
    }
    Ok(Value::from_safe_string(html))
}

/// Escapes what HTML requires. The default also writes each slash as `&#x2f;`, which some readers that look for feed links do not
/// decode.
pub fn format(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => output.write_str(&escape_html(text)).map_err(minijinja::Error::from),
        _ => escape_formatter(output, state, value),
    }
}
