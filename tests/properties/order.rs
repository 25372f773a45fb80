//! Neither the order of events nor who read which shows in what is printed.

use std::io::Cursor;

use leastrole::pipeline::{ReadOptions, read};
use leastrole::source::{Input, Inputs};
use leastrole::usage::{Fold, Usage};
use proptest::prelude::*;
use proptest::sample::Index;

use super::events::events;
use super::{defaults, folded, printed, selection, settings};
use crate::support::events::Event;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ledgers_merge_to_the_same_whatever_the_split_and_the_order(
        events in events(),
        workers in proptest::collection::vec(0..5_usize, 40),
        shuffled in proptest::collection::vec(any::<Index>(), 40),
        merges in proptest::collection::vec(any::<(Index, Index)>(), 5),
    ) {
        let expected = printed(folded(&events), &defaults());
        let mut shares = vec![Vec::new(); 5];
        for (event, worker) in permuted(&events, &shuffled).into_iter().zip(workers) {
            shares[worker].push(event);
        }
        let ledgers = shares.iter().map(|share| folded(share)).collect();
        let merged = merged(ledgers, &merges);
        prop_assert_eq!(printed(merged, &defaults()), expected);
    }

    #[test]
    fn cuts_and_order_of_files_threads_and_blocks_do_not_show(
        events in events(),
        cuts in proptest::collection::vec(any::<Index>(), 0..6),
        shuffled in proptest::collection::vec(any::<Index>(), 7),
        threads in 1..4_usize,
        block_size in 64..4096_usize,
    ) {
        let expected = printed(folded(&events), &defaults());
        let files = permuted(&cut(&events, &cuts), &shuffled);
        let inputs = files.into_iter().enumerate().map(|(number, text)| {
            Input::stream(&format!("file-{number}"), Box::new(Cursor::new(text.into_bytes())))
        });
        let inputs = Inputs { found: inputs.collect(), unreachable: Vec::new() };
        let options = ReadOptions { threads, block_size, ..ReadOptions::default() };
        let fold = || Fold::new(selection(), settings());
        let (folds, tally) = read(inputs, &options, fold).expect("threads can be started");
        prop_assert_eq!(tally.audit_events, events.len() as u64);
        let mut usage = Usage::default();
        folds.into_iter().for_each(|fold| usage.merge(fold.into_usage()));
        prop_assert_eq!(printed(usage, &defaults()), expected);
    }
}

/// The items in another order.
fn permuted<T: Clone>(items: &[T], order: &[Index]) -> Vec<T> {
    let mut left = items.to_vec();
    let mut permuted = Vec::new();
    for index in order.iter().cycle() {
        if left.is_empty() {
            break;
        }
        permuted.push(left.swap_remove(index.index(left.len())));
    }
    permuted
}

/// Merges any two, either into the other, until one is left.
fn merged(mut ledgers: Vec<Usage>, merges: &[(Index, Index)]) -> Usage {
    for (from, into) in merges.iter().cycle() {
        if ledgers.len() == 1 {
            break;
        }
        let other = ledgers.swap_remove(from.index(ledgers.len()));
        let at = into.index(ledgers.len());
        ledgers[at].merge(other);
    }
    ledgers.pop().unwrap_or_default()
}

/// The log as up to seven files, some of them empty.
fn cut(events: &[Event], cuts: &[Index]) -> Vec<String> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(events.len() + 1)).collect();
    places.extend([0, events.len()]);
    places.sort_unstable();
    let file = |range: &[usize]| {
        let lines = events[range[0]..range[1]].iter().map(|event| event.to_string() + "\n");
        lines.collect()
    };
    places.windows(2).map(file).collect()
}
