//! What a server offers in answer to EHLO (RFC 5321 section 4.1.1.1).

use serde::{Deserialize, Serialize};

use super::reply::Reply;

/// The extensions that matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Offer {
    /// SIZE (RFC 1870): the largest message in octets, 0 where there is no fixed limit.
    pub size: Option<u64>,
    /// SMTPUTF8 (RFC 6531).
    pub utf8: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// STARTTLS (RFC 3207).
    pub start_tls: bool,
    /// AUTH PLAIN (RFC 4616).
    pub plain: bool,
    /// AUTH LOGIN.
    pub login: bool,
    /// AUTH XOAUTH2.
    pub xoauth2: bool,
}

impl Offer {
    pub(super) fn read(reply: &Reply) -> Self {
        let mut offer = Self::default();
        // The first line greets.
        for line in reply.lines().skip(1) {
            let line = line.to_ascii_uppercase();
            // "AUTH=PLAIN LOGIN" was the form before RFC 2554, and is still sent beside today's.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("SIZE") => {
                    offer.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0));
                }
                Some("SMTPUTF8") => offer.utf8 = true,
                Some("8BITMIME") => offer.eight_bit = true,
                Some("PIPELINING") => offer.pipelining = true,
                Some("STARTTLS") => offer.start_tls = true,
                Some("AUTH") => {
                    for mechanism in words {
                        match mechanism {
                            "PLAIN" => offer.plain = true,
                            "LOGIN" => offer.login = true,
                            "XOAUTH2" => offer.xoauth2 = true,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        offer
    }

    /// Whether addresses that are not ASCII can be written to.
    pub(crate) fn internationalised(&self) -> bool {
        self.utf8 && self.eight_bit
    }
}
