//! Stored rules: a list.

use crate::{
    bridge,
    components::{
        loading::{Empty, Stale, show},
        search::{Search, use_search},
    },
    format,
    load::use_load,
    pages::workflows::tabs,
    route::Route,
};
use shared_types::{
    api::{Permission, Permissions, rules::RuleSummary},
    desktop::commands::ListRules,
};
use yew::prelude::*;
use yew_router::prelude::*;

#[component]
pub(crate) fn Rules() -> Html {
    let reading = use_load((), |(), policy| bridge::ask(ListRules { policy }));
    let navigator = use_navigator();
    let rights = use_context::<Permissions>().unwrap_or_default();
    let search = use_search("rules");
    let table = show(&reading.load, (&reading.again, &reading.cancel), "rules", |loaded| {
        if loaded.data.items.is_empty() {
            return html! { <Empty says="No rules yet."><p>{ "A rule is a condition with a name that many workflows can ask." }</p></Empty> };
        }
        let found: Vec<&RuleSummary> =
            loaded.data.items.iter().filter(|rule| is_found(&search, rule)).collect();
        if found.is_empty() {
            return search.nothing();
        }
        let rows = found.into_iter().map(|rule| {
            let (navigator, id) = (navigator.clone(), rule.rule_id.clone());
            let onclick = Callback::from(move |_: MouseEvent| {
                if let Some(navigator) = &navigator {
                    navigator.push(&Route::Rule { id: id.clone() });
                }
            });
            row(rule, onclick)
        });
        html! {
            <>
                <Stale at={loaded.at} fresh={loaded.fresh} />
                <table class="table rules" role="grid" data-rows="">
                    <colgroup><col /><col /><col /><col /><col /></colgroup>
                    <thead><tr><th>{ "Rule" }</th><th>{ "Asks" }</th>
                        <th class="num">{ "Version" }</th><th class="num">{ "Used by" }</th><th class="num">{ "Written" }</th></tr></thead>
                    <tbody>{ rows.collect::<Html>() }</tbody>
                </table>
            </>
        }
    });
    html! {
        <main>
            <div class="page-head"><h1>{ "Workflows" }</h1><span class="push"></span>
                { search.field() }
                if rights.allow(Permission::WriteWorkflows) { <Link<Route> to={Route::NewRule}><span class="btn">{ "New rule" }</span></Link<Route>> }</div>
            { tabs(&Route::Rules) }
            <div class="scroll">{ table }</div>
        </main>
    }
}

fn is_found(search: &Search, rule: &RuleSummary) -> bool {
    let description = rule.description.as_deref().unwrap_or_default();
    search.finds(&[
        rule.name.as_str(),
        rule.rule_id.as_str(),
        rule.expr.as_deref().unwrap_or_default(),
        description,
    ])
}

fn row(rule: &RuleSummary, onclick: Callback<MouseEvent>) -> Html {
    let asks = rule.expr.clone().unwrap_or_else(|| "a condition that CEL can’t say".to_owned());
    let class = if rule.expr.is_some() { "mono" } else { "muted" };
    html! {
        <tr tabindex="0" key={rule.rule_id.clone()} {onclick}>
            <td title={rule.description.clone()}>{ &rule.name }<span class="muted">{ format!(" · {}", rule.rule_id) }</span></td>
            <td {class} title={asks.clone()}>{ asks.clone() }</td>
            <td class="num">{ rule.version }</td>
            <td class="num">{ rule.used }</td>
            <td class="num muted" title={format::exact(rule.updated_at)}>{ format::clock(rule.updated_at) }</td>
        </tr>
    }
}
