//! Multipart forms as real parsers behind a WSGI server read them: werkzeug's (Flask), Django's,
//! python-multipart (Starlette, FastAPI), and the former one of Python's standard library.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sessio_tests::program::Script;
use sessio_tokio::multipart::{Form, Part};
use sessio_tokio::{Session, body::ReaderSource};

/// Names that every parser reads as they were sent, both of fields and of files.
const PLAIN: [&str; 32] = [
    "plain",
    "a b",
    "a;b",
    "a; filename=x",
    "a=b",
    "a%",
    "%",
    "%5C",
    "a%2",
    "'a'",
    "gr\u{fc}\u{df}e",
    "\u{1f980}",
    "\u{65e5}\u{672c}.txt",
    "a\u{301}",
    "a&b",
    "*",
    "utf-8''a",
    "utf-8''a%20b",
    "=?utf-8?q?a?=",
    "a,b",
    "[]",
    "a[0]",
    "name",
    "filename",
    "form-data",
    "--",
    "a:b",
    "<a>",
    "(a)",
    "a+b",
    "a@b.example",
    "a.tar.gz",
];

/// Names that are escaped, with their form on the wire. Most parsers keep the escape.
const ESCAPED: [(&str, &str); 6] = [
    ("a\"b", "a%22b"),
    ("\"", "%22"),
    ("a\r\nb", "a%0D%0Ab"),
    ("\r", "%0D"),
    ("a\nContent-Type: x", "a%0AContent-Type: x"),
    ("\"; filename=\"x", "%22; filename=%22x"),
];

/// Names on which parsers disagree, even for forms of browsers: backslashes, paths, the empty name.
const ODD: [&str; 12] = [
    "a\\b",
    "\\",
    "a\\",
    "a\\\"b",
    "\\\\",
    "C:\\b\\c.txt",
    "a/b",
    "../b",
    "a\tb",
    " a ",
    ".",
    "\u{2028}\u{85}",
];

/// A part as a parser reports it: name, file name, type, content.
type Read = (Option<String>, Option<String>, Option<String>, Vec<u8>);

async fn read(session: &Session, url: String, form: Form) -> Vec<Read> {
    let response = session.post(url).multipart(form).send().await.unwrap();
    let status = response.status();
    let parts: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{parts}");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let part = |part: &Value| {
        let content = BASE64_STANDARD.decode(part[3].as_str().unwrap()).unwrap();
        (text(&part[0]), text(&part[1]), text(&part[2]), content)
    };
    parts.as_array().unwrap().iter().map(part).collect()
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn p46_p50_real_readers_read_what_was_sent() {
    let server = &Script::python("forms.py");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = Session::new();
        let readers: Vec<String> = session.get(server.url("/")).send().await.unwrap().json().await.unwrap();
        assert!(readers.len() >= 3, "{readers:?}");
        for reader in &readers {
            names(&session, reader, &server.url(&format!("/{reader}"))).await;
            contents(&session, reader, &server.url(&format!("/{reader}"))).await;
            println!("{reader}: {} names, contents with a length and without", PLAIN.len() + ESCAPED.len());
        }
    });
}

