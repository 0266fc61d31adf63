//! Statements with named parameters: `select … where id = :id` is sent as `… where id = $1`.

use super::request_error::RequestError;
use crate::workflow::finding::escape_segment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The parameter that holds the key of the call, the same over its attempts.
pub const CALL_KEY: &str = "call_key";

/// An operation on a database, as it is written by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlOperation {
    /// Its name within the connector: a letter, then letters, digits, `_` and `-`.
    pub id: String,
    /// What it does, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// One statement; `:name` stands for the input `name`, and `:call_key` for the key of the call.
    #[schemars(length(min = 1, max = 20_000))]
    pub statement: String,
    /// The JSON Schema of its input; any map without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// Whether it only reads: it then runs in a read-only transaction.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub safe: bool,
}

/// A statement of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlStatement {
    /// The statement, as it was written.
    pub statement: String,
}

/// A statement with the values of its parameters, before the key of the call is added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlRequest {
    /// The database, as an address without user and password.
    pub database: String,
    /// The statement, as it was written.
    pub statement: String,
    /// The values of its parameters, by name.
    pub parameters: BTreeMap<String, Value>,
}

/// A statement with numbered parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedStatement {
    /// The text: `$1` for the first of the names.
    pub text: String,
    /// The names, each once, in the order of their numbers.
    pub names: Vec<String>,
    /// Its words outside of quotes and comments, in small letters.
    pub words: Vec<String>,
}

/// Why a statement can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// A text, name or comment has no end.
    #[error("what begins at character {0} has no end")]
    NoEnd(usize),
    /// There is more than one statement.
    #[error("it is more than one statement; make an operation of each")]
    Several,
    /// A colon that may be a slice's or a parameter's.
    #[error(
        "`:{0}` stands right behind a name; write a space before the colon of a slice, and none behind that of a parameter"
    )]
    Colon(String),
    /// A name with letters that a parameter can't have.
    #[error(
        "`:{0}` goes on with a letter that a parameter's name can't have; write letters from a to z, digits and `_`"
    )]
    Letter(String),
    /// Parameters have numbers.
    #[error("parameters have names; write :name instead of ${0}")]
    Numbered(String),
}

impl SqlStatement {
    /// The request that an input makes. Inputs that the statement doesn't name have no place.
    ///
    /// # Errors
    /// An input has no place in the statement, or the statement can't be used.
    pub fn request(&self, database: &str, input: &Map<String, Value>) -> Result<SqlRequest, RequestError> {
        let numbered =
            numbered(&self.statement).map_err(|error| RequestError::Statement(error.to_string()))?;
        let is_named = |name: &str| name != CALL_KEY && numbered.names.iter().any(|one| one == name);
        if let Some(name) = input.keys().find(|name| !is_named(name)) {
            let message = "the statement has no such parameter".to_owned();
            return Err(RequestError::Input { pointer: format!("/{}", escape_segment(name)), message });
        }
        let names = numbered.names.iter().filter(|name| *name != CALL_KEY);
        let value = |name: &String| (name.clone(), input.get(name).cloned().unwrap_or(Value::Null));
        Ok(SqlRequest {
            database: database.to_owned(),
            statement: self.statement.clone(),
            parameters: names.map(value).collect(),
        })
    }
}

/// A statement with its named parameters numbered. Texts, names in quotes, comments and casts (`::`) are left as they are.
///
/// # Errors
/// A text, a name or a comment has no end, or a parameter has a number.
pub fn numbered(statement: &str) -> Result<NumberedStatement, StatementFault> {
    let mut reader = Reader { rest: statement, before: ' ', ..Reader::default() };
    while !reader.rest.is_empty() {
        reader.step()?;
    }
    let mut text = reader.text;
    if let Some(end) = reader.end {
        // The one that ends the statement has no place in another that asks for its rows.
        text.replace_range(end..=end, " ");
    }
    let words = reader.bare.split(|c: char| !is_part_of_name(c)).filter(|word| !word.is_empty());
    Ok(NumberedStatement { text, names: reader.names, words: words.map(str::to_lowercase).collect() })
}

