//! Bodies: the one kind made from the other, and what a list shows of them.

use email_model::{Body, BodyType};

use crate::{html, quotes, text::head};

/// Characters of a snippet.
const SNIPPET: usize = 200;
/// How much of a body is looked at for a snippet, in octets.
const MAX_LOOKED_AT: usize = 16 << 10;

/// The body as `body_type`, converted from the other where a message has only that. `None`: no body.
pub fn body_as(body: &Body, body_type: BodyType) -> Option<String> {
    match body_type {
        BodyType::Html => body
            .html
            .clone()
            .or_else(|| body.text.as_deref().map(html::from_text)),
        BodyType::Text => body
            .text
            .clone()
            .or_else(|| body.html.as_deref().map(html::to_text)),
    }
}

/// Up to 200 characters from the beginning of the body, on one line: what the sender wrote rather than what
/// is quoted, if anything was. `None` where nothing is to be read.
pub fn snippet(body: &Body) -> Option<String> {
    let from_text = body
        .text
        .as_deref()
        .map(|text| head(text, MAX_LOOKED_AT))
        .and_then(shortened);
    from_text.or_else(|| shortened(&html::render(body.html.as_deref()?, MAX_LOOKED_AT)))
}

fn shortened(text: &str) -> Option<String> {
    let own = quotes::strip_quoted(text, BodyType::Text);
    let lines = own
        .lines()
        .filter(|line| !line.trim_start().starts_with('>'));
    one_line(lines).or_else(|| one_line(text.lines()))
}

fn one_line<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut result = String::new();
    let mut length = 0;
    for word in lines.flat_map(str::split_whitespace) {
        let shown = word.chars().filter(|&c| !is_filler(c));
        for (index, c) in shown.enumerate() {
            if index == 0 && !result.is_empty() {
                result.push(' ');
                length += 1;
            }
            if length >= SNIPPET {
                return Some(result.trim_end().to_owned());
            }
            result.push(c);
            length += 1;
        }
    }
    (!result.is_empty()).then_some(result)
}

/// Invisible characters with which newsletters fill up what a list shows.
fn is_filler(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Body {
        Body {
            text: Some(text.to_owned()),
            html: None,
        }
    }

    fn html(html: &str) -> Body {
        Body {
            text: None,
            html: Some(html.to_owned()),
        }
    }

    #[test]
    fn the_missing_kind_is_made_from_the_other() {
        let plain = text("a < b");
        assert_eq!(body_as(&plain, BodyType::Text).as_deref(), Some("a < b"));
        assert_eq!(
            body_as(&plain, BodyType::Html).as_deref(),
            Some("<div>a &lt; b</div>")
        );
        let rich = html("<p>a &lt; b</p>");
        assert_eq!(
            body_as(&rich, BodyType::Html).as_deref(),
            Some("<p>a &lt; b</p>")
        );
        assert_eq!(body_as(&rich, BodyType::Text).as_deref(), Some("a < b"));
        assert_eq!(body_as(&Body::default(), BodyType::Text), None);
    }

    #[test]
    fn a_snippet_is_one_line_of_200_characters() {
        assert_eq!(snippet(&text(" a\r\n\tb  c\n")).as_deref(), Some("a b c"));
        let long = snippet(&text(&"wörd ".repeat(1_000))).unwrap();
        assert_eq!(long.chars().count(), 199);
        assert_eq!(snippet(&text(" \n ")), None);
        assert_eq!(snippet(&Body::default()), None);
    }

    #[test]
    fn a_snippet_prefers_what_was_written_over_what_was_quoted() {
        assert_eq!(
            snippet(&text("> old\n> more\n\nyes!")).as_deref(),
            Some("yes!")
        );
        assert_eq!(
            snippet(&text("yes\n\nOn Monday 1, Ann wrote:\n> old")).as_deref(),
            Some("yes")
        );
        assert_eq!(
            snippet(&text("> only\n> quoted")).as_deref(),
            Some("> only > quoted")
        );
    }

    #[test]
    fn a_snippet_of_html_shows_no_code() {
        let newsletter = "<style>a{}</style><div style='display:none'>Hi&#847;&zwnj;&nbsp;&shy;there</div>\
            <script>x()</script><blockquote>old</blockquote>";
        assert_eq!(snippet(&html(newsletter)).as_deref(), Some("Hi there"));
        let blank_text = Body {
            text: Some(" ".into()),
            html: Some("<p>x".into()),
        };
        assert_eq!(snippet(&blank_text).as_deref(), Some("x"));
    }
}
