//! The form of a request: what an approver may change, with its limits, beside what it holds now.

use super::form_drafts;
use crate::{
    components::icon::{Glyph, Icon},
    format,
    keys::use_keys,
};
use serde_json::{Map, Value};
use shared_types::{
    api::approvals::{Approval, ApprovalField},
    desktop::keys::{Action, View},
    workflow::{
        approval::{FieldKind, FormField},
        form::FormFault,
    },
};
use web_sys::{HtmlElement, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// What of the form isn't filled in as it must be, with what was typed.
pub(super) fn faults(approval: &Approval, edits: &Map<String, Value>) -> Vec<FormFault> {
    let form: Vec<FormField> = approval.form.iter().map(|field| field.field.clone()).collect();
    if form.is_empty() {
        return Vec::new();
    }
    let mut values: Map<String, Value> =
        approval.form.iter().map(|field| (field.field.name.clone(), field.value.clone())).collect();
    values.extend(edits.clone());
    FormField::faults(&form, &values)
}

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) approval: Approval,
    /// Whether the caller may change it.
    pub(super) may_edit: bool,
    /// Something was typed.
    pub(super) changed: Callback<()>,
}

/// The fields.
#[component]
pub(super) fn Form(props: &Props) -> Html {
    let at = use_node_ref();
    {
        let (at, may_edit) = (at.clone(), props.may_edit);
        use_keys(View::Card, move |action| {
            if action != Action::Edit || !may_edit {
                return false;
            }
            let first =
                at.cast::<HtmlElement>().and_then(|form| form.query_selector("input, select").ok().flatten());
            if let Some(first) =
                first.and_then(|first| wasm_bindgen::JsCast::dyn_into::<HtmlElement>(first).ok())
            {
                // A field that can't take the focus can still be clicked.
                let _ = first.focus();
            }
            true
        });
    }
    let edits = form_drafts::edits(props.approval.approval_id);
    let faults = faults(&props.approval, &edits);
    let fields = props.approval.form.iter().map(|field| {
        let typed = edits.get(&field.field.name);
        let fault = typed.and_then(|_| faults.iter().find(|fault| fault.field == field.field.name));
        row(props, field, typed, fault)
    });
    html! { <div class="fields tight" ref={at}>{ fields.collect::<Html>() }</div> }
}

fn row(props: &Props, field: &ApprovalField, typed: Option<&Value>, fault: Option<&FormFault>) -> Html {
    let id = format!("field-{}", field.field.name);
    let limits = limits(&field.field);
    let last = last_edit(&props.approval, &field.field.name).unwrap_or_default();
    let hint = [limits, last].iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
    html! {
        <>
            <label for={id.clone()}>{ format::label(&field.field.name) }</label>
            <div>
                <div class="row">{ control(props, field, typed.unwrap_or(&field.value), &id, fault.is_some()) }
                    if let Some(now) = typed { <span class="muted"><span class="was">{ format::value(&field.value) }</span>{ " → " }<b>{ format::value(now) }</b></span> }
                    <span class="muted">{ hint }</span></div>
                if let Some(fault) = fault { <span class="under bad" role="alert"><Glyph icon={Icon::Cross} />{ format!(" It {}", fault.message) }</span> }
            </div>
        </>
    }
}

fn control(props: &Props, field: &ApprovalField, value: &Value, id: &str, is_bad: bool) -> Html {
    let (approval_id, name, before) =
        (props.approval.approval_id, field.field.name.clone(), field.value.clone());
    let changed = props.changed.clone();
    let keep = Callback::from(move |value: Value| {
        form_drafts::write(approval_id, &name, value, &before);
        changed.emit(());
    });
    let disabled = !props.may_edit;
    let (id, invalid) = (id.to_owned(), is_bad.then_some("true"));
    let text = if value.is_null() { String::new() } else { format::plain(value) };
    match field.field.kind {
        FieldKind::Boolean => {
            let onchange = Callback::from(move |event: Event| {
                if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                    keep.emit(Value::Bool(input.checked()));
                }
            });
            html! { <input type="checkbox" {id} {disabled} checked={value == &Value::Bool(true)} {onchange} /> }
        }
        FieldKind::Choice => {
            let choices = field.field.choices.clone();
            let options = choices.iter().map(|choice| {
                html! { <option value={format::plain(choice)} selected={choice == value}>{ format::plain(choice) }</option> }
            });
            let options: Html = options.collect();
            let onchange = Callback::from(move |event: Event| {
                let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
                let picked = choices.iter().find(|choice| format::plain(choice) == select.value());
                keep.emit(picked.cloned().unwrap_or_default());
            });
            html! { <select class="field" {id} {disabled} {onchange}><option value="" selected={value.is_null()}>{ "–" }</option>{ options }</select> }
        }
        kind @ (FieldKind::Number | FieldKind::Text | FieldKind::Date) => {
            let oninput = Callback::from(move |event: InputEvent| {
                if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                    keep.emit(kind.typed(&input.value()));
                }
            });
            let class = if kind == FieldKind::Number { "field num short" } else { "field" };
            let kind = if kind == FieldKind::Date { "date" } else { "text" };
            let inputmode = (field.field.kind == FieldKind::Number).then_some("decimal");
            let placeholder = if field.field.required { "" } else { "Optional" };
            html! { <input {class} type={kind} {inputmode} {id} {disabled} {placeholder} value={text} aria-invalid={invalid} {oninput} /> }
        }
    }
}

/// `0 to 60`, `at most 20`.
fn limits(field: &FormField) -> String {
    match (&field.min, &field.max) {
        (Some(min), Some(max)) => format!("{} to {}", format::plain(min), format::plain(max)),
        (Some(min), None) => format!("at least {}", format::plain(min)),
        (None, Some(max)) => format!("at most {}", format::plain(max)),
        (None, None) => String::new(),
    }
}

/// Who changed a field last: `Cy Roth made it 14`.
fn last_edit(approval: &Approval, name: &str) -> Option<String> {
    let made = approval.levels.iter().flat_map(|level| &level.decisions);
    let edits = made.filter(|made| made.retracted_at.is_none() && made.superseded_at.is_none());
    let last = edits.filter_map(|made| Some((made, made.edits.as_ref()?.get(name)?))).next_back()?;
    Some(format!("{} made it {}", last.0.name, format::plain(last.1)))
}
