//! Evaluates the cookies that a jar sends after given `Set-Cookie` lines.

use std::fmt::Write as _;

use serde_json::Value;
use sessio::cookie::{Jar, Policy, Prefixes, PublicSuffixes};
use sessio::{Now, Url};

use super::case::{Case, shown};
use super::{Failure, Object, clock, object};

/// In: `steps`, or `request_url` with `set_cookie` or `set_cookie_hex`; then `sent_to_url`; `now`;
/// `psl: false` for a jar without public suffixes. Out: `cookie_header`, empty if the jar sends
/// none, and `rejected` lines with the reason.
pub(super) fn evaluate(case: &Case<'_>, prefixes: Prefixes) -> Result<Object, Failure> {
    let now = clock::now(case)?;
    let mut policy = Policy::default();
    policy.prefixes = prefixes;
    if case.flag("psl")? == Some(false) {
        policy.suffixes = PublicSuffixes::off();
    }
    let mut jar = Jar::with_policy(policy);
    let mut rejected = Vec::new();
    if case.value("steps").is_some() {
        for step in case.cases("steps")? {
            respond(&step, "url", &mut jar, now, &mut rejected)?;
        }
    } else {
        respond(case, "request_url", &mut jar, now, &mut rejected)?;
    }
    let mut header = Vec::new();
    jar.header(&url(case, "sent_to_url")?, now.wall, &mut header);
    Ok(object([
        ("cookie_header", shown(&header)),
        ("cookie_header_hex", hex(&header).into()),
        ("rejected", rejected.into()),
    ]))
}

/// Stores the cookies of one response.
fn respond(
    case: &Case<'_>,
    field: &str,
    jar: &mut Jar,
    now: Now,
    rejected: &mut Vec<Value>,
) -> Result<(), Failure> {
    let url = url(case, field)?;
    let lines: Vec<Vec<u8>> = if case.value("set_cookie_hex").is_some() {
        let wrong = || Failure::Input("set_cookie_hex is not hexadecimal".to_owned());
        case.texts("set_cookie_hex")?
            .into_iter()
            .map(|digits| bytes(digits).ok_or_else(wrong))
            .collect::<Result<_, _>>()?
    } else {
        case.texts("set_cookie")?.into_iter().map(|line| line.as_bytes().to_vec()).collect()
    };
    for refused in jar.extract(&url, lines.iter().map(Vec::as_slice), now.wall).refused {
        let line = &lines[refused.line];
        let mut entry = object([("set_cookie", shown(line)), ("reason", refused.reason.as_str().into())]);
        if std::str::from_utf8(line).is_err() {
            entry.insert("set_cookie_hex".to_owned(), hex(line).into());
        }
        rejected.push(entry.into());
    }
    Ok(())
}

fn url(case: &Case<'_>, field: &str) -> Result<Url, Failure> {
    let text = case.text(field)?.ok_or_else(|| Failure::Input(format!("{field} is missing")))?;
    Url::parse(text).map_err(|error| Failure::Input(format!("{field}: {error}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                u8::try_from(digit(high)? * 16 + digit(low)?).ok()
            }
            _ => None,
        })
        .collect()
}
