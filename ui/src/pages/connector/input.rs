//! An operation's input as a form made from its schema.

use serde_json::{Map, Value};
use shared_types::connector::Shape;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq)]
enum Control {
    Text,
    Number,
    Boolean,
    Choice(Vec<Value>),
    /// Lists, maps, and what the schema leaves open: as JSON.
    Json,
}

/// A field of the form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// The keys that lead to it, from the outside.
    path: Vec<String>,
    control: Control,
    is_required: bool,
    description: String,
}

impl Field {
    /// Its name: the keys, by dots.
    fn name(&self) -> String {
        self.path.join(".")
    }
}

/// The fields of an operation's input. A map at the top, such as a body, is taken apart; what is deeper is written as JSON.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let root = Shape::new(schema);
    let required = root.required();
    let mut found = Vec::new();
    for (name, shape) in root.properties() {
        let is_required = required.contains(name);
        let within = shape.properties();
        if within.is_empty() {
            found.push(field(vec![name.to_owned()], shape, is_required));
            continue;
        }
        let needed = shape.required();
        for (below, shape) in within {
            let path = vec![name.to_owned(), below.to_owned()];
            found.push(field(path, shape, is_required && needed.contains(below)));
        }
    }
    found
}

fn field(path: Vec<String>, shape: Shape<'_>, is_required: bool) -> Field {
    let kind = shape.kind();
    let mut kinds = kind.split(" or ").filter(|kind| *kind != "null");
    let control = match (shape.choices(), kinds.next(), kinds.next()) {
        (Some(choices), _, _) => Control::Choice(choices.to_vec()),
        (None, Some("string"), None) => Control::Text,
        (None, Some("integer" | "number"), None) => Control::Number,
        (None, Some("boolean"), None) => Control::Boolean,
        (None, _, _) => Control::Json,
    };
    Field { path, control, is_required, description: shape.description() }
}

/// The value that a text is for a control; none for an empty one.
///
/// # Errors
/// What is wrong with it, in a few words.
fn value_of(control: &Control, text: &str) -> Result<Option<Value>, &'static str> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(None);
    }
    match control {
        Control::Text => Ok(Some(Value::String(text.to_owned()))),
        Control::Number => match serde_json::from_str(trimmed) {
            Ok(number @ Value::Number(_)) => Ok(Some(number)),
            Ok(_) | Err(_) => Err("isn’t a number"),
        },
        Control::Boolean => Ok(Some(Value::Bool(trimmed == "true"))),
        Control::Choice(choices) => Ok(choices.iter().find(|choice| written(choice) == trimmed).cloned()),
        Control::Json => serde_json::from_str(trimmed).map(Some).map_err(|_| "isn’t JSON"),
    }
}

/// What was typed, by the names of the fields.
pub(super) type Typed = std::collections::BTreeMap<String, String>;

/// The input that was typed.
///
/// # Errors
/// The names of fields that can't be used, with what is wrong.
pub(super) fn input(
    fields: &[Field],
    typed: &Typed,
) -> Result<Map<String, Value>, Vec<(String, &'static str)>> {
    let (mut input, mut faults) = (Map::new(), Vec::new());
    for field in fields {
        let text = typed.get(&field.name()).map(String::as_str).unwrap_or_default();
        match value_of(&field.control, text) {
            Ok(Some(value)) => put(&mut input, &field.path, value),
            Ok(None) => {}
            Err(why) => faults.push((field.name(), why)),
        }
    }
    if faults.is_empty() { Ok(input) } else { Err(faults) }
}

fn put(map: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            map.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let below = map.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                put(below, rest, value);
            }
        }
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) fields: Vec<Field>,
    pub(super) typed: Typed,
    pub(super) changed: Callback<Typed>,
}

/// The fields of the form.
#[component]
pub(super) fn InputForm(props: &Props) -> Html {
    if props.fields.is_empty() {
        return html! { <p class="muted">{ "It needs no input." }</p> };
    }
    let faults = input(&props.fields, &props.typed).err().unwrap_or_default();
    let rows = props.fields.iter().map(|field| {
        let fault = faults.iter().find(|(name, _)| *name == field.name()).map(|(_, why)| *why);
        row(props, field, fault)
    });
    html! { <div class="fields tight">{ rows.collect::<Html>() }</div> }
}

