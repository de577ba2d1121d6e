//! What was delivered, as it lies in the Maildir.

use std::path::Path;

use anyhow::{Context, Result};

/// A message as one recipient got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The envelope's sender; empty for none.
    pub sender: String,
    /// The envelope's recipient.
    pub recipient: String,
    /// The message as it was handed over, line ends as CRLF, without the fields that the server put before it.
    pub octets: Vec<u8>,
}

/// Every message of a Maildir directory, in no order; none where the directory is not there yet.
pub(super) fn read_all(directory: &Path) -> Result<Vec<Delivered>> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Ok(Vec::new());
    };
    entries
        .map(|entry| {
            let path = entry?.path();
            let raw = std::fs::read(&path).with_context(|| path.display().to_string())?;
            read(&raw).with_context(|| path.display().to_string())
        })
        .collect()
}

/// Regular files below a directory.
pub(super) fn count_files(directory: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        // A file may go while it is looked at.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => count += count_files(&entry.path())?,
            Ok(_) => count += 1,
            Err(_) => {}
        }
    }
    Ok(count)
}

/// The server's own fields come first: `Return-Path`, `X-Original-To`, `Delivered-To`, `Received`.
fn read(raw: &[u8]) -> Result<Delivered> {
    let (mut sender, mut recipient, mut after_received) = (None, None, false);
    let mut rest = raw;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        let continued = line.starts_with([' ', '\t']);
        if after_received && !continued {
            break;
        }
        if let Some(address) = line.strip_prefix("Return-Path: <") {
            sender = address.strip_suffix('>').map(String::from);
        } else if let Some(address) = line.strip_prefix("X-Original-To: ") {
            recipient = Some(address.to_owned());
        } else if line.starts_with("Received:") {
            after_received = true;
        }
        rest = &rest[end + 1..];
    }
    let mut octets = Vec::with_capacity(rest.len() + rest.len() / 32);
    for byte in rest {
        if *byte == b'\n' {
            octets.push(b'\r');
        }
        octets.push(*byte);
    }
    Ok(Delivered {
        sender: sender.context("no Return-Path")?,
        recipient: recipient.context("no X-Original-To")?,
        octets,
    })
}
