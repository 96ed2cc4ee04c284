//! Small crates with known imports.

use crate::modules::{Crate, Files};
use crate::rings::{inside, rings};
use crate::tokens::{Token, tokens};
use crate::upward;

fn files(texts: &[(&str, &str)]) -> Files {
    texts.iter().map(|&(file, text)| (file.to_owned(), text.to_owned())).collect()
}

/// The imports of a crate, one per line, as `from > to: names`.
fn arrows(texts: &[(&str, &str)]) -> Vec<String> {
    let files = files(texts);
    let read = Crate::read(&files);
    assert!(read.unread(&files).is_empty());
    let stem = |file: &str| file.strip_suffix(".rs").unwrap().to_owned();
    let mut lines = Vec::new();
    for (from, to) in read.arrows() {
        for (to, names) in to {
            let names: Vec<_> = names.into_iter().collect();
            lines.push(format!("{} > {}: {}", stem(&from), stem(&to), names.join(" ")));
        }
    }
    lines
}

/// The imports of `mod a; mod b;` with the given `a`. `b` has `A`, `B`, `make` and the module `c`.
fn arrows_of_a(a: &str) -> Vec<String> {
    let b = "pub struct A; pub enum B { X } pub const fn make() {} pub mod c { pub static D: u8 = 1; pub trait E {} }";
    arrows(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)])
}

#[test]
fn uses_of_every_shape() {
    for (a, expected) in [
        ("use crate::b::A;", "A"),
        ("pub(crate) use crate::b::{A, B};", "A B"),
        ("use crate::{\n    b::{\n        self,\n        c::{D, E as _},\n    },\n};", "D E"),
        ("use crate::b::A as Renamed;", "A"),
        ("use super::b::A;", "A"),
        ("use super::{b::{A}, b::c::{self, D}};", "A D"),
        ("use crate::b::c;", ""),
        ("use crate::b; fn f() { b::make(); }", "make"),
        ("use crate::b as other; fn f() -> other::c::D {}", "D"),
        ("use crate::b::*;", "*"),
        ("use crate::b::B::{self, X};", "B"),
        ("use crate::b::B::*;", "B"),
        ("fn f() { use crate::b::A; }", "A"),
        ("mod inner { use super::super::b::A; }", "A"),
        ("mod inner { use crate::b::A; } use self::inner::A;", "A"),
        ("fn f(a: &crate::b::A) -> super::b::B { crate::b::B::X }", "A B"),
        ("impl<T: crate::b::c::E> X for [crate::b::A; 2] {}", "A E"),
        ("macro_rules! m { ($a:expr) => { $crate::b::make($a) }; }", "make"),
        ("#[cfg(unix)] use crate::b::A; #[cfg(not(test))] use crate::b::B;", "A B"),
        ("pub(in crate::a) struct Here; fn f() -> impl Sized + use<> {}", ""),
        ("use ::b::A; use std::b::A; fn f() { ::b::make() }", ""),
        ("use b::A;", ""),
        ("enum Local { A } fn f() { Local::A; Self::make(); Vec::<u8>::new() }", ""),
        // A macro may have made it.
        ("use crate::b::Unseen;", "Unseen"),
    ] {
        let expected: Vec<_> =
            (!expected.is_empty()).then(|| format!("a > b: {expected}")).into_iter().collect();
        assert_eq!(arrows_of_a(a), expected, "{a}");
    }
}

#[test]
fn comments_and_literals_are_no_code() {
    for a in [
        "// use crate::b::A;",
        "//! [`crate::b::A`]\n/** crate::b::A */",
        "/* /* nested */ use crate::b::A; */",
        "const X: &str = \"use crate::b::A; \\\" crate::b::A\";",
        "const X: &str = r##\"\" \"# crate::b::A \"##;",
        "const X: &[u8] = b\"crate::b::A\"; const Y: &CStr = cr\"crate::b::A\";",
        "#[doc = \"crate::b::A\"] #![allow(crate::b::A)] struct X;",
    ] {
        assert_eq!(arrows_of_a(a), [""; 0], "{a}");
    }
    for a in [
        "const X: char = '\"'; use crate::b::A;",
        "const X: char = '\\''; use crate::b::A;",
        "const X: u8 = b'\"'; use crate::b::A;",
        "fn f<'a>(a: &'a crate::b::A) {}",
        "const X: &str = \"\\\\\"; use crate::b::A;",
    ] {
        assert_eq!(arrows_of_a(a), ["a > b: A"], "{a}");
    }
    let names =
        [Token::Name("r#type".to_owned()), Token::PathSep, Token::Name("b".to_owned()), Token::Mark(';')];
    assert_eq!(tokens("r#type::b;"), names);
}

