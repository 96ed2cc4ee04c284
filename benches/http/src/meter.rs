//! The cost of a run for its own process.

use std::fmt;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;
use crate::heap::{self, Heap};
use crate::plan::Plan;

/// A measurement that is running.
pub struct Meter {
    wall: Instant,
    cpu: Duration,
    heap: Heap,
}

/// The results of a measurement: one line of `name=value`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// CPU time of the process, in user and system mode, over all threads, in nanoseconds.
    pub cpu_ns: u64,
    /// Elapsed time, in nanoseconds.
    pub wall_ns: u64,
    /// Calls of the allocator.
    pub heap_calls: u64,
    /// Bytes allocated.
    pub heap_bytes: u64,
    /// Growth of the bytes that are not freed.
    pub live: i64,
    /// The most bytes of the heap that were live at once, with those from before the start.
    pub peak: i64,
    /// The peak of the resident memory of the process in bytes, with code and stack.
    pub resident: u64,
}

impl Meter {
    /// Starts measuring.
    pub fn start(plan: &Plan) -> Self {
        if plan.heap {
            heap::count();
            heap::rest();
        }
        Self { heap: heap::counted(), wall: Instant::now(), cpu: cpu() }
    }

    /// The cost so far.
    pub fn read(&self) -> Reading {
        let (cpu, wall, heap) = (cpu() - self.cpu, self.wall.elapsed(), heap::counted());
        // No run takes centuries.
        Reading {
            cpu_ns: cpu.as_nanos() as u64,
            wall_ns: wall.as_nanos() as u64,
            heap_calls: heap.calls - self.heap.calls,
            heap_bytes: heap.bytes - self.heap.bytes,
            live: heap.live - self.heap.live,
            peak: heap.peak,
            resident: resident(),
        }
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The peak recorded by the system. 0 if it records none.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let most = most.and_then(|most| most.trim().strip_suffix(" kB"));
    most.and_then(|most| most.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu_ns, wall_ns, heap_calls, heap_bytes, live, peak, resident } = self;
        write!(
            f,
            "cpu_ns={cpu_ns} wall_ns={wall_ns} heap_calls={heap_calls} heap_bytes={heap_bytes} live={live} \
             peak={peak} resident={resident}"
        )
    }
}

impl Reading {
    /// Parses the line that a client has printed.
    ///
    /// # Errors
    ///
    /// If the line has another form.
    pub fn parse(line: &str) -> Outcome<Self> {
        let mut reading = Self::default();
        for pair in line.split_whitespace() {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("no reading: {line}"))?;
            match name {
                "cpu_ns" => reading.cpu_ns = value.parse()?,
                "wall_ns" => reading.wall_ns = value.parse()?,
                "heap_calls" => reading.heap_calls = value.parse()?,
                "heap_bytes" => reading.heap_bytes = value.parse()?,
                "live" => reading.live = value.parse()?,
                "peak" => reading.peak = value.parse()?,
                "resident" => reading.resident = value.parse()?,
                _ => return Err(format!("no reading: {line}").into()),
            }
        }
        Ok(reading)
    }
}
