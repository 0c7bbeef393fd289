//! Journals that have lost batches: which they are, what follows, and that no id of theirs is ever used again.

use crate::decide::{Hold, Input};
use crate::order::{Attempt, BatchId, ClientOrderId, Direction, LegNumber};
use crate::record::Event;
use crate::testing::machine::{Machine, story};
use crate::testing::read;
use crate::values::{Sequence, StoreId};
use expect_test::expect;

/// The store of every machine.
const STORE: StoreId = StoreId::new(1);

/// An order of the batch that this store opened with the record of this number.
fn order(machine: &Machine, store: StoreId, opening: u64) -> ClientOrderId {
    let batch = BatchId::new(store, &machine.state.id, Sequence::new(opening));
    ClientOrderId { batch, leg: LegNumber::MAX, direction: Direction::Forward, attempt: Attempt::FIRST }
}

/// A batch that was completed, of a portfolio that was added with record 1.
fn completed() -> Machine {
    let mut machine = Machine::of("CASH 200.00, A 7", "sell A 2 @ 50");
    machine.run("begin; 0F1 submit acknowledged filled a:2; settle");
    assert_eq!(machine.closed().closing.as_ref().unwrap().outcome.name(), "completed");
    machine
}

fn lost(machine: &Machine, store: StoreId, openings: &[u64]) -> Vec<u64> {
    let orders: Vec<_> = openings.iter().map(|opening| order(machine, store, *opening)).collect();
    let found = machine.state.lost_batches(STORE, orders.clone());
    let is_found = |opening: &&u64| found.contains(&order(machine, store, **opening).batch);
    let of: Vec<u64> = openings.iter().filter(is_found).copied().collect();
    assert_eq!(of.len(), found.len());
    of
}

#[test]
fn what_was_opened_after_the_oldest_known_batch_is_lost() {
    let machine = completed();
    let known = (1..9).find(|n| order(&machine, STORE, *n).batch == machine.closed().id).unwrap();
    assert_eq!(known, 2);
    assert_eq!(lost(&machine, STORE, &[1]), [0; 0], "before it: closed and forgotten");
    assert_eq!(lost(&machine, STORE, &[2]), [0; 0], "known");
    assert_eq!(lost(&machine, STORE, &[3, 4, 90, 90_000]), [3, 4, 90, 90_000]);
    let twice = [order(&machine, STORE, 3), order(&machine, STORE, 3)];
    assert_eq!(machine.state.lost_batches(STORE, twice).len(), 1, "two orders of one batch");
    assert_eq!(lost(&machine, STORE, &[200_000]), [0; 0], "too far off to be searched for");
    assert_eq!(lost(&machine, StoreId::new(2), &[3, 4]), [0; 0], "another store's: the books tell");
    let untraded = Machine::holding("CASH 100.00");
    assert_eq!(lost(&untraded, STORE, &[1, 2, 3]), [1, 2, 3], "nothing was forgotten yet");
}

#[test]
fn it_is_quarantined_until_a_person_accepts() {
    let mut machine = completed();
    let broker = machine.state.books.clone();
    let batches = machine.state.lost_batches(STORE, [order(&machine, STORE, 9)]);
    let confirm = |lost| Input::Confirm { broker: &broker, currency: read("USD"), lost };
    let records = machine.must(confirm(&batches));
    expect![[r#"
        +0 quarantined: the journal lacks batch dd896d3d-b2fd-5f60-8cad-9d0a997889dc, of which the broker has fills
    "#]]
    .assert_eq(&story::records(&records));
    assert_eq!(machine.must(confirm(&batches)), [], "it stays so");
    for no in ["retry", "fixed"] {
        assert!(machine.run(no).contains("no: the journal lacks batches"), "{no}");
    }
    machine.run("accept");
    assert_eq!(machine.state.standing.name(), "active");
}

#[test]
fn no_id_of_what_was_lost_is_used_again() {
    let open = |machine: &mut Machine| {
        machine.run("open");
        let opening = machine.state.sequence;
        (machine.state.batch.as_ref().unwrap().id, BatchId::new(STORE, &machine.state.id, opening))
    };
    let mut machine = completed();
    machine.run("confirm off; accept");
    let (id, counted) = open(&mut machine);
    assert_eq!(id, counted, "a difference in the books alone changes nothing");

    let mut machine = completed();
    let (broker, batches) = (machine.state.books.clone(), vec![order(&machine, STORE, 9).batch]);
    machine.must(Input::Confirm { broker: &broker, currency: read("USD"), lost: &batches });
    machine.run("accept");
    let accepted = machine.now;
    let (id, counted) = open(&mut machine);
    assert_ne!(id, counted);
    assert_eq!(id, BatchId::after_loss(STORE, &machine.state.id, machine.state.sequence, accepted));
}

#[test]
fn an_open_batch_goes_stale_and_nothing_is_sent() {
    let mut machine = Machine::of("CASH 200.00, A 7", "sell A 2 @ 50, buy B 4 @ 25");
    machine.run("begin; 0F1 submit acknowledged filled a:2");
    let batches = vec![order(&machine, STORE, 40).batch];
    let records = machine.must(Input::JournalLacks { batches });
    assert!(matches!(records.as_slice(), [.., crate::record::Record { event: Event::Closed(_), .. }]), "{records:?}");
    assert_eq!(machine.state.standing.name(), "stale");
    assert!(machine.must(Input::Tick { hold: Hold::Nothing }).is_empty());
    assert!(machine.run("retry").contains("no: the journal lacks batches"));
    machine.run("accept");
    assert!(machine.state.loss_accepted.is_some());
}
