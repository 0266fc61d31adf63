//! Writing a workflow: the source with its findings, tried with a sample event, kept as a draft, saved.

pub(crate) mod findings;
mod refused;
mod trying;

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        source_editor::{Order, SourceEditor},
        toast::{Toast, Toaster, Tone},
    },
    keys::use_keys,
    route::Route,
    words,
};
use findings::Findings;
use gloo_timers::callback::Timeout;
use refused::{Choice, Refused};
use shared_types::{
    desktop::{
        Failure, Patience, Review,
        keys::{Action, View},
    },
    workflow::{Finding, Severity},
};
use trying::Trying;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::prelude::*;

/// How long after the last key the text is checked and kept, in milliseconds.
const PAUSE_MS: u32 = 350;
/// The draft of a workflow that has no id yet.
const NEW: &str = "";

const STARTER: &str = "workflow_id: my_workflow\nname: My workflow\ntrigger: { type: event, event: order.created }\nsteps:\n  - id: check\n    type: condition\n    condition: { field: order.total, operator: gte, value: 1000 }\n    on_true: ask\n    on_false: allow\n  - id: ask\n    type: approval\n    approval: { levels: [{ approvers: [\"role:sales_manager\"], expires_in: 24h }] }\n  - { id: allow, type: action, action: { type: allow } }\n";

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) id: Option<String>,
}

/// What is being edited.
#[derive(Debug, Clone, PartialEq)]
struct Editing {
    text: String,
    /// The etag of the revision that it began from.
    base: Option<String>,
    /// When an older draft was kept, if it is one.
    draft_of: Option<String>,
}

/// The page: what is edited is read first, the draft before the revision.
#[component]
pub(crate) fn Edit(props: &Props) -> Html {
    let editing = use_state(|| None::<Result<Editing, Failure>>);
    {
        let editing = editing.clone();
        use_effect_with(props.id.clone(), move |id| {
            let id = id.clone();
            spawn_local(async move { editing.set(Some(begin(id).await)) });
        });
    }
    match &*editing {
        None => html! { <main></main> },
        Some(Err(failure)) => html! {
            <main><div class="calm" role="alert"><p class="row"><Glyph icon={Icon::Cross} tone="bad" /> { "Couldn’t open the workflow." }</p>
                <p class="muted">{ failure.words() }</p></div></main>
        },
        Some(Ok(editing)) => html! { <Bench id={props.id.clone()} editing={editing.clone()} /> },
    }
}

async fn begin(id: Option<String>) -> Result<Editing, Failure> {
    let kept = bridge::draft(id.clone().unwrap_or_else(|| NEW.to_owned())).await?;
    if let Some(draft) = kept {
        let draft_of = Some(words::clock(draft.at));
        return Ok(Editing { text: draft.text, base: draft.base, draft_of });
    }
    let Some(id) = id else {
        return Ok(Editing { text: STARTER.to_owned(), base: None, draft_of: None });
    };
    let workflow = bridge::workflow(id, Patience::Full).await?.data;
    Ok(Editing { text: workflow.source, base: Some(workflow.etag), draft_of: None })
}

#[derive(Properties, PartialEq)]
struct BenchProps {
    id: Option<String>,
    editing: Editing,
}

/// The editor, its findings, and trying it.
#[component]
fn Bench(props: &BenchProps) -> Html {
    let text = use_state(|| props.editing.text.clone());
    let base = use_state(|| props.editing.base.clone());
    let review = use_state(Review::default);
    let order = use_state(|| None::<(u32, Order)>);
    let conflict = use_state(|| None::<Failure>);
    let draft = props.id.clone().unwrap_or_else(|| NEW.to_owned());
    use_checking((*text).clone(), props.editing.text.clone(), draft.clone(), (*base).clone(), review.clone());
    let give = {
        let order = order.clone();
        Callback::from(move |next: Order| {
            let n = order.as_ref().map_or(0, |(n, _)| *n) + 1;
            order.set(Some((n, next)));
        })
    };
    let errors = review.findings.iter().filter(|(finding, _)| finding.severity == Severity::Error).count();
    let save = use_saving(props.id.clone(), (*text).clone(), &base, &conflict);
    let shown: Vec<Finding> = review.findings.iter().map(|(finding, _)| finding.clone()).collect();
    let changed = {
        let text = text.clone();
        Callback::from(move |next: String| text.set(next))
    };
    let onclick = save.reform(|_: MouseEvent| ());
    let chosen = {
        let (base, conflict, give) = (base.clone(), conflict.clone(), give.clone());
        Callback::from(move |choice: Choice| {
            if let Some(source) = choice.source {
                give.emit(Order::Write(source));
            }
            base.set(Some(choice.etag));
            conflict.set(None);
        })
    };
    let title = props.id.clone().unwrap_or_else(|| "New workflow".to_owned());
    let is_changed = *text != props.editing.text || props.editing.draft_of.is_some();
    html! {
        <main>
            <div class="page-head"><div><h1>{ title }</h1>
                <p class="muted">{ standing(&props.editing, is_changed) }</p></div>
                <span class="push"></span>
                <Discard id={props.id.clone()} {draft} />
                <button class="btn primary" disabled={errors > 0} {onclick}>{ "Save " }<kbd>{ "Ctrl S" }</kbd></button></div>
            if let Some(failure) = &*conflict {
                <Refused failure={failure.clone()} mine={(*text).clone()} {chosen} />
            }
            <div class="bench is-editing">
                <div class="editor">
                    <SourceEditor text={props.editing.text.clone()} {changed} findings={shown} order={(*order).clone()} />
                    <Findings review={(*review).clone()} give={give.clone()} />
                </div>
                <Trying text={(*text).clone()} sample={review.sample.clone()} />
            </div>
        </main>
    }
}

