//! What is shown of a cell, by its tags and metadata and by directives in its code: those of Jupyter Book, nbconvert, nbsphinx, Quarto, nbdev
//! and fastpages.

use serde_json::Value;

/// Beginnings of lines with options of Quarto and nbdev, in different languages.
const OPTION_MARKS: [&str; 6] = ["#|", "# | ", "//|", "--|", "%%|", ";|"];

/// The parts of a cell that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellView {
    pub cell: bool,
    pub code: bool,
    pub output: bool,
}

impl CellView {
    pub(super) const WHOLE: Self = Self { cell: true, code: true, output: true };

    /// Follows a tag, a directive or the like, in any spelling. Returns false if it is another one.
    fn follow(&mut self, name: &str) -> bool {
        let name = name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        match name.as_str() {
            "hide" | "hidden" | "hide-cell" | "remove-cell" | "remove" | "exclude" | "noexport" | "private"
            | "secret" | "draft" | "no-show" => self.cell = false,
            "hide-input" | "remove-input" | "hide-code" | "hidecode" | "hideinput" | "remove-code" | "noecho"
            | "no-echo" => self.code = false,
            "hide-output" | "remove-output" | "hide-outputs" | "remove-outputs" | "hideoutput" => self.output = false,
            "collapse" | "collapse-hide" | "collapse-show" | "collapse-output" | "collapse-input" | "export"
            | "exports" | "exporti" => {}
            _ => return false,
        }
        true
    }

    /// Follows an option of Quarto, `echo: false`.
    pub(super) fn follow_option(&mut self, name: &str, value: &str) {
        let value = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        let is_off = matches!(value.as_str(), "false" | "no" | "off" | "0" | "hide" | "hidden" | "none");
        match name.trim() {
            "include" => self.cell &= !is_off,
            "echo" => self.code &= !is_off,
            "output" | "eval" | "results" => self.output &= !is_off,
            "tags" => {
                for tag in value.split(['[', ']', ',', '"', '\'', ' ']) {
                    self.follow(tag);
                }
            }
            _ if !is_off => {
                self.follow(name);
            }
            _ => {}
        }
    }

    /// Follows the tags and the metadata of a cell or of the notebook.
    pub(super) fn follow_metadata(&mut self, metadata: Option<&Value>) {
        let Some(metadata) = metadata else { return };
        for tag in metadata.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            self.follow(tag);
        }
        let is_true = |place: &str| metadata.pointer(place).is_some_and(|value| *value == Value::Bool(true));
        self.cell &= metadata.get("nbsphinx").and_then(Value::as_str) != Some("hidden") && !is_true("/hide_cell");
        self.code &= !(is_true("/hide_input") || is_true("/jupyter/source_hidden"));
        self.output &= !(is_true("/hide_output") || is_true("/jupyter/outputs_hidden"));
    }

    /// Follows the directives in the code of a cell, and returns the code without them.
    pub(super) fn follow_code(&mut self, code: &str) -> String {
        let mut is_top = true;
        let is_shown = |line: &&str| {
            let text = line.trim();
            let option = OPTION_MARKS
                .iter()
                .find_map(|mark| text.strip_prefix(mark))
                .filter(|_| is_top || text.starts_with("#|"));
            let is_comment = text.starts_with('#');
            is_top &= text.is_empty() || is_comment || option.is_some() || text.starts_with("%%");
            if let Some(option) = option {
                let (name, value) = option.split_once(':').unwrap_or((option, "true"));
                self.follow_option(name, value);
                return false;
            }
            let is_directive = is_comment && self.follow(text.trim_start_matches('#'));
            let is_hidden = text.ends_with("#|hide_line") || text.ends_with("#| hide_line");
            !is_directive && !is_hidden
        };
        let lines: Vec<&str> = code.lines().filter(is_shown).collect();
        lines.join("\n").trim_matches('\n').to_owned()
    }

    /// Follows a directive in the first line of a cell of text, and returns the text without it.
    pub(super) fn follow_text<'a>(&mut self, text: &'a str) -> &'a str {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        // `# Hide` is a heading.
        let directive = first.trim().strip_prefix('#').filter(|name| !name.starts_with([' ', '#']));
        let directive = directive.map(|name| name.trim_start_matches('|'));
        if directive.is_some_and(|name| self.follow(name)) { rest } else { text }
    }
}

/// The view that the front matter of a notebook gives all cells: `execute:` with options of Quarto.
pub(super) fn of_front_matter(text: &str) -> CellView {
    let mut view = CellView::WHOLE;
    let below = text.lines().skip_while(|line| line.trim_end() != "execute:").skip(1);
    for line in below.take_while(|line| line.starts_with([' ', '\t'])) {
        if let Some((name, value)) = line.split_once(':') {
            view.follow_option(name, value);
        }
    }
    view
}
