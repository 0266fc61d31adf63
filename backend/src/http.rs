//! The API over HTTP: a module per resource, one guard for all.

mod absences;
mod approvals;
mod audit;
mod auth;
mod batch;
mod body;
mod calendars;
mod connectors;
mod events;
mod executions;
mod guard;
mod health;
mod hygiene;
mod idempotency;
mod invitations;
mod json;
mod keys;
mod live;
mod media;
mod notices;
mod pages;
mod paging;
mod params;
mod preconditions;
mod preferences;
mod principal;
mod problem;
mod roles;
mod rules;
mod secrets;
mod sockets;
mod users;
mod webhooks;
mod workflows;

pub use sockets::OpenSockets;

use crate::{
    auth::{
        device::Devices, keys::RecentKeys, page_session::PageSessions, password::Hashing,
        proxies::TrustedProxies, seal::SecretKey, token::Tokens,
    },
    clock::Clock,
    connectors::Connectors,
    dispatch::Dispatch,
    engine::Engine,
    publishing::Publishing,
    reviews::Reviews,
    role::Role,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodFilter, on},
};
use guard::Rules;
use metrics_exporter_prometheus::PrometheusHandle;
use shared_types::api::{self, HttpMethod, openapi::Listed};
use sqlx::PgPool;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer,
    sensitive_headers::SetSensitiveRequestHeadersLayer, trace::TraceLayer,
};

/// What handlers share.
#[derive(Clone)]
pub struct AppState(pub Arc<Shared>);

/// What handlers share.
pub struct Shared {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
    /// The engine.
    pub engine: Engine,
    /// What reads and checks documents beside the serving threads.
    pub reviews: Reviews,
    /// What reviews and publishes workflows.
    pub publishing: Publishing,
    /// What describes connectors and gives them to callers.
    pub connectors: Connectors,
    /// What tells clients.
    pub dispatch: Dispatch,
    /// Signs and reads tokens.
    pub tokens: Tokens,
    /// Makes and reads the tokens of the web pages.
    pub page_sessions: PageSessions,
    /// Seals secrets.
    pub key: SecretKey,
    /// Marks machines on which somebody has signed in.
    pub devices: Devices,
    /// Hashes passwords.
    pub hashing: Hashing,
    /// The proxies that say where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// Keys that were used a moment ago.
    pub recent_keys: RecentKeys,
    /// The open lines of `live`.
    pub sockets: OpenSockets,
    /// What lets others than this machine read the metrics; nobody else does without it.
    pub metrics_token: Option<String>,
    /// Where others reach the server.
    pub public_url: String,
    /// What was counted.
    pub metrics: PrometheusHandle,
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

struct Mounting {
    router: Router<AppState>,
    state: AppState,
}

impl Mounting {
    /// Mounts a handler as its endpoint is defined, behind the guard.
    fn mount<E: Listed, H, T>(self, _: E, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let method = match E::METHOD {
            HttpMethod::Get => MethodFilter::GET,
            HttpMethod::Post => MethodFilter::POST,
            HttpMethod::Put => MethodFilter::PUT,
            HttpMethod::Patch => MethodFilter::PATCH,
            HttpMethod::Delete => MethodFilter::DELETE,
        };
        let guarded = on(method, handler)
            .layer(from_fn_with_state((self.state.clone(), Rules::of::<E>()), guard::guard));
        Self { router: self.router.route(&format!("/api/v1/{}", E::PATH), guarded), state: self.state }
    }
}

/// The API, health and metrics; a server that answers no requests has the latter two alone.
pub fn router(state: AppState, role: Role) -> Router {
    let endpoints = if role.answers() { pages::mount(endpoints(&state)) } else { Router::new() };
    let credentials = [
        axum::http::header::AUTHORIZATION,
        axum::http::header::COOKIE,
        axum::http::HeaderName::from_static("x-api-key"),
    ];
    health::mount(endpoints)
        .fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::unknown_method)
        // The guard has read each body up to its endpoint's own limit.
        .layer(DefaultBodyLimit::disable())
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn(hygiene::hygiene))
        .layer(TraceLayer::new_for_http())
        .layer(SetSensitiveRequestHeadersLayer::new(credentials))
        .with_state(state)
}

