//! The daemon's status report -> a page for the operator.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, context};

use super::format;
use crate::observe::status::{DaemonPhase, Status};

pub fn status(report: &Status) -> String {
    let headline = match (report.phase, &report.failure) {
        (DaemonPhase::Starting, _) => "Starting",
        (DaemonPhase::Serving, None) => "All is well",
        (DaemonPhase::Serving, Some(_)) => "In trouble",
        (DaemonPhase::Stopping, _) => "Stopping",
    };
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_formatter(format);
    environment.set_syntax(syntax.expect("the usual delimiters are valid"));
    let source = include_str!("templates/status.html");
    environment.add_template("status.html", source).expect("the built-in template is valid");
    let template = environment.get_template("status.html").expect("the template was added above");
    let report = minijinja::Value::from(minijinja::value::Serde(report));
    template.render(context! { headline, report }).expect("the built-in template renders")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::status::{FileProblems, Notice};

    #[test]
    fn texts_of_a_status_are_escaped() {
        let mut report = Status { phase: DaemonPhase::Serving, folder: "/a<b>".into(), ..Status::default() };
        assert!(status(&report).contains("<h1>All is well</h1>"));
        report.failure = Some("<script>1</script>".into());
        report.files = vec![FileProblems { path: "a".into(), problems: vec!["a<i>.md: \"wrong\"".into()] }];
        report.file_count = 3;
        report.add_notices([Notice {
            at: chrono::DateTime::UNIX_EPOCH,
            path: "<b>.md".into(),
            what: "published".into(),
        }]);
        let page = status(&report);
        for text in ["<h1>In trouble</h1>", "&lt;script&gt;", "a&lt;i&gt;.md", "And 2 more", "1970-01-01T00:00:00Z"] {
            assert!(page.contains(text), "{text} is not in\n{page}");
        }
        for markup in ["<script", "<b>", "<i>"] {
            assert!(!page.contains(markup), "{markup} is in\n{page}");
        }
    }
}
