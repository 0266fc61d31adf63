//! What a template or a condition can see.

use super::{bounds, context::Layers, duration::Span};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};

mod watch;

pub use watch::{Watch, WhatWasRead};

/// Names that a payload or a step can't take.
pub const RESERVED: [&str; 6] = ["event", "steps", "secrets", "integrations", "approval", "error"];

/// Whether a name means something of its own in templates and conditions.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("now")
}

/// Whether a name is a time: `now`, `now_plus_24h`, `now_minus_7d`, within the years that can be stored.
pub fn is_time(name: &str) -> bool {
    let empty = serde_json::Map::new();
    let now = DateTime::from_timestamp(NOW_OF_CHECKS, 0).unwrap_or_default();
    Scope::masked(&empty, now).time(name).is_some()
}

/// The time at which names of times are held against what can be stored, in seconds: the year 2026.
const NOW_OF_CHECKS: i64 = 1_767_225_600;

/// What a template or a condition can see.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The run's context, `event` and `steps` among it.
    pub context: Layers<'a>,
    /// The step's recorded time.
    pub now: DateTime<Utc>,
    /// What `secrets.x` gives.
    pub secrets: Secrets<'a>,
    /// Notes what is read, for whoever looks ahead of a run.
    pub watch: Option<&'a Watch>,
}

/// What `secrets.x` gives.
#[derive(Debug, Clone, Copy)]
pub enum Secrets<'a> {
    /// `•••`: previews, facts and whatever else people see.
    Masked,
    /// The values; only the effects' side has them, at the moment of the call.
    Known(&'a BTreeMap<String, String>),
}

/// What stands in for a secret wherever people look.
pub const MASK: &str = "•••";

impl<'a> Scope<'a> {
    /// A scope that masks secrets.
    pub fn masked(context: impl Into<Layers<'a>>, now: DateTime<Utc>) -> Self {
        Self { context: context.into(), now, secrets: Secrets::Masked, watch: None }
    }

    /// The value at a path, if there is one.
    pub fn find<'p>(&self, segments: impl Iterator<Item = &'p str>) -> Option<Cow<'a, Value>> {
        let Some(watch) = self.watch else { return self.look_up(segments) };
        let path: Vec<&str> = segments.collect();
        watch.note(&path);
        self.look_up(path.into_iter())
    }

    /// The time, for an operator that compares with it.
    pub fn compared_time(&self) -> DateTime<Utc> {
        if let Some(watch) = self.watch {
            watch.note(&["now"]);
        }
        self.now
    }

    fn look_up<'p>(&self, mut segments: impl Iterator<Item = &'p str>) -> Option<Cow<'a, Value>> {
        let name = segments.next()?;
        match name {
            "secrets" => self.secret(segments.next()?).map(|text| Cow::Owned(Value::String(text))),
            "integrations" => {
                let rest: Vec<&str> = segments.collect();
                Some(Cow::Owned(Value::String(format!("<integrations.{}>", rest.join(".")))))
            }
            now if now.starts_with("now") => self.time(now).map(|text| Cow::Owned(Value::String(text))),
            name => self.context.find(name, segments),
        }
    }

    fn secret(&self, name: &str) -> Option<String> {
        match self.secrets {
            Secrets::Masked => Some(MASK.to_owned()),
            Secrets::Known(known) => known.get(name).cloned(),
        }
    }

    /// `now`, `now_plus_24h`, `now_minus_7d`.
    fn time(&self, name: &str) -> Option<String> {
        let at = match name.strip_prefix("now")? {
            "" => self.now,
            shifted => {
                let (sign, span) = match shifted.strip_prefix("_plus_") {
                    Some(span) => (1, span),
                    None => (-1, shifted.strip_prefix("_minus_")?),
                };
                let span: Span = span.parse().ok()?;
                self.now.checked_add_signed(span.duration().checked_mul(sign)?)?
            }
        };
        if !bounds::holds(at) {
            return None;
        }
        Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}
