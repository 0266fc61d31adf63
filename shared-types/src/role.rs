//! Roles: their ids, and what people call them.

use std::collections::BTreeMap;

/// The most characters that a role's id has.
pub const MAX_LENGTH: usize = 60;

/// Whether a text can be a role's id: 1 to 60 letters, digits, `_`, `-` and `.`.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_LENGTH).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// What people read where a workspace gave a role no name: `sales_manager` is `sales manager`.
pub fn default_name(id: &str) -> String {
    id.replace(['_', '-', '.'], " ").trim().to_owned()
}

/// The names that a workspace gives its roles, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleNames(BTreeMap<String, String>);

impl RoleNames {
    /// What a sentence of the API calls a role: as the workspace says, else by its id.
    pub fn name<'n>(&'n self, id: &'n str) -> &'n str {
        self.0.get(id).map_or(id, String::as_str)
    }
}

impl FromIterator<(String, String)> for RoleNames {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_called_as_its_workspace_says_or_as_its_id_reads() {
        let names: RoleNames =
            [("sales_manager".to_owned(), "Head of sales".to_owned())].into_iter().collect();
        assert_eq!(names.name("sales_manager"), "Head of sales");
        assert_eq!(names.name("key-account.owner"), "key-account.owner");
        assert_eq!(default_name("key-account.owner"), "key account owner");
    }

    #[test]
    fn an_id_is_short_and_of_plain_letters() {
        assert!(is_id("sales_manager-2.eu"));
        for bad in ["", "sales manager", "försäljning", &"x".repeat(MAX_LENGTH + 1)] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
