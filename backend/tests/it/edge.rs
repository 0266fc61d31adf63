//! What comes in from outside is refused at the edge, with the place that is wrong: never a 500, never a hang.

mod connections;
mod lists;
mod requests;
mod unstorable;

use crate::app::{Answer, Client};
use reqwest::Method;
use serde_json::json;
use shared_types::api::{
    HttpMethod,
    openapi::{Described, document},
};

const MANUAL: &str = "workflow_id: hand\nname: By hand\ntrigger: { type: manual }\nenabled: true\nsteps: [{ id: a, type: set, set: { b: 1 } }]\n";

fn method(endpoint: &Described) -> Method {
    endpoint.method.as_str().parse().unwrap()
}

/// The endpoint's paths, each with one parameter replaced and the others as ids that lead nowhere.
fn paths_with(endpoint: &Described, bad: &str) -> Vec<String> {
    let parts: Vec<&str> = endpoint.path.split('/').collect();
    let is_parameter = |part: &&str| part.starts_with('{');
    let fill = |replaced: Option<usize>| {
        let filled = parts.iter().enumerate().map(|(n, part)| match part {
            part if !is_parameter(part) => *part,
            _ if Some(n) == replaced => bad,
            _ => "01900000-0000-7000-8000-000000000000",
        });
        filled.collect::<Vec<_>>().join("/")
    };
    let places = parts.iter().enumerate().filter(|(_, part)| is_parameter(part));
    places.map(|(n, _)| fill(Some(n))).collect()
}

fn plain_path(endpoint: &Described) -> String {
    let parts = endpoint
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "01900000-0000-7000-8000-000000000000" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn query_parameters(endpoint: &Described) -> Vec<String> {
    let document = document();
    let path = format!("/api/v1/{}", endpoint.path);
    let operation = document["paths"][&path][endpoint.method.as_str().to_lowercase()].clone();
    let parameters = operation["parameters"].as_array().unwrap().iter();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    in_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

async fn send(client: &Client, endpoint: &Described, path: &str) -> Answer {
    client
        .send(
            method(endpoint),
            path,
            |r| {
                if endpoint.method == HttpMethod::Get { r } else { r.json(&json!({})) }
            },
        )
        .await
}
