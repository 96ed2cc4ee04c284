//! Logins, cookies, settings, redirects and closes, all at once.

use std::str::FromStr;
use std::sync::Arc;

use sessio::cookie::NewCookie;
use sessio::pool::Policy;
use sessio::{Error, Jar};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{LOGIN_PASSWORD, LOGIN_USER, Server};

use crate::crowd::{Crowd, SmolTasks, Task, Threads, TokioTasks};

/// The number of rounds of each task.
const ROUNDS: usize = 10;
/// The largest number of connections.
const MOST: usize = 4;

#[test]
fn b48_no_update_is_lost_on_tokio() {
    hammer::<TokioTasks>(|visit| Box::pin(visit.play()));
}

#[test]
fn b48_no_update_is_lost_on_smol() {
    hammer::<SmolTasks>(|visit| Box::pin(visit.play()));
}

#[test]
fn b48_no_update_is_lost_on_threads() {
    hammer::<Threads>(|visit| Box::pin(visit.play()));
}

/// `task` makes the visit a task: a future is known to be `Send` only if the runtime is a known
/// type.
fn hammer<C: Crowd>(task: fn(Visit<C::Runtime>) -> Task) {
    // While no task closes a connection, every connection ever opened is still open. The server
    // counts them.
    assert!(visit::<C>(Mood::Calm, task).accepted() <= MOST);
    assert!(visit::<C>(Mood::Wild, task).accepted() > MOST);
}

/// The actions of the tasks besides their updates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Calm,
    /// They close everything they can.
    Wild,
}

fn visit<C: Crowd>(mood: Mood, task: fn(Visit<C::Runtime>) -> Task) -> Arc<Server> {
    let server = Arc::new(Server::start());
    server.record_bytes(false);
    let mut policy = Policy::default();
    policy.max_per_host = Some(MOST);
    let session = Session::<C::Runtime>::with_pool(policy);
    let tasks = (0..C::SIZE)
        .map(|number| task(Visit { number, mood, session: session.clone(), server: Arc::clone(&server) }));
    C::run(tasks.collect());

    // Every update of every task is present.
    let settings = session.settings();
    let all = C::SIZE * ROUNDS;
    assert_eq!(settings.headers.get("x-count").map(usize::from_str), Some(Ok(all)));
    session.cookies(|jar| assert_eq!(count(jar), all));
    for number in 0..C::SIZE {
        let last = (ROUNDS - 1).to_string();
        assert_eq!(settings.headers.get(&format!("x-task{number}")), Some(&*last));
        session.cookies(|jar| {
            let cookie = jar.get(format!("task{number}")).unwrap();
            assert_eq!(cookie.value_str(), Some(&*last), "task {number}");
        });
    }
    // No task has left a connection in use.
    let stats = session.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    assert_eq!(stats.dialled, server.accepted() as u64);
    assert!(stats.reused > stats.dialled, "{stats:?}");
    session.close();
    server.wait_open(0);
    assert!(server.connections().iter().all(|recording| recording.fault.is_none()));
    server
}

/// The counter that all tasks keep in one cookie.
fn count(jar: &Jar) -> usize {
    jar.get("count").map_or(0, |cookie| cookie.value_str().unwrap().parse().unwrap())
}

/// One member of the crowd.
struct Visit<R: Runtime> {
    number: usize,
    mood: Mood,
    session: Session<R>,
    server: Arc<Server>,
}

impl<R: Runtime> Visit<R> {
    async fn play(self) {
        self.log_in().await;
        for round in 0..ROUNDS {
            self.change_cookies(round).await;
            self.change_settings(round);
            if self.mood == Mood::Wild {
                self.be_a_nuisance(round).await;
            }
            // All share one jar, so one login is valid for all of them.
            let private = self.session.get(self.server.url("/private")).send().await.unwrap();
            assert_eq!(private.status(), 200);
            self.check_limit();
            private.bytes().await.unwrap();
        }
    }

    async fn log_in(&self) {
        let url = self.server.url("/login");
        let page = self.session.get(&url).send().await.unwrap().text().await.unwrap();
        let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let form = [("user", LOGIN_USER), ("password", LOGIN_PASSWORD), ("csrf", token)];
        let login = self.session.post(&url).form(form).send().await.unwrap();
        assert_eq!((login.status().as_u16(), login.url().path()), (200, "/private"));
    }

    /// Sets a cookie of its own over the network, and increments the shared one directly.
    async fn change_cookies(&self, round: usize) {
        let number = self.number;
        let url = self.server.url(&format!("/cookies/set/task{number}/{round}"));
        let set = self.session.get(url).send().await.unwrap();
        assert_eq!(set.history().len(), 1);
        let told = set.text().await.unwrap();
        assert!(told.contains(&format!("\"task{number}\": \"{round}\"")), "{number} in {round}: {told}");
        let now = self.session.runtime().now();
        self.session.cookies(|jar| {
            let next = (count(jar) + 1).to_string();
            std::thread::yield_now();
            jar.insert(NewCookie::new("count", next).unwrap(), now.wall).unwrap();
        });
    }

    fn change_settings(&self, round: usize) {
        let changed = self.session.update(|settings| -> Result<(), Error> {
            let count: usize = settings.headers.get("x-count").map_or(0, |count| count.parse().unwrap());
            // Gives other threads a chance to interfere.
            std::thread::yield_now();
            settings.headers.insert("x-count", (count + 1).to_string())?;
            Ok(settings.headers.insert(format!("x-task{}", self.number), round.to_string())?)
        });
        changed.unwrap();
    }

    /// Ends connections: closes on either side, and bodies that are not read.
    async fn be_a_nuisance(&self, round: usize) {
        let get = |path| self.session.get(self.server.url(path));
        match (self.number + round) % 5 {
            0 => self.session.close(),
            1 => self.session.close_idle(),
            2 => drop(get("/get").header("Connection", "close").send().await.unwrap().bytes().await.unwrap()),
            3 => {
                let mut response = get("/bytes/1000000").send().await.unwrap();
                assert!(!response.chunk().await.unwrap().unwrap().is_empty());
                self.check_limit();
            }
            _ => {
                let response = get("/redirect/3?cookies=1").send().await.unwrap();
                assert_eq!(response.history().len(), 3);
                response.bytes().await.unwrap();
            }
        }
    }

    fn check_limit(&self) {
        let stats = self.session.stats();
        assert!(stats.in_use + stats.idle <= MOST, "{stats:?}");
    }
}
