//! From an audit event to what its caller needs: the borrowed event, the request
//! the authorizer was asked about, its outcome, and the permissions it proves.

mod checks;
mod conclude;
mod conclusion;
mod event;
mod layout;
mod outcome;
mod request;
mod text;
mod uri;

pub use conclude::{BodyUse, Reading, Settings, conclude};
pub use conclusion::{Advice, AdviceCode, Basis, Conclusion, ParamKind, ParamRef, Who};
pub use event::{Annotations, Event, Extra, ObjectRef, ResponseStatus, User};
pub use layout::{Frame, Likeness, Places, Recent};
pub use outcome::{Outcome, Stage};
pub use request::{MalformedUri, request};
pub use text::Text;
