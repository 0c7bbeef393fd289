//! A broker that treats every order as a pattern says, and the machine in front of it, driven to its end.

use super::secs;
use super::world::{Action, Looking, Sending, Share, World};
use crate::batch::Phase;
use crate::due::{Effect, due};
use crate::order::{ClientOrderId, Direction};
use proptest::prelude::*;
use proptest::sample::select;

/// What becomes of an order. The first is the simplest: what a failed case shrinks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fills,
    FillsInTwo,
    /// Filled, but nobody was told.
    LostAnswer,
    Refused,
    NotSent,
    /// It never arrives, and nobody is told.
    Lost,
    Expires,
    HalfThenExpires,
    HalfThenRejected,
    /// Half, then nothing until it is canceled.
    HalfThenStays,
    /// Nothing until it is to be canceled, then all of it.
    FillsWhenCanceled,
    /// Nothing until it is to be canceled, then half of it.
    HalfWhenCanceled,
}

/// The fates of one leg's orders: forward, then each reverse attempt. What is not named fills.
#[derive(Debug, Clone, Default)]
pub(crate) struct LegFates {
    forward: Vec<Fate>,
    reverse: Vec<Fate>,
}

/// The fates of all legs. What is not named fills.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pattern(pub(crate) Vec<LegFates>);

impl Pattern {
    pub(crate) fn fate(&self, id: ClientOrderId) -> Fate {
        let leg = self.0.get(usize::from(id.leg.get()));
        let fates = leg.map(|leg| if id.direction == Direction::Forward { &leg.forward } else { &leg.reverse });
        let fate = fates.and_then(|fates| fates.get(usize::from(id.attempt.get()) - 1));
        fate.copied().unwrap_or(Fate::Fills)
    }
}

/// Any pattern for so many legs.
pub(crate) fn patterns(legs: usize) -> impl Strategy<Value = Pattern> {
    let fates = [
        Fate::Fills,
        Fate::FillsInTwo,
        Fate::LostAnswer,
        Fate::Refused,
        Fate::NotSent,
        Fate::Lost,
        Fate::Expires,
        Fate::HalfThenExpires,
        Fate::HalfThenRejected,
        Fate::HalfThenStays,
        Fate::FillsWhenCanceled,
        Fate::HalfWhenCanceled,
    ];
    let fate = || prop_oneof![1 => Just(Fate::Fills), 1 => select(fates.to_vec())];
    let leg = (prop::collection::vec(fate(), 0..=3), prop::collection::vec(fate(), 0..=3));
    let leg = leg.prop_map(|(forward, reverse)| LegFates { forward, reverse });
    prop::collection::vec(leg, legs).prop_map(Pattern)
}

/// So many turns are more than any batch of the tests needs.
const TURNS: usize = 2_000;

impl World {
    /// Does what is due until the batch is closed, with a broker that treats each order as the pattern says.
    pub(crate) fn drive(&mut self, pattern: &Pattern) {
        if self.state.batch.as_ref().is_some_and(|batch| batch.phase == Phase::Planned) {
            self.act(Action::Begin);
        }
        for _ in 0..TURNS {
            if self.state.batch.is_none() {
                return;
            }
            self.turn(pattern);
        }
        panic!("it does not end: {self:?}");
    }

    fn turn(&mut self, pattern: &Pattern) {
        let before = self.clone();
        let mut wake = None;
        for effect in due(&self.state, self.now) {
            if !due(&self.state, self.now).contains(&effect) {
                continue; // What was learned just now made it needless.
            }
            match effect {
                Effect::Submit(order) => self.submit_as(order.id, pattern.fate(order.id)),
                Effect::Withhold(id) => drop(self.act(Action::Withhold(id))),
                Effect::Cancel(id) => self.cancel_as(id, pattern.fate(id)),
                Effect::Look(id) => drop(self.act(Action::Look(id, Looking::Truth))),
                Effect::Compare => drop(self.act(Action::Compare(false))),
                Effect::Wake(at) => wake = Some(at),
            }
        }
        // Nobody asks twice at the same moment.
        self.now = self.now.plus(secs(1));
        if self.state == before.state && self.sent == before.sent {
            let at = wake.unwrap_or_else(|| panic!("nothing happens any more: {self:?}"));
            self.act(Action::Wake(at.max(self.now)));
        }
    }

    fn submit_as(&mut self, id: ClientOrderId, fate: Fate) {
        if self.sent.get(&id).is_some_and(|truth| truth.status.is_some()) {
            self.act(Action::Submit(id, Sending::Taken)); // Sent again: the broker has it.
            return;
        }
        let (sending, then): (Sending, &[Action]) = match fate {
            Fate::Fills => (Sending::Filled, &[]),
            Fate::FillsInTwo => (Sending::TakenInPart, &[Action::Execute(id, Share::Rest)]),
            Fate::LostAnswer => (Sending::LostAnswer, &[Action::Execute(id, Share::Rest)]),
            Fate::Refused => (Sending::Refused, &[]),
            Fate::NotSent => (Sending::NotSent, &[]),
            Fate::Lost => (Sending::OnTheWay, &[Action::Vanish(id)]),
            Fate::Expires => (Sending::Taken, &[Action::Expire(id)]),
            Fate::HalfThenExpires => (Sending::TakenInPart, &[Action::Expire(id)]),
            Fate::HalfThenRejected => (Sending::TakenInPart, &[Action::Reject(id)]),
            Fate::HalfThenStays => (Sending::TakenInPart, &[]),
            Fate::FillsWhenCanceled | Fate::HalfWhenCanceled => (Sending::Taken, &[]),
        };
        self.act(Action::Submit(id, sending));
        // One unit of the last decimal cannot be halved: then there is nothing left to end.
        let is_open = |world: &Self| world.actions().iter().any(|action| then.contains(action));
        for action in then {
            if is_open(self) {
                self.act(*action);
            }
        }
    }

    fn cancel_as(&mut self, id: ClientOrderId, fate: Fate) {
        let share = match fate {
            Fate::FillsWhenCanceled => Some(Share::Rest),
            Fate::HalfWhenCanceled => Some(Share::Half),
            _ => None,
        };
        let execute = share.map(|share| Action::Execute(id, share));
        if let Some(execute) = execute.filter(|execute| self.actions().contains(execute)) {
            self.act(execute);
        }
        self.act(Action::Cancel(id));
    }
}
