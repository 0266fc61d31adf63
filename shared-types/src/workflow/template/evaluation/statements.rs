//! Printing: text, values, loops and blocks.

use super::{Evaluated, Evaluation, Printing};
use crate::workflow::template::{
    address,
    budget::Fail,
    data::{Data, LoopState, Object},
    limits::{MAX_CALLS, MAX_TEXT},
    tree::{For, Statement, Target},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

/// How a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By its last statement.
    Whole,
    /// By `continue`.
    Continue,
    /// By `break`.
    Break,
}

impl<'a> Evaluation<'a> {
    /// The text of a whole template.
    pub(in crate::workflow::template) fn text(&mut self, statements: &'a [Statement]) -> Evaluated<String> {
        let mut out = String::new();
        self.print_all(statements, &mut out)?;
        if self.printing == Printing::Address {
            address::check(&out)?;
        }
        if out.len() > MAX_TEXT {
            return Err(Fail::too_long());
        }
        Ok(out)
    }

    /// What statements print, on the side: its values are encoded when it is printed itself, not before.
    pub(super) fn captured(&mut self, statements: &'a [Statement]) -> Evaluated<String> {
        let printing = std::mem::take(&mut self.printing);
        let mut out = String::new();
        let printed = self.print_all(statements, &mut out);
        self.printing = printing;
        printed.map(|_| out)
    }

    fn print_all(&mut self, statements: &'a [Statement], out: &mut String) -> Evaluated<End> {
        for statement in statements {
            let end = self.print(statement, out)?;
            if end != End::Whole {
                return Ok(end);
            }
        }
        Ok(End::Whole)
    }

    fn print(&mut self, statement: &'a Statement, out: &mut String) -> Evaluated<End> {
        self.enter()?;
        let end = self.print_here(statement, out);
        self.leave();
        end
    }

    fn print_here(&mut self, statement: &'a Statement, out: &mut String) -> Evaluated<End> {
        match statement {
            Statement::Text(text) => {
                self.budget.hold(text.len() as u64)?;
                out.push_str(text);
            }
            Statement::Print(expression) => {
                let value = self.value(expression)?;
                self.print_value(&value, address::is_part(expression), out)?;
            }
            Statement::For(each) => {
                let items = self.value(&each.items)?;
                self.for_each(each, &items, 0, out)?;
            }
            Statement::If { test, then, otherwise } => {
                let chosen = if self.value(test)?.is_true() { then } else { otherwise };
                return self.print_all(chosen, out);
            }
            Statement::With { assignments, body } => {
                return self.scoped(|this| {
                    for (target, value) in assignments {
                        let value = this.value(value)?;
                        this.assign(target, value)?;
                    }
                    this.print_all(body, out)
                });
            }
            Statement::Set { target, value } => {
                let value = self.value(value)?;
                self.assign(target, value)?;
            }
            Statement::Capture { target, filters, body } => {
                let text = self.scoped(|this| this.captured(body))?;
                let mut value = Data::text(text, &mut self.budget)?;
                for call in filters {
                    value = self.filtered(value, call)?;
                }
                self.assign(target, value)?;
            }
            Statement::Filtered { filters, body } => {
                let text = self.captured(body)?;
                let mut value = Data::text(text, &mut self.budget)?;
                for call in filters {
                    value = self.filtered(value, call)?;
                }
                self.print_value(&value, false, out)?;
            }
            Statement::Macro(declared) => {
                self.set(&declared.name, Data::Object(Object::Macro(declared)));
            }
            Statement::CallBlock { call, caller } => {
                let text = self.call(call, Some(caller))?;
                self.print_value(&text, false, out)?;
            }
            Statement::Do(call) => drop(self.call(call, None)?),
            Statement::Group(statements) => return self.print_all(statements, out),
            Statement::Continue => return Ok(End::Continue),
            Statement::Break => return Ok(End::Break),
        }
        Ok(End::Whole)
    }