fn standing(editing: &Editing, is_changed: bool) -> String {
    let of = editing.base.as_deref().map_or_else(
        || "Not saved yet".to_owned(),
        |base| format!("Draft on revision {}", base.trim_matches(['"', 'r'])),
    );
    match (&editing.draft_of, is_changed) {
        (Some(at), _) => format!("{of}, kept on this machine since {at}"),
        (None, true) => format!("{of}, kept on this machine"),
        (None, false) => of,
    }
}

/// Checks the text and keeps it as a draft, a moment after the last key.
#[hook]
fn use_checking(
    text: String,
    original: String,
    draft: String,
    base: Option<String>,
    review: UseStateHandle<Review>,
) {
    use_effect_with(text, move |text| {
        let text = text.clone();
        let timer = Timeout::new(PAUSE_MS, move || {
            spawn_local(async move {
                if text != original {
                    // What can't be kept is still on the screen, and saving says what is wrong.
                    drop(bridge::keep_draft(draft, text.clone(), base).await);
                }
                if let Ok(found) = bridge::review(text).await {
                    review.set(found);
                }
            });
        });
        move || drop(timer)
    });
}

/// Saves as a new revision; what the server refuses is shown, and the draft stays.
#[hook]
fn use_saving(
    id: Option<String>,
    text: String,
    base: &UseStateHandle<Option<String>>,
    conflict: &UseStateHandle<Option<Failure>>,
) -> Callback<()> {
    let (toaster, navigator) = (use_context::<Toaster>(), use_navigator());
    let (base, conflict) = (base.clone(), conflict.clone());
    let save = Callback::from(move |()| {
        let (id, text, base, conflict) = (id.clone(), text.clone(), (*base).clone(), conflict.clone());
        let (toaster, navigator) = (toaster.clone(), navigator.clone());
        spawn_local(async move {
            let draft = id.clone().unwrap_or_else(|| NEW.to_owned());
            match bridge::save_workflow(id, text, base).await {
                Ok(saved) => {
                    drop(bridge::drop_draft(draft).await);
                    if let Some(toaster) = toaster {
                        toaster.emit(Toast {
                            tone: Tone::Done,
                            text: format!("Saved as revision {}", saved.revision),
                        });
                    }
                    if let Some(navigator) = navigator {
                        navigator.replace(&Route::Workflow { id: saved.workflow_id.to_string() });
                    }
                }
                Err(failure) => conflict.set(Some(failure)),
            }
        });
    });
    let latest = save.clone();
    use_keys(View::Editor, move |action| {
        if action == Action::Save {
            latest.emit(());
        }
        action == Action::Save
    });
    save
}

#[derive(Properties, PartialEq)]
struct DiscardProps {
    id: Option<String>,
    draft: String,
}

/// Forgets the draft.
#[component]
fn Discard(props: &DiscardProps) -> Html {
    let navigator = use_navigator();
    let (id, draft) = (props.id.clone(), props.draft.clone());
    let onclick = Callback::from(move |_: MouseEvent| {
        let (id, draft, navigator) = (id.clone(), draft.clone(), navigator.clone());
        spawn_local(async move {
            drop(bridge::drop_draft(draft).await);
            if let Some(navigator) = navigator {
                navigator.push(&id.map_or(Route::Workflows, |id| Route::Workflow { id }));
            }
        });
    });
    html! { <button class="btn quiet" {onclick}>{ "Discard draft" }</button> }
}
