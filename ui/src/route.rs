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
    Settings,
}

impl Route {
    /// The list that a view of one thing belongs to.
    pub(crate) fn list(&self) -> Option<Self> {
        match self {
            Self::Card { .. } => Some(Self::Inbox),
            Self::Workflow { .. } => Some(Self::Workflows),
            Self::Run { .. } => Some(Self::Runs),
            Self::Rule { .. } => Some(Self::Rules),
            // The editor stays open: what is written in it isn't left by one key.
            Self::NewWorkflow
            | Self::EditWorkflow { .. }
            | Self::NewRule
            | Self::Rules
            | Self::Home
            | Self::Inbox
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
            Self::Home | Self::Inbox | Self::Card { .. } | Self::Messages => Some(Section::Inbox),
            Self::Workflows
            | Self::Workflow { .. }
            | Self::NewWorkflow
            | Self::EditWorkflow { .. }
            | Self::Rules
            | Self::NewRule
            | Self::Rule { .. } => Some(Section::Workflows),
            Self::Runs | Self::Run { .. } => Some(Section::Runs),
            Self::Outbox => Some(Section::Outbox),
            Self::Settings => Some(Section::Settings),
            Self::Nowhere => None,
        }
    }
}
