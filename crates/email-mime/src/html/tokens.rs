//! Tags and the text between them.

use std::ops::Range;

/// A piece of the source. All pieces together are the whole source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text, entities as they stand.
    Text(&'a str),
    /// An opening or closing tag.
    Tag(Tag<'a>),
    /// A comment, a declaration, the content of a script or style sheet.
    Hidden,
}

/// A tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// As written.
    pub(crate) name: &'a str,
    pub(crate) closing: bool,
    attributes: &'a str,
}

/// The name of an element.
pub(crate) struct Name {
    letters: [u8; 12],
    length: usize,
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}

impl<'a> Tag<'a> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The name in lower case; of a longer one than any element's, the beginning.
    pub(crate) fn lower_name(&self) -> Name {
        let mut name = Name {
            letters: [0; 12],
            length: self.name.len().min(12),
        };
        name.letters[..name.length].copy_from_slice(&self.name.as_bytes()[..name.length]);
        name.letters.make_ascii_lowercase();
        name
    }

    /// Elements without content, and so without a closing tag (HTML Living Standard section 13.1.2).
    pub(crate) fn is_void(&self) -> bool {
        matches!(
            self.lower_name().as_ref(),
            b"area"
                | b"base"
                | b"br"
                | b"col"
                | b"embed"
                | b"hr"
                | b"img"
                | b"input"
                | b"link"
                | b"meta"
                | b"source"
                | b"track"
                | b"wbr"
        )
    }

    /// The value of an attribute, entities as they stand.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.attributes;
        while !rest.is_empty() {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            let end = rest
                .find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '/')
                .unwrap_or(rest.len());
            let own = &rest[..end];
            if own.is_empty() && !rest.starts_with('=') {
                return None;
            }
            rest = rest[end..].trim_start();
            let mut value = "";
            if let Some(after) = rest.strip_prefix('=') {
                let after = after.trim_start();
                let (found, left) = match after.chars().next() {
                    Some(quote @ ('"' | '\'')) => {
                        after[1..].split_once(quote).unwrap_or((&after[1..], ""))
                    }
                    _ => after.split_at(
                        after
                            .find(|c: char| c.is_ascii_whitespace())
                            .unwrap_or(after.len()),
                    ),
                };
                (value, rest) = (found, left);
            }
            if own.eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
        None
    }
}

/// Reads a source token by token, in linear time whatever is in it.
pub(crate) struct Tokens<'a> {
    source: &'a str,
    at: usize,
    /// Once a quote in a tag proves never to be closed, quotes are not believed any more.
    believes_quotes: bool,
    /// There is no `>` ahead.
    no_more_tags: bool,
    /// The element whose content is no HTML.
    raw: Option<&'static str>,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self {
            source,
            at: 0,
            believes_quotes: true,
            no_more_tags: false,
            raw: None,
        }
    }

    /// Length of the tag that begins `rest`.
    fn tag_length(&mut self, rest: &str) -> Option<usize> {
        if self.no_more_tags {
            return None;
        }
        if self.believes_quotes {
            let bytes = rest.as_bytes();
            let mut at = 1;
            while let Some(found) = memchr::memchr3(b'>', b'"', b'\'', &bytes[at..]) {
                at += found + 1;
                let quote = bytes[at - 1];
                if quote == b'>' {
                    return Some(at);
                }
                // A quote that does not follow `=` is a stray one.
                if !rest[..at - 1].trim_end().ends_with('=') {
                    continue;
                }
                match memchr::memchr(quote, &bytes[at..]) {
                    Some(end) => at += end + 1,
                    None => {
                        self.believes_quotes = false;
                        break;
                    }
                }
            }
            if self.believes_quotes {
                self.believes_quotes = false;
            }
        }
        let end = memchr::memchr(b'>', rest.as_bytes()).map(|end| end + 1);
        self.no_more_tags = end.is_none();
        end
    }

    fn hidden(&mut self, length: usize) -> (Range<usize>, Token<'a>) {
        let start = self.at;
        self.at += length;
        (start..self.at, Token::Hidden)
    }

    fn text(&mut self, length: usize) -> (Range<usize>, Token<'a>) {
        let start = self.at;
        self.at += length;
        (start..self.at, Token::Text(&self.source[start..self.at]))
    }
}

impl<'a> Iterator for Tokens<'a> {
    /// Where a token stands, and what it is.
    type Item = (Range<usize>, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.source[self.at..];
        if rest.is_empty() {
            return None;
        }
        if let Some(element) = self.raw.take() {
            let end = end_of_raw(rest, element);
            if end > 0 {
                return Some(self.hidden(end));
            }
        }
        if !rest.starts_with('<') {
            return Some(self.text(memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len())));
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            // An unclosed comment hides the rest, as in a browser.
            let length = memchr::memmem::find(comment.as_bytes(), b"-->")
                .map_or(rest.len(), |end| 4 + end + 3);
            return Some(self.hidden(length));
        }
        let closing = rest.starts_with("</");
        let name_start = if closing { 2 } else { 1 };
        let declaration = rest.starts_with("<!") || rest.starts_with("<?");
        let letter = rest[name_start..].starts_with(|c: char| c.is_ascii_alphabetic());
        let length = if letter || declaration {
            self.tag_length(rest)
        } else {
            None
        };
        let Some(length) = length else {
            // A `<` that begins no tag.
            let end = memchr::memchr(b'<', &rest.as_bytes()[1..]).map_or(rest.len(), |end| end + 1);
            return Some(self.text(end));
        };
        if declaration {
            return Some(self.hidden(length));
        }
        let inner = &rest[name_start..length - 1];
        let name_end = inner
            .find(|c: char| c.is_ascii_whitespace() || c == '/')
            .unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(name_end);
        let tag = Tag {
            name,
            closing,
            attributes,
        };
        if !closing {
            self.raw = match tag.lower_name().as_ref() {
                b"script" => Some("script"),
                b"style" => Some("style"),
                b"title" => Some("title"),
                b"textarea" => Some("textarea"),
                b"xmp" => Some("xmp"),
                b"noembed" => Some("noembed"),
                b"noframes" => Some("noframes"),
                _ => None,
            };
        }
        let start = self.at;
        self.at += length;
        Some((start..self.at, Token::Tag(tag)))
    }
}

/// Where the closing tag of `element` begins in `rest`, else its end.
fn end_of_raw(rest: &str, element: &str) -> usize {
    let bytes = rest.as_bytes();
    let found = memchr::memmem::find_iter(bytes, b"</").find(|at| {
        let name = &bytes[at + 2..];
        name.get(..element.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()))
            && name
                .get(element.len())
                .is_none_or(|after| !after.is_ascii_alphanumeric())
    });
    found.unwrap_or(rest.len())
}