    fn print_value(&mut self, value: &Data<'a>, is_part: bool, out: &mut String) -> Evaluated<()> {
        let is_there = !matches!(value, Data::Missing | Data::Null);
        match self.printing {
            Printing::Whole if !is_there => return Err(Fail::missing("a part of it gives nothing")),
            Printing::Address if !is_there && !address::is_in_query(out) => {
                return Err(Fail::missing(
                    "a value in the address gives nothing, which would call another address",
                ));
            }
            Printing::Text | Printing::Whole | Printing::Address => {}
        }
        let text = self.printed(value)?;
        if self.printing == Printing::Address && !is_part {
            self.budget.hold(text.len() as u64 * 2)?;
            address::push(out, &text);
        } else {
            out.push_str(&text);
        }
        Ok(())
    }

    /// Runs a loop over items; `depth` of them are around it where it is recursive.
    pub(super) fn for_each(
        &mut self,
        each: &'a For,
        items: &Data<'a>,
        depth: usize,
        out: &mut String,
    ) -> Evaluated<()> {
        if depth > MAX_CALLS {
            return Err(Fail::failed(format!("a loop calls itself more than {MAX_CALLS} deep")));
        }
        let mut items = items.items(&mut self.budget)?;
        if let Some(test) = &each.only_if {
            let mut chosen = Vec::new();
            for item in items {
                let is_chosen = self.scoped(|this| {
                    this.assign(&each.target, item.clone())?;
                    Ok(this.value(test)?.is_true())
                })?;
                chosen.extend(is_chosen.then_some(item));
            }
            items = chosen;
        }
        if items.is_empty() {
            return self.scoped(|this| this.print_all(&each.otherwise, out)).map(|_| ());
        }
        let last = Rc::new(RefCell::new(None));
        for (index, item) in items.iter().enumerate() {
            let neighbour =
                |at: Option<usize>| at.and_then(|at| items.get(at)).cloned().unwrap_or(Data::Missing);
            let state = LoopState {
                of: each,
                index,
                length: items.len(),
                depth,
                before: neighbour(index.checked_sub(1)),
                after: neighbour(index.checked_add(1)),
                last: Rc::clone(&last),
            };
            let end = self.scoped(|this| {
                this.assign(&each.target, item.clone())?;
                this.set("loop", Data::Object(Object::Loop(Rc::new(state))));
                this.print_all(&each.body, out)
            })?;
            if end == End::Break {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> Evaluated<T>) -> Evaluated<T> {
        self.locals.push(HashMap::new());
        let done = run(self);
        self.locals.pop();
        done
    }

    pub(super) fn set(&mut self, name: &'a str, value: Data<'a>) {
        if let Some(scope) = self.locals.last_mut() {
            scope.insert(name, value);
        }
    }

    pub(super) fn assign(&mut self, target: &'a Target, value: Data<'a>) -> Evaluated<()> {
        match target {
            Target::Name(name) => self.set(name, value),
            Target::Field(name, field) => {
                let found = self.locals.iter().rev().find_map(|scope| scope.get(name.as_str()));
                let Some(Data::Object(Object::Namespace(fields))) = found else {
                    return Err(Fail::type_of(format!(
                        "only fields of a `namespace` can be set, and {name} is none"
                    )));
                };
                if holds_object(&value) {
                    return Err(Fail::type_of(format!("{name}.{field} can only be set to a value")));
                }
                fields.borrow_mut().insert(field.clone(), value);
            }
            Target::Each(targets) => {
                let items = value.items(&mut self.budget)?;
                if items.len() != targets.len() {
                    let why = format!("{} names are set to {} values", targets.len(), items.len());
                    return Err(Fail::type_of(why));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item)?;
                }
            }
        }
        Ok(())
    }
}

/// A namespace in a namespace could hold itself, and would never be freed.
fn holds_object(value: &Data<'_>) -> bool {
    matches!(value, Data::Object(_))
}

/// Fields of a `namespace`, from a call's arguments.
pub(in crate::workflow::template) fn namespace(fields: BTreeMap<String, Data<'_>>) -> Data<'_> {
    Data::Object(Object::Namespace(Rc::new(RefCell::new(fields))))
}
