//! Rules for responses (RFC 9113 sections 8.2 and 8.3).

use crate::Malformed;
use crate::hpack::Fields;
use crate::request::TOKEN;

/// The properties of a head that affect the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) status: u16,
    pub(crate) length: Option<u64>,
}

pub(crate) fn check_head(fields: Fields<'_>) -> Result<Checked, Malformed> {
    let mut status = None;
    let mut length = None;
    let mut is_late = false;
    for (name, value) in fields.iter() {
        if name.first() == Some(&b':') {
            if is_late {
                return Err(Malformed::LatePseudoField);
            }
            if name != b":status" {
                return Err(Malformed::UnknownPseudoField);
            }
            if status.replace(number_of_status(value)?).is_some() {
                return Err(Malformed::RepeatedStatus);
            }
            continue;
        }
        is_late = true;
        check_field(name, value)?;
        if name == b"content-length" {
            let value = number(value).ok_or(Malformed::InvalidContentLength)?;
            if length.replace(value).is_some_and(|other| other != value) {
                return Err(Malformed::InvalidContentLength);
            }
        }
    }
    Ok(Checked { status: status.ok_or(Malformed::MissingStatus)?, length })
}

pub(crate) fn check_trailers(fields: Fields<'_>) -> Result<(), Malformed> {
    fields.iter().try_for_each(|(name, value)| match name.first() {
        Some(b':') => Err(Malformed::PseudoFieldInTrailers),
        _ => check_field(name, value),
    })
}

fn check_field(name: &[u8], value: &[u8]) -> Result<(), Malformed> {
    let mut is_upper = false;
    let is_token = name.iter().all(|&byte| {
        is_upper |= byte.is_ascii_uppercase();
        TOKEN[usize::from(byte)]
    });
    if !is_token || name.is_empty() {
        return Err(Malformed::InvalidName);
    }
    if is_upper {
        return Err(Malformed::UpperCaseName);
    }
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_wrong = value.iter().any(|&byte| byte < b' ' && matches!(byte, b'\0' | b'\r' | b'\n'));
    if is_wrong || is_blank(value.first()) || is_blank(value.last()) {
        return Err(Malformed::InvalidValue);
    }
    match name {
        b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade" => {
            Err(Malformed::ConnectionField)
        }
        _ => Ok(()),
    }
}

fn number_of_status(value: &[u8]) -> Result<u16, Malformed> {
    match *value {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            Ok(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        _ => Err(Malformed::InvalidStatus),
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| match digit {
        b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}
