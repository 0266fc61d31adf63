//! A workflow's webhook: where calls go, its secrets, what came in, and a call to copy.

use crate::{
    bridge,
    components::{
        icon::{Glyph, Icon},
        loading::show,
        toast::{Toaster, act},
    },
    format,
    load::use_load,
};
use shared_types::{
    api::webhooks::{Verdict, Webhook, WebhookDelivery},
    desktop::commands::{AddWebhookSecret, ReadWebhook, RevokeWebhookSecret},
    workflow::document::Signature,
};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) id: String,
    pub(crate) may_write: bool,
}

#[component]
pub(crate) fn WebhookPanel(props: &Props) -> Html {
    let reading = use_load(props.id.clone(), |id, policy| bridge::ask(ReadWebhook { id, policy }));
    // A secret that was just made: shown until the page is left.
    let fresh = use_state(|| None::<String>);
    let toaster = use_context::<Toaster>();
    let add = {
        let (id, again, toaster, fresh) =
            (props.id.clone(), reading.again.clone(), toaster.clone(), fresh.clone());
        Callback::from(move |_: MouseEvent| {
            let (again, fresh) = (again.clone(), fresh.clone());
            act(
                bridge::ask(AddWebhookSecret { id: id.clone(), value: None }),
                toaster.clone(),
                move |shown| {
                    fresh.set(Some(shown.value));
                    again.emit(());
                },
            );
        })
    };
    let revoke = {
        let (id, again) = (props.id.clone(), reading.again.clone());
        Callback::from(move |secret: String| {
            let again = again.clone();
            act(bridge::ask(RevokeWebhookSecret { id: id.clone(), secret }), toaster.clone(), move |()| {
                again.emit(());
            });
        })
    };
    let panel = show(&reading.load, (&reading.again, &reading.cancel), "the webhook", |loaded| {
        shown(&loaded.data, fresh.as_deref(), props.may_write, &add, &revoke)
    });
    html! { <section class="hook data" aria-label="Webhook">{ panel }</section> }
}

fn shown(
    webhook: &Webhook,
    fresh: Option<&str>,
    may_write: bool,
    add: &Callback<MouseEvent>,
    revoke: &Callback<String>,
) -> Html {
    let secrets = webhook.secrets.iter().map(|secret| {
        let id = secret.secret_id.to_string();
        let made = format!("Made {} by {}", format::clock(secret.created_at), secret.created_by);
        let onclick = revoke.reform(move |_: MouseEvent| id.clone());
        html! { <li class="row"><span class="cut">{ made }</span>if may_write { <button class="btn quiet push" {onclick}>{ "Revoke" }</button> }</li> }
    });
    let is_full = webhook.secrets.len() >= 2;
    html! {
        <>
            <h2 class="label">{ "Webhook" }</h2>
            <p class="mono wrap">{ format!("POST {}", webhook.url) }</p>
            <p class="muted">{ signed_as(webhook.signature) }</p>
            <h2 class="label">{ "Secrets" }</h2>
            if webhook.secrets.is_empty() { <p class="wait">{ "There is none yet: every call is refused until one is made." }</p> }
            <ul>{ secrets.collect::<Html>() }</ul>
            if let Some(value) = fresh { <p class="note-box">{ "Keep it now, it isn’t shown again: " }<span class="mono wrap">{ value.to_owned() }</span></p> }
            if may_write {
                <p><button class="btn" onclick={add.clone()} disabled={is_full}>{ if webhook.secrets.is_empty() { "Make a secret" } else { "Make a second secret" } }</button>
                    if is_full { <span class="muted">{ " Two are live; revoke the old one to make another." }</span> }</p>
            }
            if webhook.signature == Signature::Standard { <details><summary>{ "A call to copy" }</summary><pre>{ curl(&webhook.url) }</pre></details> }
            <h2 class="label">{ "Last calls" }<span class="push count">{ format!("{} refused in all", webhook.refused) }</span></h2>
            if webhook.deliveries.is_empty() { <p class="muted">{ "Nothing has called yet." }</p> }
            <ul class="calls">{ webhook.deliveries.iter().take(10).map(call).collect::<Html>() }</ul>
        </>
    }
}

fn signed_as(signature: Signature) -> &'static str {
    match signature {
        Signature::Standard => {
            "Signed as Standard Webhooks has it, within five minutes; each webhook-id once."
        }
        Signature::Github => "Signed as GitHub does (X-Hub-Signature-256); each delivery once.",
        Signature::Stripe => {
            "Signed as Stripe does (Stripe-Signature), within five minutes; each event once."
        }
    }
}

fn call(delivery: &WebhookDelivery) -> Html {
    let (icon, tone, word) = match delivery.verdict {
        Verdict::Taken => (Icon::Tick, "ok", "Taken"),
        Verdict::Filtered => (Icon::Skip, "muted", "Kept out by the filter"),
        Verdict::Replayed => (Icon::Retry, "muted", "Seen before"),
        Verdict::Disabled => (Icon::Slash, "wait", "The workflow was disabled"),
        Verdict::Refused => (Icon::Cross, "bad", "Refused"),
        Verdict::Unreadable => (Icon::Cross, "bad", "Unreadable"),
    };
    let why = delivery.reason.clone().unwrap_or_default();
    html! {
        <li class="row"><Glyph {icon} {tone} /><span>{ word }</span><span class="muted cut" title={why.clone()}>{ why.clone() }</span>
            <span class="mono muted push cut">{ delivery.message_id.clone() }</span><span class="num muted">{ format::clock(delivery.at) }</span></li>
    }
}

/// A call that signs itself, for a shell.
fn curl(url: &str) -> String {
    format!(
        r#"SECRET=whsec_…
BODY='{{"order":{{"id":"A1"}}}}'
ID=msg_$(date +%s); AT=$(date +%s)
KEY=$(printf %s "${{SECRET#whsec_}}" | base64 -d | od -An -vtx1 | tr -d ' \n')
SIG=$(printf %s "$ID.$AT.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)
curl {url} \
  -H "content-type: application/json" -H "webhook-id: $ID" \
  -H "webhook-timestamp: $AT" -H "webhook-signature: v1,$SIG" -d "$BODY""#
    )
}
