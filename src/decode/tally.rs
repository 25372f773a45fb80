//! Where every record of the input went.
//!
//! Each worker keeps its own tally; they are merged once. What is kept does not
//! depend on how the input was shared out, nor on the order of merging.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::problem::{Cause, Problem, Warning};

/// Problems of one kind that are kept as examples.
const EXAMPLES: usize = 10;
/// Where Logs Insights cuts a result that sets no limit.
const INSIGHTS_ROWS: u64 = 10_000;

/// Counts of everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that were opened.
    pub files: u64,
    /// Bytes read, as stored.
    pub bytes: u64,
    /// The same bytes after decompression.
    pub inflated: u64,
    /// Audit events of any stage, salvaged ones included.
    pub audit_events: u64,
    /// Audit events of which the end is missing, but nothing that RBAC needs.
    pub salvaged: u64,
    /// Aggregated rows of a query.
    pub usage_rows: u64,
    /// Records that are something else: other log lines, control messages.
    pub not_audit: u64,
    /// Records that cannot be used.
    pub malformed: u64,
    /// Records that each stream of a live source gave, by its name; files have none.
    pub streams: BTreeMap<String, u64>,
    problems: BTreeMap<&'static str, Problems>,
    warnings: BTreeSet<(Arc<str>, Warning)>,
    insights_rows: BTreeMap<Arc<str>, u64>,
}

/// The problems of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// How many there are.
    pub count: u64,
    /// The first few by file name and offset.
    pub examples: Vec<Problem>,
}

impl Tally {
    /// Records of every kind.
    pub fn records(&self) -> u64 {
        self.audit_events + self.usage_rows + self.not_audit + self.malformed
    }

    /// Whether anything could be understood, be it only as no audit event, or
    /// there was nothing to misunderstand.
    pub fn is_readable(&self) -> bool {
        self.audit_events + self.usage_rows + self.not_audit > 0 || self.problems.is_empty()
    }

    /// What went wrong, by [`Cause::code`].
    pub fn problems(&self) -> &BTreeMap<&'static str, Problems> {
        &self.problems
    }

    /// What the readers of some inputs should know, by input name.
    pub fn warnings(&self) -> impl Iterator<Item = (&str, &Warning)> {
        self.warnings.iter().map(|(file, warning)| (&**file, warning))
    }

    /// Takes in another worker's counts.
    pub fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.inflated += other.inflated;
        self.audit_events += other.audit_events;
        self.salvaged += other.salvaged;
        self.usage_rows += other.usage_rows;
        self.not_audit += other.not_audit;
        self.malformed += other.malformed;
        for (name, records) in other.streams {
            *self.streams.entry(name).or_default() += records;
        }
        for (code, problems) in other.problems {
            self.problems.entry(code).or_default().merge(problems);
        }
        self.warnings.extend(other.warnings);
        for (file, rows) in other.insights_rows {
            *self.insights_rows.entry(file).or_default() += rows;
        }
    }

    /// Draws the conclusions that need the whole count.
    pub fn conclude(&mut self) {
        for (file, rows) in std::mem::take(&mut self.insights_rows) {
            if rows == INSIGHTS_ROWS {
                self.warnings.insert((file, Warning::QueryTruncated));
            }
        }
    }

    /// Counts a problem, which is only built if it may be kept: it will be where
    /// `file` and `offset` come before those kept so far.
    pub(super) fn add_problem_at(
        &mut self,
        cause: &Cause,
        (file, offset): (&str, u64),
        problem: impl FnOnce() -> Problem,
    ) {
        self.malformed += u64::from(!cause.is_of_input());
        let problems = self.problems.entry(cause.code()).or_default();
        problems.count += 1;
        if problems.wants(file, offset) {
            problems.keep(problem());
        }
    }

    /// Counts a problem.
    pub fn add_problem(&mut self, problem: Problem) {
        let (cause, file) = (problem.cause.clone(), Arc::clone(&problem.file));
        self.add_problem_at(&cause, (&file, problem.offset), || problem);
    }

    /// Notes a warning, once per file.
    pub fn warn(&mut self, file: &Arc<str>, warning: Warning) {
        self.warnings.insert((Arc::clone(file), warning));
    }

    /// Counts a row of a Logs Insights result.
    pub(super) fn add_insights_row(&mut self, file: &Arc<str>) {
        *self.insights_rows.entry(Arc::clone(file)).or_default() += 1;
    }
}

impl Problems {
    fn wants(&self, file: &str, offset: u64) -> bool {
        let last = self.examples.last();
        self.examples.len() < EXAMPLES
            || last.is_some_and(|last| (file, offset) < (&*last.file, last.offset))
    }

    fn keep(&mut self, problem: Problem) {
        let place = |problem: &Problem| (Arc::clone(&problem.file), problem.offset);
        let at = self.examples.partition_point(|kept| place(kept) <= place(&problem));
        self.examples.insert(at, problem);
        self.examples.truncate(EXAMPLES);
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        for problem in other.examples {
            if self.wants(&problem.file, problem.offset) {
                self.keep(problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line_numbers::LineNumber;
    use super::super::problem::Place;
    use super::*;

    fn problem(file: &str, offset: u64) -> Problem {
        let place = Place { offset, line: LineNumber::default() };
        Problem::with_record(&file.into(), place, Cause::NotJson, b"")
    }

    #[test]
    fn the_first_problems_are_kept_however_the_work_was_shared() {
        let all: Vec<Problem> =
            (0..40).map(|n| problem(if n % 2 == 0 { "a" } else { "b" }, n * 7 % 41)).collect();
        let mut whole = Tally::default();
        all.iter().cloned().for_each(|problem| whole.add_problem(problem));
        let mut merged = Tally::default();
        for part in all.rchunks(7) {
            let mut tally = Tally::default();
            part.iter().cloned().for_each(|problem| tally.add_problem(problem));
            merged.merge(tally);
        }
        assert_eq!(whole, merged);
        let kept = &whole.problems()["not-json"];
        assert_eq!((kept.count, whole.malformed), (40, 40));
        let places: Vec<_> = kept.examples.iter().map(|p| (&*p.file, p.offset)).collect();
        let mut sorted: Vec<_> = all.iter().map(|p| (&*p.file, p.offset)).collect();
        sorted.sort_unstable();
        assert_eq!(places, sorted[..EXAMPLES]);
    }

    #[test]
    fn a_result_of_exactly_ten_thousand_rows_is_suspect() {
        let file: Arc<str> = "rows.csv".into();
        let mut halves = [Tally::default(), Tally::default()];
        for half in &mut halves {
            (0..INSIGHTS_ROWS / 2).for_each(|_| half.add_insights_row(&file));
        }
        let [mut tally, other] = halves;
        tally.merge(other);
        tally.conclude();
        assert_eq!(tally.warnings().collect::<Vec<_>>(), [("rows.csv", &Warning::QueryTruncated)]);
    }

    #[test]
    fn nothing_readable_is_told_from_nothing_there() {
        assert!(Tally::default().is_readable());
        let mut tally = Tally::default();
        tally.add_problem(problem("a", 0));
        assert!(!tally.is_readable());
        tally.not_audit = 1;
        assert!(tally.is_readable());
    }
}
