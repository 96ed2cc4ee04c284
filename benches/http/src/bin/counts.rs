//! Counts the cost of a request for each client: instructions in user mode, calls of the allocator,
//! system calls, and the memory of an idle connection. Each figure is the difference of two lengths
//! of a run, so one-time costs do not count. It also measures the peak of the heap during a body of
//! 1 GiB, in each form of transfer.
//!
//! `--clients sessio-tokio,reqwest --workloads small,session --parts
//! instructions,heap,syscalls,idle,peak`
//!
//! With `--marks README.md` it counts only the figures of the marks in that file, and fails if one
//! is exceeded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bench_http::Outcome;
use bench_http::clients::{CLIENTS, Server, is_concurrent, program, run};
use bench_http::marks::{Mark, Measure};
use bench_http::options::Options;
use bench_http::table::Table;

/// The two lengths of a run, in requests.
const LENGTHS: [usize; 2] = [1000, 3000];
/// The number of idle connections.
const IDLE: usize = 1000;
/// The size of the body for the peak of the heap.
const PEAK_BYTES: usize = 1 << 30;
/// The forms of transfer, each with the arguments of its plan.
const PEAKS: [(&str, &[&str]); 4] = [
    ("down by length", &["--workload", "length"]),
    ("down in chunks of 1 KiB", &["--workload", "chunked"]),
    ("down as gzip", &["--workload", "gzip"]),
    ("up by length", &["--workload", "upload"]),
];

fn main() -> Outcome {
    let options = Options::of_program()?;
    if let Some(file) = options.text("marks") {
        return check(&std::fs::read_to_string(file)?);
    }
    let clients = options.list("clients", &CLIENTS);
    let parts = options.list("parts", &["instructions", "heap", "syscalls", "idle", "peak"]);
    let has = |part| parts.contains(&part);
    let server = Server::start(None)?;
    if has("peak") {
        peaks(&clients, &server)?;
    }
    if parts == ["peak"] {
        return Ok(());
    }
    for workload in options.list("workloads", &["small", "session"]) {
        let mut table = Table::new(&[
            "client",
            "user instructions",
            "heap calls",
            "heap bytes",
            "system calls",
            "KiB an idle connection",
            "MiB all 1,000",
        ]);
        let mut named = Vec::new();
        for client in &clients {
            let counter = Counter { client, workload, server: server.arguments() };
            let mut row = vec![(*client).to_owned(); 7];
            row[1] = shown(has("instructions"), || counter.instructions(), 0)?;
            let heap = if has("heap") { Some(counter.heap()?) } else { None };
            row[2] = heap.map_or_else(String::new, |(calls, _)| format!("{calls:.1}"));
            row[3] = heap.map_or_else(String::new, |(_, bytes)| format!("{bytes:.0}"));
            row[4].clear();
            if has("syscalls") {
                let calls = counter.syscalls()?;
                row[4] = format!("{:.2}", calls.values().sum::<f64>());
                let each = calls.iter().filter(|(_, count)| **count >= 0.005);
                let each = each.map(|(name, count)| format!("{name} {count:.2}")).collect::<Vec<_>>();
                named.push(format!("{client}: {}", each.join(", ")));
            }
            let idles = has("idle") && workload == "small" && is_concurrent(client);
            let idle = if idles { Some(counter.idle()?) } else { None };
            row[5] = idle.map_or_else(String::new, |bytes| format!("{:.2}", bytes / IDLE as f64 / 1024.0));
            row[6] = idle.map_or_else(String::new, |bytes| format!("{:.2}", bytes / 1024.0 / 1024.0));
            table.row(row);
        }
        println!("A request of the workload `{workload}`:\n");
        table.print();
        if !named.is_empty() {
            println!("System calls:\n");
            named.iter().for_each(|line| println!("- {line}"));
            println!();
        }
    }
    Ok(())
}

/// The peak of the heap during a GiB, and the peak of the process in memory.
fn peaks(clients: &[&str], server: &Server) -> Outcome {
    let head = PEAKS.iter().flat_map(|(title, _)| [(*title).to_owned(), "resident".to_owned()]);
    let head: Vec<_> = std::iter::once("client".to_owned()).chain(head).collect();
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for client in clients {
        let mut row = vec![(*client).to_owned()];
        for (_, plan) in PEAKS {
            // reqwest reads one gzip member only, and reports the others as extra bytes.
            if plan.contains(&"gzip") && !client.starts_with("sessio-") {
                row.extend([String::new(), String::new()]);
                continue;
            }
            let mut command = Command::new(program(client)?);
            command.args(server.arguments()).args(["--heap", "true"]).args(plan);
            command.args(["--warm", "0", "--requests", "1", "--bytes", &PEAK_BYTES.to_string()]);
            let reading = run(command)?;
            row.push(format!("{:.0}", reading.peak as f64 / 1024.0));
            row.push(format!("{:.0}", reading.resident as f64 / 1024.0));
        }
        table.row(row);
    }
    println!("The most of the heap that is live while 1 GiB goes by, and of the process in memory, KiB:\n");
    table.print();
    Ok(())
}

