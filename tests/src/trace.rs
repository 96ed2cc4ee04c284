//! The events of the calls of a scenario, in a form that is the same on every run.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessio::call::Event;
use sessio::{Call, Headers, Observer, Prepared, Url};

/// The events of all calls that were started with its [`observer`](Self::observer). A clone is the
/// same trace.
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<Entry>,
    /// The number of calls under way.
    open: usize,
    /// The number of times that no call was under way.
    rests: usize,
}

/// One call.
#[derive(Debug)]
struct Entry {
    lines: Vec<String>,
    /// Its group: the calls of one group overlap in time, one with the next.
    group: usize,
}

impl Entry {
    fn named(&self, connections: &mut Names) -> Vec<String> {
        let mut addresses = Names::new('@');
        let mut name = |what: &str| {
            let names = if what.starts_with('#') { &mut *connections } else { &mut addresses };
            names.of(what)
        };
        self.lines.iter().map(|line| named(line, &mut name)).collect()
    }
}

/// Closes the entry of a call when the call is dropped.
struct Open {
    trace: Trace,
    entry: usize,
}

impl Trace {
    /// An observer that records the events of calls.
    #[must_use]
    pub fn observer(&self) -> Observer {
        let trace = self.clone();
        Observer::per_call(move |_| {
            let mut state = trace.state();
            let (group, entry) = (state.rests, state.calls.len());
            state.calls.push(Entry { lines: Vec::new(), group });
            state.open += 1;
            drop(state);
            let open = Open { trace: trace.clone(), entry };
            move |call: &Call, event: &Event<'_>| {
                let mut state = open.trace.state();
                state.calls[open.entry].lines.push(line(call, event));
            }
        })
    }

    /// The lines of each call, in the order in which the calls began. Concurrent calls have no
    /// order. Connections are named by their first appearance, and so are addresses within one
    /// call. The system may give a port to one server after another.
    #[must_use]
    pub fn calls(&self) -> Vec<Vec<String>> {
        let state = self.state();
        let mut calls: Vec<_> = state.calls.iter().collect();
        calls.sort_by_cached_key(|call| {
            let lines: Vec<_> = call.lines.iter().map(|line| named(line, |_| String::new())).collect();
            (call.group, lines)
        });
        let mut connections = Names::new('#');
        calls.iter().map(|call| call.named(&mut connections)).collect()
    }

    /// Each kind of call: calls with equal lines are one kind. A call that was dropped is of the
    /// same kind as one that continued.
    #[must_use]
    pub fn kinds(&self) -> Vec<Vec<String>> {
        let calls = self.state().calls.iter().map(|call| call.named(&mut Names::new('#'))).collect();
        let calls: BTreeSet<Vec<String>> = calls;
        let mut kinds: Vec<Vec<String>> = Vec::new();
        for call in calls {
            match kinds.last_mut() {
                // A prefix of a call is sorted right before the call.
                Some(last) if call.starts_with(last) => *last = call,
                _ => kinds.push(call),
            }
        }
        kinds
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.trace.state();
        state.open -= 1;
        state.rests += usize::from(state.open == 0);
    }
}

/// Names by first appearance.
struct Names {
    kind: char,
    known: HashMap<String, usize>,
}

impl Names {
    fn new(kind: char) -> Self {
        Self { kind, known: HashMap::new() }
    }

    fn of(&mut self, what: &str) -> String {
        let next = self.known.len() + 1;
        format!("{}{}", self.kind, self.known.entry(what.to_owned()).or_insert(next))
    }
}

/// An event as a line. Parts that differ between runs are between marks.
fn line(call: &Call, event: &Event<'_>) -> String {
    let hop = call.hop();
    match *event {
        Event::Connecting { request, fresh, .. } => {
            let fresh = if fresh { ", anew" } else { "" };
            format!("{hop}: connecting{fresh} for {}", shown(request))
        }
        Event::Connected { connection, reused, .. } => {
            format!("{hop}: connected {MARK}#{connection}{MARK}{}", if reused { " again" } else { "" })
        }
        // Whether a session was resumed depends on the time of the ticket.
        Event::Secured { secured, .. } => format!("{hop}: secured by {}", secured.version),
        Event::Tunnelled { .. } => format!("{hop}: through a proxy"),
        Event::Head(head) | Event::Interim(head) => {
            format!("{hop}: head {} [{}]", head.status.as_u16(), field_names(&head.headers))
        }
        Event::Redirect { next, .. } => format!("{hop}: redirect to {}", shown(next)),
        Event::Challenge { next, .. } => format!("{hop}: challenge, then {}", shown(next)),
        Event::Unexpecting { next, .. } => format!("{hop}: expectation refused, then {}", shown(next)),
        Event::FinalResponse(head) => {
            let made = call.extracted();
            let (stored, refused) = (made.stored + made.replaced, made.refused.len());
            let (status, history) = (head.status.as_u16(), call.history().len());
            format!("{hop}: response {status} after {history}, cookies {stored} kept {refused} refused")
        }
        // The number of bytes moved by then depends on the cut.
        Event::Failed(error) => format!("{hop}: failed {}", error.kind()),
        event => format!("{hop}: {event}"),
    }
}

/// The lines of a call without those that its carrier adds.
#[must_use]
#[allow(clippy::ptr_arg, reason = "it is mapped over vectors")]
pub fn bare(call: &Vec<String>) -> Vec<String> {
    let is_carriers = |line: &str| {
        let what = line.split_once(": ").map_or(line, |(_, what)| what);
        what.starts_with("secured by ") || what == "through a proxy"
    };
    call.iter().filter(|line| !is_carriers(line)).map(|line| line.replace("https://", "http://")).collect()
}

/// The lines of a call without the numbers of its connections, and without their reuse.
#[must_use]
pub fn unconnected(call: &[String]) -> Vec<String> {
    let plain = |line: &String| match line.split_once(": connected ") {
        Some((hop, _)) => format!("{hop}: connected"),
        None => line.replace(", connection kept", "").replace(", connection closed", ""),
    };
    call.iter().map(plain).collect()
}

fn shown(request: &Prepared) -> String {
    format!("{} {} [{}]", request.method(), marked(request.url()), field_names(request.headers()))
}

fn field_names(headers: &Headers) -> String {
    let names: Vec<_> = headers.iter().map(|field| field.name).collect();
    names.join(" ")
}

/// The mark around a part that differs between runs.
const MARK: char = '\u{1}';

/// A URL with marks around its addresses, also those in its query.
fn marked(url: &Url) -> String {
    let mut left = url.as_str().to_owned();
    // A URL in a URL has one more level of escapes.
    while let plain = unescaped(&left)
        && plain != left
    {
        left = plain;
    }
    let mut marked = String::new();
    while let Some(at) = left.find("//") {
        let rest = left.split_off(at + 2);
        let end = rest.find(['/', '?', '#', '&']);
        let (authority, after) = rest.split_at(end.unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        marked += &format!("{left}{MARK}{host}{MARK}");
        left = after.to_owned();
    }
    marked + &left
}

/// A line in which every marked part is replaced by its name.
fn named(line: &str, mut name: impl FnMut(&str) -> String) -> String {
    let parts = line.split(MARK).enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part.to_owned() } else { name(part) }).collect()
}

/// The text with its escapes decoded, if the result is text.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut left = text.as_bytes();
    while let [first, rest @ ..] = left {
        let escaped = match rest {
            [high, low, ..] if *first == b'%' => {
                let digits = [*high, *low];
                std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        left = &rest[if escaped.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8_lossy(&bytes).replace(MARK, "?")
}
