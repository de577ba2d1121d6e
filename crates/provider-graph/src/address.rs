//! Addresses of the API: below its root, and nowhere else.

use std::fmt;

use email_provider::{ErrorKind, ProviderError, ProviderResult};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// What a query parameter holds as it stands: unreserved characters, and those that OData is written with.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'/')
    .remove(b'=')
    .remove(b':');

/// The version of the API, as part of addresses.
const VERSION: &str = "v1.0";

/// Where the API is: an address that ends with the version and a slash.
#[derive(Clone, Debug)]
pub(crate) struct Root(Url);

impl Root {
    /// Of the address without the version.
    pub(crate) fn new(url: &Url) -> Self {
        let mut root = url.clone();
        if let Ok(mut path) = root.path_segments_mut() {
            path.pop_if_empty().extend([VERSION, ""]);
        }
        Self(root)
    }

    /// The whole of an address below it.
    pub(crate) fn at(&self, address: &Address) -> ProviderResult<Url> {
        let whole = Url::parse(&format!("{}{}", self.0, address.0)).ok();
        let is_below = |whole: &Url| self.relative(whole).is_some();
        whole.filter(is_below).ok_or_else(|| {
            ProviderError::new(
                ErrorKind::Unexpected,
                "an address that is none of the API's",
            )
        })
    }

    /// Its text, for people.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// An address that the API gave for octets to go to, without a token. It names another host by design, which is
    /// connected to as any other is: over TLS, after its addresses are checked. The API's own origin is as good as that.
    pub(crate) fn upload(&self, text: &str) -> ProviderResult<Url> {
        let refused = || ProviderError::new(ErrorKind::Unexpected, "no address to upload to");
        if text.len() > Address::LONGEST_LINK {
            return Err(refused());
        }
        let url = Url::parse(text).map_err(|_| refused())?;
        let is_safe = url.scheme() == "https" || url.origin() == self.0.origin();
        let is_plain = url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        match is_safe && is_plain {
            true => Ok(url),
            false => Err(refused()),
        }
    }

    /// What follows the root in an address of the same scheme, host and port; `None` for any other.
    fn relative(&self, url: &Url) -> Option<String> {
        let is_ours = url.scheme() == self.0.scheme()
            && url.host() == self.0.host()
            && url.port_or_known_default() == self.0.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        let path = url.path().strip_prefix(self.0.path())?;
        let is_plain = !path.split('/').any(|segment| segment.is_empty());
        (is_ours && is_plain).then(|| match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        })
    }
}

/// An address below the root: path and query, without a slash at its beginning.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl fmt::Debug for Address {
    /// Links hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.split('?').next().unwrap_or_default();
        f.debug_tuple("Address").field(&path).finish()
    }
}

impl Address {
    /// Longest link that is kept, in octets.
    const LONGEST_LINK: usize = 16 << 10;

    /// A path whose parts are checked.
    pub(crate) fn of(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// With another query parameter.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, IN_QUERY));
        self
    }

    /// A link that the API gave. Links carry the mailbox's token along: only those to the API itself are followed.
    ///
    /// # Errors
    /// `Unexpected` for any other.
    pub(crate) fn linked(root: &Root, link: &str) -> ProviderResult<Self> {
        let refused = || ProviderError::new(ErrorKind::Unexpected, "a link that leads elsewhere");
        if link.len() > Self::LONGEST_LINK {
            return Err(ProviderError::new(
                ErrorKind::Unexpected,
                "a link that is too long",
            ));
        }
        let url = Url::parse(link).map_err(|_| refused())?;
        root.relative(&url).map(Self).ok_or_else(refused)
    }

    /// One that was kept; `None` for what cannot have been.
    pub(crate) fn kept(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let is_plain = (1..=Self::LONGEST_LINK).contains(&text.len())
            && !text.starts_with(['/', '?'])
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#');
        is_plain.then(|| Self(text.to_owned()))
    }

    /// Path and query.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Root {
        Root::new(&Url::parse("https://graph.example").unwrap())
    }

    #[test]
    fn a_parameter_cannot_become_another_one() {
        let address = Address::of("me/messages")
            .with("$filter", "subject eq 'a&b=c#d+e ü'")
            .with("$top", "5");
        assert_eq!(
            address.as_str(),
            "me/messages?$filter=subject%20eq%20%27a%26b=c%23d%2Be%20%C3%BC%27&$top=5"
        );
        let whole = root().at(&address).unwrap();
        assert_eq!(whole.query_pairs().count(), 2);
        assert_eq!(whole.path(), "/v1.0/me/messages");
    }

    #[test]
    fn links_are_followed_on_the_api_alone() {
        let ours = "https://graph.example/v1.0/me/mailFolders('a')/messages/delta?$skiptoken=x%3D";
        let link = Address::linked(&root(), ours).unwrap();
        assert_eq!(
            link.as_str(),
            "me/mailFolders('a')/messages/delta?$skiptoken=x%3D"
        );
        assert_eq!(root().at(&link).unwrap().as_str(), ours);
        assert_eq!(Address::kept(link.as_str().as_bytes()), Some(link));
        let with_port = "https://graph.example:443/v1.0/me?a=b";
        assert!(Address::linked(&root(), with_port).is_ok());
        for other in [
            "http://graph.example/v1.0/me",
            "https://graph.example:444/v1.0/me",
            "https://graph.example.evil/v1.0/me",
            "https://evil@graph.example/v1.0/me",
            "https://graph.example@evil/v1.0/me",
            "https://graph.example/beta/me",
            "https://graph.example/v1.0/../beta/me",
            "https://graph.example/v1.0/%2e%2e/beta/me",
            "https://graph.example/v1.0//me",
            "https://graph.example/v1.0/me#x",
            "//evil/v1.0/me",
            "/v1.0/me",
            "",
            "file:///v1.0/me",
        ] {
            assert!(Address::linked(&root(), other).is_err(), "{other}");
        }
        let long = format!("https://graph.example/v1.0/me?a={}", "x".repeat(20_000));
        assert!(Address::linked(&root(), &long).is_err());
    }

    #[test]
    fn octets_go_over_tls_wherever_they_go() {
        for good in [
            "https://outlook.example/api/v2.0/x?authtoken=y",
            "https://graph.example/x",
        ] {
            assert!(root().upload(good).is_ok(), "{good}");
        }
        for odd in [
            "http://graph.example/x",
            "http://outlook.example/x",
            "https://u@outlook.example/x",
            "https://outlook.example/x#y",
            "file:///x",
            "data:x",
            "/x",
            "",
        ] {
            assert!(root().upload(odd).is_err(), "{odd}");
        }
        let on_this_machine = Root::new(&Url::parse("http://127.0.0.1:9").unwrap());
        assert!(on_this_machine.upload("http://127.0.0.1:9/x").is_ok());
        assert!(on_this_machine.upload("http://127.0.0.1:8/x").is_err());
    }

    #[test]
    fn what_was_not_kept_is_no_address() {
        for odd in [&b""[..], b"/me", b"?a", b"me\n", b"me#x", b"\xff", b"m e"] {
            assert_eq!(Address::kept(odd), None, "{odd:?}");
        }
        let elsewhere = Address::kept(b"../beta/me").unwrap();
        assert!(
            root().at(&elsewhere).is_err(),
            "checked again when it is used"
        );
    }

    #[test]
    fn a_debug_line_shows_no_token() {
        let link = Address::of("me/x").with("$deltatoken", "secret");
        assert!(!format!("{link:?}").contains("secret"));
    }
}
