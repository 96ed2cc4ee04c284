//! The kinds of errors, and who is to blame for each.

use std::fmt;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The program that uses the session: nothing was sent, unless a body broke on the way.
    Caller,
    /// The server, or whoever speaks in its name: it broke the protocol.
    Peer,
    /// What lies between: names, routes, sockets, time.
    Network,
    /// A limit of this session, there to be raised.
    Limit,
}

/// Which of the named time limits ran out. Each has a field of the same name in
/// [`Timeouts`](crate::Timeouts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// Waiting for a free place in the pool.
    Pool,
    /// Turning the host's name into addresses.
    Resolve,
    /// Opening the connection, all its addresses and layers together.
    Connect,
    /// Sending the request: the peer took no byte for this long.
    Send,
    /// Waiting for the whole head of the response, from the end of the request.
    Head,
    /// Between two reads of the body.
    Read,
    /// The whole call, over every hop, retry and the body.
    Total,
}

impl Timeout {
    /// The name of the field in [`Timeouts`](crate::Timeouts).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Head => "head",
            Self::Read => "read",
            Self::Total => "total",
        }
    }
}

macro_rules! kinds {
    ($($variant:ident $name:literal $blame:ident $says:literal $advice:literal;)*) => {
        /// What happened. [`blame`](Self::blame) groups the kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = concat!($says, ": ", $advice, ".")] $variant,)*
            /// A time limit ran out; the value says which one.
            Timeout(Timeout),
        }

        impl Kind {
            /// The kind in kebab-case, as logs and other programs want it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Timeout(Timeout::Pool) => "pool-timeout",
                    Self::Timeout(Timeout::Resolve) => "resolve-timeout",
                    Self::Timeout(Timeout::Connect) => "connect-timeout",
                    Self::Timeout(Timeout::Send) => "send-timeout",
                    Self::Timeout(Timeout::Head) => "head-timeout",
                    Self::Timeout(Timeout::Read) => "read-timeout",
                    Self::Timeout(Timeout::Total) => "total-timeout",
                }
            }

            /// Whose fault it is.
            #[must_use]
            pub const fn blame(self) -> Blame {
                match self {
                    $(Self::$variant => Blame::$blame,)*
                    Self::Timeout(_) => Blame::Network,
                }
            }

            pub(crate) const fn says(self) -> &'static str {
                match self {
                    $(Self::$variant => $says,)*
                    Self::Timeout(Timeout::Pool) => "no place in the pool became free in time",
                    Self::Timeout(Timeout::Resolve) => "the host's name was not resolved in time",
                    Self::Timeout(Timeout::Connect) => "no connection was made in time",
                    Self::Timeout(Timeout::Send) => "the peer did not take the request in time",
                    Self::Timeout(Timeout::Head) => "no response came in time",
                    Self::Timeout(Timeout::Read) => "the body stopped coming",
                    Self::Timeout(Timeout::Total) => "the call took too long",
                }
            }

            pub(crate) const fn advice(self) -> &'static str {
                match self {
                    $(Self::$variant => $advice,)*
                    Self::Timeout(Timeout::Pool) => "raise `timeouts.pool` or the pool's limits, or finish reading earlier responses",
                    Self::Timeout(Timeout::Resolve) => "check the resolver or raise `timeouts.resolve`",
                    Self::Timeout(Timeout::Connect) => "check that the host is up or raise `timeouts.connect`",
                    Self::Timeout(Timeout::Send) => "raise `timeouts.send` or send less at once",
                    Self::Timeout(Timeout::Head) => "raise `timeouts.head` if the server needs longer to answer",
                    Self::Timeout(Timeout::Read) => "raise `timeouts.read` or resume with a Range request",
                    Self::Timeout(Timeout::Total) => "raise `timeouts.total`",
                }
            }
        }
    };
}

