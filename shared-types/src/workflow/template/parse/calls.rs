//! Filters, tests and functions by their names, and what they are given.

use super::{
    super::{
        address::PART_FILTERS,
        filters, functions,
        parameters::Parameters,
        predicates,
        tree::{Argument, Call, Callee, Expression, FilterCall},
    },
    Parsed, Reader, described,
};
use crate::workflow::finding::closest;
use minijinja::machinery::ast;

impl Reader<'_> {
    /// The filters of a block, in the order in which they are applied.
    pub(super) fn filter_chain(&mut self, chain: &ast::Expr<'_>) -> Parsed<Vec<FilterCall>> {
        let mut filters = Vec::new();
        let mut at = Some(chain);
        while let Some(ast::Expr::Filter(filter)) = at {
            filters.push(self.filter(filter)?);
            at = filter.expr.as_ref();
        }
        filters.reverse();
        Ok(filters)
    }

    pub(super) fn filter(&mut self, filter: &ast::Filter<'_>) -> Parsed<FilterCall> {
        let found = filters::find(filter.name)
            .ok_or_else(|| unknown("filter", filter.name, filters::names(), "| "))?;
        check_named(filter)?;
        let arguments = self.arguments(&filter.args)?;
        self.hold(filters::parameters(filter.name), filter.name, &arguments);
        let makes_address_part = PART_FILTERS.contains(&filter.name);
        Ok(FilterCall { filter: found, makes_address_part, arguments })
    }

    pub(super) fn test(&mut self, test: &ast::Test<'_>) -> Parsed<Expression> {
        let predicate =
            predicates::find(test.name).ok_or_else(|| unknown("test", test.name, predicates::names(), ""))?;
        let value = self.boxed(&test.expr)?;
        let arguments = self.arguments(&test.args)?;
        self.hold(predicates::parameters(test.name), test.name, &arguments);
        Ok(Expression::Test(value, predicate, arguments))
    }

    /// Notes that arguments aren't those that are taken.
    fn hold(&mut self, parameters: Option<Parameters>, name: &str, arguments: &[Argument]) {
        let fault = parameters.and_then(|parameters| parameters.fault(name, arguments));
        self.references.misuses.extend(fault);
    }

    fn arguments(&mut self, arguments: &[ast::CallArg<'_>]) -> Parsed<Vec<Argument>> {
        let read = arguments.iter().map(|argument| {
            Ok(match argument {
                ast::CallArg::Pos(value) => Argument::Positional(self.expression(value)?),
                ast::CallArg::Kwarg(name, value) => {
                    Argument::Named((*name).to_owned(), self.expression(value)?)
                }
                ast::CallArg::PosSplat(list) => Argument::Spread(self.expression(list)?),
                ast::CallArg::KwargSplat(map) => Argument::SpreadNamed(self.expression(map)?),
            })
        });
        read.collect()
    }

    pub(super) fn call(&mut self, call: &ast::Call<'_>) -> Parsed<Call> {
        let callee = match &call.expr {
            ast::Expr::Var(name) if self.is_local(name.id) => Callee::Local(name.id.to_owned()),
            ast::Expr::Var(name) => match functions::find(name.id) {
                Some(function) => Callee::Function(function),
                None => return Err(unknown("function", name.id, functions::names(), "")),
            },
            ast::Expr::GetAttr(method) => match (&method.expr, method.name) {
                (ast::Expr::Var(name), "cycle") if name.id == "loop" && self.loops > 0 => Callee::Cycle,
                (ast::Expr::Var(name), "changed") if name.id == "loop" && self.loops > 0 => Callee::Changed,
                (_, method) => {
                    let instead = match filters::find(method) {
                        Some(_) => format!("; write `| {method}`"),
                        None => String::new(),
                    };
                    return Err(format!("values have no methods, and so no `.{method}()`{instead}"));
                }
            },
            other => return Err(format!("{} can't be called", described(other))),
        };
        let arguments = self.arguments(&call.args)?;
        if let (Callee::Function(_), ast::Expr::Var(name)) = (&callee, &call.expr) {
            self.hold(functions::parameters(name.id), name.id, &arguments);
        }
        Ok(Call { callee, arguments })
    }
}

fn unknown(what: &str, name: &str, known: impl Iterator<Item = &'static str>, sign: &str) -> String {
    let known: Vec<&str> = known.collect();
    // `uppercase` is `upper`, `len` is `length`.
    let begins = |other: &&&str| name.starts_with(**other) || (name.len() > 2 && other.starts_with(name));
    // Of short words nearly all are like each other.
    let like = if name.len() > 5 { closest(name, known.iter().copied()) } else { None };
    match like.or_else(|| known.iter().find(begins).copied()) {
        Some(close) => format!("there is no {what} `{name}`; did you mean `{sign}{close}`"),
        None => format!("there is no {what} `{name}`"),
    }
}

/// Filters that take the name of a filter or a test: one that is written out exists.
fn check_named(filter: &ast::Filter<'_>) -> Parsed<()> {
    let place = match filter.name {
        "map" | "select" | "reject" => 0,
        "selectattr" | "rejectattr" => 1,
        _ => return Ok(()),
    };
    let Some(ast::CallArg::Pos(ast::Expr::Const(name))) = filter.args.get(place) else { return Ok(()) };
    match (filter.name, name.value.as_str()) {
        ("map", Some(name)) if filters::find(name).is_none() => {
            Err(unknown("filter", name, filters::names(), ""))
        }
        ("select" | "reject" | "selectattr" | "rejectattr", Some(name))
            if predicates::find(name).is_none() =>
        {
            Err(unknown("test", name, predicates::names(), ""))
        }
        _ => Ok(()),
    }
}
