//! Recipients of a draft that anybody may have written.

use email_mime::{compose::Mailbox, headers::parse_addresses};
use email_model::Address;

/// The addresses of an address field, in the form that is written to servers. `None` where two readers could take it
/// for different addresses: only `address`, `name <address>`, lists of these and an empty group are read, and only
/// where the reader of received mail finds the same.
pub(super) fn addresses(value: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(value).ok()?;
    let items = items(text)?;
    let mut addresses = Vec::with_capacity(items.len());
    for item in &items {
        let mailbox = Mailbox::parse(&Address::bare(item.as_str()), "").ok()?;
        addresses.push(mailbox.address());
    }
    let others: Option<Vec<String>> = parse_addresses(value)
        .into_iter()
        .filter_map(|one| one.address)
        .map(|address| Some(Mailbox::parse(&Address::bare(address), "").ok()?.address()))
        .collect();
    (others? == addresses).then_some(addresses)
}

/// The address of each mailbox of a list as it stands there.
fn items(text: &str) -> Option<Vec<String>> {
    if is_empty_group(text) {
        return Some(Vec::new());
    }
    let mut items = Vec::new();
    let mut item = Item::default();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                let mut quoted = String::from('"');
                loop {
                    match letters.next()? {
                        '"' => break,
                        '\\' => quoted.extend(['\\', letters.next()?]),
                        other => quoted.push(other),
                    }
                }
                quoted.push('"');
                item.push(&quoted)?;
            }
            ',' => items.extend(std::mem::take(&mut item).end()?),
            '<' if item.angle.is_none() => item.angle = Some(String::new()),
            '>' if item.angle.is_some() && !item.is_closed => item.is_closed = true,
            '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '\\' | '\0' => return None,
            '\r' | '\n' => {}
            letter => item.push(letter.encode_utf8(&mut [0; 4]))?,
        }
    }
    items.extend(item.end()?);
    Some(items)
}

/// `undisclosed-recipients:;`
fn is_empty_group(text: &str) -> bool {
    text.trim()
        .strip_suffix(';')
        .and_then(|rest| rest.trim_end().strip_suffix(':'))
        .is_some_and(|name| !name.contains(['"', '(', ')', '<', '>', '@', ',', ':', ';']))
}

/// One mailbox while it is read.
#[derive(Default)]
struct Item {
    /// Outside of angle brackets.
    outside: String,
    angle: Option<String>,
    is_closed: bool,
}

impl Item {
    fn push(&mut self, text: &str) -> Option<()> {
        match &mut self.angle {
            Some(_) if self.is_closed => return text.trim().is_empty().then_some(()),
            Some(angle) => angle.push_str(text),
            None => self.outside.push_str(text),
        }
        Some(())
    }

    /// The address; nothing for an empty place in the list, which the obsolete syntax allows.
    fn end(self) -> Option<Option<String>> {
        let outside = self.outside.trim();
        match self.angle {
            None if outside.is_empty() => Some(None),
            None => Some(Some(outside.to_owned())),
            Some(angle) if self.is_closed => {
                let is_name = !unquoted(outside).contains('@');
                is_name.then(|| Some(angle.trim().to_owned()))
            }
            Some(_) => None,
        }
    }
}

/// A text without its quoted strings.
fn unquoted(text: &str) -> String {
    let mut inside = false;
    let mut escaped = false;
    text.chars()
        .filter(|letter| {
            let was_inside = inside;
            match letter {
                _ if escaped => escaped = false,
                '\\' if inside => escaped = true,
                '"' => inside = !inside,
                _ => {}
            }
            !was_inside && *letter != '"'
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        addresses(text.as_bytes())
    }

    #[test]
    fn what_mail_programs_write_is_read() {
        let some = |list: &[&str]| Some(list.iter().map(|one| (*one).to_owned()).collect());
        assert_eq!(read(" a@b.test\r\n"), some(&["a@b.test"]));
        assert_eq!(
            read(" =?utf-8?Q?J=C3=B6rg?= <j@b.test>,\r\n \"Last, First\" <f@b.test>, c@d.test"),
            some(&["j@b.test", "f@b.test", "c@d.test"])
        );
        assert_eq!(read(" \"a@b.test\" <c@d.test>"), some(&["c@d.test"]));
        assert_eq!(read(" undisclosed-recipients:;"), some(&[]));
        assert_eq!(read(""), some(&[]));
        assert_eq!(
            read(" Jörg <j@müller.test>"),
            some(&["j@xn--mller-kva.test"])
        );
    }

    #[test]
    fn what_could_be_read_as_another_address_is_not_read() {
        for text in [
            " \"a@evil.test x\"@inside.test",
            " a@b.test (c@d.test)",
            " a@b.test <c@d.test>",
            " <a@b.test>c@d.test",
            " friends: a@b.test, c@d.test;",
            " <@relay.test:a@b.test>",
            " a@b.test c@d.test",
            " <a@b.test",
            " a@b.test>",
            " <<a@b.test>>",
            " \"open <a@b.test>",
            " a@[127.0.0.1]",
            " nobody",
            " a@b.test; c@d.test",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
