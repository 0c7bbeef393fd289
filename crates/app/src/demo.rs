//! The command `demo`: the whole story on a made-up market, as text. The same seed tells the same story.
//!
//! Four scenes, top to bottom. What is printed while a batch is executed comes from the engine's records: see [`teller`].

mod teller;

use crate::args::DemoArgs;
use crate::config;
use crate::exit::{Failure, Outcome};
use crate::files::FileArg;
use crate::output::Output;
use crate::plan::leg_of;
use crate::render::{Side, grouped, money, table};
use crate::replay::{Account, Lines, text as story};
use crate::wiring::{self, Simulation, SimulationPlan, Weather};
use evenkeel_domain::allocation::TargetAllocation;
use evenkeel_domain::books::{Books, Definition, Prices, Quote};
use evenkeel_domain::order::Direction;
use evenkeel_domain::plan::Plan;
use evenkeel_domain::policy::Policy;
use evenkeel_domain::values::{PortfolioId, Price, Symbol};
use evenkeel_engine::{EngineError, Rebalanced, Resolve, Settings};
use evenkeel_ports::Clock;
use std::error::Error;
use std::sync::Arc;
use teller::Teller;

/// Tells the story.
///
/// # Errors
/// [`Failure::Input`] if the configuration has faults; [`Failure`], if standard output cannot be written.
pub(crate) fn run(args: &DemoArgs, config: Option<&FileArg>, out: &mut Output) -> Result<Outcome, Failure> {
    let settings = config::load(config)?.settings();
    let mut stage = Stage { out, settings, seed: args.seed };
    stage.drift_and_rebalance()?;
    stage.refused_and_compensated()?;
    stage.stale_and_resolved()?;
    stage.on_a_moving_market(args.ticks)?;
    stage.out.flush()?;
    Ok(Outcome::Done)
}

/// The first prices: META, AAPL, MSFT.
const FIRST: [(&str, &str); 3] = [("META", "400"), ("AAPL", "165.00"), ("MSFT", "333.40")];
const TARGETS: [(&str, &str); 3] = [("META", "33.33"), ("AAPL", "33.33"), ("MSFT", "33.34")];
const START: &str = "2024-01-02T14:30:00Z";

/// What every scene needs.
struct Stage<'a> {
    out: &'a mut Output,
    settings: Settings,
    seed: u64,
}

/// One portfolio on the stage.
struct Actor {
    id: PortfolioId,
    simulation: Simulation,
    teller: Arc<Teller>,
}

