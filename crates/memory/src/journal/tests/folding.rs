//! Folding: when it happens, what is read afterwards, and what is never folded.

use super::story::{Chapter, Ending, Page, tell};
use super::{commit, head, journal, put, read, records};
use crate::testing::{at, portfolio, ready};
use crate::{MemoryJournal, Retention};
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Event, Movement, Record};
use evenkeel_ports::{Commit, Entry, Journal};
use std::sync::Arc;

/// Writes each page as one commit, all under token 5.
fn write(journal: &MemoryJournal, pages: &[Page]) {
    for page in pages {
        let (expected, _) = head(journal, "growth");
        assert_eq!(put(journal, commit("growth", expected, 5, page.records.clone())), "committed");
    }
}

/// Number and kind of each entry.
fn shape(entries: &[Entry]) -> Vec<(u64, &'static str)> {
    entries.iter().map(|entry| (entry.sequence.get(), entry.record.event.kind())).collect()
}

const BATCH: Chapter = Chapter::Batch(Ending::Abandoned);
const CASH: Chapter = Chapter::Cash { kind: Movement::Deposit, cents: 1_00 };

#[test]
fn a_commit_that_closes_a_batch_folds_everything_before_it() {
    /// The entries that are there after so many commits of the story: added, cash, opened, closed, cash, opened, closed.
    #[track_caller]
    fn check(commits: usize, entries: &[(u64, &str)]) {
        let pages = tell(&[CASH, BATCH, CASH, BATCH]);
        let journal = journal(Retention::LatestState);
        write(&journal, &pages[..commits]);
        assert_eq!(shape(&read(&journal, "growth", 0)), entries);
    }
    check(1, &[(1, "added")]);
    check(3, &[(1, "added"), (2, "cash_moved"), (3, "opened")]);
    check(4, &[(4, "folded")]);
    check(5, &[(4, "folded"), (5, "cash_moved")]);
    check(6, &[(4, "folded"), (5, "cash_moved"), (6, "opened")]);
    check(7, &[(7, "folded")]);
}

#[test]
fn a_folded_record_stands_for_the_last_one_before_it() {
    let pages = tell(&[CASH, BATCH]);
    let journal = journal(Retention::LatestState);
    write(&journal, &pages);
    let last = pages.last().unwrap();
    let [folded] = read(&journal, "growth", 0).try_into().unwrap();
    let Entry { sequence, token, record: Record { at, event: Event::Folded(state) } } = folded else {
        panic!("it should be folded: {folded:?}");
    };
    assert_eq!((sequence.get(), token.get()), head(&journal, "growth"));
    assert_eq!(at, last.records.last().unwrap().at);
    assert_eq!(*state, last.after);
}

#[test]
fn a_state_that_comes_with_the_records_is_what_they_would_have_been_folded_into() {
    let pages = tell(&[CASH, BATCH, CASH, BATCH, BATCH]);
    let (given, made) = (journal(Retention::LatestState), journal(Retention::LatestState));
    for page in &pages {
        let (expected, _) = head(&made, "growth");
        let plain = commit("growth", expected, 5, page.records.clone());
        let state = Some(Arc::new(page.after.clone()));
        assert_eq!(put(&given, Commit { state, ..plain.clone() }), "committed");
        assert_eq!(put(&made, plain), "committed");
        assert_eq!(read(&given, "growth", 0), read(&made, "growth", 0));
    }
    // Of another place it is not that of these records.
    let (journal, wrong) = (journal(Retention::LatestState), Some(Arc::new(pages[0].after.clone())));
    for page in &pages {
        let plain = commit("growth", head(&journal, "growth").0, 5, page.records.clone());
        assert_eq!(put(&journal, Commit { state: wrong.clone(), ..plain }), "committed");
    }
    assert_eq!(read(&journal, "growth", 0), read(&made, "growth", 0));
}

#[test]
fn reading_on_from_inside_the_fold_gives_the_fold() {
    let pages = tell(&[BATCH, CASH]);
    let journal = journal(Retention::LatestState);
    write(&journal, &pages);
    for (after, entries) in [
        (0, &[(3, "folded"), (4, "cash_moved")][..]),
        (2, &[(3, "folded"), (4, "cash_moved")]),
        (3, &[(4, "cash_moved")]),
        (4, &[]),
    ] {
        assert_eq!(shape(&read(&journal, "growth", after)), entries, "after {after}");
    }
}

