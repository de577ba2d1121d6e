//! From text to conditions.

use super::term::{Subject, Term};
use crate::content::tokens;

/// The words before a colon that mean something.
const OPERATORS: [&str; 19] = [
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "filename",
    "in",
    "is",
    "label",
    "category",
    "has",
    "after",
    "newer",
    "before",
    "older",
    "larger",
    "size",
    "smaller",
    "rfc822msgid",
];
/// Groups nest no deeper.
const DEEPEST: usize = 10;

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Is(Term),
}

impl Query {
    /// Every text is a search; what is no operator is a word.
    pub fn parse(text: &str) -> Self {
        let mut parser = Parser { rest: text };
        Self(parser.group(None, 0))
    }

    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.0.matches(subject)
    }

    /// Whether it names spam or trash, which lists leave out otherwise.
    pub fn reaches_spam_trash(&self) -> bool {
        self.0.reaches_spam_trash()
    }
}

impl Node {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.matches(subject)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(subject)),
            Self::Not(node) => !node.matches(subject),
            Self::Is(term) => term.matches(subject),
        }
    }

    fn reaches_spam_trash(&self) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::reaches_spam_trash),
            Self::Not(_) => false,
            Self::Is(term) => term.reaches_spam_trash(),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    /// Reads conditions up to a closing bracket or the end; those in braces are alternatives.
    fn group(&mut self, close: Option<char>, depth: usize) -> Node {
        let mut nodes: Vec<Node> = Vec::new();
        let mut alternative = false;
        loop {
            self.rest = self.rest.trim_start();
            let Some(first) = self.rest.chars().next() else {
                break;
            };
            if matches!(first, ')' | '}') {
                self.rest = &self.rest[1..];
                if close.is_some() {
                    break;
                }
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix("OR")
                && rest.starts_with(char::is_whitespace)
            {
                self.rest = rest;
                alternative = !nodes.is_empty();
                continue;
            }
            let node = self.item(depth);
            match nodes.last_mut() {
                Some(last) if alternative => match last {
                    Node::Any(options) => options.push(node),
                    other => {
                        let earlier = std::mem::replace(other, Node::Any(Vec::new()));
                        *other = Node::Any(vec![earlier, node]);
                    }
                },
                _ => nodes.push(node),
            }
            alternative = false;
        }
        if close == Some('}') {
            Node::Any(nodes)
        } else {
            Node::All(nodes)
        }
    }

    fn item(&mut self, depth: usize) -> Node {
        if let Some(rest) = self.rest.strip_prefix('-')
            && !rest.is_empty()
            && !rest.starts_with(char::is_whitespace)
        {
            self.rest = rest;
            return Node::Not(Box::new(self.item(depth)));
        }
        for (open, close) in [('(', ')'), ('{', '}')] {
            if let Some(rest) = self.rest.strip_prefix(open) {
                self.rest = rest;
                if depth >= DEEPEST {
                    return Node::All(Vec::new());
                }
                return self.group(Some(close), depth + 1);
            }
        }
        if self.rest.starts_with('"') {
            let phrase = self.quoted();
            return Node::Is(Term::Words(tokens(&phrase)));
        }
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || "(){}\":".contains(c))
            .unwrap_or(self.rest.len());
        let (name, after) = self.rest.split_at(end);
        let name = name.to_lowercase();
        if let Some(value) = after.strip_prefix(':')
            && OPERATORS.contains(&name.as_str())
        {
            self.rest = value;
            return self.operator(&name, depth);
        }
        let word_end = self
            .rest
            .find(|c: char| c.is_whitespace() || "(){}\"".contains(c))
            .unwrap_or(self.rest.len())
            .max(1);
        let (word, rest) = self.rest.split_at(word_end);
        self.rest = rest;
        Node::Is(Term::Words(tokens(word)))
    }

    /// The value of an operator: a word, a phrase, or a group of values.
    fn operator(&mut self, name: &str, depth: usize) -> Node {
        if let Some(rest) = self.rest.strip_prefix('(')
            && depth < DEEPEST
        {
            self.rest = rest;
            let inside = self.until(')');
            let values: Vec<Node> = inside
                .split_whitespace()
                .map(|value| leaf(name, value.trim_matches('"')))
                .collect();
            return Node::All(values);
        }
        let value = if self.rest.starts_with('"') {
            self.quoted()
        } else {
            let end = self
                .rest
                .find(|c: char| c.is_whitespace() || "(){}".contains(c))
                .unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            value.to_owned()
        };
        leaf(name, &value)
    }

    fn quoted(&mut self) -> String {
        self.rest = &self.rest[1..];
        self.until('"')
    }

    fn until(&mut self, close: char) -> String {
        let (inside, rest) = self.rest.split_once(close).unwrap_or((self.rest, ""));
        self.rest = rest;
        inside.to_owned()
    }
}

/// An operator's condition; one of an unknown kind is words.
fn leaf(name: &str, value: &str) -> Node {
    let term = Term::of_operator(name, value)
        .unwrap_or_else(|| Term::Words(tokens(&format!("{name} {value}"))));
    Node::Is(term)
}