impl Stage<'_> {
    fn drift_and_rebalance(&mut self) -> Result<(), Failure> {
        self.title("1. A price moves, and the portfolio is brought back")?;
        let actor = self.enter("growth", "0.00", Weather::Ideal)?;
        self.prices(&actor, &FIRST)?;
        self.prices(&actor, &[("META", "440")])?;
        self.show_plan(&actor)?;
        self.rebalance(&actor)?;
        self.owns(&actor)
    }

    fn refused_and_compensated(&mut self) -> Result<(), Failure> {
        self.title("2. A leg is refused, and what was executed is traded back")?;
        self.say("The broker now charges fees and slips a little, so some cash is kept as a standing reserve.")?;
        let actor = self.enter("income", "1000.00", Weather::Calm)?;
        self.prices(&actor, &FIRST)?;
        self.prices(&actor, &[("META", "440")])?;
        wiring::refuse(&actor.simulation.broker, symbol("MSFT")?, Direction::Forward, 1);
        self.owns(&actor)?;
        self.rebalance(&actor)?;
        self.owns(&actor)?;
        self.say(
            "Every symbol holds its units of before; the cost of that is recorded. After a pause it is tried again:",
        )?;
        if let Some(pause) = actor.simulation.engine.portfolio(&actor.id).and_then(|state| state.pause) {
            actor.simulation.clock.advance_to(pause.until);
        }
        self.rebalance(&actor)?;
        self.owns(&actor)
    }

    fn stale_and_resolved(&mut self) -> Result<(), Failure> {
        self.title("3. The way back fails too: stale, until a person resolves it")?;
        let actor = self.enter("pension", "1000.00", Weather::Calm)?;
        self.prices(&actor, &FIRST)?;
        self.prices(&actor, &[("META", "440")])?;
        wiring::refuse(&actor.simulation.broker, symbol("MSFT")?, Direction::Forward, 1);
        wiring::refuse(
            &actor.simulation.broker,
            symbol("META")?,
            Direction::Reverse,
            u64::from(self.settings.attempts),
        );
        self.rebalance(&actor)?;
        self.owns(&actor)?;
        self.deliver_alerts(&actor)?;
        self.say("Nothing more happens to it by itself:")?;
        self.rebalance(&actor)?;
        self.say("The broker is well again, and a person has the restoration tried once more:")?;
        self.resolve(&actor)?;
        self.owns(&actor)
    }

    fn on_a_moving_market(&mut self, ticks: u64) -> Result<(), Failure> {
        self.title(&format!("4. Three portfolios on a market that moves {ticks} times"))?;
        let cast = [("ideal", Weather::Ideal), ("calm", Weather::Calm), ("storm", Weather::Storm)];
        let mut accounts = Vec::new();
        for (id, weather) in cast {
            let account = Account::new(self.plan(id, "5000.00", weather)?, parse(START)?);
            accounts.push(account.map_err(rebalancing)?);
        }
        let first: Vec<(Symbol, Price)> =
            FIRST.iter().map(|(s, p)| Ok((symbol(s)?, parse(p)?))).collect::<Result<_, Failure>>()?;
        let mut waves = wiring::fake_ticks(self.seed, &first, parse(START)?, ticks)?.peekable();
        let mut lines = Lines::new();
        let mut last = String::new();
        let mut prices = Prices::default();
        while let Some(wave) = waves.next() {
            let next = waves.peek().map(|wave| wave.at);
            wave.prices.iter().for_each(|(symbol, price)| prices.set(*symbol, Quote { price: *price, at: wave.at }));
            for account in &mut accounts {
                account.wave(&wave, next, |symbol| prices.get(symbol), &mut lines).map_err(rebalancing)?;
            }
            lines.drain(..).try_for_each(|line| self.out.text(story::line(&line)))?;
            last = wave.label;
        }
        let portfolios: Vec<_> = accounts.iter().filter_map(|account| account.finish(&last)).collect();
        let text = story::table_of(&portfolios, self.out);
        self.out.text(format!("\n{text}"))
    }

    fn title(&mut self, title: &str) -> Result<(), Failure> {
        let title = self.out.heading(title);
        self.out.text(format!("\n{title}\n\n"))
    }

    fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.out.text(format!("{text}\n"))
    }

    fn plan(&self, id: &str, cash: &str, weather: Weather) -> Result<SimulationPlan, Failure> {
        let definition = Definition {
            account: parse(id)?,
            currency: parse("USD")?,
            allocation: TargetAllocation::parse(TARGETS).map_err(impossible)?,
            policy: Policy::default(),
        };
        let units = [("META", "83.325"), ("AAPL", "202"), ("MSFT", "100")];
        let units: Vec<_> = units.iter().map(|(s, q)| Ok((symbol(s)?, parse(q)?))).collect::<Result<_, Failure>>()?;
        let books = Books::new(parse(cash)?, units);
        Ok(SimulationPlan {
            id: parse(id)?,
            definition,
            books,
            weather,
            settings: self.settings.clone(),
            seed: self.seed,
            store: None,
            bank: None,
        })
    }

    fn enter(&mut self, id: &str, cash: &str, weather: Weather) -> Result<Actor, Failure> {
        let teller = Arc::new(Teller::default());
        let plan = self.plan(id, cash, weather)?;
        let simulation = Simulation::full(plan, parse(START)?, teller.clone()).map_err(rebalancing)?;
        Ok(Actor { id: parse(id)?, simulation, teller })
    }

    fn prices(&mut self, actor: &Actor, prices: &[(&str, &str)]) -> Result<(), Failure> {
        let mut read: Vec<(Symbol, Price)> =
            prices.iter().map(|(s, p)| Ok((symbol(s)?, parse(p)?))).collect::<Result<_, Failure>>()?;
        read.sort_unstable();
        let Simulation { engine, broker, clock, .. } = &actor.simulation;
        broker.set_prices(read.iter().copied());
        let out_of_band = !engine.on_wave(clock.now(), &read).is_empty();
        let listed = read.iter().map(|(symbol, price)| format!("{symbol} {}", grouped(&price.to_string())));
        let verdict = if out_of_band { "out of band" } else { "inside its band" };
        let text = format!("{}: {} is {verdict}", listed.collect::<Vec<_>>().join(", "), actor.id);
        self.tell(actor, &text)
    }

    /// A line with the time of the scene.
    fn tell(&mut self, actor: &Actor, text: &str) -> Result<(), Failure> {
        self.out.text(format!("{}  {text}\n", teller::clock_time(actor.simulation.clock.now())))
    }

    fn show_plan(&mut self, actor: &Actor) -> Result<(), Failure> {
        let plan: Plan = run_here(actor, actor.simulation.engine.preview(&actor.id))?;
        let weights = plan.weights().map_err(impossible)?;
        let rows = weights.iter().map(|row| {
            let trade = leg_of(&plan, row.target)
                .map(|leg| format!("{} {}", leg.terms.side, money(leg.amount)))
                .unwrap_or_default();
            [row.target.to_string(), row.before.to_string(), row.goal.to_string(), row.after.to_string(), trade]
        });
        let columns = [
            ("", Side::Left),
            ("weight %", Side::Right),
            ("target %", Side::Right),
            ("after %", Side::Right),
            ("trade", Side::Right),
        ];
        let rows = table(columns, rows.collect(), self.out.is_terminal());
        self.out.text(format!("drift {} % of a target, 5.0000 allowed; the plan:\n{rows}", plan.assessment.drift))
    }

    fn rebalance(&mut self, actor: &Actor) -> Result<(), Failure> {
        let done = actor.simulation.clock.run(actor.simulation.engine.rebalance(&actor.id)).map_err(impossible)?;
        self.told(actor)?;
        match done {
            Ok(Rebalanced::Batch(_)) => Ok(()),
            Ok(Rebalanced::InBand(_) | Rebalanced::NotWorthwhile { .. }) => self.tell(actor, "nothing to do"),
            Err(error @ (EngineError::Stale { .. } | EngineError::Paused { .. })) => {
                self.tell(actor, &format!("refused: {error}"))
            }
            Err(error) => Err(rebalancing(error)),
        }
    }

    fn resolve(&mut self, actor: &Actor) -> Result<(), Failure> {
        let engine = &actor.simulation.engine;
        run_here(actor, engine.resolve(&actor.id, Resolve::Retry, "Ana", "the broker trades META again"))?;
        self.told(actor)
    }

    fn deliver_alerts(&mut self, actor: &Actor) -> Result<(), Failure> {
        run_here(actor, actor.simulation.engine.deliver_alerts())?;
        for alert in actor.simulation.notifier.alerts() {
            self.tell(actor, &format!("ALERT {}: {}", alert.portfolio, alert.text))?;
        }
        Ok(())
    }

    /// What the engine did meanwhile.
    fn told(&mut self, actor: &Actor) -> Result<(), Failure> {
        actor.teller.take().into_iter().try_for_each(|line| self.out.text(line))
    }

    fn owns(&mut self, actor: &Actor) -> Result<(), Failure> {
        let Some(state) = actor.simulation.engine.portfolio(&actor.id) else { return Ok(()) };
        let units = state.books.holdings().map(|(symbol, units)| format!("{units} {symbol}"));
        let units = units.collect::<Vec<_>>().join(", ");
        let standing = state.standing.name();
        self.say(&format!("{} owns {units} and {} in cash; it is {standing}", actor.id, money(state.books.cash)))
    }
}

fn run_here<T>(actor: &Actor, future: impl Future<Output = Result<T, EngineError>>) -> Result<T, Failure> {
    actor.simulation.clock.run(future).map_err(impossible)?.map_err(rebalancing)
}

fn symbol(text: &str) -> Result<Symbol, Failure> {
    parse(text)
}

fn parse<T: std::str::FromStr<Err: Error + Send + Sync + 'static>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(impossible)
}

/// Something that the story's own data cannot lead to.
fn impossible(error: impl Error + Send + Sync + 'static) -> Failure {
    Failure::dependency("telling the story", error)
}

fn rebalancing(error: EngineError) -> Failure {
    Failure::dependency("rebalancing", error)
}
