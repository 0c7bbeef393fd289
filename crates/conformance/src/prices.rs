//! The suite of the price source: what [`evenkeel_ports::PriceSource`] promises, case by case.
//!
//! A source says nothing about what it was made from, so the rig does: what it should give, where that is known, and a source that is
//! broken in a known place.
//!
//! ```text
//! evenkeel_conformance::price_source_suite!(MyRig::new());
//! evenkeel_conformance::price_source_suite!(MyRig::new(), not_shown: [P04, P05]);
//! ```

use crate::suite::suite;
use crate::{Cannot, Check, Rig, Stop, expect};
use evenkeel_ports::{PriceSource, PriceSourceError, Wave};
use futures_util::FutureExt;

/// What a price source needs around it to be shown.
pub trait PriceSourceRig: Rig {
    /// A source at its beginning, which gives at least three waves and then ends. Each call gives the same waves.
    fn source(&self) -> Box<dyn PriceSource>;

    /// The waves that [`source`](Self::source) must give, written down apart from it.
    ///
    /// # Errors
    /// [`Cannot`] if there is nothing but the source to tell.
    fn truth(&self) -> Result<Vec<Wave>, Cannot>;

    /// A source that gives so many waves and then comes upon a fault, with more waves behind it.
    ///
    /// # Errors
    /// [`Cannot`] if such a source never fails.
    fn faulty(&self, waves: usize) -> Result<Box<dyn PriceSource>, Cannot>;
}

suite! { ($) price_source_suite in prices, "price source", dyn PriceSourceRig, 8;
    P01 "1" p01_waves_come_in_strictly_increasing_time "each wave is later than the one before",
    P02 "1" p02_each_symbol_once_in_symbol_order "within a wave each symbol appears at most once, in symbol order",
    P03 "2" p03_the_end_is_the_end "after the last wave there is none, however often it is asked",
    P04 "3" p04_after_a_fault_it_is_at_its_end "what comes before a fault is given, then one error, and then nothing",
    P05 "3" p05_a_fault_at_the_very_beginning "a source that is broken from the first says so, and is at its end",
    P06 "3" p06_nothing_is_invented_repaired_or_skipped "it gives exactly the waves and prices that it was made from",
    P07 "1" p07_the_same_twice "the same source, begun anew, gives the same waves",
    P08 "2" p08_a_dropped_ask_loses_no_wave "a call that is dropped before it was answered loses no wave",
}

/// More waves than any rig should need: one that never ends is found out.
const ENDLESS: usize = 100_000;

/// Every wave up to the end.
async fn all(source: &mut dyn PriceSource) -> Result<Vec<Wave>, Stop> {
    let mut waves = Vec::new();
    while let Some(wave) = next(source).await? {
        waves.push(wave);
        expect(waves.len() < ENDLESS, "the rig's source should end", waves.len())?;
    }
    expect(waves.len() >= 3, "the rig's source should give at least three waves", waves.len())?;
    Ok(waves)
}

async fn next(source: &mut dyn PriceSource) -> Result<Option<Wave>, Stop> {
    let broken = |error: PriceSourceError| Stop::Broken(format!("there is no fault, but the source gave {error:?}"));
    source.next_wave().await.map_err(broken)
}

/// However often it is asked, there must be nothing more.
async fn at_its_end(source: &mut dyn PriceSource, when: &str) -> Check {
    for _ in 0..3 {
        let answer = source.next_wave().await;
        expect(matches!(answer, Ok(None)), &format!("there should be no more waves after {when}"), answer)?;
    }
    Ok(())
}

/// Reads the source to its end and compares the time of each wave with that of the one before. Contract 1.
pub async fn p01_waves_come_in_strictly_increasing_time(rig: &dyn PriceSourceRig) -> Check {
    let waves = all(&mut *rig.source()).await?;
    for (before, after) in waves.iter().zip(waves.iter().skip(1)) {
        expect(before.at < after.at, &format!("the wave after {} should be later", before.at), after.at)?;
    }
    Ok(())
}

