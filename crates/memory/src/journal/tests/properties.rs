//! The journal against a model of it that is too simple to be wrong, and the two retentions against each other.

use super::story::{Chapter, Ending, tell};
use super::{BOTH, commit, head, journal, pending, put, read, records};
use crate::Retention;
use crate::testing::{alert, portfolio, ready};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::apply::{apply, replay};
use evenkeel_domain::portfolio::Portfolio;
use evenkeel_domain::record::{Movement, Record};
use evenkeel_domain::values::{PortfolioId, Sequence};
use evenkeel_ports::{Commit, Entry, Journal};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Everything that was written: per portfolio the letters and tokens of its records, and the alerts of all.
#[derive(Debug, Default)]
struct Model {
    written: BTreeMap<&'static str, Vec<(char, u64)>>,
    alerts: Vec<(Alert, bool)>,
}

impl Model {
    fn head(&self, about: &str) -> (u64, u64) {
        let written = self.written.get(about).map_or(&[][..], Vec::as_slice);
        let sequence = u64::try_from(written.len()).unwrap();
        (sequence, written.iter().map(|(_, token)| *token).max().unwrap_or(0))
    }

    fn is_open(letters: impl IntoIterator<Item = char>) -> Option<bool> {
        let mut open = false;
        for letter in letters {
            match letter {
                'o' | 'r' if open => return None,
                'o' | 'r' => open = true,
                'c' => open = false,
                _ => {}
            }
        }
        Some(open)
    }

    fn letters(&self, about: &str) -> Vec<char> {
        self.written.get(about).into_iter().flatten().map(|(letter, _)| *letter).collect()
    }

    fn put(&mut self, about: &'static str, expected: u64, token: u64, letters: &str, alerts: &[Alert]) -> String {
        let (sequence, fence) = self.head(about);
        let all = self.letters(about).into_iter().chain(letters.chars());
        if token < fence {
            return format!("fenced {sequence}/{fence}");
        }
        if expected != sequence || Self::is_open(all).is_none() {
            return format!("conflict {sequence}/{fence}");
        }
        if letters.is_empty() {
            return "failed: a commit needs at least one record".to_owned();
        }
        self.written.entry(about).or_default().extend(letters.chars().map(|letter| (letter, token)));
        for alert in alerts {
            let key = |alert: &Alert| (alert.portfolio.clone(), alert.sequence);
            if !self.alerts.iter().any(|(known, _)| key(known) == key(alert)) {
                self.alerts.push((alert.clone(), false));
            }
        }
        "committed".to_owned()
    }
}

