use super::*;
use serde_json::{Map, Value, json};
use shared_types::connector::{HttpRequest, InputSchema, Operation, OperationRequest};
use std::{path::PathBuf, time::Instant};

fn imported(text: &str) -> Imported {
    import(text, &OpenApiSettings::default()).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_ref()).collect()
}

fn operation<'c>(catalog: &'c Catalog, id: &str) -> &'c Operation {
    let names: Vec<&str> = catalog.operations.iter().map(|operation| operation.id.as_str()).collect();
    catalog.operation(id).unwrap_or_else(|| panic!("{id} in {names:?}"))
}

/// The request of an input, which has to fit the operation's schema.
fn request(catalog: &Catalog, id: &str, input: Value) -> HttpRequest {
    let operation = operation(catalog, id);
    let schema = InputSchema::new(&operation.input_schema, &catalog.definitions).unwrap();
    assert_eq!(schema.faults(&input, &[]), [], "{id}");
    let Value::Object(input) = input else { panic!("{id}: an input is a map") };
    match operation.call.request(&catalog.base_url, &input) {
        Ok(OperationRequest::Http(request)) => request,
        other => panic!("{id}: {other:?}"),
    }
}

const SHOP: &str = r##"
openapi: 3.0.3
info: { title: Shop, version: "1" }
servers:
  - url: "https://{region}.shop.example.com/{base}"
    variables:
      region: { default: eu, enum: [eu, us] }
      base: { default: v2 }
security: [{ token: [] }]
paths:
  /orders/{order_id}:
    parameters:
      - { name: order_id, in: path, required: true, schema: { type: integer } }
    get:
      operationId: getOrder
      summary: Read an order
      parameters:
        - { name: fields, in: query, explode: false, schema: { type: array, items: { type: string } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object } }
        - { name: X-Trace, in: header, schema: { type: string } }
        - { name: Authorization, in: header, required: true, schema: { type: string } }
        - { name: Idempotency-Key, in: header, required: true, schema: { type: string } }
        - { $ref: "#/components/parameters/Page" }
      responses:
        200:
          description: The order
          content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } }
    patch:
      parameters:
        - { name: order_id, in: path, required: true, schema: { type: string, pattern: "^A-[0-9]+$" } }
        - { name: order_id, in: query, schema: { type: string } }
        - { name: body, in: query, schema: { type: string } }
      requestBody: { $ref: "#/components/requestBodies/Order" }
      responses: { "204": { description: Done } }
  /orders:
    servers: [{ url: "https://write.shop.example.com" }]
    post:
      operationId: createOrder
      requestBody: { $ref: "#/components/requestBodies/Order" }
      responses: { default: { description: Done } }
  /search:
    get:
      operationId: search
      parameters:
        - { name: q, in: query, content: { application/json: { schema: { type: object, properties: { text: { type: string } } } } } }
        - { name: token, in: cookie, schema: { type: string } }
      responses: {}
  /tokens:
    post:
      operationId: form
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: { type: object, properties: { grant: { type: string }, scope: { type: array, items: { type: string } } } }
            encoding: { scope: { style: spaceDelimited, explode: false } }
      responses: {}
  /files:
    post:
      operationId: upload
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: { $ref: "#/components/schemas/Upload" }
            encoding: { meta: { contentType: application/vnd.shop+json } }
      responses: {}
  /notes:
    put:
      operationId: note
      requestBody: { content: { text/plain: { schema: { type: string } } } }
      responses: {}
    options: { responses: {} }
components:
  parameters:
    Page: { name: page, in: query, schema: { type: integer, minimum: 0, exclusiveMinimum: true } }
  requestBodies:
    Order:
      required: true
      content:
        application/xml: { schema: { type: string } }
        application/vnd.shop+json: { schema: { $ref: "#/components/schemas/Order" } }
  schemas:
    Order:
      type: object
      required: [id, total]
      properties:
        id: { type: string, readOnly: true }
        total: { type: number }
        note: { type: string, nullable: true }
        kind: { type: string, enum: [a, b], nullable: true }
        parent: { $ref: "#/components/schemas/Order" }
        customer: { nullable: true, allOf: [{ $ref: "#/components/schemas/Customer" }] }
        lookahead: { type: string, pattern: "^(?!x).*$" }
    Customer: { type: object, required: [name], properties: { name: { type: string } } }
    Upload:
      type: object
      properties: { file: { type: string, format: binary }, meta: { type: object }, title: { type: string } }
  securitySchemes:
    token: { type: http, scheme: bearer }
    key: { type: apiKey, in: query, name: api_key }
    oauth: { type: oauth2, flows: { clientCredentials: { tokenUrl: "https://id.example.com/token", scopes: { "orders:read": x } } } }
    person: { type: openIdConnect, openIdConnectUrl: "https://id.example.com" }
