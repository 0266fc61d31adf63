//! Invitations of people who have an account to a workspace.

use super::Result;
use chrono::{DateTime, Utc};
use shared_types::{
    api::invitations::Invitation,
    ids::{InvitationId, UserId, WorkspaceId},
};
use sqlx::PgConnection;

/// What an administrator offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The workspace that the person is invited to.
    pub workspace: WorkspaceId,
    /// The person who gets it.
    pub user: UserId,
    /// What the workspace would call them.
    pub name: &'a str,
    /// The roles that they would have.
    pub roles: &'a [String],
    /// Who invites.
    pub by: &'a str,
}

/// An invitation as it is answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// To which workspace.
    pub workspace: WorkspaceId,
    /// What the workspace calls them.
    pub name: String,
    /// The roles that were offered.
    pub roles: Vec<String>,
}

/// Invites a person; an invitation that still waits for an answer is brought up to date, and keeps its id.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn offer(
    conn: &mut PgConnection,
    id: InvitationId,
    offer: &Offer<'_>,
    at: DateTime<Utc>,
) -> Result<InvitationId> {
    let id = sqlx::query_scalar!(
        "insert into invitations (id, workspace_id, user_id, name, roles, invited_by, invited_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (user_id, workspace_id) where status = 'pending' do update
         set name = excluded.name, roles = excluded.roles, invited_by = excluded.invited_by,
             invited_at = excluded.invited_at
         returning id",
        id.0,
        offer.workspace.0,
        offer.user.0,
        offer.name,
        offer.roles,
        offer.by,
        at
    )
    .fetch_one(conn)
    .await?;
    Ok(InvitationId(id))
}

/// A person's invitations that wait for an answer, oldest first.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn open_of(conn: &mut PgConnection, user: UserId) -> Result<Vec<Invitation>> {
    let rows = sqlx::query!(
        "select i.id, w.name as workspace, i.name, i.roles, i.invited_by, i.invited_at
         from invitations i join workspaces w on w.id = i.workspace_id
         where i.user_id = $1 and i.status = 'pending' order by i.id",
        user.0
    )
    .fetch_all(conn)
    .await?;
    let invitations = rows.into_iter().map(|row| Invitation {
        invitation_id: InvitationId(row.id),
        workspace: row.workspace,
        name: row.name,
        roles: row.roles,
        invited_by: row.invited_by,
        invited_at: row.invited_at,
    });
    Ok(invitations.collect())
}

/// Answers a person's invitation, once; nothing where none of theirs waits under this id.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn answer(
    conn: &mut PgConnection,
    id: InvitationId,
    user: UserId,
    accepted: bool,
    at: DateTime<Utc>,
) -> Result<Option<Answered>> {
    let status = if accepted { "accepted" } else { "declined" };
    let row = sqlx::query!(
        "update invitations set status = $3, answered_at = $4
         where id = $1 and user_id = $2 and status = 'pending' returning workspace_id, name, roles",
        id.0,
        user.0,
        status,
        at
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let answered = Answered { workspace: WorkspaceId(row.workspace_id), name: row.name, roles: row.roles };
    if accepted {
        // Whoever became a member some other way meanwhile stays as they are.
        sqlx::query!(
            "insert into memberships (workspace_id, user_id, name, roles, created_at)
             values ($1, $2, $3, $4, $5) on conflict do nothing",
            answered.workspace.0,
            user.0,
            answered.name,
            &answered.roles,
            at
        )
        .execute(conn)
        .await?;
    }
    Ok(Some(answered))
}
