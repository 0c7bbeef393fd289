//! The suite of the notifier: what [`evenkeel_ports::Notifier`] promises, case by case.
//!
//! The rig reads what a person was told; how that looks is the adapter's business, and only has to be recognised again.
//!
//! ```text
//! evenkeel_conformance::notifier_suite!(MyRig::new());
//! evenkeel_conformance::notifier_suite!(MyRig::new(), not_shown: [N04]);
//! ```

use crate::suite::suite;
use crate::{Cannot, Check, Rig, Stop, expect};
use evenkeel_domain::alert::{Alert, AlertKind};
use evenkeel_domain::order::BatchId;
use evenkeel_domain::values::{PortfolioId, Sequence, Timestamp};
use evenkeel_ports::Notifier;
use futures_util::future::join_all;
use std::sync::Arc;

/// What a notifier needs around it to be shown.
pub trait NotifierRig: Rig {
    /// The notifier.
    fn notifier(&self) -> Arc<dyn Notifier>;

    /// How often a person was told of this alert: of exactly this portfolio, sequence and text.
    ///
    /// # Errors
    /// [`Cannot`] if the rig does not see what the person sees.
    fn times_told(&self, alert: &Alert) -> Result<usize, Cannot>;

    /// Makes the way to the person fail, or work again.
    ///
    /// # Errors
    /// [`Cannot`] if the rig has no hold of it.
    fn set_broken(&self, broken: bool) -> Result<(), Cannot>;
}

suite! { ($) notifier_suite in notifier, "notifier", dyn NotifierRig, 6;
    N01 "1" n01_ok_means_told "an alert that was taken has reached the person when the answer comes",
    N02 "1" n02_every_kind_is_told "every kind of alert is told, whatever its text, with a batch and without",
    N03 "2" n03_the_same_alert_may_come_again "an alert that is given again is taken again",
    N04 "1" n04_a_broken_way_is_an_error "if the person cannot be told, the answer is an error that names the portfolio",
    N05 "2" n05_after_an_error_it_is_told "an alert that failed is told when it is given again, once the way works",
    N06 "1" n06_many_at_once_are_all_told "of alerts that are given at once, every one is told",
}

fn alert(about: &str, sequence: u64, kind: AlertKind, text: &str) -> Result<Alert, Stop> {
    let portfolio: PortfolioId =
        about.parse().map_err(|error| Stop::Broken(format!("this suite is wrong: {error}")))?;
    let batch = sequence.is_multiple_of(2).then(|| BatchId::from_u128(u128::from(sequence)));
    Ok(Alert { portfolio, sequence: Sequence::new(sequence), at: Timestamp::EPOCH, kind, batch, text: text.to_owned() })
}

/// The notifier must take the alert.
async fn tell(rig: &dyn NotifierRig, alert: &Alert) -> Check {
    let answer = rig.notifier().notify(alert).await;
    expect(answer.is_ok(), &format!("the way works, so {alert:?} should be taken"), answer)
}

/// The person must have been told, at least once.
fn told(rig: &dyn NotifierRig, alert: &Alert) -> Check {
    let times = rig.times_told(alert)?;
    expect(times > 0, &format!("the person should have been told of {alert:?}"), times)
}

/// Tells two alerts of a portfolio, one after the other, and counts what the person saw before and after each. Contract 1.
pub async fn n01_ok_means_told(rig: &dyn NotifierRig) -> Check {
    let first = alert("growth", 1, AlertKind::Stale, "stale: a leg failed")?;
    let times = rig.times_told(&first)?;
    expect(times == 0, "nobody should have been told before", times)?;
    tell(rig, &first).await?;
    told(rig, &first)?;
    let second = alert("growth", 2, AlertKind::Quarantined, "quarantined: cash differs")?;
    tell(rig, &second).await?;
    told(rig, &second)?;
    told(rig, &first)
}

/// Tells three kinds of alert in five texts each: plain, empty, with marks, beyond ASCII, and of five thousand characters. Contract 1.
pub async fn n02_every_kind_is_told(rig: &dyn NotifierRig) -> Check {
    let kinds = [AlertKind::Stale, AlertKind::Quarantined, AlertKind::LateFill];
    let long = "very ".repeat(1_000);
    let texts = ["plain", "", "quote \" and \\ and % and {}", "é 漢 🦀", long.as_str()];
    let mut sequence = 0_u64;
    for kind in kinds {
        for text in texts {
            sequence = sequence.saturating_add(1);
            let alert = alert("growth", sequence, kind, text)?;
            tell(rig, &alert).await?;
            told(rig, &alert)?;
        }
    }
    Ok(())
}

/// Tells one alert three times. Contract 2.
pub async fn n03_the_same_alert_may_come_again(rig: &dyn NotifierRig) -> Check {
    let alert = alert("growth", 1, AlertKind::Stale, "stale: a leg failed")?;
    for _ in 0..3 {
        tell(rig, &alert).await?;
    }
    told(rig, &alert)
}

/// Breaks the way to the person and tells an alert. Contract 1.
pub async fn n04_a_broken_way_is_an_error(rig: &dyn NotifierRig) -> Check {
    rig.set_broken(true)?;
    let alert = alert("growth", 1, AlertKind::Stale, "stale: a leg failed")?;
    let answer = rig.notifier().notify(&alert).await;
    let Err(error) = answer else {
        return Err(Stop::Broken("the person cannot be told, but the answer was Ok".to_owned()));
    };
    expect(error.portfolio == "growth", "the error should name the portfolio", error)
}

/// Breaks the way, tells an alert in vain, mends the way and tells it again. Contract 2.
pub async fn n05_after_an_error_it_is_told(rig: &dyn NotifierRig) -> Check {
    rig.set_broken(true)?;
    let alert = alert("growth", 1, AlertKind::Stale, "stale: a leg failed")?;
    let answer = rig.notifier().notify(&alert).await;
    expect(answer.is_err(), "the person cannot be told, so the answer should be an error", answer)?;
    rig.set_broken(false)?;
    tell(rig, &alert).await?;
    told(rig, &alert)
}

/// Tells twenty alerts at once that differ in portfolio or in sequence. Contract 1.
pub async fn n06_many_at_once_are_all_told(rig: &dyn NotifierRig) -> Check {
    let notifier = rig.notifier();
    let alerts = (1..=20_u64).map(|number| {
        // Told apart by portfolio alone, by sequence alone, or by both; by these two an alert is known.
        let about = if number.is_multiple_of(2) { "income" } else { "growth" };
        alert(about, number.div_ceil(2), AlertKind::Stale, &format!("number {number}"))
    });
    let alerts = alerts.collect::<Result<Vec<Alert>, Stop>>()?;
    for answer in join_all(alerts.iter().map(|alert| notifier.notify(alert))).await {
        expect(answer.is_ok(), "each of many alerts given at once should be taken", answer)?;
    }
    alerts.iter().try_for_each(|alert| told(rig, alert))
}
