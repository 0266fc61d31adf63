//! The policy of a request: who may decide, whether a decision is taken, and how the request stands.

use crate::{
    approval::decision::{Decision, RequestLevel, RequestStatus},
    email,
    permission::{Permission, Permissions},
    requester::Requester,
    workflow::approval::{Forbid, Verdict},
};

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

/// What the policy of a request looks at.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Whether it is still open, and how it was closed otherwise.
    pub status: RequestStatus,
    /// Who is asked, and what was decided.
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

/// Why a decision isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefused {
    /// The person can't decide.
    #[error(transparent)]
    CannotDecide(#[from] CannotDecide),
    /// A rejection, or a request for changes, without a reason.
    #[error("A rejection needs a comment, and so does a request for changes")]
    CommentNeeded,
    /// Edits of a request without a form.
    #[error("This request has no form, so nothing can be edited")]
    NoForm,
    /// The approver read something else than what is asked now.
    #[error("What is asked has changed since it was read")]
    Changed,
}

/// How a request stands by the decisions at its levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A level waits for decisions.
    Open {
        /// Its index.
        level: usize,
    },
    /// The decisions closed it.
    Closed(RequestStatus),
}

/// Judges a decision as it is applied: whether it is taken, of a request with this policy and this hash of what is seen.
///
/// # Errors
/// The first of these that holds: the person can't decide, a reason is missing, there is nothing to edit, or the approver
/// read something else.
pub fn judge(policy: &Policy<'_>, seen: &str, decision: &Decision) -> Result<(), DecisionRefused> {
    let Some(roles) = &decision.roles else { return Ok(()) };
    may_decide(policy, &Candidate::new(&decision.by, roles))?;
    let has_comment = decision.comment.as_deref().is_some_and(|comment| !comment.trim().is_empty());
    if decision.verdict.needs_comment() && !has_comment {
        return Err(DecisionRefused::CommentNeeded);
    }
    if decision.verdict == Verdict::ApproveWithEdits || decision.edits.is_some() {
        return Err(DecisionRefused::NoForm);
    }
    match &decision.seen {
        Some(read) if read != seen => Err(DecisionRefused::Changed),
        Some(_) | None => Ok(()),
    }
}

/// How a request stands by the decisions so far: the levels are asked in order, each passes when as many persons as its
/// quorum approved, and one rejection or one request for changes ends the request.
pub fn standing(levels: &[RequestLevel]) -> Standing {
    for (n, level) in levels.iter().enumerate() {
        let mut approved_by: Vec<&str> = Vec::new();
        for made in &level.decisions {
            match made.decision {
                Verdict::Reject => return Standing::Closed(RequestStatus::Rejected),
                Verdict::RequestChanges => return Standing::Closed(RequestStatus::ChangesRequested),
                Verdict::Approve | Verdict::ApproveWithEdits => {
                    if !approved_by.iter().any(|by| email::is_same(by, &made.by)) {
                        approved_by.push(&made.by);
                    }
                }
            }
        }
        if approved_by.len() < usize::try_from(level.quorum).unwrap_or(usize::MAX) {
            return Standing::Open { level: n };
        }
    }
    Standing::Closed(RequestStatus::Approved)
}

/// Whether a person may decide a request now.
///
/// # Errors
/// That the request is closed, or what [`check_approver`] says.
pub fn may_decide(policy: &Policy<'_>, person: &Candidate<'_>) -> Result<(), CannotDecide> {
    if policy.status != RequestStatus::Pending {
        return Err(CannotDecide::Closed);
    }
    check_approver(policy, person)
}

