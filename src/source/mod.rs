//! Where bytes come from.
//!
//! Paths come in; blocks of inflated bytes go out, cut where a [`Cutter`] says,
//! each with its place in its input. Nothing here knows what the bytes mean.

mod blocks;
mod buffers;
#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
mod damage;
mod gzip;
mod input;
mod paths;
mod peel;
mod zstd;

pub use blocks::{Block, Blocks, Cut, Cutter, Layout};
pub use buffers::Buffers;
pub use damage::{Damage, Flaw};
pub use input::{Input, Progress};
pub use paths::{Inputs, LogPath};
