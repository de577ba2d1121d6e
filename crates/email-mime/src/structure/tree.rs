//! Raw bytes to a part tree, in one pass over the lines that may be boundaries.
//!
//! Boundaries are told as RFC 2046 section 5.1.1 says: by the beginning of a line. Where several open
//! multiparts' boundaries match, the longest one counts, of equal ones the innermost. A message within a
//! message is followed too, because its boundaries may begin with those around it. IMAP servers number
//! sections by these rules.

use std::ops::Range;

use email_model::PartId;

use super::{MAX_DEPTH, MAX_PARTS, Part};
use crate::headers::{
    decode_unstructured,
    fields::{Field, fields},
    parameters::Parameterised,
};

/// Most octets of a part's header that are looked at.
const MAX_PART_HEADER: usize = 64 << 10;

/// The parts of a message, the message itself first, each before those within it.
pub(crate) struct Tree<'a> {
    raw: &'a [u8],
    nodes: Vec<Node>,
    /// The parts whose end is not found yet, each within the one before.
    open: Vec<Open>,
}

struct Node {
    part: Part,
    parent: Option<usize>,
    children: Vec<usize>,
    is_multipart: bool,
    /// Header block, with the empty line.
    header: Range<usize>,
    body: Range<usize>,
}

struct Open {
    node: usize,
    /// What ends a part of this multipart. Empty: nothing, because it is no multipart or its last part has
    /// ended.
    boundary: Vec<u8>,
}

/// A boundary line.
struct Boundary {
    /// Whose, in the stack of open parts.
    owner: usize,
    /// From its dashes to its end.
    line: Range<usize>,
    /// The last one of its multipart.
    closing: bool,
}

impl<'a> Tree<'a> {
    pub(crate) fn read(raw: &'a [u8]) -> Self {
        let mut tree = Self {
            raw,
            nodes: Vec::new(),
            open: Vec::new(),
        };
        let mut next = Some(0);
        while let Some(start) = next {
            next = tree.read_part(start);
        }
        tree.close(0, raw.len());
        tree
    }

    /// Reads the part whose header begins at `start`; gives where the next one's begins.
    fn read_part(&mut self, start: usize) -> Option<usize> {
        let (body, cut) = self.end_of_header(start);
        let is_message = self.open_part(start..body);
        if is_message && cut.is_none() {
            return Some(body);
        }
        let mut found = cut.or_else(|| self.next_boundary(body));
        loop {
            let boundary = found?;
            self.close(boundary.owner + 1, self.before(boundary.line.start));
            if !boundary.closing {
                if self.nodes.len() >= MAX_PARTS {
                    self.nodes.last_mut()?.body.end = self.raw.len();
                    return None;
                }
                return Some(boundary.line.end);
            }
            // An epilogue follows, up to a boundary of those around.
            self.open[boundary.owner].boundary.clear();
            found = self.next_boundary(boundary.line.end);
        }
    }

    /// Adds a part, open from now on. Gives whether a message begins with its body.
    fn open_part(&mut self, header: Range<usize>) -> bool {
        let parent = self.open.last().map(|open| open.node);
        let in_digest =
            parent.is_some_and(|parent| self.nodes[parent].part.mime_type == "multipart/digest");
        let block = &self.raw[header.clone()];
        let (mut part, boundary) = describe(&block[..block.len().min(MAX_PART_HEADER)], in_digest);
        let may_nest = self.open.len() < MAX_DEPTH && self.nodes.len() < MAX_PARTS - 1;
        if part.is_multipart() && !may_nest {
            part.mime_type = "application/octet-stream".to_owned();
        }
        let is_multipart = part.is_multipart() && !boundary.is_empty();
        let is_message =
            may_nest && matches!(part.mime_type.as_str(), "message/rfc822" | "message/global");
        let node = self.nodes.len();
        if let Some(parent) = parent {
            self.nodes[parent].children.push(node);
        }
        let body = header.end..self.raw.len();
        self.nodes.push(Node {
            part,
            parent,
            children: Vec::new(),
            is_multipart,
            header,
            body,
        });
        self.open.push(Open {
            node,
            boundary: if is_multipart { boundary } else { Vec::new() },
        });
        is_message
    }

    /// Ends all open parts but the first `keep` at `end`.
    fn close(&mut self, keep: usize, end: usize) {
        for open in self.open.drain(keep..) {
            let body = &mut self.nodes[open.node].body;
            body.end = end.max(body.start);
        }
    }

    /// Where the body begins; and the boundary line before it, if there is no body.
    fn end_of_header(&self, start: usize) -> (usize, Option<Boundary>) {
        let mut at = start;
        while at < self.raw.len() {
            let line = self.line(at);
            match &self.raw[line.clone()] {
                b"\n" | b"\r\n" => return (line.end, None),
                [b'-', b'-', ..] => {
                    if let Some(boundary) = self.boundary(line.clone()) {
                        return (at, Some(boundary));
                    }
                }
                _ => {}
            }
            at = line.end;
        }
        (at, None)
    }

