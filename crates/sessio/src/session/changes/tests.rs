//! The laws of changes: `(session + mount) + request = session + (mount + request)`.

#![allow(clippy::disallowed_types, reason = "the callbacks of a test write into one list")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::base::progress::{BodyProgress, Way};
use crate::route::tls::{Roots, Tls};
use crate::session::merge::merge;
use crate::session::mount::Mount;
use crate::session::prepare::prepare;
use crate::session::request::Request;
use crate::session::settings::Settings;
use crate::{Jar, Now, UnixTime, hook};

const URL: &str = "http://a.test/x";
const NAMES: [&str; 6] = ["X-A", "x-a", "X-B", "Accept", "Range", "Accept-Encoding"];
const VALUES: [&str; 3] = ["1", "2", ""];

/// Random choices. All are 0 at the end.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn below(&mut self, count: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % count
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn change<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Change<T> {
        match self.below(4) {
            0 | 1 => Change::Inherit,
            2 => Change::Remove,
            _ => Change::Set(value(self)),
        }
    }

    fn duration(&mut self) -> Change<Duration> {
        self.change(|it| Duration::from_secs(1 + it.below(3) as u64))
    }
}

/// The names of the observers and callbacks that run.
type Log = Arc<Mutex<Vec<u8>>>;

fn changes(bytes: &[u8], name: u8, log: &Log) -> Changes {
    let it = &mut Choices(bytes);
    let mut mount = Mount::new();
    for _ in 0..it.below(6) {
        mount = match it.below(6) {
            0 => mount.header(it.of(&NAMES), it.of(&VALUES)),
            1 => mount.append_header(it.of(&NAMES), it.of(&VALUES)),
            2 => mount.remove_header(it.of(&NAMES)),
            3 => mount.param(it.of(&NAMES), it.of(&VALUES)),
            4 => mount.remove_param(it.of(&NAMES)),
            _ => mount.cookie(it.of(&NAMES), it.of(&VALUES)),
        };
    }
    let mut changes = mount.changes;
    if it.below(4) == 3 {
        changes.cookies.remove(it.of(&NAMES));
    }
    changes.jar = it.change(|it| it.below(2) == 0);
    changes.auth = it.change(|it| it.of(&[b"one", b"two"]).pipe(Auth::bearer));
    changes.proxies = it.change(|it| match it.below(3) {
        0 => Proxies::new(),
        1 => Proxies::direct(),
        _ => Proxies::from(crate::Proxy::parse(it.of(&["p.test", "q.test"])).unwrap()),
    });
    changes.max_redirects = it.change(|it| it.below(3) as u32);
    changes.detect_loops = it.change(|it| it.below(2) == 0);
    changes.keep_on_upgrade = it.change(|it| it.below(2) == 0);
    changes.retry =
        it.change(|it| Arc::new(RetryPolicy { max_attempts: it.below(3) as u32, ..RetryPolicy::web() }));
    let limit = &mut changes.timeouts;
    for limit in [
        &mut limit.pool,
        &mut limit.resolve,
        &mut limit.connect,
        &mut limit.send,
        &mut limit.head,
        &mut limit.read,
        &mut limit.total,
        &mut limit.expect,
    ] {
        *limit = it.duration();
    }
    changes.limits = it.change(|it| {
        let body_bytes = it.of(&[None, Some(5)]);
        Limits { body_bytes, ..Limits::default() }
    });
    changes.body_bytes = it.change(|it| it.below(3) as u64);
    changes.decode = it.change(|it| it.below(2) == 0);
    if it.below(2) == 1 {
        changes.tls = Some(Box::new(TlsChanges {
            all: it.change(|it| Tls::default().sni(it.below(2) == 0)),
            roots: it.change(|_| Roots::Platform),
            identity: Change::Inherit,
            danger_accept_invalid_certs: it.change(|it| it.below(2) == 0),
        }));
    }
    if it.below(2) == 1 {
        let log = Arc::clone(log);
        changes.observer = Observer::per_call(move |_| {
            log.lock().unwrap().push(name);
            |_: &crate::Call, _: &crate::call::Event<'_>| {}
        });
    }
    if it.below(2) == 1 {
        let log = Arc::clone(log);
        changes.hooks.add(hook::before(move |_| {
            log.lock().unwrap().push(b'a' + name);
            Ok(())
        }));
    }
    for way in [Way::Up, Way::Down] {
        if it.below(2) == 1 {
            let log = Arc::clone(log);
            changes.meters.set(way, move |_| log.lock().unwrap().push(b'0' + name));
        }
    }
    changes
}

