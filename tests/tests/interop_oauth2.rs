//! OAuth 2.0 against the authorization server of Authlib, and compared with requests-oauthlib.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::future::poll_fn;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sessio::auth::oauth2::{Client, Grant};
use sessio::{Auth, Kind, Mount, Seed, Url};
use sessio_driver::mock::{Mock, Reply};
use sessio_driver::{OAuth2, Runtime, Session, Sleep as _};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::program::Script;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    programs:
    authlib_with_tokens_that_are_refreshed
    authlib_with_a_client_in_the_body
    authlib_refuses_a_client
}

/// The secret of the clients.
const SECRET: &str = "a secret/+%\u{e9}";

async fn text<R: Runtime>(session: &Session<FaultyRuntime<R>>, url: &str) -> (u16, usize, String) {
    let response = session.get(url).send().await.unwrap();
    let (status, history) = (response.status().as_u16(), response.history().len());
    (status, history, response.text().await.unwrap())
}

/// The numbers of tokens by the client's own grant, and by refresh tokens.
async fn counts<R: Runtime>(session: &Session<FaultyRuntime<R>>, site: &Script) -> (u64, u64) {
    let response = session.get(site.url("/counts")).without_auth().send().await.unwrap();
    let counts: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let of = |grant: &str| counts[grant].as_u64().unwrap();
    (of("client_credentials"), of("refresh_token"))
}

async fn post<R: Runtime>(session: &Session<FaultyRuntime<R>>, url: String) {
    assert_eq!(session.post(url).without_auth().send().await.unwrap().status(), 200);
}

async fn authlib_with_tokens_that_are_refreshed<R: Runtime>(world: &World<R>) {
    let (site, session) = (Script::python("sites/tokens.py"), world.session());
    let tokens = OAuth2::client_credentials(site.url("/token"), "basic", SECRET).scope("read");
    let tokens = tokens.leeway(Duration::ZERO);
    session.update(|settings| settings.auth = Auth::flow(tokens.clone()));
    assert_eq!(text(&session, &site.url("/read")).await, (200, 0, "read".to_owned()));
    assert_eq!(counts(&session, &site).await, (1, 0));
    // The server ends the token before its time, so the call is challenged.
    post(&session, site.url("/revoke")).await;
    assert_eq!(text(&session, &site.url("/read")).await, (200, 1, "read".to_owned()));
    assert_eq!(counts(&session, &site).await, (1, 1));
    // Its time ends: it is refreshed in advance.
    let mut timer = world
        .runtime()
        .sleep_until(sessio_driver::clock::from_std(Instant::now() + Duration::from_millis(2_100)));
    poll_fn(|cx| timer.poll_elapsed(cx)).await;
    assert_eq!(text(&session, &site.url("/read")).await, (200, 0, "read".to_owned()));
    assert_eq!(counts(&session, &site).await, (1, 2));
    // The refresh token is refused. The client's own grant is still good.
    post(&session, site.url("/revoke-all")).await;
    assert_eq!(text(&session, &site.url("/read")).await, (200, 1, "read".to_owned()));
    assert_eq!(counts(&session, &site).await, (2, 2));
    // A good token without the scope is no reason for another one.
    assert_eq!(text(&session, &site.url("/write")).await.0, 403);
    assert_eq!(counts(&session, &site).await, (2, 2));
    assert_eq!(tokens.token().unwrap().scope.as_deref(), Some("read"));
}

async fn authlib_with_a_client_in_the_body<R: Runtime>(world: &World<R>) {
    let (site, session) = (Script::python("sites/tokens.py"), world.session());
    let tokens =
        OAuth2::client_credentials(site.url("/token"), "body", SECRET).scope("read write").client_in_body();
    session.update(|settings| settings.auth = Auth::flow(tokens.leeway(Duration::ZERO)));
    for path in ["/read", "/write"] {
        assert_eq!(text(&session, &site.url(path)).await, (200, 0, path[1..].to_owned()));
    }
    assert_eq!(counts(&session, &site).await, (1, 0));
}

async fn authlib_refuses_a_client<R: Runtime>(world: &World<R>) {
    let (site, session) = (Script::python("sites/tokens.py"), world.session());
    for (name, secret, code) in [
        ("basic", "wrong", "invalid_client"),
        ("unknown", SECRET, "invalid_client"),
        ("body", SECRET, "invalid_client"),
    ] {
        let tokens = OAuth2::client_credentials(site.url("/token"), name, secret);
        let error = session.get(site.url("/read")).auth(Auth::flow(tokens)).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Authentication, "{name}");
        assert!(error.to_string().contains(code), "{error}");
    }
    assert_eq!(counts(&session, &site).await, (0, 0));
}

