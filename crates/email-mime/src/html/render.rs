//! HTML as plain text: what would be seen, in lines.

use mail_parser::decoders::html::add_html_token;

use super::{Tag, Token, Tokens};
use crate::charset;

/// Deepest quotation that is marked line by line.
const MAX_QUOTE_MARKS: usize = 5;
/// Longest entity, with `&` and `;` (the longest name of the standard has 31 letters).
const MAX_ENTITY: usize = 34;

/// What a tag does to lines of text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    None,
    /// A line break of its own.
    Break,
    /// A new line.
    Line,
    /// An empty line.
    Paragraph,
    /// A new cell of a table.
    Cell,
}

impl Tag<'_> {
    fn effect(&self) -> Effect {
        match self.lower_name().as_ref() {
            b"br" => Effect::Break,
            b"p" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"blockquote" | b"ul"
            | b"ol" | b"pre" | b"dl" | b"table" => Effect::Paragraph,
            b"div" | b"tr" | b"li" | b"hr" | b"dt" | b"dd" | b"section" | b"article"
            | b"header" | b"footer" | b"main" | b"nav" | b"aside" | b"address" | b"center"
            | b"form" | b"figure" | b"body" => Effect::Line,
            b"td" | b"th" => Effect::Cell,
            _ => Effect::None,
        }
    }

    /// Whether what follows is on another line.
    pub(crate) fn breaks_line(&self) -> bool {
        matches!(
            self.effect(),
            Effect::Break | Effect::Line | Effect::Paragraph
        )
    }
}

/// All of it.
pub(crate) fn to_text(html: &str) -> String {
    render(html, usize::MAX)
}

/// At least the first `enough` octets of the text, if there are as many. Quotations are marked with `>`.
pub(crate) fn render(html: &str, enough: usize) -> String {
    let mut writer = Writer {
        out: String::with_capacity(html.len().min(enough) / 2),
        ..Writer::default()
    };
    for (_, token) in Tokens::new(html) {
        match token {
            Token::Text(text) => writer.text(text),
            Token::Tag(tag) => writer.tag(tag),
            Token::Hidden => {}
        }
        if writer.out.len() >= enough {
            break;
        }
    }
    writer.out
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Line breaks to be written before the next character.
    breaks: usize,
    space: bool,
    quotes: usize,
    preformatted: usize,
    item: bool,
}

impl Writer {
    fn tag(&mut self, tag: Tag<'_>) {
        match tag.effect() {
            Effect::None => {}
            Effect::Break => {
                self.breaks = (self.breaks + 1).min(2);
                self.space = false;
            }
            Effect::Line => self.line_break(1),
            Effect::Paragraph => self.line_break(2),
            Effect::Cell => self.space = true,
        }
        let step = |count: usize| {
            if tag.closing {
                count.saturating_sub(1)
            } else {
                count + 1
            }
        };
        if tag.is("blockquote") {
            self.quotes = step(self.quotes);
        } else if tag.is("pre") {
            self.preformatted = step(self.preformatted);
        } else if tag.is("li") {
            self.item = !tag.closing;
        }
    }

    fn line_break(&mut self, count: usize) {
        self.breaks = self.breaks.max(count);
        self.space = false;
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            self.literal(&rest[..at]);
            rest = &rest[at..];
            let end = rest
                .bytes()
                .take(MAX_ENTITY)
                .position(|b| b == b';')
                .map(|end| end + 1);
            match end.and_then(|end| entity(&rest[..end])) {
                Some(c) => self.character(c),
                None => {
                    self.character('&');
                    rest = &rest[1..];
                    continue;
                }
            }
            rest = &rest[end.unwrap_or(1)..];
        }
        self.literal(rest);
    }

    fn literal(&mut self, text: &str) {
        text.chars().for_each(|c| self.character(c));
    }

    fn character(&mut self, c: char) {
        if self.preformatted > 0 && c == '\n' {
            self.breaks += 1;
            self.space = false;
        } else if c.is_whitespace() && (self.preformatted == 0 || c == '\r') {
            self.space = true;
        } else if !c.is_control() {
            self.begin();
            self.out.push(c);
        } else if c == '\t' {
            self.begin();
            self.out.push(' ');
        }
    }

    /// Writes what had to wait for a visible character.
    fn begin(&mut self) {
        if self.out.is_empty() || self.breaks > 0 {
            if !self.out.is_empty() {
                self.out.extend(std::iter::repeat_n('\n', self.breaks));
            }
            for _ in 0..self.quotes.min(MAX_QUOTE_MARKS) {
                self.out.push_str("> ");
            }
        } else if self.space {
            self.out.push(' ');
        }
        if std::mem::take(&mut self.item) {
            self.out.push_str("- ");
        }
        self.breaks = 0;
        self.space = false;
    }
}

/// The character of an entity, from its `&` to its `;`.
fn entity(written: &str) -> Option<char> {
    let name = written.strip_prefix('&')?.strip_suffix(';')?;
    let Some(number) = name.strip_prefix('#') else {
        let mut decoded = String::new();
        add_html_token(&mut decoded, written.as_bytes(), false);
        let mut chars = decoded.chars();
        return chars.next().filter(|_| chars.next().is_none());
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    match code.ok()? {
        // HTML Living Standard section 13.2.5.80: these mean what they mean in windows-1252.
        code @ 0x80..=0x9f => charset::guess(&[code as u8]).chars().next(),
        code => char::from_u32(code),
    }
}