/// Counts the figures of the marks. Fails for those that are exceeded.
fn check(text: &str) -> Outcome {
    let server = Server::start(None)?;
    let mut table = Table::new(&["measure", "client", "mark", "counted", "verdict"]);
    let mut missed = 0;
    for mark in Mark::all_in(text)? {
        let workload = mark.measure.workload();
        let counter = Counter { client: &mark.client, workload, server: server.arguments() };
        let counted = match mark.measure {
            Measure::Instructions => counter.instructions()?,
            Measure::HeapCalls | Measure::HeapCallsOfRedirects => counter.heap()?.0,
            Measure::SystemCalls => counter.syscalls()?.values().sum(),
            Measure::IdleKib => counter.idle()? / IDLE as f64 / 1024.0,
        };
        let is_held = mark.holds(counted);
        missed += usize::from(!is_held);
        table.row(vec![
            mark.measure.name().to_owned(),
            mark.client.clone(),
            mark.most.to_string(),
            format!("{counted:.2}"),
            if is_held { "held" } else { "MISSED" }.to_owned(),
        ]);
    }
    table.print();
    if missed > 0 { Err(format!("{missed} marks are missed").into()) } else { Ok(()) }
}

fn shown(is_wanted: bool, count: impl FnOnce() -> Outcome<f64>, digits: usize) -> Outcome<String> {
    Ok(if is_wanted { format!("{:.digits$}", count()?) } else { String::new() })
}

struct Counter<'a> {
    client: &'a str,
    workload: &'a str,
    server: &'a [String],
}

impl Counter<'_> {
    /// The client under a tool, or by itself.
    fn command(&self, tool: &[&str], requests: usize) -> Outcome<Command> {
        let client = program(self.client)?;
        let mut command = match tool.split_first() {
            None => Command::new(client),
            Some((tool, arguments)) => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(client);
                command
            }
        };
        command.args(self.server).args(["--workload", self.workload]);
        command.args(["--requests", &requests.to_string()]);
        Ok(command)
    }

    fn instructions(&self) -> Outcome<f64> {
        let file = scratch("callgrind");
        let out = format!("--callgrind-out-file={}", file.display());
        let tool = ["valgrind", "--tool=callgrind", &out];
        let mut totals = [0.0; 2];
        for (total, length) in totals.iter_mut().zip(LENGTHS) {
            let output = self.command(&tool, length)?.stdin(Stdio::null()).output()?;
            let told = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                return Err(format!("{} under callgrind: {told}", self.client).into());
            }
            let line = told.lines().find_map(|line| line.split_once("Collected : "));
            let count = line.ok_or_else(|| format!("{}: {told}", self.client))?.1;
            *total = count.split_whitespace().next().unwrap_or_default().parse()?;
        }
        let _ = std::fs::remove_file(file);
        Ok(each(totals))
    }

    /// Calls and bytes.
    fn heap(&self) -> Outcome<(f64, f64)> {
        let (mut calls, mut bytes) = ([0.0; 2], [0.0; 2]);
        for (at, length) in LENGTHS.into_iter().enumerate() {
            let mut command = self.command(&[], length)?;
            command.args(["--heap", "true"]);
            let reading = run(command)?;
            (calls[at], bytes[at]) = (reading.heap_calls as f64, reading.heap_bytes as f64);
        }
        Ok((each(calls), each(bytes)))
    }

    /// The system calls by name.
    fn syscalls(&self) -> Outcome<BTreeMap<String, f64>> {
        let file = scratch("strace");
        let path = file.display().to_string();
        let tool = ["strace", "-f", "-c", "-o", &path];
        let mut by_name: BTreeMap<String, [f64; 2]> = BTreeMap::new();
        for (at, length) in LENGTHS.into_iter().enumerate() {
            run(self.command(&tool, length)?)?;
            for line in std::fs::read_to_string(&file)?.lines() {
                let words: Vec<_> = line.split_whitespace().collect();
                // % time, seconds, usecs/call, calls, errors if any, name
                if let (Some(calls), Some(name)) = (words.get(3), words.last())
                    && let Ok(calls) = calls.parse()
                    && *name != "total"
                {
                    by_name.entry((*name).to_owned()).or_default()[at] = calls;
                }
            }
        }
        let _ = std::fs::remove_file(file);
        Ok(by_name.into_iter().map(|(name, counts)| (name, each(counts))).collect())
    }

    /// The heap bytes of all connections.
    fn idle(&self) -> Outcome<f64> {
        let mut command = Command::new(program(self.client)?);
        command.args(self.server).args(["--workload", "idle", "--heap", "true"]);
        command.args(["--requests", &IDLE.to_string(), "--tasks", &IDLE.to_string()]);
        Ok(run(command)?.live as f64)
    }
}

fn each(totals: [f64; 2]) -> f64 {
    (totals[1] - totals[0]) / (LENGTHS[1] - LENGTHS[0]) as f64
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("sessio-bench-{name}-{}", std::process::id()))
}
