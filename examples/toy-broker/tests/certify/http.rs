//! What only an adapter that speaks HTTP can be asked: C11, C12, C15, C17 and C47 of the catalogue that the suite is from.

use crate::rig::ToyRig;
use crate::server::{ACCOUNT, TOKEN, Trouble};
use evenkeel_conformance::broker::BrokerRig;
use evenkeel_domain::order::{
    Attempt, BatchId, BrokerStatus, CancelAnswer, ClientOrderId, Direction, LegNumber, Lookup, NotSent, OrderRequest,
    RefusalReason, Side, SubmitAnswer, Terms, UnknownCause,
};
use evenkeel_domain::values::{AccountId, Money, Price};
use evenkeel_ports::{Broker, BrokerError};
use evenkeel_toy_broker::{Secret, ToyBroker};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// A broker with cash, a price, and one order to send.
fn world(token: &str) -> (ToyRig, Arc<dyn Broker>, AccountId, OrderRequest) {
    let rig = ToyRig::with("META", token, |adapter| adapter);
    let price: Price = "400".parse().unwrap();
    rig.set_price(rig.symbol(), price).unwrap();
    rig.fund("10000.00".parse::<Money>().unwrap()).unwrap();
    let terms = Terms {
        symbol: rig.symbol(),
        side: Side::Buy,
        quantity: "2.5".parse().unwrap(),
        reference: price,
        exit: false,
    };
    let leg = LegNumber::new(7).unwrap();
    let id =
        ClientOrderId { batch: BatchId::from_u128(7), leg, direction: Direction::Forward, attempt: Attempt::FIRST };
    let (broker, account) = (rig.broker(), rig.account());
    (rig, broker, account, OrderRequest { id, terms })
}

/// Sends the order into this trouble: the answer, how often it was posted, and how many orders there are.
fn sent_into(trouble: Trouble) -> (SubmitAnswer, u64, usize) {
    let (rig, broker, account, order) = world(TOKEN);
    rig.server.state().troubles.push(trouble);
    let answer = rig.drive(broker.submit(&account, &order));
    let truth = rig.truth().unwrap();
    (answer, truth.requests.unwrap(), truth.orders.len())
}

#[test]
fn c11_a_status_of_500_and_above_proves_nothing() {
    for status in [500, 502, 503, 504, 302, 418] {
        for handled in [true, false] {
            let found = sent_into(Trouble::Answer { status, body: "<html>try later</html>".into(), handled });
            let unknown = SubmitAnswer::Unknown(UnknownCause::BrokerError);
            assert_eq!(found, (unknown, 1, usize::from(handled)), "{status}, handled: {handled}");
        }
    }
}

#[test]
fn c12_an_answer_that_cannot_be_read_proves_nothing() {
    let unknown = |cause| SubmitAnswer::Unknown(cause);
    assert_eq!(sent_into(Trouble::Truncate), (unknown(UnknownCause::Disconnected), 1, 1));
    for (status, body) in
        [(201, ""), (201, "{}"), (201, "<html>"), (201, "[]"), (422, "{"), (404, "not here"), (400, "")]
    {
        let found = sent_into(Trouble::Answer { status, body: body.into(), handled: true });
        assert_eq!(found, (unknown(UnknownCause::Garbled), 1, 1), "{status} {body}");
    }
}

#[test]
fn a_refusal_with_a_code_that_is_not_known_is_a_refusal() {
    let body = r#"{"code":"full_moon","message":"not today"}"#;
    let (answer, requests, orders) = sent_into(Trouble::Answer { status: 422, body: body.into(), handled: false });
    let SubmitAnswer::Refused(refused) = answer else { panic!("{answer:?}") };
    assert_eq!((refused.reason, refused.message.as_str()), (RefusalReason::Other, "not today"));
    assert_eq!((requests, orders), (1, 0));
}

#[test]
fn c15_a_rate_limit_is_told_and_nothing_is_sent_before_its_end() {
    let (rig, broker, account, order) = world(TOKEN);
    rig.server.state().limited_until = Some(rig.now().plus(Duration::from_secs(30)));
    let answer = rig.drive(broker.submit(&account, &order));
    let limited = NotSent::RateLimited { retry_after: Duration::from_secs(30) };
    assert_eq!(answer, SubmitAnswer::NotSent(limited));
    rig.drive(rig.sleep(Duration::from_secs(30)));
    assert_eq!(rig.truth().unwrap().requests, Some(1), "the wait is the caller's, not a retry of the adapter");
    let again = rig.drive(broker.submit(&account, &order));
    assert!(matches!(again, SubmitAnswer::Acknowledged(_)), "{again:?}");

    // Without a header, the window that the broker documents.
    let (answer, ..) = sent_into(Trouble::Answer { status: 429, body: "".into(), handled: false });
    let limited = NotSent::RateLimited { retry_after: Duration::from_secs(60) };
    assert_eq!(answer, SubmitAnswer::NotSent(limited));
}

