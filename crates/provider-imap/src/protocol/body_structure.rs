use bytes::Bytes;

use super::{
    envelope::Envelope,
    lexer::{Lexer, Parsed},
};

/// Levels of nesting that are taken apart; what is deeper is passed over.
const DEEPEST: usize = 100;
/// Parts of a message that are taken apart; the ones after that are passed over.
const MOST_PARTS: usize = 2000;

/// A MIME entity as BODYSTRUCTURE describes it (RFC 3501 section 7.4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyPart {
    /// Before the slash, in lower case.
    pub media_type: String,
    /// After the slash, in lower case.
    pub subtype: String,
    /// Parameters of Content-Type, as they are: RFC 2231 and 2047 not decoded.
    pub parameters: Parameters,
    /// `Content-ID:`
    pub id: Option<Bytes>,
    /// `Content-Description:`
    pub description: Option<Bytes>,
    /// `Content-Transfer-Encoding:`, in lower case; `None` for a multipart.
    pub encoding: Option<String>,
    /// Octets in that encoding; 0 for a multipart.
    pub size: u64,
    /// `Content-Disposition:` in lower case.
    pub disposition: Option<String>,
    /// Its parameters.
    pub disposition_parameters: Parameters,
    /// What it is made of.
    pub content: BodyContent,
}

/// Names in lower case, values as they are.
pub type Parameters = Vec<(String, Bytes)>;

/// What an entity is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BodyContent {
    /// A leaf.
    #[default]
    Single,
    /// Several entities.
    Multipart(Vec<BodyPart>),
    /// A message.
    Message(Box<(Envelope, BodyPart)>),
    /// Too deep or too much to take apart.
    Opaque,
}

impl BodyPart {
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        let mut room = MOST_PARTS;
        Self::parse_at(lexer, DEEPEST, &mut room)
    }

    /// The recursion is bounded by `depth`.
    fn parse_at(lexer: &mut Lexer<'_>, depth: usize, room: &mut usize) -> Parsed<Self> {
        if depth == 0 || *room == 0 {
            lexer.skip_value()?;
            return Ok(Self {
                media_type: "application".into(),
                subtype: "octet-stream".into(),
                content: BodyContent::Opaque,
                ..Self::default()
            });
        }
        *room -= 1;
        lexer.expect(b'(', "a body structure")?;
        lexer.spaces();
        let part = match lexer.peek() {
            Some(b'(') => Self::parse_multipart(lexer, depth, room)?,
            _ => Self::parse_single(lexer, depth, room)?,
        };
        // Language, location and extensions to come.
        end_of_list(lexer)?;
        Ok(part)
    }

    fn parse_multipart(lexer: &mut Lexer<'_>, depth: usize, room: &mut usize) -> Parsed<Self> {
        let mut children = Vec::new();
        while lexer.peek() == Some(b'(') {
            let child = Self::parse_at(lexer, depth - 1, room)?;
            // The section numbers of what is kept stay right: only the end is left out.
            if *room > 0 || child.content != BodyContent::Opaque {
                children.push(child);
            }
            lexer.spaces();
        }
        let mut part = Self {
            media_type: "multipart".into(),
            subtype: lower(lexer)?,
            content: BodyContent::Multipart(children),
            ..Self::default()
        };
        if more(lexer) {
            part.parameters = parameters(lexer)?;
        }
        part.parse_disposition(lexer)?;
        Ok(part)
    }

    fn parse_single(lexer: &mut Lexer<'_>, depth: usize, room: &mut usize) -> Parsed<Self> {
        let mut part = Self {
            media_type: lower(lexer)?,
            subtype: lower(lexer)?,
            ..Self::default()
        };
        lexer.spaces();
        part.parameters = parameters(lexer)?;
        lexer.spaces();
        part.id = lexer.nstring()?;
        lexer.spaces();
        part.description = lexer.nstring()?;
        part.encoding = Some(lower(lexer)?);
        lexer.spaces();
        part.size = number_or_nil(lexer)?;
        lexer.spaces();
        let is_message =
            part.media_type == "message" && matches!(&*part.subtype, "rfc822" | "global");
        if is_message && lexer.peek() == Some(b'(') {
            let envelope = Envelope::parse(lexer)?;
            lexer.spaces();
            let body = Self::parse_at(lexer, depth - 1, room)?;
            part.content = BodyContent::Message(Box::new((envelope, body)));
            lexer.spaces();
            number_or_nil(lexer)?;
        } else if part.media_type == "text" && more(lexer) {
            number_or_nil(lexer)?;
        }
        if more(lexer) {
            lexer.nstring()?; // MD5
        }
        part.parse_disposition(lexer)?;
        Ok(part)
    }

    fn parse_disposition(&mut self, lexer: &mut Lexer<'_>) -> Parsed<()> {
        if !more(lexer) || lexer.nil() {
            return Ok(());
        }
        if lexer.peek() != Some(b'(') {
            // Some servers send the bare word.
            self.disposition = lexer.nstring()?.map(|d| lower_text(&d));
            return Ok(());
        }
        lexer.expect(b'(', "a disposition")?;
        lexer.spaces();
        self.disposition = lexer.nstring()?.map(|d| lower_text(&d));
        if more(lexer) {
            self.disposition_parameters = parameters(lexer)?;
        }
        end_of_list(lexer)
    }

    /// Every entity with its section number, parents first. A multipart or a message that is the whole
    /// has no number of its own (`""`): its section is the message.
    pub fn sections(&self) -> Vec<(String, &Self)> {
        let mut found = Vec::new();
        // (prefix for children, own number, part); iterative, although the depth is bounded.
        let mut stack = vec![(self.root_section(), self)];
        while let Some((section, part)) = stack.pop() {
            match &part.content {
                BodyContent::Multipart(children) => {
                    let under = |n: usize| match section.is_empty() {
                        true => n.to_string(),
                        false => format!("{section}.{n}"),
                    };
                    let numbered = children.iter().enumerate().rev();
                    stack.extend(numbered.map(|(index, child)| (under(index + 1), child)));
                }
                BodyContent::Message(message) => {
                    // RFC 3501 section 6.4.5: a multipart inside a message shares the message's number.
                    let body = &message.1;
                    let number = match body.content {
                        BodyContent::Multipart(_) => section.clone(),
                        _ => format!("{section}.1"),
                    };
                    stack.push((number, body));
                }
                BodyContent::Single | BodyContent::Opaque => {}
            }
            found.push((section, part));
        }
        found
    }

    fn root_section(&self) -> String {
        match self.content {
            BodyContent::Multipart(_) => String::new(),
            _ => "1".into(),
        }
    }

    /// The value of a Content-Type parameter.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_ref())
    }

    /// The value of a Content-Disposition parameter.
    pub fn disposition_parameter(&self, name: &str) -> Option<&[u8]> {
        self.disposition_parameters
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_ref())
    }
}

