//! The progress bar, on a terminal only.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::source::Progress as Counters;

/// How often the bar looks at the counters.
const INTERVAL: Duration = Duration::from_millis(100);

/// A bar that follows the reader until it is dropped.
pub(super) struct Progress {
    counters: Arc<Counters>,
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts drawing, if anyone is there to see it.
    pub(super) fn start(wanted: bool) -> Self {
        let counters = Arc::new(Counters::default());
        let drawing = (wanted && stderr().is_terminal()).then(|| {
            let (stop, stopped) = channel::<()>();
            let seen = Arc::clone(&counters);
            let draw = move || {
                let bar = bar();
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    bar.set_length(seen.total.load(Relaxed));
                    bar.set_position(seen.done.load(Relaxed));
                }
                bar.finish_and_clear();
            };
            (stop, thread::spawn(draw))
        });
        Self { counters, drawing }
    }

    /// What the reader counts into.
    pub(super) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.drawing.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

fn bar() -> ProgressBar {
    let template = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template);
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
