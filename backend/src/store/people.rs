//! Workspaces, people and their memberships.

use super::{Result, sessions};
use chrono::{DateTime, Utc};
use shared_types::{
    api::{Permission, Permissions, users::User},
    email,
    ids::{SessionId, UserId, WorkspaceId},
    recipient::Approver,
};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A person with what signing in needs.
#[derive(Debug, Clone)]
pub struct Account {
    /// Id of the person.
    pub user_id: UserId,
    /// Email address.
    pub email: String,
    /// Display name.
    pub name: String,
    /// The hash of their password.
    pub password_hash: Option<String>,
}

/// A person's place in a workspace.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// What it is called.
    pub workspace_name: String,
    /// What it calls them.
    pub name: String,
    /// Base role and roles of the workspace, by id.
    pub roles: Vec<String>,
}

/// An active member of a workspace.
#[derive(Debug, Clone)]
pub struct Member {
    /// Id of the person.
    pub user_id: UserId,
    /// Email address.
    pub email: String,
    /// Display name.
    pub name: String,
    /// Base role and roles of the workspace, by id.
    pub roles: Vec<String>,
}

/// Makes a workspace, unless there is one of this name; gives its id.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn ensure_workspace(
    conn: &mut PgConnection,
    id: WorkspaceId,
    name: &str,
    at: DateTime<Utc>,
) -> Result<WorkspaceId> {
    sqlx::query!(
        "insert into workspaces (id, name, created_at) values ($1, $2, $3) on conflict (name) do nothing",
        id.0,
        name,
        at
    )
    .execute(&mut *conn)
    .await?;
    let id = sqlx::query_scalar!("select id from workspaces where name = $1", name).fetch_one(conn).await?;
    Ok(WorkspaceId(id))
}

/// A workspace by its name.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find_workspace(conn: &mut PgConnection, name: &str) -> Result<Option<WorkspaceId>> {
    let id =
        sqlx::query_scalar!("select id from workspaces where name = $1", name).fetch_optional(conn).await?;
    Ok(id.map(WorkspaceId))
}

/// Every workspace.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn workspaces(conn: &mut PgConnection) -> Result<Vec<(WorkspaceId, String)>> {
    let rows = sqlx::query!("select id, name from workspaces order by name").fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (WorkspaceId(row.id), row.name)).collect())
}

/// Whether anybody has an account.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn anybody(conn: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!("select exists (select 1 from users) as \"there!\"").fetch_one(conn).await?)
}

/// A person by address, in whatever spelling.
///
/// Accounts have their address in its normal form. One that was made before could have had to keep another, since
/// its normal form was taken; it is found as it is written.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn find_account(conn: &mut PgConnection, email: &str) -> Result<Option<Account>> {
    let row = sqlx::query!(
        "select id, email, name, password_hash from users
         where lower(email) in (lower($1), lower($2), lower($3))
         order by email = $1 desc, email = $2 desc, id limit 1",
        email,
        email::normal_form(email),
        email.trim()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Account {
        user_id: UserId(row.id),
        email: row.email,
        name: row.name,
        password_hash: row.password_hash,
    }))
}

/// A person by id.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn account(conn: &mut PgConnection, user: UserId) -> Result<Option<Account>> {
    let row = sqlx::query!("select id, email, name, password_hash from users where id = $1", user.0)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Account {
        user_id: UserId(row.id),
        email: row.email,
        name: row.name,
        password_hash: row.password_hash,
    }))
}

/// Makes an account.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn insert_account(conn: &mut PgConnection, account: &Account, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into users (id, email, name, password_hash, created_at) values ($1, $2, $3, $4, $5)",
        account.user_id.0,
        account.email,
        account.name,
        account.password_hash,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets a person's password.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn set_password(conn: &mut PgConnection, user: UserId, hash: &str) -> Result<()> {
    sqlx::query!("update users set password_hash = $2 where id = $1", user.0, hash).execute(conn).await?;
    Ok(())
}

/// Makes a person a member.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn insert_membership(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    roles: &[String],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into memberships (workspace_id, user_id, roles, created_at) values ($1, $2, $3, $4)",
        workspace.0,
        user.0,
        roles,
        at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The workspaces to which a person actively belongs.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn memberships(conn: &mut PgConnection, user: UserId) -> Result<Vec<Membership>> {
    let rows = sqlx::query!(
        r#"select w.id, w.name as workspace_name, coalesce(m.name, u.name) as "name!", m.roles
           from memberships m join workspaces w on w.id = m.workspace_id join users u on u.id = m.user_id
           where m.user_id = $1 and m.active order by w.name"#,
        user.0
    )
    .fetch_all(conn)
    .await?;
    let memberships = rows.into_iter().map(|row| Membership {
        workspace: WorkspaceId(row.id),
        workspace_name: row.workspace_name,
        name: row.name,
        roles: row.roles,
    });
    Ok(memberships.collect())
}

