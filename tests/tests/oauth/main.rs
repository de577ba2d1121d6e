//! Mailboxes connected in the browser: by OAuth, against an authorisation server and a mail API on loopback that
//! judge every request, and by password in the gateway's own form.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod browser;
mod form;
mod form_in_chromium;
mod isolation;
mod issuer;
mod microsoft;
mod push;
mod refresh;
mod removal;
mod scopes;
mod sign_in;
mod webdriver;
mod world;
