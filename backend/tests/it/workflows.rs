//! Workflows: checked as they come in, published as revisions, turned on and off.

use crate::app::App;
use reqwest::Method;
use serde_json::json;

const ORDER: &str = include_str!("../../../shared-types/tests/documents/high_value_order.yaml");

#[tokio::test]
async fn a_workflow_is_published_read_back_as_written_and_revised() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author"]).await;
    app.publish(ORDER).await;
    let read = ada.get("workflows/high_value_order").await;
    let etag = read.headers["etag"].to_str().unwrap().to_owned();
    let workflow = read.json(200);
    assert_eq!(workflow["source"], ORDER);
    assert_eq!((&workflow["revision"], &workflow["format"]), (&json!(1), &json!("yaml")));
    let codes: Vec<&str> =
        workflow["findings"].as_array().unwrap().iter().filter_map(|f| f["code"].as_str()).collect();
    assert!(codes.contains(&"role.empty") && codes.contains(&"channel.missing"), "{codes:?}");

    let changed = ORDER.replace("Large orders wait", "Big orders wait");
    assert_eq!(
        ada.put_yaml("workflows/high_value_order", &changed, None).await.problem(428)["code"],
        "precondition.needed"
    );
    let second = ada.put_yaml("workflows/high_value_order", &changed, Some(&etag)).await.json(200);
    assert_eq!((&second["revision"], &second["enabled"]), (&json!(2), &json!(true)));
    let stale = ada.put_yaml("workflows/high_value_order", ORDER, Some(&etag)).await.problem(412);
    assert_eq!(
        (&stale["changed"]["revision"], &stale["changed"]["by"]),
        (&json!(2), &json!("ada.lind@example.com"))
    );
    let revisions = ada.get("workflows/high_value_order/revisions").await.json(200);
    assert_eq!(revisions["items"].as_array().unwrap().len(), 2);
    let first = ada.get("workflows/high_value_order?revision=1").await.json(200);
    assert_eq!(first["source"], ORDER);
    app.stop().await;
}

#[tokio::test]
async fn a_document_with_errors_is_refused_with_all_of_them() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author"]).await;
    let broken =
        ORDER.replace("on_false: allow", "on_false: alow").replace("operator: gte", "operator: gteq");
    let post = |text: String| {
        ada.send(Method::POST, "workflows", |r| r.header("content-type", "application/yaml").body(text))
    };
    let problem = post(broken).await.problem(422);
    let codes: Vec<&str> =
        problem["findings"].as_array().unwrap().iter().filter_map(|f| f["code"].as_str()).collect();
    assert!(codes.contains(&"operator.unknown") && codes.contains(&"link.nowhere"), "{codes:?}");
    let unreadable = post("steps: [".into()).await.problem(422);
    assert_eq!(unreadable["findings"][0]["code"], "document.unreadable");
    let json = ada.post("workflows/validate", json!({ "workflow_id": "x" })).await.json(200);
    assert_eq!(json["findings"].as_array().unwrap().len(), 3);
    app.stop().await;
}

#[tokio::test]
async fn what_this_server_cannot_run_is_saved_disabled_and_says_so_when_enabled() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author"]).await;
    let text = "workflow_id: p\nname: P\ntrigger: { type: manual }\nenabled: true\nsteps:\n  \
                - { id: a, type: ai, ai: { prompt: 'How large?', save_as: size } }\n";
    let post = |text: &'static str| {
        ada.send(Method::POST, "workflows", move |r| r.header("content-type", "application/yaml").body(text))
    };
    let saved = post(text).await.json(201);
    assert_eq!(saved["enabled"], false);
    let refused = ada.post("workflows/p/enable", json!({})).await.problem(409);
    assert_eq!(
        (&refused["code"], &refused["findings"][0]["severity"]),
        (&json!("workflow.unsupported"), &json!("unsupported"))
    );
    assert_eq!(post(text).await.problem(409)["code"], "workflow.exists");
    app.stop().await;
}

