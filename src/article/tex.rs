//! TeX formulas -> MathML, which browsers and many readers show without a script.

use pulldown_latex::config::DisplayMode;
use pulldown_latex::{Parser, RenderConfig, Storage, write_mathml};

use super::problem::panic_as_problem;
use crate::model::text::escape_html;

/// Longest formula in bytes. Longer ones stay as they are written.
const LONGEST: usize = 4_000;
/// Deepest nesting of braces.
const DEEPEST: usize = 30;
/// Commands that define others, with which a short text could become a long one.
const DEFINITIONS: [&str; 8] =
    ["\\def", "\\gdef", "\\edef", "\\xdef", "\\let", "\\futurelet", "\\newcommand", "\\renewcommand"];
/// Maximum number of commands that may take arguments: a parser calls itself for a command that is the argument of another.
const MOST_COMMANDS: usize = 50;
/// Frequent commands without arguments.
const SYMBOLS: [&str; 94] = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "varepsilon",
    "zeta",
    "eta",
    "theta",
    "vartheta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "varphi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Xi",
    "Pi",
    "Sigma",
    "Upsilon",
    "Phi",
    "Psi",
    "Omega",
    "cdot",
    "times",
    "div",
    "le",
    "leq",
    "ge",
    "geq",
    "ne",
    "neq",
    "ll",
    "gg",
    "in",
    "notin",
    "sum",
    "prod",
    "int",
    "oint",
    "infty",
    "partial",
    "nabla",
    "to",
    "rightarrow",
    "leftarrow",
    "Rightarrow",
    "Leftrightarrow",
    "mapsto",
    "forall",
    "exists",
    "ldots",
    "cdots",
    "dots",
    "quad",
    "qquad",
    "sin",
    "cos",
    "tan",
    "log",
    "ln",
    "exp",
    "lim",
    "max",
    "min",
    "det",
    "left",
    "right",
    "begin",
    "end",
    "mid",
    "cup",
    "cap",
    "subset",
    "subseteq",
    "approx",
    "equiv",
    "sim",
    "pm",
    "mp",
];
/// Commands whose argument is words.
const WORDS: [&str; 5] = ["text", "textbf", "textit", "textrm", "operatorname"];

/// How a formula is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In a line of text.
    Inline,
    /// On a line of its own.
    Block,
}

/// Whether a text between signs for formulas is one: no prices, no variables of a shell, no words.
pub fn is_formula(tex: &str) -> bool {
    let inside = without_name(tex);
    if inside.is_empty() || inside.len() > LONGEST || inside.contains("\n\n") || has_comment(inside) {
        return false;
    }
    // An operator at the end has no right side, as in "$5-$10".
    if inside.ends_with(['-', '+', '=', ',', '/', '*', '(', ':', ';']) && !inside.ends_with("^*") {
        return false;
    }
    let words = longest_words(inside);
    if inside.contains(['\\', '^', '_', '=', '<', '>', '{']) {
        return words.consecutive < 3;
    }
    words.longest <= 2 && inside.contains(char::is_alphanumeric)
}

/// The formula without the name that WordPress writes before it, as in `$latex x^2$`.
fn without_name(tex: &str) -> &str {
    let tex = tex.trim();
    tex.strip_prefix("latex ").map_or(tex, str::trim)
}

/// Whether a per cent sign without a backslash starts a comment.
fn has_comment(tex: &str) -> bool {
    tex.match_indices('%').any(|(at, _)| !tex[..at].ends_with('\\'))
}

/// The words of a text that are neither commands nor arguments of commands for text.
struct FormulaWords {
    /// Length of the longest word.
    longest: usize,
    /// Largest number of words of several letters with only spaces between them.
    consecutive: usize,
}

fn longest_words(tex: &str) -> FormulaWords {
    let mut words = FormulaWords { longest: 0, consecutive: 0 };
    let mut consecutive = 0;
    let mut rest = tex;
    while let Some(first) = rest.chars().next() {
        let letters = |text: &str| text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
        if first == '\\' {
            let name = &rest[1..=letters(&rest[1..])];
            rest = &rest[1 + name.len().max(rest[1..].chars().next().map_or(0, char::len_utf8))..];
            if WORDS.contains(&name) && rest.starts_with('{') {
                rest = &rest[rest.find('}').unwrap_or(rest.len() - 1) + 1..];
            }
            consecutive = 0;
        } else if first.is_alphabetic() {
            let length = letters(rest);
            words.longest = words.longest.max(rest[..length].chars().count());
            consecutive = if rest[..length].chars().count() >= 2 { consecutive + 1 } else { 0 };
            words.consecutive = words.consecutive.max(consecutive);
            rest = &rest[length..];
        } else {
            consecutive = if first.is_whitespace() { consecutive } else { 0 };
            rest = &rest[first.len_utf8()..];
        }
    }
    words
}

