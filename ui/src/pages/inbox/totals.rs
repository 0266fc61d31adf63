//! What several requests come to: totals per currency, and which of them stand out.

use shared_types::{api::approvals::Approval, ids::ApprovalId, workflow::number::Quantity};
use std::collections::BTreeMap;

/// From how many amounts of one currency on one of them can stand out.
const ENOUGH: usize = 3;
/// An amount stands out where it is more than so many times the median of its currency.
const TIMES_MEDIAN: f64 = 3.0;

/// What the requests of one currency come to.
#[derive(Debug, PartialEq)]
pub(super) struct Total {
    /// The currency; empty for amounts without one.
    pub(super) currency: String,
    /// How many requests.
    pub(super) count: usize,
    /// Their sum, as a decimal number; none where it is too large to be told.
    pub(super) sum: Option<String>,
}

/// How an amount stands among those of its currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    /// The part of the largest amount, from 0 to 1.
    pub(super) of_largest: f64,
    /// How many times the median it is, where it stands out.
    pub(super) times_median: Option<f64>,
}

fn money(approval: &Approval) -> Option<(&str, &str)> {
    Some((approval.currency.as_deref().unwrap_or_default(), approval.amount.as_deref()?))
}

/// The totals, by currency; requests without an amount are in none.
pub(super) fn totals(approvals: &[&Approval]) -> Vec<Total> {
    let mut sums: BTreeMap<&str, (usize, Option<Quantity>)> = BTreeMap::new();
    for (currency, amount) in approvals.iter().filter_map(|approval| money(approval)) {
        let (count, sum) = sums.entry(currency).or_insert_with(|| (0, Quantity::whole(0)));
        *count += 1;
        *sum = sum.zip(Quantity::of_text(amount)).and_then(|(sum, more)| sum.plus(more).ok());
    }
    let total = |(currency, (count, sum)): (&str, (usize, Option<Quantity>))| Total {
        currency: currency.to_owned(),
        count,
        sum: sum.map(|sum| sum.to_string()),
    };
    sums.into_iter().map(total).collect()
}

/// How each amount stands among those of its currency.
pub(super) fn shares(approvals: &[&Approval]) -> BTreeMap<ApprovalId, Share> {
    let mut by_currency: BTreeMap<&str, Vec<(ApprovalId, f64)>> = BTreeMap::new();
    for approval in approvals {
        let figure = money(approval).and_then(|(currency, amount)| Some((currency, amount.parse().ok()?)));
        if let Some((currency, amount)) = figure {
            by_currency.entry(currency).or_default().push((approval.approval_id, amount));
        }
    }
    let mut shares = BTreeMap::new();
    for mut amounts in by_currency.into_values() {
        amounts.sort_by(|a, b| a.1.total_cmp(&b.1));
        let largest = amounts.last().map_or(0.0, |(_, amount)| *amount);
        let middle = amounts.len() / 2;
        let median = if amounts.len().is_multiple_of(2) {
            f64::midpoint(amounts[middle - 1].1, amounts[middle].1)
        } else {
            amounts[middle].1
        };
        for (id, amount) in &amounts {
            let of_largest = if largest > 0.0 { (amount / largest).clamp(0.0, 1.0) } else { 0.0 };
            let times = amount / median;
            let stands_out = amounts.len() >= ENOUGH && median > 0.0 && times > TIMES_MEDIAN;
            shares.insert(*id, Share { of_largest, times_median: stands_out.then_some(times) });
        }
    }
    shares
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    /// A request with a number, and money.
    pub(in crate::pages::inbox) fn approval(
        n: u128,
        amount: Option<&str>,
        currency: Option<&str>,
    ) -> Approval {
        let id = Uuid::from_u128(n);
        serde_json::from_value(json!({
            "approval_id": id, "execution_id": id, "workflow_id": "w", "workflow_name": "W", "step_id": "ask",
            "status": "pending", "subject": null, "reason": null, "amount": amount, "currency": currency, "entity": null,
            "entity_id": null, "data": {}, "requester": null, "asked_at": "2026-01-01T00:00:00Z", "expires_at": null,
            "closed_at": null, "levels": [], "still_needed": null, "can_decide": true, "cannot_because": null, "why": [],
            "if_approved": [], "if_rejected": [], "seen": "sha256:0",
        }))
        .unwrap()
    }

    #[test]
    fn totals_are_exact_and_kept_apart_by_currency() {
        let all = [
            approval(1, Some("0.10"), Some("EUR")),
            approval(2, Some("0.20"), Some("EUR")),
            approval(3, Some("5"), Some("SEK")),
            approval(4, None, None),
        ];
        let told: Vec<(String, usize, Option<String>)> = totals(&all.iter().collect::<Vec<_>>())
            .into_iter()
            .map(|total| (total.currency, total.count, total.sum))
            .collect();
        let sum = |text: &str| Quantity::of_text(text).map(|sum| sum.to_string());
        assert_eq!(told, [("EUR".to_owned(), 2, sum("0.30")), ("SEK".to_owned(), 1, sum("5"))]);
    }

    #[test]
    fn what_is_far_above_the_median_of_its_currency_stands_out() {
        let all = [
            approval(1, Some("100"), Some("EUR")),
            approval(2, Some("120"), Some("EUR")),
            approval(3, Some("480"), Some("EUR")),
            approval(4, Some("9000"), Some("SEK")),
        ];
        let shares = shares(&all.iter().collect::<Vec<_>>());
        let of = |n: usize| shares[&all[n].approval_id];
        assert_eq!(of(2), Share { of_largest: 1.0, times_median: Some(4.0) });
        assert_eq!((of(1).of_largest, of(1).times_median), (0.25, None));
        // One alone has nothing to stand out from.
        assert_eq!(of(3).times_median, None);
    }
}
