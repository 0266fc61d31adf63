//! Reading: words first, then by precedence, `||` the loosest.

use super::{ExprError, MAX_EXPR};
use crate::workflow::{
    Template, TemplateValue,
    condition::{Condition, Leaf, Operator},
};
use serde_json::Value;

/// How deep parentheses, lists and negations may stand in each other.
const MAX_DEPTH: usize = 64;

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Name(String),
    Value(Value),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 23] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "-", "+", "*", "/", "%",
    "?", ":", "{",
];

/// A side of a comparison.
enum Side {
    Path(String),
    Value(TemplateValue),
    /// What is a condition already.
    Condition(Condition),
}

type Read<T> = Result<T, ExprError>;

fn fault<T>(column: usize, message: impl Into<String>) -> Read<T> {
    Err(ExprError { column, message: message.into() })
}

pub(super) fn read(source: &str) -> Read<Condition> {
    if source.len() > MAX_EXPR {
        return fault(MAX_EXPR, format!("An expression has at most {MAX_EXPR} characters."));
    }
    let words = words(source)?;
    let mut reader = Reader { words, at: 0, depth: 0 };
    let condition = reader.any_of()?;
    if *reader.peek() == Word::End {
        return Ok(condition);
    }
    fault(reader.column(), format!("{} isn't expected here.", shown(reader.peek())))
}

fn words(source: &str) -> Read<Vec<(usize, Word)>> {
    let chars: Vec<char> = source.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let column = at + 1;
        if c.is_whitespace() {
            at += 1;
        } else if c == '"' || c == '\'' {
            let (text, end) = quoted(&chars, at, false)?;
            words.push((column, Word::Value(Value::String(text))));
            at = end;
        } else if c == 'r' && matches!(chars.get(at + 1), Some('"' | '\'')) {
            let (text, end) = quoted(&chars, at + 1, true)?;
            words.push((column, Word::Value(Value::String(text))));
            at = end;
        } else if c.is_ascii_digit() {
            let (number, end) = number(&chars, at)?;
            words.push((column, number));
            at = end;
        } else if c.is_alphabetic() || c == '_' {
            let length = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            let name: String = chars[at..at + length].iter().collect();
            words.push((
                column,
                match name.as_str() {
                    "true" => Word::Value(Value::Bool(true)),
                    "false" => Word::Value(Value::Bool(false)),
                    "null" => Word::Value(Value::Null),
                    _ => Word::Name(name),
                },
            ));
            at += length;
        } else {
            let starts = |sign: &&&str| sign.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
            let Some(sign) = SIGNS.iter().find(starts) else {
                return fault(column, format!("`{c}` means nothing here."));
            };
            words.push((column, Word::Sign(sign)));
            at += sign.len();
        }
    }
    words.push((chars.len() + 1, Word::End));
    Ok(words)
}

fn quoted(chars: &[char], start: usize, raw: bool) -> Read<(String, usize)> {
    let quote = chars[start];
    let mut text = String::new();
    let mut at = start + 1;
    while let Some(&c) = chars.get(at) {
        match c {
            c if c == quote => return Ok((text, at + 1)),
            '\\' if !raw => {
                let (c, length) = escaped(chars, at)?;
                text.push(c);
                at += length;
            }
            c => {
                text.push(c);
                at += 1;
            }
        }
    }
    fault(start + 1, format!("The text has no closing {quote}."))
}

/// The character that a backslash stands for, and how many it takes.
fn escaped(chars: &[char], at: usize) -> Read<(char, usize)> {
    let plain = match chars.get(at + 1) {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(c @ ('\\' | '"' | '\'' | '`' | '?')) => *c,
        Some('u') => {
            let digits: String = chars.iter().skip(at + 2).take(4).collect();
            let found = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
            return match found.and_then(char::from_u32) {
                Some(c) => Ok((c, 6)),
                None => fault(at + 1, "`\\u` takes four hexadecimal digits."),
            };
        }
        Some(c) => {
            return fault(at + 1, format!("`\\{c}` means nothing; write `\\\\` for a backslash, or r\"…\"."));
        }
        None => return fault(at + 1, "The text ends in a backslash."),
    };
    Ok((plain, 2))
}

fn number(chars: &[char], start: usize) -> Read<(Word, usize)> {
    let is_part = |at: usize| match chars.get(at) {
        Some(c) if c.is_ascii_alphanumeric() => true,
        Some('.') => chars.get(at + 1).is_some_and(char::is_ascii_digit),
        Some('+' | '-') => matches!(chars.get(at - 1), Some('e' | 'E')),
        _ => false,
    };
    let mut end = start + 1;
    while is_part(end) {
        end += 1;
    }
    let text: String = chars[start..end].iter().collect();
    match serde_json::from_str::<serde_json::Number>(&text) {
        Ok(number) => Ok((Word::Value(Value::Number(number)), end)),
        Err(_) => fault(start + 1, format!("`{text}` is no number.")),
    }
}

