//! Statements of connectors to PostgreSQL databases, over a guarded connection of their own.

mod bounded_socket;
mod parameter;

use super::guard::{Guard, NoAddress};
use bounded_socket::{BoundedSocket, TooMuch};
use futures_util::{TryStreamExt as _, pin_mut};
use parameter::Parameter;
use rustls_platform_verifier::ConfigVerifierExt as _;
use serde_json::{Value, json};
use shared_types::{
    connector::{CALL_KEY, SqlRequest, SqlSettings, SqlTls, numbered},
    machine::{Outcome, input::Answer},
    workflow::test_script::ScriptedError,
};
use std::{
    error::Error,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_postgres::{Client, Config, NoTls, error::SqlState, types::ToSql};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The most bytes of JSON that an answer may have.
const MAX_BYTES: usize = 1024 * 1024;
/// The most bytes that a database may send in all: what is larger would be gathered before it is seen.
const MAX_SENT: usize = 4 * MAX_BYTES;
/// How much earlier than the call its statement ends.
const MARGIN: Duration = Duration::from_millis(100);
/// How much of what a database says is kept until secrets in it are masked; then it is shortened.
const MAX_MESSAGE: usize = 20_000;

/// A statement to run, with who runs it.
#[derive(Debug)]
pub(super) struct SqlCall<'c> {
    pub(super) settings: &'c SqlSettings,
    pub(super) request: &'c SqlRequest,
    pub(super) user: &'c str,
    pub(super) password: &'c str,
    /// The same for every attempt; empty for what only reads.
    pub(super) call_key: &'c str,
    /// Whether it only reads.
    pub(super) reads: bool,
}

/// Why a statement came to no answer.
#[derive(Debug, thiserror::Error)]
enum SqlError {
    #[error("The address is private; an administrator may allow it (IW_OUTBOUND_ALLOW)")]
    Private,
    #[error("No connection to {0}")]
    NoConnection(String),
    #[error("The certificates for an encrypted connection can't be read: {0}")]
    Tls(String),
    #[error("The statement can't be read: {0}")]
    Statement(String),
    #[error("The answer has more than {0} rows; ask for fewer, or raise `max_rows`")]
    TooManyRows(u32),
    #[error("The answer is larger than 1 MB")]
    TooLarge,
    #[error("The answer can't be read")]
    Unreadable,
    #[error(transparent)]
    Database(#[from] tokio_postgres::Error),
}

/// Runs a statement; whatever happens is an outcome.
pub(super) async fn run(guard: &Guard, call: &SqlCall<'_>, timeout: Duration) -> Outcome {
    let host = &call.settings.host;
    match tokio::time::timeout(timeout, answer(guard, call, timeout)).await {
        Ok(Ok(body)) => {
            Outcome::Answered(Answer { status: 200, headers: serde_json::Map::new(), body, record_id: None })
        }
        Ok(Err(error)) => outcome(&error, host),
        Err(_) => late(host),
    }
}

/// What broke without the database's word: by what is at the bottom of it.
fn without_answer(error: &tokio_postgres::Error, host: &str) -> Outcome {
    let causes = || std::iter::successors(error.source(), |cause| (*cause).source());
    let refused = |code: &str, message: String| Outcome::Refused { code: code.to_owned(), message };
    if causes().any(|cause| cause.is::<TooMuch>() || io_inner(cause).is_some_and(<dyn Error>::is::<TooMuch>))
    {
        return refused("answer.too_large", format!("{}.", SqlError::TooLarge));
    }
    let tls = causes().find_map(|cause| match cause.downcast_ref::<rustls::Error>() {
        Some(tls) => Some(tls.to_string()),
        None => {
            io_inner(cause).and_then(|inner| inner.downcast_ref::<rustls::Error>()).map(ToString::to_string)
        }
    });
    if let Some(tls) = tls {
        return refused("sql.tls", format!("The encrypted connection to {host} failed: {tls}."));
    }
    if error.is_closed() || causes().any(<dyn Error>::is::<std::io::Error>) {
        let message = format!("The connection to {host} failed");
        return Outcome::Unanswered { error: ScriptedError::Connection, message };
    }
    let why: String = error.to_string().chars().take(MAX_MESSAGE).collect();
    let code = if why.starts_with("authentication") || why.starts_with("invalid configuration") {
        "connector.auth"
    } else {
        "sql.answer"
    };
    refused(code, format!("{host}: {why}."))
}

/// What an error of input or output was made of.
fn io_inner<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let inner = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    Some(inner)
}

fn late(host: &str) -> Outcome {
    Outcome::Unanswered { error: ScriptedError::Timeout, message: format!("No answer from {host} in time") }
}

async fn answer(guard: &Guard, call: &SqlCall<'_>, timeout: Duration) -> Result<Value, SqlError> {
    let numbered =
        numbered(&call.request.statement).map_err(|fault| SqlError::Statement(fault.to_string()))?;
    let key = Value::from(call.call_key);
    let values: Vec<Parameter<'_>> = numbered
        .names
        .iter()
        .map(|name| if name == CALL_KEY { &key } else { &call.request.parameters[name] })
        .map(Parameter)
        .collect();
    let begun = Instant::now();
    let mut connected = connect(guard, call).await?;
    let mode = if call.reads { "read only" } else { "read write" };
    // The database gives up a little before we do, and at once where we are gone.
    let left = timeout.saturating_sub(begun.elapsed()).saturating_sub(MARGIN).max(MARGIN);
    let limit = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
    let begin = format!(
        "start transaction {mode}; set local statement_timeout = {limit};
         set local idle_in_transaction_session_timeout = {limit}"
    );
    let client = &connected.0;
    let asked = async {
        client.batch_execute(&begin).await?;
        let body = Box::pin(ask(client, &numbered.text, &values, call.settings.max_rows)).await?;
        client.batch_execute("commit").await?;
        Ok(body)
    };
    match asked.await {
        // Why the connection ended is known to itself alone.
        Err(SqlError::Database(error)) if error.is_closed() => {
            Err(connected.fault().await.unwrap_or(error).into())
        }
        answered => answered,
    }
}

