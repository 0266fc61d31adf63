//! Stored rules.

use super::{Handle, drafts::kind_of};
use crate::{
    client::{Document, Request},
    shell::Shell,
};
use serde_json::{Map, Value};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        rules::{
            ArchiveRule, CreateRule, GetRule, ListRules, PutRule, RuleQuery, RuleSummary, RuleTrial,
            RuleTried, RuleVersionQuery, StoredRule, TryRule,
        },
    },
    desktop::{Failure, Loaded, commands},
    workflow::rule::RuleGiven,
};

impl Handle for commands::ListRules {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<RuleSummary>>, Failure> {
        let Self { policy } = self;
        let query = RuleQuery { limit: Some(200), ..RuleQuery::default() };
        let call = Request::<ListRules> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
        shell.read("rules", policy, &call).await
    }
}

impl Handle for commands::ReadRule {
    async fn handle(self, shell: &Shell) -> Result<Loaded<StoredRule>, Failure> {
        let Self { id, policy } = self;
        let query = RuleVersionQuery::default();
        let call = Request::<GetRule> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
        shell.read(&format!("rule/{id}"), policy, &call).await
    }
}

impl Handle for commands::SaveRule {
    async fn handle(self, shell: &Shell) -> Result<StoredRule, Failure> {
        let Self { id, text, base } = self;
        let document = Document { text: &text, kind: kind_of(&text), if_match: base.as_deref() };
        match &id {
            Some(id) => shell.send_document::<PutRule>(&[id], &document).await,
            None => shell.send_document::<CreateRule>(&[], &document).await,
        }
    }
}

impl Handle for commands::DeleteRule {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { id, etag } = self;
        let headers = [("If-Match", etag)];
        let call =
            Request::<ArchiveRule> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &headers };
        shell.call(&call).await.map(|_| ())
    }
}

impl Handle for commands::TryRule {
    async fn handle(self, shell: &Shell) -> Result<RuleTried, Failure> {
        let Self { text, payload } = self;
        let payload: Map<String, Value> = if payload.trim().is_empty() {
            Map::new()
        } else {
            super::drafts::parse("The payload", &payload)?
        };
        let body = RuleTrial { document: Value::String(text), given: RuleGiven { payload, now: None } };
        shell.call(&Request::<TryRule> { path: &[], query: &NoQuery {}, body: &body, headers: &[] }).await
    }
}
