//! The plugin's section of the configuration.

use email_provider::{ConnectContext, SignInError};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::{address::Root, push::PUSH_NAME, quota::Quota};

/// Everything has a default but what the operator registered with the vendor. National clouds have other addresses:
/// <https://learn.microsoft.com/graph/deployments>.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The gateway's registration.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
    /// Root of the authorisation server.
    pub login_url: Url,
    /// Who may sign in: `common`, `organizations`, `consumers`, or one tenant by its id or domain.
    pub tenant: String,
    /// Root of the API, without the version.
    #[serde(alias = "url")]
    pub graph_url: Url,
    /// The gateway's own address for pushed hints, as the vendor reaches it: `https://…/v1/push/office365/email`. Where it is
    /// not set it is the one below the gateway's public address, if that is one of https, the only ones that the vendor
    /// pushes to. Without either nothing is pushed.
    pub push_url: Option<Url>,
    /// What pushed hints are recognised by. Without it they are by [`Config::client_secret`].
    pub push_secret: Option<SecretString>,
    /// Octets of the largest message that is sent. An organization's own limit, 35 MB unless an administrator raises it
    /// up to 150 MB, is not told by the API: what is above it is refused by the mailbox.
    pub largest_message: u64,
    /// How much may be asked.
    pub quota: Quota,
}

impl Default for Config {
    fn default() -> Self {
        let url = |text: &str| match Url::parse(text) {
            Ok(url) => url,
            Err(error) => unreachable!("a constant address: {error}"),
        };
        Self {
            client_id: None,
            client_secret: None,
            login_url: url("https://login.microsoftonline.com/"),
            tenant: "common".to_owned(),
            graph_url: url("https://graph.microsoft.com/"),
            push_url: None,
            push_secret: None,
            largest_message: 150 << 20,
            quota: Quota::default(),
        }
    }
}

impl Config {
    /// Reads the section.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub(crate) fn of(context: &ConnectContext) -> Result<Self, SignInError> {
        let mut config = Self::section(context)?;
        if config.push_url.is_none() {
            config.push_url = context.public_url.as_ref().and_then(push_url);
        }
        Ok(config)
    }

    fn section(context: &ConnectContext) -> Result<Self, SignInError> {
        if context.config.is_null() {
            return Ok(Self::default());
        }
        let config: Self = serde_json::from_value(context.config.clone())
            .map_err(|error| invalid(&format!("{error}")))?;
        let mut urls = vec![&config.login_url, &config.graph_url];
        urls.extend(&config.push_url);
        let is_odd = |url: &&Url| {
            !matches!(url.scheme(), "http" | "https")
                || url.host().is_none()
                || url.query().is_some()
                || url.fragment().is_some()
                || !url.username().is_empty()
                || url.password().is_some()
        };
        if let Some(odd) = urls.into_iter().find(is_odd) {
            let what = format!("{}://… is no plain http or https address", odd.scheme());
            return Err(invalid(&what));
        }
        let is_of_tenant = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let tenant = &config.tenant;
        match !tenant.is_empty() && tenant.chars().all(is_of_tenant) && !tenant.starts_with('.') {
            true => Ok(config),
            false => Err(invalid("tenant is none")),
        }
    }

    /// Root of the API's version that is used.
    pub(crate) fn root(&self) -> Root {
        Root::new(&self.graph_url)
    }

    /// An address of the authorisation server's for the tenant.
    pub(crate) fn login(&self, what: &str) -> Url {
        let mut url = self.login_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend([self.tenant.as_str(), "oauth2", "v2.0", what]);
        }
        url
    }
}

/// The route for pushes to [`PUSH_NAME`] below the gateway's public address.
fn push_url(public: &Url) -> Option<Url> {
    let mut url = public.clone();
    let mut path = url.path_segments_mut().ok()?;
    path.pop_if_empty()
        .extend(["v1", "push", PUSH_NAME, "email"]);
    drop(path);
    (url.scheme() == "https").then_some(url)
}

fn invalid(what: &str) -> SignInError {
    SignInError::Invalid(format!(
        "the configuration of the Microsoft backend: {what}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(section: serde_json::Value) -> Result<Config, String> {
        let context = crate::plugin::tests::context(section);
        Config::of(&context).map_err(|error| error.to_string())
    }

    #[test]
    fn an_unknown_setting_and_an_odd_one_are_named() {
        let unknown = read(serde_json::json!({"client_idd": "x"})).unwrap_err();
        assert!(unknown.contains("client_idd"), "{unknown}");
        for tenant in ["", "a/b", "..", "a?b", "a b"] {
            let odd = read(serde_json::json!({"tenant": tenant})).unwrap_err();
            assert!(odd.contains("tenant"), "{odd}");
        }
        for url in ["ftp://x/", "https://u:p@x/", "https://x/?a=b"] {
            let odd = read(serde_json::json!({"graph_url": url})).unwrap_err();
            assert!(odd.contains("address") && !odd.contains("u:p"), "{odd}");
        }
    }

    #[test]
    fn hints_are_pushed_to_where_the_world_reaches_the_gateway_by_https() {
        let push_url = |public: Option<&str>, section: serde_json::Value| {
            let mut context = crate::plugin::tests::context(section);
            context.public_url = public.map(|url| url.parse().unwrap());
            let config = Config::of(&context).ok()?;
            config.push_url.map(String::from)
        };
        let none = || serde_json::json!({});
        assert_eq!(
            push_url(Some("https://x.example"), none()).as_deref(),
            Some("https://x.example/v1/push/office365/email")
        );
        assert_eq!(
            push_url(Some("https://x.example/mail/"), serde_json::Value::Null).as_deref(),
            Some("https://x.example/mail/v1/push/office365/email")
        );
        assert_eq!(push_url(Some("http://x.example"), none()), None);
        assert_eq!(push_url(None, none()), None);
        let own = serde_json::json!({"push_url": "https://y.example/p"});
        assert_eq!(
            push_url(Some("https://x.example"), own).as_deref(),
            Some("https://y.example/p")
        );
    }

    #[test]
    fn the_root_of_the_api_has_a_short_name_too() {
        let config = read(serde_json::json!({"url": "https://graph.microsoft.us"})).unwrap();
        assert_eq!(config.graph_url.as_str(), "https://graph.microsoft.us/");
        let both =
            serde_json::json!({"url": "https://a.example", "graph_url": "https://b.example"});
        assert!(read(both).unwrap_err().contains("graph_url"));
    }

    #[test]
    fn a_national_cloud_is_a_matter_of_addresses() {
        let config = read(serde_json::json!({
            "login_url": "https://login.microsoftonline.us",
            "graph_url": "https://graph.microsoft.us",
            "tenant": "contoso.example",
        }));
        let config = config.unwrap();
        assert_eq!(
            config.login("authorize").as_str(),
            "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/authorize"
        );
        let address = crate::address::Address::of("me/messages");
        assert_eq!(
            config.root().at(&address).unwrap().as_str(),
            "https://graph.microsoft.us/v1.0/me/messages"
        );
    }
}
