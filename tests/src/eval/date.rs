//! Evaluates dates of cookies.

use sessio::cookie::parse_date;

use super::case::Case;
use super::{Failure, Object, object};

/// In: `text`. Out: `unix`, seconds or `null`.
pub(super) fn evaluate(case: &Case<'_>) -> Result<Object, Failure> {
    let text = case.text("text")?.ok_or_else(|| Failure::Input("text is missing".to_owned()))?;
    Ok(object([("unix", parse_date(text.as_bytes()).map(|time| time.0).into())]))
}
