//! Receivers of `log` and `tracing` that store all records.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};

use log::{LevelFilter, Log};
use sessio_testkit::Server;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

/// All records, while it exists. There is one at a time, because both receivers belong to the
/// process.
pub(crate) struct Receiver(());

/// A record: its level, its target, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: String,
    pub(crate) target: String,
    pub(crate) text: String,
}

/// A span with its fields as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) level: String,
    pub(crate) parent: Option<u64>,
    pub(crate) fields: BTreeMap<String, String>,
    /// The lines that were emitted within it.
    pub(crate) lines: Vec<String>,
    metadata: Option<&'static Metadata<'static>>,
    handles: usize,
}

impl Span {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.handles == 0
    }
}

#[derive(Default)]
struct Store {
    logged: Vec<Line>,
    traced: Vec<Line>,
    spans: Vec<Span>,
    next: u64,
}

static STORE: Mutex<Store> =
    Mutex::new(Store { logged: Vec::new(), traced: Vec::new(), spans: Vec::new(), next: 1 });
static IS_TAKEN: Mutex<bool> = Mutex::new(false);
static IS_FREE: Condvar = Condvar::new();

thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn store() -> MutexGuard<'static, Store> {
    STORE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// Waits until no other test has a receiver.
    pub(crate) fn new() -> Self {
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            log::set_logger(&ToStore).unwrap();
            log::set_max_level(LevelFilter::Trace);
            tracing::subscriber::set_global_default(ToStore).unwrap();
        });
        let mut is_taken = IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_taken {
            is_taken = IS_FREE.wait(is_taken).unwrap_or_else(PoisonError::into_inner);
        }
        *is_taken = true;
        let mut store = store();
        (store.logged, store.traced, store.spans) = Default::default();
        Self(())
    }

    pub(crate) fn logged(&self) -> Vec<Line> {
        store().logged.clone()
    }

    pub(crate) fn traced(&self) -> Vec<Line> {
        store().traced.clone()
    }

    /// The spans, in the order in which they began.
    pub(crate) fn spans(&self) -> Vec<Span> {
        store().spans.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        *IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = false;
        IS_FREE.notify_one();
    }
}

struct ToStore;

impl Log for ToStore {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        is_ours(metadata.target())
    }

    fn log(&self, record: &log::Record<'_>) {
        if is_ours(record.target()) {
            let (level, target) = (record.level().to_string(), record.target().to_owned());
            store().logged.push(Line { level, target, text: record.args().to_string() });
        }
    }

    fn flush(&self) {}
}

fn is_ours(target: &str) -> bool {
    target.starts_with("sessio") || target == "application"
}

/// Reads fields as text.
struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for ToStore {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata.target()) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata.target())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let parent = match (span.is_contextual(), span.parent()) {
            (true, _) => ENTERED.with_borrow(|entered| entered.last().copied()),
            (false, parent) => parent.map(Id::into_u64),
        };
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        let metadata = span.metadata();
        let (name, level) = (metadata.name(), metadata.level().to_string());
        let mut store = store();
        let id = store.next;
        store.next += 1;
        store.spans.push(Span {
            id,
            name,
            level,
            parent,
            fields,
            lines: Vec::new(),
            metadata: Some(metadata),
            handles: 1,
        });
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        with(span, |span| values.record(&mut Fields(&mut span.fields)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        let text = fields.remove("message").unwrap_or_default();
        if let Some(parent) = event.parent() {
            with(parent, |span| span.lines.push(text.clone()));
        }
        let (level, target) = (event.metadata().level().to_string(), event.metadata().target().to_owned());
        store().traced.push(Line { level, target, text });
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.retain(|id| *id != span.into_u64()));
    }

    fn clone_span(&self, span: &Id) -> Id {
        with(span, |span| span.handles += 1);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut is_closed = false;
        with(&span, |span| {
            span.handles -= 1;
            is_closed = span.handles == 0;
        });
        is_closed
    }

    fn current_span(&self) -> Current {
        let id = ENTERED.with_borrow(|entered| entered.last().copied());
        let store = store();
        let span = id.and_then(|id| store.spans.iter().find(|span| span.id == id));
        match span.and_then(|span| span.metadata.map(|metadata| (span.id, metadata))) {
            Some((id, metadata)) => Current::new(Id::from_u64(id), metadata),
            None => Current::none(),
        }
    }
}

/// Changes a span, unless an earlier test began it.
fn with(id: &Id, change: impl FnOnce(&mut Span)) {
    if let Some(span) = store().spans.iter_mut().find(|span| span.id == id.into_u64()) {
        change(span);
    }
}

/// The lines of these levels, as over clear text: without the facts of proxies and TLS, without
/// times, and with `HOST` for the server.
pub(crate) fn bare(lines: &[Line], server: &Server, levels: &[&str]) -> Vec<String> {
    let url = server.url("/");
    let host = url.split("//").nth(1).unwrap().trim_end_matches('/');
    let is_shown = |line: &&Line| {
        let text = &line.text;
        let is_carriers = text.starts_with("secured connection") || text.contains(" goes through ");
        line.target == "sessio" && levels.contains(&&*line.level) && !is_carriers
    };
    lines.iter().filter(is_shown).map(|line| bare_text(&line.text, host)).collect()
}

fn bare_text(text: &str, host: &str) -> String {
    let text = text.replace("https://", "http://").replace(host, "HOST");
    let text = match text.split_once(" to HOST") {
        Some((before, _)) if before.contains(" connection ") => format!("{before} to HOST"),
        _ => text,
    };
    let is_time = |part: &&str| part.strip_suffix(" ms").is_some_and(|digits| digits.parse::<f64>().is_ok());
    text.split(", ").filter(|part| !is_time(part)).collect::<Vec<_>>().join(", ")
}
