//! Runs the candidates in turn, so that other load on the machine affects all of them. The result
//! is the median of the rounds.

use std::time::{Duration, Instant};

const ROUNDS: usize = 21;
const SPAN: Duration = Duration::from_millis(4);

/// The nanoseconds of one call of each candidate.
pub fn medians<const N: usize>(mut contenders: [Box<dyn FnMut() + '_>; N]) -> [f64; N] {
    let counts: Vec<u32> = contenders.iter_mut().map(|run| calibrate(run)).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); N];
    for round in 0..ROUNDS {
        for turn in 0..N {
            let who = (round + turn) % N;
            times[who].push(time(&mut contenders[who], counts[who]) / f64::from(counts[who]));
        }
    }
    std::array::from_fn(|who| {
        times[who].sort_by(f64::total_cmp);
        times[who][ROUNDS / 2]
    })
}

/// The number of calls that take about as long as a round.
fn calibrate(run: &mut dyn FnMut()) -> u32 {
    let mut count = 1;
    loop {
        let spent = time(run, count);
        if spent > SPAN.as_nanos() as f64 || count >= 1 << 24 {
            return ((f64::from(count) * SPAN.as_nanos() as f64 / spent) as u32).max(1);
        }
        count *= 4;
    }
}

fn time(run: &mut dyn FnMut(), count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        run();
    }
    start.elapsed().as_nanos() as f64
}
