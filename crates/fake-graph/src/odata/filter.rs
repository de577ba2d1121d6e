//! `$filter` ("Use the $filter query parameter").

use crate::encoding::parse_instant;
use crate::error::ApiError;
use crate::tables::{Kind, members};

use super::resolve;

#[derive(Clone, Debug)]
pub(crate) enum Expr {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Vec<String>, Operator, Literal),
    In(Vec<String>, Vec<Literal>),
    /// `contains`, `startswith`, `endswith`.
    Call(&'static str, Vec<String>, String),
    /// A collection, and what holds for one of its members.
    Any(Vec<String>, Box<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(f64),
    Bool(bool),
    Instant(i64),
    Null,
}

const FUNCTIONS: [&str; 3] = ["contains", "startswith", "endswith"];
/// Properties of a message that the store does not filter by.
const UNFILTERABLE: [&str; 6] = [
    "body",
    "uniqueBody",
    "bodyPreview",
    "webLink",
    "internetMessageHeaders",
    "conversationIndex",
];
const DEEPEST: usize = 32;

impl Expr {
    /// Reads a filter over a type.
    pub fn parse(text: &str, type_name: &str) -> Result<Self, ApiError> {
        let mut parser = Parser {
            rest: text.trim(),
            scope: vec![(None, type_name.to_owned())],
            depth: 0,
        };
        let expr = parser.either()?;
        if parser.rest.is_empty() {
            Ok(expr)
        } else {
            Err(parser.problem())
        }
    }

    /// The properties that it names, in order.
    pub fn properties(&self) -> Vec<&[String]> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                let mut names = left.properties();
                names.extend(right.properties());
                names
            }
            Self::Not(inner) => inner.properties(),
            Self::Compare(path, ..)
            | Self::In(path, _)
            | Self::Call(_, path, _)
            | Self::Any(path, _) => vec![path],
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    /// Variables and their types; the first is the item itself.
    scope: Vec<(Option<String>, String)>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn problem(&self) -> ApiError {
        let near: String = self.rest.chars().take(20).collect();
        ApiError::wrong(
            400,
            "BadRequest",
            format!("Invalid filter clause near '{near}'."),
        )
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn symbol(&mut self, symbol: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: char) -> Result<(), ApiError> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(self.problem())
        }
    }

    fn word(&mut self) -> &'a str {
        self.skip();
        let end = self
            .rest
            .find(|c: char| {
                !(c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | ':' | '+' | '@'))
            })
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        if self.word() == keyword {
            return true;
        }
        self.rest = before;
        false
    }

    fn either(&mut self) -> Result<Expr, ApiError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.problem());
        }
        let mut left = self.both()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.both()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn both(&mut self) -> Result<Expr, ApiError> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, ApiError> {
        if self.keyword("not") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.problem());
            }
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.symbol('(') {
            let inner = self.either()?;
            self.expect(')')?;
            return Ok(inner);
        }
        self.term()
    }

    fn term(&mut self) -> Result<Expr, ApiError> {
        let word = self.word();
        if let Some(function) = FUNCTIONS.into_iter().find(|name| *name == word)
            && self.symbol('(')
        {
            return self.call(function);
        }
        if let Some(collection) = word.strip_suffix("/any")
            && self.symbol('(')
        {
            return self.any(collection);
        }
        let (path, kind) = self.path(word)?;
        if self.keyword("in") {
            self.expect('(')?;
            let mut literals = vec![self.literal(kind)?];
            while self.symbol(',') {
                literals.push(self.literal(kind)?);
            }
            self.expect(')')?;
            return Ok(Expr::In(path, literals));
        }
        let before = self.rest;
        let operator = match self.word() {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            _ if kind == Kind::Bool => {
                self.rest = before;
                return Ok(Expr::Compare(path, Operator::Eq, Literal::Bool(true)));
            }
            _ => return Err(self.problem()),
        };
        let literal = self.literal(kind)?;
        Ok(Expr::Compare(path, operator, literal))
    }

    fn call(&mut self, function: &'static str) -> Result<Expr, ApiError> {
        let word = self.word();
        let (path, kind) = self.path(word)?;
        self.expect(',')?;
        let Literal::Text(text) = self.literal(kind)? else {
            return Err(self.problem());
        };
        self.expect(')')?;
        // `contains(…) eq true` is the same.
        if self.keyword("eq") && !self.keyword("true") {
            return Err(self.problem());
        }
        Ok(Expr::Call(function, path, text))
    }

    fn any(&mut self, collection: &str) -> Result<Expr, ApiError> {
        let (path, kind) = self.path(collection)?;
        let Kind::List(member) = kind else {
            return Err(ApiError::parse("'any' needs a collection."));
        };
        self.skip();
        let Some((variable, rest)) = self.rest.split_once(':') else {
            return Err(self.problem());
        };
        self.rest = rest;
        let variable = variable.trim().to_owned();
        let held = match member {
            Kind::Of(name) => (*name).to_owned(),
            _ => String::new(),
        };
        self.scope.push((Some(variable), held));
        let inner = self.either()?;
        self.scope.pop();
        self.expect(')')?;
        Ok(Expr::Any(path, Box::new(inner)))
    }

    fn path(&self, word: &str) -> Result<(Vec<String>, Kind), ApiError> {
        let mut path: Vec<String> = word.split('/').map(str::to_owned).collect();
        let known = self
            .scope
            .iter()
            .rev()
            .find(|(name, _)| name.is_some() && *name == path.first().cloned());
        let type_name = match known {
            Some((_, type_name)) => {
                path.remove(0);
                type_name.as_str()
            }
            None => self.scope.first().map_or("", |(_, name)| name),
        };
        if path.is_empty() {
            return Ok((path, Kind::String));
        }
        let kind = resolve(type_name, &path)?;
        let first = path.first().map(String::as_str).unwrap_or_default();
        if type_name == "message" && UNFILTERABLE.contains(&first) {
            return Err(ApiError::wrong(
                400,
                "ErrorInvalidProperty",
                format!("The property '{first}' does not support filtering."),
            ));
        }
        Ok((path, kind))
    }

    fn literal(&mut self, kind: Kind) -> Result<Literal, ApiError> {
        self.skip();
        let literal = if self.rest.starts_with('\'') {
            Literal::Text(self.quoted()?)
        } else {
            match self.word() {
                "" => return Err(self.problem()),
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                word => match (word.parse::<f64>(), parse_instant(word)) {
                    (Ok(number), _) => Literal::Number(number),
                    (_, Some(ms)) => Literal::Instant(ms),
                    _ => return Err(self.problem()),
                },
            }
        };
        let fits = match (&literal, kind) {
            (Literal::Text(text), Kind::Enum(name)) => members(name).contains(&text.as_str()),
            (Literal::Null, _)
            | (Literal::Text(_), Kind::String | Kind::Guid)
            | (Literal::Bool(_), Kind::Bool)
            | (Literal::Instant(_), Kind::DateTime)
            | (Literal::Number(_), Kind::Int32 | Kind::Int64) => true,
            _ => false,
        };
        if fits {
            return Ok(literal);
        }
        Err(ApiError::wrong(
            400,
            "BadRequest",
            "A binary operator with incompatible types was detected.",
        ))
    }

    /// A string; a quotation mark in it is doubled.
    fn quoted(&mut self) -> Result<String, ApiError> {
        let mut text = String::new();
        let mut rest = self.rest.get(1..).unwrap_or_default();
        loop {
            let Some((piece, after)) = rest.split_once('\'') else {
                return Err(self.problem());
            };
            text.push_str(piece);
            match after.strip_prefix('\'') {
                Some(more) => {
                    text.push('\'');
                    rest = more;
                }
                None => {
                    self.rest = after;
                    return Ok(text);
                }
            }
        }
    }
}
