//! Evaluates a template's tree. What an evaluation costs is bounded by its [`Budget`]; how deep it calls itself, by
//! the tree's depth and by how many macros may be in each other.

mod calls;
mod operators;
mod statements;

use super::{
    budget::{Budget, Fail},
    data::{Data, Locals, Text},
    limits::{MAX_CALL_DEPTH, MAX_TEXT},
    tree::{Argument, Choice, Expression, FilterCall, FilterId, FunctionId, PredicateId, Slice},
};
use crate::workflow::scope::Scope;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

pub(super) use calls::Arguments;
pub(super) use operators::{are_equal, order, sort_order, whole};
pub(super) use statements::namespace;

/// A filter: the value before the `|`, and the arguments in brackets.
pub(super) type Filter = for<'a> fn(&mut Evaluation<'a>, Data<'a>, Arguments<'a>) -> Evaluated<Data<'a>>;

/// A test: the value before `is`, and what it is held against.
pub(super) type Predicate = for<'a> fn(&mut Evaluation<'a>, &Data<'a>, Arguments<'a>) -> Evaluated<bool>;

/// A function.
pub(super) type Function = for<'a> fn(&mut Evaluation<'a>, Arguments<'a>) -> Evaluated<Data<'a>>;

/// The language's filters, tests and functions. They are handed to an evaluation, since they are made of it.
pub(super) struct Library {
    pub(super) filter: fn(FilterId) -> Filter,
    pub(super) predicate: fn(PredicateId) -> Predicate,
    pub(super) function: fn(FunctionId) -> Function,
    /// Whether there is a filter of a name.
    pub(super) has_filter: fn(&str) -> bool,
}

/// One evaluation of one template.
pub(super) struct Evaluation<'a> {
    scope: &'a Scope<'a>,
    pub(super) library: &'static Library,
    pub(super) budget: Budget,
    /// What the template itself has set, the innermost scope last.
    locals: Locals<'a>,
    /// How many macros and recursive loops are around.
    calls: usize,
    /// How many statements and expressions are in each other here, those of macros included.
    depth: usize,
    /// What becomes of what is printed.
    printing: Printing,
}

/// What becomes of what a template prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Printing {
    /// A text, in which what isn't there is empty.
    #[default]
    Text,
    /// A text that means something else where a part of it isn't there: that fails.
    Whole,
    /// An address: values are percent-encoded, and one that isn't there in its path fails.
    Address,
}

/// A template's result or why there is none.
pub(super) type Evaluated<T> = Result<T, Fail>;

impl<'a> Evaluation<'a> {
    pub(super) fn new(library: &'static Library, scope: &'a Scope<'a>) -> Self {
        let locals = vec![HashMap::new()];
        Self { scope, library, budget: Budget::new(), locals, calls: 0, depth: 0, printing: Printing::Text }
    }

    /// An evaluation whose text becomes an address.
    pub(super) fn of_address(library: &'static Library, scope: &'a Scope<'a>) -> Self {
        Self { printing: Printing::Address, ..Self::new(library, scope) }
    }

    /// An evaluation that fails where a part of the text isn't there.
    pub(super) fn of_whole(library: &'static Library, scope: &'a Scope<'a>) -> Self {
        Self { printing: Printing::Whole, ..Self::new(library, scope) }
    }

    /// The value of a template that is one expression, as it leaves.
    pub(super) fn json(mut self, expression: &'a Expression) -> Evaluated<serde_json::Value> {
        let value = self.value(expression)?;
        match &value {
            Data::Text(text) if text.as_str().len() > MAX_TEXT => Err(Fail::too_long()),
            other => {
                Budget::fits(other.bytes())?;
                Ok(value.into_json())
            }
        }
    }