/// Number of commands that may take arguments.
fn commands(tex: &str) -> usize {
    let names =
        tex.split('\\').skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default());
    names.filter(|name| !name.is_empty() && !SYMBOLS.contains(name)).count()
}

/// Converts a formula; `None` if it cannot be read. The text in `alttext` is the formula as it is written.
pub fn to_mathml(tex: &str, placement: Placement) -> Option<String> {
    let tex = without_name(tex);
    let depth = |sign: char| if sign == '{' { 1_isize } else { -isize::from(sign == '}') };
    let depths = tex.chars().scan(0, |open, sign| {
        *open += depth(sign);
        Some(usize::try_from(*open).unwrap_or_default())
    });
    if depths.max() > Some(DEEPEST)
        || commands(tex) > MOST_COMMANDS
        || DEFINITIONS.iter().any(|command| tex.contains(command))
    {
        return None;
    }
    let written = panic_as_problem(|| {
        let storage = Storage::new();
        let events = Parser::new(tex, &storage).collect::<Result<Vec<_>, _>>().ok()?;
        let display_mode = match placement {
            Placement::Inline => DisplayMode::Inline,
            Placement::Block => DisplayMode::Block,
        };
        let config = RenderConfig { display_mode, ..RenderConfig::default() };
        let mut output = Vec::new();
        let events = events.into_iter().map(Ok::<_, std::convert::Infallible>);
        write_mathml(&mut output, events, config).ok()?;
        String::from_utf8(output).ok()
    });
    let html = written.ok()??;
    let inside = html.strip_prefix("<math")?;
    Some(format!("<math alttext=\"{}\"{inside}", escape_html(tex)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_told_from_prices_and_variables() {
        for tex in [
            "x",
            "latex (X'X)^{-1}X'Y",
            "x*y*z",
            "2n",
            "f(x)",
            "a_1",
            "x^2 + y^2 = z^2",
            "\\frac{a}{b}",
            "E = mc^2",
            "O(n)",
            "n!",
            "\\text{if and only if you like it}",
            "\\alpha",
            "5",
            "a, b",
            "x'",
            "\\sin x",
            "P(A \\mid B)",
            "speed = \\frac{way}{time}",
        ] {
            assert!(is_formula(tex), "{tex}");
        }
        for text in [
            "5-",
            "HOME/bin:",
            "5 for tea and 10",
            "PATH",
            "",
            " ",
            "1,000 per",
            "x\n\ny",
            "100 % of x",
            "{VAR} is the name of it",
            "price",
            "', '",
            "- - ",
        ] {
            assert!(!is_formula(text), "{text}");
        }
    }

    #[test]
    fn formulas_become_mathml() {
        assert_eq!(to_mathml("latex x", Placement::Inline), to_mathml("x", Placement::Inline));
        let html = to_mathml("x^2 < y", Placement::Inline).unwrap();
        assert!(html.starts_with("<math alttext=\"x^2 &lt; y\""), "{html}");
        assert!(html.contains("<msup>") && html.contains("&lt;") && html.ends_with("</math>"), "{html}");
        assert!(to_mathml("a", Placement::Block).unwrap().contains("display=\"block\""));
        for tex in [
            "\\nosuchcommand",
            "\\frac{a}",
            "{a",
            "a}",
            "\\def\\a{b}\\a",
            "\\begin{matrix} a",
            "\\left( a",
            "^",
            "\\",
            "a & b",
            "#",
        ] {
            let html = to_mathml(tex, Placement::Inline);
            assert!(html.is_none_or(|html| !html.contains("merror")), "{tex}");
        }
        assert_eq!(to_mathml(&"{".repeat(2_000), Placement::Inline), None);
        for command in ["\\sqrt", "\\frac{a}", "\\hat ", "\\frac a"] {
            to_mathml(&format!("{}b", command.repeat(MOST_COMMANDS)), Placement::Inline);
            assert_eq!(to_mathml(&format!("{}b", command.repeat(600)), Placement::Inline), None);
        }
        assert!(to_mathml(&"\\alpha + \\frac{a}{b} = ".repeat(40), Placement::Inline).is_some());
        for tex in ["a^{".repeat(29) + "b" + &"}".repeat(29), "a_b^c".repeat(700), "a^b_".repeat(900)] {
            to_mathml(&tex, Placement::Block);
        }
    }
}
