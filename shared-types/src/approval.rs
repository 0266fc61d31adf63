//! Approval policy: who may decide, who is still needed, in words. Pure, and the same on every side.

use crate::{
    machine::{
        command::{RequestLevel, RequestStatus},
        input::Requester,
    },
    workflow::approval::Forbid,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A person who might decide.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Their address.
    pub email: &'a str,
    /// Their roles in the workspace, base roles among them.
    pub roles: &'a [String],
    /// Whether their base role allows deciding at all.
    pub may_decide: bool,
}

/// What the policy of a request looks at.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// How it stands.
    pub status: RequestStatus,
    /// Who is asked.
    pub levels: &'a [RequestLevel],
    /// Who can't decide although asked.
    pub forbid: &'a [Forbid],
    /// On whose behalf it is asked.
    pub requester: Option<&'a Requester>,
}

/// Why somebody can't decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotDecide {
    /// It isn't open.
    #[error("This isn't open any more")]
    Closed,
    /// They asked for it.
    #[error("You asked for this yourself")]
    Requester,
    /// Nobody asked them.
    #[error("You aren't among those who are asked")]
    NotAsked,
    /// Their role doesn't allow deciding.
    #[error("Your role doesn't allow deciding")]
    Role,
}

/// Whether a person may decide a request.
///
/// # Errors
/// Why not. Being asked is looked at before the requester's ban, so that a stranger learns nothing else.
pub fn may_decide(policy: &Policy<'_>, person: &Candidate<'_>) -> Result<(), CannotDecide> {
    if policy.status != RequestStatus::Pending {
        return Err(CannotDecide::Closed);
    }
    if !is_asked(policy.levels, person) {
        return Err(CannotDecide::NotAsked);
    }
    let asked_for_it = policy.requester.and_then(|requester| requester.email.as_deref());
    let is_requester = asked_for_it.is_some_and(|email| email.eq_ignore_ascii_case(person.email));
    if is_requester && policy.forbid.contains(&Forbid::Requester) {
        return Err(CannotDecide::Requester);
    }
    if !person.may_decide {
        return Err(CannotDecide::Role);
    }
    Ok(())
}

/// Whether a person is among those whom a request asks.
pub fn is_asked(levels: &[RequestLevel], person: &Candidate<'_>) -> bool {
    levels.iter().flat_map(|level| &level.approvers).any(|who| match who.split_once(':') {
        Some(("role", role)) => person.roles.iter().any(|has| has == role),
        Some(("user", email)) => email.eq_ignore_ascii_case(person.email),
        Some(_) | None => who.eq_ignore_ascii_case(person.email),
    })
}

/// Who is still needed, in words: `One of sales_manager (Bo Ek, Cy Roth).`
///
/// `members` gives the names of a role's active members, `name` that of a person by address.
pub fn still_needed(
    levels: &[RequestLevel],
    members: impl Fn(&str) -> Vec<String>,
    name: impl Fn(&str) -> Option<String>,
) -> String {
    let approvers = levels.first().map(|level| level.approvers.as_slice()).unwrap_or_default();
    let words: Vec<String> = approvers
        .iter()
        .map(|who| match who.split_once(':') {
            Some(("role", role)) => {
                let names = members(role);
                let names =
                    if names.is_empty() { "nobody has this role yet".to_owned() } else { names.join(", ") };
                format!("one of {role} ({names})")
            }
            Some((_, email)) => name(email).unwrap_or_else(|| email.to_owned()),
            None => name(who).unwrap_or_else(|| who.clone()),
        })
        .collect();
    let mut sentence = words.join(" or ");
    if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
        sentence.replace_range(..1, &first);
    }
    format!("{sentence}.")
}

/// What an approver sees of a request, in the order in which it is hashed.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What it is about.
    pub subject: Option<&'a str>,
    /// Why it is asked.
    pub reason: Option<&'a str>,
    /// The money at stake.
    pub amount: Option<&'a str>,
    /// Its currency.
    pub currency: Option<&'a str>,
    /// What is shown.
    pub data: &'a serde_json::Map<String, Value>,
    /// What follows an approval.
    pub if_approved: &'a [String],
    /// What follows a rejection.
    pub if_rejected: &'a [String],
}

/// The hash of what an approver sees: `sha256:` and 64 hexadecimal digits.
pub fn seen_hash(seen: &Seen<'_>) -> String {
    let shown = json!([
        seen.subject,
        seen.reason,
        seen.amount,
        seen.currency,
        seen.data,
        seen.if_approved,
        seen.if_rejected
    ]);
    let digest = Sha256::digest(shown.to_string().as_bytes());
    digest.iter().fold("sha256:".to_owned(), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::input::RequesterKind;

    fn level(approvers: &[&str]) -> Vec<RequestLevel> {
        let approvers = approvers.iter().map(|who| (*who).to_owned()).collect();
        vec![RequestLevel { name: "x".into(), approvers, quorum: 1 }]
    }

    fn decide(
        levels: &[RequestLevel],
        forbid: &[Forbid],
        email: &str,
        roles: &[&str],
    ) -> Result<(), CannotDecide> {
        let requester = Requester {
            kind: RequesterKind::Person,
            name: "Ada".into(),
            email: Some("ada@example.com".into()),
        };
        let policy = Policy { status: RequestStatus::Pending, levels, forbid, requester: Some(&requester) };
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let may_decide_at_all = crate::api::Permissions::of_roles(roles.iter().map(String::as_str))
            .allow(crate::api::Permission::Decide);
        may_decide(&policy, &Candidate { email, roles: &roles, may_decide: may_decide_at_all })
    }

    #[test]
    fn deciding_takes_being_asked_the_permission_and_not_having_asked() {
        let levels = level(&["role:finance", "user:dee@example.com"]);
        let forbid = [Forbid::Requester];
        assert_eq!(decide(&levels, &forbid, "bo@example.com", &["operator", "finance"]), Ok(()));
        assert_eq!(decide(&levels, &forbid, "Dee@Example.com", &["operator"]), Ok(()));
        assert_eq!(decide(&levels, &forbid, "bo@example.com", &["admin"]), Err(CannotDecide::NotAsked));
        assert_eq!(decide(&levels, &forbid, "bo@example.com", &["finance"]), Err(CannotDecide::Role));
        let own = ["operator", "finance"];
        assert_eq!(decide(&levels, &forbid, "ada@example.com", &own), Err(CannotDecide::Requester));
        assert_eq!(decide(&levels, &[], "ada@example.com", &own), Ok(()));
    }

    #[test]
    fn who_is_still_needed_is_said_in_words() {
        let members = |role: &str| {
            if role == "finance" { vec!["Bo Ek".to_owned(), "Cy Roth".to_owned()] } else { vec![] }
        };
        let name = |email: &str| (email == "ada@example.com").then(|| "Ada Lind".to_owned());
        let say = |approvers: &[&str]| still_needed(&level(approvers), members, name);
        assert_eq!(say(&["role:finance"]), "One of finance (Bo Ek, Cy Roth).");
        assert_eq!(
            say(&["user:ada@example.com", "role:legal"]),
            "Ada Lind or one of legal (nobody has this role yet)."
        );
    }
}
