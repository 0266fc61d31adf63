//! Stored rules.

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
    desktop::{CachePolicy, Failure, Loaded},
    workflow::rule::RuleGiven,
};
use tauri::State;

#[tauri::command]
pub(crate) async fn rules(
    shell: State<'_, Shell>,
    policy: CachePolicy,
) -> Result<Loaded<Page<RuleSummary>>, Failure> {
    let query = RuleQuery { limit: Some(200), ..RuleQuery::default() };
    let call = Request::<ListRules> { path: &[], query: &query, body: &NoBody {}, headers: &[] };
    shell.read("rules", policy, &call).await
}

#[tauri::command]
pub(crate) async fn rule(
    shell: State<'_, Shell>,
    id: String,
    policy: CachePolicy,
) -> Result<Loaded<StoredRule>, Failure> {
    let query = RuleVersionQuery::default();
    let call = Request::<GetRule> { path: &[&id], query: &query, body: &NoBody {}, headers: &[] };
    shell.read(&format!("rule/{id}"), policy, &call).await
}

#[tauri::command]
pub(crate) async fn save_rule(
    shell: State<'_, Shell>,
    id: Option<String>,
    text: String,
    base: Option<String>,
) -> Result<StoredRule, Failure> {
    let is_json = text.trim_start().starts_with('{');
    let document = Document { text: &text, is_json, if_match: base.as_deref() };
    match &id {
        Some(id) => shell.send_document::<PutRule>(&[id], &document).await,
        None => shell.send_document::<CreateRule>(&[], &document).await,
    }
}

#[tauri::command]
pub(crate) async fn delete_rule(shell: State<'_, Shell>, id: String, etag: String) -> Result<(), Failure> {
    let headers = [("If-Match", etag)];
    let call =
        Request::<ArchiveRule> { path: &[&id], query: &NoQuery {}, body: &NoBody {}, headers: &headers };
    shell.call(&call).await.map(|_| ())
}

#[tauri::command]
pub(crate) async fn try_rule(
    shell: State<'_, Shell>,
    text: String,
    payload: String,
) -> Result<RuleTried, Failure> {
    let payload: Map<String, Value> =
        if payload.trim().is_empty() { Map::new() } else { super::drafts::parse("The payload", &payload)? };
    let body = RuleTrial { document: Value::String(text), given: RuleGiven { payload, now: None } };
    shell.call(&Request::<TryRule> { path: &[], query: &NoQuery {}, body: &body, headers: &[] }).await
}
