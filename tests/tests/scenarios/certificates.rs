//! A table of certificates, valid ones and invalid ones of every kind, each with its required
//! outcome (rows F06, V93, V94, goal G18). It runs on every backend, and both directly and through
//! a proxy.

use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, NameConstraints, PKCS_RSA_SHA256, PublicKeyData, SanType, SignatureAlgorithm, date_time_ymd,
};
use sessio::tls::{Pin, Tls};
use sessio::{Kind, Stage};
use sessio_driver::Runtime;
use sessio_testkit::Server;
use sessio_tests::authority::{Authority, Issued, dns};
use sessio_tests::scenarios;
use sessio_tests::server_tls::ServerTls;
use sessio_tests::way::Way;
use sessio_tests::world::World;

scenarios! { sealed:
    f06_certificates_that_are_good
    f06_certificates_of_the_wrong_time_or_name
    v94_names_are_matched_to_the_letter
    f06_certificates_of_an_untrusted_authority
    f06_certificates_that_were_revoked
    f06_certificates_that_are_weak_or_for_something_else
    fb12_the_error_for_a_wrong_name_lists_the_names_of_the_certificate
}

/// The certificate of a server, the settings of a client, and the outcome.
struct Case {
    name: &'static str,
    server: Issued,
    host: &'static str,
    tls: Tls,
    expected: Result<(), Kind>,
}

/// A root that all clients trust here, and other authorities.
struct Cast {
    root: Authority,
    middle: Authority,
    stranger: Authority,
    /// An authority with the name of the root, but its own key.
    double: Authority,
}

static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let root = Authority::root("root");
    let middle = root.below("middle", |_| {});
    Cast { middle, stranger: Authority::root("stranger"), double: Authority::root("root"), root }
});

fn trusting() -> Tls {
    Tls::default().roots(CAST.root.certificates())
}

fn case(name: &'static str, server: Issued, expected: Result<(), Kind>) -> Case {
    Case { name, server, host: "localhost", tls: trusting(), expected }
}

impl Case {
    fn asked_as(self, host: &'static str) -> Self {
        Self { host, ..self }
    }

    fn wanting(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }
}

/// Tries each case on every way, against a server with the certificate. A refusal comes before any
/// byte of the request is sent.
async fn check<R: Runtime>(world: &World<R>, cases: &[Case]) {
    for case in cases {
        for way in Way::ALL {
            case.check(world, way).await;
        }
        println!("{}: {:?}, on every way", case.name, case.expected);
    }
}

impl Case {
    async fn check<R: Runtime>(&self, world: &World<R>, way: Way) {
        let Self { name, server, host, tls, expected } = self;
        let (server, session) = (Server::adapted(way.adapters(ServerTls::new(server))), world.session());
        let mut request = session.get(server.url_at(host, "/get")).header("Authorization", "secret");
        match way.proxy(&server).unwrap() {
            Some(proxy) => request = request.proxy(proxy),
            None => session.resolve(host, [server.addr()]).unwrap(),
        }
        match (request.tls(tls.clone()).send().await, expected) {
            (Ok(response), Ok(())) => {
                assert_eq!(response.status(), 200, "{name}, {way:?}");
                response.bytes().await.unwrap();
            }
            (Err(error), Err(kind)) => {
                assert_eq!(error.kind(), *kind, "{name}, {way:?}: {error}");
                let at = error.progress().unwrap();
                assert_eq!((at.stage, at.bytes_sent, at.hop), (Stage::Tls, 0, 0), "{name}, {way:?}");
                assert!(error.is_connect() && error.is_tls() && error.is_safe_to_repeat(), "{name}, {way:?}");
                assert!(server.requests().is_empty(), "{name}, {way:?}");
                assert!(!format!("{error} {error:?}").contains("secret"));
            }
            (Ok(_), Err(kind)) => panic!("{name}, {way:?} was to be {kind}"),
            (Err(error), Ok(())) => panic!("{name}, {way:?}: {error} {error:?}"),
        }
    }
}

