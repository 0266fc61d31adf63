//! How long checking a document of 5,000 steps takes, in several shapes.

use crate::{median, say};
use serde_json::{Map, Value, json};
use shared_types::{
    machine::review::review,
    workflow::{Format, check::Environment},
};
use std::time::Instant;

const STEPS: usize = 5_000;
const ROUNDS: usize = 5;
const HEAD: &str = "workflow_id: w\nname: W\ntrigger: { type: manual }\nsteps:\n";

/// A shape's name, and one of its steps by its number.
type Shape = (&'static str, fn(usize) -> String);

const SHAPES: [Shape; 4] = [
    ("chain", |n| {
        let next = if n + 1 < STEPS { format!(", next: s{}", n + 1) } else { String::new() };
        format!("{{ id: s{n}, type: set, set: {{ v{n}: 1 }}{next} }}")
    }),
    ("nowhere", |n| format!("{{ id: s{n}, type: set, set: {{}}, next: gone{n} }}")),
    ("conditions", |n| {
        let condition = "{ and: [{ field: a.b, operator: gt, value: 5 }, { expr: 'c == 1' }] }";
        format!("{{ id: s{n}, type: condition, condition: {condition}, on_true: s0 }}")
    }),
    ("calls", |n| {
        let url = "https://example.com/{{ order.id }}";
        format!("{{ id: s{n}, type: execute, execute: [{{ type: http_request, url: '{url}' }}] }}")
    }),
];

/// Milliseconds for each shape.
pub(crate) fn measure(figures: &mut Map<String, Value>) {
    for (name, step) in SHAPES {
        let steps: Vec<String> = (0..STEPS).map(|n| format!("  - {}", step(n))).collect();
        let text = format!("{HEAD}{}\n", steps.join("\n"));
        let rounds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let begun = Instant::now();
                let checked = review(&text, Format::Yaml, &Environment::Unknown);
                std::hint::black_box(&checked);
                begun.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        say(&format!("checks of {STEPS} steps, {name}: {:.0} ms", median(&rounds)));
        figures.insert(format!("check_{STEPS}_{name}_ms"), json!(median(&rounds).round()));
    }
}