/// Reads the source to its end and looks at the symbols of each wave. Contract 1.
pub async fn p02_each_symbol_once_in_symbol_order(rig: &dyn PriceSourceRig) -> Check {
    for wave in all(&mut *rig.source()).await? {
        let sorted = wave.prices.is_sorted_by(|(left, _), (right, _)| left < right);
        expect(sorted, "each symbol of a wave should come once, in order", &wave)?;
    }
    Ok(())
}

/// Reads the source to its end, and asks three times more. Contract 2.
pub async fn p03_the_end_is_the_end(rig: &dyn PriceSourceRig) -> Check {
    let mut source = rig.source();
    all(&mut *source).await?;
    at_its_end(&mut *source, "the end").await
}

/// So many waves, then an error, then nothing.
async fn fails_after(rig: &dyn PriceSourceRig, waves: usize) -> Check {
    let mut source = rig.faulty(waves)?;
    for number in 1..=waves {
        let answer = source.next_wave().await;
        expect(
            matches!(answer, Ok(Some(_))),
            &format!("wave {number} comes before the fault and should be given"),
            answer,
        )?;
    }
    let answer = source.next_wave().await;
    let Err(error) = answer else {
        return Err(Stop::Broken(format!("after {waves} wave(s) comes a fault, but the source gave {answer:?}")));
    };
    expect(!error.source_name.is_empty(), "the error should say which source it is about", &error)?;
    at_its_end(&mut *source, "an error").await
}

/// Reads a source that breaks after two waves, and one that breaks after one; asks three times more after the error. Contract 3.
pub async fn p04_after_a_fault_it_is_at_its_end(rig: &dyn PriceSourceRig) -> Check {
    fails_after(rig, 2).await?;
    fails_after(rig, 1).await
}

/// Reads a source that breaks at once; asks three times more after the error. Contract 3.
pub async fn p05_a_fault_at_the_very_beginning(rig: &dyn PriceSourceRig) -> Check {
    fails_after(rig, 0).await
}

/// Reads the source to its end and compares it with the rig's truth, wave by wave: times, labels, symbols and prices. Contract 3.
pub async fn p06_nothing_is_invented_repaired_or_skipped(rig: &dyn PriceSourceRig) -> Check {
    let truth = rig.truth()?;
    let waves = all(&mut *rig.source()).await?;
    for (number, (given, expected)) in waves.iter().zip(&truth).enumerate() {
        expect(given == expected, &format!("wave {number}, counted from 0, should be {expected:?}"), given)?;
    }
    expect(waves.len() == truth.len(), &format!("there should be {} waves", truth.len()), waves.len())
}

/// Reads two sources of the rig to their ends and compares them. Contract 1.
pub async fn p07_the_same_twice(rig: &dyn PriceSourceRig) -> Check {
    let first = all(&mut *rig.source()).await?;
    let second = all(&mut *rig.source()).await?;
    expect(first == second, &format!("the waves should be {first:?} again"), second)
}

/// Reads a source while each ask is first dropped, before it began and after it was polled once; compares it with one read in peace.
/// Contract 2.
pub async fn p08_a_dropped_ask_loses_no_wave(rig: &dyn PriceSourceRig) -> Check {
    let expected = all(&mut *rig.source()).await?;
    let mut source = rig.source();
    let mut given = Vec::new();
    loop {
        drop(source.next_wave());
        // Polled once: what it answers at once was handed over, and what it does not must come with the next call.
        let answer = match source.next_wave().now_or_never() {
            Some(answer) => answer,
            None => source.next_wave().await,
        };
        match answer {
            Ok(Some(wave)) => given.push(wave),
            Ok(None) => break,
            Err(error) => return Err(Stop::Broken(format!("there is no fault, but the source gave {error:?}"))),
        }
        expect(given.len() <= expected.len(), "no wave should come twice", &given)?;
    }
    expect(given == expected, &format!("the waves should be {expected:?}, though some calls were dropped"), given)
}