kinds! {
    InvalidUrl "invalid-url" Caller "the URL cannot be parsed" "check its host, port and brackets";
    MissingScheme "missing-scheme" Caller "the URL has no scheme" "start it with http:// or give the session a base_url";
    UnsupportedScheme "unsupported-scheme" Caller "no transport speaks this URL's scheme" "use http://, or a backend that has TLS for https://";
    InvalidMethod "invalid-method" Caller "the method is not a token" "use letters, digits and -!#$%&'*+.^_`|~";
    InvalidHeader "invalid-header" Caller "a header is not valid" "names are tokens, values have no CR, LF, NUL or leading blank";
    InvalidCookie "invalid-cookie" Caller "a cookie cannot be sent as given" "names and values have no control bytes and no ;";
    InvalidTimeout "invalid-timeout" Caller "a time limit of zero can never be met" "use None for no limit";
    InvalidProxy "invalid-proxy" Caller "that is no proxy" "give http://, https://, socks5:// or socks5h:// and a host";
    InvalidNetrc "invalid-netrc" Caller "the netrc file cannot be used" "chmod 600 it, or set `trust_env` to false";
    InvalidBody "invalid-body" Caller "the body cannot be serialised" "see the cause";
    InvalidQuery "invalid-query" Caller "the query cannot be written as pairs" "give a struct, a map or pairs of plain values";
    BodyLength "body-length" Caller "the body has another length than declared" "declare the length that is sent, or none";
    PartlyRead "partly-read" Caller "a part of the body was read before" "read on piece by piece, or take what is left by `rest`";
    BodySource "body-source" Caller "the source of the request's body failed" "see the cause";
    NotReplayable "not-replayable" Caller "the body would have to be sent again, and cannot be" "give bytes or a body that can start over, or switch redirects off";
    InvalidTls "invalid-tls" Caller "the settings of TLS cannot be used" "see the detail, and check the certificates and keys that were given";
    HttpsOnly "https-only" Caller "only https:// is allowed, and this URL has no TLS" "use https://, or allow http:// by `https_only(false)`";
    Misuse "misuse" Caller "the machine was given an answer that it had not asked for" "answer the step that is wanted now";

    Resolve "resolve" Network "the host's name has no address" "check the name and the resolver";
    Connect "connect" Network "no connection could be made" "check that the host is up and the port is open";
    ClosedBeforeResponse "closed-before-response" Network "the peer closed the connection without an answer" "send again if the request may be repeated";
    IncompleteHead "incomplete-head" Network "the connection ended within the head of the response" "send again if the request may be repeated";
    IncompleteBody "incomplete-body" Network "the connection ended before the whole body had come" "what came is not the whole: ask again, or resume with a Range request";
    TlsClosed "tls-closed" Network "the connection ended within the TLS handshake" "check that this port speaks TLS, and which versions it allows";
    Io "io" Network "the connection failed" "see the cause";

    CertificateExpired "certificate-expired" Peer "the server's certificate has expired" "check the clock of this machine, then tell the server's owner";
    CertificateNotYetValid "certificate-not-yet-valid" Peer "the server's certificate is not valid yet" "check the clock of this machine, then tell the server's owner";
    CertificateWrongHost "certificate-wrong-host" Peer "the server's certificate is for another host" "check the host in the URL: it must be one that the certificate names";
    CertificateSelfSigned "certificate-self-signed" Peer "the server's certificate is signed by itself alone" "if it is the right one add it to the roots";
    CertificateUnknownRoot "certificate-unknown-root" Peer "the server's certificate comes from an authority that is not trusted" "if that authority is the right one add its certificate to the roots";
    CertificateIncompleteChain "certificate-incomplete-chain" Peer "the server left out a certificate between its own and an authority" "tell the server's owner to send the whole chain, or add the missing one to the roots";
    CertificateRevoked "certificate-revoked" Peer "the server's certificate has been revoked" "tell the server's owner, and send nothing there meanwhile";
    CertificateRevocationUnknown "certificate-revocation-unknown" Peer "the revocation lists do not tell whether the server's certificate still holds" "give a current list of each authority in the chain";
    CertificateWeak "certificate-weak" Peer "a key or signature in the server's certificates is too weak, or of a kind that is not known" "tell the server's owner to have it issued anew";
    CertificateWrongPurpose "certificate-wrong-purpose" Peer "the server's certificate is not one for servers" "tell the server's owner";
    CertificateConstraint "certificate-constraint" Peer "the server's certificate is not one that its authorities may issue" "tell the server's owner";
    CertificateNotPinned "certificate-not-pinned" Peer "the server's key is none of those that are pinned" "if the server has changed its key change the pins";
    InvalidPeerCertificate "invalid-peer-certificate" Peer "the server's certificate is malformed" "tell the server's owner";
    ClientCertificate "client-certificate" Peer "the server wants a certificate of the client, or refuses the one it has" "give the session or the request the identity that this server knows";
    TlsMismatch "tls-mismatch" Peer "client and server have no version, cipher or protocol of TLS in common" "see the cause, and lower `min_version` if the server is an old one";
    TlsProtocol "tls-protocol" Caller "client and server agreed in TLS on a protocol that is not spoken here" "offer `http/1.1` alone by `Tls::alpn`";
    TlsAlert "tls-alert" Peer "the server has ended the TLS connection with an alert" "see the alert, and the server's log";
    TlsBroken "tls-broken" Peer "the server breaks the rules of TLS" "see the cause; something between here and the server may be at fault";
    NotTls "not-tls" Peer "the server does not speak TLS on this port" "use http:// or another port";
    NotHttp "not-http" Peer "the peer does not speak HTTP/1" "check scheme and port";
    BadHead "bad-head" Peer "the head of the response is malformed" "report it to the server's owner";
    BadLength "bad-length" Peer "the response's Content-Length is not a number" "report it to the server's owner";
    ConflictingLength "conflicting-length" Peer "the response names two different lengths" "report it to the server's owner";
    UnsupportedTransferCoding "unsupported-transfer-coding" Peer "the response's Transfer-Encoding is not exactly chunked" "report it to the server's owner";
    BadChunk "bad-chunk" Peer "the chunked body is malformed" "report it to the server's owner";
    BadCoding "bad-coding" Peer "the body's Content-Encoding cannot be undone" "switch decoding off to have the bytes as they came";
    TooManyCodings "too-many-codings" Limit "the body has more content codings than anybody needs" "switch decoding off to have the bytes as they came";
    BadRange "bad-range" Peer "the answer is not the part that was asked for" "what is held is as it was: ask again, or restart the download";
    UnexpectedUpgrade "unexpected-upgrade" Peer "the server switched protocols without being asked" "report it to the server's owner";
    UnsupportedUpgrade "unsupported-upgrade" Caller "the server switched to another protocol, and sessions speak HTTP alone" "send neither Upgrade nor CONNECT";
    UnsolicitedData "unsolicited-data" Peer "the server spoke before it was asked" "report it to the server's owner";
    BadLocation "bad-location" Peer "the redirect's Location is no usable URL" "read the response that the error holds, or switch redirects off";
    ConflictingLocation "conflicting-location" Peer "the redirect names two different Locations" "read the response that the error holds";
    UnsupportedRedirectScheme "unsupported-redirect-scheme" Peer "the redirect leads away from HTTP" "read the response that the error holds";
    ProxyRefused "proxy-refused" Peer "the proxy refused the connection" "read what it answered, or go another way";
    ProxyAuthentication "proxy-authentication" Peer "the proxy wants other credentials" "give the proxy a user and a password";
    NotSocks "not-socks" Peer "the proxy does not speak SOCKS 5" "check its scheme and port";
    Status "status" Peer "the server answered with an error status" "read the response that the error holds";

    HeadTooLarge "head-too-large" Limit "the response's heads are larger than allowed" "raise `limits.head_bytes`";
    TooManyFields "too-many-fields" Limit "the response has more header fields than allowed" "raise `limits.fields`";
    TooManyInterim "too-many-interim" Limit "the server sent more interim responses than allowed" "raise `limits.interim`";
    BodyTooLarge "body-too-large" Limit "the body is larger than allowed" "raise `limits.body_bytes`";
    LineTooLong "line-too-long" Limit "a line or an event of the body is longer than allowed" "raise `limits.line_bytes`";
    CodingGrowth "coding-growth" Limit "the body decodes to many times its size" "raise `limits.growth` if that is expected";
    TooManyRedirects "too-many-redirects" Limit "the redirects go on for longer than allowed" "raise `max_redirects`, or read the response that the error holds";
    BlockedAddress "blocked-address" Limit "the host is at an address that is not to be reached" "ask for another host, or change `guard`";
    RedirectForbidden "redirect-forbidden" Limit "the redirect leads to where none may lead" "read the response that the error holds, or change `redirect_targets`";
    RedirectLoop "redirect-loop" Limit "the redirects lead back to a request that was already sent" "read the response that the error holds, or switch `detect_loops` off; a missing cookie or login is the usual cause";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
