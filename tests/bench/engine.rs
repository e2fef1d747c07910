//! What one decision costs, by what a policy asks and how much of it there is.
//!
//! `cargo bench --bench engine` measures time with criterion. `tests/bench/instructions` runs the same
//! cases under callgrind, by `--times COUNT CASE`.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::pedantic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a benchmark fails by panicking"
)]

mod engine_cases;

use criterion::Criterion;
use engine_cases::{Case, cases};
use std::hint::black_box;
use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--list", ..] => cases().for_each(|case| println!("{}", case.name)),
        ["--times", count, name] => {
            let case = cases().find(|case| case.name == *name).expect("a case of `--list`");
            let mut decide = (case.prepare)();
            // What is read for the first time is read before.
            decide();
            measured(count.parse().expect("a number"), &mut *decide);
        }
        _ => timed(cases()),
    }
}

/// The function that callgrind looks at.
#[inline(never)]
fn measured(count: u64, decide: &mut dyn FnMut() -> usize) {
    for _ in 0..count {
        black_box(decide());
    }
}

fn timed(cases: impl Iterator<Item = Case>) {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .without_plots()
        .configure_from_args();
    for case in cases {
        let mut decide = None;
        criterion.bench_function(case.name, |bencher| {
            bencher.iter(decide.get_or_insert_with(case.prepare));
        });
    }
    criterion.final_summary();
}