#[test]
fn code_that_only_tests_compile_does_not_count() {
    for a in [
        "#[cfg(test)] mod tests { use super::*; use crate::b::A; mod more { fn f() { crate::b::make() } } }",
        "#[cfg(test)]\n#[allow(unused)]\npub(crate) mod tests { use crate::b::A; }",
        "#[cfg(all(test, feature = \"x\"))] use crate::b::{A, B};",
        "#[cfg(all(feature = \"x\", any(test)))] use crate::b::{A, B};",
        "#[cfg(test)] impl X { fn f<A, B>(a: [u8; 2]) -> crate::b::A { crate::b::make() } }",
        "struct X { #[cfg(test)] a: crate::b::A, b: u8 }",
        "fn f() { #[cfg(test)] crate::b::make(); }",
        "const fn f(#[cfg(test)] a: crate::b::A) {}",
    ] {
        assert_eq!(arrows_of_a(a), [""; 0], "{a}");
    }
    for a in [
        "#[cfg(test)] mod tests { } use crate::b::A;",
        "#[cfg(test)] use std::x; use crate::b::A;",
        "#[cfg(any(test, feature = \"x\"))] use crate::b::A;",
        "#[cfg(not(test))] use crate::b::A;",
        "#[cfg_attr(test, allow(x))] use crate::b::A;",
        "struct X { #[cfg(test)] a: u8, b: crate::b::A }",
        "#[test] fn f() { crate::b::A }",
    ] {
        assert_eq!(arrows_of_a(a), ["a > b: A"], "{a}");
    }
}

#[test]
fn files_of_tests_are_not_read() {
    let texts = [
        ("lib.rs", "mod a; #[cfg(test)] mod laws;"),
        ("laws/mod.rs", "mod one; use crate::a::A;"),
        ("laws/one.rs", ""),
        ("a.rs", "pub struct A; #[cfg(test)] mod tests;"),
        ("a/tests.rs", "mod cases;"),
        ("a/tests/cases.rs", ""),
        ("bin/program.rs", ""),
    ];
    assert_eq!(arrows(&texts), [""; 0]);
    let texts = files(&[("lib.rs", "mod a;"), ("a.rs", ""), ("b.rs", ""), ("a/c.rs", ""), ("tests.rs", "")]);
    assert_eq!(Crate::read(&texts).unread(&texts), ["a/c.rs", "b.rs", "tests.rs"]);
}

#[test]
#[should_panic = "a/b: no file of this module"]
fn a_module_without_a_file_is_reported() {
    Crate::read(&files(&[("lib.rs", "mod a;"), ("a.rs", "mod b;"), ("b.rs", "")]));
}

#[test]
fn names_lead_to_the_file_that_defines_them() {
    let tree = |user| {
        arrows(&[
            ("lib.rs", "mod user; mod outer; pub use outer::inner::Deep; pub use outer::{Wide as Renamed, narrow}; pub use url::Url;"),
            ("user.rs", user),
            ("outer/mod.rs", "pub mod inner; mod globbed; mod narrow; pub use globbed::*; use inner::Deep; pub use narrow::narrow;"),
            ("outer/inner.rs", "pub struct Deep;"),
            ("outer/globbed.rs", "pub struct Wide;"),
            ("outer/narrow.rs", "pub fn narrow() {}"),
        ])
        .into_iter()
        .filter_map(|arrow| Some(arrow.strip_prefix("user > ")?.to_owned()))
        .collect::<Vec<_>>()
    };
    for (user, expected) in [
        ("use crate::Deep;", "outer/inner: Deep"),
        ("use crate::Renamed;", "outer/globbed: Wide"),
        ("use crate::outer::Wide;", "outer/globbed: Wide"),
        // A private import counts for the modules below it.
        ("use crate::outer::Deep;", "outer/inner: Deep"),
        // A module and a function with one name.
        ("use crate::narrow;", "outer/narrow: narrow"),
        ("use crate::outer::narrow; fn f() { narrow() }", "outer/narrow: narrow"),
        ("fn f() { crate::outer::narrow::narrow() }", "outer/narrow: narrow"),
        ("use super::outer::inner; fn f() -> inner::Deep {}", "outer/inner: Deep"),
    ] {
        assert_eq!(tree(user), [expected], "{user}");
    }
    for user in ["use crate::Url;", "use url::Url;", "use crate::outer::inner;"] {
        assert_eq!(tree(user), [""; 0], "{user}");
    }
}