/// Reads a statement from its beginning.
#[derive(Default)]
struct Reader<'s> {
    rest: &'s str,
    /// How many characters were read.
    at: usize,
    /// The character before the rest.
    before: char,
    text: String,
    names: Vec<String>,
    /// What stands outside of quotes and comments.
    bare: String,
    /// Where in the text the `;` stands that ends the statement.
    end: Option<usize>,
}

fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl<'s> Reader<'s> {
    fn step(&mut self) -> Result<(), StatementFault> {
        let rest = self.rest;
        let Some(first) = rest.chars().next() else { return Ok(()) };
        let length = match first {
            '\'' => {
                // `E'…'` has escapes by backslashes; the letter before it is a word of its own.
                let escapes = matches!(self.before, 'e' | 'E') && !self.is_inside_name();
                self.quoted('\'', escapes)?
            }
            '"' => self.quoted('"', false)?,
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => self.comment()?,
            ':' if rest.starts_with("::") => 2,
            ':' => return self.parameter(),
            '$' if !is_part_of_name(self.before) => self.dollar()?,
            c => {
                if self.end.is_some() && !c.is_whitespace() {
                    return Err(StatementFault::Several);
                }
                if c == ';' {
                    self.end = Some(self.text.len());
                }
                self.bare.push(c);
                c.len_utf8()
            }
        };
        if length > first.len_utf8() {
            self.bare.push(' ');
        }
        self.copy(length);
        Ok(())
    }

    fn copy(&mut self, length: usize) {
        let (read, rest) = self.rest.split_at(length);
        self.text.push_str(read);
        self.at += read.chars().count();
        self.before = read.chars().last().unwrap_or(self.before);
        self.rest = rest;
    }

    /// Whether the character before the rest is the end of a longer word.
    fn is_inside_name(&self) -> bool {
        self.text.chars().rev().nth(1).is_some_and(is_part_of_name)
    }

    /// How long what stands in quotes is; a quote that is doubled is part of it.
    fn quoted(&self, quote: char, escapes: bool) -> Result<usize, StatementFault> {
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if escapes && c == '\\' {
                chars.next();
            } else if c == quote {
                match chars.peek() {
                    Some((_, next)) if *next == quote => drop(chars.next()),
                    Some(_) | None => return Ok(at + 1),
                }
            }
        }
        Err(StatementFault::NoEnd(self.at + 1))
    }

    /// How long a comment is; comments nest.
    fn comment(&self) -> Result<usize, StatementFault> {
        let (mut depth, mut at) = (0, 0);
        while at < self.rest.len() {
            let here = &self.rest[at..];
            if here.starts_with("/*") {
                (depth, at) = (depth + 1, at + 2);
            } else if here.starts_with("*/") {
                (depth, at) = (depth - 1, at + 2);
            } else {
                at += here.chars().next().map_or(1, char::len_utf8);
            }
            if depth == 0 {
                return Ok(at);
            }
        }
        Err(StatementFault::NoEnd(self.at + 1))
    }

    /// How long a text between `$tag$` is; a lone `$` is one character.
    fn dollar(&self) -> Result<usize, StatementFault> {
        let tag: &str = {
            let inner = self.rest[1..].find(|c: char| !is_part_of_name(c)).map_or(self.rest.len(), |n| n + 1);
            if self.rest[inner..].starts_with('$') { &self.rest[..=inner] } else { "" }
        };
        let digits: String = self.rest[1..].chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            return Err(StatementFault::Numbered(digits));
        }
        if tag.is_empty() {
            return Ok(1);
        }
        let end = self.rest[tag.len()..].find(tag);
        end.map(|end| end + 2 * tag.len()).ok_or(StatementFault::NoEnd(self.at + 1))
    }

    /// A parameter, or a colon that is none.
    fn parameter(&mut self) -> Result<(), StatementFault> {
        let name: &'s str = {
            let rest = &self.rest[1..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            &rest[..end]
        };
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            self.copy(1);
            return Ok(());
        }
        if is_part_of_name(self.before) || matches!(self.before, ')' | ']') {
            return Err(StatementFault::Colon(name.to_owned()));
        }
        if self.rest[1 + name.len()..].starts_with(is_part_of_name) {
            return Err(StatementFault::Letter(name.to_owned()));
        }
        let known = self.names.iter().position(|one| one == name);
        let number = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        self.text.push('$');
        self.text.push_str(&(number + 1).to_string());
        self.rest = &self.rest[1 + name.len()..];
        self.at += 1 + name.chars().count();
        self.before = 'x';
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn names_become_numbers_where_they_are_parameters() {
        for (statement, text, names) in [
            ("select :a, :b, :a", "select $1, $2, $1", vec!["a", "b"]),
            ("select ':a', \":b\", :c", "select ':a', \":b\", $1", vec!["c"]),
            ("select 'it''s :a' || :b", "select 'it''s :a' || $1", vec!["b"]),
            ("select E'\\':a' || :b", "select E'\\':a' || $1", vec!["b"]),
            ("select e'\\\\' || :b", "select e'\\\\' || $1", vec!["b"]),
            ("select 'c:\\' || :b", "select 'c:\\' || $1", vec!["b"]),
            ("select typee'\\' || :b", "select typee'\\' || $1", vec!["b"]),
            ("select :a::int, now()::date", "select $1::int, now()::date", vec!["a"]),
            ("select x[1:2], x[:n]", "select x[1:2], x[$1]", vec!["n"]),
            ("select 1 -- :a\n, :b", "select 1 -- :a\n, $1", vec!["b"]),
            ("select 1 /* :a /* :b */ :c */ , :d", "select 1 /* :a /* :b */ :c */ , $1", vec!["d"]),
            ("select $$ :a $$, $x$ :b $$ :c $x$, :d", "select $$ :a $$, $x$ :b $$ :c $x$, $1", vec!["d"]),
            ("select a$b, :c", "select a$b, $1", vec!["c"]),
            ("select :a; -- done", "select $1  -- done", vec!["a"]),
            ("select ';' ;\n", "select ';'  \n", vec![]),
            ("insert into t values (:call_key)", "insert into t values ($1)", vec!["call_key"]),
            ("", "", vec![]),
        ] {
            let found = numbered(statement).unwrap();
            assert_eq!(
                (found.text.as_str(), found.names),
                (text, names.iter().map(|n| (*n).to_owned()).collect()),
                "{statement}"
            );
        }
    }

    #[test]
    fn what_has_no_end_and_numbers_are_refused() {
        for (statement, fault) in [
            ("select 'a", StatementFault::NoEnd(8)),
            ("select \"a", StatementFault::NoEnd(8)),
            ("select /* /* */", StatementFault::NoEnd(8)),
            ("select $a$ $b$", StatementFault::NoEnd(8)),
            ("select $1", StatementFault::Numbered("1".to_owned())),
            ("select 1; delete from t", StatementFault::Several),
            ("select 1;;", StatementFault::Several),
            ("select x[lo:hi]", StatementFault::Colon("hi".to_owned())),
            ("select x[f(a):hi]", StatementFault::Colon("hi".to_owned())),
            ("select :größe", StatementFault::Letter("gr".to_owned())),
        ] {
            assert_eq!(numbered(statement), Err(fault), "{statement}");
        }
    }

    #[test]
    fn words_are_those_outside_of_quotes_and_comments() {
        let words = |statement: &str| numbered(statement).unwrap().words;
        assert_eq!(
            words("/* delete */ WITH a as (Insert into \"update\" values ('merge')) select 1 -- drop"),
            ["with", "a", "as", "insert", "into", "values", "select", "1"]
        );
    }

    #[test]
    fn an_input_fills_the_parameters_and_has_no_place_elsewhere() {
        let statement = SqlStatement { statement: "select :a, :b, :call_key".to_owned() };
        let request = |input: Value| statement.request("postgres://db:5432/shop", input.as_object().unwrap());
        let made = request(json!({ "a": 1 })).unwrap();
        assert_eq!(json!(made.parameters), json!({ "a": 1, "b": null }));
        assert!(request(json!({ "c": 1 })).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(statement in "[a-c:;$'\"/*\\-\\\\E\n é]{0,40}") {
            if let Ok(found) = numbered(&statement) {
                prop_assert_eq!(found.names.is_empty(), found.text.replace(';', " ") == statement.replace(';', " "));
            }
        }
    }
}
