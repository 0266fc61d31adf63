//! Effects: whether an address can be called, a header sent, and a message reach somebody, as far as the text says it.

use super::StepSite;
use crate::{
    connector::OperationName,
    recipient::{Approver, Recipient},
    workflow::{
        Finding, Template,
        effect::{Effect, HttpCall, Notify},
        finding::{PatchOp, escape_segment},
        header::{is_own, name_fault, value_fault},
    },
};
use std::{collections::BTreeMap, net::Ipv6Addr};

pub(super) fn check_step(site: &StepSite<'_>, findings: &mut Vec<Finding>) {
    for (n, effect) in site.step.effects().iter().enumerate() {
        let at = format!("{}/execute/{n}", site.pointer);
        match effect {
            Effect::HttpRequest(call) | Effect::Webhook(call) => {
                check_url(&call.url, &format!("{at}/url"), findings);
                check_headers(call, &at, findings);
            }
            Effect::Notify(notify) => check_recipients(notify, &at, findings),
            Effect::Connector(call) => {
                if let Err(fault) = call.connector.parse::<OperationName>() {
                    let message = format!("`{}` names no operation: {fault}.", call.connector);
                    findings.push(Finding::error("connector.name", format!("{at}/connector"), message));
                }
            }
            Effect::CreateRecord(_)
            | Effect::UpdateRecord(_)
            | Effect::CreateApprovalRequest(_)
            | Effect::EmitEvent(_)
            | Effect::Log(_) => {}
        }
    }
}

const SCHEMES: [&str; 2] = ["http://", "https://"];

fn check_url(url: &Template, at: &str, findings: &mut Vec<Finding>) {
    let source = url.source().trim();
    let fault = if url.is_literal() { literal_url_fault(source) } else { url_prefix_fault(source) };
    if let Some(why) = fault {
        findings.push(Finding::error("url.bad", at, why));
    }
}

/// Why an address without templates can't be called.
fn literal_url_fault(url: &str) -> Option<String> {
    if url.is_empty() {
        return Some("`url` is empty; write an address such as https://example.com/orders.".to_owned());
    }
    let Some(rest) = SCHEMES.iter().find_map(|scheme| strip_prefix_any_case(url, scheme)) else {
        return Some(scheme_fault(url));
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host_and_port = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match host_and_port.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (host_and_port, None),
    };
    let is_bracketed = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => !host.contains(['[', ']']),
    };
    let is_host = is_bracketed
        && !host.is_empty()
        && !host.contains(|c: char| c.is_whitespace() || "<>^`{|}\"%,;".contains(c));
    let is_port = port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok());
    match (is_host, is_port) {
        (false, _) => {
            Some(format!("\"{url}\" names no host; write an address such as https://example.com/orders."))
        }
        (true, false) => {
            Some(format!("\"{url}\" has no port that can be called; a port is a number up to 65535."))
        }
        (true, true) => None,
    }
}

/// Why an address with templates can't be called, whatever they give: what stands before the first one decides.
fn url_prefix_fault(url: &str) -> Option<String> {
    let end = ["{{", "{%", "{#"].iter().filter_map(|begin| url.find(begin)).min().unwrap_or(url.len());
    let prefix = url[..end].to_ascii_lowercase();
    let can_be_read =
        SCHEMES.iter().any(|scheme| prefix.starts_with(scheme) || scheme.starts_with(prefix.as_str()));
    (!can_be_read).then(|| scheme_fault(url))
}

fn scheme_fault(url: &str) -> String {
    match url.split_once("://").filter(|(scheme, _)| !scheme.contains(['{', '/', '.'])) {
        Some((scheme, _)) => {
            format!(
                "\"{url}\" can't be called: it begins with {scheme}://, and only http:// and https:// can be."
            )
        }
        None => format!("\"{url}\" is no whole address; write it with https:// or http:// and the host."),
    }
}

fn strip_prefix_any_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

