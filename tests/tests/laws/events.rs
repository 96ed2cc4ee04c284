//! The events of a call follow a graph, do not depend on how the bytes are split, and contain no
//! secrets.

use std::sync::{Arc, Mutex};

use sessio::call::Event;
use sessio::{
    Auth, Call, Flow, FlowDecision, Head, Observer, Prepared, Request, Result, Scheme, Settings, merge,
    prepare,
};
use sessio_tests::replay::{CallRecord, Cut, Script, Then, new_state, now, replay};

use crate::cuts::RESPONSES;

/// The events that may follow each event.
const GRAPH: [(&str, &[&str]); 14] = [
    ("connecting", &["connected", "waiting", "failed"]),
    ("connected", &["sent", "head", "retry", "waiting", "failed"]),
    ("sent", &["head", "retry", "waiting", "done", "failed"]),
    // An interim response may come before the request is sent.
    ("head", &["sent", "head", "response", "redirect", "challenge", "expectation", "waiting", "failed"]),
    ("redirect", &["skipped", "failed"]),
    ("challenge", &["skipped", "failed"]),
    ("expectation", &["skipped", "failed"]),
    // After a failure there is no response to skip.
    ("waiting", &["skipped", "rewound", "connecting", "failed"]),
    ("skipped", &["rewound", "connecting", "failed"]),
    ("retry", &["rewound", "connecting", "failed"]),
    ("rewound", &["connecting"]),
    // In a duplex exchange the request is sent completely after the response has begun.
    ("response", &["sent", "done", "failed"]),
    ("done", &[]),
    ("failed", &[]),
];

/// Checks the lines of one call. Returns their number.
#[track_caller]
pub(crate) fn follow_the_graph(lines: &[String]) -> usize {
    let word = |line: &str| line.split_once(": ").unwrap().1.split([' ', ',']).next().unwrap().to_owned();
    let hop = |line: &str| line.split_once(": ").unwrap().0.parse::<u32>().unwrap();
    assert_eq!(word(&lines[0]), "connecting");
    for pair in lines.windows(2) {
        let next = GRAPH.iter().find(|(from, _)| *from == word(&pair[0])).unwrap().1;
        assert!(next.contains(&&*word(&pair[1])), "{lines:#?}");
        let follows = word(&pair[0]) == "redirect" && word(&pair[1]) == "skipped";
        assert_eq!(hop(&pair[1]), hop(&pair[0]) + u32::from(follows), "{lines:#?}");
    }
    lines.len()
}

fn run(settings: &Settings, request: Request, cut: Cut, answers: &[(&str, Then)]) -> CallRecord {
    let mut state = new_state();
    let request = prepare(merge(settings, request), &mut state.jar, now()).unwrap();
    let mut answers = answers.iter();
    replay(request, &mut state, cut, |_| {
        let (bytes, then) = answers.next().copied().unwrap_or(("", Then::Close));
        Script { bytes: bytes.as_bytes().to_vec(), then }
    })
}

#[test]
fn g11_events_are_the_same_at_every_cut() {
    const REDIRECT: &str =
        "HTTP/1.1 307 X\r\nLocation: /next\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let mut events = 0;
    for response in RESPONSES {
        for then in [Then::Close, Then::Reset] {
            let answers = [(REDIRECT, Then::Close), (response, then)];
            let settings = Settings::default();
            let run = |cut| run(&settings, Request::post("http://h/").body("payload"), cut, &answers);
            let whole = run(Cut::Every(usize::MAX)).events;
            events += follow_the_graph(&whole);
            assert_eq!(run(Cut::Every(1)).events, whole);
            for at in 1..response.len().max(REDIRECT.len()) {
                assert_eq!(run(Cut::Once(at)).events, whole, "cut at {at}");
            }
        }
    }
    assert!(events > 300, "{events}");
}

/// Responds to one 401 with a token.
#[derive(Clone, Debug)]
struct OnDemand;

