//! The committed OpenAPI document is the one that the server serves, and the sample shop works.

use crate::app::App;
use serde_json::Value;

#[test]
fn the_committed_openapi_document_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let committed: Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap_or_default()).unwrap_or_default();
    let now = shared_types::api::openapi::document();
    assert!(committed == now, "docs/openapi.json is old: `cargo xtask openapi` writes it");
}

#[tokio::test]
async fn health_metrics_and_descriptions_are_served() {
    let app = App::start().await;
    let base = format!("http://{}", app.running.address);
    for (path, holds) in [
        ("/healthz", "ok"),
        ("/readyz", "ready"),
        ("/metrics", ""),
        ("/openapi.json", "\"openapi\":\"3.1.0\""),
        ("/workflow.schema.json", "urn:iw:schema:workflow:1"),
        ("/docs/", "swagger"),
    ] {
        let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.text().await.unwrap().contains(holds), "{path}");
    }
    let unknown = reqwest::get(format!("{base}/api/v1/nothing")).await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().await.unwrap().contains("path.unknown"));
    app.stop().await;
}

#[test]
fn the_sample_workflows_pass_their_own_tests() {
    use shared_types::{
        machine::review::review,
        workflow::{Format, check::Environment},
    };
    for (name, text) in backend::sample::WORKFLOWS {
        let checked = review(text, Format::Yaml, &Environment::Unknown);
        assert_eq!(checked.findings, [], "{name}");
    }
}

#[test]
fn the_example_settings_are_settings() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/iw-server.toml");
    let mut config = std::process::Command::new(env!("CARGO_BIN_EXE_iw-server"));
    let answer = config.arg("config").env("IW_CONFIG", file).env_remove("IW_DATABASE_URL").output().unwrap();
    let said = String::from_utf8_lossy(&answer.stdout);
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    for set in ["IW_PUBLIC_URL", "IW_SECRET_KEY_FILE", "IW_DATABASE_CONNECTIONS", "IW_LOG_FORMAT"] {
        let line = said.lines().find(|line| line.contains(set)).unwrap_or_default();
        assert!(line.contains("file"), "{set} comes from the file: {said}");
    }
}
