//! Invitations of whoever is signed in.

use crate::{client::Request, shell::Shell};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        invitations::{AcceptInvitation, DeclineInvitation, Invitation, ListInvitations},
    },
    desktop::{CachePolicy, Failure, Loaded},
};
use tauri::State;

#[tauri::command]
pub(crate) async fn invitations(
    shell: State<'_, Shell>,
    policy: CachePolicy,
) -> Result<Loaded<Page<Invitation>>, Failure> {
    let call = Request::<ListInvitations> { path: &[], query: &NoQuery {}, body: &NoBody {}, headers: &[] };
    shell.read("invitations", policy, &call).await
}

#[tauri::command]
pub(crate) async fn answer_invitation(
    shell: State<'_, Shell>,
    id: String,
    accept: bool,
) -> Result<(), Failure> {
    let path: &[&str] = &[&id];
    if accept {
        let call = Request::<AcceptInvitation> { path, query: &NoQuery {}, body: &NoBody {}, headers: &[] };
        shell.call(&call).await.map(|_| ())
    } else {
        let call = Request::<DeclineInvitation> { path, query: &NoQuery {}, body: &NoBody {}, headers: &[] };
        shell.call(&call).await.map(|_| ())
    }
}
