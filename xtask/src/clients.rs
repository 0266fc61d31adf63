//! The OpenAPI document makes clients: two generators read it without a warning.

use crate::{
    database::Private,
    order::post,
    process::{Held, built, command, root, step, target},
    run::await_server,
    tools::{npm_program, python_program},
};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::{fs, net::TcpListener};

/// Makes clients in TypeScript, from npm.
const TYPESCRIPT: (&str, &str) = ("openapi-typescript", "7.13.0");
/// Makes clients in Python, from `PyPI`.
const PYTHON: (&str, &str) = ("openapi-python-client", "0.29.1");
/// Sends what the document allows and what it doesn't, from `PyPI`.
const SCHEMATHESIS: (&str, &str) = ("schemathesis", "4.32.5");
/// How long it sends, in seconds.
const EXPLORING: &str = "60";
/// The administrator of the server that is explored.
const PASSWORD: &str = "a-password-for-exploring";
/// What the Python generator is told: our bodies of text go out as bytes, and nothing formats what it writes.
const PYTHON_SETTINGS: &str = "post_hooks: []
content_type_overrides:
  application/yaml: application/octet-stream
  application/x-ndjson: application/octet-stream
";

/// Generates clients from the committed document.
pub(crate) fn generate() -> anyhow::Result<()> {
    let document = root().join("docs/openapi.json");
    let out = target().join("clients");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    let mut typescript = command(&npm_program(TYPESCRIPT)?.to_string_lossy(), &[]);
    step("a client in TypeScript", typescript.arg(&document).arg("-o").arg(out.join("api.ts")))?;
    let settings = out.join("python.yaml");
    fs::write(&settings, PYTHON_SETTINGS)?;
    let mut python = command(
        &python_program(PYTHON)?.to_string_lossy(),
        &["generate", "--meta", "none", "--fail-on-warning", "--overwrite"],
    );
    python.arg("--path").arg(&document).arg("--output-path").arg(out.join("python"));
    step("a client in Python", python.arg("--config").arg(&settings))
}

/// Holds what a server answers to good and bad requests against the committed document: no failure of the server, no
/// status, type or shape that the document doesn't have.
pub(crate) fn explore() -> anyhow::Result<()> {
    let tool = python_program(SCHEMATHESIS)?;
    let private = Private::start()?;
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut serve = command(&built("iw-server").to_string_lossy(), &["serve"]);
    serve
        .env("IW_LISTEN", &address)
        .env("IW_DATABASE_URL", private.url("postgres"))
        .env("IW_SECRET_KEY", "a key for exploring, and for nothing else")
        .env("IW_ADMIN_PASSWORD", PASSWORD)
        .env("IW_LOG", "warn");
    let _server = await_server(Held::start(&mut serve)?, &address)?;
    let login = json!({ "email": "admin@localhost", "password": PASSWORD });
    let session: Value = serde_json::from_str(&post(&address, "/api/v1/auth/login", &login.to_string())?)?;
    let token = session.get("access_token").and_then(Value::as_str).context("the session has no token")?;
    // It keeps what it found wrong in its current folder.
    let out = target().join("clients");
    fs::create_dir_all(&out)?;
    let mut explore = command(
        &tool.to_string_lossy(),
        &[
            "run",
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=5",
            "--request-timeout=20",
            // A WebSocket, and what would end the session that this explores with.
            "--exclude-path=/api/v1/live",
            "--exclude-path-regex=/auth/",
            "--generation-deterministic",
            "--warnings=off",
            "--no-color",
        ],
    );
    explore.arg(format!("--max-time={EXPLORING}")).arg(format!("--url=http://{address}"));
    explore.arg(format!("--header=Authorization: Bearer {token}")).arg(root().join("docs/openapi.json"));
    step("answers as the document has them", explore.current_dir(&out))
}
