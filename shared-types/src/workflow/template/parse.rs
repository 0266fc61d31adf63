//! A template's text made into the tree that is evaluated. Every name is looked up here, so that what doesn't
//! exist is found before anything runs.

mod calls;

use super::{
    limits,
    references::{References, hyphen_doubt, path_of},
    tree::{Calculation, Choice, Comparison, Expression, For, Macro, Slice, Statement, Target},
};
use crate::workflow::{number::Quantity, scope::is_time};
use minijinja::{
    machinery::ast,
    syntax::SyntaxConfig,
    value::{Value, ValueKind},
};
use std::{collections::BTreeSet, sync::Arc};

type Parsed<T> = Result<T, String>;

/// Reads a text with templates in it.
pub(super) fn template(source: &str) -> Parsed<(Vec<Statement>, References)> {
    if let Some(why) = limits::excess(source) {
        return Err(why);
    }
    let parsed = minijinja::machinery::parse(source, "", SyntaxConfig::default());
    let ast::Stmt::Template(template) = parsed.map_err(|error| in_our_words(&error))? else {
        return Err("it is no template".to_owned());
    };
    let mut reader =
        Reader { source, locals: vec![BTreeSet::new()], loops: 0, references: References::default() };
    let statements = reader.statements(&template.children)?;
    Ok((statements, reader.references))
}

/// What the parser found, without its own words for tags.
fn in_our_words(error: &minijinja::Error) -> String {
    let mut why = error.detail().unwrap_or("it isn't complete").to_owned();
    for (theirs, ours) in [
        ("start of variable block", "`{{`"),
        ("end of variable block", "`}}`"),
        ("start of block", "`{%`"),
        ("end of block", "`%}`"),
        ("template-data", "text"),
        ("end of input", "end"),
        ("identifier", "name"),
    ] {
        why = why.replace(theirs, ours);
    }
    match error.line() {
        Some(line) if line > 1 => format!("line {line}: {why}"),
        Some(_) | None => why,
    }
}

struct Reader<'s> {
    source: &'s str,
    /// The names that the template itself sets, by scope.
    locals: Vec<BTreeSet<String>>,
    /// How many loops are around.
    loops: usize,
    references: References,
}

