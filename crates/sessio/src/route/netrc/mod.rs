//! The netrc file: logins by host.
//!
//! The format is that of Python's `netrc`, and so of `ftp` and curl. Words are separated by blanks.
//! A word in double quotes may contain blanks. A backslash escapes a blank, a quote, a backslash or
//! a `#`; before any other character it is literal, as in `CORP\me`. A word ends with its line, and
//! lines end with LF, CRLF or CR.
//!
//! ```text
//! machine example.org login user password "two words"   # a comment
//! default login anonymous
//! macdef init      a macro: ignored, up to the next empty line
//! ```
//!
//! A broken entry never invalidates the rest of the file: it is left out and reported as a
//! [`Problem`]. Entries before and after it stay valid. Its host has no login then, not even that
//! of `default`, unless another entry names the host.

mod words;

use std::fmt;

use url::Host;

use crate::base::secret::Secret;
use words::Words;

/// The logins of a netrc file.
///
/// ```
/// use sessio::netrc::Netrc;
///
/// let netrc = Netrc::parse(b"machine a.test login me password hunter2\nmachine b.test pasword x\ndefault login you\n");
/// assert_eq!(netrc.of("A.test").unwrap().user(), b"me");
/// assert_eq!(netrc.of("c.test").unwrap().user(), b"you");
/// assert_eq!(netrc.problems()[0].to_string(), "line 2: unknown word in the entry of b.test");
/// assert!(!format!("{netrc:?}").contains("hunter2"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc {
    entries: Vec<Entry>,
    problems: Vec<Problem>,
    is_exposed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `None` is the entry `default`.
    host: Option<Box<str>>,
    login: Option<Login>,
}

/// The login of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    user: Secret,
    password: Secret,
}

impl Login {
    pub(crate) fn new(user: &[u8], password: &[u8]) -> Self {
        Self { user: Secret(user.into()), password: Secret(password.into()) }
    }

    /// The login, or the account if the login is empty (rule A-19).
    #[must_use]
    pub fn user(&self) -> &[u8] {
        &self.user.0
    }

    /// The password; empty if the entry has none. A password of another entry is never used instead
    /// (row V17).
    #[must_use]
    pub fn password(&self) -> &[u8] {
        &self.password.0
    }
}