#[derive(Debug, Clone)]
enum Op {
    Commit { about: &'static str, ahead: u64, token: u64, letters: String, alerts: Vec<u64> },
    Acknowledge { about: &'static str, sequence: u64 },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let about = || prop::sample::select(&["growth", "income"][..]);
    // Mostly what will be written; one too few or too many now and then.
    let ahead = prop_oneof![1 => Just(0), 8 => Just(1), 1 => Just(2)];
    let token = prop_oneof![6 => Just(3_u64), 2 => 0..6_u64];
    let alerts = prop::collection::vec(0..6_u64, 0..3);
    let op = prop_oneof![
        5 => (about(), ahead, token, "[ocr.]{0,4}", alerts)
            .prop_map(|(about, ahead, token, letters, alerts)| Op::Commit { about, ahead, token, letters, alerts }),
        1 => (about(), 0..6_u64).prop_map(|(about, sequence)| Op::Acknowledge { about, sequence }),
    ];
    prop::collection::vec(op, 0..40)
}

fn chapters() -> impl Strategy<Value = Vec<Chapter>> {
    let kind = prop::sample::select(&[Movement::Deposit, Movement::Withdrawal][..]);
    let ending = [Ending::Abandoned, Ending::Completed, Ending::Accepted, Ending::Retried];
    let chapter = prop_oneof![
        1 => (kind, 1..20_000_i64).prop_map(|(kind, cents)| Chapter::Cash { kind, cents }),
        2 => prop::sample::select(ending.to_vec()).prop_map(Chapter::Batch),
    ];
    prop::collection::vec(chapter, 0..8)
}

fn replayed(entries: &[Entry]) -> Portfolio {
    replay(Portfolio::new(portfolio("growth")), entries.iter().map(|entry| &entry.record)).unwrap()
}

proptest! {
    #[test]
    fn it_answers_as_the_model_does(ops in ops()) {
        for retention in BOTH {
            let journal = journal(retention);
            let mut model = Model::default();
            for op in &ops {
                match op {
                    Op::Commit { about, ahead, token, letters, alerts } => {
                        let (sequence, _) = model.head(about);
                        let Some(expected) = sequence.saturating_add(*ahead).checked_sub(1) else { continue };
                        let alerts: Vec<Alert> = alerts.iter().map(|sequence| alert(about, *sequence)).collect();
                        let outcome = model.put(about, expected, *token, letters, &alerts);
                        let commit = Commit { alerts, ..commit(about, expected, *token, records(letters)) };
                        prop_assert_eq!(put(&journal, commit), outcome, "{:?} {:?}", retention, op);
                    }
                    Op::Acknowledge { about, sequence } => {
                        let alert = alert(about, *sequence);
                        ready(journal.acknowledge_alert(&alert)).unwrap();
                        model.alerts.iter_mut().filter(|(known, _)| *known == alert).for_each(|(_, done)| *done = true);
                    }
                }
                let undelivered = model.alerts.iter().filter(|(_, done)| !done).map(|(alert, _)| alert.clone());
                prop_assert_eq!(pending(&journal, usize::MAX), undelivered.collect::<Vec<_>>());
                for about in ["growth", "income"] {
                    prop_assert_eq!(head(&journal, about), model.head(about));
                }
            }
            for (about, written) in &model.written {
                // They fit no portfolio, so that nothing can be folded: what is read is what was written.
                let letters: String = written.iter().map(|(letter, _)| *letter).collect();
                prop_assert_eq!(journal.records(&portfolio(about)), records(&letters));
                let places = read(&journal, about, 0).into_iter().map(|entry| (entry.sequence.get(), entry.token.get()));
                let expected = (1..).zip(written).map(|(sequence, (_, token))| (sequence, *token));
                prop_assert_eq!(places.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            }
            let open = model.written.keys().filter(|about| Model::is_open(model.letters(about)) == Some(true));
            let open: Vec<PortfolioId> = open.map(|about| portfolio(about)).collect();
            prop_assert_eq!(ready(journal.open_batches()), Ok(open));
            prop_assert_eq!(ready(journal.portfolios()), Ok(model.written.keys().map(|about| portfolio(about)).collect()));
        }
    }

    #[test]
    fn everything_and_latest_state_replay_to_the_same(chapters in chapters(), from in any::<prop::sample::Index>()) {
        let pages = tell(&chapters);
        let from = from.index(pages.len());
        let (everything, latest) = (journal(Retention::Everything), journal(Retention::LatestState));
        let mut sequence = 0;
        let mut behind: Option<Portfolio> = None;
        for (number, page) in pages.iter().enumerate() {
            for journal in [&everything, &latest] {
                let token = page.after.token.get();
                prop_assert_eq!(put(journal, commit("growth", sequence, token, page.records.clone())), "committed");
            }
            sequence = page.after.sequence.get();
            prop_assert_eq!(head(&everything, "growth"), head(&latest, "growth"));
            prop_assert_eq!(ready(everything.open_batches()), ready(latest.open_batches()));

            let (all, kept) = (read(&everything, "growth", 0), read(&latest, "growth", 0));
            prop_assert_eq!(&replayed(&all), &page.after);
            prop_assert_eq!(&replayed(&kept), &page.after);
            prop_assert_eq!(kept.last().map(|entry| entry.sequence), Some(Sequence::new(sequence)));
            let (_, tail) = kept.split_first().unwrap();
            prop_assert!(all.ends_with(tail), "what is not folded is as it was written");

            // A reader that stopped somewhere and reads on ends where the others are.
            if let Some(behind) = &mut behind {
                let news: Vec<Record> = read(&latest, "growth", behind.sequence.get()).into_iter().map(|e| e.record).collect();
                news.iter().try_for_each(|record| apply(behind, record)).unwrap();
                prop_assert_eq!(&*behind, &page.after);
            }
            if number >= from && number % 3 == 0 {
                behind = Some(page.after.clone());
            }
        }
    }
}
