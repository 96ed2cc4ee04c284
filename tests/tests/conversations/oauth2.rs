//! Tokens of OAuth 2.0: renewed before their end, after a 401, and once for all calls.

use std::time::Duration;

use sessio::auth::oauth2::{Client, Token};
use sessio::{Auth, Kind, Mount, Observer};
use sessio_driver::mock::{Mock, Received, Reply};
use sessio_driver::{OAuth2, Runtime, Session};
use sessio_testkit::{Server, TOKEN_CLIENT, TOKEN_SECRET};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

use crate::together::{first_dropped, together};

scenarios! {
    a_token_is_got_once_and_kept
    a_refused_token_is_renewed_once_in_a_call
    a_token_is_renewed_before_its_end
    a_refresh_token_is_used_and_replaced
    many_calls_with_an_expired_token_renew_it_once
    a_failed_renewal_fails_the_calls_that_wait_for_it
    limits_of_the_call_that_renews_do_not_fail_the_others
    a_renewal_is_taken_over_wherever_it_is_dropped
    a_token_is_got_over_a_transport
    the_clients_secret_goes_to_the_token_endpoint_alone
}

fn tokens(auth: &Server) -> OAuth2 {
    OAuth2::client_credentials(auth.url("/oauth/token"), TOKEN_CLIENT, TOKEN_SECRET)
}

/// An authorization server that is the resource too, and a session with its tokens.
fn set_up<R: Runtime>(world: &World<R>) -> (Server, Session<FaultyRuntime<R>>, OAuth2) {
    let (server, session) = (Server::start(), world.session());
    let tokens = tokens(&server);
    session.update(|settings| settings.auth = Auth::flow(tokens.clone()));
    (server, session, tokens)
}

/// Records no events: a runtime that blocks makes concurrent calls one after the other.
pub(crate) fn unobserved<R: Runtime>(session: &Session<FaultyRuntime<R>>) {
    session.update(|settings| settings.observer = Observer::default());
}

/// The numbers of requests for tokens, and of requests to the resource.
fn counts(server: &Server) -> (usize, usize) {
    let requests = server.requests();
    let to = |path: &str| requests.iter().filter(|request| request.path() == path).count();
    (to("/oauth/token"), to("/oauth/api"))
}

async fn a_token_is_got_once_and_kept<R: Runtime>(world: &World<R>) {
    let (server, session, tokens) = set_up(world);
    for _ in 0..3 {
        let response = session.get(server.url("/oauth/api")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (200, 0));
        response.bytes().await.unwrap();
    }
    assert_eq!(counts(&server), (1, 3));
    assert_eq!(tokens.token().unwrap().access, "token-1");
    let asked = &server.requests()[0];
    assert_eq!(asked.text(), "grant_type=client_credentials");
    assert_eq!(server.accepted(), 1);
}

async fn a_refused_token_is_renewed_once_in_a_call<R: Runtime>(world: &World<R>) {
    let (server, session, _) = set_up(world);
    fetch(session.get(server.url("/oauth/api"))).await;
    server.revoke_token();
    let response = session.post(server.url("/oauth/api")).body("again").send().await.unwrap();
    let statuses: Vec<_> = response.history().iter().map(|exchange| exchange.head.status.as_u16()).collect();
    assert_eq!((response.status().as_u16(), statuses), (200, vec![401]));
    response.bytes().await.unwrap();
    assert_eq!(counts(&server), (2, 3));
    assert!(
        server
            .requests()
            .iter()
            .filter(|it| it.method() == "POST" && it.path() == "/oauth/api")
            .all(|it| it.text() == "again")
    );
    // A resource that refuses each token gets two of them.
    let response = session.get(server.url("/status/401")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (401, 1));
    response.bytes().await.unwrap();
    assert_eq!(counts(&server).0, 3);
}

async fn a_token_is_renewed_before_its_end<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let tokens = OAuth2::client_credentials(server.url("/oauth/token?life=25"), TOKEN_CLIENT, TOKEN_SECRET);
    for (leeway, expected) in [(30, 3), (0, 4)] {
        let auth = Auth::flow(tokens.clone().leeway(Duration::from_secs(leeway)));
        // A token that is shorter than the leeway is used once.
        for _ in 0..3 {
            assert_eq!(fetch(session.get(server.url("/oauth/api")).auth(auth.clone())).await.status, 200);
        }
        assert!(counts(&server).0 <= expected, "{leeway}: {:?}", counts(&server));
    }
    // The other configuration has a token of its own, and uses it three times.
    assert_eq!(counts(&server), (4, 6));
}

async fn a_refresh_token_is_used_and_replaced<R: Runtime>(world: &World<R>) {
    let (server, session, tokens) = set_up(world);
    fetch(session.get(server.url("/oauth/api"))).await;
    assert_eq!(tokens.token().unwrap().refresh.as_deref(), Some("refresh-1"));
    server.revoke_token();
    fetch(session.get(server.url("/oauth/api"))).await;
    assert_eq!(server.requests()[3].text(), "grant_type=refresh_token&refresh_token=refresh-1");
    assert_eq!(tokens.token().unwrap().refresh.as_deref(), Some("refresh-2"));
    // One that was used before: the client's own grant is still good.
    let stale = self::tokens(&server).start_with(Token::new("old").with_refresh(Some("refresh-1".into())));
    let auth = Auth::flow(stale.clone());
    assert_eq!(fetch(session.get(server.url("/oauth/api")).auth(auth)).await.status, 200);
    let forms: Vec<_> =
        server.requests().iter().filter(|it| it.path() == "/oauth/token").map(|it| it.text()).collect();
    assert_eq!(
        forms[2..],
        ["grant_type=refresh_token&refresh_token=refresh-1", "grant_type=client_credentials"]
    );
    // Without such a grant the call fails, with the words of the server.
    let client = Client::new(TOKEN_CLIENT, TOKEN_SECRET);
    let only = OAuth2::refresh_token(server.url("/oauth/token"), client, "refresh-1");
    let error = session.get(server.url("/oauth/api")).auth(Auth::flow(only)).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Authentication);
    assert!(error.to_string().contains("invalid_grant: this refresh token was used before"), "{error}");
}

