//! The shop's own system: customers, orders and tickets, kept in memory and described by an OpenAPI document.

use super::{Shop, is_known};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The customers: id, name, level, orders so far, what they came to, since when.
const CUSTOMERS: [(&str, &str, &str, u32, u32, &str); 5] = [
    ("C-1", "Lund Robotics", "gold", 182, 412_300, "2019-03-04"),
    ("C-2", "Ada Lind", "silver", 12, 8_460, "2023-09-18"),
    ("C-3", "Kestrel Metals", "gold", 96, 268_900, "2020-01-27"),
    ("C-4", "Fjord Outdoor", "silver", 31, 54_120, "2022-06-02"),
    ("C-5", "Nordic Paper", "new", 1, 940, "2026-10-30"),
];

/// The states of an order.
const ORDER_STATES: [&str; 4] = ["open", "packed", "sent", "cancelled"];

/// How many tickets are kept.
const MAX_TICKETS: usize = 200;

/// Orders and tickets, by id.
#[derive(Debug, Default)]
pub(super) struct Records {
    orders: BTreeMap<String, Value>,
    tickets: BTreeMap<String, Value>,
    /// Which ticket a call made, by its key: one that comes again makes no other.
    made: BTreeMap<String, String>,
}

/// What the shop keeps; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Store(Arc<Mutex<Records>>);

impl Default for Store {
    fn default() -> Self {
        let order = |id: &str, state: &str, customer: &str, total: u32| {
            let order =
                json!({ "id": id, "state": state, "customer": customer, "total": total, "currency": "EUR" });
            (id.to_owned(), order)
        };
        let orders = [
            order("A-20400", "sent", "Lund Robotics", 8_120),
            order("A-20411", "packed", "Kestrel Metals", 2_450),
            order("A-20416", "open", "Lund Robotics", 23_760),
        ];
        Self(Arc::new(Mutex::new(Records { orders: BTreeMap::from(orders), ..Records::default() })))
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Answer = (StatusCode, Json<Value>);

fn answer(status: StatusCode, body: Value) -> Answer {
    (status, Json(body))
}

fn unknown() -> Answer {
    answer(StatusCode::UNAUTHORIZED, json!({ "error": "the shop doesn't know this caller" }))
}

fn missing(what: &str, id: &str) -> Answer {
    answer(StatusCode::NOT_FOUND, json!({ "error": format!("there is no {what} {id}") }))
}

/// The routes of the shop's system.
pub(super) fn routes() -> Router<Shop> {
    Router::new()
        .route("/customers", get(find_customer))
        .route("/customers/{id}", get(customer))
        .route("/orders/{id}", get(order).patch(change_order))
        .route("/tickets", get(tickets).post(open_ticket))
        .route("/tickets/{id}", get(ticket).patch(change_ticket))
}

fn shown(id: &str, name: &str, level: &str, orders: u32, spent: u32, since: Option<&str>) -> Value {
    json!({ "id": id, "name": name, "level": level, "orders": orders, "spent": spent, "currency": "EUR", "since": since })
}

#[derive(Debug, Deserialize)]
struct ByName {
    name: String,
}

/// A customer by name; one whom the shop doesn't know yet is new.
async fn find_customer(headers: HeaderMap, Query(by): Query<ByName>) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    let known = CUSTOMERS.iter().find(|(_, name, ..)| name.eq_ignore_ascii_case(by.name.trim()));
    let found = known.map_or_else(
        || shown("C-new", by.name.trim(), "new", 0, 0, None),
        |(id, name, level, orders, spent, since)| shown(id, name, level, *orders, *spent, Some(since)),
    );
    answer(StatusCode::OK, found)
}

async fn customer(headers: HeaderMap, Path(id): Path<String>) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    let known = CUSTOMERS.iter().find(|(known, ..)| *known == id);
    known.map_or_else(
        || missing("customer", &id),
        |(id, name, level, orders, spent, since)| {
            answer(StatusCode::OK, shown(id, name, level, *orders, *spent, Some(since)))
        },
    )
}

async fn order(State(shop): State<Shop>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    let found = shop.store.lock().orders.get(&id).cloned();
    found.map_or_else(|| missing("order", &id), |order| answer(StatusCode::OK, order))
}

