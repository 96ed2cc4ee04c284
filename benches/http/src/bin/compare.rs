//! Runs the clients in turn, round by round, and prints the cost of a request for each.
//!
//! `--rounds 5 --core 0 --clients sessio-tokio,reqwest --workloads small,conc64,session,hosts
//! --scale 1`

use std::process::Command;

use bench_http::Outcome;
use bench_http::clients::{
    CLIENTS, Server, has_codings, has_hosts, has_tls, is_concurrent, on_core, program, run,
};
use bench_http::meter::Reading;
use bench_http::options::Options;
use bench_http::table::Table;

/// The numbers of hosts of the workload `hosts`.
const HOSTS: [usize; 4] = [1, 100, 1000, 10_000];
/// The number of requests of that workload, over all hosts.
const HOSTS_REQUESTS: usize = 20_000;

/// A comparison: its name, and the arguments of its clients.
struct Race {
    name: &'static str,
    title: &'static str,
    /// Further arguments of the client.
    plan: &'static [&'static str],
    requests: usize,
    kind: Kind,
}

/// The figure of a race, and the clients that can run in it.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// CPU time of the client.
    Requests,
    /// CPU time of clients that support concurrent requests.
    Concurrent,
    /// The rate, for a body of so many bytes.
    Bulk(usize),
    /// CPU time of clients that decode content codings.
    Coded,
    /// CPU time of clients that support TLS.
    Tls,
    /// The rate of clients that support TLS, for a body of so many bytes.
    TlsBulk(usize),
}

const GIB: usize = 1 << 30;

const RACES: [Race; 13] = [
    Race {
        name: "small",
        title: "GET of 13 bytes, one after another",
        plan: &["--workload", "small"],
        requests: 20_000,
        kind: Kind::Requests,
    },
    Race {
        name: "conc64",
        title: "GET of 13 bytes, 64 tasks on one thread",
        plan: &["--workload", "small", "--tasks", "64"],
        requests: 40_000,
        kind: Kind::Concurrent,
    },
    Race {
        name: "session",
        title: "10 default headers and 20 cookies, one after another",
        plan: &["--workload", "session"],
        requests: 20_000,
        kind: Kind::Requests,
    },
    Race {
        name: "length",
        title: "1 GiB by length",
        plan: &["--workload", "length", "--warm", "0", "--bytes", "1073741824"],
        requests: 1,
        kind: Kind::Bulk(GIB),
    },
    Race {
        name: "chunked16",
        title: "1 GiB in chunks of 16 KiB",
        plan: &["--workload", "chunked", "--warm", "0", "--chunk", "16384", "--bytes", "1073741824"],
        requests: 1,
        kind: Kind::Bulk(GIB),
    },
    Race {
        name: "chunked",
        title: "1 GiB in chunks of 1 KiB",
        plan: &["--workload", "chunked", "--warm", "0", "--chunk", "1024", "--bytes", "1073741824"],
        requests: 1,
        kind: Kind::Bulk(GIB),
    },
    Race {
        name: "upload",
        title: "1 GiB up by length",
        plan: &["--workload", "upload", "--warm", "0", "--bytes", "1073741824"],
        requests: 1,
        kind: Kind::Bulk(GIB),
    },
    Race {
        name: "gzip",
        title: "64 MiB of text as gzip",
        plan: &["--workload", "gzip", "--warm", "1"],
        requests: 4,
        kind: Kind::Coded,
    },
    Race {
        name: "br",
        title: "64 MiB of text as br",
        plan: &["--workload", "br", "--warm", "1"],
        requests: 4,
        kind: Kind::Coded,
    },
    Race {
        name: "tls",
        title: "GET of 13 bytes by TLS, one after another",
        plan: &["--workload", "tls"],
        requests: 20_000,
        kind: Kind::Tls,
    },
    Race {
        name: "handshakes",
        title: "GET of 13 bytes by TLS, each over a new connection",
        plan: &["--workload", "handshakes"],
        requests: 2000,
        kind: Kind::Tls,
    },
    Race {
        name: "resumptions",
        title: "GET of 13 bytes by TLS, each over a new connection that resumes a session",
        plan: &["--workload", "resumptions"],
        requests: 2000,
        kind: Kind::Tls,
    },
    Race {
        name: "tls-length",
        title: "1 GiB by TLS",
        plan: &["--workload", "tls-length", "--warm", "0", "--bytes", "1073741824"],
        requests: 1,
        kind: Kind::TlsBulk(GIB),
    },
];

