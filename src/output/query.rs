//! The answers of `who-can` and `lookup`, as tables and as JSON.

use k8s_openapi::api::rbac::v1::{PolicyRule, Subject};
use serde::Serialize;

use super::escape::visible;
use super::scalars::json;
use super::summary::text;
use super::summary_text::{BOLD, RESET, second};
use super::tables::columns;
use crate::query::{Answer, Held, Holder, LastUse, Looked};
use crate::rbac::{Binding, ObjectId, rule_text};

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum QueryFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Who may do something.
///
/// # Errors
/// Where a serializer fails, which nothing here gives it cause to.
pub fn who_can_text(answer: &Answer<'_>, format: QueryFormat) -> serde_json::Result<String> {
    let holders: Vec<HolderSummary> = answer.holders.iter().map(HolderSummary::new).collect();
    match format {
        QueryFormat::Json => json(&WhoCanSummary { schema: 1, holders, by_name: answer.by_name }),
        QueryFormat::Table if holders.is_empty() => Ok("nobody\n".to_owned()),
        QueryFormat::Table => Ok(who_can_table(&holders)),
    }
}

#[derive(Serialize)]
struct WhoCanSummary {
    schema: u32,
    holders: Vec<HolderSummary>,
    /// How many may for some names only, where none was asked for.
    by_name: usize,
}

#[derive(Serialize)]
struct HolderSummary {
    subject: SubjectSummary,
    /// Where: a namespace, or empty for the whole cluster.
    namespace: String,
    binding: ObjectSummary,
    role: ObjectSummary,
    /// The object that the rule is written in: the role, or one that it aggregates.
    rule_of: ObjectSummary,
    /// The rule's place in it, from 0.
    rule_index: usize,
    rule: PolicyRule,
    /// IAM identities that the subject is, by ARN.
    iam: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use: Option<LastUseSummary>,
}

#[derive(Serialize)]
struct SubjectSummary {
    kind: String,
    name: String,
    namespace: Option<String>,
}

#[derive(Serialize)]
struct ObjectSummary {
    kind: String,
    name: String,
    namespace: Option<String>,
}

#[derive(Serialize)]
struct LastUseSummary {
    requests: u64,
    last: Option<String>,
    by: Vec<String>,
}

impl SubjectSummary {
    fn new(binding: &Binding<'_>, subject: &Subject) -> Self {
        let namespace = (subject.kind == "ServiceAccount")
            .then(|| binding.service_account_namespace(subject).to_owned());
        Self { kind: subject.kind.clone(), name: subject.name.clone(), namespace }
    }

