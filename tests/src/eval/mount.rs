//! Evaluates patterns of mounts.

use sessio::{Address, Kind, Mount, Mounts, Url, UrlPattern};

use super::case::Case;
use super::{Failure, Object, object};

/// In: `patterns` and `url`. Out: `match`, the index of the pattern that applies, or `null`. Of
/// equal patterns the last one is mounted.
pub(super) fn evaluate(case: &Case<'_>) -> Result<Object, Failure> {
    let text = case.text("url")?.ok_or_else(|| Failure::Input("url is missing".to_owned()))?;
    let patterns = case.texts("patterns")?;
    let mut mounts = Mounts::default();
    for pattern in &patterns {
        mounts.add(pattern, Mount::new()).map_err(Failure::Core)?;
    }
    let url = Address::from(text).url().or_else(|| Url::parse(text).ok());
    let url = url.ok_or_else(|| Failure::Core(Kind::InvalidUrl.into()))?;
    let applies = mounts.of(&url).map(|(pattern, _)| pattern.clone());
    let is_it = |text: &&str| UrlPattern::parse(text).ok() == applies;
    let index = applies.as_ref().and_then(|_| patterns.iter().rposition(is_it));
    Ok(object([("match", index.into())]))
}
