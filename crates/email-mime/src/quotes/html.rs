//! Quoted history in HTML.

use std::ops::Range;

use super::phrases::{
    begins_message_head, is_attribution, is_forward, is_message_head, is_original_rule,
};
use crate::{
    html::{Tag, Token, Tokens, render, to_text},
    text::head,
};

/// Elements that hold nothing but a quotation, by class.
const QUOTE_CLASSES: [&str; 10] = [
    "gmail_quote",
    "gmail_quote_container",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "moz-cite-prefix",
    "cloudmagic-smart-beacon",
    "hcl_quoted",
    "moz-signature-quote",
];
/// Elements that hold nothing but a quotation, by id.
const QUOTE_IDS: [&str; 3] = [
    "mail-editor-reference-message-container",
    "reply-intro",
    "ms-outlook-mobile-reference-message",
];
/// Elements at which a quotation begins that goes to the end.
const LAST_IDS: [&str; 4] = [
    "divRplyFwdMsg",
    "appendonsend",
    "OLK_SRC_BODY_SECTION",
    "stopSpelling",
];
/// How much is looked at to tell what begins here, in octets.
const LOOK_AHEAD: usize = 4 << 10;
/// How often that is done.
const MAX_LOOKS: usize = 50;
/// How much of a line is kept to recognise it.
const MAX_LINE: usize = 1_000;

/// What is left of `body`; tags that were open where the quotation begins are still closed.
pub(super) fn strip(body: &str) -> String {
    let mut stripper = Stripper {
        source: body,
        ..Stripper::default()
    };
    for (range, token) in Tokens::new(body) {
        match stripper.mode {
            Mode::Keeping => stripper.keep(range, token),
            Mode::Within {
                ref name,
                ref mut depth,
            } => {
                if let Token::Tag(tag) = token
                    && tag.is(name)
                {
                    *depth = if tag.closing {
                        depth.saturating_sub(1)
                    } else {
                        *depth + 1
                    };
                    if *depth == 0 {
                        stripper.mode = Mode::Keeping;
                    }
                }
            }
            Mode::ToTheEnd { ref mut depth } => match token {
                Token::Tag(tag) if tag.is_void() => {}
                Token::Tag(tag) if !tag.closing => *depth += 1,
                Token::Tag(_) if *depth == 0 => stripper.kept.push(Some(range)),
                Token::Tag(_) => *depth -= 1,
                _ => {}
            },
        }
    }
    let kept: String = stripper
        .kept
        .into_iter()
        .flatten()
        .map(|range| &body[range])
        .collect();
    let says_something = !render(&kept, 1).is_empty() || kept.to_ascii_lowercase().contains("<img");
    if says_something {
        kept
    } else {
        body.to_owned()
    }
}

#[derive(Default)]
struct Stripper<'a> {
    source: &'a str,
    /// `None`: left out after all.
    kept: Vec<Option<Range<usize>>>,
    mode: Mode,
    line: Line,
    /// The last line before `line` that says something.
    previous: Line,
    looks: usize,
}

#[derive(Default)]
enum Mode {
    #[default]
    Keeping,
    /// Within an element that is left out.
    Within { name: String, depth: usize },
    /// Everything is left out but the closing tags of what was open before.
    ToTheEnd { depth: usize },
}

/// A visible line.
#[derive(Default)]
struct Line {
    text: String,
    /// Where its text is in `kept`.
    pieces: Vec<usize>,
}

