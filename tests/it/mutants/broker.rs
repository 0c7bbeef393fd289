//! Brokers that are broken on purpose, and the case of the suite that finds each.

mod adapter;
mod blind;
mod flaw;
#[path = "../../../crates/banchile/tests/rig/mod.rs"]
mod rig;

use adapter::Adapter;
use evenkeel_banchile::{Latency, Profile, Sessions};
use evenkeel_conformance::{Verdict, broker};
use evenkeel_domain::values::Lot;
use flaw::Flaw;
use rig::SimulatedRig;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What each flaw must be found by, whatever else finds it too.
const FLAWS: &[(Flaw, &str)] = &[
    (Flaw::ForgetsFees, "C01"),
    (Flaw::BooksNoFees, "C01"),
    (Flaw::KeepsReservations, "C01"),
    (Flaw::KeepsReservations, "C27"),
    (Flaw::KeepsReservations, "C55"),
    (Flaw::ReadsPricesToTheCent, "C01"),
    (Flaw::ReadsPricesToTheCent, "C03"),
    (Flaw::ReadsPricesToTheCent, "C26"),
    (Flaw::ChangesItsMind, "C01"),
    (Flaw::TellsAnotherCurrency, "C01"),
    (Flaw::TellsItIsBlocked, "C01"),
    (Flaw::TellsNoTime, "C01"),
    (Flaw::TellsTomorrow, "C01"),
    (Flaw::TellsFillsWithoutTime, "C01"),
    (Flaw::TellsFillsOfTomorrow, "C01"),
    (Flaw::ListsWhatHasEnded, "C01"),
    (Flaw::LeavesDust, "C03"),
    (Flaw::MakesTwoOfOneId, "C04"),
    (Flaw::TakesOtherTermsForTheSame, "C05"),
    (Flaw::FreesTheIdOnceFilled, "C06"),
    (Flaw::Races, "C07"),
    (Flaw::CutsIds, "C08"),
    (Flaw::RefusedOnTimeout, "C09"),
    (Flaw::RetriesInSilence, "C09"),
    (Flaw::AbsentThoughThere, "C09"),
    (Flaw::NotSentOnTimeout, "C10"),
    (Flaw::AbsentAtTheFirstLook, "C10"),
    (Flaw::DeclaresTooShortAQuiescence, "C10"),
    (Flaw::CountsTheHorizonFromItsStart, "C10"),
    (Flaw::CountsTheHorizonFromTheFirstSend, "C10"),
    (Flaw::Retries, "C10"),
    (Flaw::UnknownWhenUnreachable, "C13"),
    (Flaw::SendsAnotherWhenUnsure, "C14"),
    (Flaw::DeclaresNothingForTheWay, "C14"),
    (Flaw::HammersTheLimit, "C15"),
    (Flaw::HidesTheLimit, "C15"),
    (Flaw::LosesEveryTenth, "C16"),
    (Flaw::GivesCredit, "C18"),
    (Flaw::HidesItsCollar, "C18"),
    (Flaw::DeclaresSmallCosts, "C18"),
    (Flaw::DeclaresSmallCosts, "C25"),
    (Flaw::SellsShort, "C19"),
    (Flaw::RefusesSmallExits, "C20"),
    (Flaw::ChecksNothing, "C20"),
    (Flaw::DeclaresTooLowAMinimum, "C20"),
    (Flaw::FloorsToLots, "C21"),
    (Flaw::FloorsTheSecond, "C21"),
    (Flaw::RefusesOddExits, "C21"),
    (Flaw::CrossesItself, "C23"),
    (Flaw::UnknownWhenHalted, "C24"),
    (Flaw::CountsInFloats, "C25"),
    (Flaw::AddsUpCumulativeFills, "C26"),
    (Flaw::ListsNotEveryFill, "C26"),
    (Flaw::BooksEachFill, "C26"),
    (Flaw::DropsThePartOnCancel, "C27"),
    (Flaw::ListsNoPartlyFilled, "C27"),
    (Flaw::NoOrderAfterAPart, "C27"),
    (Flaw::CannotCancelTwice, "C28"),
    (Flaw::CancelsEverything, "C28"),
    (Flaw::CanceledAfterTheFill, "C29"),
    (Flaw::EndsWithTheCancel, "C30"),
    (Flaw::DropsTheLateFill, "C31"),
    (Flaw::LostCancelIsNoOrder, "C32"),
    (Flaw::DeclaresTooShortAQuiescence, "C32"),
    (Flaw::NoOrderIsUnknown, "C33"),
    (Flaw::AbsentInAnOutage, "C34"),
    (Flaw::EmptyInAnOutage, "C34"),
    (Flaw::NoAccountInAnOutage, "C34"),
    (Flaw::RefusedForWantOfAnAnswer, "C34"),
    (Flaw::NoOrderForWantOfAnAnswer, "C34"),
    (Flaw::NewFillIdEachTime, "C35"),
    (Flaw::NumbersFillsByOrder, "C35"),
    (Flaw::MistakesTheSide, "C35"),
    (Flaw::FirstPageIsAll, "C38"),
    (Flaw::FirstOpenOrdersAreAll, "C38"),
    (Flaw::PagesUntilItFails, "C38"),
    (Flaw::FillsAtNight, "C40"),
    (Flaw::WorksThoughExpired, "C40"),
    (Flaw::FilledThoughExpired, "C40"),
    (Flaw::TellsTheEndTooEarly, "C40"),
    (Flaw::TellsTheEndTooLate, "C40"),
    (Flaw::TellsAnEndAtNight, "C40"),
    (Flaw::SettlesAtOnce, "C42"),
    (Flaw::SettlesWhatIsFree, "C42"),
    (Flaw::SettlesAllWhileBuying, "C42"),
    (Flaw::SettlesTooEarly, "C42"),
    (Flaw::OffersReservedCash, "C43"),
    (Flaw::SpendsWhatIsReserved, "C43"),
    (Flaw::GivesCredit, "C43"),
    (Flaw::SellsShort, "C43"),
    (Flaw::OffersReservedUnits, "C43"),
    (Flaw::EndsOnUnknownStatus, "C46"),
    (Flaw::GuessesUnknownStatus, "C46"),
    (Flaw::PanicsOnUnknownStatus, "C46"),
    (Flaw::ReadsOldPositions, "C48"),
    (Flaw::ReadsOldCash, "C48"),
    (Flaw::WorksThoughRejected, "C51"),
    (Flaw::BooksEachFill, "C52"),
    (Flaw::ReadsPricesToTheCent, "C52"),
    (Flaw::AveragesPrices, "C52"),
    (Flaw::AddsUpAfterACursor, "C52"),
    (Flaw::TellsTheFirstTime, "C52"),
    (Flaw::KnowsEveryAccount, "C53"),
    (Flaw::RefusedOnGibberish, "C54"),
    (Flaw::FilledThoughExpired, "C55"),
    (Flaw::WorksThoughExpired, "C55"),
    (Flaw::DropsThePartOnExpiry, "C55"),
    (Flaw::UnknownOnOddRefusals, "C56"),
    (Flaw::RefusesWithoutWords, "C56"),
    (Flaw::GuessesTheRefusal, "C56"),
    (Flaw::UnprovenWithoutItsFills, "C57"),
    (Flaw::NothingFilledWithoutItsFills, "C57"),
    (Flaw::TakesAnUnsentCancel, "C58"),
    (Flaw::UnknownWhenACancelIsUnsent, "C58"),
    (Flaw::ListsNoSells, "C59"),
    (Flaw::ListsNothingBeingCanceled, "C59"),
    (Flaw::EndsWithTheCancel, "C59"),
    (Flaw::NotesSendsOnceAnswered, "C60"),
    (Flaw::ReadsFillsByTheirTime, "C61"),
    (Flaw::HidesThatItIsBlocked, "C62"),
    (Flaw::HidesWhatOthersTrade, "C63"),
    (Flaw::ClaimsWhatOthersTrade, "C63"),
    (Flaw::FindsOnlyItsOwn, "C37"),
    (Flaw::CancelsOnlyItsOwn, "C37"),
    (Flaw::ListsOnlyItsOwn, "C37"),
    (Flaw::NotesSendsOnceAnswered, "C37"),
    (Flaw::ListsTwice, "C27"),
    (Flaw::ListsNothingFilled, "C27"),
    (Flaw::AlreadyExistsForWantOfAnAnswer, "C34"),
    (Flaw::OpensAnHourLate, "C40"),
    (Flaw::ListsNoPromisedUnits, "C43"),
    (Flaw::ExemptsEverySale, "C21"),
];

