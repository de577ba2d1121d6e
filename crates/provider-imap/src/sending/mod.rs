//! Sending by SMTP, drafts and sent copies by IMAP.

mod draft_key;
mod drafts;
mod folders;
mod header;
mod recipients;
mod sent_copy;
mod stored_draft;
mod submit;

use std::sync::Arc;

use email_provider::{Clock, SendLimits};

use crate::{
    known_servers::{self, SendingHabits},
    smtp::SmtpPool,
};

/// Octets that a server is taken to accept before it has told: what the strictest of the large providers take.
const OCTETS_UNTOLD: u64 = 25 << 20;
/// Octets where the server names no limit (SIZE 0, RFC 1870 section 4).
const OCTETS_UNLIMITED: u64 = 150 << 20;

/// What a mailbox sends with.
#[derive(Debug)]
pub(crate) struct Sending {
    pool: SmtpPool,
    habits: SendingHabits,
    clock: Arc<dyn Clock>,
    /// Held while a sent copy is looked for and filed, so that two calls do not both find none.
    filing: tokio::sync::Mutex<()>,
}

impl Sending {
    pub(crate) fn new(pool: SmtpPool, clock: Arc<dyn Clock>) -> Self {
        Self {
            habits: known_servers::sending_habits(pool.host()),
            pool,
            clock,
            filing: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    fn limits(&self) -> SendLimits {
        let offer = self.pool.offer();
        let told = match offer.and_then(|offer| offer.size) {
            None => OCTETS_UNTOLD,
            Some(0) => OCTETS_UNLIMITED,
            Some(most) => most,
        };
        SendLimits {
            recipients: self.habits.recipients,
            octets: told.min(self.habits.octets),
            internationalised: offer.is_some_and(|offer| offer.internationalised()),
            drafts_only: false,
        }
    }
}
