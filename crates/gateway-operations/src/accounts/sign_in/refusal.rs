//! Words in which an application is told that a sign-in came to nothing.

use url::form_urlencoded;

use super::Returning;
use crate::{OperationError, OperationErrorKind};

/// Why a sign-in came to nothing: a word for programs (those of RFC 6749 section 4.1.2.1, and our own) and a
/// text for developers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub word: &'static str,
    pub text: String,
}

pub(super) fn refusal(word: &'static str, text: impl Into<String>) -> Refusal {
    Refusal {
        word,
        text: text.into(),
    }
}

/// It is another mailbox than the one that was asked for.
pub(super) fn mismatch(text: &str) -> Refusal {
    refusal("account_mismatch", text)
}

impl From<OperationError> for Refusal {
    fn from(error: OperationError) -> Self {
        use OperationErrorKind as Kind;
        let word = match error.kind {
            Kind::TokenRefreshFailed | Kind::TokenDead | Kind::Forbidden => "access_denied",
            Kind::BadRequest | Kind::NotFound => "invalid_request",
            Kind::ProviderUnavailable | Kind::MailboxUnavailable | Kind::RateLimited => {
                "temporarily_unavailable"
            }
            _ => "server_error",
        };
        if word == "server_error" {
            let cause = error.source.as_ref().map(tracing::field::display);
            tracing::warn!(%error, cause, "a sign-in failed");
        }
        refusal(word, error.message)
    }
}

/// A refusal that the provider's consent page sends.
pub(super) fn of_provider(error: &str) -> Refusal {
    let word = match error {
        "access_denied" | "consent_required" | "interaction_required" | "login_required" => {
            "access_denied"
        }
        "invalid_scope" => "invalid_scope",
        "temporarily_unavailable" => "temporarily_unavailable",
        _ => "server_error",
    };
    refusal(word, "the provider did not grant access")
}

impl Returning {
    /// The return address with these parameters, and the application's own state.
    pub(super) fn back<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        // As registered, letter by letter: it has no fragment.
        let url = &self.return_url;
        let joint = match url.find('?') {
            None => "?",
            Some(_) if url.ends_with(['?', '&']) => "",
            Some(_) => "&",
        };
        format!("{url}{joint}{}", query.finish())
    }

    pub(super) fn refused(&self, refusal: &Refusal) -> String {
        self.back([
            ("status", "error"),
            ("type", "accountAuthResult"),
            ("error", refusal.word),
            ("error_description", &refusal.text),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(return_url: &str, state: Option<&str>) -> Returning {
        Returning {
            client_id: "app".into(),
            return_url: return_url.into(),
            state: state.map(str::to_owned),
        }
    }

    #[test]
    fn the_return_address_stays_as_it_was_registered() {
        for (url, expected) in [
            ("https://app.example", "https://app.example?code=a+b"),
            ("https://app.example/x?", "https://app.example/x?code=a+b"),
            (
                "https://app.example/?y=%20",
                "https://app.example/?y=%20&code=a+b",
            ),
        ] {
            assert_eq!(asked(url, None).back([("code", "a b")]), expected);
        }
    }

    #[test]
    fn the_state_of_the_application_returns_and_adds_nothing() {
        let back = asked("https://app.example", Some("a&status=error#\r\n")).back([]);
        assert_eq!(
            back,
            "https://app.example?state=a%26status%3Derror%23%0D%0A"
        );
    }
}
