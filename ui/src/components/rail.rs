//! The rail: where one can go, and what waits there.

use super::icon::{Glyph, Icon};
use crate::route::{Route, Section};
use shared_types::api::{Permission, Permissions, auth::SignedIn};
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) user: SignedIn,
    pub(crate) waiting: usize,
    pub(crate) queued: usize,
}

#[component]
pub(crate) fn Rail(props: &Props) -> Html {
    let here = use_route::<Route>().and_then(|route| route.section());
    let place = |section: Section, to: Route, icon: Icon, name: &'static str, count: usize| {
        let current = (here == Some(section)).then_some("page");
        html! {
            <Link<Route> {to}>
                <span class="place" aria-current={current}>
                    <Glyph {icon} /> { name }
                    if count > 0 { <span class="count push">{ count }</span> }
                </span>
            </Link<Route>>
        }
    };
    let may_see_admin = use_context::<Permissions>().is_some_and(|may| may.allow(Permission::WriteWorkflows));
    let base = props
        .user
        .roles
        .iter()
        .find(|role| ["admin", "operator", "author", "viewer"].contains(&role.as_str()));
    html! {
        <nav class="rail" aria-label="Main">
            <div class="space">{ &props.user.workspace }</div>
            { place(Section::Inbox, Route::Inbox, Icon::Inbox, "Inbox", props.waiting) }
            { place(Section::Workflows, Route::Workflows, Icon::Workflows, "Workflows", 0) }
            { place(Section::Runs, Route::Runs, Icon::Runs, "Runs", 0) }
            if props.queued > 0 || here == Some(Section::Outbox) {
                { place(Section::Outbox, Route::Outbox, Icon::Outbox, "Outbox", props.queued) }
            }
            <span class="fill"></span>
            if may_see_admin { { place(Section::Admin, Route::Connectors, Icon::Admin, "Admin", 0) } }
            { place(Section::Settings, Route::Settings, Icon::Settings, "Settings", 0) }
            <div class="who"><Glyph icon={Icon::Person} /> <span class="cut">{ &props.user.name }</span>
                <span class="count push">{ base.cloned().unwrap_or_default() }</span></div>
        </nav>
    }
}
