//! Short texts for what happens to a batch.
//!
//! ```text
//! begin | send | abandon | abort | halt freeze | halt unwind | take-over | tick | wait 5 | later 5 | hold | go on
//! add | change | change-currency | remove | deposit m1 10.00 | withdraw m1 10.00 | open
//! settle | settle off | confirm | confirm off | accept | accept off | fixed | fixed off | retry
//! 0F1 submit acknowledged VIEW | exists | refused | closed-until 600 | not-sent | not-sent 30 | unknown
//! 0F1 withheld
//! 0F1 look found VIEW | absent | unproven
//! 0F1 cancel requested | ended VIEW | no-such-order | not-sent | unknown
//! 0F1 fill a:2@50.5/0.35             id, units, and perhaps price and fee
//! ```
//!
//! A `VIEW` is `working`, `filled`, `canceled`, `expired`, `rejected` or `odd`, then perhaps `filled=2` where that is not the sum
//! of the fills, then fills. Commands are separated by `;` or lines; reports joined by `&` arrive together. `off` means that the
//! broker has a cent more than the books.

use super::{FACTS, Machine, after, books_of, definition, plan_of, rules, secs, story};
use crate::books::{Books, Definition};
use crate::decide::{Hold, Input, Refusal, Report, ResolveAction, ResolveRequest};
use crate::halt::{Halt, HaltMode, Scope};
use crate::order::{
    BrokerStatus, CancelAnswer, ClientOrderId, Fill, FillCursor, Lookup, NotSent, OrderFill, OrderView, RefusalReason,
    Refused, SubmitAnswer, UnknownCause,
};
use crate::plan::Stages;
use crate::record::{Movement, Record};
use crate::testing::read;
use crate::values::{Money, Quantity, StoreId, Timestamp, Token};
use std::time::Duration;

impl Machine {
    /// Does what the text says, and tells what was recorded.
    pub(crate) fn run(&mut self, text: &str) -> String {
        let commands = text.split([';', '\n']).map(str::trim).filter(|command| !command.is_empty());
        commands.map(|command| self.command(command)).collect()
    }

    /// Does what the text says, and tells each command with what was recorded, and where everything stands in the end. What comes before
    /// `---` is done and not told.
    pub(crate) fn story(&mut self, text: &str) -> String {
        let text = match text.split_once("---") {
            Some((before, after)) => {
                self.run(before);
                after
            }
            None => text,
        };
        let commands = text.split([';', '\n']).map(str::trim).filter(|command| !command.is_empty());
        let told = commands.map(|command| {
            let records: String = self.command(command).lines().map(|line| format!("    {line}\n")).collect();
            format!("{command}\n{records}")
        });
        told.collect::<String>() + &story::state(&self.state) + "\n"
    }

    fn command(&mut self, text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        let broker = |machine: &Self| machine.broker(text.ends_with(" off"));
        let records = match words[..] {
            ["add"] => self.step(Input::Add { definition: definition(), books: books_of("CASH 1.00") }),
            ["change"] => {
                let definition = Definition { account: read("another"), ..definition() };
                self.step(Input::Change { definition })
            }
            ["change-currency"] => {
                let definition = Definition { currency: read("EUR"), ..definition() };
                self.step(Input::Change { definition })
            }
            ["remove"] => self.step(Input::Remove),
            ["deposit", movement, amount] => self.move_cash(movement, Movement::Deposit, amount),
            ["withdraw", movement, amount] => self.move_cash(movement, Movement::Withdrawal, amount),
            ["open"] => {
                let plan = plan_of("buy B 4 @ 25", Stages::Together);
                self.step(Input::Open {
                    store: StoreId::new(1),
                    token: Token::new(1),
                    plan: &plan,
                    facts: FACTS,
                    rules: rules(),
                })
            }
            ["begin"] => self.step(Input::Begin { newest: &crate::books::Prices::default() }),
            ["send"] => self.step(Input::Send { newest: &crate::books::Prices::default() }),
            ["abandon"] => self.step(Input::Abandon { why: "the engine is stopping".to_owned() }),
            ["abort"] => self.step(Input::Abort { who: "ann".to_owned(), why: "wrong targets".to_owned() }),
            ["take-over"] => {
                let token = Token::new(self.state.token.get().checked_add(1).unwrap());
                self.step(Input::TakeOver { token, owner: read("successor"), hold: self.hold })
            }
            ["tick"] => self.step(Input::Tick { hold: self.hold }),
            ["wait", seconds] => {
                self.now = self.now.plus(duration(seconds));
                self.step(Input::Tick { hold: self.hold })
            }
            ["later", seconds] => {
                self.now = self.now.plus(duration(seconds));
                Ok(Vec::new())
            }
            ["hold"] => {
                self.hold = Hold::NextStage;
                Ok(Vec::new())
            }
            ["halt", mode] => {
                let halt = halt(mode, self.now);
                self.hold = halt.mode.into();
                self.step(Input::Halt { halt: &halt })
            }
            ["go", "on"] => {
                self.hold = Hold::Nothing;
                self.step(Input::Tick { hold: Hold::Nothing })
            }
            ["settle", ..] => {
                let fills_read = Some(FillCursor("cursor".to_owned()));
                self.step(Input::Settle { broker: &broker(self), fills_read })
            }
            ["confirm", ..] => self.step(Input::Confirm { broker: &broker(self), currency: read("USD"), lost: &[] }),
            ["accept", ..] => self.resolve(ResolveAction::Accept { broker: &broker(self) }),
            ["fixed", ..] => self.resolve(ResolveAction::Fixed { broker: &broker(self) }),
            ["retry"] => self.resolve(ResolveAction::Retry),
            _ => {
                let reports: Vec<_> = text.split('&').map(|report| self.report(report.trim())).collect();
                self.step(Input::Reports { reports: &reports, hold: self.hold })
            }
        };
        match records {
            Ok(records) => story::records(&records),
            Err(refusal) => format!("no: {refusal}\n"),
        }
    }

