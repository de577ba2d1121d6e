//! Address lists (RFC 5322 section 3.4), groups flattened.

use email_model::Address;
use mail_parser::{Addr, HeaderValue, parsers::MessageStream};

use super::words::normalise;
use crate::text::one_line;

/// Most mailboxes taken from one message's fields of one name.
pub(super) const MAX_ADDRESSES: usize = 1_000;

/// The mailboxes of an address field, at most 1,000. What is no address (`undisclosed-recipients`) comes
/// as a name.
pub fn parse_addresses(value: &[u8]) -> Vec<Address> {
    let value = normalise(value);
    let parsed = MessageStream::new(value.as_bytes()).parse_address();
    let HeaderValue::Address(parsed) = parsed else {
        return Vec::new();
    };
    let address = |addr: &Addr<'_>| {
        let clean = |text: Option<&str>| text.map(one_line).filter(|text| !text.is_empty());
        let mut name = clean(addr.name.as_deref());
        let mut address = clean(addr.address.as_deref());
        if address
            .as_deref()
            .is_some_and(|address| !is_address(address))
        {
            name = name.or(address.take());
            address = None;
        }
        (name.is_some() || address.is_some()).then_some(Address { name, address })
    };
    parsed
        .iter()
        .filter_map(address)
        .take(MAX_ADDRESSES)
        .collect()
}

fn is_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<(Option<String>, Option<String>)> {
        parse_addresses(value.as_bytes())
            .into_iter()
            .map(|a| (a.name, a.address))
            .collect()
    }

    fn both(name: &str, address: &str) -> (Option<String>, Option<String>) {
        (Some(name.to_owned()), Some(address.to_owned()))
    }

    #[test]
    fn every_form_of_a_mailbox_is_read() {
        assert_eq!(
            read("ann@x.org, Bob B <bob@x.org>,\r\n \"C, D\" <c@x.org>, e@x.org (Eve), <f@x.org>"),
            [
                (None, Some("ann@x.org".into())),
                both("Bob B", "bob@x.org"),
                both("C, D", "c@x.org"),
                both("Eve", "e@x.org"),
                (None, Some("f@x.org".into())),
            ]
        );
    }

    #[test]
    fn encoded_names_are_decoded() {
        assert_eq!(
            read("=?utf-8?Q?M=C3=BCller=2C_Ann?= <a@x.org>, \"=?utf-8?B?w6k=?=\" <b@x.org>"),
            [both("Müller, Ann", "a@x.org"), both("é", "b@x.org")]
        );
        assert_eq!(
            read("=?utf-8?B?w6nD?= =?utf-8?B?qQ==?= <a@x.org>"),
            [both("éé", "a@x.org")]
        );
    }

    #[test]
    fn groups_are_flattened() {
        assert_eq!(
            read("Team: a@x.org, B <b@x.org>;, c@x.org"),
            [
                (None, Some("a@x.org".into())),
                both("B", "b@x.org"),
                (None, Some("c@x.org".into()))
            ]
        );
        assert_eq!(read("undisclosed-recipients:;"), []);
    }

    #[test]
    fn what_is_no_address_is_a_name() {
        assert_eq!(
            read("<MAILER-DAEMON>"),
            [(Some("MAILER-DAEMON".into()), None)]
        );
        assert_eq!(read("Just a name"), [(Some("Just a name".into()), None)]);
        assert_eq!(read("  "), []);
    }

    #[test]
    fn a_list_is_capped() {
        assert_eq!(read(&"a@x.org,".repeat(3_000)).len(), MAX_ADDRESSES);
    }
}
