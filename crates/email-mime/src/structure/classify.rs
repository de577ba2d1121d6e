//! Body text or attachment: the rules of RFC 8621 section 4.1.4, with three differences. Only plain text
//! and HTML are body, so that pictures always come as attachments; a part with a file name is an
//! attachment even where it comes first, unless it is an alternative or the whole message; and other
//! alternatives of the body (calendar, AMP) are inline, since they are the same content once more.

use email_model::{Attachment, PartId};

use super::{MAX_DEPTH, MAX_PARTS, Part, Structure, TextPart, meeting_method};

/// Most parts joined to a body; any more are attachments.
const MAX_BODY_PARTS: usize = 50;

/// Sorts the parts of a message. Not recursive; depth and number of parts are capped at
/// [`MAX_DEPTH`] and [`MAX_PARTS`].
pub fn classify(root: &Part) -> Structure {
    let mut sorting = Sorting {
        structure: Structure::default(),
        parts: 0,
    };
    if !root.is_multipart() || root.children.is_empty() {
        let context = Context {
            is_root: true,
            ..Context::default()
        };
        sorting.leaf(root, &[1], &context, &mut Wanted::BOTH.clone());
        return sorting.structure;
    }
    let mut stack = vec![Frame::open(root, false, Wanted::BOTH, &sorting.structure)];
    let mut path: Vec<u32> = Vec::new();
    while let Some(frame) = stack.last_mut() {
        let index = frame.next;
        let Some(child) = frame
            .part
            .children
            .get(index)
            .filter(|_| sorting.parts < MAX_PARTS)
        else {
            frame.close(&mut sorting.structure);
            stack.pop();
            path.pop();
            continue;
        };
        frame.next += 1;
        path.push(u32::try_from(frame.next).unwrap_or(u32::MAX));
        sorting.parts += 1;
        if child.is_multipart() && !child.children.is_empty() && path.len() < MAX_DEPTH {
            let inner = Frame::open(
                child,
                frame.in_alternative,
                frame.wanted,
                &sorting.structure,
            );
            stack.push(inner);
            continue;
        }
        let context = Context {
            is_root: false,
            is_first: index == 0,
            parent: frame.subtype(),
            in_alternative: frame.in_alternative,
        };
        let mut wanted = frame.wanted;
        sorting.leaf(child, &path, &context, &mut wanted);
        frame.wanted = wanted;
        path.pop();
    }
    sorting.structure
}

/// Which bodies a part may still be added to: beside an alternative's plain text stands no HTML of its own.
#[derive(Clone, Copy)]
struct Wanted {
    text: bool,
    html: bool,
}

impl Wanted {
    const BOTH: Self = Self {
        text: true,
        html: true,
    };
}

struct Frame<'a> {
    part: &'a Part,
    next: usize,
    in_alternative: bool,
    wanted: Wanted,
    text_before: usize,
    html_before: usize,
}

impl<'a> Frame<'a> {
    fn open(part: &'a Part, in_alternative: bool, wanted: Wanted, so_far: &Structure) -> Self {
        Self {
            part,
            next: 0,
            in_alternative: in_alternative || part.mime_type == "multipart/alternative",
            wanted,
            text_before: so_far.text.len(),
            html_before: so_far.html.len(),
        }
    }

    fn subtype(&self) -> &'a str {
        self.part
            .mime_type
            .strip_prefix("multipart/")
            .unwrap_or_default()
    }

    /// Where an alternative has only one of the two, that one stands for the other.
    fn close(&self, structure: &mut Structure) {
        if self.subtype() != "alternative" || !self.wanted.text || !self.wanted.html {
            return;
        }
        let text_grew = structure.text.len() > self.text_before;
        let html_grew = structure.html.len() > self.html_before;
        if html_grew && !text_grew {
            let only = structure.html[self.html_before..].to_vec();
            structure.text.extend(only);
        } else if text_grew && !html_grew {
            let only = structure.text[self.text_before..].to_vec();
            structure.html.extend(only);
        }
    }
}

#[derive(Default)]
struct Context<'a> {
    is_root: bool,
    is_first: bool,
    /// Subtype of the multipart around.
    parent: &'a str,
    in_alternative: bool,
}

struct Sorting {
    structure: Structure,
    parts: usize,
}

impl Sorting {
    fn leaf(&mut self, part: &Part, path: &[u32], context: &Context<'_>, wanted: &mut Wanted) {
        let id = PartId::from_path(path);
        // A multipart that could not be taken apart: what a mail reader shows is its source.
        let is_plain = part.mime_type == "text/plain"
            || part.is_multipart() && part.children.is_empty() && path.len() < MAX_DEPTH;
        let is_html = part.mime_type == "text/html";
        let alternative = context.parent == "alternative";
        let readable = (is_plain || is_html)
            && part.disposition.as_deref() != Some("attachment")
            && (context.is_root || alternative || part.file_name.is_none())
            && (context.is_root || alternative || context.is_first || context.parent != "related")
            && self.structure.text.len().max(self.structure.html.len()) < MAX_BODY_PARTS;
        let text_part = TextPart {
            part: id.clone(),
            is_html,
            charset: part.charset.clone(),
            encoding: part.encoding,
            encoded_size: part.encoded_size,
        };
        if !readable {
            self.attach(part, id, text_part, context);
            return;
        }
        let (mut to_text, mut to_html) = (wanted.text, wanted.html);
        if alternative {
            (to_text, to_html) = (is_plain, is_html);
        } else if context.in_alternative {
            // Within an alternative, plain text speaks for the plain body and HTML for the other.
            wanted.text &= is_plain;
            wanted.html &= is_html;
            (to_text, to_html) = (wanted.text, wanted.html);
        }
        if !to_text && !to_html {
            self.attach(part, id, text_part, context);
            return;
        }
        if to_text {
            self.structure.text.push(text_part.clone());
        }
        if to_html {
            self.structure.html.push(text_part);
        }
    }

    fn attach(&mut self, part: &Part, id: PartId, text_part: TextPart, context: &Context<'_>) {
        if part.mime_type == "text/calendar" {
            self.structure.calendar.get_or_insert(text_part);
            if self.structure.meeting_method.is_none() {
                self.structure.meeting_method = part.method.as_deref().map(meeting_method);
            }
        }
        let attached = part.disposition.as_deref() == Some("attachment");
        let same_once_more = context.parent == "alternative" && part.file_name.is_none();
        let shown_within = context.parent == "related" && part.content_id.is_some();
        self.structure.attachments.push(Attachment {
            part: id,
            name: part.file_name.clone(),
            mime_type: match part.is_multipart() {
                true => "application/octet-stream".to_owned(),
                false => part.mime_type.clone(),
            },
            size: part.encoded_size.map(|size| part.encoding.estimate(size)),
            inline: !attached && (same_once_more || shown_within),
            content_id: part.content_id.clone(),
            content_location: part.content_location.clone(),
        });
    }
}
