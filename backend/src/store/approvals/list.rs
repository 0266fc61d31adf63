//! Lists of requests, in three orders. Each is paged by the values that it is sorted by, so that no request is left out or
//! shown twice while others come and go.

use super::{Row, StoredApproval, with_decisions};
use crate::store::Result;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_types::{
    api::approvals::{ApprovalQuery, Scope, Sort},
    approval::decision::RequestStatus,
    ids::{ApprovalId, WorkspaceId},
    recipient::Approver,
};
use sqlx::PgConnection;
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Which requests are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Those of these workflows; all where there is nothing.
    pub only: Option<&'a [String]>,
    /// Those that name one of these `role:` and `user:` entries; all where there is nothing.
    pub entries: Option<&'a [String]>,
}

/// Where a page ended: the request, and what its list is sorted by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Id of the request.
    pub id: ApprovalId,
    /// In a list by deadline: its deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// In a list by amount: its currency, and its amount with the other sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<(String, String)>,
    /// In a list by amount of one without an amount: its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

impl Position {
    /// In a list by age.
    pub fn of_id(id: Uuid) -> Self {
        Self { id: ApprovalId(id), expires_at: None, amount: None, currency: None }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl FromStr for Position {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

impl StoredApproval {
    /// Where it stands in a list of this order.
    pub fn position(&self, sort: Option<Sort>) -> Position {
        let position = Position::of_id(self.request.approval_id.0);
        match sort.unwrap_or_default() {
            Sort::Age => position,
            Sort::Deadline => Position { expires_at: self.request.expires_at, ..position },
            Sort::Amount => {
                let currency = self.request.currency.clone().unwrap_or_default();
                match self.request.amount.as_deref().and_then(negated) {
                    Some(amount) => Position { amount: Some((currency, amount)), ..position },
                    None => Position { currency: Some(currency), ..position },
                }
            }
        }
    }
}

/// An amount with the other sign, if it is a number as the column takes it.
fn negated(amount: &str) -> Option<String> {
    let (negative, digits) = match amount.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, amount),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number =
        |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole, 30) || !is_number(fraction, 20) {
        return None;
    }
    Some(if negative { digits.to_owned() } else { format!("-{digits}") })
}

/// The statuses of a query.
pub(super) fn statuses(query: &ApprovalQuery) -> Option<Vec<&'static str>> {
    if let Some(status) = query.status {
        return Some(vec![status.as_str()]);
    }
    let scope = query.scope.or((query.mine == Some(true)).then_some(Scope::Mine));
    match scope {
        Some(Scope::Mine | Scope::Others | Scope::Snoozed) => Some(vec![RequestStatus::Pending.as_str()]),
        Some(Scope::Decided) => Some(
            [
                RequestStatus::Approved,
                RequestStatus::Rejected,
                RequestStatus::ChangesRequested,
                RequestStatus::Expired,
                RequestStatus::Withdrawn,
            ]
            .map(RequestStatus::as_str)
            .to_vec(),
        ),
        None if query.due_before.is_some() => Some(vec![RequestStatus::Pending.as_str()]),
        None => None,
    }
}

/// The entry of the role that a query asks for.
pub(super) fn role_entry(query: &ApprovalQuery) -> Option<String> {
    query.role.as_ref().map(|role| Approver::Role(role.clone()).to_string())
}

/// Requests, newest first. The query's text is [`super::search`]'s.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &ApprovalQuery,
    asked: Asked<'_>,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<StoredApproval>> {
    let rows = sqlx::query_as!(
        Row,
        "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
             a.progress, a.seen, a.asked_at, a.closed_at
         from approvals a join workflows w using (workspace_id, workflow_id)
         where a.workspace_id = $1
           and ($2::text[] is null or a.status = any($2))
           and ($3::text[] is null or a.approvers && $3)
           and ($4::text is null or a.workflow_id = $4)
           and ($5::text[] is null or a.workflow_id = any($5))
           and ($6::text is null or a.approvers @> array[$6])
           and ($7::timestamptz is null or a.expires_at < $7)
           and ($8::uuid is null or a.id < $8)
         order by a.id desc limit $9",
        workspace.0,
        statuses(query) as Option<Vec<&str>>,
        asked.entries,
        query.workflow_id.as_ref().map(|id| id.0.as_str()),
        asked.only,
        role_entry(query),
        query.due_before,
        below,
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    with_decisions(conn, workspace, rows).await
}

