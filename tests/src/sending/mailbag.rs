//! What the SMTP server delivered, read once: a long play delivers many messages.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use test_servers::Postfix;

/// Where the recipients of the player live. Nobody else reads what they got.
pub(super) const DOMAIN: &str = "@run.test";

/// A message as one recipient got it, as far as anybody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// The envelope's recipient.
    pub recipient: String,
    /// `Subject`.
    pub subject: String,
    /// Whether there is a `Bcc`.
    pub has_bcc: bool,
}

#[derive(Debug, Default)]
struct Bag {
    read: BTreeSet<String>,
    arrived: Vec<Arrived>,
}

static BAG: Mutex<Option<Bag>> = Mutex::new(None);

/// Everything of which the subject contains this word, so far.
pub(super) fn arrived(postfix: &Postfix, word: &str) -> Result<Vec<Arrived>> {
    let mut bag = BAG.lock().unwrap_or_else(PoisonError::into_inner);
    let bag = bag.get_or_insert_default();
    bag.empty(&postfix.directory().join("mail/all/new"))?;
    let found = bag.arrived.iter().filter(|one| one.subject.contains(word));
    Ok(found.cloned().collect())
}

impl Bag {
    fn empty(&mut self, directory: &Path) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(directory) else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if self.read.contains(&name) {
                continue;
            }
            let raw = std::fs::read(entry.path())?;
            let one = of_file(&raw).with_context(|| name.clone())?;
            self.read.insert(name);
            if one.recipient.ends_with(DOMAIN) {
                self.arrived.push(one);
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn of_file(raw: &[u8]) -> Result<Arrived> {
    let recipient = field(raw, "X-Original-To").context("no X-Original-To")?;
    Ok(Arrived {
        recipient,
        ..of_message(raw)
    })
}

/// What a message itself says.
pub(super) fn of_message(raw: &[u8]) -> Arrived {
    Arrived {
        recipient: String::new(),
        subject: field(raw, "Subject").unwrap_or_default(),
        has_bcc: field(raw, "Bcc").is_some(),
    }
}

/// The first field of this name, unfolded.
fn field(raw: &[u8], name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in raw.split(|octet| *octet == b'\n') {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        let is_continued = line.starts_with([' ', '\t']);
        match &mut value {
            Some(value) if is_continued => value.push_str(&line),
            Some(_) => break,
            None if line.is_empty() => break,
            None => {
                let found = line
                    .split_once(':')
                    .filter(|(found, _)| found.eq_ignore_ascii_case(name));
                value = found.map(|(_, text)| text.trim().to_owned());
            }
        }
    }
    value
}
