//! What waits for the person, all of it: read part by part, and kept for when there is no server.

use crate::{client::Request, shell::Shell};
use shared_types::{
    api::{
        NoBody,
        approvals::{Approval, ApprovalQuery, ListApprovals},
    },
    approval::decision::RequestStatus,
    desktop::{CachePolicy, Failure, Loaded},
};

const PART: u32 = 200;
/// Nobody decides more than this before the list is read anew.
const MOST: usize = 5000;
const KEY: &str = "approvals/waiting";

/// What waits, or what was last seen of it where the server doesn't answer.
pub(crate) async fn read(shell: &Shell, policy: CachePolicy) -> Result<Loaded<Vec<Approval>>, Failure> {
    let loaded = shell.read_as(KEY, policy, ask(shell)).await?;
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
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let query = ApprovalQuery {
            mine: Some(true),
            status: Some(RequestStatus::Pending),
            limit: Some(PART),
            cursor,
            ..ApprovalQuery::default()
        };
        let call = Request::<ListApprovals> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
        let page = match shell.call(&call).await {
            // Whoever may not read requests is asked for none.
            Err(Failure::Refused(problem)) if problem.status == 403 => return Ok(Vec::new()),
            answer => answer?,
        };
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() || all.len() >= MOST {
            return Ok(all);
        }
    }
}
