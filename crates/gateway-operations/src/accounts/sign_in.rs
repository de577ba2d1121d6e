//! Connecting a mailbox in the browser: to the provider's consent page, or to a form for a password, and
//! back to the application with a code.
//!
//! An application sends a browser here; nothing that comes with it is trusted until its return address is one
//! that the application registered. What was asked for is kept under a state that only the provider and the
//! browser come to know, for ten minutes and one use, and bound to the browser by a second secret
//! (RFC 9700 sections 2.1 and 4.7).

mod begin;
mod callback;
mod finish;
mod form;
mod pending;
mod refusal;

use email_provider::oauth::Access;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::OperationError;

/// What a sign-in returns to the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseType {
    /// A code, to be exchanged for an account token with the application's credentials.
    #[default]
    Code,
    /// An account token.
    Token,
}

/// Who has sent the browser, and where it is sent afterwards.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Returning {
    /// The application.
    pub client_id: String,
    /// One of the application's addresses, as registered.
    pub return_url: String,
    /// The application's own, returned as it is.
    pub state: Option<String>,
}

/// A request that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRequest {
    /// A word of RFC 6749 section 4.1.2.1.
    pub word: &'static str,
    /// For developers.
    pub text: String,
}

/// A sign-in as an application asks for it, by way of the browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// Service type, as clients name it.
    pub service_type: String,
    /// What the account's tokens are to allow, in the words of the wire contract; empty: everything.
    pub scopes: Vec<String>,
    /// The access that this takes.
    pub access: Access,
    /// More that is asked of the provider, in its own words.
    pub native_scopes: Vec<String>,
    /// What is returned.
    pub response: ResponseType,
    /// The account whose credentials are renewed.
    pub account: Option<i64>,
    /// Who is expected to sign in.
    pub login_hint: Option<String>,
    /// Who alone may sign in.
    pub auth_email: Option<String>,
    /// The client's own organisation id.
    pub client_org_id: Option<String>,
    /// The reading server that the form proposes.
    pub server_url: Option<String>,
    /// Fail where less is granted than was asked for.
    pub ensure_scopes: bool,
    /// Reuse an account of the same mailbox.
    pub recycle: bool,
}

/// What a browser that has begun a sign-in is given.
#[derive(Debug)]
pub struct Ticket {
    /// Goes through the provider or the form.
    pub state: SecretString,
    /// Stays with the browser, in a cookie.
    pub browser: SecretString,
}

/// A sign-in that has begun, or the end of it.
#[derive(Debug)]
pub enum Begun {
    /// At the provider.
    Elsewhere(Ticket, Url),
    /// In the form for a password.
    Form(Ticket),
    /// It cannot be: back to the application, which is told why.
    Back(String),
}

/// What the provider sends the browser back with (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Debug, Default)]
pub struct Callback {
    /// The state of the sign-in.
    pub state: String,
    /// The code to be exchanged.
    pub code: Option<SecretString>,
    /// Why there is none.
    pub error: Option<String>,
    /// Who answers.
    pub issuer: Option<String>,
}

/// The form for a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInForm {
    /// Service type, as clients name it.
    pub service_type: String,
    /// The address that is expected.
    pub email: Option<String>,
    /// It cannot be another one.
    pub email_is_fixed: bool,
    /// The reading server proposed.
    pub server_url: Option<String>,
    /// Where the browser is sent afterwards.
    pub return_url: String,
}

/// The form as it was filled in.
#[derive(Clone, Debug, Default)]
pub struct FormFields {
    /// Address.
    pub email: Option<String>,
    /// Password.
    pub password: Option<SecretString>,
    /// Login name, where it is not the address.
    pub login: Option<String>,
    /// Reading server.
    pub server_url: Option<String>,
    /// Sending server.
    pub server_url2: Option<String>,
}

/// What became of a form.
#[derive(Debug)]
pub enum Submitted {
    /// The browser is sent to this address.
    Back(String),
    /// It can be filled in again.
    Refused(SignInForm, OperationError),
}