async fn fb12_the_error_for_a_wrong_name_lists_the_names_of_the_certificate<R: Runtime>(world: &World<R>) {
    static ISSUED: LazyLock<[Issued; 3]> = LazyLock::new(|| {
        let nameless = |params: &mut CertificateParams| {
            authority(params);
            params.subject_alt_names = vec![];
        };
        [Issued::by_itself(|_| {}), Issued::by_itself(authority), Issued::by_itself(nameless)]
    });
    for (issued, names) in ISSUED.iter().zip([
        "it is for localhost, 127.0.0.1",
        "it is for localhost, 127.0.0.1",
        "it has no name of a host",
    ]) {
        let (server, session) = (ServerTls::new(issued).serve(), world.session());
        session.resolve("other.test", [server.addr()]).unwrap();
        let ask = |tls: Tls| session.get(server.url_at("other.test", "/get")).tls(tls).send();
        let trusting = || Tls::default().roots(issued.certificates());
        let error = ask(trusting()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::CertificateWrongHost, "{error}");
        let expected = format!("{names}, and other.test was asked");
        assert!(error.to_string().contains(&expected), "{error}");
        assert_eq!(error.progress().unwrap().bytes_sent, 0);
        let response = ask(trusting().danger_accept_invalid_hostnames(true)).await.unwrap();
        response.bytes().await.unwrap();
        // An untrusted certificate is reported as such, and not for its name.
        let error = ask(Tls::default().roots(CAST.root.certificates())).await.unwrap_err();
        assert_eq!(error.kind(), Kind::CertificateSelfSigned, "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

async fn f06_certificates_that_are_good<R: Runtime>(world: &World<R>) {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let Cast { root, middle, stranger, .. } = &*CAST;
        let good = |name, server| case(name, server, Ok(()));
        let (alone, tool) = (Issued::by_itself(|_| {}), Issued::by_itself(authority));
        let pinned = middle.issue(|_| {});
        let extra = Tls::default().roots(stranger.certificates()).add_roots(root.certificates());
        let deep = middle.below("deeper", |_| {}).below("deepest", |_| {});
        vec![
            good("of the root", root.issue(|_| {})),
            good("of an authority below", middle.issue(|_| {})),
            good("far below", deep.issue(|_| {})),
            good("with the root besides", middle.issue(|_| {}).with([root.der().to_vec()])),
            good("with strangers besides", middle.issue(|_| {}).with([stranger.der().to_vec()])),
            good("by address", root.issue(|_| {})).asked_as("127.0.0.1"),
            good("with a dot at the end", root.issue(|_| {})).asked_as("localhost."),
            good("any name below", root.issue(names(&["*.site.test"]))).asked_as("a.site.test"),
            good("of an IDN", root.issue(names(&["xn--bcher-kva.test"]))).asked_as("b\u{fc}cher.test"),
            good("with a thousand names", root.issue(crowd(1_000))),
            good("for servers", root.issue(purpose(ExtendedKeyUsagePurpose::ServerAuth))),
            good("by an authority of that name", within(root, "localhost").issue(|_| {})),
            good("trusted itself", alone.clone()).wanting(Tls::default().roots(alone.certificates())),
            good("trusted itself, an authority", tool.clone())
                .wanting(Tls::default().roots(tool.certificates())),
            good("of a root beside others", middle.issue(|_| {})).wanting(extra),
            good("pinned", pinned.clone())
                .wanting(trusting().pins([Pin::from_sha256([0; 32]), pinned.pin()])),
            good("on no list", middle.issue(|_| {})).wanting(
                trusting()
                    .add_revocation_lists(middle.revoke(&[7], 2100))
                    .add_revocation_lists(root.revoke(&[], 2100)),
            ),
            good("whoever, which is dangerous", alone)
                .wanting(Tls::default().danger_accept_invalid_certs(true)),
            good("for whomever, which is dangerous", root.issue(names(&["other.test"])))
                .wanting(trusting().danger_accept_invalid_hostnames(true)),
        ]
    });
    check(world, &CASES).await;
}

async fn f06_certificates_of_the_wrong_time_or_name<R: Runtime>(world: &World<R>) {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let Cast { root, middle, .. } = &*CAST;
        let wrong = Err(Kind::CertificateWrongHost);
        let before = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
        let after = |params: &mut CertificateParams| params.not_before = date_time_ymd(2100, 1, 1);
        vec![
            case("expired", middle.issue(before), Err(Kind::CertificateExpired)),
            case("expired above", root.below("old", before).issue(|_| {}), Err(Kind::CertificateExpired)),
            case("expired, for any host", root.issue(before), Err(Kind::CertificateExpired))
                .wanting(trusting().danger_accept_invalid_hostnames(true)),
            case("not yet valid", middle.issue(after), Err(Kind::CertificateNotYetValid)),
            case(
                "not yet valid above",
                root.below("new", after).issue(|_| {}),
                Err(Kind::CertificateNotYetValid),
            ),
            case("of another host", root.issue(names(&["other.test"])), wrong),
            case("of another address", root.issue(address([127, 0, 0, 2])), wrong).asked_as("127.0.0.1"),
            case("by its common name alone", root.issue(common_name), wrong),
            case("without any name", root.issue(names(&[])), wrong),
        ]
    });
    check(world, &CASES).await;
}

