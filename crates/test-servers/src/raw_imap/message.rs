//! Writing, reading and changing messages.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, FixedOffset};
use tokio::io::AsyncWriteExt;

use super::{RawImap, Value, quoted};
use crate::GeneratedMail;

/// A message as a server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMail {
    /// Its UID in this mailbox.
    pub uid: u32,
    /// System flags but `\Recent`, in the server's spelling.
    pub flags: BTreeSet<String>,
    /// Keywords.
    pub keywords: BTreeSet<String>,
    /// When the server says that it received the message.
    pub internal_date: DateTime<FixedOffset>,
    /// The message itself.
    pub raw: Vec<u8>,
}

/// Messages in one MULTIAPPEND command; a server keeps all or none of them.
const BATCH: usize = 250;

impl RawImap {
    /// Appends a message; returns UIDVALIDITY and UID where the server tells them (RFC 4315).
    ///
    /// # Errors
    /// When refused.
    pub async fn append(
        &mut self,
        mailbox: &str,
        raw: &[u8],
        flags: &[&str],
        internal_date: Option<DateTime<FixedOffset>>,
    ) -> Result<Option<(u32, u32)>> {
        let date = internal_date.map_or_else(String::new, |date| format!(" {}", date_time(date)));
        let line = format!("APPEND {} ({}){date}", quoted(mailbox), flags.join(" "));
        let answer = self.command_parts(&[line.as_bytes(), raw]).await?;
        let code = answer.code("APPENDUID");
        Ok(code.and_then(|numbers| match numbers.as_slice() {
            [validity, uid] => Some((validity.parse().ok()?, uid.parse().ok()?)),
            _ => None,
        }))
    }

    /// Appends many messages in few commands; returns how many there were.
    ///
    /// # Errors
    /// When refused, or when the server has neither MULTIAPPEND (RFC 3502) nor LITERAL+ (RFC 7888).
    pub async fn bulk_append(
        &mut self,
        mailbox: &str,
        mails: impl IntoIterator<Item = GeneratedMail>,
    ) -> Result<usize> {
        ensure!(
            self.advertises("MULTIAPPEND") && self.advertises("LITERAL+"),
            "bulk_append needs MULTIAPPEND and LITERAL+"
        );
        let mut mails = mails.into_iter().peekable();
        let mut count = 0;
        while mails.peek().is_some() {
            self.tags += 1;
            let tag = format!("t{} ", self.tags);
            let line = format!("{tag}APPEND {}", quoted(mailbox));
            self.stream.write_all(line.as_bytes()).await?;
            for mail in mails.by_ref().take(BATCH) {
                let start = format!(
                    " ({}) {} {{{}+}}\r\n",
                    mail.flags.join(" "),
                    date_time(mail.internal_date),
                    mail.raw.len()
                );
                self.stream.write_all(start.as_bytes()).await?;
                self.stream.write_all(&mail.raw).await?;
                count += 1;
            }
            self.send(b"\r\n").await?;
            let answer = self.read_until_tagged(&tag, Vec::new()).await?;
            ensure!(answer.is_ok(), "APPEND: {}", answer.tagged);
        }
        Ok(count)
    }

    /// UID SEARCH in the selected mailbox, without ESEARCH.
    ///
    /// # Errors
    /// When refused.
    pub async fn uid_search(&mut self, criteria: &str) -> Result<Vec<u32>> {
        let answer = self.command(&format!("UID SEARCH {criteria}")).await?;
        let mut uids = Vec::new();
        for response in &answer.untagged {
            if let Some(numbers) = response.strip_prefix(b"* SEARCH") {
                uids.extend(
                    Value::parse(numbers)
                        .iter()
                        .filter_map(Value::number::<u32>),
                );
            }
        }
        uids.sort_unstable();
        Ok(uids)
    }

    /// Flags, date and bytes of messages of the selected mailbox.
    ///
    /// # Errors
    /// When refused, or when an answer lacks what was asked for.
    pub async fn fetch_mails(&mut self, uids: &str) -> Result<Vec<StoredMail>> {
        let command = format!("UID FETCH {uids} (UID FLAGS INTERNALDATE BODY.PEEK[])");
        let answer = self.command(&command).await?;
        answer
            .untagged
            .iter()
            .filter_map(|response| {
                let values = Value::parse(response);
                let fetch = values
                    .iter()
                    .any(|value| value.text().as_deref() == Some("FETCH"));
                // A FETCH without the body only tells that another session changed flags.
                values
                    .into_iter()
                    .next_back()
                    .filter(|last| fetch && last.get("BODY[]").is_some())
            })
            .map(|items| stored_mail(&items))
            .collect()
    }

    /// UID STORE: `change` is `+FLAGS`, `-FLAGS` or `FLAGS`.
    ///
    /// # Errors
    /// When refused.
    pub async fn store(&mut self, uids: &str, change: &str, flags: &[&str]) -> Result<()> {
        let line = format!("UID STORE {uids} {change}.SILENT ({})", flags.join(" "));
        self.command(&line).await.map(drop)
    }

    /// UID COPY.
    ///
    /// # Errors
    /// When refused.
    pub async fn copy(&mut self, uids: &str, mailbox: &str) -> Result<()> {
        let line = format!("UID COPY {uids} {}", quoted(mailbox));
        self.command(&line).await.map(drop)
    }

    /// UID MOVE, or COPY and [`RawImap::expunge`] where MOVE is not advertised.
    ///
    /// # Errors
    /// When refused.
    pub async fn move_to(&mut self, uids: &str, mailbox: &str) -> Result<()> {
        if self.advertises("MOVE") {
            let line = format!("UID MOVE {uids} {}", quoted(mailbox));
            return self.command(&line).await.map(drop);
        }
        self.copy(uids, mailbox).await?;
        self.expunge(uids).await
    }

    /// Marks messages `\Deleted` and removes them alone, by UID EXPUNGE.
    ///
    /// # Errors
    /// When refused.
    pub async fn expunge(&mut self, uids: &str) -> Result<()> {
        self.store(uids, "+FLAGS", &["\\Deleted"]).await?;
        self.command(&format!("UID EXPUNGE {uids}")).await.map(drop)
    }
}

fn stored_mail(items: &Value) -> Result<StoredMail> {
    let item = |name: &str| {
        items
            .get(name)
            .with_context(|| format!("no {name} in a FETCH response"))
    };
    let date = item("INTERNALDATE")?
        .text()
        .context("INTERNALDATE is a list")?;
    let mut flags = BTreeSet::new();
    let mut keywords = BTreeSet::new();
    for flag in item("FLAGS")?.list().iter().filter_map(Value::text) {
        if flag.eq_ignore_ascii_case("\\Recent") {
            continue;
        }
        if flag.starts_with('\\') {
            flags.insert(flag);
        } else {
            keywords.insert(flag);
        }
    }
    Ok(StoredMail {
        uid: item("UID")?.number().context("UID is no number")?,
        flags,
        keywords,
        internal_date: DateTime::parse_from_str(date.trim(), "%d-%b-%Y %H:%M:%S %z")
            .with_context(|| format!("INTERNALDATE {date:?}"))?,
        raw: match item("BODY[]")? {
            Value::String(raw) => raw.clone(),
            // NIL: a message without a byte.
            _ => Vec::new(),
        },
    })
}

/// `"01-Jan-2026 12:00:00 +0100"`, quoted.
fn date_time(date: DateTime<FixedOffset>) -> String {
    date.format("\"%d-%b-%Y %H:%M:%S %z\"").to_string()
}