/// A part of the file without a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line number, from 1.
    pub line: usize,
    what: Box<str>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Netrc {
    /// Parses a file.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut netrc = Self::default();
        let mut words = Words::of(text);
        while let Some(word) = words.next() {
            match &*word.bytes {
                _ if word.is_open => {
                    netrc.problem(word.line, "a quote that does not close".into());
                    Self::resume(&mut words);
                }
                b"machine" => netrc.machine(&mut words, word.line),
                b"default" => netrc.entry(None, &mut words),
                b"macdef" => {
                    words.next();
                    words.skip_macro();
                }
                _ if word.is_comment() => words.skip_line(&word),
                _ => {
                    netrc.problem(word.line, "neither machine, default nor macdef".into());
                    Self::resume(&mut words);
                }
            }
        }
        netrc
    }

    /// Marks the file as readable by users other than its owner. Its passwords must not be used
    /// then, as in `ftp` and Python.
    #[must_use]
    pub fn exposed(mut self) -> Self {
        self.is_exposed = true;
        self
    }

    /// Returns `true` if other users can read the file.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.is_exposed
    }

    /// The login for a host, spelled as in a URL: IPv6 addresses with or without brackets. The last
    /// entry of several for a host is used, and `default` if there is none.
    #[must_use]
    pub fn of(&self, host: &str) -> Option<&Login> {
        self.about(host).next()?.login.as_ref()
    }

    /// The last entry for a host with this user name.
    #[must_use]
    pub fn of_user(&self, host: &str, user: &[u8]) -> Option<&Login> {
        self.about(host).filter_map(|entry| entry.login.as_ref()).find(|login| login.user() == user)
    }

    /// The entries for a host, last to first; the `default` entries if it has none.
    fn about(&self, host: &str) -> impl Iterator<Item = &Entry> {
        let host = canonical(host);
        let has_own = self.entries.iter().any(|entry| entry.host.as_ref() == Some(&host));
        let wanted = has_own.then_some(host);
        self.entries.iter().rev().filter(move |entry| entry.host == wanted)
    }

    /// The problems of the file, ordered by line.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn machine(&mut self, words: &mut Words<'_>, line: usize) {
        match words.next() {
            Some(name) if name.is_open => {
                self.problem(name.line, "a quote that does not close in the name of a machine".into());
                Self::resume(words);
            }
            Some(next) if next.begins_entry() && next.line > line => {
                self.problem(line, "machine without a name".into());
                words.back(next);
            }
            Some(name) if !name.bytes.is_empty() => {
                let name = String::from_utf8_lossy(&name.bytes);
                self.entry(Some(canonical(&name)), words);
            }
            _ => self.problem(line, "machine without a name".into()),
        }
    }

    fn entry(&mut self, host: Option<Box<str>>, words: &mut Words<'_>) {
        let (mut login, mut account, mut password) = (None, None, None);
        let name = || crate::base::escape::escape(host.as_deref().unwrap_or("default").as_bytes());
        while let Some(word) = words.next() {
            let field = match &*word.bytes {
                b"login" | b"user" => &mut login,
                b"account" => &mut account,
                b"password" => &mut password,
                b"machine" | b"default" | b"macdef" => {
                    words.back(word);
                    break;
                }
                _ if word.is_comment() => {
                    words.skip_line(&word);
                    continue;
                }
                _ => {
                    // The word may be half a secret, so it is not shown. The meaning of later words
                    // is unknown.
                    self.problem(word.line, format!("unknown word in the entry of {}", name()).into());
                    Self::resume(words);
                    return self.leave_out(host);
                }
            };
            match words.next() {
                Some(value) if value.is_open => {
                    // The intended end of the quote is unknown: the word may hold half of a secret.
                    let what = format!("a quote that does not close in the entry of {}", name());
                    self.problem(value.line, what.into());
                    Self::resume(words);
                    return self.leave_out(host);
                }
                Some(value) if value.begins_entry() && value.line > word.line => {
                    // The next entry is not a value of this one, and neither are its words.
                    self.problem(word.line, format!("nothing after the last word of {}", name()).into());
                    words.back(value);
                    return self.leave_out(host);
                }
                Some(value) => *field = Some(value.bytes),
                None => {
                    self.problem(word.line, format!("nothing after the last word of {}", name()).into());
                    return self.leave_out(host);
                }
            }
        }
        let login = match (login.filter(|login| !login.is_empty()).or(account), password) {
            (None, None) => None,
            (user, password) => {
                let secret = |bytes: Option<Vec<u8>>| Secret(bytes.unwrap_or_default().into());
                Some(Login { user: secret(user), password: secret(password) })
            }
        };
        let login = login.filter(|login| !login.user().is_empty() || !login.password().is_empty());
        self.entries.push(Entry { host, login });
    }

    /// Leaves out a broken entry. Its host does not get the `default` login; another entry for the
    /// host counts.
    fn leave_out(&mut self, host: Option<Box<str>>) {
        if self.entries.iter().all(|entry| entry.host != host) {
            self.entries.push(Entry { host, login: None });
        }
    }

    /// Skips to the next entry.
    fn resume(words: &mut Words<'_>) {
        while let Some(word) = words.next() {
            match &*word.bytes {
                // Words of an entry that was left out: the word after each of these is its value.
                b"login" | b"user" | b"account" | b"password" => {
                    words.next();
                }
                b"machine" | b"default" | b"macdef" => return words.back(word),
                _ if word.is_comment() => words.skip_line(&word),
                _ => {}
            }
        }
    }

    fn problem(&mut self, line: usize, what: Box<str>) {
        self.problems.push(Problem { line, what });
    }
}

