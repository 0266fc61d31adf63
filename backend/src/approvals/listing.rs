//! Lists of requests. The database finds candidates, and the policy says of each whether it is the person's to decide.

use crate::{
    auth::{Person, Principal, Who},
    clock::Clock,
    store::{
        self, approvals,
        approvals::{Asked, Position, StoredApproval, people_needs},
        environment, snoozes,
    },
};
use shared_types::{
    api::approvals::{ApprovalQuery, Scope, Sort},
    approval::{decision::RequestStatus, people::People},
    recipient::Approver,
};
use sqlx::PgPool;
use std::collections::BTreeSet;

/// The most requests that are looked at for one page of what a person may decide.
const MAX_LOOKED_AT: usize = 1000;

/// A part of a list.
#[derive(Debug)]
pub struct Listed {
    /// The requests, at most as many as were asked for.
    pub items: Vec<StoredApproval>,
    /// Where the search for them ended before it was through.
    pub ended_at: Option<Position>,
}

/// Requests that the caller may see, in the order of the query.
///
/// # Errors
/// When the database fails.
pub async fn list(
    (pool, clock): (&PgPool, &Clock),
    principal: &Principal,
    query: &ApprovalQuery,
    below: Option<Position>,
    limit: i64,
) -> store::Result<Listed> {
    let scope = query.scope.or((query.mine == Some(true)).then_some(Scope::Mine));
    let Who::Person(person) = &principal.who else {
        return read(pool, principal, query, None, below, limit).await;
    };
    match scope {
        None | Some(Scope::Decided) => read(pool, principal, query, None, below, limit).await,
        Some(scope @ (Scope::Mine | Scope::Others | Scope::Snoozed)) => {
            list_judged((pool, clock), principal, (person, scope), query, below, limit).await
        }
    }
}

/// What is known of a person for whom requests are judged.
struct Judge<'p> {
    person: &'p Person,
    scope: Scope,
    /// The requests that they put off.
    snoozed: BTreeSet<uuid::Uuid>,
}

/// Those of the candidates that belong to a person's scope: pages are filled from a bounded number of candidates.
async fn list_judged(
    (pool, clock): (&PgPool, &Clock),
    principal: &Principal,
    (person, scope): (&Person, Scope),
    query: &ApprovalQuery,
    mut below: Option<Position>,
    limit: i64,
) -> store::Result<Listed> {
    let now = clock.now();
    let (entries, snoozed) = {
        let mut conn = pool.acquire().await?;
        let mut entries = Approver::entries_of(&person.email, &person.roles);
        for (address, roles) in
            environment::represented(&mut conn, principal.workspace, person.user_id, now).await?
        {
            entries.extend(Approver::entries_of(&address, &roles));
        }
        let snoozed = snoozes::of(&mut conn, principal.workspace, person.user_id, now).await?;
        (entries, snoozed.into_iter().map(|(id, _)| id.0).collect())
    };
    let judge = Judge { person, scope, snoozed };
    let asked = (scope != Scope::Others).then_some(entries.as_slice());
    let wanted = usize::try_from(limit).unwrap_or_default();
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let found = read(pool, principal, query, asked, below, limit).await?;
        let is_last = found.items.len() < wanted && found.ended_at.is_none();
        looked_at += found.items.len();
        below = found.ended_at.clone().or_else(|| found.items.last().map(|last| last.position(query.sort)));
        items.extend(judge.of_scope((pool, clock), principal, found.items).await?);
        if is_last || items.len() >= wanted {
            return Ok(Listed { items, ended_at: None });
        }
        // A search that ended early has looked at enough.
        if looked_at >= MAX_LOOKED_AT || found.ended_at.is_some() {
            return Ok(Listed { items, ended_at: below });
        }
    }
}

impl Judge<'_> {
    async fn of_scope(
        &self,
        (pool, clock): (&PgPool, &Clock),
        principal: &Principal,
        stored: Vec<StoredApproval>,
    ) -> store::Result<Vec<StoredApproval>> {
        let now = clock.now();
        let mut needs = people_needs(&stored);
        needs.persons.push(self.person.email.clone());
        let people = {
            let mut conn = pool.acquire().await?;
            environment::people(&mut conn, principal.workspace, &needs, now).await?
        };
        let people = People::new(&people, now);
        let is_of_scope = |stored: &StoredApproval| {
            let address = &self.person.email;
            if stored.status != RequestStatus::Pending {
                return self.scope == Scope::Mine && stored.policy().concerns(&people, address);
            }
            let is_theirs = stored.policy().may_decide(&people, address).is_ok();
            let is_snoozed = self.snoozed.contains(&stored.request.approval_id.0);
            match self.scope {
                Scope::Mine => is_theirs && !is_snoozed,
                Scope::Snoozed => is_theirs && is_snoozed,
                Scope::Others => !is_theirs,
                Scope::Decided => false,
            }
        };
        Ok(stored.into_iter().filter(is_of_scope).collect())
    }
}

async fn read(
    pool: &PgPool,
    principal: &Principal,
    query: &ApprovalQuery,
    entries: Option<&[String]>,
    below: Option<Position>,
    limit: i64,
) -> store::Result<Listed> {
    let only = principal.only_workflows();
    let asked = Asked { only: only.as_deref(), entries };
    let mut conn = pool.acquire().await?;
    let below_id = below.as_ref().map(|below| below.id.0);
    if let Some(found) =
        approvals::search(&mut conn, principal.workspace, query, asked, below_id, limit).await?
    {
        let ended_at = found.ended_at.map(Position::of_id);
        return Ok(Listed { items: found.items, ended_at });
    }
    let items = match query.sort.unwrap_or_default() {
        Sort::Age => approvals::list(&mut conn, principal.workspace, query, asked, below_id, limit).await?,
        Sort::Deadline => {
            approvals::list_by_deadline(&mut conn, principal.workspace, query, asked, below, limit).await?
        }
        Sort::Amount => {
            approvals::list_by_amount(&mut conn, principal.workspace, query, asked, below, limit).await?
        }
    };
    Ok(Listed { items, ended_at: None })
}