#[tokio::test]
async fn disabling_and_archiving_end_new_runs_and_keep_the_old() {
    let app = App::start().await;
    app.publish(ORDER).await;
    let shop = app.key(&["events:write"]).await;
    let ada = app.person("Ada Lind", &["author"]).await;
    let send = |id: &'static str| {
        shop.post(
            "events?wait=2s",
            json!({ "type": "order.checkout.initiated", "id": id, "payload": { "order": { "total": 1 } } }),
        )
    };
    assert_eq!(send("1").await.json(200)["runs"].as_array().unwrap().len(), 1);
    assert_eq!(ada.post("workflows/high_value_order/disable", json!({})).await.json(200)["enabled"], false);
    assert_eq!(send("2").await.json(200)["runs"], json!([]));
    assert_eq!(ada.post("workflows/high_value_order/enable", json!({})).await.json(200)["enabled"], true);
    assert_eq!(send("3").await.json(200)["runs"].as_array().unwrap().len(), 1);
    let gone =
        ada.send(Method::DELETE, "workflows/high_value_order", |r| r.header("if-match", "\"r1\"")).await;
    assert_eq!(gone.status, 204);
    assert_eq!(send("4").await.json(200)["runs"], json!([]));
    ada.get("workflows/high_value_order").await.problem(404);
    assert_eq!(ada.get("executions").await.json(200)["items"].as_array().unwrap().len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn a_workflow_is_started_by_hand_only_where_its_trigger_says_so() {
    let app = App::start().await;
    app.publish(ORDER).await;
    app.publish("workflow_id: m\nname: M\ntrigger: { type: manual }\nenabled: true\nsteps: [{ id: a, type: set, set: { b: '{{ who }}' } }]\n").await;
    let ina = app.person("Ina Berg", &["operator"]).await;
    let refused =
        ina.post("workflows/high_value_order/executions", json!({ "input": {} })).await.problem(409);
    assert_eq!(refused["code"], "workflow.not_manual");
    let start = |key: &'static str| {
        ina.send(Method::POST, "workflows/m/executions", move |r| {
            r.header("idempotency-key", key).json(&json!({ "input": { "who": "Ina" } }))
        })
    };
    let run = start("one").await.json(201);
    assert_eq!((&run["result"], &run["requester"]["name"]), (&json!("executed"), &json!("Ina Berg")));
    assert_eq!(start("one").await.json(201)["execution_id"], run["execution_id"]);
    ina.post("workflows/m/disable", json!({})).await.json(200);
    assert_eq!(start("two").await.problem(409)["code"], "workflow.disabled");
    app.stop().await;
}

#[tokio::test]
async fn a_simulation_over_the_api_is_the_commands() {
    let app = App::start().await;
    let ada = app.person("Ada Lind", &["author"]).await;
    let event =
        json!({ "type": "order.checkout.initiated", "payload": { "order": { "id": "A1", "total": 12400 } } });
    let request = json!({ "document": ORDER, "event": event, "script": [{ "decide": "approve" }] });
    let got = ada.post("workflows/simulate", request).await.json(200);
    assert_eq!(
        (&got["result"], &got["path"]),
        (&json!("allowed"), &json!(["check_value", "ask_manager", "allow"]))
    );
    app.stop().await;
}

#[tokio::test]
async fn a_start_by_hand_takes_what_its_form_names_and_nothing_else() {
    let app = App::start().await;
    app.publish(
        "workflow_id: hand\nname: By hand\nenabled: true\ntrigger:\n  type: manual\n  \
         form: [{ name: note, type: text, required: true }, { name: amount, type: number, max: 20 }]\n\
         steps: [{ id: put, type: set, set: { seen: '{{ note }}' } }]\n",
    )
    .await;
    let ina = app.person("Ina Berg", &["operator"]).await;
    for (input, pointer) in [
        (json!({ "note": "  " }), "/input/note"),
        (json!({ "note": "x", "amount": 21 }), "/input/amount"),
        (json!({ "note": "x", "amuont": 5 }), "/input/amuont"),
        (json!({ "note": "x", "event": {} }), "/input/event"),
    ] {
        let refused = ina.post("workflows/hand/executions", json!({ "input": input })).await.problem(422);
        assert_eq!(refused["findings"][0]["pointer"], pointer, "{refused}");
    }
    let run = ina.post("workflows/hand/executions", json!({ "input": { "note": "x" } })).await.json(201);
    assert_eq!(run["result"], "executed", "{run}");
    app.stop().await;
}
