//! Writing a workflow: the source with its findings, tried with a sample event, kept as a draft, saved.

mod findings;
mod ladder;
mod save_conflict;
mod trial;

use crate::{
    bridge,
    components::{
        findings::Findings,
        loading::show,
        source_editor::{Order, SourceEditor},
        toast::{Toast, Toaster, act},
    },
    format,
    keys::use_keys,
    load::use_load,
    route::Route,
};
use findings::summary;
use gloo_timers::callback::Timeout;
use ladder::ladder;
use save_conflict::{Choice, Refused};
use shared_types::{
    desktop::{
        CachePolicy, Failure, Loaded, Review,
        commands::{DropDraft, KeepDraft, ReadDraft, ReadWorkflow, ReviewWorkflow, SaveWorkflow},
        keys::{Action, View},
    },
    workflow::{Finding, Severity},
};
use trial::Trying;
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
    // It is read once; what changes on the server meanwhile is told when it is saved.
    let reading = use_load(props.id.clone(), |id, _| begin(id));
    let page = show(&reading.load, (&reading.again, &reading.cancel), "the workflow", |loaded| {
        html! { <Bench id={props.id.clone()} editing={loaded.data.clone()} /> }
    });
    html! { <main key={props.id.clone().unwrap_or_default()}>{ page }</main> }
}

async fn begin(id: Option<String>) -> Result<Loaded<Editing>, Failure> {
    let here = |data: Editing| Loaded { data, at: format::now(), fresh: true };
    let kept = bridge::ask(ReadDraft { id: id.clone().unwrap_or_else(|| NEW.to_owned()) }).await?;
    if let Some(draft) = kept {
        let draft_of = Some(format::clock(draft.at));
        return Ok(here(Editing { text: draft.text, base: draft.base, draft_of }));
    }
    let Some(id) = id else {
        return Ok(here(Editing { text: STARTER.to_owned(), base: None, draft_of: None }));
    };
    let workflow = bridge::ask(ReadWorkflow { id, policy: CachePolicy::NetworkOnly }).await?.data;
    Ok(here(Editing { text: workflow.source, base: Some(workflow.etag), draft_of: None }))
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
    use_checking((*text).clone(), props.editing.text.clone(), draft, (*base).clone(), review.clone());
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
    let go = give.reform(Order::Go);
    let mend = give.reform(Order::Write);
    let draft = OpenDraft { id: props.id.clone(), text: (*text).clone(), base: (*base).clone() };
    let class = classes!("bench", "is-editing", conflict.is_some().then_some("has-conflict"));
    html! {
        <>
            <div class="page-head"><div><h1>{ title }</h1>
                <p class="muted">{ standing(&props.editing, is_changed) }</p></div>
                <span class="push"></span>
                if is_changed { <Discard {draft} /> }
                <button class="btn primary" disabled={errors > 0} {onclick}>{ "Save " }<kbd>{ "Ctrl S" }</kbd></button></div>
            if let Some(failure) = &*conflict {
                <Refused id={props.id.clone()} base={(*base).clone()} failure={failure.clone()} mine={(*text).clone()} {chosen} />
            }
            <div {class}>
                <div class="editor">
                    <SourceEditor text={props.editing.text.clone()} {changed} findings={shown} order={(*order).clone()} completes={true} />
                    <Findings summary={summary(&review)} findings={review.findings.clone()} {go} {mend} />
                    { ladder(&review.ladder) }
                </div>
                <Trying text={(*text).clone()} sample={review.sample.clone()} />
            </div>
        </>
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
                    drop(bridge::ask(KeepDraft { id: draft, text: text.clone(), base }).await);
                }
                if let Ok(found) = bridge::ask(ReviewWorkflow { text }).await {
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
            match bridge::ask(SaveWorkflow { id, text, base }).await {
                Ok(saved) => {
                    drop(bridge::ask(DropDraft { id: draft }).await);
                    if let Some(toaster) = toaster {
                        toaster.emit(Toast::done(format!("Saved as revision {}", saved.revision)));
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

/// A draft as it stands in the editor.
#[derive(Debug, Clone, PartialEq)]
struct OpenDraft {
    id: Option<String>,
    text: String,
    base: Option<String>,
}

#[derive(Properties, PartialEq)]
struct DiscardProps {
    draft: OpenDraft,
}

/// Forgets the draft, with a way back.
#[component]
fn Discard(props: &DiscardProps) -> Html {
    let (toaster, navigator) = (use_context::<Toaster>(), use_navigator());
    let draft = props.draft.clone();
    let onclick = Callback::from(move |_: MouseEvent| {
        let (draft, toaster, navigator) = (draft.clone(), toaster.clone(), navigator.clone());
        let key = draft.id.clone().unwrap_or_else(|| NEW.to_owned());
        act(bridge::ask(DropDraft { id: key }), toaster.clone(), move |()| {
            if let Some(navigator) = &navigator {
                navigator.push(&draft.id.clone().map_or(Route::Workflows, |id| Route::Workflow { id }));
            }
            if let Some(toaster) = &toaster {
                let back = put_back(draft, toaster.clone(), navigator);
                toaster.emit(Toast::done("The draft is discarded").or_undo(back));
            }
        });
    });
    html! { <button class="btn quiet" {onclick}>{ "Discard draft" }</button> }
}

/// Keeps a draft that was discarded again, and opens it.
fn put_back(draft: OpenDraft, toaster: Toaster, navigator: Option<Navigator>) -> Callback<()> {
    Callback::from(move |()| {
        let (draft, navigator) = (draft.clone(), navigator.clone());
        let key = draft.id.clone().unwrap_or_else(|| NEW.to_owned());
        act(
            bridge::ask(KeepDraft { id: key, text: draft.text, base: draft.base }),
            Some(toaster.clone()),
            move |()| {
                if let Some(navigator) = navigator {
                    let to = draft.id.map_or(Route::NewWorkflow, |id| Route::EditWorkflow { id });
                    navigator.push(&to);
                }
            },
        );
    })
}
