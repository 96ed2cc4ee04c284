//! The wait that a response asks for: `Retry-After` (RFC 9110 section 10.2.3, row FR1).

use std::time::Duration;

use crate::base::time::UnixTime;
use crate::message::headers::Headers;
use sessio_cookie::parse_date;

/// The time that a response asks the client to wait. `None` if it has no valid `Retry-After`.
///
/// The field has one of two forms:
///
/// - A number of seconds. Fractions, which some servers send, count. Numbers that are too large
///   saturate.
/// - A date. It counts from the `Date` of the same response, so that the client's clock has no
///   effect. Without a valid `Date` it counts from `now`. A date in the past is zero.
///
/// Negative numbers and other text are ignored. Of several valid fields the longest time counts.
///
/// ```
/// use std::time::Duration;
/// use sessio::retry::retry_after;
/// use sessio::{Headers, UnixTime};
///
/// let mut headers = Headers::new();
/// headers.insert("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")?;
/// headers.insert("Date", "Wed, 21 Oct 2015 07:27:30 GMT")?;
/// assert_eq!(retry_after(&headers, UnixTime(0)), Some(Duration::from_secs(30)));
/// # Ok::<(), sessio::Fault>(())
/// ```
#[must_use]
pub fn retry_after(headers: &Headers, now: UnixTime) -> Option<Duration> {
    let own = || headers.get_all("Date").next().and_then(parse_date).unwrap_or(now);
    let read = |value: &[u8]| {
        seconds(value).or_else(|| {
            let until = parse_date(value)?;
            // A negative number is a date in the past.
            Some(Duration::from_secs(u64::try_from(until.0.saturating_sub(own().0)).unwrap_or(0)))
        })
    };
    headers.get_all("Retry-After").filter_map(read).max()
}

/// Reads digits, and a fraction if there is one. Numbers that do not fit saturate.
fn seconds(text: &[u8]) -> Option<Duration> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b"0"[..]),
    };
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digit = |byte: &u8| u64::from(byte - b'0');
    let whole =
        whole.iter().map(digit).fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(digit));
    let padded = fraction.iter().map(digit).chain(std::iter::repeat(0)).take(9);
    let nanos = padded.fold(0, |sum, digit| sum * 10 + digit);
    Some(Duration::from_secs(whole).saturating_add(Duration::from_nanos(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_445_412_000);

    fn read(lines: &[(&str, &str)]) -> Option<Duration> {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.append(name, value).unwrap();
        }
        retry_after(&headers, NOW)
    }

    #[test]
    fn seconds_in_every_form() {
        for (text, nanos) in [
            ("0", 0),
            ("000", 0),
            ("120", 120_000_000_000),
            ("1.5", 1_500_000_000),
            ("0.000000001", 1),
            ("0.0000000019", 1),
            ("007.250", 7_250_000_000),
        ] {
            assert_eq!(read(&[("Retry-After", text)]), Some(Duration::from_nanos(nanos)), "{text}");
        }
        assert_eq!(read(&[("Retry-After", "9999999999")]), Some(Duration::from_secs(9_999_999_999)));
        let most = Some(Duration::from_secs(u64::MAX));
        assert_eq!(read(&[("Retry-After", "18446744073709551616")]), most);
        assert_eq!(read(&[("Retry-After", &"9".repeat(5000))]), most);
        let all = Some(Duration::new(u64::MAX, 999_999_999));
        assert_eq!(read(&[("Retry-After", &format!("{}.9999999999", u64::MAX))]), all);
    }

    #[test]
    fn other_text_is_ignored() {
        for text in [
            "",
            "-1",
            "-0",
            "+5",
            "1e3",
            "0x10",
            "1.",
            ".5",
            "1.2.3",
            "1,5",
            "1;2",
            "5 s",
            "120s",
            "soon",
            "inf",
            "NaN",
            "\u{0663}",
            "1_000",
            "Wed, 99 Foo 2015 07:28:00 GMT",
            "07:28:00",
        ] {
            assert_eq!(read(&[("Retry-After", text)]), None, "{text:?}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("X-Retry-After", "5")]), None);
    }

    #[test]
    fn a_date_counts_from_the_date_of_the_response() {
        let until = "Wed, 21 Oct 2015 07:28:00 GMT"; // 1,445,412,480
        for (date, wait) in [
            ("Wed, 21 Oct 2015 07:27:00 GMT", 60),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
            ("Wed, 21 Oct 2015 07:29:00 GMT", 0),
            // The server's clock is a day late, and both of its dates are.
            ("Tue, 20 Oct 2015 07:28:00 GMT", 86_400),
            // No valid date: this machine's clock counts.
            ("yesterday", 480),
        ] {
            let wait = Some(Duration::from_secs(wait));
            assert_eq!(read(&[("Retry-After", until), ("Date", date)]), wait, "{date}");
            assert_eq!(read(&[("Date", date), ("Retry-After", until)]), wait, "{date}");
        }
        let in_other_forms = ["Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015"];
        for until in in_other_forms {
            assert_eq!(read(&[("Retry-After", until)]), Some(Duration::from_secs(480)), "{until}");
        }
        let far = read(&[("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")]).unwrap();
        assert!(far > Duration::from_secs(200_000_000_000), "{far:?}");
    }

    #[test]
    fn of_several_fields_the_longest_time_counts() {
        let fields = [("Retry-After", "3"), ("retry-after", "7"), ("Retry-After", "never")];
        assert_eq!(read(&fields), Some(Duration::from_secs(7)));
    }
}