async fn v94_names_are_matched_to_the_letter<R: Runtime>(world: &World<R>) {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let named = |name, all: &'static [&'static str], host| {
            case(name, CAST.root.issue(names(all)), Err(Kind::CertificateWrongHost)).asked_as(host)
        };
        vec![
            named("any name below, two levels", &["*.site.test"], "a.b.site.test"),
            named("any name below, not itself", &["*.site.test"], "site.test"),
            named("any name below, of an address", &["*.0.0.1"], "127.0.0.1"),
            named("a part of a name", &["a*.site.test"], "ab.site.test"),
            named("an IDN by a part", &["xn--*.test"], "b\u{fc}cher.test"),
            named("an address as a name", &["127.0.0.1"], "127.0.0.1"),
            named("NUL in a name", &["localhost\0.evil.test"], "localhost"),
            named("a longer name", &["localhost.evil.test"], "localhost"),
            named("everything", &["*"], "localhost"),
        ]
    });
    check(world, &CASES).await;
}

async fn f06_certificates_of_an_untrusted_authority<R: Runtime>(world: &World<R>) {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let Cast { root, middle, stranger, double } = &*CAST;
        let unknown = Err(Kind::CertificateUnknownRoot);
        let (itself, incomplete) = (Err(Kind::CertificateSelfSigned), Err(Kind::CertificateIncompleteChain));
        let far = stranger.below("a stranger's", |_| {});
        vec![
            case("signed by itself", Issued::by_itself(|_| {}), itself),
            case("signed by itself, an authority", Issued::by_itself(authority), itself),
            case("of a stranger", stranger.issue(|_| {}), unknown),
            case(
                "of a stranger, who is shown",
                stranger.issue(|_| {}).with([stranger.der().to_vec()]),
                unknown,
            ),
            case("of a stranger's", far.issue(|_| {}), unknown),
            case("of one who has the name of the root", double.issue(|_| {}), unknown),
            case("of nobody, to the platform", root.issue(|_| {}), unknown).wanting(Tls::default()),
            case("of nobody, to Mozilla", root.issue(|_| {}), unknown)
                .wanting(Tls::default().roots(sessio::tls::Roots::Bundled)),
            case("one is missing", middle.issue(authority_at).alone(), incomplete),
            case(
                "another is shown",
                middle.issue(|_| {}).alone().with(far.issue(|_| {}).chain.split_off(1)),
                incomplete,
            ),
            case("not pinned", middle.issue(|_| {}), Err(Kind::CertificateNotPinned))
                .wanting(trusting().pins([Pin::from_sha256([0; 32])])),
            // Other certificates of the chain prove nothing.
            case("an authority is pinned", middle.issue(|_| {}), Err(Kind::CertificateNotPinned))
                .wanting(trusting().pins([root.issue(|_| {}).pin()])),
            case("whoever, and not pinned", Issued::by_itself(|_| {}), Err(Kind::CertificateNotPinned))
                .wanting(Tls::default().danger_accept_invalid_certs(true).pins([Pin::from_sha256([0; 32])])),
        ]
    });
    check(world, &CASES).await;
}

async fn f06_certificates_that_were_revoked<R: Runtime>(world: &World<R>) {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let Cast { root, middle, stranger, .. } = &*CAST;
        let unknown = Err(Kind::CertificateRevocationUnknown);
        let seven = |params: &mut CertificateParams| params.serial_number = Some(7.into());
        let listed = |lists: [_; 2]| lists.into_iter().fold(trusting(), Tls::add_revocation_lists);
        let below = root.below("revoked", seven);
        vec![
            case("revoked", middle.issue(seven), Err(Kind::CertificateRevoked))
                .wanting(listed([middle.revoke(&[7], 2100), root.revoke(&[], 2100)])),
            case("revoked above", below.issue(|_| {}), Err(Kind::CertificateRevoked))
                .wanting(listed([below.revoke(&[], 2100), root.revoke(&[7], 2100)])),
            case("no list of its authority", middle.issue(|_| {}), unknown)
                .wanting(listed([stranger.revoke(&[], 2100), root.revoke(&[], 2100)])),
            case("an old list", middle.issue(|_| {}), unknown)
                .wanting(listed([middle.revoke(&[], 2020), root.revoke(&[], 2100)])),
        ]
    });
    check(world, &CASES).await;
}