#[test]
fn a_stale_batch_that_is_tried_again_is_unfolded_by_nobody() {
    let pages = tell(&[Chapter::Batch(Ending::Retried)]);
    let journal = journal(Retention::LatestState);
    let (last, before) = pages.split_last().unwrap();
    write(&journal, before);
    let entries = read(&journal, "growth", 0);
    let [(_, "folded"), (_, "retried")] = shape(&entries)[..] else { panic!("{:?}", shape(&entries)) };
    assert_eq!(ready(journal.open_batches()), Ok(vec![portfolio("growth")]));
    write(&journal, std::slice::from_ref(last));
    assert_eq!(shape(&read(&journal, "growth", 0)).len(), 1);
}

#[test]
fn what_does_not_fit_is_kept_as_it_was_written() {
    let pages = tell(&[BATCH]);
    let journal = journal(Retention::LatestState);
    write(&journal, &pages);
    // It was never quarantined, so it cannot be released: a damaged record, which must not be lost or hidden.
    let wrong = Record { at: at(9), event: Event::Released };
    assert_eq!(put(&journal, commit("growth", 3, 5, vec![wrong])), "committed");
    assert_eq!(put(&journal, commit("growth", 4, 5, records("o"))), "committed");
    assert_eq!(put(&journal, commit("growth", 5, 6, records("c"))), "committed");
    let expected = [(3, "folded"), (4, "released"), (5, "opened"), (6, "closed")];
    assert_eq!(shape(&read(&journal, "growth", 0)), expected);
    assert_eq!(put(&journal, commit("growth", 6, 6, records("oc"))), "committed");
    assert_eq!(read(&journal, "growth", 0).len(), 6);
}

#[test]
fn a_batch_that_opens_in_the_closing_commit_waits_for_its_own_end() {
    let pages = tell(&[BATCH, BATCH]);
    let journal = journal(Retention::LatestState);
    let [added, opened, closed, opened_again, closed_again] = &pages[..] else { panic!("{}", pages.len()) };
    let both = [closed.records.clone(), opened_again.records.clone()].concat();
    write(&journal, &[added.clone(), opened.clone(), Page { records: both, after: opened_again.after.clone() }]);
    assert_eq!(shape(&read(&journal, "growth", 0)).len(), 4);
    write(&journal, std::slice::from_ref(closed_again));
    assert_eq!(shape(&read(&journal, "growth", 0)), [(5, "folded")]);
}

#[test]
fn a_fold_from_another_store_is_a_record_like_any_other() {
    let pages = tell(&[BATCH, BATCH]);
    let (closed, open) = (pages[2].after.clone(), pages[3].after.clone());
    let folded = |state: Portfolio| vec![Record { at: at(9), event: Event::Folded(Box::new(state)) }];
    let journal = journal(Retention::LatestState);
    assert_eq!(put(&journal, commit("growth", 0, 5, folded(open))), "committed");
    // Whether a batch is open afterwards is what it says.
    assert_eq!(put(&journal, commit("growth", 1, 5, records("o"))), "conflict 1/5");
    assert_eq!(put(&journal, commit("growth", 1, 5, pages[4].records.clone())), "committed");
    assert_eq!(put(&journal, commit("growth", 2, 5, folded(closed))), "committed");
    assert_eq!(put(&journal, commit("growth", 3, 5, pages[3].records.clone())), "committed");
    assert_eq!(shape(&read(&journal, "growth", 0)), [(2, "folded"), (3, "folded"), (4, "opened")]);
}

#[test]
fn the_handle_says_how_much_is_kept() {
    let pages = tell(&[BATCH, BATCH]);
    let everything = journal(Retention::Everything);
    let latest = everything.clone().with_retention(Retention::LatestState);
    write(&everything, &pages[..3]);
    assert_eq!(read(&latest, "growth", 0).len(), 3);
    write(&latest.clone(), &pages[3..]);
    assert_eq!(shape(&read(&everything, "growth", 0)), [(5, "folded")]);
    assert_eq!(everything.records(&portfolio("growth")).len(), 1);
    assert_eq!(head(&everything, "growth"), (5, 5));
}
