//! The tabs of the Inbox, each with a route of its own.

use crate::{components::tab_link::TabLink, route::Route};
use shared_types::{api::approvals::Scope, ids::ApprovalId};
use yew::prelude::*;

/// A tab of the Inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    /// What the person can decide now.
    Mine,
    /// What waits for somebody else.
    Others,
    /// What is closed.
    Decided,
    /// What the person put off.
    Snoozed,
    /// Messages.
    Messages,
}

impl Tab {
    /// The tab that a route names; an unknown name is the first.
    pub(crate) fn of(scope: &str) -> Self {
        match scope {
            "others" => Self::Others,
            "decided" => Self::Decided,
            "snoozed" => Self::Snoozed,
            _ => Self::Mine,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Mine | Self::Messages => "mine",
            Self::Others => "others",
            Self::Decided => "decided",
            Self::Snoozed => "snoozed",
        }
    }

    /// Which requests it lists; none for the messages.
    pub(super) fn scope(self) -> Scope {
        match self {
            Self::Mine | Self::Messages => Scope::Mine,
            Self::Others => Scope::Others,
            Self::Decided => Scope::Decided,
            Self::Snoozed => Scope::Snoozed,
        }
    }

    /// What it says where it lists nothing, and what that means.
    pub(super) fn when_empty(self) -> (&'static str, &'static str) {
        match self {
            Self::Mine | Self::Messages => {
                ("Nothing waits for you.", "A request appears here the moment somebody needs your decision.")
            }
            Self::Others => (
                "Nothing waits for others.",
                "Open requests that you can see and somebody else decides appear here.",
            ),
            Self::Decided => ("Nothing is decided yet.", "Requests appear here once they are closed."),
            Self::Snoozed => {
                ("Nothing is snoozed.", "Press s on a request to put it off; it comes back by itself.")
            }
        }
    }

    /// The address of the tab, or of a request in it.
    pub(super) fn route(self, id: Option<ApprovalId>) -> Route {
        match (self, id) {
            (Self::Mine | Self::Messages, Some(id)) => Route::Card { id: id.to_string() },
            (Self::Mine, None) => Route::Inbox,
            (Self::Messages, None) => Route::Messages,
            (Self::Others | Self::Decided | Self::Snoozed, Some(id)) => {
                Route::Request { scope: self.word().to_owned(), id: id.to_string() }
            }
            (Self::Others | Self::Decided | Self::Snoozed, None) => {
                Route::Requests { scope: self.word().to_owned() }
            }
        }
    }
}

/// The row of tabs.
pub(super) fn tabs(here: Tab, waiting: usize) -> Html {
    let tab = |tab: Tab, name: &'static str| {
        let count = (tab == Tab::Mine && waiting > 0).then_some(waiting);
        html! {
            <TabLink to={tab.route(None)} is_here={tab == here}>
                { name } if let Some(count) = count { <span class="count">{ count }</span> }
            </TabLink>
        }
    };
    html! {
        <nav class="tabs" aria-label="Inbox">
            { tab(Tab::Mine, "Mine") }
            { tab(Tab::Others, "Others") }
            { tab(Tab::Decided, "Decided") }
            { tab(Tab::Snoozed, "Snoozed") }
            { tab(Tab::Messages, "Messages") }
        </nav>
    }
}
