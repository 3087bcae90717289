//! Numbered checks, each with a line for its result.

use std::io::Write;

/// Number of checks begun.
const CHECKS: [&str; 14] = [
    "from package to feed",
    "reload",
    "restart",
    "kill -9",
    "watchdog",
    "stop",
    "sandbox",
    "wrong configuration",
    "upgrade",
    "lintian",
    "what the operator set",
    "each systemd",
    "several sites",
    "hostile files",
];

/// A check in progress. It has failed unless it passes before it is dropped.
pub struct Check {
    name: &'static str,
    measured: Option<String>,
}

impl Check {
    pub fn begin(name: &'static str) -> Self {
        assert!(CHECKS.contains(&name), "{name} has no number");
        Self { name, measured: None }
    }

    pub fn passed(mut self, measured: &str) {
        self.measured = Some(measured.to_owned());
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        let number = CHECKS.iter().position(|name| *name == self.name).map_or(0, |place| place + 1);
        let (verdict, measured) = self.measured.take().map_or(("FAIL", "see above".to_owned()), |it| ("PASS", it));
        // Not by `println!`, which is captured for passing tests.
        let _ = writeln!(std::io::stdout(), "{verdict} {number} {}: {measured}", self.name);
    }
}
