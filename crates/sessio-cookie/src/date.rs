//! Dates of `Expires`, read as leniently as browsers do (RFC 6265bis 5.1.1).

use crate::unix_time::UnixTime;

/// Reads a cookie date, in one pass and without allocation.
///
/// Weekday, zone and offset are ignored: every date is UTC. `None` if the RFC demands that the date
/// is ignored. RFC 6265bis 5.1.1; rules 17 and 18.
///
/// ```
/// use sessio_cookie::{UnixTime, parse_date};
///
/// let end = Some(UnixTime(784_111_777));
/// assert_eq!(parse_date(b"Sun, 06 Nov 1994 08:49:37 GMT"), end);
/// assert_eq!(parse_date(b"Sunday, 06-Nov-94 08:49:37 GMT"), end);
/// assert_eq!(parse_date(b"Nov 6 08:49:37 1994 +0200"), end);
/// assert_eq!(parse_date(b"tomorrow"), None);
/// ```
#[must_use]
pub fn parse_date(text: &[u8]) -> Option<UnixTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|&byte| is_delimiter(byte)) {
        // A token sets the first field that it fits and that has no value yet.
        let digits = token.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
        if time.is_none() && matches!(digits, 1 | 2) && token.get(digits) == Some(&b':') {
            time = clock(token);
            if time.is_some() {
                continue;
            }
        }
        match digits {
            1 | 2 if day.is_none() => day = Some(number(&token[..digits])),
            0 if month.is_none() => month = month_of(token),
            2..=4 if year.is_none() => year = Some(number(&token[..digits])),
            _ => {}
        }
    }
    let ((hour, minute, second), day, month) = (time?, day?, month?);
    let year = match year? {
        short @ 0..=69 => 2000 + short,
        short @ 70..=99 => 1900 + short,
        full => full,
    };
    if year < 1601 || day == 0 || day > days_in(month, year) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(UnixTime(days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second))
}

/// The delimiters of RFC 6265bis 5.1.1. A token has `:`, digits, letters, other controls and bytes
/// above 0x7E.
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// `h:m:s`, one or two digits each. After the seconds, a non-digit and anything behind it is
/// ignored.
fn clock(token: &[u8]) -> Option<(i64, i64, i64)> {
    let mut rest = token;
    let mut fields = [0; 3];
    for (at, field) in fields.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b":")?;
        }
        let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        if !matches!(digits, 1 | 2) {
            return None;
        }
        *field = number(&rest[..digits]);
        rest = &rest[digits..];
    }
    Some((fields[0], fields[1], fields[2]))
}

/// The value of at most four digits.
fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

/// The month, from 1, that the first three letters name.
fn month_of(token: &[u8]) -> Option<i64> {
    let name = token.first_chunk::<3>()?;
    Some(match &name.map(|byte| byte | 0x20) {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

const fn days_in(month: i64, year: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. The year starts in March, so
/// that the leap day is its last one.
pub(crate) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps() {
        for (text, unix) in [
            ("1 Jan 1970 0:0:00", Some(0)),
            ("1 Jan 1970 00: 00:00", None),
            ("17 Apr 2008 20:49:07:99", Some(1_208_465_347)),
            ("012-Aug-2008 20:49:07 GMT", None),
            ("98 April 17 03:25:42", None),
            ("1 Jan 1970 24:00:00 12:00:00", None),
            ("1 Jan 12345 00:00:00", None),
            ("1 Jan 1600 00:00:00", None),
            ("1 Jan 1601 00:00:00", Some(-11_644_473_600)),
            ("30 Feb 2024 00:00:00", None),
            ("29 Feb 2024 00:00:00", Some(1_709_164_800)),
            ("29 Feb 1900 00:00:00", None),
            ("31 Dec 9999 23:59:59", Some(253_402_300_799)),
            ("1 JANUARIUS 1970 00:00:00x99", Some(0)),
            ("1 J\u{01}n 1970 00:00:00", None),
            ("", None),
        ] {
            assert_eq!(parse_date(text.as_bytes()), unix.map(UnixTime), "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut expected = days_from_civil(1601, 1, 1);
        for year in 1601..=2001 {
            for month in 1..=12 {
                for day in 1..=days_in(month, year) {
                    assert_eq!(days_from_civil(year, month, day), expected);
                    expected += 1;
                }
            }
        }
    }
}
