//! What `check` and `tighten` have in common: from flags to RBAC beside the usage of a log.

use super::{given, log};
use crate::cli::Comparing;
use crate::decode::Tally;
use crate::eks::Principal;
use crate::output::ReadSummary;
use crate::policy::{self, Options, Plan};
use crate::rbac::manifests::Loaded;
use crate::rbac::{Evaluator, Objects};
use crate::review::{Parties, Review};
use crate::usage::{Selection, Usage};

/// Given RBAC and what a log says.
pub(super) struct Compared {
    pub(super) loaded: Loaded,
    pub(super) usage: Usage,
    pub(super) tally: Tally,
    pub(super) plan: Plan,
    mapping: Vec<Principal>,
    selection: Selection,
    options: Options,
}

impl Compared {
    /// Reads both.
    pub(super) fn read(flags: &Comparing, quiet: bool) -> anyhow::Result<Self> {
        let loaded = given::load(&flags.given)?;
        let mapping = given::mapping(&flags.mapping)?;
        let selection = log::selection(&flags.selection);
        let mut options = log::options(&flags.judging)?;
        options.keep_default_grants = true;
        let (usage, tally) = log::Log {
            source: log::Source::of(&flags.input, &flags.selection)?,
            reading: &flags.input.reading,
            selection: selection.clone(),
            settings: log::settings(&flags.judging),
            quiet,
        }
        .read()?;
        let plan = policy::plan(&usage, &options);
        log::check_plan(&plan)?;
        Ok(Self { loaded, usage, tally, plan, mapping, selection, options })
    }

    /// Holds them against each other. `work` also gets the objects with the built-in roles.
    pub(super) fn reviewed<T>(&self, work: impl FnOnce(&Review<'_>, &Objects) -> T) -> T {
        let all = self.loaded.with_builtin_roles();
        let evaluator = Evaluator::new(&all);
        let parties = Parties::new(&self.plan, &self.selection, &self.mapping);
        let policy = self.options.audit_policy();
        let review = Review::new(&self.loaded.objects, &evaluator, parties, &self.usage, policy);
        work(&review, &all)
    }

    /// What was read.
    pub(super) fn summary(&self) -> ReadSummary {
        ReadSummary::new(&self.tally, &self.usage, &self.plan)
    }

    /// Whether `--strict` fails: something of the log could not be used.
    pub(super) fn is_unread(&self, flags: &Comparing) -> bool {
        flags.input.strict && !self.tally.problems().is_empty()
    }
}
