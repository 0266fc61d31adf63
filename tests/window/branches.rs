//! A run in many places, watched live to its end: its tree and its timeline against the API's own trace.

use crate::{BO, driver::Window, wait::eventually, world::World};
use serde_json::{Value, json};

pub(crate) async fn a_parallel_run_is_watched_to_its_end(window: &Window, world: &World, ina: &str) {
    let stock = json!({
        "warehouse": "Lund", "supplier": "kestrel", "total": 900, "currency": "EUR",
        "lines": [{ "sku": "seal-8", "n": 12 }, { "sku": "pump-40", "n": 2 }, { "sku": "hose-1", "n": 1 }],
    });
    let answer = world.event(&json!({ "type": "stock.low", "payload": { "stock": stock } })).await;
    let run = answer["runs"][0]["execution_id"].as_str().unwrap().to_owned();
    let approval = answer["runs"][0]["approval_id"].as_str().unwrap().to_owned();
    window.press("g").await;
    window.press("r").await;
    window.says("Restock Lund from kestrel").await;
    let row = "[...document.querySelectorAll('table.runs tbody tr')].find(r => r.innerText.includes('Restock Lund'))";
    window.holds(&format!("({row}.click(), true)")).await;
    window.holds(&format!("location.pathname === '/runs/{run}'")).await;
    window.says("Waits for a decision of one of finance").await;
    window.says("Waits for the event supplier.confirmed with warehouse Lund").await;
    window.holds("document.querySelector('[data-step=ask_finance]').dataset.state === 'Waiting'").await;

    // What happens elsewhere is seen here as it happens.
    let bo = world.token(BO).await;
    world.decide(&bo, &approval, json!({ "decision": "approve" })).await;
    window.holds("document.querySelector('[data-step=ask_finance]').dataset.state === 'Done'").await;
    world.event(&json!({ "type": "supplier.confirmed", "payload": { "warehouse": "Lund" } })).await;
    window.says("Allowed: Restock Lund from kestrel").await;
    window.says("3 items passed").await;

    let tree = world.tree(ina, &run).await;
    let trace = world.read(ina, &format!("executions/{run}")).await["trace"].clone();
    // Items that passed are shut until somebody opens them.
    for item in ["Item 0", "Item 1", "Item 2"] {
        let row = format!(
            "[...document.querySelectorAll('[role=treeitem]')].find(r => r.innerText.includes('{item}'))"
        );
        window.holds(&format!("({row}.click(), true)")).await;
    }
    let wanted = visits(&tree["nodes"]);
    same("the tree", &wanted, || async {
        window.script("return [...document.querySelectorAll('[role=treeitem][data-step]')].map(r => r.dataset.step + ' ' + r.dataset.state)").await
    })
    .await;
    // The tree says of each visit what the trace said of it last.
    let mut entered: Vec<String> = trace.as_array().unwrap().iter().map(address).collect();
    entered.sort();
    entered.dedup();
    assert_eq!(entered.len(), wanted.len(), "{trace:#}");

    window.press("]").await;
    window.holds("!!document.querySelector('.timeline svg')").await;
    let mut lines = vec!["agree", "budget", "supplier", "order_lines", "item 0", "item 1", "item 2", "allow"];
    lines.sort_unstable();
    let lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    same("the timeline's lines", &lines, || async {
        window
            .script(
                "return [...document.querySelectorAll('.timeline g[data-line]')].map(g => g.dataset.line)",
            )
            .await
    })
    .await;
    let mut steps: Vec<String> =
        trace.as_array().unwrap().iter().map(|fact| fact["step_id"].as_str().unwrap().to_owned()).collect();
    steps.sort();
    steps.dedup();
    same("the timeline's bars", &steps, || async {
        window.script("return [...new Set([...document.querySelectorAll('.timeline rect')].map(b => b.dataset.step))]").await
    })
    .await;
    window.click_on("As a list").await;
    window.says("Branch or item budget").await;
    window.says("ask_finance waited").await;
}

/// Every visit of a tree with how it ended, in any order.
fn visits(nodes: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather(nodes, &mut found);
    found.sort();
    found
}

fn gather(nodes: &Value, found: &mut Vec<String>) {
    for node in nodes.as_array().into_iter().flatten() {
        let state = match node["state"].as_str().unwrap() {
            "done" => "Done",
            other => panic!("{other}: {node:#}"),
        };
        found.push(format!("{} {state}", node["step_id"].as_str().unwrap()));
        for lane in node["lanes"].as_array().into_iter().flatten() {
            gather(&lane["nodes"], found);
        }
    }
}

fn address(fact: &Value) -> String {
    format!("{} {} {}", fact["step_id"], fact["visit"], fact["within"])
}

/// Waits until the page has these, in any order.
async fn same<F: Future<Output = Result<Value, String>>>(
    what: &str,
    wanted: &[String],
    seen: impl Fn() -> F,
) {
    eventually(what, || async {
        let seen = seen().await?;
        let mut seen: Vec<String> = serde_json::from_value(seen).map_err(|error| error.to_string())?;
        seen.sort();
        if seen == wanted { Ok(()) } else { Err(format!("{seen:?}\nnot {wanted:?}")) }
    })
    .await;
}
