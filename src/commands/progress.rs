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

/// A bar that follows some counters until it is dropped.
pub(super) struct Progress {
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Draws how many bytes were read of how many.
    pub(super) fn of_bytes(wanted: bool, counters: &Arc<Counters>) -> Self {
        let seen = Arc::clone(counters);
        let template = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        Self::start(wanted, template, move |bar| {
            bar.set_length(seen.total.load(Relaxed));
            bar.set_position(seen.done.load(Relaxed));
        })
    }

    /// Starts drawing, if anyone is there to see it.
    pub(super) fn start(
        wanted: bool,
        template: &str,
        update: impl Fn(&ProgressBar) + Send + 'static,
    ) -> Self {
        let bar = ProgressBar::no_length().with_style(style(template));
        let drawing = (wanted && stderr().is_terminal()).then(|| {
            let (stop, stopped) = channel::<()>();
            let draw = move || {
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    update(&bar);
                }
                bar.finish_and_clear();
            };
            (stop, thread::spawn(draw))
        });
        Self { drawing }
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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
