//! The source editor, mounted into an element of the page.

use crate::bridge;
use js_sys::Promise;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use shared_types::{
    desktop::commands::CompleteWorkflow,
    workflow::{Finding, Format, Severity},
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Element;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "iwEditor"])]
    fn mount(
        parent: &Element,
        text: &str,
        format: &str,
        changed: &Closure<dyn FnMut(String)>,
        complete: Option<&Closure<Completing>>,
    ) -> JsValue;
    #[wasm_bindgen(js_namespace = ["window", "iwEditor"])]
    fn write(view: &JsValue, text: &str);
    #[wasm_bindgen(js_namespace = ["window", "iwEditor"])]
    fn mark(view: &JsValue, findings: JsValue);
    #[wasm_bindgen(js_namespace = ["window", "iwEditor"])]
    fn go(view: &JsValue, line: f64);
    #[wasm_bindgen(js_namespace = ["window", "iwEditor"])]
    fn destroy(view: &JsValue);
}

/// Called with the text and where the caret stands, in UTF-16 units; gives what can stand there.
type Completing = dyn FnMut(String, usize) -> Promise;

/// A finding as the editor shows it in the text.
#[derive(Serialize)]
struct Mark<'a> {
    line: u64,
    column: u64,
    severity: &'static str,
    message: &'a str,
}

/// What the page asks of the editor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    /// Put this text in place of the other.
    Write(String),
    /// Put the caret on this line.
    Go(u64),
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) text: AttrValue,
    pub(crate) changed: Callback<String>,
    pub(crate) findings: Vec<Finding>,
    /// The last order, with a number that tells a new one from the one before.
    pub(crate) order: Option<(u32, Order)>,
    /// Whether it is a workflow, which is completed as it is written.
    #[prop_or_default]
    pub(crate) completes: bool,
}

/// The editor; `text` counts when it is mounted, later texts come by order.
#[component]
pub(crate) fn SourceEditor(props: &Props) -> Html {
    let (place, view) = (use_node_ref(), use_mut_ref(|| None::<JsValue>));
    {
        let (place, view, text, changed) =
            (place.clone(), view.clone(), props.text.clone(), props.changed.clone());
        let completes = props.completes;
        use_effect_with((), move |()| {
            let handler = Closure::new(move |text: String| changed.emit(text));
            let complete = completes
                .then(|| Closure::<Completing>::new(|text, at| future_to_promise(complete(text, at))));
            if let Some(element) = place.cast::<Element>() {
                let format = Format::of(&text).as_str();
                *view.borrow_mut() = Some(mount(&element, &text, format, &handler, complete.as_ref()));
            }
            move || {
                if let Some(view) = view.borrow_mut().take() {
                    destroy(&view);
                }
                drop((handler, complete));
            }
        });
    }
    {
        let view = view.clone();
        use_effect_with(props.findings.clone(), move |findings| {
            let marks: Vec<Mark<'_>> = findings.iter().map(as_mark).collect();
            if let (Some(view), Ok(marks)) =
                (&*view.borrow(), marks.serialize(&Serializer::json_compatible()))
            {
                mark(view, marks);
            }
        });
    }
    use_effect_with(props.order.clone(), move |order| {
        // The text's change comes back through `changed`, so the borrow must be over by then.
        let view = view.borrow().clone();
        match (view, order) {
            (Some(view), Some((_, Order::Write(text)))) => write(&view, text),
            #[expect(clippy::cast_precision_loss, reason = "no text has 2^52 lines")]
            (Some(view), Some((_, Order::Go(line)))) => go(&view, *line as f64),
            (_, _) => {}
        }
    });
    html! { <div class="source" ref={place}></div> }
}

/// What can stand at a place; nothing where that isn't known.
async fn complete(text: String, at: usize) -> Result<JsValue, JsValue> {
    let found = bridge::ask(CompleteWorkflow { text, at }).await.ok().flatten();
    Ok(found.and_then(|found| found.serialize(&Serializer::json_compatible()).ok()).unwrap_or(JsValue::NULL))
}

fn as_mark(finding: &Finding) -> Mark<'_> {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Unsupported | Severity::Warning => "warning",
    };
    Mark { line: finding.line, column: finding.column, severity, message: &finding.message }
}