fn shown(word: &Word) -> String {
    match word {
        Word::Name(name) => format!("`{name}`"),
        Word::Value(value) => format!("`{value}`"),
        Word::Sign(sign) => format!("`{sign}`"),
        Word::End => "The end".to_owned(),
    }
}

struct Reader {
    words: Vec<(usize, Word)>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> &Word {
        &self.words[self.at.min(self.words.len() - 1)].1
    }

    fn column(&self) -> usize {
        self.words[self.at.min(self.words.len() - 1)].0
    }

    fn next(&mut self) -> Word {
        let word = self.peek().clone();
        self.at += 1;
        word
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Word::Sign(found) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn needs(&mut self, sign: &str, after: &str) -> Read<()> {
        if self.takes(sign) {
            return Ok(());
        }
        fault(self.column(), format!("`{sign}` is missing after {after}."))
    }

    fn any_of(&mut self) -> Read<Condition> {
        let mut or = vec![self.all_of()?];
        while self.takes("||") {
            or.push(self.all_of()?);
        }
        Ok(if or.len() == 1 { or.remove(0) } else { Condition::Or { or } })
    }

    fn all_of(&mut self) -> Read<Condition> {
        let mut and = vec![self.comparison()?];
        while self.takes("&&") {
            and.push(self.comparison()?);
        }
        Ok(if and.len() == 1 { and.remove(0) } else { Condition::And { and } })
    }

    fn comparison(&mut self) -> Read<Condition> {
        let column = self.column();
        let left = self.side()?;
        let here = self.column();
        let operator = match self.peek() {
            Word::Sign(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => Operator::parse(sign),
            Word::Name(name) if name == "in" => Some(Operator::In),
            Word::Sign(sign @ ("+" | "-" | "*" | "/" | "%" | "?" | "{")) => {
                return fault(
                    here,
                    format!(
                        "`{sign}` isn't part of what conditions can say; put the value into the context first."
                    ),
                );
            }
            Word::Sign(_) | Word::Name(_) | Word::Value(_) | Word::End => None,
        };
        let Some(operator) = operator else { return alone(left, column) };
        self.at += 1;
        let of_right = self.column();
        let right = self.side()?;
        compare(left, operator, right, here, of_right)
    }

    fn side(&mut self) -> Read<Side> {
        let column = self.column();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fault(column, format!("More than {MAX_DEPTH} things stand in each other here."));
        }
        let side = self.side_at(column);
        self.depth -= 1;
        side
    }

    fn side_at(&mut self, column: usize) -> Read<Side> {
        match self.next() {
            Word::Sign("!") => {
                let inner = self.side()?;
                Ok(Side::Condition(Condition::Not { not: Box::new(alone(inner, column)?) }))
            }
            Word::Sign("(") => {
                let inner = self.any_of()?;
                self.needs(")", "what the parenthesis holds")?;
                Ok(Side::Condition(inner))
            }
            Word::Sign("[") => self.list(),
            Word::Sign("-") => {
                if let Word::Value(Value::Number(number)) = self.next() {
                    negative(&number, column)
                } else {
                    fault(column, "`-` stands before a number only.")
                }
            }
            Word::Value(value) => Ok(Side::Value(TemplateValue::Literal(value))),
            Word::Name(name) => self.named(name, column),
            Word::End => fault(column, "Something to ask is missing here."),
            Word::Sign(sign) => fault(column, format!("`{sign}` isn't expected here.")),
        }
    }

    fn list(&mut self) -> Read<Side> {
        let mut items = Vec::new();
        while !self.takes("]") {
            if !items.is_empty() {
                self.needs(",", "an entry of the list")?;
            }
            let column = self.column();
            items.push(match self.side()? {
                Side::Value(value) => value,
                Side::Path(path) => path_value(&path, column)?,
                Side::Condition(_) => return fault(column, "A list holds values and paths."),
            });
        }
        let literal: Option<Vec<Value>> = items
            .iter()
            .map(|item| if let TemplateValue::Literal(value) = item { Some(value.clone()) } else { None })
            .collect();
        Ok(Side::Value(match literal {
            Some(values) => TemplateValue::Literal(Value::Array(values)),
            None => TemplateValue::List(items),
        }))
    }

    /// A path, or one of the functions.
    fn named(&mut self, name: String, column: usize) -> Read<Side> {
        if self.takes("(") {
            let inner = self.column();
            let Side::Path(path) = self.side()? else {
                return fault(inner, format!("`{name}` takes a path such as order.total."));
            };
            self.needs(")", "the path")?;
            return match name.as_str() {
                "has" => Ok(Side::Condition(leaf(path, Operator::Exists, None))),
                "size" => Ok(Side::Path(format!("{path}.length"))),
                _ => fault(
                    column,
                    format!("`{name}()` isn't one of the functions; there are has() and size()."),
                ),
            };
        }
        let mut path = name;
        loop {
            if self.takes("[") {
                path = format!("{path}.{}", self.index()?);
            } else if self.takes(".") {
                let column = self.column();
                let Word::Name(part) = self.next() else {
                    return fault(column, "A name is missing after `.`.");
                };
                if self.takes("(") {
                    return self.method(path, &part, column);
                }
                path = format!("{path}.{part}");
            } else {
                return Ok(Side::Path(path));
            }
        }
    }

    fn index(&mut self) -> Read<String> {
        let column = self.column();
        let index = match self.next() {
            Word::Value(Value::String(key)) if !key.is_empty() && !key.contains('.') => key,
            Word::Value(Value::Number(n)) if n.is_u64() => n.to_string(),
            Word::Value(_) | Word::Name(_) | Word::Sign(_) | Word::End => {
                return fault(column, "`[…]` takes a number from 0, or a name without dots in quotes.");
            }
        };
        self.needs("]", "the index")?;
        Ok(index)
    }

    fn method(&mut self, path: String, name: &str, column: usize) -> Read<Side> {
        let operator = match name {
            "contains" => Operator::Contains,
            "startsWith" => Operator::StartsWith,
            "endsWith" => Operator::EndsWith,
            "matches" => Operator::Regex,
            _ => {
                let message = format!(
                    "`.{name}()` isn't one of the functions; there are contains, startsWith, endsWith and matches."
                );
                return fault(column, message);
            }
        };
        let inner = self.column();
        let value = match self.side()? {
            Side::Value(value) => value,
            Side::Path(path) => path_value(&path, inner)?,
            Side::Condition(_) => return fault(inner, format!("`.{name}()` takes a value or a path.")),
        };
        self.needs(")", "the value")?;
        Ok(Side::Condition(leaf(path, operator, Some(value))))
    }
}

fn negative(number: &serde_json::Number, column: usize) -> Read<Side> {
    match serde_json::from_str(&format!("-{number}")) {
        Ok(number) => Ok(Side::Value(TemplateValue::Literal(Value::Number(number)))),
        Err(_) => fault(column, format!("-{number} is no number.")),
    }
}

fn leaf(field: String, operator: Operator, value: Option<TemplateValue>) -> Condition {
    Condition::Leaf(Leaf { field, operator, value })
}

/// A path as the value of another: a template.
fn path_value(path: &str, column: usize) -> Read<TemplateValue> {
    match Template::of_path(path.split('.')) {
        Some(template) => Ok(TemplateValue::Text(template)),
        None => fault(column, format!("`{path}` can't stand here; put the value into the context first.")),
    }
}

/// A side that is asked by itself.
fn alone(side: Side, column: usize) -> Read<Condition> {
    match side {
        Side::Condition(condition) => Ok(condition),
        Side::Path(path) => Ok(leaf(path, Operator::Eq, Some(TemplateValue::Literal(Value::Bool(true))))),
        Side::Value(_) => fault(column, "A value alone asks nothing; compare it with something."),
    }
}

fn compare(left: Side, operator: Operator, right: Side, column: usize, of_right: usize) -> Read<Condition> {
    let is_in = operator == Operator::In;
    match (left, right) {
        (Side::Path(field), Side::Value(TemplateValue::Literal(Value::Null)))
            if operator == Operator::Neq =>
        {
            Ok(leaf(field, Operator::Exists, None))
        }
        (Side::Path(_), Side::Value(TemplateValue::Literal(value))) if is_in && !value.is_array() => {
            fault(column, "`in` takes a list, or a path to one.")
        }
        (Side::Path(field), Side::Value(value)) => Ok(leaf(field, operator, Some(value))),
        (Side::Path(field), Side::Path(other)) => {
            Ok(leaf(field, operator, Some(path_value(&other, of_right)?)))
        }
        (Side::Value(value), Side::Path(field)) if is_in => Ok(leaf(field, Operator::Contains, Some(value))),
        (Side::Value(TemplateValue::Literal(Value::Null)), Side::Path(field))
            if operator == Operator::Neq =>
        {
            Ok(leaf(field, Operator::Exists, None))
        }
        (Side::Value(value), Side::Path(field)) => Ok(leaf(field, turned(operator), Some(value))),
        (Side::Value(_), Side::Value(_)) => fault(column, "Two values are always the same; compare a path."),
        (Side::Condition(_), Side::Path(_) | Side::Value(_) | Side::Condition(_))
        | (Side::Path(_) | Side::Value(_), Side::Condition(_)) => {
            fault(column, "A comparison can't be compared; join comparisons with && and ||.")
        }
    }
}

/// The operator with its sides exchanged.
fn turned(operator: Operator) -> Operator {
    let turned = [
        (Operator::Lt, Operator::Gt),
        (Operator::Lte, Operator::Gte),
        (Operator::Gt, Operator::Lt),
        (Operator::Gte, Operator::Lte),
    ];
    turned.iter().find(|(from, _)| *from == operator).map_or(operator, |(_, to)| *to)
}