async fn many_calls_with_an_expired_token_renew_it_once<R: Runtime>(world: &World<R>) {
    let (server, session, _) = set_up(world);
    unobserved(&session);
    for round in 1..3 {
        let all = (0..64).map(|_| fetch(session.get(server.url("/oauth/api"))));
        let all = together(all.collect()).await;
        assert!(all.iter().all(|response| response.status == 200));
        assert_eq!(counts(&server).0, round);
        server.revoke_token();
    }
}

async fn a_failed_renewal_fails_the_calls_that_wait_for_it<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    unobserved(&session);
    let wrong = OAuth2::client_credentials(server.url("/oauth/token"), TOKEN_CLIENT, "wrong");
    session.update(|settings| settings.auth = Auth::flow(wrong));
    let all = (0..8).map(|_| session.get(server.url("/oauth/api")).send());
    for outcome in together(all.collect()).await {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), Kind::Authentication);
        assert!(error.to_string().contains("invalid_client"), "{error}");
    }
    // No request was sent without a token, and the line is usable.
    assert_eq!(counts(&server).1, 0);
    session.update(|settings| settings.auth = Auth::flow(tokens(&server)));
    assert_eq!(fetch(session.get(server.url("/oauth/api"))).await.status, 200);
}

async fn limits_of_the_call_that_renews_do_not_fail_the_others<R: Runtime>(world: &World<R>) {
    // Nothing listens at the address of this proxy.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (server, session, _) = set_up(world);
    unobserved(&session);
    let calls = (0..8).map(|number| {
        let request = session.get(server.url("/oauth/api"));
        if number == 0 { request.proxy(&*proxy).send() } else { request.send() }
    });
    let mut outcomes = together(calls.collect()).await.into_iter();
    let error = outcomes.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("authentication flow"), "{error}");
    assert!(outcomes.all(|outcome| outcome.unwrap().status() == 200));
    assert_eq!(counts(&server), (1, 7));
}

async fn a_renewal_is_taken_over_wherever_it_is_dropped<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    unobserved(&session);
    let mut is_over = false;
    for polls in 0..200 {
        if is_over {
            break;
        }
        let before = counts(&server).0;
        let tokens = tokens(&server);
        session.update(|settings| settings.auth = Auth::flow(tokens.clone()));
        let calls = (0..3).map(|_| fetch(session.get(server.url("/oauth/api"))));
        let (first, others) = first_dropped(calls.collect(), polls).await;
        assert!(others.iter().all(|response| response.status == 200), "{polls}");
        is_over = first.is_some();
        // The request of the dropped call may still reach the server, and end the token that the
        // next call has got meanwhile, with its refresh token. Then that is renewed, too.
        let renewals = counts(&server).0 - before;
        assert!((1..=4).contains(&renewals), "{renewals} after {polls}");
    }
    assert!(is_over);
}

async fn a_token_is_got_over_a_transport<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mock = Mock::new().on("POST", "/token", |request: &Received| match request.header("Authorization") {
        Some("Basic Y2xpZW50OmtleQ==") => Reply::ok(r#"{"access_token":"mocked","token_type":"bearer"}"#),
        _ => Reply::new(401),
    });
    let tokens = OAuth2::client_credentials("http://auth.test/token", TOKEN_CLIENT, TOKEN_SECRET);
    session
        .update(|settings| {
            settings.auth = Auth::flow(tokens);
            settings.mounts.add("http://auth.test/", Mount::new().transport(mock.clone()))
        })
        .unwrap();
    assert_eq!(fetch(session.get(server.url("/bearer"))).await.status, 200);
    assert_eq!(server.requests()[0].header("authorization").as_deref(), Some("Bearer mocked"));
    mock.assert_requests(["POST /token"]);
}

async fn the_clients_secret_goes_to_the_token_endpoint_alone<R: Runtime>(world: &World<R>) {
    let (auth, api, other, session) = (Server::start(), Server::start(), Server::start(), world.session());
    session
        .try_update(|settings| {
            settings.headers.insert("X-Api-Key", "api-key")?;
            settings.headers.mark_sensitive("X-Api-Key");
            settings.auth = Auth::flow(tokens(&auth)).only(&api.url("/")[..api.url("/").len() - 1]);
            Ok(())
        })
        .unwrap();
    let away = sessio_tests::redirect_chain::redirect(&api, other.url("/get"), 302);
    let request = session.get(away).cookie("own", "cookie-secret");
    assert_eq!(fetch(request).await.status, 200);
    let all = |server: &Server| {
        server
            .requests()
            .iter()
            .map(|it| format!("{it:?} {}", it.header_all("authorization").join(" ")))
            .collect::<String>()
    };
    let seen = |server: &Server, name: &str| server.requests().iter().any(|it| it.header(name).is_some());
    assert!(auth.requests()[0].header("authorization").unwrap().starts_with("Basic "));
    assert!(!seen(&auth, "x-api-key") && !seen(&auth, "cookie"), "{}", all(&auth));
    assert_eq!(api.requests()[0].header("authorization").as_deref(), Some("Bearer token-1"));
    for name in ["authorization", "x-api-key", "cookie"] {
        assert!(!seen(&other, name), "{name}");
    }
}