impl Race {
    fn has(&self, client: &str) -> bool {
        match self.kind {
            Kind::Requests | Kind::Bulk(_) => true,
            Kind::Concurrent => is_concurrent(client),
            Kind::Coded => has_codings(client),
            Kind::Tls | Kind::TlsBulk(_) => has_tls(client),
        }
    }
}

fn main() -> Outcome {
    let options = Options::of_program()?;
    let rounds: usize = options.get("rounds", 5)?;
    let scale: f64 = options.get("scale", 1.0)?;
    let core = options.text("core").map(str::parse).transpose()?;
    let clients = options.list("clients", &CLIENTS);
    let server = Server::start(core)?;
    for name in options.list("workloads", &["small", "conc64", "session"]) {
        if name == "hosts" {
            hosts(&clients, rounds, core, &server)?;
            continue;
        }
        let race = RACES.iter().find(|race| race.name == name).ok_or("no such workload")?;
        let clients: Vec<_> = clients.iter().copied().filter(|client| race.has(client)).collect();
        // A run that is scaled down keeps at least one request.
        let requests = ((race.requests as f64 * scale) as usize).max(1);
        let mut readings = vec![Vec::new(); clients.len()];
        let mut servers = vec![Vec::new(); clients.len()];
        for round in 0..rounds {
            for turn in 0..clients.len() {
                let at = (round + turn) % clients.len();
                let mut command: Command = on_core(core, program(clients[at])?);
                command.args(server.arguments()).args(race.plan);
                command.args(["--requests", &requests.to_string()]);
                let before = server.cpu_ns();
                readings[at].push(run(command)?);
                servers[at].push(server.cpu_ns() - before);
            }
        }
        println!("{}: {requests} requests, median of {rounds} rounds.\n", race.title);
        match race.kind {
            Kind::Bulk(bytes) | Kind::TlsBulk(bytes) => {
                print_bulk(&clients, &readings, &servers, bytes * requests)
            }
            _ => print(&clients, &readings, requests),
        }
    }
    Ok(())
}

