use super::*;
use crate::Body;
use crate::base::time::Instant;
use crate::session::merge::merge;
use crate::session::prepare::prepare;
use crate::session::request::Request;
use crate::session::settings::Settings;
use sessio_cookie::Jar;

const NOW: UnixTime = UnixTime(1_369_353_600);
const HOST: &str = "https://examplebucket.s3.amazonaws.com";

fn credentials(service: &str) -> SigV4 {
    SigV4::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", service)
}

fn prepared(request: Request) -> Prepared {
    let now = Now { mono: Instant::ZERO, wall: NOW };
    prepare(merge(&Settings::default(), request), &mut Jar::new(), now).unwrap().request
}

fn signed(credentials: &SigV4, request: Request) -> Prepared {
    let mut request = prepared(request);
    credentials.sign(&mut request, NOW).unwrap();
    request
}

/// The examples of the documentation of S3, "Authenticating Requests: Using the Authorization
/// Header".
#[test]
fn the_examples_of_s3() {
    let put = Request::put(format!("{HOST}/test$file.text"))
        .header("Date", "Fri, 24 May 2013 00:00:00 GMT")
        .header("X-Amz-Storage-Class", "REDUCED_REDUNDANCY")
        .body("Welcome to Amazon S3.")
        .remove_header("Content-Type");
    for (request, fields, signature) in [
        (
            Request::get(format!("{HOST}/test.txt")).header("Range", "bytes=0-9"),
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            put,
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            Request::get(format!("{HOST}/?lifecycle")),
            "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Request::get(format!("{HOST}/?max-keys=2&prefix=J")),
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let request = signed(&credentials("s3"), request);
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders={fields}, Signature={signature}"
        );
        assert_eq!(request.headers().get("Authorization"), Some(&*expected));
    }
}

#[test]
fn the_payload_is_signed_if_it_is_known() {
    let hash = |credentials: &SigV4, request| {
        signed(credentials, request).headers().get("X-Amz-Content-SHA256").map(str::to_owned)
    };
    let url = format!("{HOST}/");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let source = || Request::put(&url).body(Body::source(Some(3), true));
    assert_eq!(hash(&credentials("s3"), Request::get(&url)).as_deref(), Some(empty));
    assert_eq!(hash(&credentials("s3"), source()).as_deref(), Some(UNSIGNED));
    assert_eq!(hash(&credentials("s3").unsigned_payload(), Request::get(&url)).as_deref(), Some(UNSIGNED));
    // Other services read the hash from the body.
    assert_eq!(hash(&credentials("sqs"), Request::get(&url)), None);
    assert_eq!(hash(&credentials("sqs"), source()).as_deref(), Some(UNSIGNED));
}

#[test]
fn the_field_of_the_payload_describes_the_body_that_is_sent() {
    let field = |request: &Prepared| request.headers().get("X-Amz-Content-SHA256").map(str::to_owned);
    let [first, second] = ["first", "second"].map(|body| Some(hex(&Sha256::digest(body))));
    for (service, bytes) in [("s3", [first, second]), ("sqs", [None, None])] {
        let credentials = credentials(service);
        let mut request = signed(&credentials, Request::put(HOST).body("first"));
        assert_eq!(field(&request), bytes[0], "{service}");
        request.set_body(Body::source(Some(3), true));
        credentials.sign(&mut request, NOW).unwrap();
        assert_eq!(field(&request).as_deref(), Some(UNSIGNED), "{service}");
        request.set_body("second");
        credentials.sign(&mut request, NOW).unwrap();
        assert_eq!(field(&request), bytes[1], "{service}");
        // It is one field, and the signature covers it.
        assert!(request.headers().get_all("X-Amz-Content-SHA256").count() <= 1);
        let value = request.headers().get("Authorization").unwrap();
        assert_eq!(value.contains(";x-amz-content-sha256;"), bytes[1].is_some(), "{value}");
    }
    // A field of the caller stays, where the service does not need it.
    let by_hand = Request::put(HOST).body("x").header("x-amz-content-sha256", "by hand");
    assert_eq!(field(&signed(&credentials("sqs"), by_hand)).as_deref(), Some("by hand"));
}

#[test]
fn a_session_token_is_signed_and_secret() {
    let request = signed(&credentials("s3").session_token("token"), Request::get(HOST));
    let value = request.headers().get("Authorization").unwrap();
    assert!(value.contains(";x-amz-security-token,"), "{value}");
    let token = request.headers().iter().find(|field| field.name == "X-Amz-Security-Token").unwrap();
    assert!(token.is_sensitive());
    assert_eq!(format!("{:?}", credentials("s3").session_token("token")), "SigV4(s3 in us-east-1, ***)");
}

#[test]
fn a_second_signature_replaces_the_first() {
    let mut request = signed(&credentials("s3"), Request::get(HOST));
    let first = request.headers().clone();
    credentials("s3").sign(&mut request, NOW).unwrap();
    assert!(request.headers().iter().eq(first.iter()));
    credentials("s3").sign(&mut request, NOW.after(std::time::Duration::from_secs(1))).unwrap();
    assert_eq!(request.headers().len(), first.len());
    assert_ne!(request.headers().get("Authorization"), first.get("Authorization"));
}

#[test]
fn credentials_that_no_header_can_hold_are_an_error_without_them() {
    let error =
        credentials("s3").session_token("a\nb").sign(&mut prepared(Request::get(HOST)), NOW).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidHeader);
    let error = SigV4::new("a\nb", "c", "d", "e").sign(&mut prepared(Request::get(HOST)), NOW).unwrap_err();
    assert!(error.to_string().contains("a control character in the credentials"), "{error}");
}

#[test]
fn a_scheme_signs_by_the_clock_of_the_call() {
    let url = format!("{HOST}/?lifecycle");
    let mut flow = credentials("s3").begin();
    let mut request = prepared(Request::get(&url));
    assert_eq!(flow.sign(&mut request).unwrap_err().kind(), Kind::Misuse);
    assert!(flow.asks());
    let need = flow.need(&request, Now { mono: Instant::ZERO, wall: NOW }).unwrap();
    assert!(matches!(need, Need::Nothing));
    flow.sign(&mut request).unwrap();
    let expected = signed(&credentials("s3"), Request::get(&url));
    assert_eq!(request.headers().get("Authorization"), expected.headers().get("Authorization"));
}
