//! Fields with parameters: `Content-Type`, `Content-Disposition` (RFC 2045 section 5.1, RFC 2183, RFC 2231).

use mail_parser::{HeaderValue, parsers::MessageStream};

use super::words::normalise;
use crate::text::one_line;

/// Most octets of such a field that are looked at: room for any file name in the longest encoding.
const MAX_FIELD: usize = 8 << 10;

/// A value and its parameters, encodings and continuations undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameterised {
    /// `type/subtype` or a disposition, lower case.
    pub(crate) value: String,
    parameters: Vec<(String, String)>,
}

impl Parameterised {
    pub(crate) fn parse(field: &[u8]) -> Self {
        let field = normalise(&field[..field.len().min(MAX_FIELD)]);
        let parsed = MessageStream::new(field.as_bytes()).parse_content_type();
        let HeaderValue::ContentType(parsed) = parsed else {
            return Self::default();
        };
        let mut value = one_line(&parsed.c_type).to_ascii_lowercase();
        if let Some(subtype) = &parsed.c_subtype {
            value.push('/');
            value.push_str(&one_line(subtype).to_ascii_lowercase());
        }
        let parameters = parsed.attributes.unwrap_or_default();
        Self {
            value,
            parameters: parameters
                .into_iter()
                .map(|parameter| (parameter.name.into_owned(), parameter.value.into_owned()))
                .collect(),
        }
    }

    /// From a value and parameters that something else has parsed, perhaps still encoded.
    pub(crate) fn from_parts(value: &str, parameters: &[(String, String)]) -> Self {
        if let Some(plain) = Self::from_plain_parts(value, parameters) {
            return plain;
        }
        let mut field = value.to_owned();
        for (name, value) in parameters {
            field.push_str("; ");
            field.push_str(name);
            field.push('=');
            let extended = name.ends_with('*');
            let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&b);
            if extended && value.bytes().all(token) {
                field.push_str(value);
                continue;
            }
            field.push('"');
            for c in value.chars() {
                if matches!(c, '"' | '\\') {
                    field.push('\\');
                }
                field.push(c);
            }
            field.push('"');
        }
        Self::parse(field.as_bytes())
    }

    /// The same where nothing is encoded, in pieces or in need of quotes, as it nearly always is.
    fn from_plain_parts(value: &str, parameters: &[(String, String)]) -> Option<Self> {
        const MOST: usize = 8;
        const LONGEST: usize = 255;
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let words = |text: &str| !text.is_empty() && text.bytes().all(word);
        let typed = match value.split_once('/') {
            Some((kind, subtype)) => words(kind) && words(subtype),
            None => words(value),
        };
        let is_plain = |(index, (name, value)): (usize, &(String, String))| {
            let earlier = parameters[..index].iter();
            name.len().max(value.len()) <= LONGEST
                && words(name)
                && !earlier
                    .into_iter()
                    .any(|(other, _)| other.eq_ignore_ascii_case(name))
                && !value.is_empty()
                && value
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
                && !value.contains("=?")
        };
        let plain = typed
            && value.len() <= LONGEST
            && parameters.len() <= MOST
            && parameters.iter().enumerate().all(is_plain);
        plain.then(|| Self {
            value: value.to_ascii_lowercase(),
            parameters: parameters
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
                .collect(),
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_every_encoding() {
        let read = |text: &str| Parameterised::parse(text.as_bytes());
        let plain = read(" Text/HTML; Charset=\"UTF-8\";\r\n\tname=a.html");
        assert_eq!(plain.value, "text/html");
        assert_eq!(plain.get("charset"), Some("UTF-8"));
        assert_eq!(plain.get("name"), Some("a.html"));
        for encoded in [
            "attachment; filename*=UTF-8''%C3%A9%20x.pdf",
            "attachment; filename*0*=UTF-8''%C3%A9%20; filename*1=x.pdf",
            "attachment; filename=\"=?utf-8?Q?=C3=A9_x.pdf?=\"",
            "attachment; filename=\"=?utf-8?B?w6kgeA==?= =?utf-8?B?LnBkZg==?=\"",
            "attachment; filename=\"é x.pdf\"",
        ] {
            assert_eq!(read(encoded).get("filename"), Some("é x.pdf"), "{encoded}");
        }
        assert_eq!(
            read("multipart/mixed; boundary=\"=_a?=b\"").get("boundary"),
            Some("=_a?=b")
        );
        assert_eq!(read(""), Parameterised::default());
    }

    #[test]
    fn plain_parameters_are_what_the_parser_makes_of_them() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (value, parameters) in [
            (
                "TEXT/Plain",
                vec![pair("CHARSET", "UTF-8"), pair("format", "flowed")],
            ),
            (
                "multipart/signed",
                vec![
                    pair("boundary", "=_a/b:c?d(e)f,g;h"),
                    pair("micalg", "pgp-sha1"),
                ],
            ),
            (
                "application/vnd.ms-excel",
                vec![pair("name", "a@b<c>[d].xls")],
            ),
            (
                "attachment",
                vec![pair("filename", "report-1.pdf"), pair("size", "123")],
            ),
            ("inline", vec![]),
        ] {
            let fields = parameters
                .iter()
                .map(|(name, value)| format!("; {name}=\"{value}\""));
            let field = value.to_owned() + &fields.collect::<String>();
            let plain = Parameterised::from_plain_parts(value, &parameters);
            assert_eq!(
                plain,
                Some(Parameterised::parse(field.as_bytes())),
                "{field}"
            );
        }
        for (value, name, text) in [
            ("text/plain", "charset", "a b"),
            ("text/plain", "charset*", "utf-8''a"),
            ("text/plain", "name", "=?utf-8?Q?a?="),
            ("text/plain;x", "name", "a"),
            ("", "name", "a"),
            ("text/", "name", "a"),
        ] {
            assert_eq!(
                Parameterised::from_plain_parts(value, &[pair(name, text)]),
                None
            );
        }
    }

    #[test]
    fn parsed_parameters_give_the_same_as_the_field() {
        let from = |name: &str, value: &str| {
            let parameters = [(name.to_owned(), value.to_owned())];
            Parameterised::from_parts("attachment", &parameters)
                .get("filename")
                .map(str::to_owned)
        };
        assert_eq!(
            from("filename", "a \"b\"\\.txt").as_deref(),
            Some("a \"b\"\\.txt")
        );
        assert_eq!(from("FILENAME*", "utf-8''%C3%A9").as_deref(), Some("é"));
        assert_eq!(from("filename", "=?utf-8?Q?=C3=A9?=").as_deref(), Some("é"));
    }
}