fn more(lexer: &mut Lexer<'_>) -> bool {
    lexer.spaces();
    !matches!(lexer.peek(), Some(b')') | None)
}

fn end_of_list(lexer: &mut Lexer<'_>) -> Parsed<()> {
    while more(lexer) {
        lexer.skip_value()?;
    }
    lexer.expect(b')', "the end of a body structure")
}

fn lower(lexer: &mut Lexer<'_>) -> Parsed<String> {
    lexer.spaces();
    Ok(lexer
        .nstring()?
        .map_or(String::new(), |text| lower_text(&text)))
}

fn lower_text(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_ascii_lowercase()
}

/// Some servers send NIL for a size or a number of lines that they do not know.
fn number_or_nil(lexer: &mut Lexer<'_>) -> Parsed<u64> {
    if lexer.nil() { Ok(0) } else { lexer.number() }
}

fn parameters(lexer: &mut Lexer<'_>) -> Parsed<Parameters> {
    if lexer.nil() {
        return Ok(Vec::new());
    }
    let flat = lexer.list(Lexer::nstring)?;
    let pairs = flat.as_chunks::<2>().0.iter();
    Ok(pairs
        .filter_map(|[name, value]| {
            Some((
                lower_text(name.as_deref()?),
                value.clone().unwrap_or_default(),
            ))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed<BodyPart> {
        let input = Bytes::from(text.to_owned());
        BodyPart::parse(&mut Lexer::new(&input))
    }

    #[test]
    fn sections_are_numbered_as_in_rfc_3501() {
        // The example of section 6.4.5, shortened.
        let text = "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)";
        let multi = format!("({text}{text} \"MIXED\")");
        let message = |body: &str| {
            format!(
                "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) {body} 1)"
            )
        };
        let whole = format!(
            "({text}{}{} \"MIXED\" (\"boundary\" \"x\"))",
            message(&multi),
            message(text)
        );
        let part = parse(&whole).unwrap();
        let numbers: Vec<String> = part.sections().into_iter().map(|(n, _)| n).collect();
        assert_eq!(numbers, ["", "1", "2", "2", "2.1", "2.2", "3", "3.1"]);
        assert_eq!(part.parameter("boundary"), Some(&b"x"[..]));
        assert_eq!(parse(text).unwrap().sections()[0].0, "1");
    }

    #[test]
    fn a_disposition_is_read() {
        let part = parse("(\"image\" \"PNG\" (\"name\" \"a.png\") \"<c@d>\" NIL \"base64\" 345 NIL (\"ATTACHMENT\" (\"filename\" \"a.png\")) \"de\" \"loc\" \"new\" (1 2))").unwrap();
        assert_eq!(part.disposition.as_deref(), Some("attachment"));
        assert_eq!(part.disposition_parameter("filename"), Some(&b"a.png"[..]));
        assert_eq!(part.size, 345);
    }

    #[test]
    fn nesting_beyond_the_limit_becomes_an_opaque_leaf() {
        let leaf = "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)";
        let deep = 100_000;
        let text = "(".repeat(deep) + leaf + &" \"MIXED\")".repeat(deep);
        let part = parse(&text).unwrap();
        assert_eq!(part.sections().len(), DEEPEST + 1);
        let wide = format!("({} \"MIXED\")", leaf.repeat(10_000));
        assert_eq!(parse(&wide).unwrap().sections().len(), MOST_PARTS);
    }
}
