//! Notebooks of Jupyter (nbformat 4): cells of Markdown and of code, with the output of the code.

use serde_json::Value;

use super::markup::fenced;
use crate::article::problem::Problem;

/// Tags of cells that are not shown, or without their code or their output.
const HIDDEN_CELLS: [&str; 3] = ["remove_cell", "remove-cell", "hide-cell"];
const HIDDEN_CODE: [&str; 5] = ["remove_input", "remove-input", "hide_input", "hide-input", "hidecode"];
const HIDDEN_OUTPUT: [&str; 4] = ["remove_output", "remove-output", "hide_output", "hide-output"];

/// Converts a notebook.
///
/// # Errors
/// The file is not a notebook.
pub(super) fn as_markdown(text: &str) -> Result<String, Problem> {
    let not_one = |reason: &str| Problem::of_file(format!("not a notebook of Jupyter: {reason}; save it again"));
    let notebook: Value = serde_json::from_str(text).map_err(|error| not_one(&error.to_string()))?;
    let cells = notebook.get("cells").and_then(Value::as_array).ok_or_else(|| not_one("it has no cells"))?;
    let language = ["/metadata/language_info/name", "/metadata/kernelspec/language"]
        .iter()
        .find_map(|place| notebook.pointer(place)?.as_str())
        .unwrap_or_default();
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut markdown = String::new();
    for cell in cells {
        push_cell(&mut markdown, cell, &language);
    }
    Ok(markdown)
}

fn push_cell(markdown: &mut String, cell: &Value, language: &str) {
    let tags = || cell.pointer("/metadata/tags").and_then(Value::as_array).into_iter().flatten();
    let has = |names: &[&str]| tags().any(|tag| tag.as_str().is_some_and(|tag| names.contains(&tag)));
    let source = cell.get("source").map(joined).unwrap_or_default();
    let kind = cell.get("cell_type").and_then(Value::as_str).unwrap_or_default();
    if has(&HIDDEN_CELLS) || (source.trim().is_empty() && kind != "code") {
        return;
    }
    // Front matter stands in a raw cell at the top. Others may be for another format, such as LaTeX.
    let format = ["raw_mimetype", "format"].iter().find_map(|key| cell.pointer(&format!("/metadata/{key}"))?.as_str());
    let is_shown = markdown.is_empty() || matches!(format, None | Some("" | "text/html" | "text/markdown"));
    match kind {
        "markdown" | "raw" if kind == "markdown" || is_shown => {
            markdown.push_str(source.trim_end());
            markdown.push_str("\n\n");
        }
        "code" => {
            if !has(&HIDDEN_CODE) && !source.trim().is_empty() {
                markdown.push_str(&fenced(language, &source));
            }
            let outputs = cell.get("outputs").and_then(Value::as_array).filter(|_| !has(&HIDDEN_OUTPUT));
            outputs.into_iter().flatten().for_each(|output| push_output(markdown, output));
        }
        _ => {}
    }
}

/// Adds an output: its HTML or Markdown, else its text. Errors of the code are left out.
fn push_output(markdown: &mut String, output: &Value) {
    let data = |kind: &str| output.pointer(&format!("/data/{}", kind.replace('/', "~1"))).map(joined);
    if let Some(html) = data("text/html") {
        // Without blank lines, which would end the block.
        let lines: Vec<&str> = html.lines().filter(|line| !line.trim().is_empty()).collect();
        markdown.push_str(&format!("\n<div>\n{}\n</div>\n\n", lines.join("\n")));
    } else if let Some(text) = data("text/markdown") {
        markdown.push_str(&format!("\n{}\n\n", text.trim()));
    } else if let Some(text) = data("text/plain").or_else(|| output.get("text").map(joined)) {
        let has_picture = ["image/png", "image/jpeg", "image/svg+xml"].iter().any(|kind| data(kind).is_some());
        let is_error_stream = output.get("name").and_then(Value::as_str) == Some("stderr");
        if !has_picture && !is_error_stream && !text.trim().is_empty() {
            markdown.push_str(&fenced("", &text));
        }
    }
}

/// A text that may be stored as a list of lines.
fn joined(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_outputs_are_shown_in_their_order() {
        let notebook = serde_json::json!({
            "nbformat": 4,
            "metadata": {"language_info": {"name": "python"}},
            "cells": [
                {"cell_type": "raw", "source": "---\ntitle: Waves\n---"},
                {"cell_type": "markdown", "source": ["# Waves\n", "\n", "Text."]},
                {"cell_type": "code", "source": ["print(1)\n", "2"], "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": ["1\n"]},
                    {"output_type": "stream", "name": "stderr", "text": "a warning"},
                    {"output_type": "execute_result", "data": {"text/plain": ["2"]}},
                    {"output_type": "display_data", "data": {"text/html": "<b>3</b>\n\n<i>4</i>", "text/plain": "x"}},
                    {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure>"}},
                ]},
                {"cell_type": "code", "metadata": {"tags": ["remove_cell"]}, "source": "secret", "outputs": []},
                {"cell_type": "code", "metadata": {"tags": ["hide-input"]}, "source": "hidden", "outputs": [{"text": "5"}]},
            ],
        });
        let markdown = as_markdown(&notebook.to_string()).unwrap();
        assert!(
            markdown.starts_with("---\ntitle: Waves\n---\n\n# Waves\n\nText.\n\n\n```python\nprint(1)\n2\n```\n"),
            "{markdown}"
        );
        for part in ["```\n1\n```", "```\n2\n```", "<div>\n<b>3</b>\n<i>4</i>\n</div>", "```\n5\n```"] {
            assert!(markdown.contains(part), "{part} in {markdown}");
        }
        for part in ["secret", "hidden", "Figure", "warning", "AAAA"] {
            assert!(!markdown.contains(part), "{part} in {markdown}");
        }
    }

    #[test]
    fn other_json_is_no_notebook() {
        for text in ["{}", "[", "{\"cells\": 1}"] {
            assert!(as_markdown(text).unwrap_err().message.starts_with("not a notebook of Jupyter: "), "{text}");
        }
    }
}
