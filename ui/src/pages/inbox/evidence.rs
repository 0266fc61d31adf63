//! What the approver is shown: key fields, lists of things as small tables.

use crate::format;
use serde_json::{Map, Value};
use shared_types::api::approvals::Approval;
use yew::prelude::*;

/// How many rows and columns of a list are shown.
const ROWS: usize = 20;
const COLUMNS: usize = 6;

/// The facts, in the order of the request.
pub(super) fn facts(approval: &Approval) -> Html {
    let mut facts: Vec<(String, Html)> = Vec::new();
    let mut plain = |name: &str, text: Option<String>| {
        if let Some(text) = text {
            facts.push((name.to_owned(), html! { text }));
        }
    };
    plain("Amount", format::amount(approval.amount.as_deref(), approval.currency.as_deref()));
    plain(
        "About",
        approval.entity.as_deref().map(|entity| {
            format!("{} {}", format::label(entity), approval.entity_id.clone().unwrap_or_default())
        }),
    );
    plain("Asked for by", approval.requester.as_ref().map(|requester| requester.name.clone()));
    for (key, value) in approval.data.iter().filter(|(_, value)| !value.is_null()) {
        facts.push((format::label(key), shown(value)));
    }
    let facts = facts.into_iter().map(|(name, value)| html! { <><dt>{ name }</dt><dd>{ value }</dd></> });
    html! { <dl class="facts">{ facts.collect::<Html>() }</dl> }
}

fn shown(value: &Value) -> Html {
    if let Some(rows) = rows_of(value) {
        return table(&rows);
    }
    format::value(value).lines().map(|line| html! { <p>{ line.to_owned() }</p> }).collect()
}

/// The things of a list, where it holds nothing else.
fn rows_of(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(Value::as_object).collect()
}

fn table(rows: &[&Map<String, Value>]) -> Html {
    let mut columns: Vec<&String> = Vec::new();
    let said = rows.iter().flat_map(|row| row.iter()).filter(|(_, value)| !value.is_null());
    for (key, _) in said {
        if !columns.contains(&key) && columns.len() < COLUMNS {
            columns.push(key);
        }
    }
    let is_figure = |column: &String| {
        rows.iter().filter_map(|row| row.get(column)).all(|value| value.is_number() || value.is_null())
    };
    let classes: Vec<Option<&str>> =
        columns.iter().map(|column| is_figure(column).then_some("num")).collect();
    let head = columns
        .iter()
        .zip(&classes)
        .map(|(column, class)| html! { <th class={*class}>{ format::label(column) }</th> });
    let body = rows.iter().take(ROWS).map(|row| {
        let cells = columns.iter().zip(&classes).map(|(column, class)| {
            html! { <td class={*class}>{ row.get(*column).map(format::value) }</td> }
        });
        html! { <tr>{ cells.collect::<Html>() }</tr> }
    });
    let more = rows.len().saturating_sub(ROWS);
    html! {
        <>
            <div class="table-of-facts"><table><thead><tr>{ head.collect::<Html>() }</tr></thead><tbody>{ body.collect::<Html>() }</tbody></table></div>
            if more > 0 { <p class="muted">{ format::count(more, "more row; the run shows it", "more rows; the run shows them") }</p> }
        </>
    }
}