    /// `from` is the beginning of a line.
    fn next_boundary(&self, from: usize) -> Option<Boundary> {
        if self.open.iter().all(|open| open.boundary.is_empty()) {
            return None;
        }
        let mut at = from;
        loop {
            if self.raw[at..].starts_with(b"--")
                && let Some(boundary) = self.boundary(self.line(at))
            {
                return Some(boundary);
            }
            at += memchr::memmem::find(&self.raw[at..], b"\n--")? + 1;
        }
    }

    /// Whose boundary `line` is, which begins with two dashes.
    fn boundary(&self, line: Range<usize>) -> Option<Boundary> {
        let text = &self.raw[line.start + 2..line.end];
        let matching = self
            .open
            .iter()
            .enumerate()
            .filter(|(_, open)| !open.boundary.is_empty() && text.starts_with(&open.boundary));
        let (owner, open) = matching.max_by_key(|(_, open)| open.boundary.len())?;
        let closing = text[open.boundary.len()..].starts_with(b"--");
        Some(Boundary {
            owner,
            line,
            closing,
        })
    }

    /// The line at `start`, with its line break.
    fn line(&self, start: usize) -> Range<usize> {
        let rest = &self.raw[start..];
        start..start + memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)
    }

    /// The end of what precedes the line at `start`: the line break between them belongs to the boundary.
    fn before(&self, start: usize) -> usize {
        let before = &self.raw[..start];
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        before.strip_suffix(b"\r").unwrap_or(before).len()
    }

    /// The header block of the message.
    pub(crate) fn header(&self) -> &'a [u8] {
        self.nodes
            .first()
            .map_or(&[], |node| &self.raw[node.header.clone()])
    }

    /// The part at `id`, if it is no multipart, and its bytes as transported.
    pub(crate) fn find(&self, id: &PartId) -> Option<(&Part, &'a [u8])> {
        let mut node = self.nodes.first()?;
        if !node.is_leaf() {
            for number in id.as_str().split('.') {
                let children = if node.is_leaf() {
                    &[][..]
                } else {
                    &node.children
                };
                let index = number.parse::<usize>().ok()?.checked_sub(1)?;
                node = self.nodes.get(*children.get(index)?)?;
            }
        } else if id.as_str() != "1" {
            return None;
        }
        node.is_leaf()
            .then(|| (&node.part, &self.raw[node.body.clone()]))
    }

    /// The tree for [`classify`](super::classify).
    pub(crate) fn to_part(&self) -> Part {
        let mut parts: Vec<Part> = self.nodes.iter().map(Node::described).collect();
        // Children come after their parents, so that each part is complete when it is taken.
        for (index, node) in self.nodes.iter().enumerate().skip(1).rev() {
            let mut part = parts.pop().unwrap_or_default();
            part.children.reverse();
            debug_assert_eq!(parts.len(), index);
            if let Some(parent) = node
                .parent
                .filter(|&parent| self.nodes[parent].is_multipart)
            {
                parts[parent].children.push(part);
            }
        }
        let mut root = parts.pop().unwrap_or_default();
        root.children.reverse();
        root
    }
}

impl Node {
    fn is_leaf(&self) -> bool {
        !self.is_multipart || self.children.is_empty()
    }

    fn described(&self) -> Part {
        Part {
            encoded_size: Some(self.body.len() as u64),
            ..self.part.clone()
        }
    }
}

/// A part by its header, and its boundary. Of a field that is there twice, the first counts.
fn describe(header: &[u8], in_digest: bool) -> (Part, Vec<u8>) {
    let mut known: [Option<Field<'_>>; 5] = [None; 5];
    const NAMES: [&str; 5] = [
        "Content-Type",
        "Content-Disposition",
        "Content-ID",
        "Content-Location",
        "Content-Transfer-Encoding",
    ];
    for field in fields(header) {
        if let Some(index) = NAMES.iter().position(|name| field.is(name)) {
            known[index].get_or_insert(field);
        }
    }
    let [media_type, disposition, content_id, location, encoding] = known;
    let media_type = match media_type {
        Some(field) => Parameterised::parse(field.value),
        // RFC 2046 section 5.1.5.
        None if in_digest => Parameterised::parse(b"message/rfc822"),
        None => Parameterised::default(),
    };
    let disposition = disposition.map(|field| Parameterised::parse(field.value));
    let text = |field: Option<Field<'_>>| field.map(|field| decode_unstructured(field.value));
    let boundary = media_type.get("boundary").unwrap_or_default().trim_end();
    let part = Part::new(
        &media_type,
        disposition.as_ref(),
        text(content_id).as_deref(),
        text(location).as_deref(),
        text(encoding).as_deref(),
        None,
    );
    (part, boundary.as_bytes().to_vec())
}
