//! A jar as a value of serde. It has every field of each cookie.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::format::restore::{Entry, Loaded};
use crate::jar::Jar;
use crate::parse::SameSite;
use crate::record::Cookie;

/// The name of the document.
pub(crate) const FORMAT: &str = "sessio-cookies";
/// The version of the document. Others are refused.
pub(crate) const VERSION: u32 = 1;

/// The whole document.
#[derive(Serialize, Deserialize)]
pub(crate) struct Document<C> {
    pub(crate) format: String,
    pub(crate) version: u32,
    pub(crate) cookies: Vec<C>,
}

/// One cookie of the document. Times are Unix seconds. The fields ending in `_b64` have names and
/// values that are not UTF-8.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name_b64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value_b64: Option<String>,
    domain: String,
    host_only: bool,
    path: String,
    expires: Option<i64>,
    secure: bool,
    http_only: bool,
    same_site: Option<String>,
    partitioned: bool,
    created: i64,
    /// The order of last use: greater is later.
    #[serde(default)]
    used: u64,
}

impl Record {
    pub(crate) fn new(cookie: &Cookie) -> Self {
        let text = |bytes| str::from_utf8(bytes).ok().map(str::to_owned);
        let base64 = |bytes: &[u8]| str::from_utf8(bytes).err().map(|_| STANDARD.encode(bytes));
        Self {
            name: text(cookie.name()),
            name_b64: base64(cookie.name()),
            value: text(cookie.value()),
            value_b64: base64(cookie.value()),
            domain: cookie.domain().to_owned(),
            host_only: cookie.host_only(),
            path: cookie.path().to_owned(),
            expires: cookie.expires().map(|end| end.0),
            secure: cookie.secure(),
            http_only: cookie.http_only(),
            same_site: cookie.same_site().as_str().map(str::to_owned),
            partitioned: cookie.partitioned(),
            created: cookie.created().0,
            used: cookie.used,
        }
    }

    /// Calls `each` with the cookie, or returns what was expected instead.
    pub(crate) fn with_entry(&self, each: impl FnOnce(&Entry<'_>)) -> Result<(), &'static str> {
        let name = bytes(self.name.as_deref(), self.name_b64.as_deref()).ok_or("a name")?;
        let value = bytes(self.value.as_deref(), self.value_b64.as_deref()).ok_or("a value")?;
        each(&Entry {
            name: &name,
            value: &value,
            domain: &self.domain,
            host_only: self.host_only,
            path: self.path.as_bytes(),
            expires: self.expires,
            secure: self.secure,
            http_only: self.http_only,
            same_site: self
                .same_site
                .as_deref()
                .map_or(SameSite::Unset, |word| SameSite::parse(word.as_bytes())),
            partitioned: self.partitioned,
            created: Some(self.created),
            used: self.used,
        });
        Ok(())
    }
}

fn bytes(text: Option<&str>, base64: Option<&str>) -> Option<Vec<u8>> {
    text.map(|text| text.as_bytes().to_vec()).or_else(|| STANDARD.decode(base64?).ok())
}

/// Writes every cookie with its value: a reader can use the sessions in it. The policy is left out.
impl Serialize for Jar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cookies: Vec<Record> = self.iter().map(Record::new).collect();
        Document { format: FORMAT.to_owned(), version: VERSION, cookies }.serialize(serializer)
    }
}

/// Makes a jar with the default policy. A cookie that the policy refuses is an error. There is no
/// clock here, so expired cookies stay until [`Jar::remove_expired`] or until a request matches
/// them.
impl<'de> Deserialize<'de> for Jar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Document::<Record>::deserialize(deserializer)?;
        if document.format != FORMAT || document.version != VERSION {
            return Err(D::Error::custom(format_args!("expected {FORMAT}, version {VERSION}")));
        }
        let (mut jar, mut loaded) = (Self::new(), Loaded::default());
        for (number, record) in (1..).zip(&document.cookies) {
            record
                .with_entry(|entry| jar.restore(entry, None, number, &mut loaded))
                .map_err(D::Error::custom)?;
        }
        match loaded.problems.first() {
            Some(problem) => Err(D::Error::custom(problem)),
            None => Ok(jar),
        }
    }
}