"##;

#[test]
fn every_kind_of_parameter_and_body_goes_where_the_document_says() {
    let Imported { catalog, findings } = imported(SHOP);
    assert_eq!(catalog.base_url, "https://eu.shop.example.com/v2");
    let url = |id: &str, input: Value| request(&catalog, id, input).url;
    let made = request(
        &catalog,
        "getOrder",
        json!({"order_id": 7, "fields": ["a", "b c"], "filter": {"state": "open"}, "X-Trace": "t", "page": 1}),
    );
    assert_eq!(
        made.url,
        "https://eu.shop.example.com/v2/orders/7?fields=a,b%20c&filter%5Bstate%5D=open&page=1"
    );
    assert_eq!(made.headers, [("X-Trace".to_owned(), "t".to_owned())].into());
    // What two share is named by its place; of path and operation, the operation's parameter counts.
    let made = request(
        &catalog,
        "patch_orders_by_order_id",
        json!({"path_order_id": "A-1", "query_order_id": "x", "query_body": "y", "body": {"total": 1.5, "note": null}}),
    );
    assert_eq!(made.url, "https://eu.shop.example.com/v2/orders/A-1?order_id=x&body=y");
    assert_eq!(made.headers["Content-Type"], "application/vnd.shop+json");
    assert_eq!(made.body, Some(json!({"total": 1.5, "note": null})));
    let made =
        request(&catalog, "createOrder", json!({"body": {"total": 1, "customer": null, "kind": null}}));
    assert_eq!(made.url, "https://write.shop.example.com/orders");
    assert_eq!(
        url("search", json!({"q": {"text": "a&b"}})),
        "https://eu.shop.example.com/v2/search?q=%7B%22text%22%3A%22a%26b%22%7D"
    );
    assert_eq!(request(&catalog, "search", json!({"token": "x"})).headers["Cookie"], "token=x");
    let made = request(&catalog, "form", json!({"body": {"grant": "a b", "scope": ["x", "y"]}}));
    assert_eq!(made.body, Some(json!("grant=a+b&scope=x%20y")));
    let made = request(&catalog, "upload", json!({"body": {"file": "text", "meta": {"k": 1}, "title": "T"}}));
    let body = made.body.as_ref().and_then(Value::as_str).unwrap();
    for part in [
        "name=\"file\"; filename=\"file\"\r\nContent-Type: application/octet-stream\r\n\r\ntext",
        "name=\"meta\"\r\nContent-Type: application/vnd.shop+json\r\n\r\n{\"k\":1}",
        "name=\"title\"\r\n\r\nT",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    let made = request(&catalog, "note", json!({"body": "plain"}));
    assert_eq!((made.body, made.headers["Content-Type"].as_str()), (Some(json!("plain")), "text/plain"));
    assert_eq!(codes(&findings), ["openapi.method", "openapi.other_host", "openapi.pattern"]);
    assert!(findings.iter().all(|finding| finding.line > 0), "{findings:?}");
}

#[test]
fn schemas_of_3_0_are_checked_as_they_are_meant() {
    let Imported { catalog, .. } = imported(SHOP);
    let faults = |id: &str, input: Value| {
        let schema = InputSchema::new(&operation(&catalog, id).input_schema, &catalog.definitions).unwrap();
        let faults = schema.faults(&input, &[]).into_iter().map(|fault| fault.pointer);
        faults.collect::<Vec<_>>()
    };
    assert_eq!(faults("getOrder", json!({"order_id": "x", "page": 0})), ["/order_id", "/page"]);
    assert_eq!(faults("getOrder", json!({"order_id": 1, "other": 1})), [""]);
    assert_eq!(faults("createOrder", json!({"body": {}})), ["/body"]);
    assert_eq!(
        faults("createOrder", json!({"body": {"total": 1, "parent": {"total": "x"}}})),
        ["/body/parent/total"]
    );
    assert_eq!(faults("createOrder", json!({"body": {"total": 1, "customer": {}}})), ["/body/customer"]);
    assert_eq!(faults("createOrder", json!({})), [""]);
    let order = operation(&catalog, "getOrder");
    assert!(order.safe && order.summary == "Read an order");
    assert_eq!(order.output_schema, Some(json!({"$ref": "#/$defs/Order"})));
}

#[test]
fn ways_to_let_callers_in_are_offered() {
    let Imported { catalog, .. } = imported(SHOP);
    let offered: Vec<(&str, Option<Value>)> = catalog
        .offered_auth
        .iter()
        .map(|offered| (offered.name.as_str(), offered.auth.as_ref().map(|auth| json!(auth)["type"].clone())))
        .collect();
    assert_eq!(
        offered,
        [
            ("key", Some(json!("query"))),
            ("oauth", Some(json!("oauth2_client_credentials"))),
            ("person", None),
            ("token", Some(json!("bearer"))),
        ]
    );
}

#[test]
fn a_document_of_3_1_keeps_its_schemas_and_what_stands_beside_references() {
    let text = json!({
        "openapi": "3.1.0", "servers": [{"url": "https://a.example.com/"}],
        "paths": {"/a": {"$ref": "#/components/pathItems/A"}},
        "components": {
            "pathItems": {"A": {"post": {"operationId": "a", "requestBody": {"content": {"application/json": {"schema": {
                "$ref": "#/components/schemas/Base", "required": ["b"],
                "properties": {"b": {"type": ["string", "null"]}, "c": {"$ref": "#/components/schemas/Base/properties/n"}},
            }}}}}}},
            "schemas": {"Base": {"type": "object", "properties": {"n": {"type": "integer", "exclusiveMinimum": 3}}}},
        },
    });
    let Imported { catalog, findings } = imported(&text.to_string());
    assert_eq!(findings, []);
    let schema = InputSchema::new(&operation(&catalog, "a").input_schema, &catalog.definitions).unwrap();
    assert_eq!(schema.faults(&json!({"body": {"b": null, "n": 4, "c": 5}}), &[]), []);
    let faults = schema.faults(&json!({"body": {"n": 3, "c": 2}}), &[]);
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert_eq!(request(&catalog, "a", json!({"body": {"b": "x"}})).url, "https://a.example.com/a");
}

#[test]
fn references_that_lead_nowhere_are_told_and_the_rest_is_there() {
    let text = r##"
openapi: 3.1.0
servers: [{ url: "https://a.example.com" }]
paths:
  /a:
    get:
      operationId: same
      parameters:
        - { $ref: "#/components/parameters/Gone" }
        - { name: a, in: query, schema: { $ref: "#/components/schemas/A" } }
        - { name: b, in: query, schema: { $ref: "https://example.com/schemas/b.json" } }
        - { name: c, in: query, schema: { $ref: "#/components/schemas/C" } }
  /b/{id}:
    get: { operationId: same }
  /c: { $ref: "#/paths/~1c" }
components:
  schemas:
    A: { $ref: "#/components/schemas/B" }
    B: { $ref: "#/components/schemas/A" }
    C: { allOf: [{ $ref: "#/components/schemas/C" }], type: string }
"##;
    let Imported { catalog, findings } = imported(text);
    let names: Vec<&str> = catalog.operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(names, ["get_a", "get_b_by_id"]);
    let mut codes = codes(&findings);
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "openapi.circle",
            "openapi.circle",
            "openapi.name_twice",
            "openapi.name_twice",
            "openapi.parameter",
            "openapi.reference",
            "openapi.reference"
        ]
    );
    assert_eq!(
        request(&catalog, "get_a", json!({"a": 1, "b": "x", "c": "y"})).url,
        "https://a.example.com/a?a=1&b=x&c=y"
    );
}