/// The cost of a request by the number of hosts that are used in turn, each over its own
/// connection.
fn hosts(clients: &[&str], rounds: usize, core: Option<usize>, server: &Server) -> Outcome {
    let clients: Vec<_> = clients.iter().copied().filter(|client| has_hosts(client)).collect();
    let mut cpu = vec![vec![Vec::new(); HOSTS.len()]; clients.len()];
    for round in 0..rounds {
        for turn in 0..clients.len() {
            let at = (round + turn) % clients.len();
            for (cpu, hosts) in cpu[at].iter_mut().zip(HOSTS) {
                let mut command = on_core(core, program(clients[at])?);
                command.args(server.arguments()).args(["--hosts", &hosts.to_string()]);
                command.args(["--requests", &HOSTS_REQUESTS.to_string()]);
                cpu.push(run(command)?.cpu_ns as f64 / HOSTS_REQUESTS as f64 / 1000.0);
            }
        }
    }
    println!(
        "GET of 13 bytes, hosts in turn: {HOSTS_REQUESTS} requests, median of {rounds} rounds, CPU µs.\n"
    );
    let names = HOSTS.map(|hosts| if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") });
    let mut head = vec!["client"];
    head.extend(names.iter().map(String::as_str));
    head.push("last / first");
    let mut table = Table::new(&head);
    for (client, cpu) in clients.iter().zip(&cpu) {
        let mut row = vec![(*client).to_owned()];
        row.extend(cpu.iter().map(|cpu| format!("{:.2}", median(cpu.clone()))));
        let ratios = cpu[HOSTS.len() - 1].iter().zip(&cpu[0]).map(|(last, first)| last / first);
        row.push(format!("{:.2}", median(ratios.collect())));
        table.row(row);
    }
    table.print();
    Ok(())
}

fn print(clients: &[&str], readings: &[Vec<Reading>], requests: usize) {
    let peer = clients.iter().position(|client| *client == "reqwest");
    // The ratio is taken within each round, because both ran under nearly equal conditions.
    let ratio = |at: usize| -> Option<f64> {
        let pairs = readings[peer?].iter().zip(&readings[at]);
        Some(median(pairs.map(|(peer, own)| peer.cpu_ns as f64 / own.cpu_ns as f64).collect()))
    };
    let ratios: Vec<_> = (0..clients.len()).map(ratio).collect();
    let mut table =
        Table::new(&["client", "CPU µs a request", "least", "most", "reqwest / this", "requests a second"]);
    for (at, client) in clients.iter().enumerate() {
        let each = |total: u64| total as f64 / requests as f64 / 1000.0;
        let mut cpu: Vec<f64> = readings[at].iter().map(|reading| each(reading.cpu_ns)).collect();
        cpu.sort_by(f64::total_cmp);
        let wall = median(readings[at].iter().map(|reading| each(reading.wall_ns)).collect());
        table.row(vec![
            (*client).to_owned(),
            format!("{:.2}", median(cpu.clone())),
            format!("{:.2}", cpu.first().copied().unwrap_or_default()),
            format!("{:.2}", cpu.last().copied().unwrap_or_default()),
            ratios[at].map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            format!("{:.0}", 1e6 / wall),
        ]);
    }
    table.print();
}

/// The cost of a GiB for client and server, and the rate of one otherwise idle core. Which of the
/// two processes the kernel charges for moving a byte differs from program to program. Their sum
/// does not.
fn print_bulk(clients: &[&str], readings: &[Vec<Reading>], servers: &[Vec<u64>], bytes: usize) {
    let cost = |at: usize| -> Vec<f64> {
        readings[at].iter().zip(&servers[at]).map(|(own, server)| (own.cpu_ns + server) as f64).collect()
    };
    let of = |peer: &str, at: usize| {
        let peer = clients.iter().position(|client| *client == peer)?;
        let ratio = median(cost(peer).iter().zip(cost(at)).map(|(peer, own)| peer / own).collect());
        Some(format!("{ratio:.2}"))
    };
    let mut table = Table::new(&[
        "client",
        "CPU ms a GiB",
        "server's",
        "MiB a second",
        "rate / raw's",
        "rate / reqwest's",
        "CPU of reqwest / of this",
    ]);
    let gib = bytes as f64 / GIB as f64;
    for (at, client) in clients.iter().enumerate() {
        let raw = if is_concurrent(client) || !clients.contains(&"raw-blocking") {
            "raw-tokio"
        } else {
            "raw-blocking"
        };
        let own = |reading: &Reading| reading.cpu_ns as f64;
        let ms = |ns: Vec<f64>| format!("{:.0}", median(ns) / 1e6 / gib);
        let peer = clients.iter().position(|client| *client == "reqwest");
        let cpu = peer.map(|peer| {
            let pairs = readings[peer].iter().zip(&readings[at]);
            format!("{:.2}", median(pairs.map(|(peer, this)| own(peer) / own(this)).collect()))
        });
        table.row(vec![
            (*client).to_owned(),
            ms(readings[at].iter().map(own).collect()),
            ms(servers[at].iter().map(|ns| *ns as f64).collect()),
            format!("{:.0}", gib * 1024.0 * 1e9 / median(cost(at))),
            of(raw, at).unwrap_or_default(),
            of("reqwest", at).unwrap_or_default(),
            cpu.unwrap_or_default(),
        ]);
    }
    table.print();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
