//! A whole server: the database, the engine, the API, and an orderly end.

use crate::{
    auth::{device::Devices, keys::RecentKeys, page_session::PageSessions, password::Hashing, token::Tokens},
    clock::Clock,
    config::Config,
    connectors::Connectors,
    dispatch::{Dispatch, PostgresWaking},
    effects::{Effects, Guard},
    embedded::{self, NoDatabase, Ready},
    engine::{Engine, Parts},
    http::{self, AppState, Shared},
    listen,
    notify::{self, Mailer, Notifier},
    publishing::Publishing,
    reviews::Reviews,
    role::Role,
    setup, telemetry,
};
use anyhow::Context as _;
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests may take to finish when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// A server that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its handlers share.
    pub state: AppState,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
    private: Option<embedded_postgres::Postgres>,
}

/// What a server is started with besides its settings.
#[derive(Debug, Clone, Default)]
pub struct StartOptions {
    /// Whether the sample shop is loaded.
    pub sample_data: bool,
    /// What it does of what all servers do together.
    pub role: Role,
    /// Where its time comes from.
    pub clock: Clock,
    /// What guards its calls; the settings say which private hosts it lets through.
    pub guard: Guard,
}

impl From<Role> for StartOptions {
    fn from(role: Role) -> Self {
        Self { role, ..Self::default() }
    }
}

/// Starts a server.
pub async fn start(config: &Config, with: StartOptions) -> anyhow::Result<Running> {
    let metrics = telemetry::count();
    let Ready { pool, private } = open(config).await?;
    let mailer = match &config.smtp_url {
        Some(url) => Some(Mailer::new(url, &config.mail_from).context("mail can't be set up")?),
        None => None,
    };
    let clock = with.clock;
    setup::first_administrator(&pool, &clock, config).await?;
    let reviews = Reviews::default();
    let connectors = Connectors::new(pool.clone());
    let publishing =
        Publishing::new(pool.clone(), clock.clone(), reviews.clone(), connectors.clone(), mailer.is_some());
    if with.sample_data {
        crate::sample::load(&pool, &clock, &publishing, config).await?;
    }
    let stop = CancellationToken::new();
    let waking = PostgresWaking::start(pool.clone(), with.role, stop.clone());
    let dispatch = Dispatch::start(pool.clone(), clock.clone(), Arc::clone(&waking), stop.clone());
    let guard = with.guard.allowing(config.outbound_allow.clone());
    let effects = Effects::new(pool.clone(), config.key.clone(), connectors.clone(), guard, clock.clone())?;
    let engine = Engine::new(Parts {
        pool: pool.clone(),
        clock: clock.clone(),
        server: clock.new_id(),
        effects,
        dispatch: dispatch.clone(),
        waking,
        role: with.role,
        mail: mailer.is_some(),
        limits: config.limits,
    });
    engine.start(private.is_some()).await?;
    if with.role.performs() {
        let notifier = Notifier {
            pool: pool.clone(),
            clock: clock.clone(),
            mailer,
            public_url: config.public_url.clone(),
        };
        tokio::spawn(notify::run(notifier, engine.clone(), stop.clone()));
    }
    let state = AppState(Arc::new(Shared {
        pool,
        clock,
        stop: stop.clone(),
        engine,
        reviews,
        publishing,
        connectors,
        dispatch,
        tokens: Tokens::new(&config.key.derive("tokens")),
        page_sessions: PageSessions::new(config.key.derive("page sessions")),
        key: config.key.clone(),
        devices: Devices::new(&config.key.derive("devices")),
        hashing: Hashing::default(),
        trusted_proxies: config.trusted_proxies.clone(),
        recent_keys: RecentKeys::default(),
        sockets: http::OpenSockets::default(),
        metrics_token: config.metrics_token.clone(),
        public_url: config.public_url.clone(),
        metrics,
    }));
    tokio::spawn(state.publishing.clone().review_stored(stop.clone()));
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("IW_LISTEN: the server can't listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let served = tokio::spawn(listen::serve(listener, http::router(state.clone(), with.role), stop.clone()));
    tracing::info!(%address, "ready");
    Ok(Running { address, state, stop, served, private })
}

/// The database may come up after the server does; it is tried for a while.
async fn open(config: &Config) -> anyhow::Result<Ready> {
    const TRIES: u32 = 15;
    for _ in 0..TRIES {
        match embedded::open(config).await {
            Ok(ready) => return Ok(ready),
            Err(NoDatabase::Unreachable(error)) => {
                tracing::warn!(%error, "the database can't be reached yet");
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(embedded::open(config).await?)
}

impl Running {
    /// Runs until `end`, then stops in order.
    pub async fn until(self, end: impl Future<Output = ()>) -> anyhow::Result<()> {
        end.await;
        self.shut_down().await
    }

    /// Stops: no new requests, what is in flight is finished or handed back, then the private PostgreSQL.
    pub async fn shut_down(self) -> anyhow::Result<()> {
        tracing::info!("stopping");
        self.stop.cancel();
        if tokio::time::timeout(LAST_REQUESTS, self.served).await.is_err() {
            tracing::warn!("requests were cut off");
        }
        self.state.engine.stop().await;
        self.state.pool.close().await;
        if let Some(private) = self.private {
            tokio::task::spawn_blocking(move || private.stop()).await??;
        }
        Ok(())
    }
}
