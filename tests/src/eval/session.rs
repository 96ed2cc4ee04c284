//! Reads the session of a case.

use sessio::cookie::NewCookie;
use sessio::{Auth, Jar, Now, Settings, Timeouts, Url};

use crate::clear::silent;

use super::Failure;
use super::case::{Case, scalars, text_or_null};

/// Settings with `headers`, `params`, `auth` and `base_url`, and a jar with `cookies`. `timeouts`
/// may name limits in seconds, and `max_redirects` the largest number of redirects followed.
pub(super) fn read(case: &Case<'_>, now: Now) -> Result<(Settings, Jar), Failure> {
    let mut settings = Settings::default();
    settings.tls_connector = silent();
    for (name, value) in case.pairs("headers")? {
        match text_or_null(name, value)? {
            Some(value) => settings.headers.insert(name, value)?,
            None => {
                settings.headers.remove(name);
            }
        }
    }
    for (key, value) in case.pairs("params")? {
        let values = scalars(key, value)?;
        if values.is_empty() {
            settings.params.remove(key);
        }
        for value in values {
            settings.params.append(key, value);
        }
    }
    if let Some((user, password)) = credentials(case)? {
        settings.auth = Auth::basic(user, password);
    }
    if let Some(text) = case.text("base_url")? {
        let invalid = |error| sessio::Error::new(sessio::Kind::InvalidUrl).with_source(error);
        settings.base_url = Some(Url::parse(text).map_err(invalid)?);
    }
    if let Some(most) = case.count("max_redirects")? {
        settings.max_redirects = most;
    }
    timeouts(&case.inner("timeouts")?, &mut settings.timeouts)?;
    let mut jar = Jar::new();
    for (name, value) in case.inner("cookies")?.entries() {
        // A cookie without a host belongs to the first host of the case: that of the request.
        if let Some(value) = text_or_null(name, value)? {
            jar.insert(NewCookie::new(name, value)?, now.wall)?;
        }
    }
    Ok((settings, jar))
}

/// `auth` as `[user, password]`.
pub(super) fn credentials<'a>(case: &Case<'a>) -> Result<Option<(&'a str, &'a str)>, Failure> {
    match case.texts("auth")?[..] {
        [user, password] => Ok(Some((user, password))),
        [] if case.value("auth").is_none() => Ok(None),
        _ => Err(Failure::Input("auth is not [user, password]".to_owned())),
    }
}

fn timeouts(case: &Case<'_>, timeouts: &mut Timeouts) -> Result<(), Failure> {
    for (field, limit) in [
        ("resolve", &mut timeouts.resolve),
        ("connect", &mut timeouts.connect),
        ("send", &mut timeouts.send),
        ("head", &mut timeouts.head),
        ("read", &mut timeouts.read),
        ("total", &mut timeouts.total),
    ] {
        *limit = case.seconds(field)?;
    }
    Ok(())
}