/// Requests, the next deadline first; those without one last.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list_by_deadline(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &ApprovalQuery,
    asked: Asked<'_>,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<StoredApproval>> {
    let rows = sqlx::query_as!(
        Row,
        "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
             a.progress, a.seen, a.asked_at, a.closed_at
         from approvals a join workflows w using (workspace_id, workflow_id)
         where a.workspace_id = $1
           and ($2::text[] is null or a.status = any($2))
           and ($3::text[] is null or a.approvers && $3)
           and ($4::text is null or a.workflow_id = $4)
           and ($5::text[] is null or a.workflow_id = any($5))
           and ($6::text is null or a.approvers @> array[$6])
           and ($7::timestamptz is null or a.expires_at < $7)
           and ($8::uuid is null
               or (a.expires_at is null and ($9::timestamptz is not null or a.id > $8))
               or (a.expires_at, a.id) > ($9, $8))
         order by a.expires_at, a.id limit $10",
        workspace.0,
        statuses(query) as Option<Vec<&str>>,
        asked.entries,
        query.workflow_id.as_ref().map(|id| id.0.as_str()),
        asked.only,
        role_entry(query),
        query.due_before,
        after.as_ref().map(|after| after.id.0),
        after.as_ref().and_then(|after| after.expires_at),
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    with_decisions(conn, workspace, rows).await
}

/// Requests by currency, of each the largest amount first; those without an amount last.
#[tracing::instrument(level = "debug", skip_all)]
pub async fn list_by_amount(
    conn: &mut PgConnection,
    workspace: WorkspaceId,
    query: &ApprovalQuery,
    asked: Asked<'_>,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<StoredApproval>> {
    let (currency, amount) = match after.as_ref() {
        Some(Position { amount: Some((currency, amount)), .. }) => {
            (Some(currency.clone()), Some(amount.clone()))
        }
        Some(Position { currency, .. }) => (Some(currency.clone().unwrap_or_default()), None),
        None => (None, None),
    };
    let rows = sqlx::query_as!(
        Row,
        "select a.id, a.execution_id, a.workflow_id, w.name as workflow_name, a.status, a.withdrawn_because, a.request,
             a.progress, a.seen, a.asked_at, a.closed_at
         from approvals a join workflows w using (workspace_id, workflow_id)
         where a.workspace_id = $1
           and ($2::text[] is null or a.status = any($2))
           and ($3::text[] is null or a.approvers && $3)
           and ($4::text is null or a.workflow_id = $4)
           and ($5::text[] is null or a.workflow_id = any($5))
           and ($6::text is null or a.approvers @> array[$6])
           and ($7::timestamptz is null or a.expires_at < $7)
           and ($8::uuid is null
               or ((a.amount is null), coalesce(a.request->>'currency', ''), (-coalesce(a.amount, 0)), a.id)
                   > ($9::text is null, $10::text, coalesce($9::text::numeric, 0), $8))
         order by (a.amount is null), coalesce(a.request->>'currency', ''), (-coalesce(a.amount, 0)), a.id
         limit $11",
        workspace.0,
        statuses(query) as Option<Vec<&str>>,
        asked.entries,
        query.workflow_id.as_ref().map(|id| id.0.as_str()),
        asked.only,
        role_entry(query),
        query.due_before,
        after.as_ref().map(|after| after.id.0),
        amount,
        currency,
        limit
    )
    .fetch_all(&mut *conn)
    .await?;
    with_decisions(conn, workspace, rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_changes_its_sign_where_it_is_a_number() {
        assert_eq!(negated("12400.10").as_deref(), Some("-12400.10"));
        assert_eq!(negated("-5").as_deref(), Some("5"));
        for text in ["", "12,400", "1e5", "1.", ".5", "--1"] {
            assert_eq!(negated(text), None, "{text}");
        }
    }
}
