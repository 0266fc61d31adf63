//! How long and how deep a template may be; held before the parser sees it, whose stack then surely suffices.

use minijinja::machinery::{Token, tokenize};

/// How many characters a template may have.
pub const MAX_LENGTH: usize = 16_000;
/// How deep brackets, blocks, `not`, `-` and `else` may nest.
pub const MAX_NESTING: usize = 50;
/// How many operators, filters and dots may follow each other in one expression.
pub const MAX_CHAIN: usize = 150;
/// How much work one evaluation may take; a unit is about one operation, and all of it well under 50 ms.
pub(super) const MAX_WORK: u64 = 100_000;
/// How many bytes one evaluation may make, in all.
pub(super) const MAX_BYTES: u64 = 8 << 20;
/// How many bytes a text may have that leaves a template.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// How many macros and recursive loops may be in each other.
pub(super) const MAX_CALLS: usize = 20;
/// How many statements and expressions may be in each other, those of macros included.
pub(super) const MAX_CALL_DEPTH: usize = MAX_CHAIN + 2 * MAX_NESTING;

/// Why a template is too long or too deep, if it is.
pub(super) fn excess(source: &str) -> Option<String> {
    if source.chars().count() > MAX_LENGTH {
        return Some(format!("it has more than {MAX_LENGTH} characters"));
    }
    let mut depth = Depth::default();
    for token in tokenize(source, false, minijinja::syntax::SyntaxConfig::default()) {
        // The parser says what can't be read.
        let Ok((token, _)) = token else { return None };
        depth.take(&token);
        if depth.blocks + depth.nesting + depth.prefixes > MAX_NESTING {
            return Some(format!("it nests more than {MAX_NESTING} deep"));
        }
        if depth.chain > MAX_CHAIN {
            return Some(format!(
                "an expression in it has more than {MAX_CHAIN} operators; split it with `set`"
            ));
        }
    }
    None
}

/// An upper bound of the depth of the syntax tree at the current token.
#[derive(Default)]
struct Depth {
    /// Open blocks and their `elif`s.
    blocks: usize,
    /// How many `elif`s each open block has.
    open: Vec<usize>,
    /// Open brackets and `else`s.
    nesting: usize,
    /// `not`s in a row.
    prefixes: usize,
    /// Operators since the last comma, those around it included.
    chain: usize,
    /// What `nesting` and `chain` were when each open bracket opened.
    outer: Vec<(usize, usize)>,
    /// Whether the next identifier names a statement.
    is_statement: bool,
    /// Whether the tag is a `set` in which no `=` has come yet: without one it opens a block.
    is_open_set: bool,
}

impl Depth {
    fn take(&mut self, token: &Token<'_>) {
        let begins = std::mem::take(&mut self.is_statement);
        match token {
            Token::BlockStart | Token::VariableStart => {
                (self.nesting, self.prefixes, self.chain) = (0, 0, 0);
                self.outer.clear();
                self.is_statement = matches!(token, Token::BlockStart);
            }
            Token::BlockEnd => {
                if std::mem::take(&mut self.is_open_set) {
                    self.open_block();
                }
            }
            Token::Assign => self.is_open_set &= !self.outer.is_empty(),
            Token::Ident(word) if begins => self.statement(word),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                self.nesting += std::mem::take(&mut self.prefixes);
                self.outer.push((self.nesting, self.chain));
                self.nesting += 1;
                self.chain += 1;
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                if let Some((nesting, chain)) = self.outer.pop() {
                    self.nesting = nesting;
                    self.prefixes = 0;
                    self.chain = self.chain.max(chain + 1);
                }
            }
            Token::Comma => {
                let (nesting, chain) = self.outer.last().copied().unwrap_or_default();
                let inside = usize::from(!self.outer.is_empty());
                (self.nesting, self.prefixes, self.chain) = (nesting + inside, 0, chain + inside);
            }
            Token::Ident("not") => {
                self.prefixes += 1;
                self.chain += 1;
            }
            Token::Ident("if" | "else") => {
                self.nesting += 1;
                self.chain += 1;
            }
            Token::Ident("and" | "or" | "in" | "is")
            | Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::FloorDiv
            | Token::Pow
            | Token::Mod
            | Token::Dot
            | Token::Tilde
            | Token::Pipe
            | Token::Eq
            | Token::Ne
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte => {
                self.prefixes = 0;
                self.chain += 1;
            }
            Token::TemplateData(_)
            | Token::VariableEnd
            | Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::Colon => {}
        }
    }

    /// Counts what a statement opens or closes.
    fn statement(&mut self, word: &str) {
        match word {
            "for" | "if" | "with" | "filter" | "macro" | "call" | "block" | "autoescape" => self.open_block(),
            "set" => self.is_open_set = true,
            // The parser reads what follows as nested in the `else` of what came before.
            "elif" => {
                self.blocks += 1;
                if let Some(elifs) = self.open.last_mut() {
                    *elifs += 1;
                }
            }
            word if word.starts_with("end") => {
                let elifs = self.open.pop().unwrap_or_default();
                self.blocks = self.blocks.saturating_sub(1 + elifs);
            }
            _ => {}
        }
    }

    fn open_block(&mut self) {
        self.blocks += 1;
        self.open.push(0);
    }
}
