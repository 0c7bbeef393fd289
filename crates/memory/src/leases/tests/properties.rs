//! The lease store against a model of it that is too simple to be wrong.

use super::{Ask, TERMS, ask, store};
use crate::testing::{at, portfolio};
use proptest::prelude::*;

const OWNERS: [&str; 3] = ["alice", "bob", "carol"];

/// Every lease that was ever granted, in order: its token is its place, counted from 1.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    grants: Vec<Grant>,
}

#[derive(Debug)]
struct Grant {
    owner: &'static str,
    granted: u64,
    renewed: u64,
    released: bool,
}

impl Grant {
    fn until(&self) -> u64 {
        let expiry = self.granted.saturating_add(TERMS.expiry.as_secs());
        expiry.min(self.renewed.saturating_add(TERMS.heartbeat.as_secs()))
    }

    fn is_held(&self, now: u64) -> bool {
        !self.released && now < self.until()
    }
}

impl Model {
    fn ask(&mut self, who: &'static str, what: Ask) -> String {
        let now = self.now;
        let token = match what {
            Ask::Acquire => {
                if let Some(held) = self.held().first() {
                    return format!("{} until {}", held.owner, held.until());
                }
                self.grants.push(Grant { owner: who, granted: now, renewed: now, released: false });
                return format!("token {}", self.grants.len());
            }
            Ask::Renew(token) | Ask::Release(token) => token,
        };
        let numbered = (1..).zip(&mut self.grants).find(|(number, _)| *number == token);
        match numbered.map(|(_, grant)| grant).filter(|grant| grant.owner == who && grant.is_held(now)) {
            Some(grant) if matches!(what, Ask::Release(_)) => grant.released = true,
            Some(grant) => grant.renewed = now,
            None => return "not held".to_owned(),
        }
        "done".to_owned()
    }

    fn held(&self) -> Vec<&Grant> {
        self.grants.iter().filter(|grant| grant.is_held(self.now)).collect()
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u64),
    Ask(&'static str, Ask),
    /// The one with the last lease gives a sign of life.
    Heartbeat,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || prop::sample::select(&OWNERS[..]);
    let step = prop_oneof![
        4 => (0..15_u64).prop_map(Step::Wait),
        4 => who().prop_map(|who| Step::Ask(who, Ask::Acquire)),
        1 => (who(), 0..6_u64).prop_map(|(who, token)| Step::Ask(who, Ask::Renew(token))),
        2 => (who(), 0..6_u64).prop_map(|(who, token)| Step::Ask(who, Ask::Release(token))),
        4 => Just(Step::Heartbeat),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn it_answers_as_the_model_does(steps in steps()) {
        let (clock, leases) = store();
        let mut model = Model::default();
        let mut last_token = 0;
        for step in steps {
            let (who, what) = match step {
                Step::Wait(seconds) => {
                    model.now = model.now.saturating_add(seconds);
                    clock.advance_to(at(model.now));
                    continue;
                }
                Step::Ask(who, what) => (who, what),
                Step::Heartbeat => {
                    let Some((number, last)) = (1..).zip(&model.grants).last() else { continue };
                    (last.owner, Ask::Renew(number))
                }
            };
            let answer = ask(&leases, who, what);
            prop_assert_eq!(&answer, &model.ask(who, what), "{} {:?}", who, what);

            // What must hold, whatever the model says: one holder, and every token larger than all before.
            let held = model.held();
            prop_assert!(held.len() <= 1, "{:?}", held);
            let holder = leases.holder(&portfolio("growth")).map(|lease| lease.owner.to_string());
            prop_assert_eq!(holder.as_deref(), held.first().map(|grant| grant.owner));
            if let Some(token) = answer.strip_prefix("token ") {
                let token: u64 = token.parse().unwrap();
                prop_assert!(token > last_token);
                last_token = token;
            }
        }
    }
}
