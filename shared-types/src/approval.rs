//! Approval policy: who may decide, who is still needed, in words. Pure, and the same on every side.

use crate::{
    api::{Permission, Permissions},
    email,
    machine::{
        decision::{RequestLevel, RequestStatus},
        event::Requester,
    },
    recipient::Approver,
    role::RoleNames,
    workflow::approval::Forbid,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// A person who might decide.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Email address.
    pub email: &'a str,
    /// Their roles in the workspace, base roles among them.
    pub roles: &'a [String],
    /// Whether their base role allows deciding at all.
    pub may_decide: bool,
}

impl<'a> Candidate<'a> {
    /// A person with these roles, and with what these allow.
    pub fn new(email: &'a str, roles: &'a [String]) -> Self {
        let permissions = Permissions::of_roles(roles.iter().map(String::as_str));
        Self { email, roles, may_decide: permissions.allow(Permission::Decide) }
    }
}

/// A person who is asked, by name.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What they are called.
    pub name: &'a str,
    /// Who they are.
    pub person: Candidate<'a>,
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

/// Whether a person may decide a request now.
///
/// # Errors
/// That the request is closed, or what [`is_for`] says.
pub fn may_decide(policy: &Policy<'_>, person: &Candidate<'_>) -> Result<(), CannotDecide> {
    if policy.status != RequestStatus::Pending {
        return Err(CannotDecide::Closed);
    }
    is_for(policy, person)
}

/// Whether a request is for a person to decide, be it open or not: they are asked, not barred, and their base
/// role allows it. Whoever is named, listed or let decide is judged here.
///
/// # Errors
/// The first of these that holds: the person isn't asked, is barred as the requester, or may not decide by their base
/// role. Being asked is looked at first, so that a stranger learns nothing else.
pub fn is_for(policy: &Policy<'_>, person: &Candidate<'_>) -> Result<(), CannotDecide> {
    if !is_asked(policy.levels, person) {
        return Err(CannotDecide::NotAsked);
    }
    let asked_for_it = policy.requester.and_then(|requester| requester.email.as_deref());
    let is_requester = asked_for_it.is_some_and(|address| email::is_same(address, person.email));
    if is_requester && policy.forbid.contains(&Forbid::Requester) {
        return Err(CannotDecide::Requester);
    }
    if !person.may_decide {
        return Err(CannotDecide::Role);
    }
    Ok(())
}

/// Whether a person is among those whom a request asks.
fn is_asked(levels: &[RequestLevel], person: &Candidate<'_>) -> bool {
    levels
        .iter()
        .flat_map(|level| &level.approvers)
        .any(|approver| approver.includes(person.email, person.roles))
}

/// Who is still needed, in words: `One of sales_manager (Bo Ek, Cy Roth).`
///
/// `people` are the active members whom the request's entries name; only those who can decide are named as such.
pub fn still_needed(policy: &Policy<'_>, people: &[Asked<'_>], role_names: &RoleNames) -> String {
    let approvers = policy.levels.first().map(|level| level.approvers.as_slice()).unwrap_or_default();
    let words: Vec<String> = approvers
        .iter()
        .map(|approver| match approver {
            Approver::Role(role) => {
                format!("one of {} ({})", role_names.name(role), names_of_role(policy, approver, people))
            }
            Approver::Person(address) => name_of_person(policy, approver, address, people),
        })
        .collect();
    let mut sentence = words.join(" or ");
    if let Some(first) = sentence.get(..1).map(str::to_uppercase) {
        sentence.replace_range(..1, &first);
    }
    format!("{sentence}.")
}

fn names_of_role(policy: &Policy<'_>, role: &Approver, people: &[Asked<'_>]) -> String {
    let having: Vec<&Asked<'_>> = people.iter().filter(|asked| is_meant(role, asked)).collect();
    let able = having.iter().filter(|asked| is_for(policy, &asked.person).is_ok());
    let able: Vec<&str> = able.map(|asked| asked.name).collect();
    match (able.is_empty(), having.is_empty()) {
        (false, _) => able.join(", "),
        (true, false) => "nobody with this role can decide".to_owned(),
        (true, true) => "nobody has this role yet".to_owned(),
    }
}

