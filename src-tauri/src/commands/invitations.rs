//! Invitations of whoever is signed in.

use crate::{client::Call, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        invitations::{AcceptInvitation, DeclineInvitation, Invitation, ListInvitations},
    },
    desktop::{Failure, Loaded, Patience},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn invitations(
    shell: State<'_, Shell>,
    patience: Patience,
) -> Result<Loaded<Page<Invitation>>, Failure> {
    let call = Call::<ListInvitations> { path: &[], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read("invitations", patience, &call).await
}

#[tauri::command]
pub(crate) async fn answer_invitation(
    shell: State<'_, Shell>,
    id: String,
    accept: bool,
) -> Result<(), Failure> {
    let path: &[&str] = &[&id];
    if accept {
        let call = Call::<AcceptInvitation> { path, query: &NoQuery {}, body: &NoBody {}, headers: &[] };
        shell.call(&call).await.map(|_| ())
    } else {
        let call = Call::<DeclineInvitation> { path, query: &NoQuery {}, body: &NoBody {}, headers: &[] };
        shell.call(&call).await.map(|_| ())
    }
}
