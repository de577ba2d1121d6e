//! Mailboxes: listing, selecting, changing and dumping them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::{Answer, RawImap, StoredMail, Value, quoted};

/// One line of LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMailbox {
    /// Attributes such as `\Noselect` and `\Sent`.
    pub attributes: Vec<String>,
    /// What separates levels, if there are any.
    pub separator: Option<String>,
    /// The name as on the wire.
    pub name: String,
}

/// What SELECT or EXAMINE tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// How many messages there are.
    pub exists: u32,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT, where the server tells it.
    pub uid_next: Option<u32>,
    /// HIGHESTMODSEQ, where the server keeps mod-sequences.
    pub highest_modseq: Option<u64>,
}

/// A mailbox and all its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxDump {
    /// The name as on the wire.
    pub name: String,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// Messages by UID.
    pub mails: BTreeMap<u32, StoredMail>,
}

impl RawImap {
    /// LIST with a pattern, such as `*`.
    ///
    /// # Errors
    /// When refused.
    pub async fn list(&mut self, pattern: &str) -> Result<Vec<ListedMailbox>> {
        let answer = self
            .command(&format!("LIST \"\" {}", quoted(pattern)))
            .await?;
        answer
            .untagged
            .iter()
            .filter_map(|response| response.strip_prefix(b"* LIST "))
            .map(|rest| match Value::parse(rest).as_slice() {
                [attributes, separator, name, ..] => Ok(ListedMailbox {
                    attributes: attributes.list().iter().filter_map(Value::text).collect(),
                    separator: match separator {
                        Value::String(text) => Some(String::from_utf8_lossy(text).into_owned()),
                        _ => None,
                    },
                    name: name.text().context("a LIST name that is a list")?,
                }),
                _ => anyhow::bail!("LIST {:?}", String::from_utf8_lossy(rest)),
            })
            .collect()
    }

    /// SELECT.
    ///
    /// # Errors
    /// When refused, or when the answer lacks EXISTS or UIDVALIDITY.
    pub async fn select(&mut self, mailbox: &str) -> Result<Selected> {
        let answer = self.command(&format!("SELECT {}", quoted(mailbox))).await?;
        selected(&answer)
    }

    /// EXAMINE: read-only.
    ///
    /// # Errors
    /// As [`RawImap::select`].
    pub async fn examine(&mut self, mailbox: &str) -> Result<Selected> {
        let answer = self
            .command(&format!("EXAMINE {}", quoted(mailbox)))
            .await?;
        selected(&answer)
    }

    /// STATUS of one item, such as `UIDVALIDITY` or `MESSAGES`.
    ///
    /// # Errors
    /// When refused or not answered.
    pub async fn status(&mut self, mailbox: &str, item: &str) -> Result<u64> {
        let line = format!("STATUS {} ({item})", quoted(mailbox));
        let answer = self.command(&line).await?;
        answer
            .untagged
            .iter()
            .filter_map(|response| response.strip_prefix(b"* STATUS "))
            .find_map(|rest| Value::parse(rest).last()?.get(item)?.number())
            .with_context(|| format!("no {item} in STATUS"))
    }

    /// CREATE and SUBSCRIBE.
    ///
    /// # Errors
    /// When refused.
    pub async fn create(&mut self, mailbox: &str) -> Result<()> {
        self.command(&format!("CREATE {}", quoted(mailbox))).await?;
        self.command(&format!("SUBSCRIBE {}", quoted(mailbox)))
            .await
            .map(drop)
    }

    /// RENAME.
    ///
    /// # Errors
    /// When refused.
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let line = format!("RENAME {} {}", quoted(from), quoted(to));
        self.command(&line).await.map(drop)
    }

    /// DELETE.
    ///
    /// # Errors
    /// When refused.
    pub async fn delete(&mut self, mailbox: &str) -> Result<()> {
        self.command(&format!("DELETE {}", quoted(mailbox)))
            .await
            .map(drop)
    }

    /// Everything in one mailbox, which is left selected.
    ///
    /// By SELECT: Courier gives another UIDVALIDITY to each EXAMINE of a mailbox that was never selected.
    ///
    /// # Errors
    /// When refused, or when fewer messages arrive than the server counted.
    pub async fn dump(&mut self, mailbox: &str) -> Result<MailboxDump> {
        let selected = self.select(mailbox).await?;
        let mails = if selected.exists == 0 {
            Vec::new()
        } else {
            self.fetch_mails("1:*").await?
        };
        ensure!(
            mails.len() >= selected.exists as usize,
            "{mailbox}: {} of {} messages",
            mails.len(),
            selected.exists
        );
        Ok(MailboxDump {
            name: mailbox.to_owned(),
            uid_validity: selected.uid_validity,
            mails: mails.into_iter().map(|mail| (mail.uid, mail)).collect(),
        })
    }

    /// Everything in every mailbox that can be selected, by name.
    ///
    /// # Errors
    /// As [`RawImap::dump`].
    pub async fn dump_all(&mut self) -> Result<BTreeMap<String, MailboxDump>> {
        let mut dumps = BTreeMap::new();
        for mailbox in self.list("*").await? {
            let selectable = !mailbox.attributes.iter().any(|attribute| {
                attribute.eq_ignore_ascii_case("\\Noselect")
                    || attribute.eq_ignore_ascii_case("\\NonExistent")
            });
            if selectable {
                let dump = self.dump(&mailbox.name).await?;
                dumps.insert(mailbox.name, dump);
            }
        }
        Ok(dumps)
    }
}

fn selected(answer: &Answer) -> Result<Selected> {
    let exists = answer
        .untagged
        .iter()
        .find_map(|response| match Value::parse(response).as_slice() {
            [_, count, Value::Atom(word)] if word == "EXISTS" => count.number(),
            _ => None,
        })
        .context("no EXISTS")?;
    let number = |name: &str| answer.code(name)?.first()?.parse::<u64>().ok();
    let short = |name: &str| number(name).and_then(|value| u32::try_from(value).ok());
    Ok(Selected {
        exists,
        uid_validity: short("UIDVALIDITY").context("no UIDVALIDITY")?,
        uid_next: short("UIDNEXT"),
        highest_modseq: number("HIGHESTMODSEQ"),
    })
}
