//! `$search` over messages: the keyword query language ("Use the $search query parameter").

use crate::error::ApiError;

/// What is searched for.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    /// A property, none for the default ones, how it compares, and the words.
    Term(Option<String>, &'static str, String),
}

/// What the documentation lists for messages.
const PROPERTIES: [&str; 16] = [
    "attachment",
    "bcc",
    "body",
    "cc",
    "from",
    "hasattachment",
    "hasattachments",
    "importance",
    "kind",
    "participants",
    "received",
    "recipients",
    "sent",
    "size",
    "subject",
    "to",
];
const DEEPEST: usize = 32;

impl Query {
    /// Reads the option's value, which stands in quotation marks as a whole.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let inner = text
            .trim()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .ok_or_else(|| syntax(text))?;
        let mut parser = Parser {
            tokens: tokens(inner)?,
            at: 0,
            depth: 0,
        };
        let query = parser.either()?;
        if parser.at == parser.tokens.len() {
            Ok(query)
        } else {
            Err(syntax(text))
        }
    }
}

fn syntax(text: &str) -> ApiError {
    ApiError::wrong(
        400,
        "BadRequest",
        format!("Syntax error: character is not valid in '{text}'."),
    )
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    /// A bare word, with what it compares.
    Word(String),
    Phrase(String),
}

/// Quotation marks inside are escaped with a backslash.
fn tokens(text: &str) -> Result<Vec<Token>, ApiError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('(') {
            found.push(Token::Open);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(')') {
            found.push(Token::Close);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("\\\"") {
            let (phrase, after) = after.split_once("\\\"").ok_or_else(|| syntax(text))?;
            found.push(Token::Phrase(phrase.to_owned()));
            rest = after;
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '\\' | '"'))
                .unwrap_or(rest.len());
            if end == 0 {
                return Err(syntax(text));
            }
            let (word, after) = rest.split_at(end);
            found.push(Token::Word(word.to_owned()));
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Result<Query, ApiError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(syntax(""));
        }
        let mut left = self.both()?;
        while self.word("OR") {
            left = Query::Or(Box::new(left), Box::new(self.both()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn both(&mut self) -> Result<Query, ApiError> {
        let mut left = self.unary()?;
        loop {
            let joined = self.word("AND");
            let more = match self.peek() {
                None | Some(Token::Close) => false,
                Some(Token::Word(word)) => word != "OR",
                Some(_) => true,
            };
            if !more {
                return if joined { Err(syntax("AND")) } else { Ok(left) };
            }
            left = Query::And(Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Query, ApiError> {
        if self.word("NOT") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(syntax(""));
            }
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(Query::Not(Box::new(inner)));
        }
        let token = self.peek().cloned().ok_or_else(|| syntax(""))?;
        self.at += 1;
        match token {
            Token::Open => {
                let inner = self.either()?;
                if self.peek() != Some(&Token::Close) {
                    return Err(syntax("("));
                }
                self.at += 1;
                Ok(inner)
            }
            Token::Close => Err(syntax(")")),
            Token::Phrase(phrase) => Ok(Query::Term(None, ":", phrase)),
            Token::Word(word) => self.term(&word),
        }
    }

    fn term(&mut self, word: &str) -> Result<Query, ApiError> {
        let operator = [">=", "<=", "<>", ":", "=", ">", "<"]
            .into_iter()
            .filter_map(|operator| Some((word.find(operator)?, operator)))
            .min_by_key(|(at, operator)| (*at, std::cmp::Reverse(operator.len())));
        let Some((at, operator)) = operator else {
            return Ok(Query::Term(None, ":", word.to_owned()));
        };
        let name = word[..at].to_lowercase();
        let value = &word[at + operator.len()..];
        if !PROPERTIES.contains(&name.as_str()) {
            // A colon in a word that names no property is a part of it.
            return Ok(Query::Term(None, ":", word.to_owned()));
        }
        let value = if value.is_empty() {
            match self.peek().cloned() {
                Some(Token::Phrase(phrase)) => {
                    self.at += 1;
                    phrase
                }
                _ => return Err(syntax(word)),
            }
        } else {
            value.to_owned()
        };
        Ok(Query::Term(Some(name), operator, value))
    }
}