    fn move_cash(&mut self, movement: &str, kind: Movement, amount: &str) -> Result<Vec<Record>, Refusal> {
        self.step(Input::MoveCash { movement: read(movement), kind, amount: read(amount), currency: read("USD") })
    }

    fn resolve(&mut self, action: ResolveAction<'_>) -> Result<Vec<Record>, Refusal> {
        self.step(Input::Resolve(ResolveRequest { action, who: "ann".to_owned(), why: "looked".to_owned() }))
    }

    fn broker(&self, off: bool) -> Books {
        let mut broker = self.state.books.clone();
        if off {
            broker.cash = broker.cash.add(Money::CENT).unwrap();
        }
        broker
    }

    /// The report that the text is short for.
    pub(crate) fn report(&self, text: &str) -> Report {
        let words: Vec<&str> = text.split_whitespace().collect();
        let order = self.id(words[0]);
        let answer = |answer| Report::Submitted { order, answer };
        let cancel = |answer| Report::Canceled { order, answer };
        match words[1..] {
            ["submit", "acknowledged", ref view @ ..] => answer(SubmitAnswer::Acknowledged(self.view(words[0], view))),
            ["submit", "exists"] => answer(SubmitAnswer::AlreadyExists),
            ["submit", "refused"] => answer(SubmitAnswer::Refused(refused(RefusalReason::NotTradable))),
            ["submit", "closed-until", seconds] => {
                let opens_at = after(seconds.parse().unwrap());
                answer(SubmitAnswer::Refused(refused(RefusalReason::MarketClosed { opens_at })))
            }
            ["submit", "not-sent"] => answer(SubmitAnswer::NotSent(NotSent::Unreachable)),
            ["submit", "not-sent", seconds] => {
                let retry_after = secs(seconds.parse().unwrap());
                answer(SubmitAnswer::NotSent(NotSent::RateLimited { retry_after }))
            }
            ["submit", "unknown"] => answer(SubmitAnswer::Unknown(UnknownCause::Timeout)),
            ["withheld"] => Report::Withheld { order },
            ["look", "found", ref view @ ..] => {
                Report::Looked { order, lookup: Lookup::Found(self.view(words[0], view)) }
            }
            ["look", "absent"] => Report::Looked { order, lookup: Lookup::Absent },
            ["look", "unproven"] => Report::Looked { order, lookup: Lookup::Unproven },
            ["cancel", "requested"] => cancel(CancelAnswer::Requested),
            ["cancel", "ended", ref view @ ..] => cancel(CancelAnswer::AlreadyTerminal(self.view(words[0], view))),
            ["cancel", "no-such-order"] => cancel(CancelAnswer::NoSuchOrder),
            ["cancel", "not-sent"] => cancel(CancelAnswer::NotSent(NotSent::Unreachable)),
            ["cancel", "unknown"] => cancel(CancelAnswer::Unknown(UnknownCause::Timeout)),
            ["fill", fill] => Report::Fill(self.listed(order, words[0], fill)),
            _ => panic!("no report: {text}"),
        }
    }

    fn listed(&self, id: ClientOrderId, short: &str, fill: &str) -> OrderFill {
        let terms = self.order(short).terms;
        OrderFill { order: Some(id), symbol: terms.symbol, side: terms.side, fill: self.fill(short, fill) }
    }

    /// `a:2@50.5/0.35`: id, units, price, fee.
    fn fill(&self, short: &str, text: &str) -> Fill {
        let (text, fee) = text.split_once('/').unwrap_or((text, "0.00"));
        let (text, price) = match text.split_once('@') {
            Some((text, price)) => (text, read(price)),
            None => (text, self.order(short).terms.reference),
        };
        let (id, quantity) = text.split_once(':').unwrap_or_else(|| panic!("no fill: {text}"));
        Fill { id: read(&format!("{short}-{id}")), quantity: read(quantity), price, fee: read(fee), at: self.now }
    }

    fn view(&self, short: &str, words: &[&str]) -> OrderView {
        let order = self.order(short);
        let fills: Vec<Fill> =
            words[1..].iter().filter(|word| word.contains(':')).map(|word| self.fill(short, word)).collect();
        let said = words[1..].iter().find_map(|word| word.strip_prefix("filled="));
        let sum = fills.iter().try_fold(Quantity::ZERO, |sum, fill| sum.add(fill.quantity)).unwrap();
        OrderView {
            id: self.id(short),
            symbol: order.terms.symbol,
            side: order.terms.side,
            quantity: order.terms.quantity,
            status: match words[0] {
                "working" => BrokerStatus::Working,
                "filled" => BrokerStatus::Filled,
                "canceled" => BrokerStatus::Canceled,
                "expired" => BrokerStatus::Expired,
                "rejected" => BrokerStatus::Rejected,
                "odd" => BrokerStatus::Unmapped("odd".to_owned()),
                other => panic!("no status: {other}"),
            },
            filled: said.map_or(sum, read),
            fills,
        }
    }
}

fn duration(seconds: &str) -> Duration {
    Duration::from_secs_f64(seconds.parse().unwrap())
}

fn refused(reason: RefusalReason) -> Refused {
    Refused { reason, message: "no".to_owned() }
}

fn halt(mode: &str, at: Timestamp) -> Halt {
    let mode = match mode {
        "freeze" => HaltMode::Freeze,
        "unwind" => HaltMode::Unwind,
        _ => panic!("no mode: {mode}"),
    };
    Halt { scope: Scope::Everything, mode, who: "ann".to_owned(), why: "the feed is wrong".to_owned(), at }
}
