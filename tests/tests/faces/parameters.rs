//! Query parameters, forms and headers, in all types that callers can pass.

use std::collections::{BTreeMap, HashMap};

use sessio::http::{HeaderMap, HeaderValue};
use sessio::{Headers, Kind};
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fn10_queries_and_forms_take_what_has_pairs
    fn10_headers_take_a_header_map
}

async fn fn10_queries_and_forms_take_what_has_pairs<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let pairs: &[(&str, &str)] = &[("a", "b c"), ("a", "d")];
    let own = vec![(String::from("own"), String::from("a b"))];
    let map = BTreeMap::from([("page", 2), ("size", 50)]);
    let request = session.get(server.url("/get")).query(pairs).query(&own).query(&map).query(own.clone());
    fetch(request.param("on", true).param("pi", 3.5).param("n", 7_u8)).await;
    let target = "/get?a=b+c&a=d&own=a+b&page=2&size=50&own=a+b&on=true&pi=3.5&n=7";
    assert_eq!(server.requests()[0].target(), target);

    let form = HashMap::from([(String::from("n"), 1_u32)]);
    fetch(session.post(server.url("/post")).form(&form)).await;
    fetch(session.post(server.url("/post")).form(pairs)).await;
    let bodies: Vec<_> = server.requests()[1..].iter().map(|request| request.text()).collect();
    assert_eq!(bodies, ["n=1", "a=b+c&a=d"]);
}

async fn fn10_headers_take_a_header_map<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.headers.insert("x-tag", "session")).unwrap();
    let mut map = HeaderMap::new();
    map.append("x-tag", HeaderValue::from_static("a"));
    map.append("x-tag", HeaderValue::from_static("b"));
    let mut secret = HeaderValue::from_static("hunter2");
    secret.set_sensitive(true);
    map.insert("x-key", secret);
    let headers = Headers::try_from(&map).unwrap();
    assert!(!format!("{:?}", session.get(server.url("/get")).headers(&map)).contains("hunter2"));
    fetch(session.get(server.url("/get")).headers(&map)).await;
    fetch(session.get(server.url("/get")).headers(&headers)).await;
    fetch(session.get(server.url("/get")).headers(headers)).await;
    fetch(session.get(server.url("/get")).headers(map)).await;
    for request in server.requests() {
        assert_eq!(request.header_all("x-tag"), ["a", "b"]);
        assert_eq!(request.header_all("x-key"), ["hunter2"]);
    }
    let mut blank = HeaderMap::new();
    blank.insert("x", HeaderValue::from_static(" a"));
    let refused = session.get(server.url("/get")).headers(blank).send().await.map(drop).unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidHeader);
}
