//! MIME parts: a header block with its body.

use rand::Rng;

use super::charset::Charset;
use super::encode::{file_name, wrapped_base64};
use super::{Corpus, vocabulary};

/// `Content-` header lines, without the blank line that ends a header, and the body.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) header: String,
    pub(super) body: Vec<u8>,
}

impl Part {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.header.as_bytes());
        out.extend(b"\r\n");
        out.extend(&self.body);
    }
}

impl Corpus {
    /// Text of about `size` bytes; `html` says which subtype.
    pub(super) fn text(&mut self, charset: usize, size: usize, html: bool) -> Part {
        let charset = &self.charsets[charset];
        let transfer = match self.rng.random_range(0..10) {
            _ if charset.is_7bit() => "7bit",
            0..3 => "base64",
            3..5 => "8bit",
            _ => "quoted-printable",
        };
        let quoted = transfer == "quoted-printable";
        let paragraphs = if quoted {
            &charset.quoted
        } else {
            &charset.plain
        };
        let (open, close): (&[u8], &[u8]) = match (html, quoted) {
            (false, _) => (b"", b"\r\n"),
            (true, true) => (b"<p style=3D\"margin:0\">\r\n", b"</p>\r\n"),
            (true, false) => (b"<p style=\"margin:0\">\r\n", b"</p>\r\n"),
        };
        // Base64 adds a third.
        let size = if transfer == "base64" {
            size * 3 / 4
        } else {
            size
        };
        let mut body = Vec::with_capacity(size + 2_000);
        if html {
            body.extend(b"<html><body>\r\n");
        }
        loop {
            let rest = size.saturating_sub(body.len());
            let paragraph = &paragraphs[self.rng.random_range(0..paragraphs.len())];
            body.extend(open);
            body.extend(if rest < paragraph.len() {
                first_line(paragraph)
            } else {
                paragraph
            });
            body.extend(close);
            if body.len() >= size {
                break;
            }
        }
        if html {
            body.extend(b"</body></html>\r\n");
        }
        let subtype = if html { "html" } else { "plain" };
        Part {
            header: format!(
                "Content-Type: text/{subtype}; charset={}\r\nContent-Transfer-Encoding: {transfer}\r\n",
                charset.label
            ),
            body: if transfer == "base64" {
                wrapped_base64(&body)
            } else {
                body
            },
        }
    }

    /// Base64 of about `size` bytes: a slice of the noise, or several.
    fn attached_bytes(&mut self, size: usize) -> Vec<u8> {
        let lines = self.noise.len() / 78;
        let mut body = Vec::with_capacity(size + 78);
        while body.len() < size {
            let count = ((size - body.len()) / 78 + 1).min(lines / 2);
            let start = self.rng.random_range(0..lines - count);
            body.extend(&self.noise[start * 78..(start + count) * 78]);
        }
        body
    }

    pub(super) fn attachment(&mut self, size: usize) -> Part {
        let (name, kind) = vocabulary::FILES[self.rng.random_range(0..vocabulary::FILES.len())];
        let utf8 = self.utf8().clone();
        let parameter = file_name(&mut self.rng, &utf8, name);
        Part {
            header: format!(
                "Content-Type: {kind}\r\nContent-Disposition: attachment;\r\n {parameter}\r\nContent-Transfer-Encoding: base64\r\n"
            ),
            body: self.attached_bytes(size),
        }
    }

    pub(super) fn inline_image(&mut self, size: usize, content_id: &str) -> Part {
        Part {
            header: format!(
                "Content-Type: image/png; name=\"image001.png\"\r\nContent-ID: <{content_id}>\r\nContent-Disposition: inline; filename=\"image001.png\"\r\nContent-Transfer-Encoding: base64\r\n"
            ),
            body: self.attached_bytes(size),
        }
    }

    /// Parts between boundaries; `parameters` begins with `; ` where there are any.
    pub(super) fn multipart(&mut self, subtype: &str, parameters: &str, parts: &[Part]) -> Part {
        let token: u64 = self.rng.random();
        let boundary = match self.rng.random_range(0..3) {
            0 => format!("----=_Part_{token:016x}"),
            1 => format!("{token:x}'()+_,-./:=?"),
            _ => format!("Apple-Mail={token:016X}"),
        };
        let size: usize = parts.iter().map(|part| part.body.len() + 500).sum();
        let mut body = Vec::with_capacity(size);
        if self.rng.random_bool(0.3) {
            body.extend(b"This is a multi-part message in MIME format.\r\n");
        }
        for part in parts {
            body.extend(format!("\r\n--{boundary}\r\n").as_bytes());
            part.write(&mut body);
        }
        body.extend(format!("\r\n--{boundary}--\r\n").as_bytes());
        Part {
            header: format!(
                "Content-Type: multipart/{subtype}{parameters};\r\n boundary=\"{boundary}\"\r\n"
            ),
            body,
        }
    }

    pub(super) fn utf8(&self) -> &Charset {
        let is_utf8 = |charset: &&Charset| charset.label == "utf-8";
        self.charsets
            .iter()
            .find(is_utf8)
            .unwrap_or(&self.charsets[0])
    }
}

/// Up to the first line end that is no soft break of quoted-printable, which may be inside a character.
fn first_line(paragraph: &[u8]) -> &[u8] {
    let end = paragraph
        .windows(3)
        .position(|bytes| bytes[0] != b'=' && bytes[1..] == *b"\r\n");
    end.map_or(paragraph, |end| &paragraph[..end + 3])
}