#[test]
fn modules_within_a_file_are_of_that_file() {
    let texts = [
        ("lib.rs", "pub mod names { pub use crate::a::A; pub use std::x::Y; pub struct Own; } mod a; mod b;"),
        ("a.rs", "pub struct A; mod within { mod below; }"),
        ("a/within/below.rs", "use super::super::A;"),
        ("b.rs", "use crate::names::{A, Y}; use crate::names; fn f() -> names::Own {}"),
    ];
    assert_eq!(arrows(&texts), ["a/within/below > a: A", "b > a: A", "b > lib: Own", "lib > a: A"]);
}

#[test]
fn names_that_lead_to_themselves_end() {
    let texts = [
        ("lib.rs", "mod a; mod b; use base64;"),
        ("a.rs", "pub use crate::b::X; pub use crate::b::*; use base64; fn f() { base64::go() }"),
        ("b.rs", "pub use crate::a::X; pub use crate::a::*; use crate::base64;"),
    ];
    assert_eq!(arrows(&texts), ["a > b: * X", "b > a: * X"]);
}

#[test]
fn an_arrow_that_points_up_is_reported_with_its_name() {
    let texts = [
        ("lib.rs", "mod low; mod high; pub struct Top;"),
        ("low/mod.rs", "mod deep; pub struct Low; use crate::Top;"),
        ("low/deep.rs", "use crate::high::High; use super::Low;"),
        ("high.rs", "use crate::low::Low; pub struct High;"),
    ];
    let arrows = Crate::read(&files(&texts)).arrows();
    let expected = "    low/deep.rs -> high.rs (High): low is below high\n    \
                    low/mod.rs -> lib.rs (Top): low is below the root of the crate\n";
    assert_eq!(upward(&["low", "high"], &arrows), expected);
    let turned = "    high.rs -> low/mod.rs (Low): high is below low\n    \
                  low/mod.rs -> lib.rs (Top): low is below the root of the crate\n";
    assert_eq!(upward(&["high", "low"], &arrows), turned);
}

#[test]
#[should_panic = "low.rs is on no floor"]
fn a_file_on_no_floor_is_reported() {
    let texts = [("lib.rs", "mod low; pub use low::Low;"), ("low.rs", "pub struct Low;")];
    upward(&["high"], &Crate::read(&files(&texts)).arrows());
}

#[test]
fn rings_are_whole() {
    let texts = [
        ("lib.rs", "mod a; mod b; mod c; mod d; mod e; mod f; pub use a::A;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::{a::A, b::B, d::D}; pub struct C;"),
        ("d.rs", "use crate::e::E; pub struct D;"),
        ("e.rs", "use crate::d::D; pub struct E;"),
        ("f.rs", "use crate::{a::A, e::E};"),
    ];
    let arrows = Crate::read(&files(&texts)).arrows();
    let found = rings(&arrows);
    let names: Vec<Vec<&str>> = found.iter().map(|ring| ring.iter().map(String::as_str).collect()).collect();
    assert_eq!(names, [vec!["a.rs", "b.rs", "c.rs"], vec!["d.rs", "e.rs"]]);
    assert_eq!(inside(&arrows, &found[1]), "    d.rs -> e.rs (E)\n    e.rs -> d.rs (D)\n");
}