fn endpoints(state: &AppState) -> Router<AppState> {
    let mounting = Mounting { router: Router::new(), state: state.clone() };
    let mounted = mounting
        .mount(api::auth::Login, auth::login)
        .mount(api::auth::Refresh, auth::refresh)
        .mount(api::auth::Logout, auth::logout)
        .mount(api::auth::Me, auth::me)
        .mount(api::auth::ChangePassword, auth::change_password)
        .mount(api::users::CreateUser, users::create)
        .mount(api::users::ListUsers, users::list)
        .mount(api::users::UpdateUser, users::update)
        .mount(api::roles::ListRoles, roles::list)
        .mount(api::roles::NameRole, roles::name)
        .mount(api::roles::UnnameRole, roles::unname)
        .mount(api::invitations::ListInvitations, invitations::list)
        .mount(api::invitations::AcceptInvitation, invitations::accept)
        .mount(api::invitations::DeclineInvitation, invitations::decline)
        .mount(api::keys::CreateKey, keys::create)
        .mount(api::keys::ListKeys, keys::list)
        .mount(api::keys::RevokeKey, keys::revoke)
        .mount(api::secrets::PutSecret, secrets::put)
        .mount(api::secrets::ListSecrets, secrets::list)
        .mount(api::secrets::DeleteSecret, secrets::delete)
        .mount(api::workflows::CreateWorkflow, workflows::create)
        .mount(api::workflows::ListWorkflows, workflows::list)
        .mount(api::workflows::ValidateWorkflow, workflows::validate)
        .mount(api::workflows::SimulateWorkflow, workflows::simulate)
        .mount(api::workflows::GetWorkflow, workflows::get)
        .mount(api::workflows::PutWorkflow, workflows::put)
        .mount(api::workflows::ArchiveWorkflow, workflows::archive)
        .mount(api::workflows::EnableWorkflow, workflows::enable)
        .mount(api::workflows::DisableWorkflow, workflows::disable)
        .mount(api::workflows::ListRevisions, workflows::revisions)
        .mount(api::workflows::GetActivity, workflows::activity)
        .mount(api::workflows::StartWorkflow, workflows::start)
        .mount(api::rules::CreateRule, rules::create)
        .mount(api::rules::ListRules, rules::list)
        .mount(api::rules::TryRule, rules::try_it)
        .mount(api::rules::GetRule, rules::get)
        .mount(api::rules::PutRule, rules::put)
        .mount(api::rules::ArchiveRule, rules::archive)
        .mount(api::rules::ListRuleVersions, rules::versions)
        .mount(api::events::SendEvent, events::send)
        .mount(api::events::SendEvents, batch::send)
        .mount(api::webhooks::ReceiveWebhook, webhooks::receive)
        .mount(api::webhooks::GetWebhook, webhooks::get)
        .mount(api::webhooks::AddWebhookSecret, webhooks::add_secret)
        .mount(api::webhooks::RevokeWebhookSecret, webhooks::revoke_secret)
        .mount(api::executions::ListExecutions, executions::list)
        .mount(api::executions::GetExecution, executions::get)
        .mount(api::executions::ListTrace, executions::trace)
        .mount(api::executions::GetTree, executions::tree)
        .mount(api::executions::CancelExecution, executions::cancel)
        .mount(api::absences::CreateAbsence, absences::create)
        .mount(api::absences::ListAbsences, absences::list)
        .mount(api::absences::UpdateAbsence, absences::update)
        .mount(api::absences::DeleteAbsence, absences::delete)
        .mount(api::calendars::PutCalendar, calendars::put)
        .mount(api::calendars::ListCalendars, calendars::list)
        .mount(api::calendars::GetCalendar, calendars::get)
        .mount(api::calendars::DeleteCalendar, calendars::delete)
        .mount(api::calendars::PutHolidays, calendars::put_holidays)
        .mount(api::calendars::CalendarDue, calendars::due)
        .mount(api::connectors::CreateConnector, connectors::create)
        .mount(api::connectors::ListConnectors, connectors::list)
        .mount(api::connectors::GetConnector, connectors::get)
        .mount(api::connectors::PutConnector, connectors::put)
        .mount(api::connectors::DeleteConnector, connectors::delete)
        .mount(api::connectors::PreviewConnector, connectors::preview)
        .mount(api::connectors::CheckConnector, connectors::check)
        .mount(api::connectors::ListConnectorCalls, connectors::calls)
        .mount(api::connectors::PurgeConnector, connectors::purge)
        .mount(api::connectors::ListOperations, connectors::operations)
        .mount(api::connectors::TryOperation, connectors::try_operation)
        .mount(api::approvals::ListApprovals, approvals::list)
        .mount(api::approvals::GetApproval, approvals::get)
        .mount(api::approvals::Decide, approvals::decide)
        .mount(api::approvals::DecideMany, approvals::decide_many)
        .mount(api::approvals::DelegateApproval, approvals::delegate)
        .mount(api::approvals::SnoozeApproval, approvals::snooze)
        .mount(api::approvals::UnsnoozeApproval, approvals::unsnooze)
        .mount(api::notices::ListNotices, notices::list)
        .mount(api::notices::ReadNotice, notices::read)
        .mount(api::notices::ListDeliveries, notices::deliveries)
        .mount(api::preferences::GetPreferences, preferences::get)
        .mount(api::preferences::PutPreferences, preferences::put)
        .mount(api::audit::ListAudit, audit::list)
        .mount(api::live::Live, live::follow);
    mounted.router
}