fn row(props: &Props, field: &Field, fault: Option<&'static str>) -> Html {
    let (name, id) = (field.name(), format!("input-{}", field.name()));
    let text = props.typed.get(&name).cloned().unwrap_or_default();
    let (typed, changed, key) = (props.typed.clone(), props.changed.clone(), name.clone());
    let keep = Callback::from(move |text: String| {
        let mut typed = typed.clone();
        typed.insert(key.clone(), text);
        changed.emit(typed);
    });
    html! {
        <>
            <label for={id.clone()} class="cut" title={name.clone()}>{ &name }</label>
            <div>
                <div class="row">{ control(field, &text, &id, &keep, fault.is_some()) }<span class="muted cut" title={field.description.clone()}>{ &field.description }</span></div>
                if let Some(why) = fault { <span class="under bad" role="alert">{ format!("It {why}.") }</span> }
            </div>
        </>
    }
}

fn control(field: &Field, text: &str, id: &str, keep: &Callback<String>, is_bad: bool) -> Html {
    let (id, value) = (id.to_owned(), text.to_owned());
    let invalid = is_bad.then_some("true");
    let placeholder = if field.is_required { "Required" } else { "Optional" };
    let oninput = keep.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    match &field.control {
        Control::Text => {
            html! { <input class="field" {id} {placeholder} {value} aria-invalid={invalid} {oninput} /> }
        }
        Control::Number => {
            html! { <input class="field num short" inputmode="decimal" {id} {placeholder} {value} aria-invalid={invalid} {oninput} /> }
        }
        Control::Json => {
            let oninput =
                keep.reform(|event: InputEvent| event.target_unchecked_into::<HtmlTextAreaElement>().value());
            let placeholder = format!("{placeholder}, as JSON");
            html! { <textarea class="field mono" rows="3" {id} {placeholder} {value} aria-invalid={invalid} {oninput} /> }
        }
        Control::Boolean => choice(&[Value::Bool(true), Value::Bool(false)], text, id, keep),
        Control::Choice(choices) => choice(choices, text, id, keep),
    }
}

/// A choice as the form holds it.
fn written(choice: &Value) -> String {
    choice.to_string()
}

fn choice(choices: &[Value], text: &str, id: String, keep: &Callback<String>) -> Html {
    let onchange = keep.reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value());
    let option = |choice: &Value| {
        let value = written(choice);
        let word = choice.as_str().map_or_else(|| value.clone(), str::to_owned);
        html! { <option value={value.clone()} selected={value == text}>{ word }</option> }
    };
    html! {
        <select class="field" {id} {onchange}><option value="" selected={text.is_empty()}>{ "–" }</option>
            { choices.iter().map(option).collect::<Html>() }</select>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_is_typed_becomes_the_input_that_the_schema_asks_for() {
        let schema = json!({
            "type": "object", "required": ["id", "body"],
            "properties": {
                "id": { "type": "integer" }, "deep": { "type": "boolean" }, "tags": { "type": "array" },
                "body": { "$ref": "#/$defs/Ticket" },
            },
            "$defs": { "Ticket": { "required": ["title"], "properties": { "title": { "type": ["null", "string"] }, "state": { "enum": ["open", 7] } } } },
        });
        let fields = fields(&schema);
        let names: Vec<(String, bool)> =
            fields.iter().map(|field| (field.name(), field.is_required)).collect();
        let named = |name: &str, is_required| (name.to_owned(), is_required);
        assert_eq!(
            names,
            [
                named("body.title", true),
                named("body.state", false),
                named("id", true),
                named("deep", false),
                named("tags", false)
            ]
        );
        let all = typed(&[
            ("id", " 7 "),
            ("body.title", "A \"b\""),
            ("body.state", "7"),
            ("deep", "false"),
            ("tags", "[1]"),
        ]);
        let expected =
            json!({ "id": 7, "deep": false, "tags": [1], "body": { "title": "A \"b\"", "state": 7 } });
        assert_eq!(input(&fields, &all).map(Value::Object), Ok(expected));
        assert_eq!(input(&fields, &Typed::new()), Ok(Map::new()), "nothing is sent that wasn't typed");
        let bad = input(&fields, &typed(&[("id", "seven"), ("tags", "[1")])).unwrap_err();
        assert_eq!(bad, [("id".to_owned(), "isn’t a number"), ("tags".to_owned(), "isn’t JSON")]);
    }
}
