//! Articles in org, gemtext and notebooks of Jupyter.

use gazetted::folder::SourceFormat;

use super::{Block, Fate, Template, Writer, check, part, taken};

/// Blocks of org.
const ORG: [Template; 27] = [
    part("◆ ◆\n◆"),
    part("* ◆"),
    taken(2, "** TODO [#A] ◆ :◇:"),
    part("*◆* /◆/ _◆_ +◆+ =◆= ~◆~"),
    part("[[https://a.example/][◆]] [[◆]]"),
    part("[[file:a.png]]\n◆"),
    part("- ◆\n- ◆ :: ◆\n  - ◆"),
    part("1. ◆\n2. ◆"),
    part("- [X] ◆\n- [ ] ◆"),
    part("| ◆ | ◆ |\n|---+---|\n| ◆ | ◆ |"),
    taken(5, "#+begin_src ◇\n◆\n#+end_src"),
    part("#+begin_example\n◆\n#+end_example"),
    part("#+begin_quote\n◆\n◆\n#+end_quote"),
    part("#+begin_verse\n◆\n◆\n#+end_verse"),
    part("#+begin_center\n◆\n#+end_center"),
    part("#+begin_note\n◆\n\n◆\n#+end_note"),
    part("#+begin_export html\n<b>◆</b>\n#+end_export"),
    part(": ◆\n: ◆"),
    part("#+CAPTION: ◆\n[[file:a.png]]"),
    part("◆[fn:1]\n\n[fn:1] ◆"),
    part("◆[fn:: ◆] ◆"),
    part("◆ <2024-05-01 Wed> ◆ [2024-05-01 Wed]"),
    taken(0, "# ◇\n◆"),
    taken(0, "#+begin_comment\n◇\n#+end_comment\n◆"),
    taken(2, "* ◆\n:PROPERTIES:\n:◇: ◇\n:END:\n◆"),
    part("#+begin_quote\n- ◆\n  ◆\n#+end_quote"),
    taken(8, "* ◇ :noexport:\n◇\n* ◆"),
];

/// Lines of gemtext.
const GEMTEXT: [Template; 9] = [
    part("◆ *◆* _◆_ <◆> [◆](x) {{ ◆ }} %%◆%% [[◆]]"),
    part("# ◆"),
    part("##◆"),
    part("* ◆\n* ◆"),
    part("> ◆\n>◆"),
    part("=> https://a.example/ ◆"),
    part("=> ◆"),
    taken(5, "```◇\n◆\n```"),
    part("- ◆\n1. ◆\n=====\n◆"),
];

fn read_all(templates: &[Template], path: &str) {
    let mut failures = String::new();
    let mut try_text = |templates: &[Template]| {
        let mut writer = Writer::default();
        let blocks =
            templates.iter().map(|template| Block { template: *template, inlines: Vec::new(), blocks: Vec::new() });
        let text = format!("◆ first\n\n{}\n\nlast ◆\n", writer.document(&blocks.collect::<Vec<_>>()));
        let text = ["◆", "◆"].iter().fold(text, |text, sign| text.replacen(sign, &writer.word(Fate::Shown), 1));
        if let Err(failure) = check(&text, &writer.words, path, SourceFormat::Markdown) {
            failures.push_str(&format!("=== {failure}\n"));
        }
    };
    for template in templates {
        try_text(&[*template]);
    }
    for pair in templates.windows(2).chain(templates.rchunks(2)) {
        try_text(pair);
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_word_of_org_is_shown_or_a_rule_takes_it() {
    read_all(&ORG, "storm.org");
}

#[test]
fn every_word_of_gemtext_is_shown_or_a_rule_takes_it() {
    read_all(&GEMTEXT, "storm.gmi");
}

#[test]
fn every_word_of_a_notebook_is_shown_or_a_rule_takes_it() {
    let notebook = serde_json::json!({"nbformat": 4, "metadata": {"title": "◇"}, "cells": [
        {"cell_type": "markdown", "source": ["# ◆\n", "\n", "◆ *◆*"]},
        {"cell_type": "code", "source": "◆ = 1", "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["◆\n"]},
            {"output_type": "stream", "name": "stderr", "text": ["◇\n"]},
            {"output_type": "execute_result", "data": {"text/plain": "◆"}},
            {"output_type": "display_data", "data": {"text/html": "<table><tr><td>◆</td></tr></table>", "text/plain": "◇"}},
            {"output_type": "display_data", "data": {"text/markdown": "**◆**", "text/plain": "◇"}},
            {"output_type": "error", "ename": "◇", "evalue": "◇", "traceback": ["◇"]},
        ]},
        {"cell_type": "code", "source": "◇", "outputs": [], "metadata": {"tags": ["remove-cell"]}},
        {"cell_type": "code", "source": "◇", "outputs": [{"output_type": "stream", "text": "◆"}], "metadata": {"tags": ["hide-input"]}},
        {"cell_type": "raw", "source": "◆"},
        {"cell_type": "markdown", "source": "◆", "attachments": {"a.png": {}}},
    ]});
    let mut writer = Writer::default();
    let text = notebook.to_string();
    // The signs of a template, in a text that is no constant.
    let signs = [('◆', Fate::Shown), ('◇', Fate::Taken)];
    let mut output = String::new();
    for c in text.chars() {
        match signs.iter().find(|(sign, _)| *sign == c) {
            Some((_, fate)) => output.push_str(&writer.word(*fate)),
            None => output.push(c),
        }
    }
    check(&output, &writer.words, "storm.ipynb", SourceFormat::Markdown).unwrap();
}