impl Scheme for OnDemand {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

impl Flow for OnDemand {
    fn sign(&mut self, _: &mut Prepared) -> Result<()> {
        Ok(())
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
        if head.status != 401 {
            return Ok(FlowDecision::Accept);
        }
        request.headers_mut().insert("Authorization", "Bearer hunter2")?;
        Ok(FlowDecision::Again)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

const ANSWERS: [(&str, Then); 4] = [
    ("HTTP/1.1 401 X\r\nSet-Cookie: sid=hunter2\r\nContent-Length: 4\r\n\r\nwho?", Then::Close),
    ("HTTP/1.1 302 X\r\nLocation: http://me:hunter2@h/b\r\nContent-Length: 0\r\n\r\n", Then::Close),
    ("HTTP/1.1 302 X\r\nLocation: /c\r\nContent-Length: 100000\r\n\r\n", Then::Close),
    (
        "HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: sid=hunter2\r\nContent-Length: 2\r\n\r\nhi",
        Then::Close,
    ),
];

#[test]
fn a_call_reports_its_events_in_order() {
    let request = Request::put("http://h/a").auth(Auth::flow(OnDemand)).body("payload");
    let told = run(&Settings::default(), request, Cut::Every(usize::MAX), &ANSWERS);
    assert_eq!(told.error, None);
    follow_the_graph(&told.events);
    // Without the names of fields.
    let events: Vec<_> = told.events.iter().map(|line| line.split(" [").next().unwrap()).collect();
    assert_eq!(
        events,
        [
            "0: connecting for PUT http://@1/a",
            "0: connected #1",
            "0: sent, with 7 bytes of body",
            "0: head 401",
            "0: challenge, then PUT http://@1/a",
            "0: skipped the rest, connection kept",
            "0: connecting for PUT http://@1/a",
            "0: connected #2",
            "0: sent, with 7 bytes of body",
            "0: head 302",
            "0: redirect to PUT http://@1/b",
            "1: skipped the rest, connection kept",
            "1: connecting for PUT http://@1/b",
            "1: connected #3",
            "1: sent, with 7 bytes of body",
            "1: head 302",
            "1: redirect to PUT http://@1/c",
            "2: skipped the rest, connection closed",
            "2: connecting for PUT http://@1/c",
            "2: connected #4",
            "2: sent, with 7 bytes of body",
            "2: head 103",
            "2: head 200",
            "2: response 200 after 3, cookies 1 kept 0 refused",
            "2: done, with 2 bytes of body, connection kept",
        ]
    );
}

/// An observer that records its own name with each event.
fn scribe(name: &'static str, told: &Arc<Mutex<Vec<String>>>) -> Observer {
    let told = Arc::clone(told);
    Observer::new(move |call: &Call, event: &Event<'_>| {
        told.lock().unwrap().push(format!("{name} {event} {event:?} {event:#?} {call:?}"));
    })
}

#[test]
fn s18_b14_observers_of_session_and_request_both_receive_events() {
    let told = Arc::default();
    let mut settings = Settings::default();
    settings.observer = scribe("session", &told);
    let request = Request::get("http://h/").observe(scribe("first", &told)).observe(scribe("second", &told));
    let ended = run(&settings, request, Cut::Every(usize::MAX), &ANSWERS[1..]);
    assert_eq!(ended.error, None);
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 3 * ended.events.len());
    for three in told.chunks(3) {
        let (names, events): (Vec<_>, Vec<_>) =
            three.iter().map(|line| line.split_once(' ').unwrap()).unzip();
        assert_eq!(names, ["session", "first", "second"]);
        assert!(events[0] == events[1] && events[1] == events[2]);
    }
}

#[test]
fn s21_events_hold_no_secret() {
    let told = Arc::default();
    let mut settings = Settings::default();
    settings.observer = scribe("session", &told);
    settings.auth = Auth::basic("me", "hunter2");
    for url in ["http://h/a", "http://me:hunter2@h/a"] {
        for auth in [None, Some(Auth::flow(OnDemand)), Some(Auth::bearer("hunter2"))] {
            let request = Request::put(url).body("hunter2").cookie("own", "hunter2");
            let request = match auth {
                Some(auth) => request.auth(auth),
                None => request,
            };
            let told = run(&settings, request, Cut::Every(usize::MAX), &ANSWERS);
            assert_eq!(told.error, None);
        }
        // The response is in the error.
        let request = Request::get(url).redirects(0);
        assert!(run(&settings, request, Cut::Every(usize::MAX), &ANSWERS[1..]).error.is_some());
    }
    let told = told.lock().unwrap();
    assert!(told.len() > 80, "{}", told.len());
    for line in told.iter() {
        assert!(
            !line.contains("hunter2") && !line.contains("aHVudGVyMg") && !line.contains("bWU6"),
            "{line}"
        );
    }
}
