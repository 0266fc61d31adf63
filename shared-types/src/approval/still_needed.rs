//! Who is still needed, in words.

use super::policy::{Candidate, Policy, check_approver};
use crate::{recipient::Approver, role::RoleNames};

/// A person who is asked, by name.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What they are called.
    pub name: &'a str,
    /// Who they are.
    pub person: Candidate<'a>,
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
    let able = having.iter().filter(|asked| check_approver(policy, &asked.person).is_ok());
    let able: Vec<&str> = able.map(|asked| asked.name).collect();
    match (able.is_empty(), having.is_empty()) {
        (false, _) => able.join(", "),
        (true, false) => "nobody with this role can decide".to_owned(),
        (true, true) => "nobody has this role yet".to_owned(),
    }
}

fn name_of_person(policy: &Policy<'_>, person: &Approver, address: &str, people: &[Asked<'_>]) -> String {
    match people.iter().find(|asked| is_meant(person, asked)) {
        Some(asked) if check_approver(policy, &asked.person).is_ok() => asked.name.to_owned(),
        Some(asked) => format!("{} (who can't decide)", asked.name),
        None => address.to_owned(),
    }
}

fn is_meant(approver: &Approver, asked: &Asked<'_>) -> bool {
    approver.includes(asked.person.email, asked.person.roles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        approval::decision::{RequestLevel, RequestStatus},
        requester::{Requester, RequesterKind},
        workflow::approval::Forbid,
    };

    fn level(approvers: &[&str]) -> Vec<RequestLevel> {
        let approvers = approvers.iter().map(|who| who.parse().unwrap()).collect();
        vec![RequestLevel { name: "x".into(), approvers, quorum: 1, decisions: Vec::new() }]
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
