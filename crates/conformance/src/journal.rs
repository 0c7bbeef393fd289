//! The suite of the journal and its outbox: what [`evenkeel_ports::Journal`] promises, case by case.
//!
//! After everything that is refused, the journal is compared with what was written before: head, records, alerts. The cases are told
//! apart by what they are about: `fence` (contract 3 and 4), `batches` (5), `whole` (1, 2 and 6), `reading` (7), `outbox` (8), `halts` (9).
//! The records they write are in `samples`.
//!
//! ```text
//! evenkeel_conformance::journal_suite!(MyRig::new());
//! evenkeel_conformance::journal_suite!(MyRig::new(), not_shown: [J22, J23]);
//! ```

mod batches;
mod fence;
mod halts;
mod model;
mod outbox;
mod reading;
mod samples;
mod whole;

use crate::suite::suite;
use crate::{Cannot, Check, Rig};
use evenkeel_ports::Journal;
use std::sync::Arc;

pub use batches::*;
pub use fence::*;
pub use halts::*;
pub use outbox::*;
pub use reading::*;
pub use whole::*;

/// What a journal needs around it to be shown.
pub trait JournalRig: Rig {
    /// The journal, empty at first. After [`restart`](Self::restart), the one that was started again.
    fn journal(&self) -> Arc<dyn Journal>;

    /// Ends the journal and starts it again on what it has stored, as after a crash.
    ///
    /// # Errors
    /// [`Cannot`] if nothing of it outlives the process.
    fn restart(&self) -> Result<(), Cannot>;

    /// Makes the answer to the next commit get lost on the way, after it was written, or before it could be.
    ///
    /// # Errors
    /// [`Cannot`] if there is no way on which an answer could be lost, or the rig has no hold of it.
    fn lose_the_next_answer(&self, written: bool) -> Result<(), Cannot>;
}

suite! { ($) journal_suite in journal, "journal", dyn JournalRig, 44;
    J01 "3" j01_nothing_is_there_at_first "a portfolio without records has a head of zeros, reads as nothing, and is not listed",
    J02 "3" j02_numbers_have_no_gaps "records are numbered 1, 2, 3 …, over commits of one and of several",
    J03 "3" j03_expected_too_low_is_a_conflict "a commit that expects less than the head writes nothing, and is told the head",
    J04 "3" j04_expected_too_high_is_a_conflict "a commit that expects more than the head writes nothing, and is told the head",
    J05 "3" j05_an_empty_commit_writes_nothing "a commit without records is refused, its alerts included",
    J06 "3" j06_one_of_many_at_once_wins "of commits made at once for one place, exactly one is written",
    J07 "3" j07_portfolios_are_independent "sequence and fence of one portfolio say nothing about another",
    J08 "4" j08_a_lower_token_is_fenced "a commit under a lower token than the head's writes nothing, and is told the head",
    J09 "4" j09_an_equal_token_goes_on "the owner that wrote last writes again under its token",
    J10 "4" j10_a_higher_token_raises_the_fence "a commit under a higher token raises the head's token, and shuts the former owner out",
    J11 "4" j11_a_former_owner_that_is_behind_writes_nothing "a commit that is behind in token and sequence writes nothing",
    J12 "4" j12_a_refused_commit_raises_nothing "a commit that is refused for its sequence does not raise the head's token",
    J13 "5" j13_no_second_open_batch "a commit that opens a batch while one is open writes nothing",
    J14 "5" j14_no_two_openings_in_one_commit "a commit that opens two batches writes neither",
    J15 "5" j15_closing_makes_room "once a batch is closed, another can be opened, in the closing commit too",
    J16 "5" j16_trying_again_opens_a_batch "a batch that is tried again is open again",
    J17 "5" j17_open_batches_are_listed_in_order "portfolios with an open batch are listed, in order, and no others",
    J18 "5" j18_at_once_only_one_opens "of commits made at once that open a batch, exactly one is written",
    J19 "1" j19_records_and_alerts_together "a commit's alerts are pending once it is written",
    J20 "1" j20_a_refused_commit_leaves_no_alert "a commit that is refused, whatever for, leaves no alert behind",
    J21 "1" j21_a_dropped_commit_is_whole_or_absent "a commit whose future is dropped is written whole, with its alerts, or not at all",
    J22 "6" j22_an_unknown_commit_that_was_written_is_read_back "if the answer is lost after the write, the commit is unknown, and found by its sequence",
    J23 "6" j23_an_unknown_commit_that_was_not_written_leaves_nothing "if the answer is lost before the write, nothing is found, and the same commit can be made again",
    J24 "2" j24_what_was_written_survives_a_restart "after a restart, head, records, open batches and the store's id are what they were",
    J25 "2" j25_the_store_id_never_changes "the store's id is the same whenever it is asked",
    J26 "7" j26_read_after_a_sequence "reading after a number gives the records after it, from zero to beyond the last",
    J27 "7" j27_every_kind_of_record_is_read_as_written "every kind of record is read exactly as it was written, awkward texts and numbers included",
    J28 "7" j28_what_is_kept_stays "what was read once is read the same after more was written",
    J29 "7" j29_closed_batches_are_kept_or_folded "closed batches are read as written, or as one record of the state they led to, numbered as the last of them",
    J30 "7" j30_portfolios_are_listed_in_order "every portfolio that has a record is listed, in order, one that was removed too",
    J31 "8" j31_alerts_are_pending_in_order "alerts are pending in the order of their commits, each exactly as it was written",
    J32 "8" j32_the_limit_takes_the_oldest "no more alerts are given than asked for, the oldest first",
    J33 "8" j33_an_acknowledged_alert_is_gone "an alert that was acknowledged is not pending any more, and every other still is",
    J34 "8" j34_acknowledging_twice_changes_nothing "acknowledging an alert again, or one that never was, changes nothing; it is known by portfolio and sequence alone",
    J35 "8" j35_alerts_survive_a_restart "after a restart the same alerts are pending, and none that was acknowledged",
    J36 "8" j36_an_acknowledged_alert_stays_gone "an acknowledged alert does not come back, whatever is written afterwards",
    J37 "9" j37_a_halt_refuses_openings_and_orders "while a halt stands, a commit that opens a batch or intends orders writes nothing, alerts and token included, and is told the halt",
    J38 "9" j38_a_halt_is_about_its_scope_alone "a halt of another portfolio or symbol refuses nothing, nor does any halt refuse what sends nothing",
    J39 "9" j39_unwinding_lets_orders_go_back "under a halt that unwinds, orders on the way back are written, and no others",
    J40 "9" j40_a_halt_stands_until_it_is_released "halts are listed in order, one for each scope; once released, everything is written again",
    J41 "9" j41_nothing_slips_past_a_halt "of commits made at once with a halt, none that it forbids is written after it was answered",
    J42 "9" j42_halts_survive_a_restart "after a restart the same halts stand",
    J43 "7" j43_a_long_history_is_read_whole "more than a thousand records are read whole, and from anywhere in them",
    J44 "8" j44_hundreds_of_alerts_are_pending "hundreds of alerts are given, as many as asked for, whatever was acknowledged among them",
}
