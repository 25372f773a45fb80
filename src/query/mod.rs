//! Questions to given RBAC that need no log: who may do something, and what somebody may.
//! A log adds when it was last done. Objects come in, answers go out; nothing is printed.

mod last_use;
mod lookup;
mod question;
mod who_can;

pub use last_use::LastUse;
pub use lookup::{Held, Looked, Principal, SubjectKind, lookup};
pub use question::{Asked, Question, QuestionError, Typed};
pub use who_can::{Answer, Holder, who_can};
