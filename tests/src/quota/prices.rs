//! Units of what is done to a mailbox, where there is room for all of it.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fake_gmail::tables;
use serde_json::json;
use tokio::time::sleep;

use super::{Client, EMAIL, deliver};
use crate::{Call, GatewayOptions, GatewayProcess, Google, StoreKind};

/// More than is spent here.
const PLENTY: u32 = 1_000_000_000;
/// Ids on a page of a list.
const PAGE: u64 = 500;
/// Without a request for so long nothing goes on.
const QUIET: Duration = Duration::from_secs(2);

/// Units of one request of a method of messages.
fn price(method: &str) -> Result<u64> {
    let method = tables::method(&format!("gmail.users.{method}"));
    Ok(u64::from(method.context("a method of the API")?.units))
}

/// A table of what is done, as text.
struct Table {
    google: Google,
    spent: u64,
    text: String,
}

impl Table {
    /// Waits for what goes on in the background.
    async fn settle(&self) {
        let mut before = None;
        while before != Some(self.google.user.units()) {
            before = Some(self.google.user.units());
            sleep(QUIET).await;
        }
    }

    fn row(&mut self, what: &str, least: u64, of: &str) {
        let spent = self.google.user.units() - self.spent;
        self.spent += spent;
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{what:46} {spent:8} {least:8}  {of}");
    }
}

/// The units of a first sync of so many messages and of single changes.
///
/// # Errors
/// When something does not work.
pub async fn prices(program: &Path, messages: usize) -> Result<String> {
    let google = Google::start(EMAIL).await?;
    google.gmail.settings(|settings| {
        settings.units_per_user = PLENTY;
        settings.units_per_project = PLENTY;
    });
    for name in ["Work", "Later", "Travel"] {
        google.user.create_label(name).context("a label")?;
    }
    let mails = deliver(&google.user, 0, messages);
    let quota = json!({"user_units": PLENTY, "project_units": PLENTY});
    let options = google.options(GatewayOptions::new(StoreKind::Sqlite), &quota);
    let gateway = GatewayProcess::start(program, options).await?;
    let mut table = Table {
        google,
        spent: 0,
        text: format!("{:46} {:>8} {:>8}\n", "units", "spent", "least"),
    };
    let [profile, list, get] = [
        price("getProfile")?,
        price("messages.list")?,
        price("messages.get")?,
    ];
    let history = price("history.list")?;
    let count = u64::try_from(messages)?;
    let pages = count.div_ceil(PAGE);

    let api = table.google.connect(&gateway).await?;
    table.row("connecting", profile, "the profile");
    let mut client = Client::begin(&api).await?;
    table.settle().await;
    let what = format!("first sync of {messages}, until it is ready");
    table.row(&what, profile + pages * list, "the profile, a list");
    let told = client.walk().await?;
    ensure!(told.len() == messages, "{} of {messages}", told.len());
    let what = format!("the first walk of {messages} with envelopes");
    table.row(&what, count * get, "a read of each");
    client.walk().await?;
    table.row("a delta of nothing", profile, "the profile");
    deliver(&table.google.user, messages, 1);
    ensure!(client.walk().await?.len() == 1, "one is new");
    table.row(
        "a delta of one new message",
        history + get,
        "history, a read",
    );
    table.google.user.modify(&mails[0], &["STARRED"], &[]);
    ensure!(client.walk().await?.len() == 1, "one is flagged");
    table.row("a delta of one flag", history, "history");
    table.google.user.delete(&mails[1]);
    client.walk().await?;
    table.row("a delta of one removal", history, "history");
    let labels = pages_of_labels(&table.google);
    table.google.user.expire_history();
    client.walk().await?;
    table.settle().await;
    let lists = labels + pages;
    table.row(
        "comparing all, after the history expired",
        profile + lists * list,
        "the profile, a list of each label in use, a list",
    );
    let call = Call::get("/v1/email/messages").query("limit", 50);
    let page = api.call(call).await?;
    ensure!(page.records().len() == 50.min(messages), "{}", page.told());
    table.row(
        "a list of 50 that are known",
        list + 50 * get,
        "a list, their labels now",
    );
    let id = page.records()[0]["id"].as_str().context("an id")?;
    let call = Call::get("/v1/email/messages/{messageId}").with("messageId", id);
    ensure!(api.call(call).await?.status == 200, "a read");
    table.row("a message with its body", get, "a read");
    let call = Call::post("/v1/email/messages/{messageId}/status").with("messageId", id);
    let answer = api.call(call.json(json!({"unread": false}))).await?;
    ensure!(answer.status == 200, "{}", answer.told());
    table.row("marking it read", price("messages.modify")?, "a write");
    let violations = table.google.gmail.violations();
    ensure!(violations.is_empty(), "{violations:#?}");
    Ok(table.text)
}

/// Pages that it takes to list the messages of each label.
fn pages_of_labels(google: &Google) -> u64 {
    let mut counts = std::collections::BTreeMap::new();
    for message in google.user.messages() {
        for label in message.labels {
            *counts.entry(label).or_insert(0_u64) += 1;
        }
    }
    counts.values().map(|count| count.div_ceil(PAGE)).sum()
}