/// The host as in URLs, IPv6 without brackets.
fn canonical(host: &str) -> Box<str> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let parsed = if bare.contains(':') { Host::parse(&format!("[{bare}]")) } else { Host::parse(bare) };
    match parsed {
        Ok(Host::Domain(name)) => name.into(),
        Ok(Host::Ipv4(ip)) => ip.to_string().into(),
        Ok(Host::Ipv6(ip)) => ip.to_string().into(),
        Err(_) => bare.to_ascii_lowercase().into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str, host: &str) -> Option<(String, String)> {
        let netrc = Netrc::parse(text.as_bytes());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        netrc.of(host).map(|login| (text(login.user()), text(login.password())))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn a19_login_else_account_and_nothing_is_nothing() {
        for (entry, expected) in [
            ("login a password b", pair("a", "b")),
            ("user a password b", pair("a", "b")),
            ("login a", pair("a", "")),
            ("account c password b", pair("c", "b")),
            ("login \"\" account c password b", pair("c", "b")),
            ("login a account c password b", pair("a", "b")),
            ("password b", pair("", "b")),
            ("", None),
            ("login \"\" password \"\"", None),
        ] {
            assert_eq!(of(&format!("machine h {entry}"), "h"), expected, "{entry}");
            assert_eq!(of(&format!("default {entry}"), "other"), expected, "{entry}");
        }
    }

    #[test]
    fn a18_by_host_alone_and_default_for_the_others() {
        let file = "machine a.test login a\ndefault login d\nmachine [::1] login six\nmachine ::2 login seven\n\
                    machine 127.1 login four\nmachine b\u{fc}cher.test login idn\nmachine empty.test\n";
        for (host, user) in [
            ("a.test", "a"),
            ("A.TEST", "a"),
            ("b.a.test", "d"),
            ("[::1]", "six"),
            ("::2", "seven"),
            ("[0:0::2]", "seven"),
            ("127.0.0.1", "four"),
            ("xn--bcher-kva.test", "idn"),
        ] {
            assert_eq!(of(file, host), pair(user, ""), "{host}");
        }
        // An entry with no words counts: it says that there is no login (rows V17, B03).
        assert_eq!(of(file, "empty.test"), None);
        assert_eq!(of("machine h login a\nmachine h login b", "h"), pair("b", ""));
    }

    /// The same rule as test 478 of curl, in other words.
    #[test]
    fn a_host_with_several_accounts_has_the_one_that_is_asked_for() {
        let file = "machine h password no password one login first\nmachine h\nmachine h login second\n\
                    machine h password two login second\nmachine i login third password three\n\
                    default login first password d\n";
        let netrc = Netrc::parse(file.as_bytes());
        let password = |host, user: &str| Some(netrc.of_user(host, user.as_bytes())?.password());
        assert_eq!(password("h", "first"), Some(&b"one"[..]));
        assert_eq!(password("H", "second"), Some(&b"two"[..]));
        assert_eq!(password("h", "fir"), None);
        assert_eq!(password("i", "first"), None, "that of all others is not for a host that has its own");
        assert_eq!(password("j", "first"), Some(&b"d"[..]));
    }

    #[test]
    fn v17_no_entry_has_anothers_password() {
        let file = "machine a.test login u password p\nmachine b.test\nmachine c.test login v\ndefault\n";
        assert_eq!(of(file, "b.test"), None);
        assert_eq!(of(file, "c.test"), pair("v", ""));
        assert_eq!(of(file, "d.test"), None);
    }

    #[test]
    fn words_are_quoted_escaped_and_commented() {
        for (file, expected) in [
            (r#"machine h login "a b" password "c\"d\\e""#, pair("a b", r#"c"d\e"#)),
            (r"machine h login a\ b password c\\d", pair("a b", r"c\d")),
            ("machine h login a password #b", pair("a", "#b")),
            ("machine h login a # password no\n password b", pair("a", "b")),
            ("# machine h login no\nmachine h login a#b", pair("a#b", "")),
            ("#machine h login no\n#\nmachine h login a", pair("a", "")),
            ("machine\th\n\n\tlogin\r\n a\npassword\n b", pair("a", "b")),
            ("machine h login password password login", pair("password", "login")),
            ("macdef init\nmachine h login no\n\nmachine h login a", pair("a", "")),
            ("machine h login a\nmacdef init\nmachine h login no", pair("a", "")),
            ("macdef init\r\nmachine h login no\r\n\r\nmachine h login a", pair("a", "")),
            ("machine h login a\\", pair("a\\", "")),
            ("machine h login a\\\npassword b", pair("a\\", "b")),
            (r"machine h login CORP\me password p\w", pair(r"CORP\me", r"p\w")),
            (r#"machine h login "CORP\me you" password "\n""#, pair(r"CORP\me you", r"\n")),
            (r#"machine h login \#a password \"b"#, pair("#a", "\"b")),
            ("machine h login \"#a\" password \"b\"", pair("#a", "b")),
            ("macdef init\rmachine h login no\r\rmachine h login a", pair("a", "")),
            ("\u{feff}machine h login a", pair("a", "")),
        ] {
            assert_eq!(of(file, "h"), expected, "{file}");
        }
    }

    #[test]
    fn a_broken_entry_loses_nothing_else() {
        let good = "machine good.test login g password p\n";
        for (broken, line, what) in [
            ("machine b.test login x pasword y password z\n", 2, "unknown word in the entry of b.test"),
            ("default\n password x bad\n", 3, "unknown word in the entry of default"),
        ] {
            for file in [
                format!("{good}{broken}machine c.test login c\n"),
                format!("\n{broken}{good}machine c.test login c\n"),
            ] {
                assert_eq!(of(&file, "good.test"), pair("g", "p"), "{file}");
                assert_eq!(of(&file, "c.test"), pair("c", ""), "{file}");
                assert_eq!(of(&file, "b.test"), None, "{file}");
                let netrc = Netrc::parse(file.as_bytes());
                assert_eq!(netrc.problems().len(), 1, "{file}");
                assert_eq!(netrc.problems()[0].to_string(), format!("line {line}: {what}"));
            }
        }
        for (file, what) in [
            ("machine", "line 1: machine without a name"),
            ("machine h login", "line 1: nothing after the last word of h"),
            ("nonsense login machine password x", "line 1: neither machine, default nor macdef"),
        ] {
            assert_eq!(Netrc::parse(file.as_bytes()).problems()[0].to_string(), what);
        }
    }

    #[test]
    fn fb2_a_word_ends_with_its_line() {
        let file = "machine a.test login a password p\n\
                    machine h login me password \"hunter2\n\
                    machine b.test login b password \"two words\"\n";
        for file in [file.to_owned(), file.replace('\n', "\r\n"), file.replace('\n', "\r")] {
            let netrc = Netrc::parse(file.as_bytes());
            assert_eq!(of(&file, "h"), None, "{file}");
            assert_eq!(of(&file, "a.test"), pair("a", "p"), "{file}");
            assert_eq!(of(&file, "b.test"), pair("b", "two words"), "{file}");
            let told: Vec<_> = netrc.problems().iter().map(ToString::to_string).collect();
            assert_eq!(told, ["line 2: a quote that does not close in the entry of h"], "{file}");
        }
        // The quote may be at any position.
        for (file, told) in [
            (
                "machine \"h\nmachine b.test login b",
                "line 1: a quote that does not close in the name of a machine",
            ),
            ("\n\"h login a\nmachine b.test login b", "line 2: a quote that does not close"),
            ("machine h \"login a\nmachine b.test login b", "line 1: unknown word in the entry of h"),
            (
                "default login \"\nmachine b.test login b",
                "line 1: a quote that does not close in the entry of default",
            ),
            ("machine h login a password \"b\\\"", "line 1: a quote that does not close in the entry of h"),
        ] {
            let netrc = Netrc::parse(file.as_bytes());
            assert_eq!(netrc.problems().len(), 1, "{file}");
            assert_eq!(netrc.problems()[0].to_string(), told);
            assert_eq!(netrc.of("h"), None, "{file}");
            assert!(netrc.of("b.test").is_some() || !file.contains("b.test"), "{file}");
        }
        // A quote inside a word that begins without one is literal.
        assert_eq!(of("machine h login a\"b password c\"\nmachine i", "h"), pair("a\"b", "c\""));
    }

    #[test]
    fn fb2_the_next_entry_is_no_value_of_this_one() {
        for (broken, told) in [
            ("machine h login me password", "line 1: nothing after the last word of h"),
            ("machine h password", "line 1: nothing after the last word of h"),
            ("machine h login", "line 1: nothing after the last word of h"),
            ("machine", "line 1: machine without a name"),
        ] {
            for (next, host) in [
                ("machine b.test login b password p", "b.test"),
                ("default login b password p", "b.test"),
                ("macdef init\n\nmachine b.test login b password p", "b.test"),
            ] {
                let file = format!("{broken}\n{next}\n");
                let netrc = Netrc::parse(file.as_bytes());
                assert_eq!(of(&file, host), pair("b", "p"), "{file}");
                let is_about_h = broken.contains(" h ") || !next.starts_with("default");
                assert_eq!(netrc.of("h").is_none(), is_about_h, "{file}");
                let problems: Vec<_> = netrc.problems().iter().map(ToString::to_string).collect();
                assert_eq!(problems, [told], "{file}");
            }
        }
        // Another entry for that host is valid, before or after.
        let good = "machine h login me";
        for file in [format!("{good}\nmachine h login"), format!("machine h login\n{good}")] {
            assert_eq!(of(&file, "h"), pair("me", ""), "{file}");
        }
        // A value, on the same line or in quotes.
        assert_eq!(of("machine h login default password machine", "h"), pair("default", "machine"));
        assert_eq!(
            of("machine h login \n\"default\" password\n\"machine\"", "h"),
            pair("default", "machine")
        );
        assert_eq!(of("machine\nh login\nme password\nx", "h"), pair("me", "x"));
    }

    #[test]
    fn fb10_a_byte_order_mark_and_every_line_end() {
        let file =
            "# mine\nmachine a.test login a # me\n\nmachine b.test\n\tlogin b\nmachine c.test loggin c\n";
        for end in ["\n", "\r\n", "\r"] {
            for mark in ["", "\u{feff}"] {
                let file = format!("{mark}{}", file.replace('\n', end));
                assert_eq!(of(&file, "a.test"), pair("a", ""), "{file:?}");
                assert_eq!(of(&file, "b.test"), pair("b", ""), "{file:?}");
                let problems = Netrc::parse(file.as_bytes()).problems().to_vec();
                assert_eq!(problems.len(), 1);
                assert_eq!(
                    problems[0].to_string(),
                    "line 6: unknown word in the entry of c.test",
                    "{file:?}"
                );
            }
        }
        assert_eq!(of("\u{feff}machine a.test login a", "a.test"), pair("a", ""));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let netrc = Netrc::parse(b"machine h login hunter1 password hunter2\nmachine i pasword hunter3");
        let shown = format!("{netrc:?} {}", netrc.problems()[0]);
        assert!(!shown.contains("hunter"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text: Vec<u8>) {
            let _ = Netrc::parse(&text);
        }

        /// Every value is read back if it is written in quotes, after any text.
        #[test]
        fn what_is_quoted_is_itself(user in "\\PC{1,12}", password in "\\PC{0,12}", before in "[a-z#\" \\\\]{0,20}") {
            let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let file = format!("machine h login {} password {}\n", quote(&user), quote(&password));
            prop_assert_eq!(of(&file, "h"), pair(&user, &password));
            let netrc = Netrc::parse(format!("{before}\n{file}").as_bytes());
            // The text before may at worst have opened a quote or taken a word.
            prop_assert!(netrc.of("h").is_some() || before.contains(['"', '\\', '#']) || !netrc.problems().is_empty());
        }
    }
}