#[test]
fn what_a_document_says_leads_to_no_other_path_and_texts_are_sent_as_they_are() {
    let text = r#"
openapi: 3.0.3
servers: [{ url: "https://a.example.com/v1" }]
paths:
  /files/{p}:
    get:
      operationId: read
      servers: [{ url: /v2 }]
      parameters:
        - { name: p, in: path, required: true, allowReserved: true, schema: { type: string } }
        - { name: q, in: query, allowReserved: true, schema: { type: string } }
    put:
      operationId: write
      parameters: [{ name: p, in: path, required: true, schema: { type: string } }]
      requestBody: { content: { application/xml: { schema: { type: object } } } }
"#;
    let Imported { catalog, findings } = imported(text);
    assert_eq!(findings, []);
    let made = request(&catalog, "read", json!({"p": "../../admin?x=1", "q": "a/b?c"}));
    assert_eq!(made.url, "https://a.example.com/v2/files/..%2F..%2Fadmin%3Fx%3D1?q=a/b?c");
    let made = request(&catalog, "write", json!({"p": "x", "body": "<pet/>"}));
    assert_eq!(
        (made.body, made.headers["Content-Type"].as_str()),
        (Some(json!("<pet/>")), "application/xml")
    );
}

#[test]
fn what_is_not_a_document_is_refused_with_the_reason() {
    let empty = imported("openapi: 3.1.0\nservers: [{ url: \"https://a.example.com\" }]");
    assert_eq!(codes(&empty.findings), ["openapi.empty"]);
    for (text, code) in [
        ("just words".to_owned(), "openapi.unknown"),
        ("[]".to_owned(), "openapi.unknown"),
        ("{".to_owned(), "document.unreadable"),
        ("swagger: \"2.0\"".to_owned(), "openapi.unknown"),
        ("openapi: 4.0.0".to_owned(), "openapi.unknown"),
        ("openapi: 3.1.0\npaths: { /a: { get: {} } }".to_owned(), "openapi.server"),
        ("openapi: 3.1.0\nservers: [{ url: /v1 }]\npaths: { /a: { get: {} } }".to_owned(), "openapi.server"),
        (
            "openapi: 3.1.0\nservers: [{ url: \"https://{x}.example.com\" }]\npaths: { /a: { get: {} } }"
                .to_owned(),
            "openapi.server",
        ),
        ("x".repeat(MAX_DOCUMENT + 1), "document.too_large"),
    ] {
        let findings = import(&text, &OpenApiSettings::default()).unwrap_err();
        assert!(codes(&findings).contains(&code), "{text:.60}: {findings:?}");
    }
}

