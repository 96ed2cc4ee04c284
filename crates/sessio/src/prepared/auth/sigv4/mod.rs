//! AWS Signature Version 4.

mod canonical;
mod hmac;
mod timestamp;

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use self::canonical::{Canonical, PathRule};
use self::hmac::{hex, hmac_sha256};
use self::timestamp::Timestamp;
use super::{Flow, FlowDecision, Need, Scheme, Secret};
use crate::base::fault::Fault;
use crate::base::kind::Kind;
use crate::base::time::{Now, UnixTime};
use crate::error::Result;
use crate::message::head::Head;
use crate::prepared::Prepared;

/// The hash of a payload that is not part of the signature.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// A signature over the request, by AWS Signature Version 4. Amazon's services and servers that
/// speak the protocol of S3 accept it.
///
/// It signs the method, the path, the query, the body, and these header fields: Host, Content-MD5,
/// Content-Type, Date, Range and all `X-Amz-…`. Other fields can still change on the way. A body
/// from a source is `UNSIGNED-PAYLOAD`, which S3 accepts over `https`. In the query, `+` stands for
/// a blank.
///
/// The service `s3` and services whose names begin with `s3-` have the path rule of S3: the path is
/// signed as it is. For others, dot segments and empty segments are resolved, and the path is
/// encoded twice.
///
/// As a [`Scheme`] it signs each request when it is sent, by the clock of the call. The signature is
/// for one origin. A redirect to another origin is sent without it.
///
/// ```
/// use sessio::auth::SigV4;
/// use sessio::{Auth, Mount, Settings};
///
/// let mut settings = Settings::default();
/// let auth = Auth::flow(SigV4::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG", "eu-west-1", "s3"));
/// settings.mounts.add("https://bucket.s3.eu-west-1.amazonaws.com/", Mount::new().auth(auth))?;
/// # Ok::<(), sessio::Error>(())
/// ```
///
/// [`sign`](Self::sign) signs one request by itself:
///
/// ```
/// use sessio::auth::SigV4;
/// use sessio::{Jar, Now, Request, Settings, UnixTime, merge, prepare};
///
/// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(1_369_353_600) };
/// let credentials = SigV4::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG", "us-east-1", "s3");
/// let request = Request::get("https://examplebucket.s3.amazonaws.com/test.txt");
/// let mut call = prepare(merge(&Settings::default(), request), &mut Jar::new(), now)?;
/// credentials.sign(&mut call.request, now.wall)?;
/// assert_eq!(call.request.headers().get("X-Amz-Date"), Some("20130524T000000Z"));
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone)]
pub struct SigV4 {
    access_key: Box<str>,
    secret_key: Secret,
    session_token: Option<Secret>,
    region: Box<str>,
    service: Box<str>,
    signs_payload: bool,
}

impl SigV4 {
    /// Credentials for a service in a region, such as `s3` in `eu-west-1`.
    #[must_use]
    pub fn new(access_key: &str, secret_key: impl AsRef<[u8]>, region: &str, service: &str) -> Self {
        Self {
            access_key: access_key.into(),
            secret_key: Secret(secret_key.as_ref().into()),
            session_token: None,
            region: region.into(),
            service: service.into(),
            signs_payload: true,
        }
    }

    /// Sets the session token of temporary credentials. It is sent as `X-Amz-Security-Token`.
    /// Default: none.
    #[must_use]
    pub fn session_token(mut self, token: impl AsRef<[u8]>) -> Self {
        self.session_token = Some(Secret(token.as_ref().into()));
        self
    }

    /// Leaves the body out of the signature. Default: a body of bytes is signed.
    #[must_use]
    pub fn unsigned_payload(mut self) -> Self {
        self.signs_payload = false;
        self
    }

    /// Signs a request that is otherwise complete. An earlier signature is replaced.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`]: a control character in the credentials.
    pub fn sign(&self, request: &mut Prepared, now: UnixTime) -> Result<()> {
        let time = Timestamp::new(now);
        let payload = match request.body.as_bytes() {
            Some(bytes) if self.signs_payload => hex(&Sha256::digest(bytes)),
            _ => UNSIGNED.to_owned(),
        };
        let rule = if self.is_s3() { PathRule::Once } else { PathRule::Twice };
        request.headers.insert("X-Amz-Date", time.to_string())?;
        if self.is_s3() || payload == UNSIGNED {
            request.headers.insert("X-Amz-Content-SHA256", &payload)?;
        } else if request.headers.get("X-Amz-Content-SHA256") == Some(UNSIGNED) {
            // An earlier signature was for a body that is not sent any more.
            request.headers.remove("X-Amz-Content-SHA256");
        }
        if let Some(token) = &self.session_token {
            request.headers.insert("X-Amz-Security-Token", &token.0).map_err(invalid)?;
            request.headers.mark_sensitive("X-Amz-Security-Token");
        }
        let canonical = Canonical::new(request, rule);
        let scope = format!("{}/{}/{}/aws4_request", time.day(), self.region, self.service);
        let hash = hex(&Sha256::digest(canonical.text(request, &payload)));
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hash}");
        let mut key = [b"AWS4", &*self.secret_key.0].concat();
        for part in [&*time.day(), &*self.region, &*self.service, "aws4_request"] {
            key = hmac_sha256(&key, part.as_bytes()).to_vec();
        }
        let signature = hex(&hmac_sha256(&key, text.as_bytes()));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            self.access_key,
            canonical.signed_headers(),
        );
        Ok(request.headers.insert("Authorization", value).map_err(invalid)?)
    }

    fn is_s3(&self) -> bool {
        *self.service == *"s3" || self.service.starts_with("s3-")
    }
}

/// The fault of credentials that no header can hold. It does not name them.
fn invalid(_: Fault) -> Fault {
    Fault::new(Kind::InvalidHeader).with_detail("a control character in the credentials")
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigV4({} in {}, ***)", self.service, self.region)
    }
}

impl Scheme for SigV4 {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(Signer { credentials: Arc::new(self.clone()), now: None })
    }
}

/// The flow of one call: credentials, and the time of the next signature.
#[derive(Clone, Debug)]
struct Signer {
    credentials: Arc<SigV4>,
    now: Option<UnixTime>,
}

impl Flow for Signer {
    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        match self.now {
            Some(now) => self.credentials.sign(request, now),
            None => Err(Kind::Misuse.into()),
        }
    }

    fn challenged(&mut self, _: &Head, _: &mut Prepared) -> Result<FlowDecision> {
        Ok(FlowDecision::Accept)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }

    /// The call tells the time before it signs.
    fn asks(&self) -> bool {
        true
    }

    fn need(&mut self, _: &Prepared, now: Now) -> Result<Need> {
        self.now = Some(now.wall);
        Ok(Need::Nothing)
    }
}

#[cfg(test)]
mod tests;
