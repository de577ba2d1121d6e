//! Whom a mailbox may send as. The API sends a message of anybody else's under the account's own address and
//! says nothing: <https://developers.google.com/workspace/gmail/api/guides/alias_and_signature_settings>.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use email_provider::{Call, ErrorKind, ProviderError, ProviderResult};
use google_gmail1::api::SendAs;
use tokio::time::Instant;
use url::Host;

use crate::{
    api::Hub,
    error,
    mailbox::{Mailbox, insisting},
    quota::Method,
};

/// How long an address is believed to be the account's. One that is not is asked for each time: it may have
/// been added since.
const KEPT: Duration = Duration::from_secs(600);
/// Addresses that are kept; the vendor allows 99 beside the account's own.
const MOST: usize = 1_000;

/// Addresses as they were lately, in the form that they are compared in.
#[derive(Debug, Default)]
pub(crate) struct Senders(Mutex<Option<(Instant, Vec<String>)>>);

impl Senders {
    fn known(&self) -> MutexGuard<'_, Option<(Instant, Vec<String>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, address: &String) -> bool {
        let known = self.known();
        let fresh = known.as_ref().filter(|(at, _)| at.elapsed() < KEPT);
        fresh.is_some_and(|(_, addresses)| addresses.contains(address))
    }
}

impl Mailbox {
    /// `Forbidden` unless it is the account's own address, or one that it was found to own.
    pub(crate) async fn may_send_as(&self, call: Call, address: &str) -> ProviderResult<()> {
        let wanted = comparable(address);
        if self.senders.has(&wanted) {
            return Ok(());
        }
        let transient = ProviderError::is_transient;
        let addresses = match insisting(call, transient, || self.send_as(call)).await {
            // The grant may not cover the settings.
            Err(error) if error.kind == ErrorKind::Forbidden => {
                vec![insisting(call, transient, || self.own_address(call)).await?]
            }
            addresses => addresses?,
        };
        let is_allowed = addresses.contains(&wanted);
        *self.senders.known() = Some((Instant::now(), addresses));
        match is_allowed {
            true => Ok(()),
            false => Err(ProviderError::new(
                ErrorKind::Forbidden,
                "this mailbox may not send as the address in From",
            )),
        }
    }

    async fn send_as(&self, call: Call) -> ProviderResult<Vec<String>> {
        let ask = |hub: Hub, mut seen| async move {
            let request = hub.users().settings_send_as_list("me");
            let request =
                request.param("fields", "sendAs(sendAsEmail,isPrimary,verificationStatus)");
            Ok(request.delegate(&mut seen).doit().await?.1)
        };
        let answer = self.api.ask(call, Method::SendAsList, ask).await?;
        let all = answer.send_as.unwrap_or_default();
        let usable = all.into_iter().filter(is_usable);
        let addresses = usable.filter_map(|one| one.send_as_email);
        Ok(addresses.take(MOST).map(|one| comparable(&one)).collect())
    }

    async fn own_address(&self, call: Call) -> ProviderResult<String> {
        let ask = |hub: Hub, mut seen| async move {
            let request = hub.users().get_profile("me").delegate(&mut seen);
            Ok(request.doit().await?.1)
        };
        let profile = self.api.ask(call, Method::GetProfile, ask).await?;
        let address = profile.email_address.ok_or_else(error::unreadable)?;
        Ok(comparable(&address))
    }
}

/// The account's own has no status: there is nothing to verify.
fn is_usable(address: &SendAs) -> bool {
    address.is_primary == Some(true) || address.verification_status.as_deref() == Some("accepted")
}

/// An address in lower case, its domain in ASCII (RFC 5891): the vendor tells neither apart.
fn comparable(address: &str) -> String {
    let address = address.trim().to_lowercase();
    match address.rsplit_once('@') {
        Some((local, domain)) => match Host::parse(domain) {
            Ok(host) => format!("{local}@{host}"),
            Err(_) => address,
        },
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_whole() {
        assert_eq!(comparable("Ann@Example.COM"), comparable("ann@example.com"));
        assert_eq!(
            comparable("ann@bücher.example"),
            "ann@xn--bcher-kva.example"
        );
        for other in ["ann+x@example.com", "a.nn@example.com", "ann@example.com.x"] {
            assert_ne!(comparable(other), comparable("ann@example.com"));
        }
        assert_eq!(comparable("none"), "none");
    }

    #[test]
    fn an_address_that_waits_for_its_owner_is_not_usable() {
        let with = |primary, status: Option<&str>| SendAs {
            is_primary: primary,
            verification_status: status.map(str::to_owned),
            ..SendAs::default()
        };
        assert!(is_usable(&with(Some(true), None)));
        assert!(is_usable(&with(None, Some("accepted"))));
        for status in [None, Some("pending"), Some("verificationStatusUnspecified")] {
            assert!(!is_usable(&with(Some(false), status)));
        }
    }
}
