//! The scripts of a server that have not been played yet.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::script::{Connection, Otherwise, Script};

/// The task of a new connection.
#[derive(Debug)]
pub(crate) enum Part {
    Routes,
    Script(Connection),
    /// None: the connection was not expected.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct ScriptQueue {
    queues: Mutex<Queues>,
}

#[derive(Debug)]
struct Queues {
    script: Script,
    paths: HashMap<String, VecDeque<Connection>>,
}

impl ScriptQueue {
    pub(crate) fn new(script: Script) -> Self {
        Self { queues: Mutex::new(Queues { script, paths: HashMap::new() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, connection: Connection) {
        self.lock().script.connections.push_back(connection);
    }

    pub(crate) fn push_for_path(&self, path: &str, connection: Connection) {
        self.lock().paths.entry(path.to_owned()).or_default().push_back(connection);
    }

    /// The task of the connection that is accepted now.
    pub(crate) fn next(&self) -> Part {
        let Script { connections, otherwise } = &mut self.lock().script;
        let repeated = match otherwise {
            Otherwise::Repeat if connections.len() == 1 => connections.front().cloned(),
            _ => None,
        };
        match (repeated.or_else(|| connections.pop_front()), otherwise) {
            (Some(connection), _) => Part::Script(connection),
            (None, Otherwise::Routes) => Part::Routes,
            (None, _) => Part::Nothing,
        }
    }

    /// The script for a request of this path, if there is one.
    pub(crate) fn next_for_path(&self, path: &str) -> Option<Connection> {
        self.lock().paths.get_mut(path)?.pop_front()
    }

    /// Whether the port is to be closed.
    pub(crate) fn refuses(&self) -> bool {
        let script = &self.lock().script;
        script.otherwise == Otherwise::Refuse && script.connections.is_empty()
    }
}
