//! Random documents with scripts, each made of its seed alone.

use serde_json::{Value, json};

/// A stream of numbers (`SplitMix64`).
struct Draw(u64);

impl Draw {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.number() % n as u64).unwrap()
    }

    fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

struct Maker {
    draw: Draw,
    ids: usize,
    calls: Vec<String>,
    asks: Vec<String>,
}

/// Where a sequence stands: at the top, in a branch, or in a body.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    Top,
    Branch,
    Body,
}

/// A document, a payload and a script.
pub(crate) fn case(seed: u64) -> Value {
    let mut maker = Maker { draw: Draw(seed), ids: 0, calls: Vec::new(), asks: Vec::new() };
    let steps = maker.sequence(Around::Top, 0);
    let payload = json!({ "n": maker.draw.below(8), "list": [1, 4, 6], "o": { "x": 1, "y": { "z": 2 } } });
    let script: Vec<Value> = (0..maker.draw.below(12)).map(|_| maker.happening()).collect();
    json!({
        "document": { "workflow_id": "w", "name": "W", "trigger": { "type": "manual" }, "steps": steps },
        "payload": payload, "script": script,
    })
}

impl Maker {
    /// A span that no other step has, so that no two timers are due at once.
    fn span(&mut self) -> String {
        self.ids += 1;
        let minutes = 10 + self.draw.below(300);
        format!("{}s", minutes * 60 + self.ids)
    }

    fn sequence(&mut self, around: Around, depth: usize) -> Vec<Value> {
        let most = if around == Around::Top { 5 } else { 3 };
        let count = 1 + self.draw.below(most);
        let ids: Vec<String> = (0..count)
            .map(|_| {
                self.ids += 1;
                format!("s{}", self.ids)
            })
            .collect();
        (0..ids.len()).map(|n| self.step(&ids, n, around, depth)).collect()
    }

    /// A link, mostly forwards.
    fn link(&mut self, step: &mut Value, key: &str, ids: &[String], n: usize) {
        let ahead = ids.len() - n - 1;
        let to = match self.draw.below(12) {
            0 => ids.get(self.draw.below(ids.len())),
            1..=8 if ahead > 0 => ids.get(n + 1 + self.draw.below(ahead)),
            _ => None,
        };
        if let Some(to) = to {
            step[key] = json!(to);
        }
    }

