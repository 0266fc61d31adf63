//! Calls: filters, functions, macros, and what a `loop` offers.

use super::{Evaluated, Evaluation, are_equal};
use crate::workflow::template::{
    budget::Fail,
    data::{Data, Locals, Object},
    limits::MAX_CALLS,
    tree::{Argument, Call, Callee, FilterCall, Macro},
};
use std::{collections::HashMap, rc::Rc, sync::Arc};

/// The arguments of a call, evaluated.
#[derive(Debug, Default)]
pub(in crate::workflow::template) struct Arguments<'a> {
    pub(in crate::workflow::template) positional: Vec<Data<'a>>,
    pub(in crate::workflow::template) named: Vec<(String, Data<'a>)>,
}

impl<'a> Arguments<'a> {
    /// The argument of a name, or the one at a place.
    pub(in crate::workflow::template) fn get(&self, place: usize, name: &str) -> Option<&Data<'a>> {
        let named = self.named.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        named.or_else(|| self.positional.get(place)).filter(|value| !value.is_missing())
    }
}

impl<'a> Evaluation<'a> {
    pub(super) fn filtered(&mut self, value: Data<'a>, call: &'a FilterCall) -> Evaluated<Data<'a>> {
        self.budget.work(1)?;
        let arguments = self.arguments(&call.arguments)?;
        let filter = (self.library.filter)(call.filter);
        filter(self, value, arguments)
    }

    pub(super) fn arguments(&mut self, arguments: &'a [Argument]) -> Evaluated<Arguments<'a>> {
        let mut all = Arguments::default();
        for argument in arguments {
            match argument {
                Argument::Positional(value) => all.positional.push(self.value(value)?),
                Argument::Named(name, value) => {
                    let value = self.value(value)?;
                    all.named.push((name.clone(), value));
                }
                Argument::Spread(list) => {
                    let items = self.value(list)?.items(&mut self.budget)?;
                    all.positional.extend(items);
                }
                Argument::SpreadNamed(map) => match self.value(map)? {
                    Data::Map(map) => {
                        self.budget.work(map.len())?;
                        let named = map.entries();
                        all.named
                            .extend(named.into_iter().map(|(key, value)| (key.as_str().to_owned(), value)));
                    }
                    other => {
                        return Err(Fail::type_of(format!(
                            "`**` takes a map, and it {}",
                            other.kind_in_words()
                        )));
                    }
                },
            }
        }
        Ok(all)
    }

    /// Calls what is called; `caller` is the block that a `call` statement hands over.
    pub(super) fn call(&mut self, call: &'a Call, caller: Option<&'a Arc<Macro>>) -> Evaluated<Data<'a>> {
        self.budget.work(1)?;
        let arguments = self.arguments(&call.arguments)?;
        match &call.callee {
            Callee::Function(function) => (self.library.function)(*function)(self, arguments),
            Callee::Local(name) => {
                let found = self.locals.iter().rev().find_map(|scope| scope.get(name.as_str())).cloned();
                match found {
                    Some(Data::Object(Object::Macro(declared))) => {
                        let caller = caller.map(|caller| self.caller(caller)).transpose()?;
                        // Its body sees what the template sets outermost, and its parameters.
                        let sees = self.locals.first().cloned().into_iter().collect();
                        self.call_macro(declared, &arguments, sees, caller)
                    }
                    Some(Data::Object(Object::Caller(declared, sees))) => {
                        self.call_macro(declared, &arguments, sees.as_ref().clone(), None)
                    }
                    Some(Data::Object(Object::Loop(state))) if state.of.is_recursive => {
                        let items = arguments.positional.first().cloned().unwrap_or(Data::Missing);
                        let printing = std::mem::take(&mut self.printing);
                        let mut out = String::new();
                        let done = self.for_each(state.of, &items, state.depth + 1, &mut out);
                        self.printing = printing;
                        done?;
                        Data::text(out, &mut self.budget)
                    }
                    Some(_) | None => Err(Fail::type_of(format!("`{name}` can't be called"))),
                }
            }
            Callee::Cycle => {
                let items = &arguments.positional;
                let Some(state) = self.state_of_loop().filter(|_| !items.is_empty()) else {
                    return Ok(Data::Missing);
                };
                Ok(items[state % items.len()].clone())
            }
            Callee::Changed => {
                let value = Data::list(arguments.positional, &mut self.budget)?;
                let Some(Data::Object(Object::Loop(state))) =
                    self.locals.iter().rev().find_map(|scope| scope.get("loop"))
                else {
                    return Ok(Data::Bool(false));
                };
                let before = state.last.replace(Some(value.clone()));
                Ok(Data::Bool(before.is_none_or(|before| !are_equal(&before, &value))))
            }
        }
    }

    fn state_of_loop(&self) -> Option<usize> {
        match self.locals.iter().rev().find_map(|scope| scope.get("loop")) {
            Some(Data::Object(Object::Loop(state))) => Some(state.index),
            Some(_) | None => None,
        }
    }

    /// The block of a `call` statement, with what is set where it stands.
    fn caller(&mut self, declared: &'a Macro) -> Evaluated<Data<'a>> {
        self.budget.work(self.locals.iter().map(HashMap::len).sum())?;
        Ok(Data::Object(Object::Caller(declared, Rc::new(self.locals.clone()))))
    }

    /// The text of a macro.
    fn call_macro(
        &mut self,
        declared: &'a Macro,
        arguments: &Arguments<'a>,
        mut sees: Locals<'a>,
        caller: Option<Data<'a>>,
    ) -> Evaluated<Data<'a>> {
        self.budget.work(sees.iter().map(HashMap::len).sum())?;
        if self.calls == MAX_CALLS {
            return Err(Fail::failed(format!("macros call each other more than {MAX_CALLS} deep")));
        }
        if arguments.positional.len() > declared.parameters.len() {
            let why = format!("`{}` takes {} arguments", declared.name, declared.parameters.len());
            return Err(Fail::type_of(why));
        }
        let without_default = declared.parameters.len().saturating_sub(declared.defaults.len());
        let mut own = HashMap::new();
        for (place, name) in declared.parameters.iter().enumerate() {
            let value = match arguments.get(place, name) {
                Some(value) => value.clone(),
                None => match place.checked_sub(without_default).and_then(|n| declared.defaults.get(n)) {
                    Some(default) => self.value(default)?,
                    None => Data::Missing,
                },
            };
            own.insert(name.as_str(), value);
        }
        if let Some(caller) = caller {
            own.insert("caller", caller);
        }
        sees.push(own);
        let outer = std::mem::replace(&mut self.locals, sees);
        self.calls += 1;
        let text = self.captured(&declared.body);
        self.calls -= 1;
        self.locals = outer;
        Data::text(text?, &mut self.budget)
    }
}
