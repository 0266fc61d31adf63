//! Roles of a workspace, and their names.

use super::Result;
use shared_types::{
    api::{BASE_ROLES, roles::Role},
    ids::WorkspaceId,
    label::Label,
    role::{RoleNames, default_name},
};
use sqlx::PgConnection;

/// The names that a workspace gave its roles.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn names(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<RoleNames> {
    let rows = sqlx::query!("select role, name from role_names where workspace_id = $1", workspace.0)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.role, row.name)).collect())
}

/// The roles that somebody has or that have a name; the base roles are no approver roles and aren't among them.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(conn: &mut PgConnection, workspace: WorkspaceId) -> Result<Vec<Role>> {
    let base: Vec<String> = BASE_ROLES.iter().map(|(role, _)| (*role).to_owned()).collect();
    let rows = sqlx::query!(
        r#"select role as "role!", max(name) as name, count(user_id) as "members!"
           from (select unnest(roles) as role, null as name, user_id from memberships
                 where workspace_id = $1 and active
                 union all
                 select role, name, null from role_names where workspace_id = $1) as each
           where role <> all($2) group by role order by role"#,
        workspace.0,
        &base
    )
    .fetch_all(conn)
    .await?;
    let role = |row: (String, Option<String>, i64)| {
        let name = row.1.unwrap_or_else(|| default_name(&row.0));
        Role { role: row.0, name, members: row.2 }
    };
    Ok(rows.into_iter().map(|row| role((row.role, row.name, row.members))).collect())
}

/// Names a role.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn put(conn: &mut PgConnection, workspace: WorkspaceId, role: &str, name: &Label) -> Result<()> {
    sqlx::query!(
        "insert into role_names (workspace_id, role, name) values ($1, $2, $3)
         on conflict (workspace_id, role) do update set name = $3",
        workspace.0,
        role,
        name.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a role's name away; false where it had none.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn delete(conn: &mut PgConnection, workspace: WorkspaceId, role: &str) -> Result<bool> {
    let gone =
        sqlx::query!("delete from role_names where workspace_id = $1 and role = $2", workspace.0, role)
            .execute(conn)
            .await?;
    Ok(gone.rows_affected() == 1)
}
