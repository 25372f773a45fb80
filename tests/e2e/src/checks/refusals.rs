//! Compares two runs of programs that act by themselves, by what they were refused and what
//! did not come to pass.

use std::collections::BTreeSet;

use leastrole::audit::{Event, request};
use leastrole::rbac::Atom;

use super::Outcome;
use super::advice::Advice;
use super::outcome::{NEWLY_ALLOWED, NEWLY_REFUSED};
use super::two_runs::Run;

/// What was not done in time.
pub(super) type Missed = Vec<&'static str>;

/// Who was refused what; names are left out, as many are generated.
type Refusal = (String, String);

/// Whoever was refused something in the second run must have been in the first. `advised`
/// names what may be missed in the second where advice with that code was given.
pub(super) fn compare(
    first: &Run<Missed>,
    second: &Run<Missed>,
    advised: &[(&str, &str)],
    mut advice: Advice,
    outcome: &mut Outcome,
) {
    outcome.add(NEWLY_REFUSED, 0);
    outcome.add(NEWLY_ALLOWED, 0);
    for missed in &first.seen {
        outcome.disagree(format!("not done in the first run: {missed}"));
    }
    let before = refusals(&first.log).map(|(refusal, _)| refusal).collect::<BTreeSet<_>>();
    let mut after = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for (refusal, line) in refusals(&second.log) {
        let (user, what) = &refusal;
        if before.contains(&refusal) || after.contains(&refusal) {
        } else if let Some(code) = advice.take(line) {
            outcome.add(&format!("newly refused as advised ({code})"), 1);
            taken.insert(code);
        } else {
            outcome.disagree_in(NEWLY_REFUSED, &format!("{user}: {what}"));
        }
        after.insert(refusal);
    }
    for missed in &second.seen {
        if advised.iter().any(|(what, code)| what == missed && taken.contains(*code)) {
            outcome.add("no longer done, as advised", 1);
        } else {
            outcome.disagree(format!("no longer done: {missed}"));
        }
    }
    outcome.count("events of the first run", first.log.len());
    outcome.count("events of the second run", second.log.len());
    outcome.count("refused in both runs", before.intersection(&after).count());
    for (user, what) in before.difference(&after) {
        outcome.disagree_in(NEWLY_ALLOWED, &format!("{user}: {what}"));
    }
}

fn refusals(log: &[String]) -> impl Iterator<Item = (Refusal, &String)> {
    log.iter().filter(|line| line.contains(r#""code":403"#)).filter_map(|line| {
        let event = Event::parse(line).ok()?;
        let mut atom = request(&event).ok()?;
        if let Atom::Resource(atom) = &mut atom {
            atom.name = "".into();
        }
        Some(((event.user.username.to_string(), atom.to_string()), line))
    })
}