async fn change_order(
    State(shop): State<Shop>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(change): Json<Map<String, Value>>,
) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    if !change.get("state").and_then(Value::as_str).is_some_and(|state| ORDER_STATES.contains(&state)) {
        return refused("the state of an order is open, packed, sent or cancelled");
    }
    let path = format!("api/orders/{id}");
    let changed = changed(shop.store.lock().orders.get_mut(&id), &change, &["state"]);
    shop.took(&headers, path, Value::Object(change));
    changed.map_or_else(|| missing("order", &id), |order| answer(StatusCode::OK, order))
}

async fn tickets(State(shop): State<Shop>, headers: HeaderMap) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    let all: Vec<Value> = shop.store.lock().tickets.values().cloned().collect();
    answer(StatusCode::OK, all.into_iter().filter(|ticket| ticket["state"] == "open").collect())
}

async fn ticket(State(shop): State<Shop>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    let found = shop.store.lock().tickets.get(&id).cloned();
    found.map_or_else(|| missing("ticket", &id), |ticket| answer(StatusCode::OK, ticket))
}

/// Opens a ticket; a call that comes again under its key finds the ticket that it opened.
async fn open_ticket(
    State(shop): State<Shop>,
    headers: HeaderMap,
    Json(new): Json<Map<String, Value>>,
) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    if let Some(fault) = ticket_fault(&new, true) {
        return refused(fault);
    }
    let key = super::text_of(&headers, "idempotency-key");
    shop.took(&headers, "api/tickets".to_owned(), Value::Object(new.clone()));
    let mut records = shop.store.lock();
    if let Some(known) = records.made.get(&key).and_then(|id| records.tickets.get(id)) {
        return answer(StatusCode::CREATED, known.clone());
    }
    if records.tickets.len() >= MAX_TICKETS {
        records.tickets.pop_first();
    }
    let id = format!("T-{}", 1_001 + records.made.len());
    let mut ticket = new;
    ticket.insert("id".to_owned(), id.as_str().into());
    ticket.insert("state".to_owned(), "open".into());
    let ticket = Value::Object(ticket);
    records.tickets.insert(id.clone(), ticket.clone());
    records.made.insert(if key.is_empty() { id.clone() } else { key }, id);
    answer(StatusCode::CREATED, ticket)
}

async fn change_ticket(
    State(shop): State<Shop>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(change): Json<Map<String, Value>>,
) -> Answer {
    if !is_known(&headers) {
        return unknown();
    }
    if let Some(fault) = ticket_fault(&change, false) {
        return refused(fault);
    }
    let path = format!("api/tickets/{id}");
    let changed = changed(shop.store.lock().tickets.get_mut(&id), &change, &["title", "priority", "state"]);
    shop.took(&headers, path, Value::Object(change));
    changed.map_or_else(|| missing("ticket", &id), |ticket| answer(StatusCode::OK, ticket))
}

/// What of a ticket isn't as the document says.
fn ticket_fault(ticket: &Map<String, Value>, is_new: bool) -> Option<&'static str> {
    let is_title =
        |title: &Value| title.as_str().is_some_and(|title| (1..=200).contains(&title.chars().count()));
    let is_state = |state: &Value| state == "open" || state == "done";
    let is_priority =
        |priority: &Value| priority.as_u64().is_some_and(|priority| (1..=5).contains(&priority));
    let is_customer = |id: &Value| id.is_null() || id.is_string();
    if ticket.get("title").map_or(is_new, |title| !is_title(title)) {
        return Some("a ticket has a title of up to 200 characters");
    }
    if !ticket.get("state").is_none_or(is_state) {
        return Some("the state of a ticket is open or done");
    }
    if !ticket.get("priority").is_none_or(is_priority) {
        return Some("the priority of a ticket is 1 to 5");
    }
    (!ticket.get("customer_id").is_none_or(is_customer)).then_some("the id of a customer is a text")
}

fn refused(fault: &str) -> Answer {
    answer(StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": fault }))
}

/// A record with these of its fields changed.
fn changed(record: Option<&mut Value>, change: &Map<String, Value>, fields: &[&str]) -> Option<Value> {
    let record = record?;
    for field in fields {
        if let Some(value) = change.get(*field) {
            record[*field] = value.clone();
        }
    }
    Some(record.clone())
}
