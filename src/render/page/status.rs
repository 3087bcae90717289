//! The daemon's status report -> a page for the operator.

use std::borrow::Cow;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, context};

use super::filters::format;
use crate::observe::status::{DaemonPhase, Status};

pub fn status(report: &Status) -> String {
    let headline = headline(report);
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

/// The state of the daemon or, if that is well, the number of files that need their writers.
fn headline(report: &Status) -> Cow<'static, str> {
    match (report.phase, &report.failure, report.file_count) {
        (DaemonPhase::Starting, ..) => "Starting".into(),
        (DaemonPhase::Stopping, ..) => "Stopping".into(),
        (DaemonPhase::Serving, Some(_), _) => "In trouble".into(),
        (DaemonPhase::Serving, None, 0) => "All is well".into(),
        (DaemonPhase::Serving, None, 1) => "1 file needs attention".into(),
        (DaemonPhase::Serving, None, count) => format!("{count} files need attention").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::status::{FileGroup, FileGroups, FileProblems, Notice};

    #[test]
    fn texts_of_a_status_are_escaped() {
        let mut report = Status { phase: DaemonPhase::Serving, folder: "/a<b>".into(), ..Status::default() };
        assert!(status(&report).contains("<h1>All is well</h1>"));
        report.failure = Some("<script>1</script>".into());
        let file = FileProblems { path: "a".into(), problems: vec!["a<i>.md: \"wrong\"".into()] };
        let not_published = FileGroup { count: 3, files: vec![file.clone()] };
        report.set_groups(FileGroups { not_published, ..FileGroups::default() });
        assert!(status(&Status { failure: None, ..report.clone() }).contains("<h1>3 files need attention</h1>"));
        let published_but = FileGroup { count: 1, files: vec![file] };
        report.set_groups(FileGroups {
            not_published: report.groups.not_published.clone(),
            published_but,
            ..FileGroups::default()
        });
        report.unread_documents = Some("<b>".into());
        report.add_notices([Notice {
            at: chrono::DateTime::UNIX_EPOCH,
            path: "<b>.md".into(),
            what: "published".into(),
        }]);
        let page = status(&report);
        for text in [
            "<h1>In trouble</h1>",
            "&lt;script&gt;",
            "a&lt;i&gt;.md",
            "And 2 more",
            "Not published (3)",
            "Published, but … (1)",
            "Drafts and scheduled (0)",
            "1970-01-01T00:00:00Z",
        ] {
            assert!(page.contains(text), "{text} is not in\n{page}");
        }
        for markup in ["<script", "<b>", "<i>"] {
            assert!(!page.contains(markup), "{markup} is in\n{page}");
        }
    }
}