impl Reader<'_> {
    fn statements(&mut self, statements: &[ast::Stmt<'_>]) -> Parsed<Vec<Statement>> {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &ast::Stmt<'_>) -> Parsed<Statement> {
        Ok(match statement {
            ast::Stmt::Template(template) => Statement::Group(self.statements(&template.children)?),
            ast::Stmt::EmitExpr(print) => Statement::Print(self.expression(&print.expr)?),
            ast::Stmt::EmitRaw(text) => Statement::Text(text.raw.to_owned()),
            ast::Stmt::ForLoop(each) => Statement::For(Box::new(self.for_loop(each)?)),
            ast::Stmt::IfCond(choice) => Statement::If {
                test: self.expression(&choice.expr)?,
                then: self.statements(&choice.true_body)?,
                otherwise: self.statements(&choice.false_body)?,
            },
            ast::Stmt::WithBlock(with) => self.with(with)?,
            ast::Stmt::Set(set) => {
                let value = self.expression(&set.expr)?;
                Statement::Set { target: self.target(&set.target)?, value }
            }
            ast::Stmt::SetBlock(set) => {
                let filters = set.filter.as_ref().map_or(Ok(Vec::new()), |chain| self.filter_chain(chain))?;
                let body = self.scoped(|reader| reader.statements(&set.body))?;
                Statement::Capture { target: self.target(&set.target)?, filters, body }
            }
            // Nothing is escaped, whatever a template asks: what it gives isn't HTML.
            ast::Stmt::AutoEscape(block) => Statement::Group(self.statements(&block.body)?),
            ast::Stmt::FilterBlock(block) => Statement::Filtered {
                filters: self.filter_chain(&block.filter)?,
                body: self.statements(&block.body)?,
            },
            ast::Stmt::Block(block) => Statement::Group(self.statements(&block.body)?),
            ast::Stmt::Import(_)
            | ast::Stmt::FromImport(_)
            | ast::Stmt::Extends(_)
            | ast::Stmt::Include(_) => {
                return Err("a template can't load another".to_owned());
            }
            ast::Stmt::Macro(declared) => {
                self.declare(declared.name);
                Statement::Macro(Arc::new(self.macro_of(declared)?))
            }
            ast::Stmt::CallBlock(block) => Statement::CallBlock {
                call: self.call(&block.call)?,
                caller: Arc::new(self.macro_of(&block.macro_decl)?),
            },
            ast::Stmt::Continue(_) => Statement::Continue,
            ast::Stmt::Break(_) => Statement::Break,
            ast::Stmt::Do(call) => Statement::Do(self.call(&call.call)?),
        })
    }

    fn for_loop(&mut self, each: &ast::ForLoop<'_>) -> Parsed<For> {
        let items = self.expression(&each.iter)?;
        let (target, only_if, body) = self.scoped(|reader| {
            let target = reader.target(&each.target)?;
            let only_if = each.filter_expr.as_ref().map(|test| reader.expression(test)).transpose()?;
            reader.declare("loop");
            reader.loops += 1;
            let body = reader.statements(&each.body);
            reader.loops -= 1;
            Ok((target, only_if, body?))
        })?;
        let otherwise = self.scoped(|reader| reader.statements(&each.else_body))?;
        Ok(For { target, items, only_if, body, otherwise, is_recursive: each.recursive })
    }

    fn with(&mut self, with: &ast::WithBlock<'_>) -> Parsed<Statement> {
        self.scoped(|reader| {
            let mut assignments = Vec::new();
            for (target, value) in &with.assignments {
                let value = reader.expression(value)?;
                assignments.push((reader.target(target)?, value));
            }
            Ok(Statement::With { assignments, body: reader.statements(&with.body)? })
        })
    }

    fn macro_of(&mut self, declared: &ast::Macro<'_>) -> Parsed<Macro> {
        let mut parameters = Vec::new();
        for parameter in &declared.args {
            match parameter {
                ast::Expr::Var(name) => parameters.push(name.id.to_owned()),
                other => {
                    return Err(format!("a macro's parameter is a name, and {} is none", described(other)));
                }
            }
        }
        let defaults = declared.defaults.iter().map(|value| self.expression(value)).collect::<Parsed<_>>()?;
        let loops = std::mem::take(&mut self.loops);
        let body = self.scoped(|reader| {
            for name in &parameters {
                reader.declare(name);
            }
            reader.declare("caller");
            reader.statements(&declared.body)
        });
        self.loops = loops;
        Ok(Macro { name: declared.name.to_owned(), parameters, defaults, body: body? })
    }

    fn scoped<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.locals.push(BTreeSet::new());
        let read = read(self);
        self.locals.pop();
        read
    }

    fn declare(&mut self, name: &str) {
        if let Some(scope) = self.locals.last_mut() {
            scope.insert(name.to_owned());
        }
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|scope| scope.contains(name))
    }

    fn target(&mut self, target: &ast::Expr<'_>) -> Parsed<Target> {
        let each = |reader: &mut Self, items: &[ast::Expr<'_>]| {
            let items = items.iter().map(|item| reader.target(item));
            Ok(Target::Each(items.collect::<Parsed<_>>()?))
        };
        match target {
            ast::Expr::Var(name) => {
                self.declare(name.id);
                Ok(Target::Name(name.id.to_owned()))
            }
            ast::Expr::GetAttr(field) => match &field.expr {
                ast::Expr::Var(name) => Ok(Target::Field(name.id.to_owned(), field.name.to_owned())),
                other => Err(format!("{} can't be set", described(other))),
            },
            ast::Expr::List(list) => each(self, &list.items),
            ast::Expr::Tuple(tuple) => each(self, &tuple.items),
            other => Err(format!("{} can't be set", described(other))),
        }
    }

    fn boxed(&mut self, expression: &ast::Expr<'_>) -> Parsed<Box<Expression>> {
        self.expression(expression).map(Box::new)
    }

    fn optional(&mut self, expression: Option<&ast::Expr<'_>>) -> Parsed<Option<Expression>> {
        expression.map(|expression| self.expression(expression)).transpose()
    }

    fn all(&mut self, expressions: &[ast::Expr<'_>]) -> Parsed<Vec<Expression>> {
        expressions.iter().map(|expression| self.expression(expression)).collect()
    }

    /// Each form has a function of its own, so that this one, which calls itself, needs little stack.
    fn expression(&mut self, expression: &ast::Expr<'_>) -> Parsed<Expression> {
        match expression {
            ast::Expr::Var(_) | ast::Expr::GetAttr(_) | ast::Expr::GetItem(_) => {
                self.field_or_path(expression)
            }
            ast::Expr::Const(value) => constant(&value.value),
            ast::Expr::Slice(slice) => self.slice(slice),
            ast::Expr::UnaryOp(sign) => self.unary(sign),
            ast::Expr::BinOp(pair) => self.pair(pair),
            ast::Expr::Compare(compare) => self.comparisons(compare),
            ast::Expr::IfExpr(choice) => self.choice(choice),
            ast::Expr::Filter(filter) => self.filtered(filter),
            ast::Expr::Test(test) => self.test(test),
            ast::Expr::Call(call) => self.called(call),
            ast::Expr::List(list) => self.list(&list.items),
            ast::Expr::Tuple(tuple) => self.list(&tuple.items),
            ast::Expr::Map(map) => self.map(map),
        }
    }

    fn field_or_path(&mut self, expression: &ast::Expr<'_>) -> Parsed<Expression> {
        if let Some(path) = path_of(expression) {
            return self.path(path);
        }
        match expression {
            ast::Expr::GetAttr(field) => {
                Ok(Expression::Field(self.boxed(&field.expr)?, field.name.to_owned()))
            }
            ast::Expr::GetItem(item) => {
                if matches!(&item.expr, ast::Expr::Var(name) if name.id == "secrets" && !self.is_local("secrets"))
                {
                    return Err("a secret must be named where it is read: `secrets.name`".to_owned());
                }
                Ok(Expression::Item(self.boxed(&item.expr)?, self.boxed(&item.subscript_expr)?))
            }
            other => Err(format!("{} can't stand there", described(other))),
        }
    }

    fn slice(&mut self, slice: &ast::Slice<'_>) -> Parsed<Expression> {
        Ok(Expression::Slice(Box::new(Slice {
            of: self.expression(&slice.expr)?,
            start: self.optional(slice.start.as_ref())?,
            stop: self.optional(slice.stop.as_ref())?,
            step: self.optional(slice.step.as_ref())?,
        })))
    }

    fn unary(&mut self, sign: &ast::UnaryOp<'_>) -> Parsed<Expression> {
        let of = self.boxed(&sign.expr)?;
        Ok(match sign.op {
            ast::UnaryOpKind::Not => Expression::Not(of),
            ast::UnaryOpKind::Neg => Expression::Negative(of),
        })
    }

    fn comparisons(&mut self, compare: &ast::Compare<'_>) -> Parsed<Expression> {
        let first = self.boxed(&compare.expr)?;
        let rest = compare.ops.iter().map(|next| Ok((comparison(next.op), self.expression(&next.expr)?)));
        Ok(Expression::Compare(first, rest.collect::<Parsed<_>>()?))
    }

    fn choice(&mut self, choice: &ast::IfExpr<'_>) -> Parsed<Expression> {
        Ok(Expression::Choose(Box::new(Choice {
            test: self.expression(&choice.test_expr)?,
            then: self.expression(&choice.true_expr)?,
            otherwise: self.optional(choice.false_expr.as_ref())?,
        })))
    }

    fn filtered(&mut self, filter: &ast::Filter<'_>) -> Parsed<Expression> {
        let Some(of) = &filter.expr else { return Err("a filter needs a value before its `|`".to_owned()) };
        Ok(Expression::Filter(self.boxed(of)?, self.filter(filter)?))
    }

    fn called(&mut self, call: &ast::Call<'_>) -> Parsed<Expression> {
        Ok(Expression::Call(Box::new(self.call(call)?)))
    }

    fn list(&mut self, items: &[ast::Expr<'_>]) -> Parsed<Expression> {
        Ok(Expression::List(self.all(items)?))
    }

    fn map(&mut self, map: &ast::Map<'_>) -> Parsed<Expression> {
        let pairs = map.keys.iter().zip(&map.values);
        let pairs = pairs.map(|(key, value)| Ok((self.expression(key)?, self.expression(value)?)));
        Ok(Expression::Map(pairs.collect::<Parsed<_>>()?))
    }

    fn path(&mut self, path: Vec<String>) -> Parsed<Expression> {
        let [name, rest @ ..] = path.as_slice() else { return Ok(Expression::Null) };
        if !self.is_local(name) {
            match (name.as_str(), rest) {
                ("secrets", [secret, ..]) => drop(self.references.secrets.insert(secret.clone())),
                (now, _) if now.starts_with("now") && !is_time(now) => {
                    return Err(format!("`{now}` is no time; write now, now_plus_24h or now_minus_7d"));
                }
                ("secrets", []) => return Err("a secret must be named: `secrets.name`".to_owned()),
                _ => {}
            }
            self.references.names.insert(name.clone());
        }
        Ok(Expression::Path(path))
    }

    fn pair(&mut self, pair: &ast::Spanned<ast::BinOp<'_>>) -> Parsed<Expression> {
        let calculation = match pair.op {
            ast::BinOpKind::ScAnd => return Ok(Expression::And(self.both(pair)?)),
            ast::BinOpKind::ScOr => return Ok(Expression::Or(self.both(pair)?)),
            ast::BinOpKind::Eq => return self.compare(pair, Comparison::Equal),
            ast::BinOpKind::Ne => return self.compare(pair, Comparison::Unequal),
            ast::BinOpKind::Lt => return self.compare(pair, Comparison::Less),
            ast::BinOpKind::Lte => return self.compare(pair, Comparison::LessOrEqual),
            ast::BinOpKind::Gt => return self.compare(pair, Comparison::Greater),
            ast::BinOpKind::Gte => return self.compare(pair, Comparison::GreaterOrEqual),
            ast::BinOpKind::In => return self.compare(pair, Comparison::In),
            ast::BinOpKind::Add => Calculation::Plus,
            ast::BinOpKind::Sub => Calculation::Minus,
            ast::BinOpKind::Mul => Calculation::Times,
            ast::BinOpKind::Div => Calculation::Divide,
            ast::BinOpKind::FloorDiv => Calculation::DivideDown,
            ast::BinOpKind::Rem => Calculation::Remainder,
            ast::BinOpKind::Pow => Calculation::Power,
            ast::BinOpKind::Concat => Calculation::Join,
        };
        if calculation == Calculation::Minus {
            let doubt = hyphen_doubt(self.source, pair, |name| self.is_local(name));
            self.references.doubts.extend(doubt);
        }
        Ok(Expression::Calculate(calculation, self.both(pair)?))
    }

    fn both(&mut self, pair: &ast::BinOp<'_>) -> Parsed<Box<(Expression, Expression)>> {
        let left = self.expression(&pair.left)?;
        let right = self.expression(&pair.right)?;
        Ok(Box::new((left, right)))
    }

    fn compare(&mut self, pair: &ast::BinOp<'_>, by: Comparison) -> Parsed<Expression> {
        Ok(Expression::Compare(self.boxed(&pair.left)?, vec![(by, self.expression(&pair.right)?)]))
    }
}

/// What an expression is, with its article.
fn described(expression: &ast::Expr<'_>) -> String {
    let what = expression.description();
    let article = if what.starts_with('e') { "an" } else { "a" };
    format!("{article} {what}")
}

fn constant(value: &Value) -> Parsed<Expression> {
    Ok(match value.kind() {
        ValueKind::Bool => Expression::Bool(value.is_true()),
        ValueKind::None | ValueKind::Undefined => Expression::Null,
        ValueKind::String => Expression::Text(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Number if value.is_integer() => {
            let whole = i128::try_from(value.clone()).ok().and_then(Quantity::whole);
            Expression::Number(whole.ok_or("a whole number has at most 38 digits")?)
        }
        ValueKind::Number => {
            let double = f64::try_from(value.clone()).ok().filter(|double| double.is_finite());
            let double = double.ok_or_else(|| "a number in it is too large".to_owned())?;
            Expression::Number(Quantity::of_double(double))
        }
        _ => return Err("a value in it can't be read".to_owned()),
    })
}

fn comparison(kind: ast::CompareOpKind) -> Comparison {
    match kind {
        ast::CompareOpKind::Eq => Comparison::Equal,
        ast::CompareOpKind::Ne => Comparison::Unequal,
        ast::CompareOpKind::Lt => Comparison::Less,
        ast::CompareOpKind::Lte => Comparison::LessOrEqual,
        ast::CompareOpKind::Gt => Comparison::Greater,
        ast::CompareOpKind::Gte => Comparison::GreaterOrEqual,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}
