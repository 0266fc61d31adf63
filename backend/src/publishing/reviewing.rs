//! Reviews: documents are checked and tested beside the serving threads, once for each revision, and what was found
//! is kept with it. What a document refers to and a workspace doesn't have is looked up at each read.

use super::{Publishing, levels, operations};
use crate::{
    reviews::NotReviewed,
    store::{
        self, StoreError, calendars, connectors, people, reviews, reviews::StoredReview, rules, secrets,
        workflows, workflows::StoredWorkflow,
    },
};
use shared_types::{
    ids::WorkspaceId,
    machine::review::{review_untested, rules_of_tests, run_tests},
    recipient::Approver,
    workflow::{
        Checked, Finding, Format,
        check::{Environment, Reference, Target, WorkspaceContents},
    },
};
use std::collections::{BTreeMap, BTreeSet};
use tokio_util::sync::CancellationToken;

/// How many revisions are looked up at once to be reviewed.
const BATCH: i64 = 20;

/// Why a review wasn't made.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The server has no time for it.
    #[error(transparent)]
    NotReviewed(#[from] NotReviewed),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ReviewError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Publishing {
    /// Reads, checks and tests a text, and tells what the workspace doesn't have of what it refers to.
    ///
    /// # Errors
    /// The server has no time for it, or the store failed.
    pub async fn review(
        &self,
        workspace: WorkspaceId,
        text: &str,
        format: Format,
    ) -> Result<Checked, ReviewError> {
        let mut checked = self.review_alone(workspace, text, format).await?;
        let present = self.present(workspace, &checked.references).await?;
        checked.check_references(&present);
        Ok(checked)
    }

    /// Reads, checks and tests a text. Its tests ask the stored rules as they stand.
    async fn review_alone(
        &self,
        workspace: WorkspaceId,
        text: &str,
        format: Format,
    ) -> Result<Checked, ReviewError> {
        let (text, now) = (text.to_owned(), self.clock.now());
        let (mut checked, asked) = self
            .reviews
            .run(workspace, move || {
                // Whether a schedule is over depends on the time; what is missing around it is looked up at each read.
                let mut checked = review_untested(&text, format, &Environment::empty(now));
                let asked = rules_of_tests(&checked);
                if asked.is_empty() {
                    run_tests(&mut checked, BTreeMap::new());
                }
                (checked, asked)
            })
            .await?;
        if asked.is_empty() {
            return Ok(checked);
        }
        let rules = {
            let mut conn = self.pool.acquire().await?;
            rules::some(&mut conn, workspace, &asked).await?
        };
        let tested = self.reviews.run(workspace, move || {
            run_tests(&mut checked, rules);
            checked
        });
        Ok(tested.await?)
    }

    /// What a workspace has of what a document refers to. Only what is referred to is looked up.
    async fn present(
        &self,
        workspace: WorkspaceId,
        references: &[Reference],
    ) -> store::Result<WorkspaceContents> {
        let refers = |what: fn(&Target) -> bool| references.iter().any(|reference| what(&reference.to));
        let rules = asked_rules(references);
        let mut present = WorkspaceContents { mail: self.mail, ..WorkspaceContents::default() };
        let mut conn = self.pool.acquire().await?;
        if refers(|to| matches!(to, Target::Approver(_) | Target::Veto(_) | Target::Recipient(_))) {
            (present.roles, present.deciding_roles) = people::roles(&mut conn, workspace).await?;
        }
        if refers(|to| matches!(to, Target::Secret(_))) {
            let names = secrets::names(&mut conn, workspace).await?;
            present.secrets = names.into_iter().map(|secret| secret.name).collect();
        }
        if refers(|to| matches!(to, Target::Calendar(_))) {
            present.calendars = calendars::names(&mut conn, workspace).await?.into_iter().collect();
        }
        if refers(|to| matches!(to, Target::Context(_))) {
            let served = connectors::loads(&mut conn, workspace).await?;
            present.loads = served.into_iter().map(|(name, _)| name).collect();
        }
        if !rules.is_empty() {
            present.rules = rules::known(&mut conn, workspace, &rules).await?;
        }
        let is_person = |to: &Target| {
            let (Target::Approver(who) | Target::Veto(who)) = to else { return false };
            matches!(who.parse(), Ok(Approver::Person(_)))
        };
        if refers(is_person) {
            present.people = people::deciding(&mut conn, workspace).await?;
        }
        present.judged = levels::judged(&mut conn, workspace, references, self.clock.now()).await?;
        if refers(|to| matches!(to, Target::Workflow(_) | Target::Event(_))) {
            present.workflows = workflows::neighbours(&mut conn, workspace).await?;
        }
        drop(conn);
        present.judged.extend(operations::judged(&self.connectors, workspace, references).await?);
        Ok(present)
    }

    /// What is told of a stored revision: what is kept with it, and what is missing around it now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn findings_of(
        &self,
        workspace: WorkspaceId,
        stored: &StoredWorkflow,
    ) -> store::Result<Vec<Finding>> {
        let review = match &stored.review {
            Some(review) if !self.is_testable_now(workspace, review).await? => review.clone(),
            Some(_) | None => match self.review_again(workspace, stored).await {
                Ok(review) => review,
                Err(ReviewError::NotReviewed(_)) => return Ok(vec![not_yet()]),
                Err(ReviewError::Store(error)) => return Err(error),
            },
        };
        let present = self.present(workspace, &review.references).await?;
        Ok(review.findings.told_with(present.missing(&stored.workflow_id, &review.references)))
    }

    /// Reviews a stored revision, and keeps what is found with it.
    async fn review_again(
        &self,
        workspace: WorkspaceId,
        stored: &StoredWorkflow,
    ) -> Result<StoredReview, ReviewError> {
        let checked = self.review_alone(workspace, &stored.source, stored.format).await?;
        let review = StoredReview::of(&checked);
        let mut conn = self.pool.acquire().await?;
        reviews::keep(&mut conn, workspace, &stored.workflow_id, stored.revision, &review).await?;
        Ok(review)
    }

    /// Reviews what older versions of the checks reviewed, or none, one revision after the other. What can't be
    /// reviewed now is reviewed when it is read.
    pub async fn review_stored(self, stop: CancellationToken) {
        let mut behind = None;
        loop {
            let batch = async {
                let mut conn = self.pool.acquire().await?;
                reviews::not_reviewed(&mut conn, behind.as_ref(), BATCH).await
            };
            let batch = match batch.await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!(%error, "stored workflows are reviewed when they are read");
                    return;
                }
            };
            for (workspace, id) in &batch {
                if stop.is_cancelled() {
                    return;
                }
                let reviewed = async {
                    let mut conn = self.pool.acquire().await?;
                    let stored = workflows::find(&mut conn, *workspace, id, None).await?;
                    drop(conn);
                    match stored {
                        Some(stored) => self.review_again(*workspace, &stored).await.map(drop),
                        None => Ok(()),
                    }
                };
                if let Err(error) = reviewed.await {
                    tracing::warn!(%workspace, workflow = %id, %error, "a stored workflow is reviewed when it is read");
                }
            }
            match batch.last() {
                Some(last) => behind = Some(last.clone()),
                None => return,
            }
        }
    }

    /// Whether the tests of a revision weren't run because of rules that are all there by now.
    async fn is_testable_now(&self, workspace: WorkspaceId, kept: &StoredReview) -> store::Result<bool> {
        if !kept.findings.names("tests.not_run") {
            return Ok(false);
        }
        let asked = asked_rules(&kept.references);
        let mut conn = self.pool.acquire().await?;
        Ok(rules::known(&mut conn, workspace, &asked).await?.len() == asked.len())
    }
}

fn asked_rules(references: &[Reference]) -> Vec<String> {
    let ids: BTreeSet<&String> = references
        .iter()
        .filter_map(|reference| match &reference.to {
            Target::Rule(id) => Some(id),
            Target::Workflow(_)
            | Target::Context(_)
            | Target::Operation(_)
            | Target::Record(_)
            | Target::Approver(_)
            | Target::Veto(_)
            | Target::Recipient(_)
            | Target::Calendar(_)
            | Target::Level(_)
            | Target::Apart(_)
            | Target::Escalation(_)
            | Target::Secret(_)
            | Target::Event(_)
            | Target::Trigger(_) => None,
        })
        .collect();
    ids.into_iter().cloned().collect()
}

/// A stored revision is read also where the server has no time to check it.
fn not_yet() -> Finding {
    let message = "The checks of this revision are still to be made; read it again in a moment.";
    Finding::warning("review.pending", "", message)
}
