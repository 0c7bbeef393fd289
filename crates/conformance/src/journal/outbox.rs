//! The outbox: contract 8.

use super::JournalRig;
use super::model::{Model, pending, readable};
use super::samples::{alert, note, notes};
use crate::{Check, Stop, expect};
use evenkeel_domain::alert::Alert;
use evenkeel_domain::values::Sequence;
use evenkeel_ports::Commit;

/// Six alerts of two portfolios, in the order of their commits: growth 1, income 1, growth 2, income 2 …
async fn six(rig: &dyn JournalRig) -> Result<Vec<Alert>, Stop> {
    let mut models = [Model::of("growth")?, Model::of("income")?];
    let mut alerts = Vec::new();
    for number in 1..=3 {
        for model in &mut models {
            let warning = alert(&model.portfolio, number, "an alert of");
            alerts.push(warning.clone());
            model.write_all(rig, Commit { alerts: vec![warning], ..model.next(1, notes(0, 1)?) }).await?;
        }
    }
    Ok(alerts)
}

async fn acknowledge(rig: &dyn JournalRig, alert: &Alert) -> Check {
    let answer = rig.journal().acknowledge_alert(alert).await;
    expect(answer.is_ok(), "it should be possible to acknowledge an alert", answer)
}

/// Writes six alerts of two portfolios by turns, and asks for them twice. Contract 8.
pub async fn j31_alerts_are_pending_in_order(rig: &dyn JournalRig) -> Check {
    let alerts = six(rig).await?;
    let all: Vec<&Alert> = alerts.iter().collect();
    pending(rig, &all, "six commits with an alert each").await?;
    pending(rig, &all, "asking for them before").await
}

/// With six alerts pending, asks for at most 0, 1, 4, 6 and 7. Contract 8.
pub async fn j32_the_limit_takes_the_oldest(rig: &dyn JournalRig) -> Check {
    let alerts = six(rig).await?;
    the_oldest(rig, &alerts.iter().collect::<Vec<_>>(), &[0, 1, 4, 6, 7]).await
}

/// Asked for so many of these, the journal must give the oldest.
async fn the_oldest(rig: &dyn JournalRig, pending: &[&Alert], limits: &[usize]) -> Check {
    for &limit in limits {
        let given = readable(rig.journal().pending_alerts(limit).await)?;
        let expected = pending.iter().copied().take(limit);
        let promise =
            format!("at most {limit} should be given, the oldest: {:?}", expected.clone().collect::<Vec<_>>());
        expect(given.iter().eq(expected), &promise, &given)?;
    }
    Ok(())
}

/// Acknowledges six alerts one by one, neither oldest nor newest first. Contract 8.
pub async fn j33_an_acknowledged_alert_is_gone(rig: &dyn JournalRig) -> Check {
    let alerts = six(rig).await?;
    let mut left: Vec<&Alert> = alerts.iter().collect();
    // Neither oldest nor newest first. The two with this number differ by portfolio only.
    for place in [3, 0, 3, 1, 1, 0] {
        if place < left.len() {
            acknowledge(rig, left.remove(place)).await?;
            pending(rig, &left, "one more was acknowledged").await?;
        }
    }
    Ok(())
}

/// Acknowledges one alert three times, one that never was, and one in other words than it was written in. Contract 8.
pub async fn j34_acknowledging_twice_changes_nothing(rig: &dyn JournalRig) -> Check {
    let alerts = six(rig).await?;
    let (Some(first), left) = (alerts.first(), alerts.iter().skip(1).collect::<Vec<_>>()) else {
        return Err(Stop::Broken("this suite is wrong: there are six alerts".to_owned()));
    };
    for _ in 0..3 {
        acknowledge(rig, first).await?;
        pending(rig, &left, "the first was acknowledged, and acknowledged again").await?;
    }
    // Known by portfolio and sequence: this one never was.
    acknowledge(rig, &Alert { sequence: Sequence::new(99), ..first.clone() }).await?;
    pending(rig, &left, "one that never was is acknowledged").await?;
    let Some((second, left)) = left.split_first() else { return Ok(()) };
    acknowledge(rig, &Alert { text: "in other words".to_owned(), ..Alert::clone(second) }).await?;
    pending(rig, left, "the second was acknowledged in other words").await
}

/// Acknowledges one of six alerts before each of two restarts. Contract 8.
pub async fn j35_alerts_survive_a_restart(rig: &dyn JournalRig) -> Check {
    let alerts = six(rig).await?;
    let mut left: Vec<&Alert> = alerts.iter().collect();
    acknowledge(rig, left.remove(2)).await?;
    rig.restart()?;
    pending(rig, &left, "a restart").await?;
    acknowledge(rig, left.remove(0)).await?;
    rig.restart()?;
    pending(rig, &left, "another restart").await
}

/// Writes six alerts and acknowledges every second, twice, before the next is written. Contract 8.
pub async fn j36_an_acknowledged_alert_stays_gone(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    let mut left = Vec::new();
    for number in 1..=6 {
        let warning = alert(&model.portfolio, number, "an alert of");
        model.write_all(rig, Commit { alerts: vec![warning.clone()], ..model.next(number, notes(0, 1)?) }).await?;
        if number % 2 == 0 {
            acknowledge(rig, &warning).await?;
            acknowledge(rig, &warning).await?;
        } else {
            left.push(warning);
        }
        pending(rig, &left.iter().collect::<Vec<_>>(), "every second alert was acknowledged").await?;
    }
    Ok(())
}

/// Writes 300 alerts in commits of one and of several, acknowledges every third, and asks for none up to all of what is left. Contract 8.
pub async fn j44_hundreds_of_alerts_are_pending(rig: &dyn JournalRig) -> Check {
    let mut model = Model::of("growth")?;
    let mut written = Vec::new();
    for (first, last) in [(1, 1), (2, 100), (101, 300)] {
        let alerts: Vec<Alert> = (first..=last).map(|number| alert(&model.portfolio, number, "an alert of")).collect();
        let records = alerts.iter().map(|_| note(0)).collect::<Result<_, Stop>>()?;
        written.extend(alerts.iter().cloned());
        model.write_all(rig, Commit { alerts, ..model.next(1, records) }).await?;
    }
    pending(rig, &written.iter().collect::<Vec<_>>(), "300 alerts were written").await?;
    let (done, left): (Vec<_>, Vec<_>) = written.iter().partition(|alert| alert.sequence.get() % 3 == 0);
    for alert in done {
        acknowledge(rig, alert).await?;
    }
    pending(rig, &left, "every third of 300 alerts was acknowledged").await?;
    the_oldest(rig, &left, &[0, 1, 63, 64, 65, 127, 128, 129, 199, 200]).await
}
