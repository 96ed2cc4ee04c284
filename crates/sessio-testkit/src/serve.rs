//! One connection, request after request, answered by the routes.

use crate::answer::reason;
use crate::body::Length;
use crate::recording::End;
use crate::request::{Bad, Request};
use crate::routes;
use crate::site::Site;
use crate::wire::{Trouble, Wire};

/// Serves a connection until one side ends it.
pub(crate) fn serve(mut wire: Wire, site: &Site) {
    let end = loop {
        match serve_one(&mut wire, site) {
            Ok(true) => {}
            Ok(false) => break End::Server,
            Err(Trouble::Ended(end)) => break end,
            Err(Trouble::Bad(bad)) => break refuse(&mut wire, bad),
        }
    };
    wire.set_end(end);
}

/// Serves one request, and says whether another can follow.
fn serve_one(wire: &mut Wire, site: &Site) -> Result<bool, Trouble> {
    let (mut request, size) = wire.peek_head()?;
    wire.skip(size);
    greet(wire, &request)?;
    wire.read_body(&mut request)?;
    let answer = routes::answer(&request, wire.origin(), site);
    Ok(answer.send(wire, &request)?)
}

/// Tells a client that waits with its body to go on.
fn greet(wire: &Wire, request: &Request) -> Result<(), Trouble> {
    match request.header("expect") {
        Some(expected) if !expected.eq_ignore_ascii_case("100-continue") => {
            Err(Bad { status: 417, reason: "an unknown expectation" }.into())
        }
        Some(_)
            if !request.is_http10() && request.length()? != Length::Exact(0) && wire.pending().is_empty() =>
        {
            Ok(wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")?)
        }
        _ => Ok(()),
    }
}

/// Answers what is no request; nothing that follows it can be understood.
fn refuse(wire: &mut Wire, bad: Bad) -> End {
    wire.journal().fault(wire.number(), bad.reason);
    let body = format!("{}\n", bad.reason);
    let head = format!(
        "HTTP/1.1 {} {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        bad.status,
        reason(bad.status),
        body.len()
    );
    match wire.send(head.as_bytes()) {
        Ok(()) => {
            wire.linger();
            End::Server
        }
        Err(end) => end,
    }
}
