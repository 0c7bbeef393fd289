//! The broker's JSON, read into the values of the domain.
//!
//! Exact: a decimal is taken by its digits, never by way of a float. Tolerant: fields that are not known are passed over, fields that are
//! optional may be missing, ids are whatever text they are. What is needed and cannot be read is [`Unreadable`], never a guess.

use evenkeel_domain::order::{
    BrokerStatus, ClientOrderId, Fill, FillCursor, OrderFill, OrderRequest, OrderView, RefusalReason, Refused, Side,
    Terms,
};
use evenkeel_domain::values::Money;
use evenkeel_ports::{AccountView, FillPage, Position};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;
use std::fmt::Display;
use std::str::FromStr;

/// An answer without the sense that was expected.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(String);

impl Unreadable {
    /// What was expected, and what was there.
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// The body as this message.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|error| Unreadable(error.to_string()))
}

/// A text; of a number, its digits as they were written.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().starts_with('"') {
            true => serde_json::from_str(raw.get()).map(Self).map_err(serde::de::Error::custom),
            false => Ok(Self(raw.get().to_owned())),
        }
    }
}

impl Text {
    fn parse<T: FromStr<Err: Display>>(&self, field: &str) -> Result<T, Unreadable> {
        self.0.parse().map_err(|error| Unreadable(format!("{field}: {error}")))
    }
}

/// The body that makes an order. Quantities go through as they are: what the broker would not take as it is has failed the check.
pub(crate) fn new_order(OrderRequest { id, terms }: &OrderRequest) -> String {
    let Terms { symbol, side, quantity, .. } = terms;
    let [id, symbol, side, quantity] = [id.to_string(), symbol.to_string(), side.to_string(), quantity.to_string()];
    json!({ "client_order_id": id, "symbol": symbol, "side": side, "quantity": quantity }).to_string()
}

/// An order as the broker shows it.
#[derive(Deserialize)]
pub(crate) struct OrderMessage {
    client_order_id: Text,
    symbol: Text,
    side: Text,
    quantity: Text,
    status: Text,
    filled: Text,
    #[serde(default)]
    fills: Vec<FillMessage>,
}

impl OrderMessage {
    /// Whether it bears an id of ours; other programs and people may trade on the same account.
    pub(crate) fn is_ours(&self) -> bool {
        self.client_order_id.0.parse::<ClientOrderId>().is_ok()
    }

    pub(crate) fn view(&self) -> Result<OrderView, Unreadable> {
        Ok(OrderView {
            id: self.client_order_id.parse("client_order_id")?,
            symbol: self.symbol.parse("symbol")?,
            side: side(&self.side)?,
            quantity: self.quantity.parse("quantity")?,
            status: status(&self.status.0),
            filled: self.filled.parse("filled")?,
            fills: self.fills.iter().map(FillMessage::fill).collect::<Result<_, _>>()?,
        })
    }
}

/// Contract 5: a status that is not known is open. Only what the broker documents as an end is one.
fn status(text: &str) -> BrokerStatus {
    match text {
        "accepted" | "working" | "canceling" => BrokerStatus::Working,
        "filled" => BrokerStatus::Filled,
        "canceled" => BrokerStatus::Canceled,
        "expired" => BrokerStatus::Expired,
        "rejected" => BrokerStatus::Rejected,
        other => BrokerStatus::Unmapped(other.to_owned()),
    }
}

fn side(text: &Text) -> Result<Side, Unreadable> {
    match text.0.as_str() {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        other => Err(Unreadable(format!("side: {other} is neither buy nor sell"))),
    }
}

/// A fill, in its order and in the list of fills.
#[derive(Deserialize)]
pub(crate) struct FillMessage {
    id: Text,
    #[serde(default)]
    client_order_id: Option<Text>,
    symbol: Text,
    side: Text,
    quantity: Text,
    price: Text,
    #[serde(default)]
    fee: Option<Text>,
    at: Text,
}

