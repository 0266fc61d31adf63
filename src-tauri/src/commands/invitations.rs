//! Invitations of whoever is signed in.

use super::Handle;
use crate::{client::Request, shell::Shell};
use shared_types::{
    api::{
        Page,
        invitations::{AcceptInvitation, DeclineInvitation, Invitation, ListInvitations},
    },
    desktop::{Failure, Loaded, commands},
};

impl Handle for commands::ListInvitations {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<Invitation>>, Failure> {
        let Self { policy } = self;
        let call = Request::<ListInvitations>::at(&[]);
        shell.read("invitations", policy, &call).await
    }
}

impl Handle for commands::AnswerInvitation {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id, accept } = self;
        let id = id.to_string();
        let path: &[&str] = &[&id];
        if accept {
            let call = Request::<AcceptInvitation>::at(path);
            shell.call(&call).await.map(|_| ())
        } else {
            let call = Request::<DeclineInvitation>::at(path);
            shell.call(&call).await.map(|_| ())
        }
    }
}
