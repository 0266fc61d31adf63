//! The keys of the desktop: which key does what, and in which view.

/// A view that takes keys. A view that isn't on the screen takes none, and while a dialog is open none does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Every page: its keys count wherever no other view takes them.
    Page,
    /// A list of rows.
    List,
    /// The list of runs.
    Runs,
    /// A request's card.
    Card,
    /// The reason that is asked for before a rejection.
    Reason,
    /// The editor of a workflow's source.
    Editor,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Moves the selection, or the focus, one row down.
    Next,
    /// Moves the selection, or the focus, one row up.
    Previous,
    /// Opens the row.
    Open,
    /// Selects the row, to decide it together with others.
    Mark,
    /// Back to the list.
    Back,
    /// Looks for something.
    Search,
    /// Opens the tab left of the open one.
    TabBefore,
    /// Opens the tab right of the open one.
    TabAfter,
    /// Shows new runs.
    ShowNew,
    /// Approves.
    Approve,
    /// Asks for a reason, to reject.
    Reject,
    /// Asks for a reason, to request changes.
    RequestChanges,
    /// Goes to the first field of the form.
    Edit,
    /// Puts the request off.
    Snooze,
    /// Sends the reason.
    Submit,
    /// Publishes what is edited.
    Save,
    /// Takes back what was just done, where that can be.
    Undo,
    /// To the Inbox.
    Inbox,
    /// To the workflows.
    Workflows,
    /// To the runs.
    Runs,
    /// To the Outbox.
    Outbox,
    /// To the settings.
    Settings,
    /// Shows these keys.
    Keys,
}

/// One key, or two in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Where it counts.
    pub view: View,
    /// What it does.
    pub action: Action,
    /// As the browser names what is pressed: `j`, `Ctrl+Enter` (on macOS with the command key), `g i`.
    pub keys: &'static [&'static str],
    /// In words, for the list of keys.
    pub says: &'static str,
}

impl Action {
    /// Whether it acts on while its key is held down.
    pub fn repeats(self) -> bool {
        matches!(self, Self::Next | Self::Previous)
    }

    /// Whether it acts while a field has the focus.
    pub fn acts_in_fields(self) -> bool {
        matches!(self, Self::Back | Self::Submit | Self::Save)
    }

    /// Whether it records something, or leads to it.
    pub fn decides(self) -> bool {
        matches!(self, Self::Approve | Self::Reject | Self::RequestChanges | Self::Submit)
    }
}

const fn bind(view: View, action: Action, keys: &'static [&'static str], says: &'static str) -> Binding {
    Binding { view, action, keys, says }
}

/// The keys of all views: a key has one binding, an action too.
pub const BINDINGS: [Binding; 23] = [
    bind(View::List, Action::Next, &["j"], "Next row"),
    bind(View::List, Action::Previous, &["k"], "Row before"),
    bind(View::List, Action::Open, &["Enter", "o"], "Open"),
    bind(View::List, Action::Mark, &["x"], "Select, to decide several together"),
    bind(View::Page, Action::Back, &["Escape"], "Back"),
    bind(View::Page, Action::Search, &["/"], "Search"),
    bind(View::Page, Action::TabBefore, &["["], "Tab before"),
    bind(View::Page, Action::TabAfter, &["]"], "Next tab"),
    bind(View::Runs, Action::ShowNew, &["."], "Show new runs"),
    bind(View::Card, Action::Approve, &["a"], "Approve"),
    bind(View::Card, Action::Reject, &["r"], "Reject, with a reason"),
    bind(View::Card, Action::RequestChanges, &["c"], "Request changes, with a reason"),
    bind(View::Card, Action::Edit, &["e"], "Edit and approve"),
    bind(View::Card, Action::Snooze, &["s"], "Snooze for an hour"),
    bind(View::Reason, Action::Submit, &["Ctrl+Enter"], "Submit the reason"),
    bind(View::Editor, Action::Save, &["Ctrl+s"], "Publish what is edited"),
    bind(View::Page, Action::Undo, &["z"], "Undo what was just done"),
    bind(View::Page, Action::Inbox, &["g i"], "Inbox"),
    bind(View::Page, Action::Workflows, &["g w"], "Workflows"),
    bind(View::Page, Action::Runs, &["g r"], "Runs"),
    bind(View::Page, Action::Outbox, &["g o"], "Outbox"),
    bind(View::Page, Action::Settings, &["g ,"], "Settings"),
    bind(View::Page, Action::Keys, &["?"], "These keys"),
];

/// The first key of those that go to a place.
pub const GO: &str = "g";

/// What is bound to a press: a key as the browser names it, with `Ctrl+` or `g ` before it.
pub fn binding(press: &str) -> Option<&'static Binding> {
    BINDINGS.iter().find(|binding| binding.keys.contains(&press))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_key_does_one_thing_and_everything_has_a_key() {
        let keys: Vec<&str> = BINDINGS.iter().flat_map(|binding| binding.keys).copied().collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        let actions: BTreeSet<Action> = BINDINGS.iter().map(|binding| binding.action).collect();
        assert_eq!(actions.len(), BINDINGS.len());
        assert!(!keys.contains(&GO));
        assert_eq!(binding("g i").map(|binding| binding.action), Some(Action::Inbox));
        assert_eq!(binding("i"), None);
    }

    #[test]
    fn what_decides_is_of_the_card_and_its_reason_and_never_repeats() {
        for binding in BINDINGS.iter().filter(|binding| binding.action.decides()) {
            assert!(matches!(binding.view, View::Card | View::Reason), "{binding:?}");
            assert!(!binding.action.repeats(), "{binding:?}");
        }
    }
}
