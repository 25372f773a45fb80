//! From an audit event to what its caller needs: the borrowed event, the request
//! the authorizer was asked about, its outcome, and the permissions it proves.

mod event;
mod text;

pub use event::{Annotations, Event, Extra, ObjectRef, ResponseStatus, User};
pub use text::Text;
