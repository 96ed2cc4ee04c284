//! Routes that redirect: chains, and one redirect to any URL.

use super::asked::{Asked, fits_in_header};
use crate::answer::Answer;
use crate::form;

/// One hop of a chain that counts down. The query is passed on, except to the last URL.
pub(super) fn chain(asked: Asked<'_>, route: &str, count: &str, absolute: bool) -> Option<Answer> {
    let count: u32 = count.parse().ok().filter(|n| *n > 0)?;
    let target = match (count, asked.request.query()) {
        (1, _) => "/get".to_owned(),
        (_, None) => format!("/{route}/{}", count - 1),
        (_, Some(query)) => format!("/{route}/{}?{query}", count - 1),
    };
    let answer = Answer::redirect(302, if absolute { asked.url_of(&target) } else { target });
    Some(if asked.query_flag("cookies") {
        answer.with("Set-Cookie", format!("hop{count}=set; Path=/"))
    } else {
        answer
    })
}

/// Takes the location and the status from the query or, as in httpbin, from a form.
pub(super) fn to(asked: Asked<'_>) -> Answer {
    let mut fields = form::pairs(asked.request.query().unwrap_or_default().as_bytes());
    fields.extend(form::pairs(&asked.request.body));
    let field = |name: &[u8]| fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let Some(location) = field(b"url").filter(|url| fits_in_header(url)) else {
        return Answer::text(400, "Where to? Give a url.\n");
    };
    let status = field(b"status_code").and_then(|code| String::from_utf8(code).ok()?.parse().ok());
    Answer::redirect(status.filter(|code| (300..400).contains(code)).unwrap_or(302), location)
}