trait Pipe: Sized {
    fn pipe<T>(self, to: impl FnOnce(Self) -> T) -> T {
        to(self)
    }
}

impl<T> Pipe for T {}

fn settings(bytes: &[u8], log: &Log) -> Settings {
    let it = &mut Choices(bytes);
    let mut settings = Settings::default();
    for _ in 0..it.below(4) {
        settings.headers.append(it.of(&NAMES), it.of(&VALUES)).unwrap();
        settings.params.append(it.of(&NAMES), it.of(&VALUES));
    }
    settings.cookies = it.below(2) == 0;
    settings.follow_redirects = it.below(2) == 0;
    settings.timeouts.total = it.of(&[None, Some(Duration::from_secs(7))]);
    settings.retry = (it.below(2) == 1).then(|| Arc::new(RetryPolicy::background()));
    settings.limits.body_bytes = it.of(&[None, Some(9)]);
    if it.below(2) == 1 {
        settings.auth = Auth::bearer("session");
        settings.headers.mark_sensitive("x-a");
    }
    if it.below(2) == 1 {
        settings.proxies = Proxies::from(crate::Proxy::parse("session.test").unwrap());
    }
    if it.below(3) == 2 {
        settings.base_url = Some(it.of(&["http://a.test/", "http://b.test/"]).parse().unwrap());
    }
    let log = Arc::clone(log);
    settings.observer = Observer::per_call(move |_| {
        log.lock().unwrap().push(b's');
        |_: &crate::Call, _: &crate::call::Event<'_>| {}
    });
    settings
}

/// Everything that a merged request says.
fn outcome(settings: &Settings, mount: Option<Changes>, request: Changes, log: &Log) -> Vec<String> {
    let mut settings = settings.clone();
    if let Some(mount) = mount {
        settings.mounts.add("http://", Mount::from(mount)).unwrap();
    }
    let mut asked = Request::get(URL);
    asked.changes = request;
    let merged = merge(&settings, asked);
    let mut said = vec![format!("{:?}", merged.options)];
    let options = &merged.options;
    said.push(format!("{:?}", options.rules));
    said.push(format!("{:?}", options.retry));
    said.push(format!("{:?} {:?}", options.decode, options.routing.tls));
    said.extend(merged.headers.iter().map(|it| format!("{} {:?} {}", it.name, it.value, it.is_sensitive())));
    said.push(merged.params.encode());
    let cookies = options.cookies.iter();
    said.push(format!("{:?}", cookies.collect::<Vec<_>>()));
    let url = URL.parse().unwrap();
    said.push(format!("{:?}", options.routing.plan.of(&url).unwrap().proxy));
    let now = Now { mono: crate::Instant::ZERO, wall: UnixTime(0) };
    log.lock().unwrap().clear();
    let call = prepare(merged, &mut Jar::new(), now).unwrap();
    said.push(String::from_utf8(call.head()).unwrap());
    drop(call.options.observer.begin(&call.request));
    for way in [Way::Up, Way::Down] {
        if let Some(tell) = call.options.meters.of(way) {
            tell(BodyProgress { bytes: 0, total: None });
        }
    }
    said.push(format!("{:?}", log.lock().unwrap()));
    said
}

fn random() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn s15_session_then_mount_then_request_is_associative(
        session in random(), first in random(), second in random(), third in random(),
    ) {
        let log = Log::default();
        let settings = settings(&session, &log);
        let one = || changes(&first, 1, &log);
        let two = || changes(&second, 2, &log);
        let three = || changes(&third, 3, &log);
        let nothing = Changes::default;
        // (session + mount) + request = session + (mount + request)
        let in_steps = outcome(&settings, Some(one()), two(), &log);
        prop_assert_eq!(&in_steps, &outcome(&settings, None, one().then(two()), &log));
        prop_assert_eq!(&in_steps, &outcome(&settings, Some(one().then(two())), nothing(), &log));
        // Changes themselves, and their identity.
        let left = outcome(&settings, None, one().then(two()).then(three()), &log);
        let right = outcome(&settings, None, one().then(two().then(three())), &log);
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(&left, &outcome(&settings, Some(one()), two().then(three()), &log));
        let alone = outcome(&settings, None, one(), &log);
        prop_assert_eq!(&alone, &outcome(&settings, None, nothing().then(one()), &log));
        prop_assert_eq!(&alone, &outcome(&settings, Some(nothing()), one().then(nothing()), &log));
    }
}
