//! Who may do something.

use k8s_openapi::api::rbac::v1::Subject;

use super::{LastUse, Question};
use crate::eks::Principal;
use crate::rbac::{Evaluator, Grant, Requester};
use crate::review::Parties;

/// The answer to a question.
#[derive(Debug, Default)]
pub struct Answer<'a> {
    /// Who may, and by which rule; once for every rule that gives it.
    pub holders: Vec<Holder<'a>>,
    /// How many may by name, where none was asked for.
    pub by_name: usize,
}

/// Somebody who may, and why.
#[derive(Debug)]
pub struct Holder<'a> {
    /// The subject of the binding.
    pub subject: &'a Subject,
    /// The binding, the role and the rule.
    pub grant: Grant<'a>,
    /// IAM identities that the subject is, by ARN.
    pub members: Vec<&'a str>,
    /// What the log says; nothing without a log.
    pub last_use: Option<LastUse>,
}

/// Everybody who may, in the order of the bindings; with `requester`, only by what reaches it.
pub fn who_can<'a>(
    question: &Question,
    evaluator: &'a Evaluator<'a>,
    mapping: &'a [Principal],
    requester: Option<&Requester>,
    parties: Option<&Parties<'_>>,
) -> Answer<'a> {
    let mut answer = Answer::default();
    for grant in evaluator.grants() {
        let binding = grant.binding;
        let is_meant =
            |subject: &&Subject| requester.is_none_or(|who| binding.reaches(subject, who));
        let subjects = || binding.subjects.iter().filter(is_meant);
        if question.is_allowed_by(&grant) {
            answer.holders.extend(subjects().map(|subject| Holder {
                subject,
                grant,
                members: members(subject, mapping),
                last_use: parties.map(|parties| last_use(question, &grant, subject, parties)),
            }));
        } else if question.is_allowed_by_name(&grant) {
            answer.by_name += subjects().count();
        }
    }
    answer
}

fn members<'a>(subject: &Subject, mapping: &'a [Principal]) -> Vec<&'a str> {
    let is_member = |principal: &&Principal| match subject.kind.as_str() {
        "Group" => principal.groups.contains(&subject.name),
        "User" => principal.username == subject.name,
        _ => false,
    };
    mapping.iter().filter(is_member).map(|principal| principal.arn.as_str()).collect()
}

fn last_use(
    question: &Question,
    grant: &Grant<'_>,
    subject: &Subject,
    parties: &Parties<'_>,
) -> LastUse {
    let mut used = LastUse::default();
    for member in parties.members(&grant.binding, subject) {
        let party = &parties.all()[member];
        used.add(party, |need| question.is_answered_by(need) && grant.allows(need));
    }
    used
}