    /// The value of an expression.
    pub(super) fn value(&mut self, expression: &'a Expression) -> Evaluated<Data<'a>> {
        self.enter()?;
        let value = self.value_here(expression);
        self.leave();
        value
    }

    /// Counts a statement or an expression that is entered: what it costs, and how deep it is.
    fn enter(&mut self) -> Evaluated<()> {
        self.budget.work(1)?;
        self.depth += 1;
        if self.depth > MAX_CALL_DEPTH {
            return Err(Fail::failed("its macros call each other too deep"));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Each form that calls this again has a function of its own, so that this one needs little stack.
    fn value_here(&mut self, expression: &'a Expression) -> Evaluated<Data<'a>> {
        match expression {
            Expression::Bool(is) => Ok(Data::Bool(*is)),
            Expression::Null => Ok(Data::Null),
            Expression::Number(number) => Ok(Data::Number(*number)),
            Expression::Text(text) => Ok(Data::Text(Text::Borrowed(text))),
            Expression::Path(path) => self.path(path),
            Expression::Field(of, name) => self.field(of, name),
            Expression::Item(of, at) => self.item(of, at),
            Expression::Slice(slice) => self.slice(slice),
            Expression::Not(of) => self.not(of),
            Expression::Negative(of) => self.negative(of),
            Expression::Calculate(sign, both) => self.calculate(*sign, &both.0, &both.1),
            Expression::And(both) => self.first_that(false, both),
            Expression::Or(both) => self.first_that(true, both),
            Expression::Compare(first, rest) => self.compare(first, rest),
            Expression::Choose(choice) => self.choose(choice),
            Expression::Filter(of, call) => self.filter(of, call),
            Expression::Test(of, predicate, arguments) => self.test(of, *predicate, arguments),
            Expression::Call(call) => self.call(call, None),
            Expression::List(items) => self.list(items),
            Expression::Map(pairs) => self.map(pairs),
        }
    }

    fn field(&mut self, of: &'a Expression, name: &str) -> Evaluated<Data<'a>> {
        Ok(self.value(of)?.field(name))
    }

    fn item(&mut self, of: &'a Expression, at: &'a Expression) -> Evaluated<Data<'a>> {
        let (of, at) = (self.value(of)?, self.value(at)?);
        if let Data::Text(text) = &of {
            self.budget.work(text.as_str().len() / 64)?;
        }
        Ok(of.item(&at))
    }

    fn not(&mut self, of: &'a Expression) -> Evaluated<Data<'a>> {
        Ok(Data::Bool(!self.value(of)?.is_true()))
    }

    /// The first value if it counts as true, or as false, else the second.
    fn first_that(&mut self, is_true: bool, both: &'a (Expression, Expression)) -> Evaluated<Data<'a>> {
        let first = self.value(&both.0)?;
        if first.is_true() == is_true { Ok(first) } else { self.value(&both.1) }
    }

    fn choose(&mut self, choice: &'a Choice) -> Evaluated<Data<'a>> {
        if self.value(&choice.test)?.is_true() {
            return self.value(&choice.then);
        }
        choice.otherwise.as_ref().map_or(Ok(Data::Missing), |otherwise| self.value(otherwise))
    }

    fn filter(&mut self, of: &'a Expression, call: &'a FilterCall) -> Evaluated<Data<'a>> {
        let of = self.value(of)?;
        self.filtered(of, call)
    }

    fn test(
        &mut self,
        of: &'a Expression,
        predicate: PredicateId,
        arguments: &'a [Argument],
    ) -> Evaluated<Data<'a>> {
        let of = self.value(of)?;
        let arguments = self.arguments(arguments)?;
        let predicate = (self.library.predicate)(predicate);
        Ok(Data::Bool(predicate(self, &of, arguments)?))
    }

    fn list(&mut self, items: &'a [Expression]) -> Evaluated<Data<'a>> {
        let items = items.iter().map(|item| self.value(item)).collect::<Evaluated<_>>()?;
        Data::list(items, &mut self.budget)
    }

    fn map(&mut self, pairs: &'a [(Expression, Expression)]) -> Evaluated<Data<'a>> {
        let mut map = BTreeMap::new();
        for (key, value) in pairs {
            let key = match self.value(key)? {
                Data::Text(key) => key,
                other => Text::Made(self.printed(&other)?.into()),
            };
            map.insert(key, self.value(value)?);
        }
        Data::map(map, &mut self.budget)
    }

    /// What a path leads to: from a name that the template has set, else from the run's context.
    fn path(&mut self, path: &'a [String]) -> Evaluated<Data<'a>> {
        let Some((name, rest)) = path.split_first() else { return Ok(Data::Missing) };
        if let Some(local) = self.locals.iter().rev().find_map(|scope| scope.get(name.as_str())) {
            let local = local.clone();
            self.budget.work(rest.len())?;
            return Ok(rest.iter().fold(local, |at, name| at.field(name)));
        }
        match self.scope.find(path.iter().map(String::as_str)) {
            None => Ok(Data::Missing),
            Some(Cow::Borrowed(value)) => Ok(Data::of(value)),
            Some(Cow::Owned(value)) => Data::of_owned(value, &mut self.budget),
        }
    }

    /// A value as text, with what it costs.
    pub(super) fn printed(&mut self, value: &Data<'a>) -> Evaluated<String> {
        self.budget.hold(value.bytes())?;
        if let Data::Text(text) = value {
            return Ok(text.as_str().to_owned());
        }
        // A value is as deep as the context or what this template made, both of which are bounded.
        Ok(value.print())
    }

    /// A part of a list or a text.
    fn slice(&mut self, slice: &'a Slice) -> Evaluated<Data<'a>> {
        let of = self.value(&slice.of)?;
        let mut bound = |bound: Option<&'a Expression>| {
            let bound = bound.map(|bound| self.value(bound)).transpose()?;
            match bound {
                None | Some(Data::Null | Data::Missing) => Ok(None),
                Some(other) => operators::whole(&other).map(Some),
            }
        };
        let (start, stop, step) =
            (bound(slice.start.as_ref())?, bound(slice.stop.as_ref())?, bound(slice.step.as_ref())?);
        let is_text = matches!(of, Data::Text(_));
        let items = of.items(&mut self.budget)?;
        let picked: Vec<Data<'a>> =
            places(start, stop, step.unwrap_or(1), items.len())?.map(|at| items[at].clone()).collect();
        if is_text {
            let text: String = picked.iter().map(Data::print).collect();
            return Data::text(text, &mut self.budget);
        }
        Data::list(picked, &mut self.budget)
    }
}

/// The places of a slice, as Python counts them.
fn places(
    start: Option<i128>,
    stop: Option<i128>,
    step: i128,
    length: usize,
) -> Evaluated<Box<dyn Iterator<Item = usize>>> {
    let length = i128::try_from(length).unwrap_or(i128::MAX);
    let from_end = |at: i128| if at < 0 { at + length } else { at };
    let distance = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let place = |at: i128| usize::try_from(at).unwrap_or_default();
    if step > 0 {
        let start = start.map_or(0, from_end).clamp(0, length);
        let stop = stop.map_or(length, from_end).clamp(0, length);
        return Ok(Box::new((place(start)..place(stop)).step_by(distance)));
    }
    if step == 0 {
        return Err(Fail::failed("the step of a slice can't be 0"));
    }
    let start = start.map_or(length - 1, from_end).clamp(-1, length - 1);
    let stop = stop.map_or(-1, from_end).clamp(-1, length - 1);
    Ok(Box::new((place(stop + 1)..place(start + 1)).rev().step_by(distance)))
}
