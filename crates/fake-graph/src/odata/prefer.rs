//! The `Prefer` header (RFC 7240) with the preferences of mail.

use axum::http::HeaderMap;

/// What a request prefers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prefer {
    pub immutable_ids: bool,
    pub page_size: Option<usize>,
    pub body: Option<BodyKind>,
    pub unsafe_html: bool,
    /// As they were sent.
    pub sent: Vec<String>,
    /// Those that mean nothing to mail.
    pub unknown: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Text,
    Html,
}

impl Prefer {
    pub fn read(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        let values = headers.get_all("prefer").iter();
        for text in values.filter_map(|value| value.to_str().ok()) {
            for one in text.split([',', ';']).map(str::trim) {
                if one.is_empty() {
                    continue;
                }
                prefer.sent.push(one.to_owned());
                prefer.take(one);
            }
        }
        prefer
    }

    fn take(&mut self, one: &str) {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        let name = name.trim().to_lowercase();
        let value = value.trim().trim_matches('"');
        let unknown = match (name.as_str(), value.to_lowercase().as_str()) {
            ("idtype", "immutableid") => {
                self.immutable_ids = true;
                false
            }
            ("odata.maxpagesize" | "maxpagesize", size) => {
                self.page_size = size.parse().ok().filter(|size| *size > 0);
                self.page_size.is_none()
            }
            ("outlook.body-content-type", "text") => {
                self.body = Some(BodyKind::Text);
                false
            }
            ("outlook.body-content-type", "html") => {
                self.body = Some(BodyKind::Html);
                false
            }
            ("outlook.allow-unsafe-html", _) => {
                self.unsafe_html = true;
                false
            }
            ("outlook.timezone" | "return" | "respond-async", _) => false,
            _ => true,
        };
        if unknown {
            self.unknown.push(one.to_owned());
        }
    }

    /// The value of `Preference-Applied`.
    pub fn applied(&self) -> Option<String> {
        let mut applied = Vec::new();
        if self.immutable_ids {
            applied.push("IdType=\"ImmutableId\"".to_owned());
        }
        if let Some(size) = self.page_size {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        match self.body {
            Some(BodyKind::Text) => applied.push("outlook.body-content-type=\"text\"".to_owned()),
            Some(BodyKind::Html) => applied.push("outlook.body-content-type=\"html\"".to_owned()),
            None => {}
        }
        if self.unsafe_html {
            applied.push("outlook.allow-unsafe-html".to_owned());
        }
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}
