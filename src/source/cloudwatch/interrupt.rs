//! Ctrl-C: nothing half done stays behind, and the caller decides how to leave.

use std::io;
use std::thread;

use super::save::Scraps;

/// Waits on a thread of its own for the first Ctrl-C, for as long as the process
/// lives: once a handler is there the system's own behaviour does not come back.
pub(super) fn watch(scraps: Scraps, interrupted: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let wait = move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            scraps.remove();
            interrupted();
        }
    };
    thread::Builder::new().name("interrupt".into()).spawn(wait).map(drop)
}
