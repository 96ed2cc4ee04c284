//! Kinds of errors, and the party at fault for each.

use std::fmt;

/// The party at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The program that uses the session. Nothing was sent, unless the request's body failed while
    /// it was sent.
    Caller,
    /// The server, or another peer in its place: it broke the protocol.
    Peer,
    /// The network: names, routes, sockets, time.
    Network,
    /// A limit of this session. It can be raised.
    Limit,
}

/// The named time limit that ran out. Each has a field of the same name in
/// [`Timeouts`](crate::Timeouts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// Waiting for a free place in the pool.
    Pool,
    /// Resolving the host's name to addresses.
    Resolve,
    /// Opening the connection, with all its addresses and stages together.
    Connect,
    /// Sending the request: the peer took no byte for this long.
    Send,
    /// Waiting for the whole head of the response, from the end of the request.
    Head,
    /// Waiting for the next bytes of the body.
    Read,
    /// The whole call, with every hop, every retry and the body.
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
        /// The kind of an error. [`blame`](Self::blame) groups the kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = concat!($says, ": ", $advice, ".")] $variant,)*
            /// A time limit ran out. The value is the limit.
            Timeout(Timeout),
        }

        impl Kind {
            /// The kind in kebab-case, for logs and other programs.
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

            /// The party at fault.
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
                    Self::Timeout(Timeout::Read) => "no more of the body came in time",
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
                    Self::Timeout(Timeout::Head) => "raise `timeouts.head` if the server needs longer to respond",
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
    UnsupportedScheme "unsupported-scheme" Caller "the URL's scheme is not supported" "use http://, or a backend with TLS for https://";
    InvalidMethod "invalid-method" Caller "the method is not a token" "use letters, digits and -!#$%&'*+.^_`|~";
    InvalidHeader "invalid-header" Caller "a header is not valid" "use a token as its name, and a value without CR, LF, NUL and leading blanks";
    InvalidCookie "invalid-cookie" Caller "a cookie cannot be sent as given" "remove control bytes and ; from its name and value";
    InvalidTimeout "invalid-timeout" Caller "a time limit of zero always fails" "use None for no limit";
    InvalidProxy "invalid-proxy" Caller "the proxy is not valid" "give http://, https://, socks5:// or socks5h:// and a host";
    InvalidNetrc "invalid-netrc" Caller "the netrc file cannot be used" "chmod 600 it, or set `trust_env` to false";
    InvalidBody "invalid-body" Caller "the body cannot be serialised" "see the cause";
    InvalidQuery "invalid-query" Caller "the query cannot be written as pairs" "give a struct, a map or pairs of plain values";
    UnknownCharset "unknown-charset" Caller "the charset is not known" "use a label of the Encoding standard; most of them need the feature `charset`";
    BodyLength "body-length" Caller "the body's length is not the declared one" "declare the length that is sent, or none";
    PartlyRead "partly-read" Caller "a part of the body was already read" "read the other chunks one by one, or take them with `rest`";
    BodySource "body-source" Caller "the source of the request's body failed" "see the cause";
    File "file" Caller "a file or stream of this program failed" "check its path and permissions";
    NotReplayable "not-replayable" Caller "the request must be sent again, and its body cannot be" "give bytes or a body that can start over, or disable redirects";
    InvalidTls "invalid-tls" Caller "the TLS settings cannot be used" "see the detail, and check the given certificates and keys";
    HttpsOnly "https-only" Caller "the URL uses http://, and only https:// is allowed" "use https://, or allow http:// with `https_only(false)`";
    Misuse "misuse" Caller "the call received an outcome that no step asked for" "perform the step that `Call::step` returns";

    Resolve "resolve" Network "the host's name has no address" "check the name and the resolver";
    Connect "connect" Network "no connection could be made" "check that the host is up and the port is open";
    ClosedBeforeResponse "closed-before-response" Network "the peer closed the connection before a response" "send again if the request may be repeated";
    IncompleteHead "incomplete-head" Network "the connection ended within the head of the response" "send again if the request may be repeated";
    IncompleteBody "incomplete-body" Network "the connection ended before the end of the body" "discard the partial body and ask again, or resume with a Range request";
    TlsClosed "tls-closed" Network "the connection ended within the TLS handshake" "check that this port speaks TLS, and which versions it allows";
    Io "io" Network "the connection failed" "see the cause";

    CertificateExpired "certificate-expired" Peer "the server's certificate has expired" "check this machine's clock, then contact the server's owner";
    CertificateNotYetValid "certificate-not-yet-valid" Peer "the server's certificate is not valid yet" "check this machine's clock, then contact the server's owner";
    CertificateWrongHost "certificate-wrong-host" Peer "the server's certificate is for another host" "check the host in the URL: it must be one that the certificate names";
    CertificateSelfSigned "certificate-self-signed" Peer "the server's certificate is self-signed" "if it is the right one, add it to the roots";
    CertificateUnknownRoot "certificate-unknown-root" Peer "the server's certificate is issued by an authority that is not trusted" "if that authority is the right one, add its certificate to the roots";
    CertificateIncompleteChain "certificate-incomplete-chain" Peer "the server did not send an intermediate certificate" "ask the server's owner to send the whole chain, or add the missing certificate to the roots";
    CertificateRevoked "certificate-revoked" Peer "the server's certificate has been revoked" "contact the server's owner, and send nothing there until it is replaced";
    CertificateRevocationUnknown "certificate-revocation-unknown" Peer "the revocation lists do not say whether the server's certificate is revoked" "give a current list of each authority in the chain";
    CertificateWeak "certificate-weak" Peer "a key or signature in the server's certificates is too weak, or of an unknown kind" "ask the server's owner for a new certificate";
    CertificateWrongPurpose "certificate-wrong-purpose" Peer "the server's certificate is not issued for servers" "contact the server's owner";
    CertificateConstraint "certificate-constraint" Peer "the server's certificate is not one that its authorities may issue" "contact the server's owner";
    CertificateNotPinned "certificate-not-pinned" Peer "the server's key is not one of the pinned keys" "if the server has a new key, change the pins";
    InvalidPeerCertificate "invalid-peer-certificate" Peer "the server's certificate is malformed" "contact the server's owner";
    ClientCertificate "client-certificate" Peer "the server requires a client certificate, or refuses the one that it received" "set an identity that this server knows on the session or the request";
    TlsMismatch "tls-mismatch" Peer "client and server have no TLS version, cipher or protocol in common" "see the cause, and lower `min_version` for an old server";
    TlsProtocol "tls-protocol" Caller "TLS negotiated a protocol that this client does not speak" "offer only `http/1.1` with `Tls::alpn`";
    TlsAlert "tls-alert" Peer "the server ended the TLS connection with an alert" "see the alert, and the server's log";
    TlsBroken "tls-broken" Peer "the server violates the TLS protocol" "see the cause; a device between here and the server may be at fault";
    NotTls "not-tls" Peer "the server does not speak TLS on this port" "use http:// or another port";
    NotHttp "not-http" Peer "the peer does not speak HTTP/1" "check scheme and port";
    BadHead "bad-head" Peer "the head of the response is malformed" "report it to the server's owner";
    BadLength "bad-length" Peer "the response's Content-Length is not a number" "report it to the server's owner";
    ConflictingLength "conflicting-length" Peer "the response names two different lengths" "report it to the server's owner";
    UnsupportedTransferCoding "unsupported-transfer-coding" Peer "the response's Transfer-Encoding is not exactly chunked" "report it to the server's owner";
    BadChunk "bad-chunk" Peer "the chunked body is malformed" "report it to the server's owner";
    BadCoding "bad-coding" Peer "the body's Content-Encoding cannot be decoded" "disable decoding to receive the coded bytes";
    TooManyCodings "too-many-codings" Limit "the body has more content codings than allowed" "disable decoding to receive the coded bytes";
    InvalidJson "invalid-json" Peer "the body of the response is not the expected JSON" "check URL and status, and compare the body with the type; the cause says where they differ";
    BadRange "bad-range" Peer "the response is not the requested range" "the partial file is unchanged: ask again, or restart the download";
    UnexpectedUpgrade "unexpected-upgrade" Peer "the server switched protocols, and the request did not ask for it" "report it to the server's owner";
    UnsupportedUpgrade "unsupported-upgrade" Caller "the server switched to another protocol, and sessions speak only HTTP" "send neither Upgrade nor CONNECT";
    UnsolicitedData "unsolicited-data" Peer "the server sent bytes before the request" "report it to the server's owner";
    BadLocation "bad-location" Peer "the redirect's Location is not a usable URL" "read the response in the error, or disable redirects";
    ConflictingLocation "conflicting-location" Peer "the redirect names two different Locations" "read the response in the error";
    UnsupportedRedirectScheme "unsupported-redirect-scheme" Peer "the redirect's URL is neither http:// nor https://" "read the response in the error";
    ProxyRefused "proxy-refused" Peer "the proxy refused the connection" "read the proxy's response, or use another route";
    ProxyAuthentication "proxy-authentication" Peer "the proxy requires other credentials" "give the proxy a user and a password";
    NotSocks "not-socks" Peer "the proxy does not speak SOCKS 5" "check its scheme and port";
    Authentication "authentication" Peer "the authentication failed" "see the detail, and check the credentials";
    Status "status" Peer "the server responded with an error status" "read the response in the error";

    HeadTooLarge "head-too-large" Limit "the response's heads are larger than allowed" "raise `limits.head_bytes`";
    TooManyFields "too-many-fields" Limit "the response has more header fields than allowed" "raise `limits.fields`";
    TooManyInterim "too-many-interim" Limit "the server sent more interim responses than allowed" "raise `limits.interim`";
    BodyTooLarge "body-too-large" Limit "the body is larger than allowed" "raise `limits.body_bytes`";
    LineTooLong "line-too-long" Limit "a line or an event of the body is longer than allowed" "raise `limits.line_bytes`";
    CodingGrowth "coding-growth" Limit "the decoded body is many times larger than the coded one" "raise `limits.growth` if that is expected";
    TooManyRedirects "too-many-redirects" Limit "the call was redirected more often than allowed" "raise `max_redirects`, or read the response in the error";
    BlockedAddress "blocked-address" Limit "the guard blocks the host's address" "use another host, or change `guard`";
    RedirectForbidden "redirect-forbidden" Limit "the redirect leads to a target that is not allowed" "read the response in the error, or change `redirect_targets`";
    CircuitOpen "circuit-open" Limit "too many requests to the host have failed, and none is sent for a while" "see the cause for the time of the next request, or change `pace.breaker`";
    Paced "paced" Limit "the wait for the pace of the host is longer than allowed" "see the cause for the time of the next request, raise `timeouts.total` or `hold.max_wait`, or change `pace`";
    RedirectLoop "redirect-loop" Limit "the redirects lead back to a request that was already sent" "read the response in the error, or disable `detect_loops`; a missing cookie or login is the usual cause";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