fn check_headers(call: &HttpCall, at: &str, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (name, value) in &call.headers {
        let pointer = format!("{at}/headers/{}", escape_segment(name));
        let remove = || vec![PatchOp::Remove { path: pointer.clone() }];
        if is_own(name) {
            let message = format!("`{name}` is a header that the server sets itself; leave it out.");
            findings.push(Finding::error("header.own", &pointer, message).with_fix(remove()));
            continue;
        }
        let fault = name_fault(name).or_else(|| literal_parts(value).into_iter().find_map(value_fault));
        if let Some(fault) = fault {
            let message = format!("The header `{}` can't be sent: {fault}.", name.escape_debug());
            findings.push(Finding::error("header.bad", &pointer, message));
        }
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), name) {
            let message =
                format!("`{name}` is the same header as `{other}`; letter case doesn't count. Keep one.");
            findings.push(Finding::error("header.twice", &pointer, message).with_fix(remove()));
        }
    }
}

/// What of a text is sent as it is written. Nothing of a text with tags, which decide themselves what is sent.
fn literal_parts(template: &Template) -> Vec<&str> {
    let source = template.source();
    if template.is_literal() {
        return vec![source];
    }
    if source.contains("{%") || source.contains("{#") {
        return Vec::new();
    }
    // A template gives its text without the line break at its end.
    let mut rest = source.strip_suffix('\n').unwrap_or(source);
    let mut parts = Vec::new();
    while let Some((part, after)) = rest.split_once("{{") {
        parts.push(part);
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    parts.push(rest);
    parts
}

fn check_recipients(notify: &Notify, at: &str, findings: &mut Vec<Finding>) {
    if notify.recipients.is_empty() {
        let message =
            "Nobody is told: `recipients` needs an entry such as \"role:sales\" or \"ada@example.com\".";
        findings.push(Finding::error("recipients.empty", format!("{at}/recipients"), message));
    }
    for (n, recipient) in notify.recipients.iter().enumerate() {
        if recipient.is_literal() && recipient.source().trim().is_empty() {
            let message =
                "This recipient is empty; write \"role:sales\" or \"ada@example.com\", or take it out.";
            findings.push(Finding::error("recipients.empty", format!("{at}/recipients/{n}"), message));
        } else if recipient.is_literal()
            && let Some(fault) = recipient_fault(recipient.source().trim())
        {
            findings.push(Finding::error("recipient.bad", format!("{at}/recipients/{n}"), fault));
        }
    }
}

/// Why an entry of a message's recipients reaches nobody.
fn recipient_fault(who: &str) -> Option<String> {
    let nameless =
        |kind: &str, name: &str| name.trim().is_empty().then(|| format!("`{kind}:` needs a name after it."));
    match Recipient::from(who.to_owned()) {
        Recipient::SlackChannel(name) => nameless("slack", &name),
        Recipient::PagerDuty(name) => nameless("pagerduty", &name),
        Recipient::Unknown(_) if who.contains(':') => Some(format!(
            "\"{who}\" reaches nobody; write an address, role:NAME, user:ADDRESS, slack:#CHANNEL or pagerduty:SERVICE."
        )),
        Recipient::Role(_) | Recipient::Person(_) | Recipient::Address(_) | Recipient::Unknown(_) => {
            who.parse::<Approver>().err().map(|fault| format!("\"{who}\" can't be told: {fault}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, check};
    use crate::workflow::Format;
    use serde_json::{Value, json};

    fn found(effect: &Value) -> Vec<(String, String)> {
        let document = json!({
            "workflow_id": "w", "name": "W", "trigger": { "type": "manual" },
            "steps": [{ "id": "a", "type": "execute", "execute": [effect] }],
        });
        let checked = check(&document.to_string(), Format::Json, &Environment::Unknown);
        let of_effect = checked.findings.into_iter().filter(|f| f.pointer.starts_with("/steps/0/execute/0"));
        of_effect.map(|f| (f.code.into_owned(), f.pointer["/steps/0/execute/0".len()..].to_owned())).collect()
    }

    #[test]
    fn an_address_that_can_never_be_called_is_found() {
        for url in [
            "",
            "  ",
            "example.com/x",
            "/orders",
            "//example.com",
            "ftp://x",
            "file:///etc/passwd",
            "http://",
            "https:///x",
            "http://:80/",
            "http://exa mple.com",
            "http://example.com:http/",
            "http://example.com:70000",
            "mailto:a@example.com",
            "https//example.com",
            "example.com/{{ id }}",
            "ftp://{{ host }}/",
            "/{{ id }}",
            "http://a%20b/",
            "http://[::1",
            "http://[::1/x",
            "http://::1]/",
            "http://[nothing]/",
        ] {
            let expected = vec![("url.bad".to_owned(), "/url".to_owned())];
            assert_eq!(found(&json!({ "type": "webhook", "url": url })), expected, "{url:?}");
        }
        for url in [
            "https://example.com/x",
            "HTTP://EXAMPLE.com",
            "http://127.0.0.1:8080/",
            "http://[::1]:80/x",
            "http://[::1]",
            "https://u:p@example.com/",
            "https://example.com?x=1",
            "https://example.com:8443#f",
            "{{ url }}",
            "https://{{ host }}/{{ id }}",
            "http{{ s }}://example.com",
            "{{ base }}/orders",
            "https://münchen.example/ü",
            "{% if test %}http://test{% else %}https://live{% endif %}",
            " https://example.com ",
        ] {
            assert_eq!(found(&json!({ "type": "http_request", "url": url })), [], "{url:?}");
        }
    }

    #[test]
    fn a_header_that_is_the_servers_own_or_cannot_be_sent_is_found() {
        let headers = |headers: Value| {
            found(&json!({ "type": "webhook", "url": "https://example.com", "headers": headers }))
        };
        for name in [
            "Host",
            "content-length",
            "TRANSFER-ENCODING",
            "Connection",
            "idempotency-key",
            "Idempotency-Key ",
        ] {
            let expected = vec![("header.own".to_owned(), format!("/headers/{name}"))];
            assert_eq!(headers(json!({ name: "x" })), expected, "{name}");
        }
        for (name, value) in [
            ("X Note", "x"),
            ("", "x"),
            ("X-Ü", "x"),
            ("X:", "x"),
            ("X-Note", "a\nb"),
            ("X-Note", "{{ a }}\r\nX-Other: {{ b }}"),
            ("X-Note", "a\u{7f}"),
            ("X-Note", "a\n"),
        ] {
            let expected = vec![("header.bad".to_owned(), format!("/headers/{name}"))];
            assert_eq!(headers(json!({ name: value })), expected, "{name:?}: {value:?}");
        }
        let twice = headers(json!({ "x-note": "1", "X-Note": "2" }));
        assert_eq!(twice, [("header.twice".to_owned(), "/headers/x-note".to_owned())]);
        let sound = json!({ "X-Note": "{{ a\n| upper }}\n", "Authorization": "Bearer {{ secrets.token }}", "X-City": "Malmö\ta" });
        assert_eq!(headers(sound), []);
    }

    #[test]
    fn a_message_to_nobody_is_found() {
        let recipients =
            |list: Value| found(&json!({ "type": "notify", "recipients": list, "message": "x" }));
        assert_eq!(recipients(json!([])), [("recipients.empty".to_owned(), "/recipients".to_owned())]);
        assert_eq!(
            recipients(json!(["role:a", " "])),
            [("recipients.empty".to_owned(), "/recipients/1".to_owned())]
        );
        assert_eq!(
            recipients(json!(["role:a", "{{ who }}", "slack:#a", "pagerduty:b", "a@b.se", "user:a@b.se"])),
            []
        );
        for odd in ["x", "user:", "mail:x", "role:", "slack:", "a@@b.se", "user:Ada"] {
            let expected = [("recipient.bad".to_owned(), "/recipients/0".to_owned())];
            assert_eq!(recipients(json!([odd])), expected, "{odd}");
        }
    }
}
