//! Every view is a route: it opens by link, and Back works.

use yew_router::Routable;

#[derive(Debug, Clone, PartialEq, Eq, Routable)]
pub(crate) enum Route {
    #[at("/")]
    Home,
    #[at("/inbox")]
    Inbox,
    #[at("/inbox/:id")]
    Card { id: String },
    #[at("/requests/:scope")]
    Requests { scope: String },
    #[at("/requests/:scope/:id")]
    Request { scope: String, id: String },
    #[at("/messages")]
    Messages,
    #[at("/workflows")]
    Workflows,
    #[at("/edit")]
    NewWorkflow,
    #[at("/edit/:id")]
    EditWorkflow { id: String },
    #[at("/workflows/:id")]
    Workflow { id: String },
    #[at("/rules")]
    Rules,
    #[at("/rule")]
    NewRule,
    #[at("/rules/:id")]
    Rule { id: String },
    #[at("/connectors")]
    Connectors,
    #[at("/connector")]
    NewConnector,
    #[at("/connectors/:name")]
    Connector { name: String },
    #[at("/connectors/:name/calls")]
    ConnectorCalls { name: String },
    #[at("/connectors/:name/settings")]
    ConnectorSettings { name: String },
    #[at("/runs")]
    Runs,
    #[at("/runs/:id")]
    Run { id: String },
    #[at("/outbox")]
    Outbox,
    #[at("/settings")]
    Settings,
    #[not_found]
    #[at("/nowhere")]
    Nowhere,
}

/// The places of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Inbox,
    Workflows,
    Runs,
    Outbox,
    Admin,
    Settings,
}

impl Route {
    /// The list that a view of one thing belongs to.
    pub(crate) fn list(&self) -> Option<Self> {
        match self {
            Self::Card { .. } => Some(Self::Inbox),
            Self::Request { scope, .. } => Some(Self::Requests { scope: scope.clone() }),
            Self::Workflow { .. } => Some(Self::Workflows),
            Self::Run { .. } => Some(Self::Runs),
            Self::Rule { .. } => Some(Self::Rules),
            Self::Connector { .. } | Self::ConnectorCalls { .. } => Some(Self::Connectors),
            // The editor stays open: what is written in it isn't left by one key.
            Self::NewWorkflow
            | Self::EditWorkflow { .. }
            | Self::NewRule
            | Self::NewConnector
            | Self::ConnectorSettings { .. }
            | Self::Connectors
            | Self::Rules
            | Self::Home
            | Self::Inbox
            | Self::Requests { .. }
            | Self::Messages
            | Self::Workflows
            | Self::Runs
            | Self::Outbox
            | Self::Settings
            | Self::Nowhere => None,
        }
    }

    /// Which place of the rail a view belongs to.
    pub(crate) fn section(&self) -> Option<Section> {
        match self {
            Self::Home
            | Self::Inbox
            | Self::Card { .. }
            | Self::Requests { .. }
            | Self::Request { .. }
            | Self::Messages => Some(Section::Inbox),
            Self::Workflows
            | Self::Workflow { .. }
            | Self::NewWorkflow
            | Self::EditWorkflow { .. }
            | Self::Rules
            | Self::NewRule
            | Self::Rule { .. } => Some(Section::Workflows),
            Self::Runs | Self::Run { .. } => Some(Section::Runs),
            Self::Outbox => Some(Section::Outbox),
            Self::Connectors
            | Self::NewConnector
            | Self::Connector { .. }
            | Self::ConnectorCalls { .. }
            | Self::ConnectorSettings { .. } => Some(Section::Admin),
            Self::Settings => Some(Section::Settings),
            Self::Nowhere => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> String {
        "a1".to_owned()
    }

    fn all() -> Vec<(Route, &'static str, Option<Section>, Option<Route>)> {
        use Section::{Admin, Inbox, Outbox, Runs, Settings, Workflows};
        vec![
            (Route::Home, "/", Some(Inbox), None),
            (Route::Inbox, "/inbox", Some(Inbox), None),
            (Route::Card { id: id() }, "/inbox/a1", Some(Inbox), Some(Route::Inbox)),
            (Route::Requests { scope: "others".into() }, "/requests/others", Some(Inbox), None),
            (
                Route::Request { scope: "others".into(), id: id() },
                "/requests/others/a1",
                Some(Inbox),
                Some(Route::Requests { scope: "others".into() }),
            ),
            (Route::Messages, "/messages", Some(Inbox), None),
            (Route::Workflows, "/workflows", Some(Workflows), None),
            (Route::NewWorkflow, "/edit", Some(Workflows), None),
            (Route::EditWorkflow { id: id() }, "/edit/a1", Some(Workflows), None),
            (Route::Workflow { id: id() }, "/workflows/a1", Some(Workflows), Some(Route::Workflows)),
            (Route::Rules, "/rules", Some(Workflows), None),
            (Route::NewRule, "/rule", Some(Workflows), None),
            (Route::Rule { id: id() }, "/rules/a1", Some(Workflows), Some(Route::Rules)),
            (Route::Runs, "/runs", Some(Runs), None),
            (Route::Run { id: id() }, "/runs/a1", Some(Runs), Some(Route::Runs)),
            (Route::Connectors, "/connectors", Some(Admin), None),
            (Route::NewConnector, "/connector", Some(Admin), None),
            (Route::Connector { name: id() }, "/connectors/a1", Some(Admin), Some(Route::Connectors)),
            (
                Route::ConnectorCalls { name: id() },
                "/connectors/a1/calls",
                Some(Admin),
                Some(Route::Connectors),
            ),
            (Route::ConnectorSettings { name: id() }, "/connectors/a1/settings", Some(Admin), None),
            (Route::Outbox, "/outbox", Some(Outbox), None),
            (Route::Settings, "/settings", Some(Settings), None),
        ]
    }

    #[test]
    fn every_view_opens_by_its_address() {
        for (route, path, ..) in all() {
            assert_eq!(Route::recognize(path), Some(route.clone()), "{path}");
            assert_eq!(route.to_path(), path);
        }
        assert_eq!(Route::recognize("/what/is/this"), Some(Route::Nowhere));
    }

    #[test]
    fn back_leads_from_one_thing_to_its_list_and_the_rail_shows_where_one_is() {
        for (route, path, section, list) in all() {
            assert_eq!((route.section(), route.list()), (section, list), "{path}");
        }
    }

    #[test]
    fn an_id_is_an_id_however_it_is_written() {
        let route = Route::Workflow { id: "a b/c?d".to_owned() };
        assert_eq!(Route::recognize(&route.to_path()), Some(route));
    }
}
