//! Properties of every form.

use proptest::prelude::*;

use super::{Form, Part, Wanted};
use crate::testing::at;
use crate::testing::multipart::{Read, disposition, gather, read};
use crate::{Body, Jar, Kind, Prepared, Request, Result, Seed, Settings, merge, prepare};

fn prepared(form: Form, content_type: Option<&str>) -> Result<Prepared> {
    let mut request = Request::post("http://example.org/").multipart(form, &mut Seed::new(1));
    if let Some(kind) = content_type {
        request = request.header("content-type", kind);
    }
    Ok(prepare(merge(&Settings::default(), request), &mut Jar::new(), at(0))?.request)
}

fn boundary(prepared: &Prepared) -> String {
    let kind = prepared.headers().get("Content-Type").unwrap();
    kind.split_once("boundary=").unwrap().1.trim_matches('"').to_owned()
}

fn text(prepared: &Prepared) -> String {
    String::from_utf8(prepared.body().as_bytes().unwrap().to_vec()).unwrap()
}

#[test]
fn p50_a_part_says_its_name_then_its_type_then_the_rest() {
    let part = Part::bytes("x")
        .header("X-Last", "1")
        .header("x-last", "2")
        .header("content-location", "/here")
        .content_type("text/plain; charset=utf-8")
        .file_name("");
    let prepared = prepared(Form::new().part("f", part), None).unwrap();
    let boundary = boundary(&prepared);
    assert_eq!(
        text(&prepared),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\
             Content-Type: text/plain; charset=utf-8\r\ncontent-location: /here\r\nX-Last: 1\r\nx-last: 2\r\n\
             \r\nx\r\n--{boundary}--\r\n"
        )
    );
    let length = prepared.body().length().unwrap().to_string();
    assert_eq!(prepared.headers().get("Content-Length"), Some(&*length));
}

#[test]
fn p50_names_are_escaped_as_browsers_do_it() {
    let name = "a\"b\r\nc%22\\\u{e9}\u{2028};\t";
    let form = Form::new().part(name, Part::text("").file_name(name));
    let escaped = "a%22b%0D%0Ac%22\\\u{e9}\u{2028};\t";
    let line = format!("Content-Disposition: form-data; name=\"{escaped}\"; filename=\"{escaped}\"\r\n");
    assert!(text(&prepared(form, None).unwrap()).contains(&line));
}

#[test]
fn p48_a_form_of_nothing_is_its_end() {
    let prepared = prepared(Form::new(), None).unwrap();
    assert_eq!(text(&prepared), format!("--{}--\r\n", boundary(&prepared)));
}

#[test]
fn what_cannot_stand_in_a_header_is_refused_before_a_byte_is_sent() {
    let part = || Part::text("x");
    let refused = [
        Form::new().text("a\0", "x"),
        Form::new().text("a\x1f", "x"),
        Form::new().text("a\x7f", "x"),
        Form::new().part("a", part().file_name("\0")),
        Form::new().part("a", part().content_type("text/plain\r\nX: y")),
        Form::new().part("a", part().content_type("text/plain\n")),
        Form::new().part("a", part().content_type("a\0")),
        Form::new().part("a", part().header("X", "a\rb")),
        Form::new().part("a", part().header("X", "a\0b")),
        Form::new().part("a", part().header("X\r\nY", "a")),
        Form::new().part("a", part().header("", "a")),
        Form::new().part("a", part().header("content-disposition", "form-data; name=b")),
        Form::new().part("a", part().header("Content-Type", "text/plain")),
        Form::new().part("a", part().header("X", "a\nb")).text("fine", "x"),
    ];
    for (index, form) in refused.into_iter().enumerate() {
        let error = prepared(form, None).expect_err(&index.to_string());
        assert_eq!((error.kind(), error.progress()), (Kind::InvalidHeader, None), "{index}");
    }
}

#[test]
fn a_length_that_overflows_is_an_error() {
    for lengths in [vec![u64::MAX], vec![u64::MAX - 10, 5], vec![1 << 63, 1 << 63]] {
        let form = lengths.iter().fold(Form::new(), |form, n| form.part("a", Part::source(Some(*n), true)));
        assert_eq!(Body::multipart(form, &mut Seed::new(1)).unwrap_err().kind(), Kind::InvalidBody);
    }
    // A part of unknown length does not stop the check of the others.
    let form = Form::new().part("a", Part::source(None, true)).part("b", Part::source(Some(u64::MAX), true));
    assert_eq!(Body::multipart(form, &mut Seed::new(1)).unwrap_err().kind(), Kind::InvalidBody);
}

