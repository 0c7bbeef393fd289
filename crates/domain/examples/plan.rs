//! Plan with the domain alone: no broker, no journal, no clock. Everything comes in as an argument, a plan comes out.
//!
//! ```text
//! targets, books, prices ──> valuation ──> drift ──> plan ──> certificate
//! ```
//!
//! Run it with `cargo run -p evenkeel-domain --example plan`.

use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition, Market, Prices, Quote};
use evenkeel_domain::drift;
use evenkeel_domain::order::{Capabilities, Costs, Duplicates, RefusalReason, Refused, Terms};
use evenkeel_domain::plan::{Trigger, Venue, certificate, plan};
use evenkeel_domain::policy::Policy;
use evenkeel_domain::valuation::Valuation;
use evenkeel_domain::values::{Lot, Money, Timestamp};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    // What the portfolio should be. An allocation that does not add up to exactly 100 % cannot exist.
    let targets = [("META", "30"), ("AAPL", "25"), ("MSFT", "25"), ("NVDA", "12.5"), ("CASH", "7.5")];
    let allocation = TargetAllocation::parse(targets)?;
    let policy = Policy { minimum_order: "50.00".parse()?, ..Policy::default() }; // relative, 5 % of each target
    let definition = Definition { account: "growth".parse()?, currency: "USD".parse()?, allocation, policy };

    // What it owns: GE is held, but is no target.
    let holdings = [("META", "80"), ("AAPL", "150.5"), ("MSFT", "80.3"), ("NVDA", "100"), ("GE", "4")];
    let holdings = holdings.map(|(symbol, units)| Ok((symbol.parse()?, units.parse()?)));
    let books = Books::new("8000.00".parse()?, holdings.into_iter().collect::<Result<Vec<_>, Box<dyn Error>>>()?);

    // What everything costs now. These prices never grow stale; `Market` can also be told how old a price may be.
    let mut prices = Prices::default();
    for (symbol, price) in [("META", "440"), ("AAPL", "165"), ("MSFT", "333.40"), ("NVDA", "118.20"), ("GE", "187")] {
        prices.set(symbol.parse()?, Quote { price: price.parse()?, at: Timestamp::EPOCH });
    }
    let market = Market::ageless(&prices);

    // What the broker charges and allows. Its costs make a standing reserve necessary; NVDA is halted today.
    let capabilities = capabilities()?;
    let check = |terms: &Terms| match terms.symbol.as_str() {
        "NVDA" => Err(Refused { reason: RefusalReason::NotTradable, message: "halted until noon".to_owned() }),
        _ => Ok(()),
    };
    let venue = Venue { capabilities: &capabilities, check: &check, attempts: 3 };

    // How far it is from its targets. Every comparison is exact: at the band is inside, a billionth beyond it is outside.
    let Definition { allocation, policy, .. } = &definition;
    let valuation = Valuation::new(&books, allocation, policy, market, venue.reserve())?;
    let assessment = drift::assess(&valuation, &policy.measure)?;
    println!("worth {}, of which {} are held back; drift {} %", valuation.total, valuation.held_back, assessment.drift);
    for breach in &assessment.breaches {
        println!("  out of band: {:<4} {:>8} % instead of {:>7} %", breach.target, breach.weight, breach.goal);
    }

    // What to do about it. The same input gives the same plan, byte for byte.
    let plan = plan(&books, &definition, market, venue, Trigger::Band)?;
    println!("\ntarget   before %    after %     goal %");
    for row in plan.weights()? {
        println!("{:<6} {:>10} {:>10} {:>10}", row.target, row.before, row.after, row.goal);
    }
    println!("\n{} {} are moved, which may cost {}:", plan.turnover, plan.currency, plan.cost);
    for leg in &plan.legs {
        let Terms { symbol, side, quantity, reference, .. } = leg.terms;
        println!("  {side:<4} {quantity:>12} {symbol:<4} at {reference:>7} = {:>9}", leg.amount);
    }
    for skip in &plan.skipped {
        println!("  left alone: {}: {}", skip.symbol, skip.reason);
    }

    // Whether to believe it: `verify` derives every claim again, and shares no code with the planner.
    certificate::verify(&plan, &valuation, venue).map_err(|faults| format!("{faults:?}"))?;
    println!("\nverified: cash never falls below {}", plan.certificate.lowest_cash);

    assert!(plan.worthwhile && plan.certificate.restorable, "the cash there is pays for taking all of it back");
    assert_eq!((plan.legs.len(), plan.skipped.len()), (3, 2));
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn Error>> {
    main()
}

/// A broker that charges 5 basis points, 0.35 at least, and takes orders of 1.00 and more in any fraction.
fn capabilities() -> Result<Capabilities, Box<dyn Error>> {
    Ok(Capabilities {
        name: "Example Broker".to_owned(),
        duplicates: Duplicates::Refused,
        costs: Costs { bps: 5, per_order: Money::ZERO, minimum: "0.35".parse()? },
        collar_bps: 0,
        fills_rounded: true,
        minimum_order: "1.00".parse()?,
        lot: Lot::FINEST,
        lots: BTreeMap::new(),
        quiescence: Duration::from_secs(60),
        visibility_horizon: Duration::from_secs(2),
    })
}
