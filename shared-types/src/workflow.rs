//! The workflow language: documents, conditions, templates, durations and the checks before anything may run.

pub mod approval;
pub mod bounds;
pub mod calendar;
pub mod check;
pub mod condition;
pub mod context;
pub mod document;
pub mod duration;
pub mod effect;
pub mod evaluate;
pub mod finding;
pub mod finding_list;
pub mod form;
pub mod header;
pub mod loads;
pub mod number;
pub mod outline;
pub mod path;
pub mod quick_fix;
pub mod rule;
pub mod sample;
pub mod schedule;
pub mod schema;
pub mod scope;
pub mod source;
pub mod step;
pub mod template;
pub mod test_script;

pub use check::{Checked, check};
pub use context::Context;
pub use document::Document;
pub use duration::Span;
pub use finding::{Finding, Severity};
pub use source::{Format, Source};
pub use template::{Template, TemplateValue};
