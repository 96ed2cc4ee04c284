//! A call accepts every outcome in every order: a wrong one is an error, never a panic. A second
//! call of `step` returns the same step.

use std::io;

use sessio::call::Direction;
use sessio::retry::RetryPolicy;
use sessio::{
    Body, Call, Conn, Jar, Kind, Memory, Now, Request, Seed, SessionState, Settings, Step, merge, prepare,
};
use sessio_tests::replay::now;
use sessio_tests::trace::Trace;

use crate::events::follow_the_graph;

fn draw(seed: &mut Seed, below: usize) -> usize {
    (seed.draw() % below as u64) as usize
}

fn call(seed: &mut Seed, state: &mut SessionState, trace: &Trace) -> Call {
    let mut request = Request::new(["GET", "POST", "HEAD"][draw(seed, 3)], "http://h/");
    request.body = match draw(seed, 4) {
        0 => Body::empty(),
        1 => "payload".into(),
        2 => Body::source(Some(5), true),
        _ => Body::source(None, draw(seed, 2) == 0),
    };
    if draw(seed, 4) == 0 {
        request = request.redirects(None);
    }
    if draw(seed, 3) == 0 {
        request = request.expect_continue();
    }
    if draw(seed, 2) == 0 {
        request = request.retry(RetryPolicy::web());
    }
    let request = request.observe(trace.observer());
    Call::new(
        prepare(merge(&Settings::default(), request), &mut state.jar, now()).unwrap(),
        Memory::default(),
    )
    .unwrap()
}

/// The shape of a step, without the bytes that it lends.
fn shape(call: &mut Call, now: Now) -> String {
    match call.step(now) {
        Ok(Step::Io(io)) => format!("io {} {} {} {:?}", io.send.len(), io.recv.len(), io.body, io.deadline),
        Ok(Step::Body(bytes)) => format!("body {bytes:?}"),
        Ok(step) => format!("{step:?}"),
        Err(error) => format!("error {}", error.kind()),
    }
}

const PIECES: [&[u8]; 14] = [
    b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    b"hello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 302 X\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 307 X\r\nLocation: http://b/\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
    b"0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"5\r\nhello\r\n",
    b"garbage",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 417 X\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 201 X\r\nContent-Length: 10\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\n\r\n",
];

/// Reports a possible outcome of the current step. Returns whether the call continues.
fn obey(call: &mut Call, state: &mut SessionState, seed: &mut Seed, now: Now) -> bool {
    match call.step(now) {
        Ok(Step::Connect(_)) => call.connected(Conn::plain(1, now.mono)),
        Ok(Step::Io(io)) if !io.send.is_empty() => {
            let n = 1 + draw(seed, io.send.len());
            call.sent(n);
        }
        Ok(Step::Io(io)) if io.body > 0 && draw(seed, 2) == 0 => {
            let most = io.body.min(5);
            match draw(seed, 3) {
                0 => call.supply_end(),
                _ => assert!(call.supply(&b"hello"[..most]) <= most),
            }
        }
        Ok(Step::Io(io)) => {
            let piece = PIECES[draw(seed, PIECES.len())];
            let n = piece.len().min(io.recv.len());
            io.recv[..n].copy_from_slice(&piece[..n]);
            call.received(if draw(seed, 12) == 0 { 0 } else { n });
        }
        Ok(Step::Release) => drop(call.release()),
        Ok(Step::Decide) => call.decide(state, now),
        Ok(Step::Rewind) => call.rewound(),
        // Only time ends it.
        Ok(Step::Wait { .. }) => {}
        Ok(Step::Head) => drop(call.take_head()),
        Ok(Step::Body(bytes)) => {
            let n = bytes.len();
            call.consume(n);
        }
        _ => return false,
    }
    true
}

