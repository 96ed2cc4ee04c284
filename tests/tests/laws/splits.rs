//! How the bytes are split into reads changes nothing: a call that receives single bytes equals the
//! same call that receives all bytes at once.

use proptest::prelude::*;
use sessio::{Request, Settings, merge, prepare};
use sessio_tests::replay::{CallRecord, Script, Then, new_state, now, replay};

#[derive(Clone, Debug)]
enum Framing {
    Length(isize),
    Chunked(usize),
    Close,
    Nothing,
    Both,
    Broken,
}

#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    framing: Framing,
    body: Vec<u8>,
    interim: usize,
    cookie: bool,
    location: Option<&'static str>,
    folds: bool,
    then: Then,
    keep: usize,
}

fn answer() -> impl Strategy<Value = Answer> {
    let framing = prop_oneof![
        4 => (-3..4_isize).prop_map(Framing::Length),
        4 => (1..20_usize).prop_map(Framing::Chunked),
        1 => Just(Framing::Close),
        1 => Just(Framing::Nothing),
        1 => Just(Framing::Both),
        1 => Just(Framing::Broken),
    ];
    let status = prop::sample::select(vec![200, 200, 204, 206, 301, 302, 303, 304, 307, 308, 404, 500, 999]);
    let location =
        prop::option::of(prop::sample::select(vec!["/next", "http://other/", "file:///", "", "//[", "?q"]));
    let then = prop::sample::select(vec![Then::Close, Then::Close, Then::Reset]);
    (
        status,
        framing,
        prop::collection::vec(any::<u8>(), 0..40),
        0..3_usize,
        any::<bool>(),
        location,
        prop::bool::weighted(0.1),
        then,
        prop_oneof![4 => Just(100_usize), 1 => 0..100_usize],
    )
        .prop_map(|(status, framing, body, interim, cookie, location, folds, then, keep)| Answer {
            status,
            framing,
            body,
            interim,
            cookie,
            location,
            folds,
            then,
            keep,
        })
}

impl Answer {
    fn script(&self) -> Script {
        let mut out = b"HTTP/1.1 103 X\r\nLink: y\r\n\r\n".repeat(self.interim);
        out.extend(format!("HTTP/1.1 {} X\r\nDate: z\r\n", self.status).into_bytes());
        if self.cookie {
            out.extend(b"Set-Cookie: a=1\r\n");
        }
        if let Some(location) = self.location {
            out.extend(format!("Location: {location}\r\n").into_bytes());
        }
        if self.folds {
            out.extend(b"X-Long: a\r\n b\r\n");
        }
        let chunked = |size: usize| {
            let mut chunks = Vec::new();
            for piece in self.body.chunks(size) {
                chunks.extend(format!("{:x}\r\n", piece.len()).into_bytes());
                chunks.extend(piece);
                chunks.extend(b"\r\n");
            }
            chunks.extend(b"0\r\nX-Trailer: t\r\n\r\n");
            chunks
        };
        match self.framing {
            Framing::Length(off) => {
                let length = (self.body.len() as isize + off).max(0);
                out.extend(format!("Content-Length: {length}\r\n\r\n").into_bytes());
                out.extend(&self.body);
            }
            Framing::Chunked(size) => {
                out.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                out.extend(chunked(size));
            }
            Framing::Close => {
                out.extend(b"Connection: close\r\n\r\n");
                out.extend(&self.body);
            }
            Framing::Nothing => out.extend(b"Content-Length: 0\r\n\r\n"),
            Framing::Both => {
                out.extend(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
                out.extend(chunked(7));
            }
            Framing::Broken => out.extend(b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        }
        let keep = out.len() * self.keep / 100;
        out.truncate(keep);
        Script { bytes: out, then: self.then }
    }

    /// The effect of bytes after the end depends on their time. Law V100 covers those cases.
    fn has_excess(&self) -> bool {
        matches!(self.status, 204 | 304) && !matches!(self.framing, Framing::Nothing)
            || matches!(self.framing, Framing::Length(off) if off < 0)
    }
}

fn run(answers: &[Answer], method: &str, size: usize) -> CallRecord {
    let mut state = new_state();
    let request = Request::new(method, "http://h/start").redirects(5).body("payload");
    let request = prepare(merge(&Settings::default(), request), &mut state.jar, now()).unwrap();
    let mut answers = answers.iter();
    let mut told = replay(request, &mut state, size, |_| {
        answers.next().map_or(Script { bytes: Vec::new(), then: Then::Close }, Answer::script)
    });
    told.steps.push(format!("{} cookies", state.jar.len()));
    told
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn g01_a_call_fed_byte_by_byte_equals_the_call_fed_whole(
        answers in prop::collection::vec(answer(), 1..4),
        method in prop::sample::select(vec!["GET", "POST", "PUT", "HEAD"]),
        size in 2..40_usize,
    ) {
        let has_excess = answers.iter().any(Answer::has_excess) || method == "HEAD";
        let whole = run(&answers, method, usize::MAX);
        for size in [1, size] {
            let mut cut = run(&answers, method, size);
            // A call that fails drops its connection, unless the response was complete by then.
            if has_excess || whole.error.is_some() {
                cut.verdicts.clone_from(&whole.verdicts);
            }
            if has_excess {
                cut.events.clone_from(&whole.events);
            }
            prop_assert_eq!(&cut, &whole, "{}", size);
        }
    }
}