#[test]
fn b28_p43_the_boundary_is_the_one_in_the_content_type() {
    let form = || Form::new().text("a", "content").part("b", Part::text("").file_name("name"));
    for (kind, expected) in [
        ("multipart/form-data", None),
        ("Multipart/Form-Data; charset=utf-8;", None),
        ("multipart/form-data; boundary=mine", Some("mine")),
        ("multipart/form-data; boundary=\"my own\"", Some("my own")),
    ] {
        let prepared = prepared(form(), Some(kind)).unwrap();
        let boundary = boundary(&prepared);
        assert_eq!(expected.unwrap_or(&boundary), boundary);
        assert!(expected.is_some() || boundary.len() == 32);
        assert_eq!(read(&boundary, text(&prepared).as_bytes()).unwrap().len(), 2, "{kind}");
        let declared = prepared.headers().iter().find(|field| field.name == "content-type");
        assert!(declared.unwrap().to_str().unwrap().starts_with(kind.trim_end_matches(';')), "{declared:?}");
        assert_eq!(prepared.headers().get_all("Content-Type").count(), 1);
    }
    // A media type of the caller stays (rule P-43).
    let own = prepared(form(), Some("text/x")).unwrap();
    assert_eq!(own.headers().get("Content-Type"), Some("text/x"));
    for (kind, refused) in [
        ("multipart/form-data; boundary=", Kind::InvalidHeader),
        ("multipart/form-data; boundary=\"a", Kind::InvalidHeader),
        ("multipart/form-data; boundary=content", Kind::InvalidBody),
        ("multipart/form-data; boundary=name", Kind::InvalidBody),
    ] {
        assert_eq!(prepared(form(), Some(kind)).unwrap_err().kind(), refused, "{kind}");
    }
}

#[test]
fn p50_a_drawn_boundary_occurs_nowhere_else() {
    let drawn = boundary(&prepared(Form::new(), None).unwrap());
    for form in [
        Form::new().text("a", format!("--{drawn}")),
        Form::new().text(&drawn, ""),
        Form::new().part("a", Part::text("").file_name(&drawn)),
        Form::new().part("a", Part::text("").header("X", &drawn)),
    ] {
        let prepared = prepared(form, None).unwrap();
        assert_ne!(boundary(&prepared), drawn);
        assert_eq!(read(&boundary(&prepared), text(&prepared).as_bytes()).unwrap().len(), 1);
    }
}

#[test]
fn a_body_set_later_says_what_it_is() {
    let mut prepared = prepared(Form::new().text("a", "1"), None).unwrap();
    let before = boundary(&prepared);
    prepared.set_body(Body::multipart(Form::new().text("b", "22"), &mut Seed::new(2)).unwrap());
    assert_ne!(boundary(&prepared), before);
    assert_eq!(read(&boundary(&prepared), text(&prepared).as_bytes()).unwrap()[0].content, b"22");
    assert_eq!(prepared.headers().get("Content-Length"), Some(&*text(&prepared).len().to_string()));
}

#[test]
fn f30_a_source_that_breaks_its_word_is_named() {
    let form =
        Form::new().text("first", "1").part("se\"cond", Part::source(Some(5), true)).text("third", "3");
    let body = Body::multipart(form, &mut Seed::new(1)).unwrap();
    for (content, says) in [("hell", "shorter"), ("hello!", "longer"), ("", "shorter")] {
        for size in [1, 100] {
            let mut assembly = body.assembly().unwrap();
            let error = gather(&mut assembly, &[content.into()], &[size]).unwrap_err();
            assert_eq!(error.kind(), Kind::BodyLength);
            assert!(error.to_string().contains(&format!("\"se\\\"cond\" is {says}")), "{error}");
        }
    }
}