/// Reports any outcome, whatever the current step is.
fn disturb(call: &mut Call, state: &mut SessionState, seed: &mut Seed, now: Now) {
    match draw(seed, 19) {
        0 => call.connected(Conn::plain(1, now.mono)),
        1 => call.unreachable(Kind::Resolve.into()),
        2 => call.sent(draw(seed, 3) * 1000),
        3 => call.received(draw(seed, 3) * 5000),
        4 => call.received(usize::MAX),
        5 => call.broken(Direction::Send, io::ErrorKind::BrokenPipe.into()),
        6 => call.broken(Direction::Receive, io::ErrorKind::ConnectionReset.into()),
        7 => assert!(call.supply(&[b'x'; 10][..draw(seed, 10)]) <= 10),
        8 => call.supply_end(),
        9 => call.supply_failed(io::ErrorKind::Other.into()),
        10 => call.rewound(),
        11 => drop(call.release()),
        12 => call.decide(state, now),
        13 => drop(call.take_head()),
        14 => call.consume(draw(seed, 3) * 100),
        15 => drop(call.resolved(now)),
        16 => drop(call.take_next()),
        17 => call.tried("nobody has answered"),
        _ => drop(call.admitted(now)),
    }
}

#[test]
fn no_script_of_outcomes_makes_a_step_panic_or_spin() {
    let (mut answers, mut events) = (0_u64, 0);
    for number in 0..20_000 {
        let (mut seed, mut state) = (Seed::new(number), SessionState::new(Seed::new(number)));
        let trace = Trace::default();
        let mut call = call(&mut seed, &mut state, &trace);
        // Some runs report expected outcomes first: random ones alone do not reach the late states.
        let patience = draw(&mut seed, 30);
        let mut now = now();
        for step in 0..40 {
            let once = shape(&mut call, now);
            let told = trace.calls();
            assert_eq!(
                (shape(&mut call, now), trace.calls()),
                (once, told),
                "seed {number}, step {step}: asking has changed something"
            );
            answers += 1;
            if step >= patience && draw(&mut seed, 3) == 0 {
                disturb(&mut call, &mut state, &mut seed, now);
            } else if !obey(&mut call, &mut state, &mut seed, now) {
                break;
            }
            if draw(&mut seed, 20) == 0 {
                now = now.after(std::time::Duration::from_millis([60, 1000][draw(&mut seed, 2)]));
            }
        }
        let _ = (call.history().len(), call.body_left(), call.connection(), format!("{call:?}"));
        assert!(call.take_memory().capacity() < 1 << 20);
        // The call is over, and stays so after any report.
        disturb(&mut call, &mut state, &mut seed, now);
        assert!(matches!(call.step(now), Ok(Step::Done) | Err(_)), "seed {number}");
        events += follow_the_graph(&trace.calls()[0]);
    }
    assert!(events > 60_000, "{events}");
    assert!(answers > 200_000, "{answers}");
}

#[test]
fn a_wrong_outcome_is_misuse_for_the_rest_of_the_call() {
    let mut state = SessionState::new(Seed::new(1));
    let fresh = || {
        let request =
            prepare(merge(&Settings::default(), Request::get("http://h/")), &mut Jar::new(), now()).unwrap();
        Call::new(request, Memory::default()).unwrap()
    };
    let wrong: [fn(&mut Call, &mut SessionState); 11] = [
        |call, _| call.sent(1),
        |call, _| call.received(1),
        |call, _| call.received(0),
        |call, _| call.broken(Direction::Send, io::ErrorKind::Other.into()),
        |call, _| assert_eq!(call.supply(b"x"), 0),
        |call, _| call.supply_end(),
        |call, _| call.rewound(),
        |call, _| drop(call.release()),
        |call, state| call.decide(state, now()),
        |call, _| drop(call.take_head()),
        |call, _| call.consume(1),
    ];
    for answer in wrong {
        let mut call = fresh();
        answer(&mut call, &mut state);
        for _ in 0..3 {
            assert_eq!(call.step(now()).unwrap_err().kind(), Kind::Misuse);
        }
    }
    // More bytes than the step offered.
    let mut call = fresh();
    call.connected(Conn::plain(1, now().mono));
    let Ok(Step::Io(io)) = call.step(now()) else { panic!() };
    let offered = io.send.len();
    call.sent(offered + 1);
    assert_eq!(call.step(now()).unwrap_err().kind(), Kind::Misuse);
}
