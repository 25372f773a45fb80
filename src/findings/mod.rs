//! What is worth a reviewer's eye in given RBAC: needs that it does not cover, rights that
//! were not used or are wider than what was, rights that are dangerous, and objects that
//! are not what they seem. Findings are values; printing them is for others.

mod baseline;
mod code;
mod coverage;
mod finding;
mod gate;
mod objects;
mod outside;
mod risk_table;
mod risks;
mod text;
mod unused;
mod wide;

use std::collections::BTreeSet;

use crate::rbac::Objects;
use crate::rbac::manifests::Loaded;
use crate::review::Review;

pub use baseline::{Accepted, Baseline, BaselineError};
pub use code::{Code, Severity};
pub use coverage::is_concerned;
pub use finding::{Finding, Item, Key};
pub use gate::FailOn;

/// All findings of a review, in the order of their codes and objects.
///
/// `all` are the given objects together with the built-in roles.
pub fn findings(review: &Review<'_>, loaded: &Loaded, all: &Objects) -> Vec<Finding> {
    let mut found = objects::findings(loaded);
    found.extend(coverage::findings(review, loaded));
    let roles = review.roles(&loaded.objects, all, &BTreeSet::new());
    found.extend(unused::findings(review, loaded, &roles));
    found.extend(wide::findings(review, &roles));
    found.extend(outside::findings(review, loaded));
    found.extend(risks::findings(review));
    for finding in &mut found {
        finding.locate(loaded);
    }
    found.sort_by_key(Finding::key);
    found
}