/// Writes the request of requests-oauthlib for each client of a list, as a line of JSON:
/// `python3 -c ASK file`.
const ASK: &str = r#"
import json, os, sys
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
from urllib.parse import quote_plus
from oauthlib.oauth2 import BackendApplicationClient
from requests import Response
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

class Recorder(HTTPAdapter):
    def send(self, request, **options):
        print(json.dumps({
            "authorization": request.headers.get("Authorization"),
            "type": request.headers["Content-Type"].partition(";")[0],
            "accept": request.headers["Accept"],
            "body": request.body,
        }))
        response = Response()
        response.status_code, response.request, response.url = 200, request, request.url
        response._content = b'{"access_token": "t", "token_type": "Bearer"}'
        return response

for line in open(sys.argv[1]):
    it = json.loads(line)
    session = OAuth2Session(client=BackendApplicationClient(it["id"], scope=it["scope"].split()))
    session.mount("http://", Recorder())
    # RFC 6749 section 2.3.1, which leaves the encoding to the caller of requests.
    options = {"auth": HTTPBasicAuth(quote_plus(it["id"]), quote_plus(it["secret"]))}
    if it["in_body"]:
        options = {"client_id": it["id"], "client_secret": it["secret"]}
    if it["refresh"] is not None:
        session.refresh_token("http://auth.test/token", refresh_token=it["refresh"], **options)
    else:
        session.fetch_token("http://auth.test/token", include_client_id=it["in_body"], **options)
"#;

/// A text over letters that need every kind of encoding.
fn letters(seed: &mut Seed, longest: u64) -> String {
    // requests encodes `~` in another way, which means the same.
    const LETTERS: [&str; 13] = ["a", "B", "7", "-", ".", "_", "/", "%", "$", "=", "&", "+", "\u{e9}"];
    let length = 1 + seed.draw() % longest;
    (0..length).map(|_| LETTERS[(seed.draw() % 13) as usize]).collect()
}

/// The pairs of a form, in an order that does not depend on the client.
fn pairs(form: &str) -> Vec<(String, String)> {
    let url = Url::parse(&format!("http://h/?{form}")).unwrap();
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.sort();
    pairs
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn requests_for_tokens_are_those_of_requests_oauthlib() {
    let mut seed = Seed::new(1);
    let (mut cases, mut ours) = (String::new(), Vec::new());
    for _ in 0..300 {
        let (id, secret) = (letters(&mut seed, 8), letters(&mut seed, 12));
        let refresh = seed.draw().is_multiple_of(2).then(|| letters(&mut seed, 20));
        let scope = ["read", "read write", "openid https://a.test/b?c"][(seed.draw() % 3) as usize];
        let in_body = seed.draw().is_multiple_of(2);
        let case =
            json!({"id": id, "secret": secret, "refresh": refresh, "scope": scope, "in_body": in_body});
        cases += &format!("{case}\n");

        let client = Client::new(id, secret);
        let client = if in_body { client.in_body() } else { client };
        let grant = refresh.map_or(Grant::ClientCredentials, Grant::RefreshToken);
        let tokens = OAuth2::new("http://auth.test/token", client, grant).scope(scope);
        let mock = Mock::new()
            .on("POST", "/token", Reply::ok(r#"{"access_token": "t", "token_type": "Bearer"}"#))
            .on("GET", "/", Reply::ok(""));
        let session = sessio_blocking::Session::new();
        session
            .update(|settings| {
                settings.auth = Auth::flow(tokens);
                settings.mounts.add("http://auth.test/", Mount::new().transport(mock.clone()))
            })
            .unwrap();
        session.get("http://auth.test/").send().unwrap();
        let request = &mock.requests()[0];
        ours.push(json!({
            "authorization": request.header("Authorization"),
            "type": request.header("Content-Type"),
            "accept": request.header("Accept"),
            "body": String::from_utf8(request.body.to_vec()).unwrap(),
        }));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let file = std::env::temp_dir().join(format!("sessio-oauth2-{}.jsonl", std::process::id()));
    std::fs::write(&file, &cases).unwrap();
    let python = Command::new(root.join(".venv/bin/python")).args(["-c", ASK]).arg(&file).output().unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    std::fs::remove_file(&file).unwrap();
    let theirs = String::from_utf8(python.stdout).unwrap();
    let theirs: Vec<Value> = theirs.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(theirs.len(), ours.len());
    for ((ours, theirs), case) in ours.iter().zip(&theirs).zip(cases.lines()) {
        for name in ["authorization", "type", "accept"] {
            assert_eq!(ours[name], theirs[name], "{case}");
        }
        let form = |it: &Value| pairs(it["body"].as_str().unwrap());
        assert_eq!(form(ours), form(theirs), "{case}");
    }
}
