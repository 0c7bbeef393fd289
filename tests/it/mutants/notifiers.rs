//! Broken notifiers.

use super::{each_is_caught, let_others_go_on};
use async_trait::async_trait;
use evenkeel_conformance::notifier::{NotifierRig, report};
use evenkeel_conformance::{Cannot, Report, Rig};
use evenkeel_domain::alert::{Alert, AlertKind};
use evenkeel_domain::values::{PortfolioId, Sequence};
use evenkeel_memory::MemoryNotifier;
use evenkeel_ports::{Notifier, NotifyError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// What is wrong with a notifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Nothing,
    /// No flaw either: what an alert is known by may be used to tell of it only once.
    TellsOnce,
    OneBehind,
    ShowsOnlyTheLast,
    TellsOnlyOfStale,
    CutsLongTexts,
    DropsEmptyTexts,
    EscapesTwice,
    RefusesTheSameAgain,
    SwallowsErrors,
    NamesNoPortfolio,
    TakesWhatFailedForTold,
    KnowsAlertsBySequence,
    KnowsAlertsByPortfolio,
    DropsWhatComesMeanwhile,
}

#[derive(Clone)]
struct BrokenNotifier {
    flaw: Flaw,
    inner: MemoryNotifier,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    waiting: Option<Alert>,
    known: BTreeSet<(Option<PortfolioId>, Option<Sequence>)>,
    busy: bool,
}

impl BrokenNotifier {
    fn new(flaw: Flaw) -> Self {
        Self { flaw, inner: MemoryNotifier::new(), state: Arc::default() }
    }

    /// The alert, as the inner notifier is to know it.
    fn bent(&self, alert: &Alert) -> Alert {
        let text = match self.flaw {
            Flaw::CutsLongTexts => alert.text.chars().take(1_000).collect(),
            Flaw::EscapesTwice => alert.text.escape_debug().to_string(),
            _ => alert.text.clone(),
        };
        Alert { text, ..alert.clone() }
    }

    /// Whether nobody is told of it.
    fn drops(&self, alert: &Alert) -> bool {
        match self.flaw {
            Flaw::TellsOnlyOfStale => alert.kind != AlertKind::Stale,
            Flaw::DropsEmptyTexts => alert.text.is_empty(),
            _ => false,
        }
    }

    /// What the notifier knows the alert by, if it looks.
    fn key(&self, alert: &Alert) -> Option<(Option<PortfolioId>, Option<Sequence>)> {
        let (portfolio, sequence) = (alert.portfolio.clone(), alert.sequence);
        match self.flaw {
            Flaw::TellsOnce | Flaw::TakesWhatFailedForTold | Flaw::RefusesTheSameAgain => {
                Some((Some(portfolio), Some(sequence)))
            }
            Flaw::KnowsAlertsBySequence => Some((None, Some(sequence))),
            Flaw::KnowsAlertsByPortfolio => Some((Some(portfolio), None)),
            _ => None,
        }
    }
}

#[async_trait]
impl Notifier for BrokenNotifier {
    async fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        if self.drops(alert) {
            return Ok(());
        }
        let key = self.key(alert);
        if key.as_ref().is_some_and(|key| self.state.lock().unwrap().known.contains(key)) {
            let refused = NotifyError { portfolio: alert.portfolio.to_string(), message: "told already".to_owned() };
            return if self.flaw == Flaw::RefusesTheSameAgain { Err(refused) } else { Ok(()) };
        }
        match self.flaw {
            Flaw::OneBehind => {
                let before = self.state.lock().unwrap().waiting.replace(alert.clone());
                return match before {
                    Some(before) => self.inner.notify(&before).await,
                    None => Ok(()),
                };
            }
            Flaw::DropsWhatComesMeanwhile => {
                if std::mem::replace(&mut self.state.lock().unwrap().busy, true) {
                    return Ok(());
                }
                let_others_go_on().await;
                self.state.lock().unwrap().busy = false;
            }
            _ => {}
        }
        let answer = self.inner.notify(&self.bent(alert)).await;
        if answer.is_ok() || self.flaw == Flaw::TakesWhatFailedForTold {
            self.state.lock().unwrap().known.extend(key);
        }
        match self.flaw {
            Flaw::SwallowsErrors => Ok(()),
            Flaw::NamesNoPortfolio => answer.map_err(|error| NotifyError { portfolio: String::new(), ..error }),
            _ => answer,
        }
    }
}

impl Rig for BrokenNotifier {
    fn adapter(&self) -> String {
        format!("{:?}", self.flaw)
    }
}

impl NotifierRig for BrokenNotifier {
    fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(self.clone())
    }

    fn times_told(&self, alert: &Alert) -> Result<usize, Cannot> {
        let told = self.inner.alerts();
        let seen = if self.flaw == Flaw::ShowsOnlyTheLast { told.len().saturating_sub(1) } else { 0 };
        Ok(told[seen..].iter().filter(|told| *told == alert).count())
    }

    fn set_broken(&self, broken: bool) -> Result<(), Cannot> {
        self.inner.fail_next(if broken { usize::MAX } else { 0 });
        Ok(())
    }
}

fn report_of(flaw: Flaw) -> Report {
    report(|| Box::new(BrokenNotifier::new(flaw)))
}

#[test]
fn without_a_flaw_every_case_passes() {
    for flaw in [Flaw::Nothing, Flaw::TellsOnce] {
        let report = report_of(flaw);
        assert_eq!(report.count("passed"), report.cases.len(), "{report}");
    }
}

#[test]
fn each_broken_notifier_is_caught() {
    each_is_caught(
        &[
            (Flaw::OneBehind, "N01"),
            (Flaw::ShowsOnlyTheLast, "N01"),
            (Flaw::KnowsAlertsByPortfolio, "N01"),
            (Flaw::TellsOnlyOfStale, "N02"),
            (Flaw::CutsLongTexts, "N02"),
            (Flaw::DropsEmptyTexts, "N02"),
            (Flaw::EscapesTwice, "N02"),
            (Flaw::RefusesTheSameAgain, "N03"),
            (Flaw::SwallowsErrors, "N04"),
            (Flaw::NamesNoPortfolio, "N04"),
            (Flaw::TakesWhatFailedForTold, "N05"),
            (Flaw::SwallowsErrors, "N05"),
            (Flaw::KnowsAlertsBySequence, "N06"),
            (Flaw::DropsWhatComesMeanwhile, "N06"),
        ],
        report_of,
    );
}
