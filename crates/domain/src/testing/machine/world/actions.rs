//! What can happen next.

use super::{Truth, World};
use crate::batch::{Order, OrderState, Phase};
use crate::due::{Effect, due};
use crate::order::{BrokerStatus, ClientOrderId, Terms};
use crate::portfolio::Standing;
use crate::record::Stage;
use crate::testing::machine::short;
use crate::values::Timestamp;
use std::fmt;

/// Something that can happen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Begin,
    Abandon,
    Abort,
    /// A new owner; with `true`, the old one had sent all that was due and heard nothing.
    TakeOver(bool),
    Submit(ClientOrderId, Sending),
    /// The worker has not sent it, and will not.
    Withhold(ClientOrderId),
    /// A request arrives that was on its way.
    Arrive(ClientOrderId),
    /// A request that was on its way is lost.
    Vanish(ClientOrderId),
    Execute(ClientOrderId, Share),
    Expire(ClientOrderId),
    Reject(ClientOrderId),
    Look(ClientOrderId, Looking),
    Cancel(ClientOrderId),
    /// The broker lists all fills there are, once more.
    List,
    /// Fills, then books and broker are compared. With `true`, something else moved the broker's cash.
    Compare(bool),
    Wake(Timestamp),
}

/// What a submission comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    Filled,
    Taken,
    TakenInPart,
    Refused,
    NotSent,
    /// No answer, and the order is with the broker.
    LostAnswer,
    /// No answer, and it may still arrive.
    OnTheWay,
}

/// How much is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Half,
    Rest,
}

/// What a question is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looking {
    Truth,
    /// The status and the sum, without the last fill.
    FillsLag,
    /// The truth, after half of what is left was executed.
    Half,
    /// The truth, after all that is left was executed.
    Rest,
    /// All that is left was executed, and the last fill is not listed yet.
    RestLags,
    /// The truth, after it expired.
    Expired,
    /// The truth, after it was rejected.
    Rejected,
}

impl World {
    /// All that can happen now, the kind things first.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut wake = None;
        for effect in due(&self.state, self.now) {
            match effect {
                Effect::Submit(request) => actions.extend(self.submissions(request.id)),
                Effect::Withhold(id) => actions.push(Action::Withhold(id)),
                Effect::Cancel(id) => actions.push(Action::Cancel(id)), // Fills that come before it: see `Looking`.
                Effect::Look(id) => actions.extend(self.looks(id)),
                Effect::Compare => {
                    actions.push(Action::Compare(false));
                    actions.extend((self.limits.mismatches > 0).then_some(Action::Compare(true)));
                }
                Effect::Wake(at) => wake = Some(at),
            }
        }
        for (id, truth) in &self.sent {
            let may_happen = self.hides || self.known(*id).state.is_terminal();
            actions
                .extend(truth.happenings(*id).into_iter().filter(|happening| may_happen || happening.is_on_the_way()));
        }
        let unread = self.sent.iter().any(|(id, truth)| self.known(*id).fills.len() < truth.fills.len());
        actions.extend(unread.then_some(Action::List));
        actions.extend(wake.filter(|at| self.may_wake(*at)).map(Action::Wake));
        if let Some(batch) = &self.state.batch {
            match batch.phase {
                Phase::Planned => actions.extend([Action::Begin, Action::Abandon]),
                Phase::Forward(Stage::First) if batch.orders.values().all(is_just_intended) => {
                    actions.push(Action::Abandon);
                }
                _ => {}
            }
            if self.limits.aborts > 0 {
                actions.push(Action::Abort);
            }
            if self.limits.takeovers > 0 {
                actions.push(Action::TakeOver(false));
                actions.extend((!self.unsent().is_empty()).then_some(Action::TakeOver(true)));
            }
        } else if self.state.standing != Standing::Stale {
            actions.push(Action::Compare(false));
            actions.extend((self.limits.mismatches > 0).then_some(Action::Compare(true)));
        }
        actions
    }

    pub(super) fn submissions(&self, id: ClientOrderId) -> Vec<Action> {
        let all: &[Sending] = match self.sent.get(&id) {
            // The same id again: the broker has it, or is about to.
            Some(truth) if truth.status.is_some() => &[Sending::Taken, Sending::LostAnswer],
            // The others come to one of these and what happens next.
            _ if !self.hides => {
                &[Sending::Filled, Sending::Taken, Sending::Refused, Sending::NotSent, Sending::OnTheWay]
            }
            _ => &[
                Sending::Filled,
                Sending::Taken,
                Sending::TakenInPart,
                Sending::Refused,
                Sending::NotSent,
                Sending::LostAnswer,
                Sending::OnTheWay,
            ],
        };
        all.iter().map(|sending| Action::Submit(id, *sending)).collect()
    }

    pub(super) fn looks(&self, id: ClientOrderId) -> Vec<Action> {
        let mut looks = vec![Action::Look(id, Looking::Truth)];
        let Some(truth) = self.sent.get(&id) else { return looks };
        if truth.fills.len() > self.known(id).fills.len() {
            looks.push(Action::Look(id, Looking::FillsLag));
        }
        if !self.hides && truth.status == Some(BrokerStatus::Working) {
            let all = [Looking::Rest, Looking::Half, Looking::RestLags, Looking::Expired, Looking::Rejected];
            looks.extend(
                all.into_iter().filter(|l| *l != Looking::Half || truth.can_be_halved()).map(|l| Action::Look(id, l)),
            );
        }
        looks
    }

    /// Requests arrive or are lost while they may be under way, unless one is left over from a frozen worker.
    pub(super) fn may_wake(&self, at: Timestamp) -> bool {
        let late = |id: &ClientOrderId, truth: &Truth| {
            let quiet = match self.known(*id).state {
                OrderState::UnknownInFlight { quiet_at } => at >= quiet_at && self.now < quiet_at,
                _ => false,
            };
            truth.on_the_way && quiet
        };
        let late = self.sent.iter().filter(|(id, truth)| late(id, truth)).count();
        late <= usize::from(self.limits.zombies)
    }

    pub(super) fn unsent(&self) -> Vec<(ClientOrderId, Terms)> {
        let effects = due(&self.state, self.now).into_iter();
        let unsent = effects
            .filter_map(|effect| if let Effect::Submit(order) = effect { Some((order.id, order.terms)) } else { None });
        unsent.collect()
    }
}