impl FillMessage {
    fn fill(&self) -> Result<Fill, Unreadable> {
        Ok(Fill {
            id: self.id.parse("id")?,
            quantity: self.quantity.parse("quantity")?,
            price: self.price.parse("price")?,
            fee: self.fee.as_ref().map_or(Ok(Money::ZERO), |fee| fee.parse("fee"))?,
            at: self.at.parse("at")?,
        })
    }

    fn listed(&self) -> Result<OrderFill, Unreadable> {
        Ok(OrderFill {
            order: self.client_order_id.as_ref().and_then(|id| id.0.parse().ok()),
            symbol: self.symbol.parse("symbol")?,
            side: side(&self.side)?,
            fill: self.fill()?,
        })
    }
}

/// A page of fills.
#[derive(Deserialize)]
pub(crate) struct FillsMessage {
    fills: Vec<FillMessage>,
    next: Text,
    more: bool,
}

impl FillsMessage {
    pub(crate) fn page(&self) -> Result<FillPage, Unreadable> {
        let fills = self.fills.iter().map(FillMessage::listed).collect::<Result<_, _>>()?;
        Ok(FillPage { fills, next: FillCursor(self.next.0.clone()), complete: !self.more })
    }
}

/// A page of orders; without `next` it is the last.
#[derive(Deserialize)]
pub(crate) struct OrdersMessage {
    pub(crate) orders: Vec<OrderMessage>,
    #[serde(default)]
    next: Option<Text>,
}

impl OrdersMessage {
    pub(crate) fn next(&self) -> Option<&str> {
        self.next.as_ref().map(|next| next.0.as_str())
    }
}

/// A holding.
#[derive(Deserialize)]
pub(crate) struct PositionMessage {
    symbol: Text,
    quantity: Text,
    available: Text,
}

impl PositionMessage {
    pub(crate) fn position(&self) -> Result<Position, Unreadable> {
        Ok(Position {
            symbol: self.symbol.parse("symbol")?,
            quantity: self.quantity.parse("quantity")?,
            available: self.available.parse("available")?,
        })
    }
}

/// An account.
#[derive(Deserialize)]
pub(crate) struct AccountMessage {
    currency: Text,
    cash: Text,
    #[serde(default)]
    settled_cash: Option<Text>,
    buying_power: Text,
    #[serde(default)]
    blocked: bool,
    as_of: Text,
    #[serde(default)]
    closes_at: Option<Text>,
}

impl AccountMessage {
    pub(crate) fn view(&self) -> Result<AccountView, Unreadable> {
        Ok(AccountView {
            currency: self.currency.parse("currency")?,
            cash: self.cash.parse("cash")?,
            settled_cash: self.settled_cash.as_ref().map(|cash| cash.parse("settled_cash")).transpose()?,
            buying_power: self.buying_power.parse("buying_power")?,
            blocked: self.blocked,
            as_of: self.as_of.parse("as_of")?,
            closes_at: self.closes_at.as_ref().map(|at| at.parse("closes_at")).transpose()?,
        })
    }
}

/// What the broker says when it says no.
#[derive(Deserialize)]
pub(crate) struct NoMessage {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    opens_at: Option<Text>,
    /// With `already_ended`: how.
    #[serde(default)]
    pub(crate) order: Option<OrderMessage>,
}

impl NoMessage {
    /// The reason by the broker's code. A code that is not known is still a refusal, since the status is: it is `Other`.
    pub(crate) fn refused(&self, message: String) -> Refused {
        let opens_at = self.opens_at.as_ref().and_then(|at| at.parse("opens_at").ok());
        let reason = match (self.code.as_str(), opens_at) {
            ("insufficient_funds", _) => RefusalReason::BuyingPower,
            ("insufficient_quantity", _) => RefusalReason::InsufficientQuantity,
            ("below_minimum", _) => RefusalReason::BelowMinimum,
            ("not_a_lot", _) => RefusalReason::NotALot,
            ("not_tradable", _) => RefusalReason::NotTradable,
            ("market_closed", Some(opens_at)) => RefusalReason::MarketClosed { opens_at },
            _ => RefusalReason::Other,
        };
        Refused { reason, message }
    }
}
