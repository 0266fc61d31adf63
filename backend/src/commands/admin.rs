//! `iw-server admin`: workspaces and people, for whoever can reach the database.

use crate::{
    audit::Actor,
    auth::{password, token_hash},
    clock::{self, Clock},
    config::Config,
    embedded, setup,
    store::{audit, people, sessions, workflows},
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use clap::Subcommand;
use shared_types::{
    email::EmailAddress,
    ids::{WorkflowId, WorkspaceId},
    label::Label,
};
use sqlx::{PgConnection, PgPool};

/// How long a sign-in code works.
const CODE_SECONDS: i64 = 60;

/// Workspaces and people.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Make a workspace.
    Workspace {
        /// Its name.
        name: String,
    },
    /// Add a person to a workspace; the password is read from standard input.
    User {
        /// Email address.
        email: String,
        /// Display name.
        #[arg(long)]
        name: String,
        /// Their roles, one or more.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// The workspace.
        #[arg(long, default_value = setup::FIRST_WORKSPACE)]
        workspace: String,
    },
    /// Set a person's password, read from standard input, and end their sessions.
    ResetPassword {
        /// Email address.
        email: String,
    },
    /// Disable a workflow, without a server: it starts no more runs.
    DisableWorkflow {
        /// Its id.
        workflow_id: String,
        /// The workspace.
        #[arg(long, default_value = setup::FIRST_WORKSPACE)]
        workspace: String,
    },
    /// Print a code by which a person can sign in once, within 60 s.
    SignInCode {
        /// Email address.
        email: String,
    },
}

/// Does it; the private PostgreSQL is started for it where no server runs.
pub async fn run(config: &Config, admin: Admin) -> anyhow::Result<String> {
    let database = embedded::open(config).await?;
    let done = act(&database.pool, admin).await;
    database.pool.close().await;
    if let Some(private) = database.private.filter(embedded_postgres::Postgres::is_ours) {
        tokio::task::spawn_blocking(move || private.stop()).await??;
    }
    done
}

async fn act(pool: &PgPool, admin: Admin) -> anyhow::Result<String> {
    let clock = Clock::default();
    let mut transaction = pool.begin().await?;
    let said = match admin {
        Admin::Workspace { name } => {
            let name: Label = name.parse().context("the name")?;
            setup::ensure_workspace(&mut transaction, &clock, name.as_str()).await?;
            format!("The workspace {name} is there.")
        }
        Admin::User { email, name, roles, workspace } => {
            let found = people::find_workspace(&mut transaction, &workspace).await?;
            let id = found.with_context(|| format!("there is no workspace {workspace}"))?;
            let email: EmailAddress = email.parse().context("the address")?;
            let name: Label = name.parse().context("--name")?;
            let password = read_password()?;
            setup::add_person(&mut transaction, &clock, id, email.as_str(), name.as_str(), &password, &roles)
                .await?;
            format!("{email} belongs to {workspace}.")
        }
        Admin::ResetPassword { email } => {
            let account = people::find_account(&mut transaction, &email).await?;
            let account = account.with_context(|| format!("there is nobody with the address {email}"))?;
            let hash = password::hash_now(&read_password()?)?;
            people::set_password(&mut transaction, account.user_id, &hash).await?;
            sessions::end_of_person(&mut transaction, account.user_id, None, None, clock.now()).await?;
            format!("{email} has a new password.")
        }
        Admin::DisableWorkflow { workflow_id, workspace } => {
            let found = people::find_workspace(&mut transaction, &workspace).await?;
            let workspace_id = found.with_context(|| format!("there is no workspace {workspace}"))?;
            disable(&mut transaction, &clock, workspace_id, &WorkflowId(workflow_id.clone())).await?;
            format!("{workflow_id} is disabled.")
        }
        Admin::SignInCode { email } => {
            let account = people::find_account(&mut transaction, &email).await?;
            let account = account.with_context(|| format!("there is nobody with the address {email}"))?;
            let code = URL_SAFE_NO_PAD.encode(clock::random::<18>());
            let until = clock.now() + Duration::seconds(CODE_SECONDS);
            sessions::insert_code(&mut transaction, &token_hash(&code), account.user_id, until).await?;
            code
        }
    };
    transaction.commit().await?;
    Ok(said)
}

async fn disable(
    conn: &mut PgConnection,
    clock: &Clock,
    workspace: WorkspaceId,
    workflow_id: &WorkflowId,
) -> anyhow::Result<()> {
    let found = workflows::find(conn, workspace, workflow_id, None).await?;
    found.with_context(|| format!("there is no workflow {workflow_id} in the workspace"))?;
    if workflows::set_enabled(conn, workspace, workflow_id, false, None).await? {
        let actor = Actor { workspace, name: "iw-server admin".to_owned(), address: None };
        let entry = actor.entry(clock, "workflow.disabled", workflow_id.as_str(), serde_json::json!({}));
        audit::insert(conn, &[&entry]).await?;
    }
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the password is read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    password::check_strength(&password)?;
    Ok(password)
}
