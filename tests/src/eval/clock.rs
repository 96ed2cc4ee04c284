//! The time of a case.

use sessio::Instant;

use sessio::{Now, UnixTime};

use super::Failure;
use super::case::Case;

/// 2026-01-01T00:00:00Z, the time of a case that names none. So its result is the same on any day.
const NEW_YEAR: UnixTime = UnixTime(1_767_225_600);

/// The time in the field `now`: seconds since 1970, or `2026-01-01T00:00:00Z`.
pub(super) fn now(case: &Case<'_>) -> Result<Now, Failure> {
    let wall = match case.value("now") {
        None => NEW_YEAR,
        Some(value) => value
            .as_i64()
            .map(UnixTime)
            .or_else(|| value.as_str().and_then(unix))
            .ok_or_else(|| Failure::Input("now is no time".to_owned()))?,
    };
    Ok(Now { mono: Instant::ZERO, wall })
}

/// A time of RFC 3339 in UTC, to the second.
fn unix(text: &str) -> Option<UnixTime> {
    let fields = text.strip_suffix('Z')?.split(['-', 'T', ':']).map(|digits| digits.parse::<i64>().ok());
    let [year, month, day, hour, minute, second] = fields.collect::<Option<Vec<_>>>()?[..] else {
        return None;
    };
    let fits = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !fits {
        return None;
    }
    // Days since 1970 in a calendar whose year begins in March, so the leap day is the last of a
    // year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    Some(UnixTime(((days * 24 + hour) * 60 + minute) * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_calendar() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2011-04-01T00:00:00Z", Some(1_301_616_000)),
            ("2026-01-01T00:00:00Z", Some(1_767_225_600)),
            ("2026-01-01", None),
            ("2026-13-01T00:00:00Z", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(unix(text), seconds.map(UnixTime), "{text}");
        }
    }
}