/// A value that a schema takes, as a form would begin with it.
fn example(schema: &Value, definitions: &Map<String, Value>) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        return example(&definitions[name], definitions);
    }
    if let Some(first) = schema.get("enum").and_then(|options| options.get(0)) {
        return first.clone();
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(first) = schema.get(key).and_then(|options| options.get(0)) {
            return example(first, definitions);
        }
    }
    let mut whole = Map::new();
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        let part = example(part, definitions);
        let Value::Object(map) = part else { return part };
        whole.extend(map);
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds[0].as_str().unwrap_or_default(),
        Some(kind) => kind.as_str().unwrap_or_default(),
        None => "object",
    };
    match kind {
        "object" => {
            let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            for name in required.iter().filter_map(Value::as_str) {
                let property = schema.get("properties").and_then(|all| all.get(name)).cloned();
                whole.insert(name.to_owned(), property.map_or(json!("x"), |p| example(&p, definitions)));
            }
            Value::Object(whole)
        }
        "array" => {
            let items = schema.get("items").cloned().unwrap_or(json!({"type": "string"}));
            let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            Value::Array((0..least).map(|_| example(&items, definitions)).collect())
        }
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => {
            let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1).max(1);
            json!("x".repeat(usize::try_from(least).unwrap()))
        }
    }
}

/// Documents by others, where they are beside the project: each is read without an error, and its
/// operations take inputs that are made from their schemas.
#[test]
fn documents_by_others_are_read_and_called() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/openapi");
    let folder = std::env::var_os("IW_OPENAPI_SAMPLES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("There are no documents by others at {}; nothing is tried on them.", folder.display());
        return;
    };
    let settings = OpenApiSettings {
        base_url: Some("https://api.example.com".to_owned()),
        ..OpenApiSettings::default()
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if !path.extension().is_some_and(|extension| extension == "yaml" || extension == "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let begun = Instant::now();
        let Imported { catalog, findings } =
            import(&text, &settings).unwrap_or_else(|findings| panic!("{}: {findings:#?}", path.display()));
        println!(
            "{}: {} operations, {} definitions, {:?}, {:?}",
            path.file_name().unwrap().to_string_lossy(),
            catalog.operations.len(),
            catalog.definitions.0.len(),
            begun.elapsed(),
            codes(&findings),
        );
        for one in &catalog.operations {
            let schema = InputSchema::new(&one.input_schema, &catalog.definitions)
                .unwrap_or_else(|error| panic!("{}: {}: {error}", path.display(), one.id));
            let input = example(&one.input_schema, &catalog.definitions.0);
            let by_pattern =
                |fault: &&shared_types::connector::InputFault| !fault.message.contains("pattern");
            let faults = schema.faults(&input, &[]);
            let faults: Vec<_> = faults.iter().filter(by_pattern).collect();
            assert!(faults.is_empty(), "{}: {}: {input}: {faults:?}", path.display(), one.id);
            let made = one.call.request(&catalog.base_url, input.as_object().unwrap());
            assert!(made.is_ok(), "{}: {}: {made:?}", path.display(), one.id);
        }
    }
}
