//! What is checked, each with its number, and the line that tells whether it holds.

use std::io::Write;

/// All checks; the first has number 1.
const CHECKS: [&str; 13] = [
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
];

/// One of them, under way. It has failed unless it has passed by its end.
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
        // Not by `println!`, which is only seen of tests that fail.
        let _ = writeln!(std::io::stdout(), "{verdict} {number} {}: {measured}", self.name);
    }
}