#[test]
fn c17_bad_credentials_are_told_by_every_method_and_printed_by_none() {
    const WRONG: &str = "s3cr3t-of-the-house";
    let (rig, broker, account, order) = world(WRONG);
    let submitted = rig.drive(broker.submit(&account, &order));
    assert_eq!(submitted, SubmitAnswer::NotSent(NotSent::Unauthorized));
    let canceled = rig.drive(broker.cancel(&account, order.id));
    assert_eq!(canceled, CancelAnswer::NotSent(NotSent::Unauthorized));
    let errors = [
        rig.drive(broker.order(&account, order.id)).map(drop),
        rig.drive(broker.open_orders(&account)).map(drop),
        rig.drive(broker.fills_since(&account, None)).map(drop),
        rig.drive(broker.positions(&account)).map(drop),
        rig.drive(broker.account(&account)).map(drop),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert!(matches!(error, BrokerError::Unauthorized { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(WRONG), "{error:?}");
    }
    assert_eq!(rig.truth().unwrap().requests, Some(0), "a request without a valid credential reaches no order");
    let adapter = ToyBroker::new("localhost:1".to_owned(), Secret::new(WRONG), rig.shared_clock()).unwrap();
    assert!(!format!("{adapter:?}").contains(WRONG), "{adapter:?}");
}

#[test]
fn c17_a_credential_that_the_broker_repeats_is_not_passed_on() {
    let body = r#"{"code":"odd","message":"toy-token-7f3a may not do this"}"#;
    let (answer, ..) = sent_into(Trouble::Answer { status: 422, body: body.into(), handled: false });
    assert!(!format!("{answer:?}").contains(TOKEN), "{answer:?}");
    assert!(format!("{answer:?}").contains("*** may not do this"), "{answer:?}");
}

/// More fields, other ids, numbers instead of texts, and nothing that is optional.
fn otherwise(message: &mut Json) {
    match message {
        Json::Array(rows) => rows.iter_mut().for_each(otherwise),
        Json::Object(fields) => {
            fields.values_mut().for_each(otherwise);
            for optional in ["settled_cash", "fee", "id_of_nobody"] {
                fields.remove(optional);
            }
            for number in ["quantity", "filled", "cash", "price", "buying_power", "available"] {
                let text = fields.get(number).and_then(Json::as_str);
                if let Some(number_) = text.and_then(|text| serde_json::from_str(text).ok()) {
                    fields.insert(number.to_owned(), number_);
                }
            }
            fields.insert("new_since_spring".to_owned(), json!({ "a": [1, null] }));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[test]
fn c47_other_fields_and_numbers_are_tolerated() {
    let (rig, broker, account, order) = world(TOKEN);
    rig.server.state().dressed = Some(otherwise);
    let SubmitAnswer::Acknowledged(view) = rig.drive(broker.submit(&account, &order)) else { panic!("a view") };
    assert_eq!(view.quantity, order.terms.quantity);
    rig.drive(rig.sleep(Duration::from_secs(1)));
    let Lookup::Found(view) = rig.drive(broker.order(&account, order.id)).unwrap() else { panic!("it is there") };
    assert_eq!((view.status, view.filled), (BrokerStatus::Filled, order.terms.quantity));
    assert_eq!(rig.drive(broker.fills_since(&account, None)).unwrap().fills[0].fill, view.fills[0]);
    assert_eq!(rig.drive(broker.positions(&account)).unwrap()[0].available, order.terms.quantity);
    let seen = rig.drive(broker.account(&account)).unwrap();
    assert_eq!((seen.cash.to_string().as_str(), seen.settled_cash), ("8999.95", None));
    assert!(rig.drive(broker.open_orders(&account)).unwrap().complete);
}

#[test]
fn a_question_is_answered_by_nothing_but_its_answer() {
    let (rig, broker, account, order) = world(TOKEN);
    rig.drive(rig.sleep(Duration::from_secs(10)));
    for instead in
        [(500, "[]"), (503, "{}"), (302, ""), (204, ""), (429, ""), (200, ""), (200, "{}"), (200, "null"), (404, "")]
    {
        rig.server.state().instead = Some(instead);
        let errors = [
            rig.drive(broker.order(&account, order.id)).map(drop),
            rig.drive(broker.open_orders(&account)).map(drop),
            rig.drive(broker.fills_since(&account, None)).map(drop),
            rig.drive(broker.positions(&account)).map(drop),
            rig.drive(broker.account(&account)).map(drop),
        ];
        for (question, error) in errors.iter().enumerate() {
            let kept = matches!(error, Err(BrokerError::Unavailable { .. } | BrokerError::Garbled { .. }));
            assert!(kept, "question {question}, {instead:?}: {error:?}");
        }
    }
    // Only the broker's own word makes an order absent.
    for body in [r#"{"code":"no_such_path"}"#, r#"{"error":"not found"}"#, "<html>404</html>"] {
        rig.server.state().instead = Some((404, body));
        let answer = rig.drive(broker.order(&account, order.id));
        assert!(matches!(answer, Err(BrokerError::Garbled { .. })), "{body}: {answer:?}");
    }
    rig.server.state().instead = None;
    assert_eq!(rig.drive(broker.order(&account, order.id)), Ok(Lookup::Absent));
}

#[test]
fn an_account_that_is_not_there_is_said_so() {
    let (rig, broker, _, order) = world(TOKEN);
    let nobody: AccountId = "nobody".parse().unwrap();
    assert_ne!(nobody.as_str(), ACCOUNT);
    let submitted = rig.drive(broker.submit(&nobody, &order));
    assert!(matches!(&submitted, SubmitAnswer::Refused(refused) if refused.reason == RefusalReason::Other));
    let read = rig.drive(broker.positions(&nobody));
    assert_eq!(read, Err(BrokerError::NoSuchAccount { account: nobody }));
}
