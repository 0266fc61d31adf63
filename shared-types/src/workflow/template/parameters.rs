//! What filters, tests and functions take in their brackets.

use super::tree::Argument;

/// The parameters of a filter, a test or a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    /// How many of the first must be given.
    required: usize,
    /// Their names, in the order in which they are given without one.
    names: &'static [&'static str],
    /// Whether it takes others besides, whatever their names.
    others: bool,
}

/// What is called without brackets: any argument is a misuse.
pub(super) const NOTHING: Parameters = takes(0, &[]);

/// The parameters of these names, of which the first `required` must be given.
pub(super) const fn takes(required: usize, names: &'static [&'static str]) -> Parameters {
    Parameters { required, names, others: false }
}

/// Any parameters, and no fewer than `required`.
pub(super) const fn any(required: usize) -> Parameters {
    Parameters { required, names: &[], others: true }
}

impl Parameters {
    /// Why what is called `name` can't be given these arguments. What a list or a map is spread into isn't known
    /// before it runs.
    pub(super) fn fault(&self, name: &str, arguments: &[Argument]) -> Option<String> {
        let mut by_place = 0;
        let mut by_name = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Positional(_) => by_place += 1,
                Argument::Named(name, _) => by_name.push(name.as_str()),
                Argument::Spread(_) | Argument::SpreadNamed(_) => return None,
            }
        }
        if self.others {
            return (arguments.len() < self.required)
                .then(|| format!("`{name}` needs something in brackets: `{name}(…)`"));
        }
        if by_place > self.names.len() {
            return Some(match self.names {
                [] => format!("`{name}` takes nothing in brackets"),
                names => format!("`{name}` takes {}, and {by_place} values are given", names.join(", ")),
            });
        }
        if let Some(other) = by_name.iter().find(|given| !self.names.contains(given)) {
            return Some(match self.names {
                [] => format!("`{name}` takes nothing in brackets, and so no `{other}`"),
                names => format!("`{name}` takes no `{other}`; it takes {}", names.join(", ")),
            });
        }
        let missing =
            self.names.iter().take(self.required).skip(by_place).find(|name| !by_name.contains(name))?;
        let form = self.names[..self.required].join(", ");
        Some(format!("`{name}` needs `{missing}`: `{name}({form})`"))
    }
}
