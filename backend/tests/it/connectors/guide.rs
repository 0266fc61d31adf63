//! The examples of the guide do what it says.

use crate::app::App;
use serde_json::{Value, json};

const GUIDE: &str = include_str!("../../../../docs/guides/integrations.md");

/// The examples in a language, in their order.
fn examples(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    let blocks = GUIDE.split(begin.as_str()).skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

#[tokio::test]
async fn every_connector_of_the_guide_can_be_added_and_its_workflow_is_published() {
    let app = App::start().await;
    let admin = app.admin().await;
    let mut kinds = Vec::new();
    for text in examples("json") {
        let mut body: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        if body.get("kind").is_none() {
            // A part of a connector that has a name and a place as well.
            let part = body.as_object().unwrap().clone();
            body = json!({ "name": "part", "kind": "http", "settings": { "base_url": "https://a.example.com" }, "operations": [] });
            body.as_object_mut().unwrap().extend(part);
        }
        if body["kind"] == "mcp" {
            // Its server can't be asked from here.
            body["document"] = json!({ "tools": [{ "name": "find", "inputSchema": { "type": "object" } }] });
        }
        kinds.push(body["kind"].as_str().unwrap().to_owned());
        let made = admin.post("connectors", body).await.json(201);
        let findings = made["findings"].as_array().unwrap();
        let errors: Vec<&Value> =
            findings.iter().filter(|finding| finding["code"] != "secret.missing").collect();
        assert!(errors.is_empty(), "{made:#}");
    }
    assert_eq!(kinds, ["http", "sql", "mcp", "http", "http"]);
    let workflows = examples("yaml");
    assert_eq!(workflows.len(), 1);
    for text in workflows {
        // Publishing runs its tests.
        app.publish(&text.replacen("trigger:", "enabled: true\ntrigger:", 1)).await;
    }
    app.stop().await;
}