#[test]
fn answers_that_nobody_asked_for_are_told_from_those_that_were() {
    let form = Form::new().part("a", Part::source(None, true));
    let mut assembly = Body::multipart(form, &mut Seed::new(1)).unwrap().assembly().unwrap();
    assert_eq!(assembly.supplied(1).unwrap_err().kind(), Kind::Misuse);
    assert_eq!(assembly.ended().unwrap_err().kind(), Kind::Misuse);
    while let Wanted::Bytes(bytes) = assembly.wanted() {
        let n = bytes.len();
        assembly.took(n);
    }
    let wanted = Wanted::Source { index: 0, most: u64::MAX };
    assert_eq!(assembly.wanted(), wanted);
    assembly.took(1000);
    assembly.supplied(0).unwrap();
    assert_eq!(assembly.wanted(), wanted);
}

#[test]
fn s21_a_form_is_not_shown() {
    let part = Part::text("hunter2").file_name("hunter2");
    let shown = format!("{part:?}");
    let form = Form::new().part("password", part).part("file", Part::source(None, false));
    let shown = format!("{shown} {form:?}");
    let shown = format!("{shown} {:?}", Body::multipart(form, &mut Seed::new(1)).unwrap());
    assert_eq!(shown, "Part(7 bytes) [password: 7 bytes, file: source] Body(source)");
}

#[cfg(feature = "mime")]
#[test]
fn a_type_is_guessed_only_where_that_is_wanted() {
    let part = |name: &str| Part::text("").file_name(name);
    for (part, expected) in [
        (part("a.PNG"), None),
        (part("a.PNG").guess_type(), Some("image/png")),
        (Part::text("").guess_type().file_name("a.tar.gz"), Some("application/gzip")),
        (part("a.no-such-extension").guess_type(), Some("application/octet-stream")),
        (Part::text("").guess_type(), Some("application/octet-stream")),
        (part("a.png").guess_type().content_type("text/x"), Some("text/x")),
    ] {
        let prepared = prepared(Form::new().part("a", part), None).unwrap();
        let lines = &read(&boundary(&prepared), text(&prepared).as_bytes()).unwrap()[0].lines;
        let expected: Vec<_> =
            expected.map(|kind| format!("Content-Type: {kind}").into_bytes()).into_iter().collect();
        assert_eq!(lines[1..], expected);
    }
}

/// The plan of a part: name, file name, type, content. The last element is set for a source, to
/// `true` for one with a length.
type PartPlan = (String, Option<String>, Option<String>, Vec<u8>, Option<bool>);

fn plan() -> impl Strategy<Value = PartPlan> {
    let name = r#"[a-z"%;=\\\r\n\té☃ -]{0,8}"#;
    let content = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        Just(b"\r\n--".to_vec()),
        Just(b"--\r\n".to_vec()),
        Just(b"\r".to_vec()),
    ];
    (
        name,
        proptest::option::of(name),
        proptest::option::of("[a-z]{1,5}/[a-z]{1,5}"),
        content,
        proptest::option::of(any::<bool>()),
    )
}

proptest! {
    #[test]
    fn p46_p50_any_form_is_read_back_however_it_is_cut(
        plans in proptest::collection::vec(plan(), 0..6),
        sizes in proptest::collection::vec(1_usize..20, 1..6),
    ) {
        let (mut form, mut expected, mut sources) = (Form::new(), Vec::new(), Vec::new());
        let is_sized = plans.iter().all(|plan| plan.4 != Some(false));
        for (name, file_name, kind, content, source) in plans {
            let mut part = match source {
                None => Part::bytes(content.clone()),
                Some(is_sized) => {
                    sources.push(content.clone());
                    Part::source(is_sized.then_some(content.len() as u64), true)
                }
            };
            let mut lines = vec![disposition(&name, file_name.as_deref())];
            if let Some(kind) = kind {
                lines.push(format!("Content-Type: {kind}").into_bytes());
                part = part.content_type(kind);
            }
            if let Some(file_name) = file_name {
                part = part.file_name(file_name);
            }
            form = form.part(name, part);
            expected.push(Read { lines, content });
        }
        let prepared = prepared(form, None).unwrap();
        let length = prepared.body().length();
        let body = match prepared.body().as_bytes() {
            Some(bytes) => bytes.to_vec(),
            None => gather(&mut prepared.body().assembly().unwrap(), &sources, &sizes).unwrap(),
        };
        prop_assert_eq!(length, is_sized.then_some(body.len() as u64));
        prop_assert_eq!(prepared.headers().contains("Transfer-Encoding"), !is_sized);
        prop_assert_eq!(read(&boundary(&prepared), &body), Some(expected));
    }
}
