//! Serves one connection by the routes, request by request.

use crate::bad_request::BadRequest;
use crate::body::Length;
use crate::play::{After, play, read_to_end};
use crate::recording::End;
use crate::request::Request;
use crate::response::reason;
use crate::route_state::RouteState;
use crate::routes;
use crate::script::Connection;
use crate::script_queue::{Part, ScriptQueue};
use crate::wire::{ConnectionError, Wire};

/// Plays the task of the connection until one side ends it.
pub(crate) fn serve(mut wire: Wire, part: &Part, site: &RouteState, script_queue: &ScriptQueue) {
    wire.finish_handshake();
    let end = match part {
        Part::Routes => serve_routes(&mut wire, site, script_queue),
        Part::Script(connection) => serve_script(&mut wire, connection, site, script_queue),
        Part::Nothing => {
            wire.recorder().unexpected(wire.number());
            wire.read_what_is_there();
            End::Server
        }
    };
    wire.set_end(end);
}

fn serve_script(
    wire: &mut Wire,
    connection: &Connection,
    site: &RouteState,
    script_queue: &ScriptQueue,
) -> End {
    match play(wire, connection) {
        Ok(After::Over(end)) | Err(ConnectionError::Ended(end)) => end,
        Ok(After::Open) => read_to_end(wire),
        Ok(After::Routes) => serve_routes(wire, site, script_queue),
        // The script has no step that sends a 400.
        Err(ConnectionError::BadRequest(bad)) => {
            wire.recorder().fault(wire.number(), bad.reason);
            wire.read_what_is_there();
            End::Server
        }
    }
}

fn serve_routes(wire: &mut Wire, site: &RouteState, script_queue: &ScriptQueue) -> End {
    loop {
        match serve_one(wire, site, script_queue) {
            Ok(After::Open | After::Routes) => {}
            Ok(After::Over(end)) | Err(ConnectionError::Ended(end)) => return end,
            Err(ConnectionError::BadRequest(bad)) => return refuse(wire, bad),
        }
    }
}

/// Serves one request, by a script if its path has one.
fn serve_one(
    wire: &mut Wire,
    site: &RouteState,
    script_queue: &ScriptQueue,
) -> Result<After, ConnectionError> {
    let (mut request, size) = wire.peek_head()?;
    if let Some(connection) = script_queue.next_for_path(request.path()) {
        return play(wire, &connection);
    }
    wire.skip(size);
    send_continue(wire, &request)?;
    wire.read_body(&mut request)?;
    let response = routes::response(&request, wire.origin(), site);
    Ok(if response.send(wire, &request)? { After::Open } else { After::Over(End::Server) })
}

/// Sends `100 Continue` to a client that waits for it with its body.
fn send_continue(wire: &Wire, request: &Request) -> Result<(), ConnectionError> {
    match request.header("expect") {
        Some(expected) if !expected.eq_ignore_ascii_case("100-continue") => {
            Err(BadRequest { status: 417, reason: "an unknown expectation" }.into())
        }
        Some(_)
            if !request.is_http10() && request.length()? != Length::Exact(0) && wire.pending().is_empty() =>
        {
            Ok(wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")?)
        }
        _ => Ok(()),
    }
}

/// Responds to bytes that are not a request. The bytes after them cannot be parsed.
fn refuse(wire: &mut Wire, bad: BadRequest) -> End {
    wire.recorder().fault(wire.number(), bad.reason);
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
