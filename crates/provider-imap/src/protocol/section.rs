use std::fmt;

/// A part of a message's content, as in `BODY.PEEK[…]` (RFC 3501 section 6.4.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Section(String);

impl Section {
    /// The whole message.
    pub fn message() -> Self {
        Self(String::new())
    }

    /// The header of the message.
    pub fn header() -> Self {
        Self("HEADER".into())
    }

    /// Some fields of the header. Anything but letters, digits, `-` and `_` is left out of the names.
    pub fn header_fields(names: &[&str]) -> Self {
        let clean = |name: &&str| -> String {
            name.chars()
                .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
                .collect()
        };
        let names: Vec<String> = names.iter().map(clean).filter(|n| !n.is_empty()).collect();
        Self(format!(
            "HEADER.FIELDS ({})",
            names.join(" ").to_ascii_uppercase()
        ))
    }

    /// The body of a part by its number, like `1.2`. `None` where it is no such number.
    pub fn part(number: &str) -> Option<Self> {
        is_number(number).then(|| Self(number.into()))
    }

    /// The MIME header of a part.
    pub fn part_mime(number: &str) -> Option<Self> {
        is_number(number).then(|| Self(format!("{number}.MIME")))
    }

    /// The header of the message that a part holds.
    pub fn part_header(number: &str) -> Option<Self> {
        is_number(number).then(|| Self(format!("{number}.HEADER")))
    }

    /// Whether it is some fields of the header.
    pub(super) fn is_header_fields(&self) -> bool {
        self.0.starts_with(FIELDS)
    }

    /// Whether an answer of this name is the one to it.
    pub(super) fn is_answered_by(&self, name: &str) -> bool {
        self.0 == name || (self.is_header_fields() && name.starts_with(FIELDS))
    }
}

/// How the names of lists of header fields begin.
const FIELDS: &str = "HEADER.FIELDS ";

fn is_number(number: &str) -> bool {
    let level = |n: &str| {
        !n.is_empty()
            && n.len() < 10
            && !n.starts_with('0')
            && n.bytes().all(|b| b.is_ascii_digit())
    };
    number.len() < 500 && number.split('.').all(level)
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_section_can_be_named() {
        assert_eq!(
            Section::header_fields(&["Subject", "X\r\nA] b"]).to_string(),
            "HEADER.FIELDS (SUBJECT XAB)"
        );
        for bad in ["", "0", "1..2", "1]", "1.MIME", "1.2.", "x"] {
            assert_eq!(Section::part(bad), None, "{bad}");
        }
        assert_eq!(Section::part_mime("1.20").unwrap().to_string(), "1.20.MIME");
    }
}
