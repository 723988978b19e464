//! Progress bars on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quantizer::Progress;

/// Shows stages on standard error: a bar with rate and remaining time on a
/// terminal, one line per finished stage otherwise.
#[derive(Debug)]
pub struct TerminalProgress {
    quiet: bool,
    bar: Mutex<Stage>,
}

#[derive(Debug)]
struct Stage {
    bar: ProgressBar,
    name: String,
    started: Instant,
    total: usize,
}

impl TerminalProgress {
    /// `quiet` shows nothing.
    pub fn new(quiet: bool) -> Self {
        let stage = Stage { bar: ProgressBar::hidden(), name: String::new(), started: Instant::now(), total: 0 };
        Self { quiet, bar: Mutex::new(stage) }
    }

    /// The current stage; a thread that panicked while holding it does no harm.
    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Progress for TerminalProgress {
    fn start(&self, stage: &str, total: usize) {
        let hidden = self.quiet || !std::io::stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let style = ProgressStyle::with_template("{msg:22} {bar:30} {pos}/{len}  {per_sec}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(stage.to_owned());
        *self.stage() = Stage { bar, name: stage.to_owned(), started: Instant::now(), total };
    }

    fn step(&self) {
        self.stage().bar.inc(1);
    }

    fn finish(&self) {
        let stage = self.stage();
        let is_done = stage.bar.position() == stage.total as u64;
        stage.bar.finish_and_clear();
        if is_done && !self.quiet {
            let seconds = stage.started.elapsed().as_secs_f64();
            let rate = stage.total as f64 / seconds.max(1e-9);
            // Progress is a courtesy: a closed standard error is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{:22} {:>6} in {seconds:.2} s ({rate:.1}/s)", stage.name, stage.total);
        }
    }
}
