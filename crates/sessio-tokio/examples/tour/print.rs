//! Prints the messages of an exchange.

use crate::backend::call::Exchange;
use crate::backend::{Headers, Response, Session};

pub(crate) fn title(text: &str) {
    println!("\n== {text}");
}

/// The messages before the body: earlier hops, the request as it was sent, the head of the
/// response.
pub(crate) fn head(response: &Response) {
    for exchange in response.history() {
        an_exchange(exchange);
    }
    let request = response.request();
    println!("> {} {} HTTP/1.1", request.method(), request.target());
    headers(">", request.headers());
    println!("< {:?} {}", response.version(), response.status());
    headers("<", response.headers());
    for refused in response.extracted().refused.iter() {
        println!("  {refused}");
    }
    let connection = response.connection();
    let state = if connection.is_reused() { "reused" } else { "new" };
    println!("  connection #{}, {state}; {:?}", connection.number(), response.elapsed());
}

/// The body's size, and the cookies in the session's jar.
pub(crate) fn body(session: &Session, body: &str) {
    println!("  {} characters of body", body.len());
    let jar = session.cookies(|jar| {
        jar.iter()
            .map(|c| format!("{} ({}{})", c.name().escape_ascii(), c.domain(), c.path()))
            .collect::<Vec<_>>()
    });
    println!("  jar: {}", if jar.is_empty() { "empty".to_owned() } else { jar.join(", ") });
}

fn an_exchange(exchange: &Exchange) {
    println!("> {} {} HTTP/1.1", exchange.method, exchange.target());
    headers(">", &exchange.sent);
    println!("< {:?} {}", exchange.head.version, exchange.head.status);
    headers("<", &exchange.head.headers);
}

fn headers(mark: &str, headers: &Headers) {
    for field in headers.iter() {
        // A field prints itself without its secrets. The tour prints its own ones.
        println!("{mark} {}: {}", field.name, field.value.escape_ascii());
    }
}
