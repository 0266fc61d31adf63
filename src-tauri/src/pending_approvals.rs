//! The lists of the Inbox: what waits for the person, all of it, read part by part; and the other tabs. All are kept for when
//! there is no server.

use crate::{client::Request, shell::Shell};
use shared_types::{
    api::{
        NoBody,
        approvals::{Approval, ApprovalQuery, ListApprovals, Scope},
    },
    desktop::{CachePolicy, Failure, Loaded},
};

const PART: u32 = 200;
/// Nobody decides more than this before the list is read anew.
const MOST: usize = 5000;
const KEY: &str = "approvals/waiting";
/// Of what is decided the newest are shown; a search finds the rest.
const MOST_DECIDED: usize = 200;

/// What waits, or what was last seen of it where the server doesn't answer.
pub(crate) async fn read(shell: &Shell, policy: CachePolicy) -> Result<Loaded<Vec<Approval>>, Failure> {
    read_scope(shell, Scope::Mine, policy).await
}

/// The requests of a tab, or what was last seen of them.
pub(crate) async fn read_scope(
    shell: &Shell,
    scope: Scope,
    policy: CachePolicy,
) -> Result<Loaded<Vec<Approval>>, Failure> {
    let (key, most) = match scope {
        Scope::Mine => (KEY, MOST),
        Scope::Others => ("approvals/others", MOST),
        Scope::Decided => ("approvals/decided", MOST_DECIDED),
        Scope::Snoozed => ("approvals/snoozed", MOST),
    };
    let loaded = shell.read_as(key, policy, ask_scope(shell, scope, most)).await?;
    if loaded.fresh {
        // Each card opens without a server later.
        let (scope, _) = shell.who()?;
        let cards =
            loaded.data.iter().map(|approval| (format!("approval/{}", approval.approval_id), approval));
        if let Err(error) = shell.cache().keep_all(&scope, cards, loaded.at).await {
            tracing::warn!(%error, "the cards could not be kept");
        }
    }
    Ok(loaded)
}

/// What waits, as the server says.
pub(crate) async fn ask(shell: &Shell) -> Result<Vec<Approval>, Failure> {
    ask_scope(shell, Scope::Mine, MOST).await
}

async fn ask_scope(shell: &Shell, scope: Scope, most: usize) -> Result<Vec<Approval>, Failure> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let query =
            ApprovalQuery { scope: Some(scope), limit: Some(PART), cursor, ..ApprovalQuery::default() };
        let call = Request::<ListApprovals> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
        let page = match shell.call(&call).await {
            // Whoever may not read requests is asked for none.
            Err(Failure::Refused(problem)) if problem.status == 403 => return Ok(Vec::new()),
            answer => answer?,
        };
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() || all.len() >= most {
            return Ok(all);
        }
    }
}
