//! Notebooks of Jupyter (nbformat 4): cells of Markdown and of code, with the output of the code.

mod cell_view;

use serde_json::Value;

use super::markup::fenced;
use crate::article::problem::Problem;
use cell_view::CellView;

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
    let mut view = cells.first().map_or(CellView::WHOLE, |cell| {
        let source = cell.get("source").map(joined).unwrap_or_default();
        cell_view::of_front_matter(if source.trim_start().starts_with("---") { &source } else { "" })
    });
    view.follow_metadata(notebook.get("metadata"));
    let mut markdown = String::new();
    for cell in cells {
        push_cell(&mut markdown, cell, &language, view);
    }
    Ok(markdown)
}

fn push_cell(markdown: &mut String, cell: &Value, language: &str, mut view: CellView) {
    let source = cell.get("source").map(joined).unwrap_or_default();
    let kind = cell.get("cell_type").and_then(Value::as_str).unwrap_or_default();
    let is_first = markdown.is_empty();
    if kind != "code" {
        // Those of the notebook are about code.
        view = CellView::WHOLE;
    }
    view.follow_metadata(cell.get("metadata"));
    // Front matter stands in a raw cell at the top. Others may be for another format, such as LaTeX.
    let format = ["raw_mimetype", "format"].iter().find_map(|key| cell.pointer(&format!("/metadata/{key}"))?.as_str());
    let is_page = is_first || matches!(format, None | Some("" | "text/html" | "text/markdown"));
    match kind {
        "markdown" | "raw" if kind == "markdown" || is_page => {
            let text = view.follow_text(&source).trim_end();
            if view.cell && !text.is_empty() {
                markdown.push_str(text);
                markdown.push_str("\n\n");
            }
        }
        "code" => {
            let code = view.follow_code(&source);
            if !view.cell {
                return;
            }
            if view.code && !code.trim().is_empty() {
                markdown.push_str(&fenced(language, &code));
            }
            let outputs = cell.get("outputs").and_then(Value::as_array).filter(|_| view.output);
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

    fn shown(metadata: &Value, source: &str) -> (bool, bool, String) {
        let outputs = serde_json::json!([{"text": "OUTPUT"}]);
        let cell = serde_json::json!({"cell_type": "code", "metadata": metadata, "source": source, "outputs": outputs});
        let markdown = as_markdown(&serde_json::json!({"cells": [cell]}).to_string()).unwrap();
        (markdown.contains("CODE"), markdown.contains("OUTPUT"), markdown)
    }

    #[test]
    fn directives_in_code_are_obeyed_and_not_shown() {
        for (lines, code, output) in [
            ("#| include: false", false, false),
            ("#| echo: false", false, true),
            ("#| echo: true\n#| output: false", true, false),
            ("#| eval: false", true, false),
            ("#| label: fig-a\n#| fig-cap: \"A\"", true, true),
            ("#| tags: [remove-input, x]", false, true),
            ("//| echo: false", false, true),
            ("%%time\n#| echo: false", false, true),
            ("#hide", false, false),
            ("#| hide", false, false),
            ("#|hide", false, false),
            ("# HIDE", false, false),
            ("# Loads\n#hide_input", false, true),
            ("# hide-output", true, false),
            ("#collapse-show", true, true),
            ("#|export", true, true),
            ("secret = 1 #|hide_line", true, true),
        ] {
            let (has_code, has_output, markdown) = shown(&Value::Null, &format!("{lines}\nCODE"));
            assert_eq!((has_code, has_output), (code, output), "{lines}: {markdown}");
            for part in ["#|", "//|", "hide", "HIDE", "collapse", "secret"] {
                assert!(!markdown.contains(part), "{lines}: {markdown}");
            }
        }
        for source in ["# Hide the axis\nCODE", "x = 1 # hide\nCODE", "#!hide.sh\nCODE", "# |x| is CODE"] {
            assert!(shown(&Value::Null, source).0, "{source}");
        }
    }

    #[test]
    fn tags_and_metadata_of_cells_are_obeyed() {
        use serde_json::json;
        for (metadata, code, output) in [
            (json!({"nbsphinx": "hidden"}), false, false),
            (json!({"tags": ["hide_cell"]}), false, false),
            (json!({"tags": ["hide-cell"]}), false, false),
            (json!({"tags": ["a", "remove_cell"]}), false, false),
            (json!({"tags": ["private"]}), false, false),
            (json!({"tags": ["hide_input"]}), false, true),
            (json!({"tags": ["remove-input"]}), false, true),
            (json!({"tags": ["Remove_Output"]}), true, false),
            (json!({"hide_input": true}), false, true),
            (json!({"jupyter": {"source_hidden": true}}), false, true),
            (json!({"jupyter": {"outputs_hidden": true}}), true, false),
            (json!({"tags": ["parameters"], "hide_input": false}), true, true),
        ] {
            let (has_code, has_output, markdown) = shown(&metadata, "CODE");
            assert_eq!((has_code, has_output), (code, output), "{metadata}: {markdown}");
        }
        let notebook = |front: &str, metadata: Value, text: Value| {
            let cells = json!([{"cell_type": "raw", "source": front}, text, {"cell_type": "code", "source": "CODE", "outputs": [{"text": "OUTPUT"}]}]);
            as_markdown(&json!({"cells": cells, "metadata": metadata}).to_string()).unwrap()
        };
        let text =
            |source: &str, metadata: Value| json!({"cell_type": "markdown", "source": source, "metadata": metadata});
        let all = notebook("---\ntitle: A\nexecute:\n  echo: false\n---", json!({}), text("# Hide\n\nText", json!({})));
        assert!(all.contains("# Hide\n\nText") && all.contains("OUTPUT") && !all.contains("CODE"), "{all}");
        for (source, metadata) in
            [("#hide\nSECRET", json!({})), ("#| hide\nSECRET", json!({})), ("SECRET", json!({"nbsphinx": "hidden"}))]
        {
            let all = notebook("---\ntitle: A\n---", json!({"hide_input": true}), text(source, metadata));
            assert!(!all.contains("SECRET") && !all.contains("CODE") && all.contains("OUTPUT"), "{all}");
        }
    }

    #[test]
    fn other_json_is_no_notebook() {
        for text in ["{}", "[", "{\"cells\": 1}"] {
            assert!(as_markdown(text).unwrap_err().message.starts_with("not a notebook of Jupyter: "), "{text}");
        }
    }
}