/// No name breaks out of its field: the part after it is read, and no other part appears.
async fn names(session: &Session, reader: &str, url: &str) {
    let field = |name: &str| Form::new().text(name, "x").text("last", "y");
    let file = |name: &str| Form::new().part("f", Part::text("x").file_name(name)).text("last", "y");
    let escaped = ESCAPED.into_iter().map(|(name, sent)| match reader {
        // It decodes escaped quotes.
        "werkzeug" => (name, Some(sent.replace("%22", "\""))),
        _ => (name, Some(sent.to_owned())),
    });
    let plain = PLAIN.into_iter().map(|name| (name, Some(name.to_owned())));
    for (name, expected) in plain.chain(escaped).chain(ODD.map(|name| (name, None))) {
        for (form, is_file) in [(field(name), false), (file(name), true)] {
            let mut parts = read(session, url.to_owned(), form).await;
            let at = parts.iter().position(|part| part.0.as_deref() == Some("last")).unwrap();
            assert_eq!(parts.remove(at).3, b"y", "{reader}, {name:?}");
            match (&parts[..], expected.is_some()) {
                ([(read, None, _, content)], true) if !is_file => {
                    assert_eq!((read, &content[..]), (&expected, &b"x"[..]), "{reader}");
                }
                ([(Some(field), read, _, content)], true) if is_file => {
                    assert_eq!((field.as_str(), read, &content[..]), ("f", &expected, &b"x"[..]), "{reader}");
                }
                // Some parsers drop a part with a name that they cannot use.
                ([], false) => {}
                ([(_, _, _, content)], false) => assert_eq!(content, b"x", "{reader}, {name:?}"),
                (others, _) => panic!("{reader}, {name:?}, {is_file}: {others:?}"),
            }
        }
    }
}

/// Contents of every kind, in memory and streamed, in a form with a known length and in a chunked
/// one.
async fn contents(session: &Session, reader: &str, url: &str) {
    let mut state = 1_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let noise: Vec<u8> = (0..400_000).flat_map(|_| noise()).collect();
    let inner = b"--inner\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--inner--\r\n".to_vec();
    let files: [(&str, &str, Vec<u8>); 9] = [
        ("empty", "text/plain", Vec::new()),
        ("noise", "application/octet-stream", noise),
        ("breaks", "text/plain", b"\r\n\n\r\r\n--\r\n".to_vec()),
        ("dashes", "text/plain", b"--".to_vec()),
        ("almost", "text/plain", b"\r\n--0123456789abcdef\r\n".repeat(1000)),
        ("open", "text/plain", b"\r\n--".repeat(30_000)),
        ("return", "text/plain", b"\r".repeat(70_000)),
        ("letters", "image/svg+xml", "\u{1f980}".repeat(20_000).into_bytes()),
        ("form", "application/x-form", inner),
    ];
    for is_sized in [true, false] {
        let mut form = Form::new().text("text", "\u{2603}\r\n--\n").text("nothing", "");
        let mut expected: Vec<Read> = vec![
            (Some("text".into()), None, None, "\u{2603}\r\n--\n".into()),
            (Some("nothing".into()), None, None, Vec::new()),
        ];
        for tag in 0..100 {
            form = form.text("tag", tag.to_string());
            expected.push((Some("tag".into()), None, None, tag.to_string().into()));
        }
        for (name, kind, content) in &files {
            let source = ReaderSource::new(std::io::Cursor::new(content.clone()));
            let length = is_sized.then_some(content.len() as u64);
            for part in [Part::bytes(content.clone()), Part::source(source, length, false)] {
                let part = part.file_name(format!("{name}.x")).content_type(*kind).header("X-Other", "1");
                form = form.part(*name, part);
                let file = Some(format!("{name}.x"));
                expected.push((Some((*name).to_owned()), file, Some((*kind).to_owned()), content.clone()));
            }
        }
        let mut parts = read(session, url.to_owned(), form).await;
        for part in &mut parts {
            // Some parsers give every field a type.
            part.2 = part.2.take().filter(|_| part.1.is_some());
        }
        if reader == "python-multipart" {
            expected.iter_mut().for_each(|part| part.2 = None);
            parts.iter_mut().for_each(|part| part.2 = None);
        }
        // Some report fields first, and the fields of one name together.
        parts.sort();
        expected.sort();
        assert_eq!(parts.len(), expected.len(), "{reader}");
        for (part, expected) in parts.iter().zip(&expected) {
            assert_eq!((&part.0, &part.1, &part.2), (&expected.0, &expected.1, &expected.2), "{reader}");
            assert!(part.3 == expected.3, "{reader}: {:?} has another content", part.0);
        }
    }
}
