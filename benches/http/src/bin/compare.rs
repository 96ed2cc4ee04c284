//! Runs the clients in turn, round by round, and prints what a request costs each.
//!
//! `--rounds 5 --core 0 --clients sessio-tokio,reqwest --workloads small,conc64,session,hosts --scale 1`

use std::process::Command;

use bench_http::Outcome;
use bench_http::clients::{CLIENTS, Server, has_hosts, is_concurrent, on_core, program, run};
use bench_http::meter::Reading;
use bench_http::options::Options;
use bench_http::table::Table;

/// How many hosts the workload `hosts` has.
const HOSTS: [usize; 4] = [1, 100, 1000, 10_000];
/// How many requests it makes to all of them.
const HOSTS_REQUESTS: usize = 20_000;

/// What is compared: a name, and how it is asked for.
struct Race {
    name: &'static str,
    title: &'static str,
    /// Further arguments of the client.
    plan: &'static [&'static str],
    requests: usize,
    is_concurrent: bool,
}

const RACES: [Race; 5] = [
    Race {
        name: "small",
        title: "GET of 13 bytes, one after another",
        plan: &["--workload", "small"],
        requests: 20_000,
        is_concurrent: false,
    },
    Race {
        name: "conc64",
        title: "GET of 13 bytes, 64 tasks on one thread",
        plan: &["--workload", "small", "--tasks", "64"],
        requests: 40_000,
        is_concurrent: true,
    },
    Race {
        name: "session",
        title: "10 default headers and 20 cookies, one after another",
        plan: &["--workload", "session"],
        requests: 20_000,
        is_concurrent: false,
    },
    Race {
        name: "length",
        title: "64 MiB by length",
        plan: &["--workload", "length", "--warm", "1"],
        requests: 4,
        is_concurrent: false,
    },
    Race {
        name: "chunked",
        title: "64 MiB in chunks of 1 KiB",
        plan: &["--workload", "chunked", "--warm", "1", "--chunk", "1024"],
        requests: 4,
        is_concurrent: false,
    },
];

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
        let clients: Vec<_> =
            clients.iter().copied().filter(|client| !race.is_concurrent || is_concurrent(client)).collect();
        // A run that is scaled down still has a few requests.
        let requests = ((race.requests as f64 * scale) as usize).max(1);
        let mut readings = vec![Vec::new(); clients.len()];
        for round in 0..rounds {
            for turn in 0..clients.len() {
                let at = (round + turn) % clients.len();
                let mut command: Command = on_core(core, program(clients[at])?);
                command.args(["--server", server.authority()]).args(race.plan);
                command.args(["--requests", &requests.to_string()]);
                readings[at].push(run(command)?);
            }
        }
        println!("{}: {requests} requests, median of {rounds} rounds.\n", race.title);
        print(&clients, &mut readings, requests);
    }
    Ok(())
}

/// What a request costs by the number of hosts that are asked in turn, each over its own connection.
fn hosts(clients: &[&str], rounds: usize, core: Option<usize>, server: &Server) -> Outcome {
    let clients: Vec<_> = clients.iter().copied().filter(|client| has_hosts(client)).collect();
    let mut cpu = vec![vec![Vec::new(); HOSTS.len()]; clients.len()];
    for round in 0..rounds {
        for turn in 0..clients.len() {
            let at = (round + turn) % clients.len();
            for (cpu, hosts) in cpu[at].iter_mut().zip(HOSTS) {
                let mut command = on_core(core, program(clients[at])?);
                command.args(["--server", server.authority(), "--hosts", &hosts.to_string()]);
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

fn print(clients: &[&str], readings: &mut [Vec<Reading>], requests: usize) {
    let peer = clients.iter().position(|client| *client == "reqwest");
    // The ratio is taken within each round: both ran under the same conditions, nearly.
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
