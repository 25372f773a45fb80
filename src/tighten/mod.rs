//! Given RBAC without what was not used: the same objects, cut down, and the proof that
//! nothing needed is lost and nothing was added. A review comes in, objects go out.

mod clean;
mod cut;
mod proof;
mod split;

pub use clean::clean;
pub use cut::{Choices, Kept, Tightened, tighten};
pub use proof::{Mismatch, Proof, prove};