/// Runs a statement in the transaction of a connection: its rows as JSON, and how many there are.
async fn ask(
    client: &Client,
    text: &str,
    values: &[Parameter<'_>],
    max_rows: u32,
) -> Result<Value, SqlError> {
    let statement = client.prepare(text).await?;
    if statement.columns().is_empty() {
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let count = client.execute(&statement, &values).await?;
        return Ok(json!({ "rows": [], "count": count }));
    }
    // The database makes JSON of each row: it knows all its types. The line ends a comment that the text may end with.
    let text = format!("with answer as ({text}\n) select to_jsonb(answer.*)::text from answer");
    let statement = client.prepare(&text).await?;
    let rows = client.query_raw(&statement, values.iter()).await?;
    pin_mut!(rows);
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        let text: &str = row.try_get(0)?;
        bytes += text.len();
        if bytes > MAX_BYTES {
            return Err(SqlError::TooLarge);
        }
        if found.len() >= max_rows as usize {
            return Err(SqlError::TooManyRows(max_rows));
        }
        found.push(serde_json::from_str::<Value>(text).map_err(|_| SqlError::Unreadable)?);
    }
    let count = found.len();
    Ok(json!({ "rows": found, "count": count }))
}

/// A connection that ends with whoever has it.
struct Connected(Client, JoinHandle<Result<(), tokio_postgres::Error>>);

impl Connected {
    /// Why it ended, where it ended by a fault.
    async fn fault(&mut self) -> Option<tokio_postgres::Error> {
        (&mut self.1).await.ok()?.err()
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.1.abort();
    }
}

/// Connects to an address that the guard lets through.
async fn connect(guard: &Guard, call: &SqlCall<'_>) -> Result<Connected, SqlError> {
    let SqlSettings { host, port, database, tls, .. } = call.settings;
    let found = guard.addresses(host, *port).await.map_err(|error| match error {
        NoAddress::Private => SqlError::Private,
        NoAddress::Unknown(_) => SqlError::NoConnection(host.clone()),
    })?;
    let socket = TcpStream::connect(&*found).await;
    let socket = socket.map_err(|_| SqlError::NoConnection(host.clone()))?;
    let socket = BoundedSocket::new(socket, MAX_SENT);
    let mut config = Config::new();
    config.user(call.user).password(call.password).dbname(database).application_name("intelligent-workflows");
    match tls {
        SqlTls::Off => {
            let (client, connection) = config.connect_raw(socket, NoTls).await?;
            Ok(Connected(client, tokio::spawn(connection)))
        }
        SqlTls::Verify => {
            config.ssl_mode(tokio_postgres::config::SslMode::Require);
            let trusted = rustls::ClientConfig::with_platform_verifier();
            let trusted = trusted.map_err(|error| SqlError::Tls(error.to_string()))?;
            let mut tls = MakeRustlsConnect::new(trusted);
            let tls =
                <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<BoundedSocket>>::make_tls_connect(
                    &mut tls, host,
                );
            let tls = tls.map_err(|error| SqlError::Tls(error.to_string()))?;
            let (client, connection) = config.connect_raw(socket, tls).await?;
            Ok(Connected(client, tokio::spawn(connection)))
        }
    }
}

fn outcome(error: &SqlError, host: &str) -> Outcome {
    let refused = |code: &str| Outcome::Refused { code: code.to_owned(), message: format!("{error}.") };
    let SqlError::Database(error) = error else {
        return match error {
            SqlError::NoConnection(_) => {
                Outcome::Unanswered { error: ScriptedError::Connection, message: error.to_string() }
            }
            SqlError::Private => refused("outbound.private"),
            SqlError::Tls(_) => refused("sql.tls"),
            SqlError::Statement(_) => refused("sql.statement"),
            SqlError::TooManyRows(_) => refused("sql.rows"),
            SqlError::TooLarge => refused("answer.too_large"),
            SqlError::Unreadable | SqlError::Database(_) => refused("sql.answer"),
        };
    };
    let Some(said) = error.as_db_error() else { return without_answer(error, host) };
    let code = said.code();
    let message: String = said.message().chars().take(MAX_MESSAGE).collect();
    if *code == SqlState::QUERY_CANCELED {
        return late(host);
    }
    // Classes of states: connections, resources, and transactions that were rolled back for others.
    if ["08", "53", "40"].iter().any(|class| code.code().starts_with(class))
        || [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
    {
        return Outcome::Unanswered {
            error: ScriptedError::Connection,
            message: format!("{host}: {message}"),
        };
    }
    let of_us = if code.code().starts_with("28") { "connector.auth" } else { "sql.error" };
    Outcome::Refused {
        code: of_us.to_owned(),
        message: format!("{host} refused it: {message} ({}).", code.code()),
    }
}
