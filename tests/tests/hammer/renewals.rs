//! Many calls with an expired token: one of them renews it, and the others wait.

use sessio::Auth;
use sessio_driver::{OAuth2, Runtime, Session};
use sessio_testkit::{Server, TOKEN_CLIENT, TOKEN_SECRET};

use crate::crowd::{Crowd, SmolTasks, Task, Threads, TokioTasks};

/// The number of times that the token expires.
const ROUNDS: usize = 10;

#[test]
fn a_token_is_renewed_once_on_tokio() {
    renew::<TokioTasks>(|session, url| Box::pin(call(session, url)));
}

#[test]
fn a_token_is_renewed_once_on_smol() {
    renew::<SmolTasks>(|session, url| Box::pin(call(session, url)));
}

#[test]
fn a_token_is_renewed_once_on_threads() {
    renew::<Threads>(|session, url| Box::pin(call(session, url)));
}

async fn call<R: Runtime>(session: Session<R>, url: String) {
    let response = session.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap();
}

/// `task` makes a call a task: a future is known to be `Send` only if the runtime is a known type.
fn renew<C: Crowd>(task: fn(Session<C::Runtime>, String) -> Task) {
    let server = Server::start();
    let session = Session::<C::Runtime>::new();
    let tokens = OAuth2::client_credentials(server.url("/oauth/token"), TOKEN_CLIENT, TOKEN_SECRET);
    session.update(|settings| settings.auth = Auth::flow(tokens));
    for round in 1..=ROUNDS {
        C::run((0..C::SIZE).map(|_| task(session.clone(), server.url("/oauth/api"))).collect());
        let renewals = server.requests().iter().filter(|it| it.path() == "/oauth/token").count();
        assert_eq!(renewals, round);
        server.revoke_token();
        session.close();
    }
}