    /// `ServiceAccount shop:reader`.
    fn words(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}:{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

impl ObjectSummary {
    fn new(id: &ObjectId) -> Self {
        let namespace = Some(id.namespace.clone()).filter(|namespace| !namespace.is_empty());
        Self { kind: id.kind.as_str().to_owned(), name: id.name.clone(), namespace }
    }

    fn role_of(binding: &Binding<'_>) -> Self {
        match binding.role_id() {
            Some(id) => Self::new(&id),
            None => Self {
                kind: binding.role_ref.kind.clone(),
                name: binding.role_ref.name.clone(),
                namespace: None,
            },
        }
    }

    fn words(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

impl LastUseSummary {
    fn new(used: &LastUse) -> Self {
        Self {
            requests: used.requests,
            last: text(used.last),
            by: used.by.iter().cloned().collect(),
        }
    }

    fn words(used: Option<&Self>) -> String {
        match used {
            None => String::new(),
            Some(Self { requests: 0, .. }) => "not in this log".to_owned(),
            Some(Self { last: Some(last), .. }) => second(last),
            Some(Self { requests, .. }) => format!("{requests} requests"),
        }
    }
}

impl HolderSummary {
    fn new(holder: &Holder<'_>) -> Self {
        let grant = &holder.grant;
        Self {
            subject: SubjectSummary::new(&grant.binding, holder.subject),
            namespace: grant.namespace().to_owned(),
            binding: ObjectSummary::new(grant.binding.id),
            role: ObjectSummary::role_of(&grant.binding),
            rule_of: ObjectSummary::new(grant.holder),
            rule_index: grant.rule_index,
            rule: grant.rule.clone(),
            iam: holder.members.iter().map(|&arn| arn.to_owned()).collect(),
            last_use: holder.last_use.as_ref().map(LastUseSummary::new),
        }
    }
}

fn who_can_table(holders: &[HolderSummary]) -> String {
    let with_log = holders.iter().any(|holder| holder.last_use.is_some());
    let subject = |holder: &HolderSummary| match holder.iam.as_slice() {
        [] => holder.subject.words(),
        [arn] => format!("{} ({arn})", holder.subject.words()),
        [arn, more @ ..] => format!("{} ({arn} and {} more)", holder.subject.words(), more.len()),
    };
    let rule = |holder: &HolderSummary| {
        let (number, role) = (holder.rule_index + 1, holder.role.words());
        let of = match &holder.rule_of.name {
            of if *of == holder.role.name => String::new(),
            of => format!(" of {of}"),
        };
        format!("{role}, rule {number}{of}: {}", rule_text(&holder.rule))
    };
    if with_log {
        let rows: Vec<[String; 5]> = holders
            .iter()
            .map(|holder| {
                [
                    subject(holder),
                    scope(&holder.namespace),
                    holder.binding.words(),
                    LastUseSummary::words(holder.last_use.as_ref()),
                    rule(holder),
                ]
            })
            .collect();
        return columns(["SUBJECT", "SCOPE", "BINDING", "LAST USED", "ROLE AND RULE"], &rows);
    }
    let rows: Vec<[String; 4]> = holders
        .iter()
        .map(|holder| {
            [subject(holder), scope(&holder.namespace), holder.binding.words(), rule(holder)]
        })
        .collect();
    columns(["SUBJECT", "SCOPE", "BINDING", "ROLE AND RULE"], &rows)
}

fn scope(namespace: &str) -> String {
    match namespace {
        "" => "whole cluster".to_owned(),
        namespace => namespace.to_owned(),
    }
}

/// What somebody may do.
///
/// # Errors
/// Where a serializer fails, which nothing here gives it cause to.
pub fn lookup_text(looked: &[Looked<'_>], format: QueryFormat) -> serde_json::Result<String> {
    let subjects: Vec<LookedSummary> = looked.iter().map(LookedSummary::new).collect();
    match format {
        QueryFormat::Json => json(&LookupSummary { schema: 1, subjects }),
        QueryFormat::Table if subjects.is_empty() => Ok("nobody of that name\n".to_owned()),
        QueryFormat::Table => {
            Ok(subjects.iter().map(LookedSummary::table).collect::<Vec<_>>().join("\n"))
        }
    }
}

#[derive(Serialize)]
struct LookupSummary {
    schema: u32,
    subjects: Vec<LookedSummary>,
}

#[derive(Serialize)]
struct LookedSummary {
    /// `user`, `group`, `service account` or `IAM identity`, and its name.
    subject: String,
    groups: Vec<String>,
    held: Vec<HeldSummary>,
}

#[derive(Serialize)]
struct HeldSummary {
    /// Where: a namespace, or empty for the whole cluster.
    namespace: String,
    binding: ObjectSummary,
    role: ObjectSummary,
    /// The subject of the binding that it is: itself, or a group.
    through: SubjectSummary,
    rules: Vec<RuleSummary>,
    /// Why the role cannot be looked into.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use: Option<LastUseSummary>,
}

#[derive(Serialize)]
struct RuleSummary {
    /// The object that the rule is written in.
    of: ObjectSummary,
    rule: PolicyRule,
}

impl LookedSummary {
    fn new(looked: &Looked<'_>) -> Self {
        Self {
            subject: looked.principal.to_string(),
            groups: looked.groups.clone(),
            held: looked.held.iter().map(HeldSummary::new).collect(),
        }
    }

    fn table(&self) -> String {
        let mut lines = vec![format!("{BOLD}{}{RESET}", visible(&self.subject))];
        if self.held.is_empty() {
            lines.push("  holds nothing here".to_owned());
        }
        for held in &self.held {
            lines.push(format!("  {}", visible(&held.words())));
            let rules = held.rules.iter().map(|rule| rule_text(&rule.rule));
            lines.extend(rules.map(|rule| format!("    {}", visible(&rule))));
            let missing = held.missing.iter();
            lines.extend(missing.map(|it| format!("    grants nothing: {}", visible(it))));
        }
        lines.join("\n") + "\n"
    }
}

impl HeldSummary {
    fn new(held: &Held<'_>) -> Self {
        let rule = |&(holder, rule): &(&ObjectId, &PolicyRule)| RuleSummary {
            of: ObjectSummary::new(holder),
            rule: rule.clone(),
        };
        Self {
            namespace: held.binding.id.namespace.clone(),
            binding: ObjectSummary::new(held.binding.id),
            role: ObjectSummary::role_of(&held.binding),
            through: SubjectSummary::new(&held.binding, held.subject),
            rules: held.rules.iter().map(rule).collect(),
            missing: held.missing.map(ToString::to_string),
            last_use: held.last_use.as_ref().map(LastUseSummary::new),
        }
    }

    /// `in shop: Role reader, by RoleBinding reader to Group devs, last used ...`.
    fn words(&self) -> String {
        let place = match self.namespace.as_str() {
            "" => "in the whole cluster".to_owned(),
            namespace => format!("in namespace {namespace}"),
        };
        let mut words = format!(
            "{place}: {} by {} to {}",
            self.role.words(),
            self.binding.words(),
            self.through.words()
        );
        if let Some(used) = &self.last_use {
            let last = LastUseSummary::words(Some(used));
            let verb = if used.requests > 0 { ", last used " } else { ", use " };
            words.push_str(verb);
            words.push_str(&last);
        }
        words
    }
}