    fn value(&mut self) -> &'static str {
        let values = [
            "{{ n }}",
            "{{ item }}",
            "{{ o.x }}",
            "{{ o.y.z }}",
            "{{ data.k }}",
            "{{ error.step }}",
            "{{ approval.decision }}",
        ];
        self.draw.one_of(&values)
    }

    fn step(&mut self, ids: &[String], n: usize, around: Around, depth: usize) -> Value {
        let deep = if depth < 2 { 14 } else { 11 };
        let id = ids[n].clone();
        let mut links = vec!["next"];
        let mut step = match self.draw.below(deep) {
            0 | 1 => {
                links = vec!["on_true", "on_false"];
                if self.draw.one_in(3) {
                    links.push("next");
                }
                let (field, value) = (self.draw.one_of(&["n", "item", "o.x"]), self.draw.below(6));
                json!({ "type": "condition", "condition": { "field": field, "operator": "gt", "value": value } })
            }
            2 => json!({ "type": "set", "set": { format!("v{id}"): self.value() } }),
            3 => json!({ "type": "emit", "emit": { "event": "out", "payload": { "n": self.value() } } }),
            4 if around == Around::Top => {
                let verdict = self.draw.one_of(&["allow", "block"]);
                json!({ "type": "action", "action": { "type": verdict } })
            }
            5 if around != Around::Body => {
                self.asks.push(id.clone());
                links = vec!["on_approved", "on_rejected", "on_expired"];
                json!({ "type": "approval", "approval": { "levels": [{ "approvers": ["role:x"], "expires_in": self.span() }] } })
            }
            6 => json!({ "type": "wait", "wait": { "for": self.span() } }),
            7 => {
                let event = self.draw.one_of(&["a.b", "a.*"]);
                let mut wait = json!({ "event": event, "timeout": self.span() });
                self.link(&mut wait, "on_timeout", ids, n);
                links.push("on_error");
                json!({ "type": "wait", "wait": wait })
            }
            8 => {
                links = Vec::new();
                json!({ "type": "fail", "reason": "so" })
            }
            9 => {
                self.calls.push(id.clone());
                links.push("on_error");
                json!({ "type": "call", "call": { "workflow_id": "other", "input": { "n": self.value() } } })
            }
            11 | 12 => {
                links.push("on_error");
                self.parallel(depth)
            }
            13 => {
                links.push("on_error");
                self.foreach(depth)
            }
            _ => {
                self.calls.push(id.clone());
                links.push("on_error");
                self.execute()
            }
        };
        step["id"] = json!(id);
        for key in links {
            self.link(&mut step, key, ids, n);
        }
        step
    }

    fn execute(&mut self) -> Value {
        let effects: Vec<Value> = (0..=self.draw.below(2))
            .map(|_| json!({ "type": "webhook", "url": format!("http://x/{}/{}", self.value(), self.value()) }))
            .collect();
        let mut step = json!({ "type": "execute", "execute": effects });
        if self.draw.one_in(2) {
            step["retry"] = json!({ "max_attempts": 2, "delay": self.span(), "max_delay": "48h" });
        }
        step
    }

    fn parallel(&mut self, depth: usize) -> Value {
        let mut parallel = json!({});
        if self.draw.one_in(3) {
            let steps: Vec<Value> = (0..=self.draw.below(3))
                .map(|_| {
                    self.ids += 1;
                    let id = [format!("s{}", self.ids)];
                    self.step(&id, 0, Around::Branch, depth + 1)
                })
                .collect();
            parallel["steps"] = json!(steps);
        } else {
            let branches: Vec<Value> = (0..=self.draw.below(3))
                .map(|n| json!({ "id": format!("b{n}"), "steps": self.sequence(Around::Branch, depth + 1) }))
                .collect();
            parallel["branches"] = json!(branches);
        }
        if !self.draw.one_in(4) {
            let strategies = ["all_must_pass", "any_can_pass", "best_effort"];
            parallel["strategy"] = json!(self.draw.one_of(&strategies));
        }
        self.bounded(json!({ "type": "parallel", "parallel": parallel }))
    }

    fn foreach(&mut self, depth: usize) -> Value {
        let items = [json!("{{ list }}"), json!([5]), json!([]), json!("{{ n }}"), json!([1, 2, 3, 4])];
        let mut foreach = json!({
            "items": self.draw.one_of(&items), "steps": self.sequence(Around::Body, depth + 1),
        });
        if self.draw.one_in(2) {
            foreach["concurrency"] = json!(1 + self.draw.below(3));
        }
        if self.draw.one_in(2) {
            foreach["on_item_error"] = json!("continue");
        }
        self.bounded(json!({ "type": "foreach", "foreach": foreach }))
    }

    fn bounded(&mut self, mut step: Value) -> Value {
        if self.draw.one_in(4) {
            step["timeout"] = json!(self.span());
        }
        step
    }

    fn happening(&mut self) -> Value {
        match self.draw.below(8) {
            0 | 1 => {
                let verdict = self.draw.one_of(&["approve", "approve", "reject"]);
                let mut item = json!({ "decide": verdict, "comment": "so" });
                if !self.asks.is_empty() && self.draw.one_in(2) {
                    item["step"] = json!(self.draw.one_of(&self.asks));
                }
                item
            }
            2 => {
                let payload = json!({ "o": { "x": self.draw.below(9), "y": { "w": 1 } } });
                let kind = self.draw.one_of(&["a.b", "a.c"]);
                json!({ "event": { "type": kind, "payload": payload } })
            }
            3 | 4 => json!({ "advance": format!("{}m", 20 + self.draw.below(400)) }),
            _ if self.calls.is_empty() => json!({ "advance": "90m" }),
            7 => json!({ "effect": self.call(), "error": "timeout" }),
            _ => {
                let status = self.draw.one_of(&[200, 200, 500, 404]);
                let body = json!({ "k": self.draw.below(9) });
                json!({ "effect": self.call(), "response": { "status": status, "body": body } })
            }
        }
    }

    fn call(&mut self) -> String {
        self.draw.one_of(&self.calls)
    }
}
