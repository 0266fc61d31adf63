//! The app: who is signed in, where one is, and what the shell tells.

use crate::{
    bridge,
    clock::Clock,
    components::{
        confirm::{Ask, waiting_says, waiting_title},
        connection_banner::Strip,
        rail::Rail,
        search,
        toast::{Toast, ToastView, Toaster},
    },
    keys::{act_on_page, use_keyboard, use_keys},
    load::use_throttle,
    pages::{
        connector::{Connector, NewConnector, Tab as ConnectorTab},
        connectors::Connectors,
        edit::Edit,
        help::Help,
        inbox::{Inbox, Tab, is_open},
        outbox::Outbox,
        rule::Rule,
        rules::Rules,
        run::Run,
        runs::{Filters, Runs},
        settings::Settings,
        sign_in::SignInPage,
        workflow::Workflow,
        workflows::Workflows,
    },
    route::Route,
    shell_events::{Bus, use_shell_event, use_shell_state},
    theme::show_theme,
};
use shared_types::{
    api::{Permissions, live::LiveKind},
    desktop::{
        CachePolicy, Connection, OutboxItem, QueuedDecision, QueuedDecisionState, SessionView, ShellEvent,
        commands::{Leave, ListOutbox, ListWaiting, ReadConnection, ReadSession, ReadSettings},
        keys::{Action, View},
    },
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

#[component]
pub(crate) fn App() -> Html {
    let listens = use_state(|| false);
    let bus = {
        let listens = listens.clone();
        use_memo((), |()| Bus::start(Callback::from(move |()| listens.set(true))))
    };
    html! {
        <ContextProvider<Bus> context={(*bus).clone()}>
            // What is told while nobody listens is lost: nothing is asked before.
            if *listens { <Clock><BrowserRouter><Gate /></BrowserRouter></Clock> }
        </ContextProvider<Bus>>
    }
}

/// Signed in, or the page to sign in.
#[component]
fn Gate() -> Html {
    let session = use_shell_state(
        || bridge::ask(ReadSession {}),
        |event| match event {
            ShellEvent::Session(view) => Some(view),
            ShellEvent::Connection(_)
            | ShellEvent::Changed { .. }
            | ShellEvent::Outbox
            | ShellEvent::Open(_)
            | ShellEvent::Leaving(_) => None,
        },
    );
    use_effect_with((), |()| {
        spawn_local(async { show_theme(bridge::ask(ReadSettings {}).await.unwrap_or_default()) });
    });
    match &*session {
        None | Some(SessionView::Opening) => html! { <Opening /> },
        Some(SessionView::KeyringLocked { server }) => {
            let because = "Your keyring is locked. Answer its prompt to go on as you were, or sign in until the app is closed.";
            html! { <SignInPage server={server.clone()} because={because.to_owned()} /> }
        }
        Some(SessionView::SignedOut { server, because }) => {
            html! { <SignInPage server={server.clone()} because={because.clone()} /> }
        }
        Some(SessionView::SignedIn { server, user, lasting }) => {
            html! { <SignedInApp server={server.clone()} user={user.clone()} lasting={*lasting} /> }
        }
    }
}

/// While the last session is being looked for.
#[component]
fn Opening() -> Html {
    html! { <main class="sign-in"><p class="opening muted" role="status">{ "Opening…" }</p></main> }
}

#[derive(Properties, PartialEq)]
struct InsideProps {
    server: String,
    user: shared_types::api::auth::SignedIn,
    lasting: bool,
}

/// The app of somebody who is signed in.
#[component]
fn SignedInApp(props: &InsideProps) -> Html {
    let connection = use_shell_state(
        || bridge::ask(ReadConnection {}),
        |event| match event {
            ShellEvent::Connection(now) => Some(now),
            ShellEvent::Session(_)
            | ShellEvent::Changed { .. }
            | ShellEvent::Outbox
            | ShellEvent::Open(_)
            | ShellEvent::Leaving(_) => None,
        },
    );
    let toast = use_state(|| None::<Toast>);
    let help = use_state(|| false);
    let leaving = use_state(|| None::<usize>);
    let (waiting, queued) = (use_state(|| 0usize), use_state(|| 0usize));
    let navigator = use_navigator();
    let count = use_counting(&waiting, &queued);
    {
        let count = count.clone();
        use_effect_with((), move |()| {
            count.emit(());
            search::forget
        });
    }
    {
        let navigator = navigator.clone();
        let (count, leaving) = (use_throttle(count), leaving.clone());
        use_shell_event(move |event| match event {
            ShellEvent::Changed {
                kind: LiveKind::ApprovalAsked | LiveKind::ApprovalChanged | LiveKind::Reset,
                ..
            }
            | ShellEvent::Outbox => count.emit(()),
            ShellEvent::Leaving(waiting) => leaving.set(Some(waiting)),
            ShellEvent::Open(path) => {
                if let (Some(navigator), Some(route)) = (&navigator, Route::recognize(&path)) {
                    navigator.push(&route);
                }
            }
            ShellEvent::Changed { .. } | ShellEvent::Session(_) | ShellEvent::Connection(_) => {}
        });
    }
    use_travel(navigator, help.clone());
    let answer = {
        let leaving = leaving.clone();
        Callback::from(move |really: bool| {
            leaving.set(None);
            spawn_local(async move { drop(bridge::ask(Leave { really }).await) });
        })
    };
    let toaster: Toaster = {
        let toast = toast.clone();
        Callback::from(move |said| toast.set(Some(said)))
    };
    let gone = {
        let toast = toast.clone();
        Callback::from(move |()| toast.set(None))
    };
    let close_help = {
        let help = help.clone();
        Callback::from(move |()| help.set(false))
    };
    // The server decides; this only keeps away buttons that it would refuse.
    let permissions = Permissions::of_roles(props.user.roles.iter().map(String::as_str));
    let (server, user, lasting) = (props.server.clone(), props.user.clone(), props.lasting);
    let page = Callback::from(move |route| page(route, &server, &user, lasting));
    html! {
        <ContextProvider<Toaster> context={toaster}>
            <ContextProvider<Permissions> context={permissions}>
            <ContextProvider<Connection> context={connection.unwrap_or(Connection::Reconnecting)}>
                <Rail user={props.user.clone()} waiting={*waiting} queued={*queued} />
                <Strip connection={connection.unwrap_or(Connection::Reconnecting)} />
                <Switch<Route> render={page} />
                <ToastView toast={(*toast).clone()} {gone} />
                if *help { <Help close={close_help} /> }
                if let Some(waiting) = *leaving {
                    <Ask title={waiting_title(waiting)} go="Quit" {answer}
                        says={waiting_says(waiting, "the app runs again")} />
                }
            </ContextProvider<Connection>>
            </ContextProvider<Permissions>>
        </ContextProvider<Toaster>>
    }
}

fn page(route: Route, server: &str, user: &shared_types::api::auth::SignedIn, lasting: bool) -> Html {
    match route {
        Route::Home | Route::Inbox => html! { <Inbox tab={Tab::Mine} /> },
        Route::Card { id } => html! { <Inbox selected={Some(id)} tab={Tab::Mine} /> },
        Route::Requests { scope } => html! { <Inbox tab={Tab::of(&scope)} key={scope} /> },
        Route::Request { scope, id } => {
            html! { <Inbox selected={Some(id)} tab={Tab::of(&scope)} key={scope} /> }
        }
        Route::Messages => html! { <Inbox tab={Tab::Messages} /> },
        Route::Workflows => html! { <Workflows /> },
        Route::Workflow { id } => html! { <Workflow {id} /> },
        Route::NewWorkflow => html! { <Edit id={None::<String>} /> },
        Route::EditWorkflow { id } => html! { <Edit id={Some(id)} /> },
        Route::Rules => html! { <Rules /> },
        Route::NewRule => html! { <Rule id={None::<String>} /> },
        Route::Rule { id } => html! { <Rule id={Some(id)} /> },
        Route::Connectors => html! { <Connectors /> },
        Route::NewConnector => html! { <NewConnector /> },
        Route::Connector { name } => html! { <Connector {name} tab={ConnectorTab::Operations} /> },
        Route::ConnectorCalls { name } => html! { <Connector {name} tab={ConnectorTab::Calls} /> },
        Route::ConnectorSettings { name } => html! { <Connector {name} tab={ConnectorTab::Settings} /> },
        Route::Runs => html! { <Runs /> },
        Route::Run { id } => html! { <Run {id} /> },
        Route::Outbox => html! { <Outbox /> },
        Route::Settings => html! { <Settings server={server.to_owned()} user={user.clone()} {lasting} /> },
        Route::Nowhere => {
            html! { <main><div class="calm"><p>{ "There is nothing at this address." }</p></div></main> }
        }
    }
}

/// Counts what waits for the person and what is on its way.
#[hook]
fn use_counting(waiting: &UseStateHandle<usize>, queued: &UseStateHandle<usize>) -> Callback<()> {
    let (waiting, queued) = (waiting.clone(), queued.clone());
    Callback::from(move |()| {
        let (waiting, queued) = (waiting.clone(), queued.clone());
        spawn_local(async move {
            let items = bridge::ask(ListOutbox {}).await.unwrap_or_default();
            let own: Vec<QueuedDecision> = items.iter().filter_map(OutboxItem::own).cloned().collect();
            if let Ok(all) = bridge::ask(ListWaiting { policy: CachePolicy::CacheFirst }).await {
                waiting.set(all.data.iter().filter(|approval| is_open(approval, &own)).count());
            }
            let is_recorded =
                |item: &QueuedDecision| matches!(item.state, QueuedDecisionState::Recorded { .. });
            queued.set(items.iter().filter(|item| !item.own().is_some_and(is_recorded)).count());
        });
    })
}

/// What the keys of every page do: places, the list that a view belongs to, rows, tabs, and the list of keys.
#[hook]
fn use_travel(navigator: Option<Navigator>, help: UseStateHandle<bool>) {
    use_keyboard();
    let here = use_route::<Route>();
    use_keys(View::List, act_on_page);
    use_keys(View::Page, move |action| {
        if action == Action::Keys {
            help.set(true);
            return true;
        }
        if act_on_page(action) {
            return true;
        }
        let back = (action == Action::Back).then(|| here.as_ref().and_then(Route::list)).flatten();
        let (Some(navigator), Some(route)) = (&navigator, place_of(action).or(back)) else { return false };
        if action == Action::Back && route == Route::Runs {
            // Where one came from, with its filters.
            let _ = navigator.push_with_query(&route, &Filters::last());
        } else {
            navigator.push(&route);
        }
        true
    });
}

/// The place that a key goes to.
fn place_of(action: Action) -> Option<Route> {
    let places = [
        (Action::Inbox, Route::Inbox),
        (Action::Workflows, Route::Workflows),
        (Action::Runs, Route::Runs),
        (Action::Outbox, Route::Outbox),
        (Action::Settings, Route::Settings),
    ];
    places.into_iter().find_map(|(of, place)| (of == action).then_some(place))
}
