//! Durations and sizes with their units.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration, such as `90s`, `5m`, `48h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(pub Duration);

const PERIOD_UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, seconds) = PERIOD_UNITS
            .iter()
            .find_map(|(unit, seconds)| text.strip_suffix(unit).map(|number| (number, seconds)))
            .ok_or("not a duration: use a number and a unit, such as 90s, 5m, 48h or 7d")?;
        let number: u64 =
            number.trim_end().parse().map_err(|_| "not a duration: use a whole number and s, m, h or d")?;
        number.checked_mul(*seconds).map(|seconds| Self(Duration::from_secs(seconds))).ok_or_else(|| "too long".into())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (unit, size) = PERIOD_UNITS
            .into_iter()
            .find(|(_, size)| seconds != 0 && seconds.is_multiple_of(*size))
            .unwrap_or(("s", 1));
        write!(f, "{}{unit}", seconds / size)
    }
}

/// A number of bytes, such as `512 KiB` or `8 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not a size: use a number and a unit, such as 512 KiB or 8 MiB".to_owned();
        let (number, bytes) = SIZE_UNITS
            .iter()
            .find_map(|(unit, bytes)| text.strip_suffix(unit).map(|number| (number, bytes)))
            .ok_or_else(wrong)?;
        let number: u64 = number.trim_end().parse().map_err(|_| wrong())?;
        number.checked_mul(*bytes).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            SIZE_UNITS.into_iter().find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size)).unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_print_in_their_own_form() {
        for text in ["0s", "90s", "5m", "48h", "7d"] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }
        assert_eq!("48h".parse::<Period>().unwrap().to_string(), "2d");
        assert_eq!("8 MiB".parse::<Size>().unwrap(), Size(8 << 20));
        assert_eq!("8MiB".parse::<Size>().unwrap().to_string(), "8 MiB");
        assert!("99999999999999999999d".parse::<Period>().is_err());
        assert!("-5m".parse::<Period>().is_err());
    }
}
