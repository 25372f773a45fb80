//! What the integration tests share: the real binary, logs made up event by event, and
//! the objects that came out.

pub(crate) mod events;
pub(crate) mod objects;
pub(crate) mod program;
pub(crate) mod schema;

use std::path::{Path, PathBuf};

/// A path below `testdata/`.
pub(crate) fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}