async fn f06_certificates_that_are_weak_or_for_something_else<R: Runtime>(world: &World<R>) {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let Cast { root, middle, .. } = &*CAST;
        let weak = Err(Kind::CertificateWeak);
        let (purpose_of, constraint) = (Err(Kind::CertificateWrongPurpose), Err(Kind::CertificateConstraint));
        let own_key = root.issue(|_| {}).key;
        let shallow =
            root.below("shallow", |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
        let ordinary = root.below("ordinary", |params| params.is_ca = IsCa::ExplicitNoCa);
        // Ed25519, replaced by Ed448, which no library here supports.
        let (known, unheard_of) = ([0x06, 0x03, 0x2b, 0x65, 0x70], [0x06, 0x03, 0x2b, 0x65, 0x71]);
        vec![
            case("a small key", middle.issue_for(&SmallKey, own_key, |_| {}), weak),
            case("a signature that nobody knows", root.issue(|_| {}).patched(&known, &unheard_of), weak),
            case("for clients", root.issue(purpose(ExtendedKeyUsagePurpose::ClientAuth)), purpose_of),
            case("for mail", root.issue(purpose(ExtendedKeyUsagePurpose::EmailProtection)), purpose_of),
            case("an authority itself", root.issue(authority), purpose_of),
            case("by an authority of other names", within(root, "other.test").issue(|_| {}), constraint),
            case("by an authority too far below", shallow.below("deep", |_| {}).issue(|_| {}), constraint),
            case("by no authority", ordinary.issue(|_| {}), constraint),
            case(
                "no certificate",
                Issued { chain: vec![vec![0x30, 0]], key: root.issue(|_| {}).key },
                Err(Kind::InvalidPeerCertificate),
            ),
            case("cut short", cut(root.issue(|_| {})), Err(Kind::InvalidPeerCertificate)),
            case("a critical extension", root.issue(critical), Err(Kind::InvalidPeerCertificate)),
            case("too many names", root.issue(crowd(10_000)), Err(Kind::TlsBroken)),
        ]
    });
    check(world, &CASES).await;
}

fn names(all: &'static [&'static str]) -> impl Fn(&mut CertificateParams) {
    move |params| params.subject_alt_names = all.iter().map(|name| dns(name)).collect()
}

fn crowd(count: usize) -> impl Fn(&mut CertificateParams) {
    move |params| {
        params.subject_alt_names = (1..count).map(|number| dns(&format!("host{number}.test"))).collect();
        params.subject_alt_names.push(dns("localhost"));
    }
}

fn address(ip: [u8; 4]) -> impl Fn(&mut CertificateParams) {
    move |params| params.subject_alt_names = vec![SanType::IpAddress(ip.into())]
}

fn common_name(params: &mut CertificateParams) {
    params.subject_alt_names.clear();
    params.distinguished_name.push(DnType::CommonName, "localhost");
}

fn authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

fn purpose(purpose: ExtendedKeyUsagePurpose) -> impl Fn(&mut CertificateParams) {
    move |params| params.extended_key_usages = vec![purpose.clone()]
}

/// An authority for names below this one.
fn within(root: &Authority, name: &str) -> Authority {
    root.below("within", |params| {
        let permitted_subtrees = vec![GeneralSubtree::DnsName(name.to_owned())];
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
    })
}

/// Adds the URL of the authority's certificate, as public authorities do in those that they issue.
fn authority_at(params: &mut CertificateParams) {
    const ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
    let place = b"http://a.test/ca";
    let method = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let wrap = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let content = wrap(0x30, &wrap(0x30, &[&method[..], &wrap(0x86, place)].concat()));
    params.custom_extensions.push(CustomExtension::from_oid_content(ACCESS, content));
}

fn critical(params: &mut CertificateParams) {
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
}

fn cut(mut issued: Issued) -> Issued {
    let half = issued.chain[0].len() / 2;
    issued.chain[0].truncate(half);
    issued
}

/// An RSA key of 1024 bits.
struct SmallKey;

impl PublicKeyData for SmallKey {
    fn der_bytes(&self) -> &[u8] {
        static DER: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let modulus = [&[0x02, 0x81, 0x81, 0x00][..], &[0xff; 128]].concat();
            let exponent = [0x02, 0x03, 0x01, 0x00, 0x01];
            [&[0x30, 0x81, 0x89][..], &modulus, &exponent].concat()
        });
        &DER
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}