/// Nothing of it was sent, and its owner is the one who intended it.
fn is_just_intended(order: &Order) -> bool {
    order.state == OrderState::Intent && order.unknown_since.is_none()
}

impl Action {
    pub(super) const fn is_on_the_way(self) -> bool {
        matches!(self, Self::Arrive(_) | Self::Vanish(_))
    }

    /// True for what a broker that is there and does its work does, and for time that passes.
    pub(crate) fn is_kind(self) -> bool {
        match self {
            Self::Begin
            | Self::Withhold(_)
            | Self::Arrive(_)
            | Self::Vanish(_)
            | Self::Cancel(_)
            | Self::List
            | Self::Wake(_) => true,
            Self::Submit(_, sending) => sending == Sending::Filled || sending == Sending::Taken,
            Self::Execute(_, share) => share == Share::Rest,
            Self::Look(_, looking) => looking == Looking::Truth || looking == Looking::Rest,
            Self::Compare(off) => !off,
            Self::Abandon | Self::Abort | Self::TakeOver(_) | Self::Expire(_) | Self::Reject(_) => false,
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => write!(f, "begin"),
            Self::Abandon => write!(f, "abandon"),
            Self::Abort => write!(f, "abort"),
            Self::TakeOver(sent) => write!(f, "take over, sent {sent}"),
            Self::Submit(id, sending) => write!(f, "{} submit {sending:?}", short(*id)),
            Self::Withhold(id) => write!(f, "{} is withheld", short(*id)),
            Self::Arrive(id) => write!(f, "{} arrives", short(*id)),
            Self::Vanish(id) => write!(f, "{} is lost", short(*id)),
            Self::Execute(id, share) => write!(f, "{} executes {share:?}", short(*id)),
            Self::Expire(id) => write!(f, "{} expires", short(*id)),
            Self::Reject(id) => write!(f, "{} is rejected", short(*id)),
            Self::Look(id, looking) => write!(f, "{} look {looking:?}", short(*id)),
            Self::Cancel(id) => write!(f, "{} cancel", short(*id)),
            Self::List => write!(f, "list"),
            Self::Compare(off) => write!(f, "compare, off {off}"),
            Self::Wake(at) => write!(f, "wake at {at}"),
        }
    }
}
