//! Signing in (RFC 4954).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    connect::{Secret, SmtpConfig},
    error::{Error, Result, Stage},
    offer::Offer,
    reply::Reply,
    wire::Wire,
};

/// Questions that a server may ask.
const MOST_QUESTIONS: usize = 4;

/// Signs in by what the server offers.
///
/// # Errors
/// `Credentials` where they are refused, `Unsupported` where the server offers no way.
pub(super) async fn sign_in(
    wire: &mut Wire,
    offer: &Offer,
    config: &SmtpConfig,
    token: Option<&SecretString>,
) -> Result<()> {
    let login = config.login.as_str();
    let (secret, is_token) = match (&config.secret, token) {
        (Secret::Password(password), _) => (password, false),
        (Secret::Token(token), _) | (Secret::Tokens(_), Some(token)) => (token, true),
        (Secret::Tokens(_), None) => return Err(Error::Unsupported("a sign-in without a token")),
    };
    let secret = secret.expose_secret();
    // NUL parts the fields of PLAIN, ^A those of XOAUTH2.
    if [login, secret]
        .iter()
        .any(|text| text.contains(['\0', '\u{1}', '\r', '\n']))
    {
        return Err(Error::Invalid(
            "control characters cannot be part of a login".into(),
        ));
    }
    let (command, answers): (String, Vec<String>) = if is_token {
        if !offer.xoauth2 {
            return Err(Error::Unsupported("signing in with a token"));
        }
        let text = format!("user={login}\u{1}auth=Bearer {secret}\u{1}\u{1}");
        (format!("AUTH XOAUTH2 {}", encode(&text)), Vec::new())
    } else if offer.plain {
        let text = format!("\0{login}\0{secret}");
        (format!("AUTH PLAIN {}", encode(&text)), Vec::new())
    } else if offer.login {
        ("AUTH LOGIN".into(), vec![encode(login), encode(secret)])
    } else {
        return Err(Error::Unsupported("signing in with a password"));
    };
    let mut answers = answers.into_iter();
    let mut reply = ask(wire, &command).await?;
    for _ in 0..MOST_QUESTIONS {
        if reply.code() != 334 {
            break;
        }
        // After a refused token the server sends the cause as a question, and waits for an empty answer.
        reply = ask(wire, &answers.next().unwrap_or_default()).await?;
    }
    outcome(reply, secret)
}

fn outcome(reply: Reply, secret: &str) -> Result<()> {
    if reply.is_success() {
        return Ok(());
    }
    // What was not understood may be repeated in the answer.
    let text = reply.to_string();
    let repeats = text.contains(secret)
        || text.contains(&encode(secret))
        || text
            .split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c))
            .any(|word| word.len() >= 16 && BASE64_STANDARD.decode(word).is_ok());
    let reply = if repeats { reply.without_text() } else { reply };
    Err(match reply.code() {
        _ if reply.asks_for_more() => Error::Protocol("a sign-in without an end"),
        // RFC 4954 section 6: 535 is the credentials, 534 and 538 that they may not be used so. 432 and 454 pass.
        code if code / 100 == 5 && !matches!(code, 500..=504 | 521 | 554) => {
            Error::Credentials(reply)
        }
        _ => Error::Refused {
            stage: Stage::SignIn,
            reply,
        },
    })
}

async fn ask(wire: &mut Wire, line: &str) -> Result<Reply> {
    wire.write(format!("{line}\r\n").as_bytes()).await?;
    wire.read_reply().await
}

fn encode(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}
