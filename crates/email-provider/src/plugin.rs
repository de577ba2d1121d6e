use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use email_model::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::{
    Clock, EmailProvider, ProviderError, ProviderResult,
    layers::{Budget, BudgetConfig, Cost},
    network::Network,
    oauth::{AccessTokens, OAuthPlugin},
    push::PushReceiver,
};

/// What a kind of backend is and needs, as data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginInfo {
    /// Its kind: what accounts are stored under. Lower case, never changed.
    pub kind: &'static str,
    /// The service types that it serves, as clients name them.
    pub service_types: Vec<ServiceTypeInfo>,
    /// The words for it in names of environment variables: `POLYPOST_{word}_X` sets `x` in its section of
    /// the configuration.
    pub environment: &'static [&'static str],
}

/// A service type on the wire.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceTypeInfo {
    /// As clients write it.
    pub name: &'static str,
    /// What a sign-in needs.
    pub credentials: Vec<CredentialField>,
}

/// A field of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialField {
    /// Address or login name.
    Login,
    /// A password.
    Password,
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// Where the server is; found from the address where it is left out.
    ServerUrl,
}

/// A sign-in as a client gives it.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// The service type asked for.
    pub service_type: String,
    /// The mailbox's address.
    pub email: Option<String>,
    /// The login name, where it is not the address.
    pub login: Option<String>,
    /// A password.
    pub password: Option<SecretString>,
    /// An access token.
    pub access_token: Option<SecretString>,
    /// A refresh token.
    pub refresh_token: Option<SecretString>,
    /// What the authorisation server says of the user (OpenID Connect Core section 2). It came from that server
    /// itself over TLS, so its signature need not be verified (section 3.1.3.7).
    pub id_token: Option<SecretString>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// The backend's own names for what was granted; empty: unknown.
    pub granted_scopes: Vec<String>,
    /// The reading server.
    pub server_url: Option<String>,
    /// The sending server.
    pub server_url2: Option<String>,
    /// Accept a certificate that nobody vouches for, where the operator allows that.
    pub trust_server: bool,
}

/// What is stored of a connection, and enough to connect again.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Not secret: servers, login, quirks learned. The plugin's own form.
    pub settings: Value,
    /// The secret: password or tokens, the plugin's own form. Stored sealed.
    pub secret: SecretString,
}

/// A proved mailbox: two sign-ins with equal identity are the same mailbox, unless the plugin knows better:
/// [`ProviderPlugin::is_same_mailbox`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MailboxIdentity {
    /// The provider's subject, or the lower-cased login and server.
    pub subject: String,
}

/// A sign-in that worked out.
#[derive(Clone, Debug)]
pub struct ConnectedMailbox {
    /// To be stored.
    pub connection: Connection,
    /// Whose mailbox it is.
    pub identity: MailboxIdentity,
    /// Its address.
    pub email: Option<String>,
    /// The login name.
    pub login: String,
    /// The reading server, as a URL.
    pub server_url: Option<String>,
    /// The sending server, as a URL.
    pub server_url2: Option<String>,
    /// The brand behind the service type, as the wire contract names it.
    pub service_provider: Option<&'static str>,
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// A field is missing or wrong; the text says which. Nothing was contacted.
    #[error("{0}")]
    Invalid(String),
    /// The server, named by the caller, could not be reached or talked to before the sign-in: only a
    /// class is told (`unreachable`, `tls`, `refused`), so that nobody scans networks with it.
    #[error("the server could not be reached: {0}")]
    Unreachable(&'static str),
    /// After the server was proved to be a mail server of ours to talk to.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// What a plugin may use of the world.
#[derive(Clone, Debug)]
pub struct ConnectContext {
    /// Sockets and names.
    pub network: Arc<dyn Network>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The root of the gateway's own API as the world reaches it, where that is known.
    pub public_url: Option<Url>,
    /// The plugin's section of the configuration.
    pub config: Value,
    /// The account's access tokens, where it is connected by OAuth and there is an account.
    pub tokens: Option<Arc<dyn AccessTokens>>,
    /// The account's budget, for a plugin that charges it by itself.
    pub budget: Option<Arc<Budget>>,
}

/// An account's budget, and who charges it.
#[derive(Clone, Copy, Debug)]
pub struct AccountBudget {
    /// The budget.
    pub config: BudgetConfig,
    /// Who charges it.
    pub charged: Charged,
}

/// Who charges an account's budget.
#[derive(Clone, Copy, Debug)]
pub enum Charged {
    /// The layers, once an operation.
    Operation(Cost),
    /// The mailbox itself, once a request: [`ConnectContext::budget`].
    Request,
}

impl Default for AccountBudget {
    /// Bounds calls at the same time only.
    fn default() -> Self {
        Self {
            config: BudgetConfig::default(),
            charged: Charged::Operation(|_| 1),
        }
    }
}

/// A kind of backend.
#[async_trait]
pub trait ProviderPlugin: Send + Sync + Debug {
    /// What it is.
    fn info(&self) -> PluginInfo;

    /// Works a sign-in out into a connection without contacting the mailbox (server discovery may
    /// contact what the address's domain names).
    async fn resolve(
        &self,
        context: &ConnectContext,
        sign_in: &SignIn,
    ) -> Result<ConnectedMailbox, SignInError>;

    /// Signs in to prove the connection; it may learn facts and return a better one.
    async fn prove(
        &self,
        context: &ConnectContext,
        mailbox: ConnectedMailbox,
    ) -> Result<ConnectedMailbox, SignInError>;

    /// Whether two proved connections, by their settings, are of one mailbox, where the plugin knows more than
    /// their identities tell: a mailbox may have got another address, an address another mailbox. `None` leaves
    /// it to the identities. An account keeps the identity that it began with, since all ids are made from it.
    fn is_same_mailbox(&self, _earlier: &Value, _later: &Value) -> Option<bool> {
        None
    }

    /// How its mailboxes are connected by OAuth, where they are. The secret of their connections is a
    /// [`crate::oauth::Grant`], which the gateway keeps fresh; [`ConnectContext::tokens`] gives the tokens.
    fn oauth(&self) -> Option<&dyn OAuthPlugin> {
        None
    }

    /// Hints that the backend sends over HTTP.
    fn push(&self) -> Option<&dyn PushReceiver> {
        None
    }

    /// An account's budget, and who charges it.
    ///
    /// # Errors
    /// `Invalid` where the configuration of it is.
    fn budget(&self, _context: &ConnectContext) -> Result<AccountBudget, SignInError> {
        Ok(AccountBudget::default())
    }

    /// The account is removed and no other one of its mailbox is left: ends at the backend what was begun for
    /// it, such as a subscription. What fails is left to end by itself.
    async fn disconnect(&self, _context: &ConnectContext, _connection: &Connection) {}

    /// Opens the mailbox. Cheap: connections are made when they are needed, except what
    /// [`EmailProvider::capabilities`] needs.
    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>>;
}