fn name_of_person(policy: &Policy<'_>, person: &Approver, address: &str, people: &[Asked<'_>]) -> String {
    match people.iter().find(|asked| is_meant(person, asked)) {
        Some(asked) if is_for(policy, &asked.person).is_ok() => asked.name.to_owned(),
        Some(asked) => format!("{} (who can't decide)", asked.name),
        None => address.to_owned(),
    }
}

fn is_meant(approver: &Approver, asked: &Asked<'_>) -> bool {
    approver.includes(asked.person.email, asked.person.roles)
}

/// What an approver sees of a request, in the order in which it is hashed.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What it is about.
    pub subject: Option<&'a str>,
    /// Why it is asked.
    pub reason: Option<&'a str>,
    /// The money at stake: a decimal number, as text.
    pub amount: Option<&'a str>,
    /// Currency of the amount, usually an ISO 4217 code.
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
    use crate::machine::event::RequesterKind;

    fn level(approvers: &[&str]) -> Vec<RequestLevel> {
        let approvers = approvers.iter().map(|who| who.parse().unwrap()).collect();
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
        may_decide(&policy, &Candidate::new(email, &roles))
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
    fn an_address_is_the_same_person_however_it_is_written() {
        let levels = level(&["user: INA@Example.com", "Cy@Example.com "]);
        let forbid = [Forbid::Requester];
        assert_eq!(decide(&levels, &forbid, "ina@example.com", &["operator"]), Ok(()));
        assert_eq!(decide(&levels, &forbid, "CY@example.com", &["operator"]), Ok(()));
        let levels = level(&["role:finance"]);
        let own = decide(&levels, &forbid, " ADA@example.com ", &["operator", "finance"]);
        assert_eq!(own, Err(CannotDecide::Requester));
    }

    #[test]
    fn who_is_still_needed_is_said_in_words() {
        let people = [
            ("Bo Ek", "bo@example.com", vec!["operator".to_owned(), "finance".to_owned()]),
            ("Cy Roth", "cy@example.com", vec!["admin".to_owned(), "finance".to_owned()]),
            ("Vi Holm", "vi@example.com", vec!["viewer".to_owned(), "finance".to_owned(), "risk".to_owned()]),
            ("Ada Lind", "ada@example.com", vec!["operator".to_owned(), "finance".to_owned()]),
        ];
        let people: Vec<Asked<'_>> = people
            .iter()
            .map(|(name, email, roles)| Asked { name, person: Candidate::new(email, roles) })
            .collect();
        let requester = Requester {
            kind: RequesterKind::Person,
            name: "Ada".into(),
            email: Some("ada@example.com".into()),
        };
        let say = |approvers: &[&str], forbid: &[Forbid]| {
            let levels = level(approvers);
            let status = RequestStatus::Pending;
            let policy = Policy { status, levels: &levels, forbid, requester: Some(&requester) };
            let named = [("risk".to_owned(), "risk and fraud".to_owned())].into_iter().collect();
            still_needed(&policy, &people, &named)
        };
        let forbid = [Forbid::Requester];
        assert_eq!(say(&["role:finance"], &[]), "One of finance (Bo Ek, Cy Roth, Ada Lind).");
        assert_eq!(say(&["role:finance"], &forbid), "One of finance (Bo Ek, Cy Roth).");
        assert_eq!(say(&["role:risk"], &[]), "One of risk and fraud (nobody with this role can decide).");
        assert_eq!(
            say(&["user:Ada@example.com", "role:head_of_legal"], &[]),
            "Ada Lind or one of head_of_legal (nobody has this role yet)."
        );
        assert_eq!(
            say(&["user:vi@example.com", "user:dee@example.com"], &[]),
            "Vi Holm (who can't decide) or dee@example.com."
        );
    }
}
