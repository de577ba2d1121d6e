//! What a server answers.

use std::fmt;

use lettre::transport::smtp::response::{Response, Severity};

use super::error::{Error, Result};

/// A reply (RFC 5321 section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply(Response);

impl Reply {
    /// Reads complete lines with CRLF.
    pub(super) fn parse(lines: &str) -> Result<Self> {
        let response = lines.parse::<Response>();
        Ok(Self(response.map_err(|_| {
            Error::Protocol("the answer is no SMTP reply")
        })?))
    }

    pub(crate) fn code(&self) -> u16 {
        self.0.code().into()
    }

    pub(super) fn is_success(&self) -> bool {
        self.0.code().severity == Severity::PositiveCompletion
    }

    /// 3yz: the server waits for more.
    pub(super) fn asks_for_more(&self) -> bool {
        self.0.code().severity == Severity::PositiveIntermediate
    }

    /// 4yz.
    pub(super) fn is_passing(&self) -> bool {
        self.0.code().severity == Severity::TransientNegativeCompletion
    }

    /// The texts of its lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.message()
    }

    /// Subject and detail of an enhanced status code (RFC 3463) of the class that the reply has.
    pub(super) fn enhanced(&self) -> Option<(u16, u16)> {
        let word = self.0.first_word()?;
        let mut parts = word.splitn(3, '.').map(str::parse::<u16>);
        let (class, subject, detail) = (
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
        );
        (class == self.code() / 100).then_some((subject, detail))
    }

    /// The reply without text, where the server may have repeated what is secret.
    pub(super) fn without_text(&self) -> Self {
        Self(Response::new(self.0.code(), Vec::new()))
    }
}

impl fmt::Display for Reply {
    /// Code and text in one line, at most 300 characters and no control character.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code().to_string();
        let words = std::iter::once(code.as_str()).chain(self.lines().map(str::trim));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = words.join(" ").chars().take(300).map(clean).collect();
        f.write_str(&text)
    }
}
