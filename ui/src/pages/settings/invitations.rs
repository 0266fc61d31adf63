//! Invitations to other workspaces: accepted or declined.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::show,
        toast::{Toast, Toaster},
    },
    load::use_load,
};
use shared_types::{
    api::invitations::Invitation,
    desktop::commands::{AnswerInvitation, ListInvitations},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// The section of the page.
#[component]
pub(crate) fn Invitations() -> Html {
    let reading = use_load((), |(), policy| bridge::ask(ListInvitations { policy }));
    let failure = use_state(|| None::<String>);
    let toaster = use_context::<Toaster>();
    let answer = {
        let (failure, again) = (failure.clone(), reading.again.clone());
        Callback::from(move |(invitation, accept): (Invitation, bool)| {
            let (failure, again, toaster) = (failure.clone(), again.clone(), toaster.clone());
            spawn_local(async move {
                match bridge::ask(AnswerInvitation { id: invitation.invitation_id, accept }).await {
                    Ok(()) => {
                        failure.set(None);
                        if let Some(toaster) = toaster {
                            toaster.emit(Toast::done(answered(&invitation, accept)));
                        }
                    }
                    Err(refused) => failure.set(Some(refused.words())),
                }
                again.emit(());
            });
        })
    };
    let list = show(&reading.load, (&reading.again, &reading.cancel), "invitations", |loaded| {
        if loaded.data.items.is_empty() {
            return html! { <p class="muted">{ "No invitations." }</p> };
        }
        loaded.data.items.iter().map(|invitation| line(invitation, &answer)).collect::<Html>()
    });
    html! {
        <section class="sect"><h2>{ "Invitations" }</h2><div>
            { list }
            if let Some(says) = &*failure { <p class="under bad" role="alert"><Glyph icon={Icon::Cross} /> { says }</p> }
        </div></section>
    }
}

fn line(invitation: &Invitation, answer: &Callback<(Invitation, bool)>) -> Html {
    let button = |accept: bool, word: &'static str| {
        let (answer, invitation) = (answer.clone(), invitation.clone());
        let label = format!("{word} the invitation to {}", invitation.workspace);
        let onclick = Callback::from(move |_: MouseEvent| answer.emit((invitation.clone(), accept)));
        html! { <button class="btn" aria-label={label} {onclick}>{ word }</button> }
    };
    let roles = if invitation.roles.is_empty() { "no roles".to_owned() } else { invitation.roles.join(", ") };
    html! {
        <div key={invitation.invitation_id.to_string()}>
            <p><b>{ &invitation.workspace }</b>{ format!(", as {} with {roles}", invitation.name) }</p>
            <p class="muted">{ format!("{} invited you.", invitation.invited_by) }</p>
            <p class="row">{ button(true, "Accept") }{ button(false, "Decline") }</p>
        </div>
    }
}

fn answered(invitation: &Invitation, accepted: bool) -> String {
    if accepted {
        format!("You belong to {}; sign in there to work in it", invitation.workspace)
    } else {
        format!("The invitation to {} is declined", invitation.workspace)
    }
}