/// An active member by id, while the session that they come by goes on.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn member(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    session: Option<SessionId>,
) -> Result<Option<(Member, String)>> {
    let row = sqlx::query!(
        r#"select u.id, u.email, coalesce(m.name, u.name) as "name!", m.roles, w.name as workspace_name
           from memberships m join users u on u.id = m.user_id join workspaces w on w.id = m.workspace_id
           where m.workspace_id = $1 and m.user_id = $2 and m.active
             and not exists (select 1 from sessions s where s.id = $3 and s.ended_at is not null)"#,
        workspace.0,
        user.0,
        session.map(|session| session.0)
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let member = Member { user_id: UserId(row.id), email: row.email, name: row.name, roles: row.roles };
        (member, row.workspace_name)
    }))
}

/// The active members who have one of these roles or addresses.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn named(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    approvers: &[Approver],
) -> Result<Vec<Member>> {
    let (mut roles, mut addresses) = (Vec::new(), Vec::new());
    for approver in approvers {
        match approver {
            Approver::Role(role) => roles.push(role.clone()),
            Approver::Person(address) => addresses.push(address.clone()),
        }
    }
    let rows = sqlx::query!(
        r#"select u.id, u.email, coalesce(m.name, u.name) as "name!", m.roles
           from memberships m join users u on u.id = m.user_id
           where m.workspace_id = $1 and m.active and (m.roles && $2 or lower(u.email) = any($3))
           order by 3, u.id"#,
        workspace.0,
        &roles,
        &addresses
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Member { user_id: UserId(row.id), email: row.email, name: row.name, roles: row.roles })
        .collect())
}

/// A person's place in a workspace; none for somebody who isn't an active member.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn membership(
    conn: &mut PgConnection,
    user: UserId,
    workspace: WorkspaceId,
) -> Result<Option<Membership>> {
    let memberships = memberships(conn, user).await?;
    Ok(memberships.into_iter().find(|membership| membership.workspace == workspace))
}

/// The roles that have at least one active member, and of these those of which one may decide.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn roles(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let each = sqlx::query_scalar!(
        "select distinct roles from memberships where workspace_id = $1 and active",
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    let deciding: BTreeSet<String> =
        each.iter().filter(|roles| may_decide(roles)).flatten().cloned().collect();
    Ok((each.into_iter().flatten().collect(), deciding))
}

fn may_decide(roles: &[String]) -> bool {
    Permissions::of_roles(roles.iter().map(String::as_str)).allow(Permission::Decide)
}

/// The addresses of a workspace's active members who may decide, in their normal form.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn deciding(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<BTreeSet<String>> {
    let members = sqlx::query!(
        "select u.email, m.roles from memberships m join users u on u.id = m.user_id
         where m.workspace_id = $1 and m.active",
        workspace.0
    )
    .fetch_all(conn)
    .await?;
    let deciding = members.iter().filter(|member| may_decide(&member.roles));
    Ok(deciding.map(|member| email::normal_form(&member.email)).collect())
}

/// How many active administrators a workspace has besides a person.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn other_admins(conn: &mut PgConnection, workspace: WorkspaceId, user: UserId) -> Result<i64> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from memberships
         where workspace_id = $1 and user_id <> $2 and active and roles @> array['admin']",
        workspace.0,
        user.0
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// A member as administrators see them.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn user(conn: &mut PgConnection, workspace: WorkspaceId, user: UserId) -> Result<Option<User>> {
    let row = sqlx::query!(
        r#"select u.id, u.email, coalesce(m.name, u.name) as "name!", m.roles, m.active, m.created_at
           from memberships m join users u on u.id = m.user_id where m.workspace_id = $1 and m.user_id = $2"#,
        workspace.0,
        user.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| User {
        user_id: UserId(row.id),
        email: row.email,
        name: row.name,
        roles: row.roles,
        active: row.active,
        created_at: row.created_at,
    }))
}

/// Lists members by id.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn users(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    above: Option<Uuid>,
    limit: i64,
) -> Result<Vec<User>> {
    let rows = sqlx::query!(
        r#"select u.id, u.email, coalesce(m.name, u.name) as "name!", m.roles, m.active, m.created_at
           from memberships m join users u on u.id = m.user_id
           where m.workspace_id = $1 and ($2::uuid is null or m.user_id > $2) order by m.user_id limit $3"#,
        workspace.0,
        above,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| User {
            user_id: UserId(row.id),
            email: row.email,
            name: row.name,
            roles: row.roles,
            active: row.active,
            created_at: row.created_at,
        })
        .collect())
}

/// Changes a member in this workspace alone; what is `None` stays.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn update_user(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    user: UserId,
    name: Option<&str>,
    roles: Option<&[String]>,
    active: Option<bool>,
) -> Result<bool> {
    let changed = sqlx::query!(
        "update memberships set name = coalesce($3, name), roles = coalesce($4, roles),
             active = coalesce($5, active)
         where workspace_id = $1 and user_id = $2",
        workspace.0,
        user.0,
        name,
        roles,
        active
    )
    .execute(&mut *conn)
    .await?;
    sessions::tell_rights_changed(conn, user).await?;
    Ok(changed.rows_affected() == 1)
}
