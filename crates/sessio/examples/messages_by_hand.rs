//! The core without sockets: a whole session over a function of this program, in messages.
//!
//! [`Call`] makes every decision of a session. Here it has no connection. A function takes the
//! request and returns the response, as a cache, a recording or the `fetch` of a browser would.
//! `cargo run -p sessio --example messages_by_hand` runs it.

use sessio::call::Carrier;
use sessio::http::StatusCode;
use sessio::{
    Call, Head, Headers, Instant, Memory, Now, Prepared, Request, Result, Seed, SessionState, Settings, Step,
    UnixTime, merge, prepare,
};

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };

/// The server: it sets a cookie, redirects, and then shows the cookie and the body.
fn respond(request: &Prepared, body: &[u8]) -> Result<(Head, Vec<u8>)> {
    let mut headers = Headers::new();
    if request.target() == "/login" {
        headers.append("Set-Cookie", "id=7; Path=/")?;
        headers.append("Location", "/home")?;
        return Ok((Head::new(StatusCode::TEMPORARY_REDIRECT, headers), Vec::new()));
    }
    let cookie = request.headers().get("Cookie").unwrap_or("none");
    let text = format!("{cookie}, and {}", String::from_utf8_lossy(body));
    headers.append("Content-Length", text.len().to_string())?;
    Ok((Head::new(StatusCode::OK, headers), text.into_bytes()))
}

fn send(settings: &Settings, state: &mut SessionState, request: Request) -> Result<(u16, Vec<u8>)> {
    let prepared = prepare(merge(settings, request), &mut state.jar, NOW)?;
    let mut call = Call::new(prepared, Memory::default())?;
    let (mut status, mut received, mut carriers) = (0, Vec::new(), 0);
    // The body of the request, and the response that is not passed on yet.
    let (mut upload, mut response) = (Vec::new(), (None, Vec::new()));
    loop {
        match call.step(NOW)? {
            Step::Connect(_) => {
                carriers += 1;
                upload.clear();
                call.attached(Carrier::new(carriers, NOW.mono));
            }
            Step::Message(io) if io.has_request() => {
                upload.extend_from_slice(io.body);
                let (taken, is_last) = (io.body.len(), io.is_last);
                call.request_taken(taken);
                if is_last {
                    let (head, body) = respond(call.request(), &upload)?;
                    response = (Some(head), body);
                }
            }
            Step::Message(io) => match response.0.take().filter(|_| io.wants_head) {
                Some(head) => call.response_head(head),
                None if response.1.is_empty() => call.response_end(Headers::new()),
                None => {
                    let n = response.1.len().min(io.recv.len());
                    io.recv[..n].copy_from_slice(&response.1[..n]);
                    response.1.drain(..n);
                    call.response_body(n);
                }
            },
            Step::Release => drop(call.release()),
            Step::Decide => call.decide(state, NOW),
            Step::Head => status = call.take_head().map_or(0, |head| head.status.as_u16()),
            Step::Body(bytes) => {
                received.extend_from_slice(bytes);
                let n = bytes.len();
                call.consume(n);
            }
            _ => return Ok((status, received)),
        }
    }
}

fn main() -> Result<()> {
    let mut state = SessionState::new(Seed::new(7));
    let request = Request::post("http://app.test/login").body("hello");
    let (status, body) = send(&Settings::default(), &mut state, request)?;
    println!("{status} {}", String::from_utf8_lossy(&body));
    assert_eq!((status, &*body), (200, &b"id=7, and hello"[..]));
    Ok(())
}

#[test]
fn messages_by_hand() {
    main().unwrap();
}
