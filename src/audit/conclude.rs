//! From one event to its conclusions: was it authorized, what was asked, and what that proves.

use super::checks;
use super::{
    Advice, AdviceCode, Basis, Conclusion, Event, MalformedUri, Outcome, Stage, Who, request,
};
use crate::rbac::{Atom, Unsayable};

/// What a reading of events depends on besides the events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The cluster runs the admission plugin `OwnerReferencesPermissionEnforcement`,
    /// which is off by default and on EKS.
    pub enforce_owner_references: bool,
}

/// Where conclusions go.
pub(super) struct Conclusions<'c> {
    emit: &'c mut dyn FnMut(Conclusion),
}

impl Conclusions<'_> {
    /// A need, or advice where no rule can say it.
    pub(super) fn need(&mut self, who: Who, atom: impl Into<Atom>, basis: Basis) {
        let atom = atom.into();
        let code = match atom.unsayable() {
            None => return (self.emit)(Conclusion::Need { who, atom, basis }),
            Some(Unsayable::NoVerb) => AdviceCode::EmptyVerb,
            Some(Unsayable::LiteralWildcard) => AdviceCode::LiteralWildcard,
            Some(Unsayable::ImpossibleNamespace) => AdviceCode::ImpossibleNamespace,
        };
        self.advise_on(who, code, &atom.to_string(), vec![]);
    }

    /// Advice to the subject about the request `about`.
    pub(super) fn advise(&mut self, code: AdviceCode, about: &Atom, wanted: Vec<Atom>) {
        self.advise_on(Who::Subject, code, &about.to_string(), wanted);
    }

    pub(super) fn advise_on(&mut self, who: Who, code: AdviceCode, about: &str, wanted: Vec<Atom>) {
        (self.emit)(Conclusion::Advice(who, Advice { code, about: about.into(), wanted }));
    }

    pub(super) fn note(&mut self, conclusion: Conclusion) {
        (self.emit)(conclusion);
    }
}

/// What the bodies of an event are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyUse {
    /// Nothing.
    None,
    /// Needs of whoever was authorized.
    Subject,
    /// Needs of others as well.
    Others,
}

/// What an event says before anything is concluded from it.
#[derive(Debug)]
pub struct Reading {
    /// How far the request had come.
    pub stage: Stage,
    /// What became of it.
    pub outcome: Outcome,
    /// What the authorizer was asked.
    pub request: Result<Atom, MalformedUri>,
}

impl Reading {
    /// Reads an event.
    pub fn of(event: &Event<'_>) -> Self {
        Self { stage: Stage::of(event), outcome: Outcome::of(event), request: request(event) }
    }

    /// What [`conclude`] looks for in the event's bodies.
    pub fn body_use(&self, settings: Settings) -> BodyUse {
        match &self.request {
            Ok(Atom::Resource(request)) if matches!(self.outcome, Outcome::Allowed { .. }) => {
                checks::body_use(request, settings.enforce_owner_references)
            }
            _ => BodyUse::None,
        }
    }

    /// Whether no rule can say what was asked, and no more.
    pub fn is_inexpressible(&self) -> bool {
        self.request.as_ref().map_or(true, |atom| atom.unsayable().is_some())
    }
}

/// Draws every conclusion that the event allows, in no particular order.
///
/// An undecided event yields nothing but advice.
pub fn conclude(
    event: &Event<'_>,
    reading: &Reading,
    settings: Settings,
    emit: &mut dyn FnMut(Conclusion),
) {
    let out = &mut Conclusions { emit };
    let atom = match &reading.request {
        Ok(atom) => atom,
        Err(_) if matches!(reading.outcome, Outcome::Allowed { .. }) => {
            return out.advise_on(
                Who::Subject,
                AdviceCode::MalformedUri,
                // The query has no part in it, and callers choose it.
                event.request_uri.split('?').next().unwrap_or_default(),
                vec![],
            );
        }
        Err(_) => return,
    };
    match reading.outcome {
        Outcome::Undecided => checks::impersonation::refused(event, atom, out),
        Outcome::Denied => {
            checks::impersonation::used(event, atom, out);
            out.note(Conclusion::Denied(atom.clone()));
        }
        Outcome::Allowed { .. } => {
            checks::impersonation::used(event, atom, out);
            allowed(event, atom, settings, out);
        }
    }
}

fn allowed(event: &Event<'_>, atom: &Atom, settings: Settings, out: &mut Conclusions<'_>) {
    out.need(Who::Subject, atom.clone(), Basis::Logged);
    let Atom::Resource(resource) = atom else { return };
    checks::hidden_verbs::conclude(event, resource, out);
    checks::rbac_writes::conclude(event, resource, out);
    checks::signers::conclude(event, resource, out);
    checks::admission_policies::conclude(event, resource, out);
    checks::resource_claims::conclude(event, resource, out);
    checks::access_reviews::conclude(event, resource, out);
    if settings.enforce_owner_references {
        checks::owner_references::conclude(event, resource, out);
    }
}
