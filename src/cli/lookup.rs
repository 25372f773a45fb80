//! Flags of `lookup`.

use clap::Args;

use super::Query;
use crate::query::SubjectKind;

/// Flags of `lookup`.
#[derive(Args, Debug)]
pub(crate) struct Lookup {
    /// Whom to look for
    #[arg(value_name = "SUBJECT")]
    pub(crate) subject: String,

    #[command(flatten)]
    pub(crate) query: Query,

    /// Only subjects of this kind
    #[arg(short, long, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<SubjectKind>,

    /// Take the subject to be in this group as well; repeatable
    #[arg(long, value_name = "GROUP")]
    pub(crate) as_group: Vec<String>,
}
