//! Signing in.

use async_imap::Client;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    capability::{Capabilities, Capability},
    config::Auth,
    connection::{Wire, from_io, write_line},
    error::{Error, Result},
    tap::Response,
    untagged::{Condition, StatusResponse, Untagged, parse_untagged},
};

/// Above the tags of the library before it, below those of the connection after it.
const TAG: &str = "A1000";

/// Signs in, by what the server offers.
///
/// # Errors
/// `Unsupported` where it offers no way, its refusal, and those of any command.
pub(super) async fn sign_in(
    client: &mut Client<Wire>,
    auth: &Auth,
    offered: Capabilities,
) -> Result<()> {
    let (command, mut answers) = exchange(auth, &offered)?;
    write_line(client, Some(TAG), command.expose_secret()).await?;
    let (mut farewell, mut ended) = (None, None);
    loop {
        match next(client, &mut ended).await {
            Ok(Response::Tagged(found, status)) if found == TAG => {
                return match status.condition {
                    Condition::Ok => Ok(()),
                    Condition::Bye => Err(Error::Bye(status)),
                    _ => Err(Error::sign_in_refused(status)),
                };
            }
            Ok(Response::Tagged(..)) => return Err(Error::protocol("an answer to nothing")),
            Ok(Response::Continue) => {
                let answer = BASE64_STANDARD.encode(answers.next().expose_secret());
                write_line(client, None, &answer).await?;
            }
            Ok(Response::Untagged(raw)) => farewell = bye(&raw).or(farewell),
            Err(error) => return Err(farewell.map_or(error, Error::Bye)),
        }
    }
}

/// The next response; the end of the stream only after all that was said before it.
async fn next(client: &mut Client<Wire>, ended: &mut Option<Error>) -> Result<Response> {
    loop {
        if let Some(response) = client.get_mut().get_mut().pop() {
            return Ok(response);
        }
        if let Some(error) = ended.take() {
            return Err(error);
        }
        match client.read_response().await {
            Ok(Some(_)) => {}
            Ok(None) => *ended = Some(Error::Closed),
            Err(error) => *ended = Some(from_io(error)),
        }
    }
}

fn bye(raw: &Bytes) -> Option<StatusResponse> {
    match parse_untagged(raw) {
        Ok(Untagged::Status(status)) if status.condition == Condition::Bye => Some(status),
        _ => None,
    }
}

/// The command, and what is answered when the server asks.
fn exchange(auth: &Auth, offered: &Capabilities) -> Result<(SecretString, Answers)> {
    match auth {
        Auth::Password { login, password } => {
            let password = password.expose_secret();
            checked(login)?;
            checked(password)?;
            let ascii = login.is_ascii() && password.is_ascii();
            let plain = offered.has(Capability::AUTH_PLAIN);
            match offered.has(Capability::LOGINDISABLED) {
                true if !plain => Err(Error::Unsupported("signing in with a password")),
                false if ascii || !plain => {
                    let command = format!("LOGIN {} {}", quoted(login), quoted(password));
                    Ok((command.into(), Answers::new(String::new(), "")))
                }
                // LOGIN has no way to name other letters; PLAIN is UTF-8 (RFC 4616).
                _ => {
                    let answer = format!("\0{login}\0{password}");
                    Ok(("AUTHENTICATE PLAIN".into(), Answers::new(answer, "")))
                }
            }
        }
        Auth::OAuth { login, token } => {
            let token = token.expose_secret();
            checked(login)?;
            checked(token)?;
            let bearer_only =
                offered.has(Capability::AUTH_OAUTHBEARER) && !offered.has(Capability::AUTH_XOAUTH2);
            if bearer_only {
                // RFC 7628 section 3.1; `=` and `,` in the name are escaped as in RFC 5801.
                let name = login.replace('=', "=3D").replace(',', "=2C");
                let answer = format!("n,a={name},\u{1}auth=Bearer {token}\u{1}\u{1}");
                let answers = Answers::new(answer, "\u{1}");
                Ok(("AUTHENTICATE OAUTHBEARER".into(), answers))
            } else {
                let answer = format!("user={login}\u{1}auth=Bearer {token}\u{1}\u{1}");
                Ok(("AUTHENTICATE XOAUTH2".into(), Answers::new(answer, "")))
            }
        }
    }
}

fn checked(text: &str) -> Result<()> {
    match text.contains(|c: char| c.is_control()) {
        true => Err(Error::Invalid(
            "control characters cannot be part of a login".into(),
        )),
        false => Ok(()),
    }
}

/// A quoted string of a text without control characters (RFC 3501 section 9).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Answers the server's first question with the credentials, once, and every other with the word that
/// gives up: after a refused token the server sends the cause as a question, and waits (RFC 7628
/// section 3.2.3).
struct Answers {
    first: Option<SecretString>,
    after: &'static str,
}

impl Answers {
    fn new(first: String, after: &'static str) -> Self {
        Self {
            first: Some(first.into()),
            after,
        }
    }

    fn next(&mut self) -> SecretString {
        self.first.take().unwrap_or_else(|| self.after.into())
    }
}
