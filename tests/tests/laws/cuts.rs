//! A connection that ends or fails at any byte of a response. A part is never reported as the
//! complete response, and such a connection is never reused.

use sessio::{Blame, Kind, Request, Settings, merge, prepare};
use sessio_tests::replay::{Script, Then, new_state, now, replay};

pub(crate) const RESPONSES: [&str; 14] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello, you.",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n, you.\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello, you.\r\n0\r\nX: y\r\nZ: z\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 103 X\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1 401 X\r\nSet-Cookie: a=1\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nwho?",
    "HTTP/1.1 302 X\r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
];

#[test]
fn g02_f13_a_truncated_body_is_never_complete() {
    let mut cuts = 0;
    for response in RESPONSES {
        let until_end = response.ends_with("end");
        let head = response.rfind("\r\n\r\nuntil").map_or(0, |at| at + 4);
        for at in 0..=response.len() {
            for then in [Then::Close, Then::Reset] {
                for size in [1, 2, 7, usize::MAX] {
                    cuts += 1;
                    let mut state = new_state();
                    let request = prepare(
                        merge(&Settings::default(), Request::get("http://h/")),
                        &mut state.jar,
                        now(),
                    )
                    .unwrap();
                    let bytes = response.as_bytes()[..at].to_vec();
                    let told = replay(request, &mut state, size, |_| Script { bytes: bytes.clone(), then });
                    let is_whole =
                        if until_end { at >= head && then == Then::Close } else { at == response.len() };
                    assert_eq!(
                        told.error.is_none(),
                        is_whole,
                        "{:?} {then:?} {size} {:?}",
                        &response[..at],
                        told.error
                    );
                    if let Some(kind) = told.error {
                        assert_eq!(kind.blame(), Blame::Network, "{kind}");
                        let expected = match at {
                            0 => Kind::ClosedBeforeResponse,
                            _ if told.steps.iter().any(|step| step.starts_with("head")) => {
                                Kind::IncompleteBody
                            }
                            // Only interim responses were received.
                            _ if response[..at].ends_with("\r\n\r\n") => Kind::ClosedBeforeResponse,
                            _ => Kind::IncompleteHead,
                        };
                        assert_eq!(kind, expected, "{:?}", &response[..at]);
                        assert!(!told.verdicts.contains(&true), "it came back");
                    } else {
                        assert!(response.contains("\r\n\r\n") && (until_end || response.len() == at));
                        assert!(until_end || told.verdicts.len() == 1);
                    }
                }
            }
        }
    }
    assert!(cuts > 5000, "{cuts}");
}
