//! What a new database gets: a workspace and its first administrator.

use crate::{
    auth::password,
    clock::{self, Clock},
    config::Config,
    store::{self, people, people::Account},
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared_types::{
    email::{EmailAddress, normal_form},
    ids::{UserId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool};

/// The workspace that a new database gets.
pub const FIRST_WORKSPACE: &str = "main";

/// Makes the first administrator where there is nobody; a generated password is printed once.
pub async fn first_administrator(pool: &PgPool, clock: &Clock, config: &Config) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    store::lock_setup(&mut transaction).await?;
    if people::anybody(&mut transaction).await? {
        return Ok(());
    }
    let (password, generated) = match &config.admin_password {
        Some(password) => (password.clone(), false),
        None => (URL_SAFE_NO_PAD.encode(clock::random::<15>()), true),
    };
    password::check_strength(&password).context("IW_ADMIN_PASSWORD")?;
    let email: EmailAddress = config.admin_email.parse().context("IW_ADMIN_EMAIL")?;
    let workspace = ensure_workspace(&mut transaction, clock, FIRST_WORKSPACE).await?;
    let roles = ["admin".to_owned()];
    add_person(&mut transaction, clock, workspace, email.as_str(), "Administrator", &password, &roles)
        .await?;
    transaction.commit().await?;
    if generated {
        eprintln!("The first administrator is {email}, the password {password} (shown only now).");
    }
    Ok(())
}

/// A workspace by its name, made where it isn't there.
pub async fn ensure_workspace(
    conn: &mut PgConnection,
    clock: &Clock,
    name: &str,
) -> store::Result<WorkspaceId> {
    people::ensure_workspace(conn, WorkspaceId(clock.new_id()), name, clock.now()).await
}

/// Adds a person to a workspace, with an account where they have none.
pub async fn add_person(
    conn: &mut PgConnection,
    clock: &Clock,
    workspace: WorkspaceId,
    email: &str,
    name: &str,
    password: &str,
    roles: &[String],
) -> anyhow::Result<UserId> {
    let user_id = if let Some(account) = people::find_account(conn, email).await? {
        account.user_id
    } else {
        let account = Account {
            user_id: UserId(clock.new_id()),
            email: normal_form(email),
            name: name.to_owned(),
            password_hash: Some(password::hash_now(password)?),
        };
        people::insert_account(conn, &account, clock.now()).await?;
        account.user_id
    };
    people::insert_membership(conn, workspace, user_id, roles, clock.now()).await?;
    Ok(user_id)
}
