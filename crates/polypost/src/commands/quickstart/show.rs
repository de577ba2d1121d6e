use std::collections::BTreeMap;

use super::{
    api::Message,
    copy::{Change, MailboxCopy},
};
use crate::commands::print::{line, shortened};

/// Subjects shown of each folder.
const SUBJECTS: usize = 2;
/// Width of a subject, in characters.
const WIDTH: usize = 60;

/// What the first copy brought.
pub(super) fn summary(copy: &MailboxCopy) -> anyhow::Result<()> {
    let mut folders: BTreeMap<String, Vec<&Message>> = BTreeMap::new();
    for message in copy.order.iter().filter_map(|id| copy.messages.get(id)) {
        folders
            .entry(folder(copy, message))
            .or_default()
            .push(message);
    }
    line("")?;
    line(format!(
        "Synchronised {} messages in {} folders:",
        copy.messages.len(),
        folders.len()
    ))?;
    for (name, messages) in &folders {
        line(format!("  {name} ({})", messages.len()))?;
        for message in messages.iter().take(SUBJECTS) {
            line(format!(
                "    {}  {}",
                message.id,
                subject(message.subject.as_deref())
            ))?;
        }
    }
    Ok(())
}

/// What to try by hand.
pub(super) fn next_steps(base: &str, token: &str, copy: &MailboxCopy) -> anyhow::Result<()> {
    let curl = format!("curl -s -H 'Authorization: Bearer {token}'");
    line("")?;
    line(format!("Account token: {token}"))?;
    line("")?;
    line("What changed since now (each answer carries the token of the next call):")?;
    let delta = &copy.updated_token;
    line(format!(
        "  {curl} '{base}/v1/email/sync/updated?deltaToken={delta}'"
    ))?;
    line("Search:")?;
    line(format!(
        "  {curl} '{base}/v1/email/messages?q=is:unread&limit=5'"
    ))?;
    if let Some(id) = copy.order.first() {
        line("Read one message:")?;
        line(format!(
            "  {curl} '{base}/v1/email/messages/{id}?bodyType=text'"
        ))?;
    }
    line(format!("Everything else: {base}/docs"))?;
    line("")?;
    line("Following the mailbox; Ctrl-C ends it.")?;
    Ok(())
}

/// What happened since the last look.
pub(super) fn changes(copy: &MailboxCopy, changes: &[Change]) -> anyhow::Result<()> {
    for change in changes {
        match change {
            Change::New(id) => told(copy, "new    ", id)?,
            Change::Changed(id) => told(copy, "changed", id)?,
            Change::Gone(id, was) => line(format!("  gone     {id}  {}", subject(was.as_deref())))?,
        }
    }
    Ok(())
}

fn told(copy: &MailboxCopy, what: &str, id: &str) -> anyhow::Result<()> {
    if let Some(message) = copy.messages.get(id) {
        let (subject, folder) = (subject(message.subject.as_deref()), folder(copy, message));
        let labels = message.sys_labels.iter().map(String::as_str);
        let facts: Vec<&str> = std::iter::once(folder.as_str()).chain(labels).collect();
        line(format!("  {what}  {id}  {subject}  [{}]", facts.join(", ")))?;
    }
    Ok(())
}

fn folder(copy: &MailboxCopy, message: &Message) -> String {
    let name = message
        .folder_id
        .as_ref()
        .and_then(|id| copy.folders.get(id));
    shortened(name.map_or("(no folder)", String::as_str), WIDTH)
}

fn subject(subject: Option<&str>) -> String {
    shortened(subject.unwrap_or("(no subject)"), WIDTH)
}
