//! Which runs are shown: kept in the address, so that Back, a link and a restart find them again.

use super::word;
use chrono::Duration;
use serde::{Deserialize, Serialize};
use shared_types::{
    api::executions::ExecutionQuery,
    ids::WorkflowId,
    machine::{result::RunResult, state::RunStatus},
};
use std::cell::RefCell;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;
use yew_router::prelude::*;

use crate::{
    components::icon::{Glyph, Icon},
    format,
    route::Route,
};

/// How many runs are read at once.
const PAGE: u32 = 100;

thread_local! {
    /// The filters that were last in use, for whoever comes back to the list.
    static LAST: RefCell<Filters> = RefCell::default();
}

/// Which runs are shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Filters {
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<WorkflowId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<RunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<RunResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Period>,
}

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Period {
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
}

impl Period {
    fn span(self) -> Duration {
        match self {
            Self::Hour => Duration::hours(1),
            Self::Day => Duration::hours(24),
            Self::Week => Duration::days(7),
            Self::Month => Duration::days(30),
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }
}

impl Filters {
    /// The filters that were last in use.
    pub(crate) fn last() -> Self {
        LAST.with_borrow(Clone::clone)
    }

    pub(super) fn are_set(&self) -> bool {
        *self != Self::default()
    }

    /// What the server is asked, from a cursor on.
    pub(super) fn query(&self, cursor: Option<String>) -> ExecutionQuery {
        ExecutionQuery {
            cursor,
            limit: Some(PAGE),
            workflow_id: self.workflow.clone(),
            status: self.state,
            result: self.result,
            started_after: self.since.map(|since| format::now() - since.span()),
            q: self.q.clone(),
            ..ExecutionQuery::default()
        }
    }
}

/// The filters of the address, and how to change them.
#[hook]
pub(super) fn use_filters() -> (Filters, Callback<Filters>) {
    let filters: Filters =
        use_location().and_then(|location| location.query::<Filters>().ok()).unwrap_or_default();
    LAST.set(filters.clone());
    let navigator = use_navigator();
    let change = Callback::from(move |filters: Filters| {
        if let Some(navigator) = &navigator {
            // What is written here can always be written into an address.
            let _ = navigator.replace_with_query(&Route::Runs, &filters);
        }
    });
    (filters, change)
}

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) filters: Filters,
    pub(super) names: Vec<(WorkflowId, String)>,
    pub(super) change: Callback<Filters>,
}

const STATES: [(&str, &str); 4] =
    [("", "Any state"), ("running", "Running"), ("waiting", "Waiting"), ("ended", "Ended")];
const RESULTS: [(&str, &str); 7] = [
    ("", "Any result"),
    ("allowed", "Allowed"),
    ("blocked", "Blocked"),
    ("executed", "Executed"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
    ("timed_out", "Timed out"),
];
const PERIODS: [(&str, &str); 5] = [
    ("", "Any time"),
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
];

/// The row of filters.
#[component]
pub(super) fn FilterRow(props: &Props) -> Html {
    let Props { filters, names, change } = props;
    let with = |update: fn(&mut Filters, Option<String>)| {
        let filters = filters.clone();
        change.reform(move |event: Event| {
            let mut next = filters.clone();
            update(&mut next, Some(value_of(&event)).filter(|value| !value.is_empty()));
            next
        })
    };
    let options = |list: &[(&'static str, &'static str)], current: &str| {
        let option = |(value, name): &(&'static str, &'static str)| {
            html! { <option value={*value} selected={*value == current}>{ *name }</option> }
        };
        list.iter().map(option).collect::<Html>()
    };
    let workflow = filters.workflow.as_ref().map_or("", WorkflowId::as_str);
    let named = names.iter().map(|(id, name)| {
        html! { <option value={id.0.clone()} selected={id.as_str() == workflow}>{ name }</option> }
    });
    let clear = change.reform(|_: MouseEvent| Filters::default());
    html! {
        <div class="filters">
            <label class="field search"><Glyph icon={Icon::Search} tone="muted" />
                <input aria-label="Search" placeholder="Search subject or id" value={filters.q.clone().unwrap_or_default()}
                    onchange={with(|filters, value| filters.q = value)} /></label>
            <select class="field" aria-label="Workflow" onchange={with(|filters, value| filters.workflow = value.map(WorkflowId))}>
                <option value="" selected={workflow.is_empty()}>{ "All workflows" }</option>{ named.collect::<Html>() }</select>
            <select class="field" aria-label="State" onchange={with(|filters, value| filters.state = word(value))}>
                { options(&STATES, filters.state.map_or("", RunStatus::as_str)) }</select>
            <select class="field" aria-label="Result" onchange={with(|filters, value| filters.result = word(value))}>
                { options(&RESULTS, filters.result.map_or("", RunResult::as_str)) }</select>
            <select class="field" aria-label="Started" onchange={with(|filters, value| filters.since = word(value))}>
                { options(&PERIODS, filters.since.map_or("", Period::key)) }</select>
            if filters.are_set() { <button class="btn quiet" onclick={clear}>{ "Clear" }</button> }
        </div>
    }
}

fn value_of(event: &Event) -> String {
    match event.target_dyn_into::<HtmlSelectElement>() {
        Some(select) => select.value(),
        None => event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters() -> Filters {
        Filters {
            q: Some("Order A-1".to_owned()),
            workflow: Some(WorkflowId("order".to_owned())),
            state: Some(RunStatus::Ended),
            result: Some(RunResult::TimedOut),
            since: Some(Period::Day),
        }
    }

    #[test]
    fn what_is_in_the_address_is_what_is_filtered() {
        let kept = serde_json::to_value(filters()).unwrap();
        assert_eq!(
            kept,
            serde_json::json!({ "q": "Order A-1", "workflow": "order", "state": "ended", "result": "timed_out", "since": "24h" })
        );
        assert_eq!(serde_json::from_value::<Filters>(kept).unwrap(), filters());
        assert_eq!(serde_json::to_value(Filters::default()).unwrap(), serde_json::json!({}));
        assert!(filters().are_set() && !Filters::default().are_set());
    }

    #[test]
    fn the_server_is_asked_for_what_is_filtered() {
        let query = filters().query(Some("c".to_owned()));
        assert_eq!((query.cursor.as_deref(), query.limit), (Some("c"), Some(PAGE)));
        assert_eq!((query.status, query.result), (Some(RunStatus::Ended), Some(RunResult::TimedOut)));
        let back = format::now() - query.started_after.unwrap();
        assert!((Duration::hours(24)..Duration::hours(25)).contains(&back), "{back}");
        assert!(Filters::default().query(None).started_after.is_none());
    }

    #[test]
    fn every_choice_of_a_filter_is_one_that_it_takes() {
        for (word, _) in &STATES[1..] {
            assert!(super::word::<RunStatus>(Some((*word).to_owned())).is_some(), "{word}");
        }
        for (word, _) in &RESULTS[1..] {
            assert!(super::word::<RunResult>(Some((*word).to_owned())).is_some(), "{word}");
        }
        for (word, _) in &PERIODS[1..] {
            let period = super::word::<Period>(Some((*word).to_owned()));
            assert_eq!(period.map(Period::key), Some(*word));
        }
    }
}