impl Stripper<'_> {
    fn keep(&mut self, range: Range<usize>, token: Token<'_>) {
        match token {
            Token::Text(text) => {
                let begins_line = self.line.text.trim().is_empty();
                if begins_line
                    && begins_message_head(&with_colon(text))
                    && self.is_message_head(range.start)
                {
                    self.mode = Mode::ToTheEnd { depth: 0 };
                    return;
                }
                self.line.pieces.push(self.kept.len());
                if self.line.text.len() < MAX_LINE {
                    self.line.text.push_str(head(text, MAX_LINE));
                }
            }
            Token::Tag(tag) => {
                if tag.breaks_line() {
                    self.end_line();
                }
                if matches!(self.mode, Mode::ToTheEnd { .. }) {
                    // The line that has just ended was the rule before a quotation.
                    if tag.closing {
                        self.kept.push(Some(range));
                    } else if !tag.is_void() {
                        self.mode = Mode::ToTheEnd { depth: 1 };
                    }
                    return;
                }
                if !tag.closing && self.quotes(tag, range.end) {
                    return;
                }
            }
            Token::Hidden => {}
        }
        self.kept.push(Some(range));
    }

    /// Leaves out what `tag` opens, if that is a quotation.
    fn quotes(&mut self, tag: Tag<'_>, content: usize) -> bool {
        let is_cite = tag.is("blockquote")
            && tag
                .attribute("type")
                .is_some_and(|t| t.eq_ignore_ascii_case("cite"));
        let id = tag.attribute("id").unwrap_or_default();
        let class = tag.attribute("class").unwrap_or_default();
        let marked = class
            .split_ascii_whitespace()
            .any(|class| QUOTE_CLASSES.contains(&class))
            || QUOTE_IDS.contains(&id);
        if LAST_IDS.contains(&id) {
            self.mode = Mode::ToTheEnd {
                depth: usize::from(!tag.is_void()),
            };
            return true;
        }
        if !is_cite && !marked && !tag.is("blockquote") {
            return false;
        }
        let introduced = is_attribution(&self.previous.visible());
        let forwarded =
            is_forward(&self.previous.text) || marked && self.begins_with_forward(content);
        if forwarded || !(is_cite || marked || introduced) {
            return false;
        }
        if introduced {
            for piece in std::mem::take(&mut self.previous).pieces {
                self.kept[piece] = None;
            }
        }
        if !tag.is_void() {
            self.mode = Mode::Within {
                name: tag.name.to_owned(),
                depth: 1,
            };
        }
        true
    }

    fn end_line(&mut self) {
        if self.line.text.trim().is_empty() {
            return;
        }
        self.previous = std::mem::take(&mut self.line);
        if self.previous.text.trim_start().starts_with("--")
            && is_original_rule(&self.previous.visible())
        {
            for piece in std::mem::take(&mut self.previous).pieces {
                self.kept[piece] = None;
            }
            self.mode = Mode::ToTheEnd { depth: 0 };
        }
    }

    fn is_message_head(&mut self, from: usize) -> bool {
        !is_forward(&self.previous.text)
            && self
                .look(from)
                .is_some_and(|text| is_message_head(text.lines()))
    }

    /// Whether a quotation marked as such holds a forwarded message: that begins with a rule.
    fn begins_with_forward(&mut self, from: usize) -> bool {
        self.look(from).is_some_and(|text| {
            let first = text.lines().next().unwrap_or_default();
            first.starts_with("--") && !is_original_rule(first) || is_forward(first)
        })
    }

    fn look(&mut self, from: usize) -> Option<String> {
        self.looks += 1;
        (self.looks <= MAX_LOOKS).then(|| to_text(head(&self.source[from..], LOOK_AHEAD)))
    }
}

impl Line {
    fn visible(&self) -> String {
        to_text(&self.text)
    }
}

/// The beginning of `text`, with a colon where `<b>From</b>:` has one outside.
fn with_colon(text: &str) -> String {
    let start = head(text.trim_start(), 80);
    if start.contains([':', '：']) {
        start.to_owned()
    } else {
        format!("{}:", start.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn quotations_of_common_programs_are_left_out() {
        for quoted in [
            "<div class=\"gmail_quote\"><div dir=ltr class=gmail_attr>On Mon, Ann wrote:<br></div>\
             <blockquote class=\"gmail_quote\"><div>old</div></blockquote></div>",
            "<blockquote type=\"cite\"><div>old<blockquote type=cite>older</blockquote></div></blockquote>",
            "<div class=\"moz-cite-prefix\">On 1/1/24, Ann wrote:<br></div><blockquote type=\"cite\">old</blockquote>",
            "<div class='yahoo_quoted' id='y1'><div>old</div></div>",
            "<p>On 1 Jan 2024, <a href='mailto:ann@x.org'>Ann</a> wrote:</p><blockquote>old</blockquote>",
        ] {
            let kept = strip(&format!("<div>Yes.</div>{quoted}<p>Bob</p>"));
            assert_eq!(
                to_text(&kept).replace("\n\n", "\n"),
                "Yes.\nBob",
                "{quoted}"
            );
        }
    }

    #[test]
    fn quotations_that_go_to_the_end_are_left_out() {
        for quoted in [
            "<div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>From:</b> A</div><div>old</div>",
            "<div style='border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Ann<br><b>Sent:</b> Monday<br>\
             <b>To:</b> Bob<br><b>Subject:</b> x</p></div><p>old</p>",
            "<p>-----Original Message-----</p><p>old</p>",
            "-----Original Message-----<br>From: Ann<br>old",
        ] {
            let kept = strip(&format!(
                "<html><body><div>Yes.<br>{quoted}</div></body></html>"
            ));
            assert_eq!(to_text(&kept), "Yes.", "{quoted}");
            assert!(kept.ends_with("</div></body></html>"), "{kept}");
        }
    }

    #[test]
    fn what_is_not_quoted_or_was_forwarded_stays() {
        for body in [
            "<p>Look:</p><blockquote>a saying</blockquote>",
            "<p>FYI</p><div class=\"gmail_quote\"><div class=gmail_attr>---------- Forwarded message ---------<br>\
             From: <b>Ann</b><br>Date: Monday<br>Subject: x<br>To: Bob<br></div>text</div>",
            "<p>FYI</p><div>Begin forwarded message:</div><br><blockquote type=cite>text</blockquote>",
            "<blockquote type=cite>only quoted</blockquote>",
            "<p>plain",
            "",
        ] {
            assert_eq!(strip(body), body);
        }
    }

    #[test]
    fn hostile_html_takes_linear_time() {
        for piece in [
            "<blockquote>",
            "<div class=gmail_quote>",
            "</div>",
            "<p>From:</p>",
            "<p>From:",
            "--<br>",
            "<b a=",
            "On 1 wrote:<blockquote>",
            "a",
            "<div id=x class=y>",
            "</b>",
        ] {
            let html = piece.repeat(100_000 / piece.len());
            let started = Instant::now();
            strip(&html);
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "{piece} {:?}",
                started.elapsed()
            );
        }
    }
}
