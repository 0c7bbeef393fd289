//! What tells one world from another.

use super::{Limits, World};
use crate::batch::{Batch, OrderState, Phase};
use crate::order::{BrokerStatus, Direction, LegNumber};
use crate::portfolio::Standing;
use crate::values::Timestamp;
use std::fmt::Write;

impl World {
    /// What tells this world from another, as far as anything that can still happen depends on it. Times count from now, and those
    /// that have passed are alike; ids, tokens and words do not count, and nothing of an order that is over but what it executed.
    pub(crate) fn key(&self) -> String {
        let left = |at: Timestamp| if at > self.now { at.since(self.now).as_secs() } else { 0 };
        let mut key = self.state.standing.name().to_owned();
        let closed = self.state.closed.last().map(AsRef::as_ref);
        let Some(batch) = self.state.batch.as_ref().or(closed) else { return key };
        let rules = batch.rules();
        match (&batch.closing, batch.phase) {
            (Some(closing), _) => write!(key, " {}", closing.outcome.name()).unwrap(),
            (None, Phase::Settling { outcome, since }) => {
                write!(key, " {}{}", outcome.name(), left(since.plus(rules.settle_within))).unwrap();
            }
            (None, phase) => write!(key, " {phase:?}").unwrap(),
        }
        if self.limits != Limits::NONE {
            let age = self.now.since(batch.opened_at);
            write!(key, " {:?}{:?}{}", self.limits, rules.resume_max.checked_sub(age), self.is_off).unwrap();
        }
        if self.state.standing == Standing::Stale || batch.closing.is_some() && self.is_quiet() {
            return key;
        }
        for leg in &batch.opening.legs {
            for direction in [Direction::Forward, Direction::Reverse] {
                self.write_attempts(&mut key, batch, leg.number, direction);
            }
        }
        key
    }

    /// What counts of one leg's orders one way: what they executed together, how many there are, and whatever is not over.
    fn write_attempts(&self, key: &mut String, batch: &Batch, leg: LegNumber, direction: Direction) {
        let left = |at: Timestamp| if at > self.now { at.since(self.now).as_secs() } else { 0 };
        let patience = batch.rules().patience;
        let is_forward = matches!(batch.phase, Phase::Forward(_));
        let Some((last, _)) = batch.last_attempt(leg, direction) else { return };
        let attempts = if is_forward || direction == Direction::Reverse { last.attempt.get() } else { 0 };
        write!(key, "|{leg}{direction:?} {} {attempts}", batch.executed(leg, direction).unwrap()).unwrap();
        for (id, order) in batch.attempts_of(leg, direction) {
            let truth = self.sent.get(&id);
            let on_the_way = truth.is_some_and(|truth| truth.on_the_way && truth.status.is_none());
            let hidden = truth.map_or(0, |truth| truth.fills.len() - order.fills.len());
            let status = truth.and_then(|truth| truth.status.clone());
            let is_working = status == Some(BrokerStatus::Working);
            let is_last_word = order.state.is_terminal() && order.state != OrderState::AssumedNotExecuted;
            if is_last_word && !on_the_way && !is_working && hidden == 0 {
                // Only an order that was not sent is tried again.
                write!(key, "{}", if is_forward && id == last { order.state.name() } else { "" }).unwrap();
                continue;
            }
            let state = match order.state {
                OrderState::UnknownInFlight { quiet_at } => left(quiet_at) + 1,
                OrderState::CancelRequested { since } => left(since.plus(patience)),
                _ => 0,
            };
            let gives_up =
                order.unknown_since.filter(|_| !order.state.is_terminal()).map(|since| left(since.plus(patience)));
            let times = (state, left(order.send_at), left(order.deadline), gives_up);
            let times = if order.state.is_terminal() { (0, 0, 0, None) } else { times };
            write!(key, " {} {}/{} {} ", order.state.name(), order.filled, order.terms.quantity, order.denials)
                .unwrap();
            write!(key, "{times:?}{on_the_way}{hidden}{status:?}").unwrap();
        }
    }
}
