//! In which order requests are listed.

use shared_types::api::approvals::Approval;
use std::{cell::Cell, cmp::Ordering};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

thread_local! {
    /// As it was chosen last; it stays while the app runs.
    static CHOSEN: Cell<Order> = const { Cell::new(Order::Deadline) };
}

/// What is listed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// What is due first; then the most money, then the oldest.
    Deadline,
    /// The most money, within a currency; what has none last.
    Money,
    /// What was asked first.
    Age,
}

impl Order {
    const ALL: [Self; 3] = [Self::Deadline, Self::Money, Self::Age];

    fn word(self) -> &'static str {
        match self {
            Self::Deadline => "Deadline",
            Self::Money => "Money",
            Self::Age => "Age",
        }
    }

    /// Sorts requests by this order; the id decides between equal ones, so that the order is total.
    pub(super) fn sort(self, approvals: &mut [Approval]) {
        approvals.sort_by(|a, b| {
            let by_deadline = || deadline(a).cmp(&deadline(b));
            let by_age = || a.asked_at.cmp(&b.asked_at);
            match self {
                Self::Deadline => by_deadline().then_with(|| by_money(a, b)).then_with(by_age),
                Self::Money => by_money(a, b).then_with(by_deadline).then_with(by_age),
                Self::Age => by_age(),
            }
            .then_with(|| a.approval_id.cmp(&b.approval_id))
        });
    }
}

fn deadline(approval: &Approval) -> impl Ord {
    (approval.expires_at.is_none(), approval.expires_at)
}

/// Amounts of different currencies can't be compared: they are listed currency by currency.
fn by_money(a: &Approval, b: &Approval) -> Ordering {
    let amount = |approval: &Approval| approval.amount.as_deref().and_then(|text| text.parse::<f64>().ok());
    match (amount(a), amount(b)) {
        (Some(of_a), Some(of_b)) => a.currency.cmp(&b.currency).then_with(|| of_b.total_cmp(&of_a)),
        (of_a, of_b) => of_a.is_none().cmp(&of_b.is_none()),
    }
}

/// The order that was chosen, and the field to choose another.
#[hook]
pub(super) fn use_order() -> (Order, Html) {
    let order = use_state(|| CHOSEN.get());
    let onchange = {
        let order = order.clone();
        Callback::from(move |event: Event| {
            let Some(field) = event.target_dyn_into::<HtmlSelectElement>() else { return };
            if let Some(chosen) = Order::ALL.into_iter().find(|order| order.word() == field.value()) {
                CHOSEN.set(chosen);
                order.set(chosen);
            }
        })
    };
    let options = Order::ALL.into_iter().map(|choice| {
        html! { <option value={choice.word()} selected={choice == *order}>{ choice.word() }</option> }
    });
    let field = html! {
        <label class="order"><span>{ "Sort" }</span><select class="field" name="order" {onchange}>{ options.collect::<Html>() }</select></label>
    };
    (*order, field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::inbox::totals::tests::approval;

    #[test]
    fn each_order_puts_its_own_first_and_never_compares_currencies() {
        let mut small = approval(1, Some("9.5"), Some("EUR"));
        let mut large = approval(2, Some("100"), Some("EUR"));
        let mut other = approval(3, Some("5000"), Some("SEK"));
        let none = approval(4, None, None);
        small.expires_at = "2026-01-02T00:00:00Z".parse().ok();
        large.asked_at = "2025-12-31T00:00:00Z".parse().unwrap();
        other.asked_at = "2026-01-03T00:00:00Z".parse().unwrap();
        let sorted = |order: Order| {
            let mut all = [none.clone(), other.clone(), large.clone(), small.clone()];
            order.sort(&mut all);
            all.map(|approval| approval.approval_id.0.as_u128())
        };
        assert_eq!(sorted(Order::Deadline), [1, 2, 3, 4]);
        assert_eq!(sorted(Order::Money), [2, 1, 3, 4]);
        assert_eq!(sorted(Order::Age), [2, 1, 4, 3]);
    }
}
