//! A template as it is evaluated: the parser's tree with every name looked up.

use crate::workflow::number::Quantity;
use std::sync::Arc;

/// A part of a template.
#[derive(Debug)]
pub(super) enum Statement {
    /// Text that is printed as it stands.
    Text(String),
    /// `{{ … }}`.
    Print(Expression),
    /// `{% for … %}`.
    For(Box<For>),
    /// `{% if … %}`, with its `else`.
    If { test: Expression, then: Vec<Statement>, otherwise: Vec<Statement> },
    /// `{% with … %}`.
    With { assignments: Vec<(Target, Expression)>, body: Vec<Statement> },
    /// `{% set … = … %}`.
    Set { target: Target, value: Expression },
    /// `{% set … %}…{% endset %}`.
    Capture { target: Target, filters: Vec<FilterCall>, body: Vec<Statement> },
    /// `{% filter … %}…{% endfilter %}`.
    Filtered { filters: Vec<FilterCall>, body: Vec<Statement> },
    /// `{% macro … %}…{% endmacro %}`.
    Macro(Arc<Macro>),
    /// `{% call … %}…{% endcall %}`.
    CallBlock { call: Call, caller: Arc<Macro> },
    /// `{% do … %}`.
    Do(Call),
    /// Statements that belong together: a block, or what is escaped or not.
    Group(Vec<Statement>),
    /// `{% continue %}`.
    Continue,
    /// `{% break %}`.
    Break,
}

/// A loop.
#[derive(Debug)]
pub(super) struct For {
    pub(super) target: Target,
    pub(super) items: Expression,
    pub(super) only_if: Option<Expression>,
    pub(super) body: Vec<Statement>,
    /// What is printed where there are no items.
    pub(super) otherwise: Vec<Statement>,
    /// Whether the body may call `loop(…)`.
    pub(super) is_recursive: bool,
}

/// What a value is assigned to.
#[derive(Debug)]
pub(super) enum Target {
    /// A name.
    Name(String),
    /// A field of a `namespace`.
    Field(String, String),
    /// The items of a list, in order.
    Each(Vec<Target>),
}

/// A macro, or the body of a `call` block.
#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: String,
    pub(super) parameters: Vec<String>,
    /// Of the last parameters.
    pub(super) defaults: Vec<Expression>,
    pub(super) body: Vec<Statement>,
}

/// An expression.
#[derive(Debug)]
pub(super) enum Expression {
    Bool(bool),
    Null,
    Number(Quantity),
    Text(String),
    /// Names and constant keys, from a local name or from the run's context.
    Path(Vec<String>),
    Field(Box<Expression>, String),
    Item(Box<Expression>, Box<Expression>),
    Slice(Box<Slice>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Calculate(Calculation, Box<(Expression, Expression)>),
    And(Box<(Expression, Expression)>),
    Or(Box<(Expression, Expression)>),
    /// A value compared with the next, that with the one after it, and so on: all must hold.
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    Choose(Box<Choice>),
    Filter(Box<Expression>, FilterCall),
    Test(Box<Expression>, PredicateId, Vec<Argument>),
    Call(Box<Call>),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
}

/// `a[start:stop:step]`.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) of: Expression,
    pub(super) start: Option<Expression>,
    pub(super) stop: Option<Expression>,
    pub(super) step: Option<Expression>,
}

/// `then if test else otherwise`.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) test: Expression,
    pub(super) then: Expression,
    pub(super) otherwise: Option<Expression>,
}

/// Arithmetic, and joining texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calculation {
    Plus,
    Minus,
    Times,
    Divide,
    DivideDown,
    Remainder,
    Power,
    Join,
}

impl Calculation {
    /// The sign as it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::DivideDown => "//",
            Self::Remainder => "%",
            Self::Power => "**",
            Self::Join => "~",
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// A filter, by its place in the language's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FilterId(pub(super) usize);

/// A test, by its place in the language's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PredicateId(pub(super) usize);

/// A function, by its place in the language's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FunctionId(pub(super) usize);

/// A filter with its arguments.
#[derive(Debug)]
pub(super) struct FilterCall {
    pub(super) filter: FilterId,
    /// Whether it passes on a text that is itself a part of an address.
    pub(super) makes_address_part: bool,
    pub(super) arguments: Vec<Argument>,
}

/// An argument of a filter, a test or a call.
#[derive(Debug)]
pub(super) enum Argument {
    Positional(Expression),
    Named(String, Expression),
    /// `*list`.
    Spread(Expression),
    /// `**map`.
    SpreadNamed(Expression),
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) callee: Callee,
    pub(super) arguments: Vec<Argument>,
}

/// What is called.
#[derive(Debug)]
pub(super) enum Callee {
    /// One of the language's functions.
    Function(FunctionId),
    /// A macro, `caller`, or a recursive `loop`.
    Local(String),
    /// `loop.cycle(…)`.
    Cycle,
    /// `loop.changed(…)`.
    Changed,
}