/// Whether a request is for a person to decide, be it open or not: they are asked, not barred, and their base
/// role allows it. Whoever is named, listed or let decide is judged here.
///
/// # Errors
/// The first of these that holds: the person isn't asked, is barred as the requester, or may not decide by their base
/// role. Being asked is looked at first, so that a stranger learns nothing else.
pub fn check_approver(policy: &Policy<'_>, person: &Candidate<'_>) -> Result<(), CannotDecide> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requester::RequesterKind;

    fn level(approvers: &[&str]) -> Vec<RequestLevel> {
        let approvers = approvers.iter().map(|who| who.parse().unwrap()).collect();
        vec![RequestLevel { name: "x".into(), approvers, quorum: 1, decisions: Vec::new() }]
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

    fn decision(verdict: Verdict, by: &str) -> Decision {
        Decision {
            verdict,
            by: by.to_owned(),
            name: by.to_owned(),
            comment: Some("Because".to_owned()),
            edits: None,
            roles: Some(vec!["operator".to_owned(), "finance".to_owned()]),
            seen: None,
            decided_at: None,
        }
    }

    #[test]
    fn a_decision_is_taken_from_whoever_may_decide_who_says_why_and_read_what_is_asked() {
        let levels = level(&["role:finance"]);
        let open = Policy { status: RequestStatus::Pending, levels: &levels, forbid: &[], requester: None };
        let judged = |policy: &Policy<'_>, change: &dyn Fn(&mut Decision)| {
            let mut decision = decision(Verdict::Reject, "bo@example.com");
            change(&mut decision);
            judge(policy, "sha256:now", &decision)
        };
        assert_eq!(judged(&open, &|_| ()), Ok(()));
        assert_eq!(judged(&open, &|made| made.seen = Some("sha256:now".to_owned())), Ok(()));
        let refuses = |policy: &Policy<'_>, why: DecisionRefused, change: &dyn Fn(&mut Decision)| {
            assert_eq!(judged(policy, change), Err(why));
        };
        let closed = Policy { status: RequestStatus::Approved, ..open };
        refuses(&closed, CannotDecide::Closed.into(), &|_| ());
        refuses(&open, CannotDecide::NotAsked.into(), &|made| made.roles = Some(vec!["operator".to_owned()]));
        refuses(&open, CannotDecide::Role.into(), &|made| made.roles = Some(vec!["finance".to_owned()]));
        refuses(&open, DecisionRefused::CommentNeeded, &|made| made.comment = Some(" ".to_owned()));
        refuses(&open, DecisionRefused::NoForm, &|made| made.edits = Some(serde_json::Map::new()));
        refuses(&open, DecisionRefused::Changed, &|made| made.seen = Some("sha256:before".to_owned()));
        let scripted = |made: &mut Decision| (made.roles, made.comment) = (None, None);
        assert_eq!(judged(&open, &scripted), Ok(()), "what was judged before is not judged again");
    }

    #[test]
    fn a_level_passes_by_distinct_persons_and_one_no_ends_the_request() {
        let level = |quorum: u32, made: &[(Verdict, &str)]| RequestLevel {
            name: "x".to_owned(),
            approvers: vec![],
            quorum,
            decisions: made
                .iter()
                .map(|(verdict, by)| decision(*verdict, by).made(chrono::DateTime::UNIX_EPOCH))
                .collect(),
        };
        let (yes, no) = (Verdict::Approve, Verdict::Reject);
        let twice = [(yes, "bo@example.com"), (yes, "Bo@Example.com")];
        assert_eq!(standing(&[level(1, &[])]), Standing::Open { level: 0 });
        assert_eq!(standing(&[level(2, &twice)]), Standing::Open { level: 0 }, "nobody fills two places");
        assert_eq!(standing(&[level(1, &twice), level(1, &[])]), Standing::Open { level: 1 });
        assert_eq!(standing(&[level(1, &twice[..1])]), Standing::Closed(RequestStatus::Approved));
        let rejected = [level(2, &[(yes, "bo@example.com"), (no, "cy@example.com")])];
        assert_eq!(standing(&rejected), Standing::Closed(RequestStatus::Rejected));
        let unclear = [level(1, &[(Verdict::RequestChanges, "bo@example.com")])];
        assert_eq!(standing(&unclear), Standing::Closed(RequestStatus::ChangesRequested));
    }
}