/// What is rounded wrongly must be found also where units are whole, and no spread makes odd prices of even ones.
fn profile(flaw: Flaw, case: &str) -> Profile {
    let whole_units = Lot::new("1".parse().unwrap()).unwrap();
    match flaw {
        Flaw::BooksEachFill | Flaw::ReadsPricesToTheCent | Flaw::AveragesPrices => {
            Profile { lot: whole_units, ..Profile::ideal() }
        }
        Flaw::TellsTheEndTooEarly | Flaw::TellsTheEndTooLate | Flaw::TellsAnEndAtNight => {
            let hour = |hour: u64| Duration::from_secs(hour * 3_600);
            let sessions = Sessions { opens: hour(9), closes: hour(18), early: BTreeMap::new() };
            Profile { sessions: Some(sessions), ..Profile::calm() }
        }
        Flaw::ReadsFillsByTheirTime => {
            Profile { visibility_lag: Latency::exactly(Duration::from_millis(50)), ..Profile::calm() }
        }
        _ if case == "C21" => Profile { lot: whole_units, ..Profile::calm() },
        _ => Profile { lot: Lot::FINEST, ..Profile::calm() },
    }
}

fn verdict(flaw: Flaw, case: &str) -> Verdict {
    let rig = SimulatedRig::new(profile(flaw, case), move |ours| Arc::new(Adapter::new(ours, flaw)));
    broker::run_case(&rig, case)
}

#[test]
fn each_broken_broker_is_found_by_its_case() {
    let found = |verdict: &Verdict| matches!(verdict, Verdict::Failed { .. });
    let escaped: Vec<String> = FLAWS
        .iter()
        .map(|(flaw, case)| (flaw, case, verdict(*flaw, case)))
        .filter(|(.., verdict)| !found(verdict))
        .map(|(flaw, case, verdict)| format!("{flaw:?} is not found by {case}: {verdict:?}"))
        .collect();
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
}

/// No case is there for nothing.
#[test]
fn each_case_has_a_flaw_to_find() {
    let idle: Vec<_> =
        broker::CASES.iter().map(|case| case.id).filter(|id| FLAWS.iter().all(|(_, by)| by != id)).collect();
    assert_eq!(idle, [""; 0]);
}

/// Without a flaw nothing is found: it is not the wrapping that fails.
#[test]
fn the_broker_they_are_made_of_is_whole() {
    let report = broker::report(|| {
        Box::new(SimulatedRig::new(Profile::calm(), |ours| Arc::new(Adapter::new(ours, Flaw::None))))
    });
    assert_eq!(super::failed(&report), [""; 0], "{report}");
}
