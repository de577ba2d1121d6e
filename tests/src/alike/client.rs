//! A client of one account: it follows the change feed and reads what it is told of.

mod asking;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::normal::Normal;
use super::script::Script;
use crate::{Answer, Api, Call, hash_of};

/// How long the feed may take to tell all.
const PATIENCE: Duration = Duration::from_secs(90);

/// Searches that every mailbox must answer alike.
const SEARCHES: [&str; 13] = [
    "is:unread",
    "is:flagged",
    "in:inbox",
    "in:trash",
    "has:attachment",
    "from:bob@example.org",
    "subject:garden",
    "after:2020-01-01 is:read",
    "label:Red",
    "label:TO-DO is:read",
    "label:$Later in:inbox",
    "-label:Team/Blue is:unread",
    "label:Unheard-of",
];

/// What is known of a message.
#[derive(Debug, Clone)]
struct Known {
    message_id: String,
    thread: Option<String>,
    version: i64,
    is_live: bool,
    /// `folderId`, and where that is.
    folder: (Value, String),
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub name: &'static str,
    api: Api,
    normal: Normal,
    updated: String,
    deleted: String,
    known: BTreeMap<String, Known>,
    /// What the last walk told, by Message-ID.
    walk: (Map<String, Value>, Map<String, Value>),
    /// What it told of, and was there.
    changed: BTreeSet<String>,
    /// What it told to be gone.
    gone: BTreeSet<String>,
}

impl Client {
    /// Begins a sync.
    pub async fn begin(name: &'static str, api: Api, body_type: &str) -> Result<Self> {
        // What is not connected now tells no capabilities.
        let call = Call::get("/v1/account").query("pingProvider", true);
        let account = ok(&api, call).await?;
        let normal = Normal::new(&account.json["capabilities"])?;
        let call = Call::post("/v1/email/sync")
            .query("awaitReady", true)
            .query("bodyType", body_type);
        let start = ok(&api, call).await?;
        ensure!(start.json["ready"] == true, "{}", start.told());
        Ok(Self {
            name,
            api,
            normal,
            updated: text(&start.json, "syncUpdatedToken")?,
            deleted: text(&start.json, "syncDeletedToken")?,
            known: BTreeMap::new(),
            walk: Default::default(),
            changed: BTreeSet::new(),
            gone: BTreeSet::new(),
        })
    }

    /// Follows the feed until all before this moment was told.
    pub async fn follow(&mut self, since: DateTime<Utc>) -> Result<()> {
        self.walk = Default::default();
        self.changed.clear();
        self.gone.clear();
        let folders = ok(&self.api, Call::get("/v1/email/folders")).await?;
        let archive = self.archive().await?;
        self.normal
            .folders(folders.records(), archive.as_deref(), &[])?;
        let start = Instant::now();
        loop {
            let deleted = self.walk_stream(false).await?;
            let updated = self.walk_stream(true).await?;
            if deleted.min(updated) > Some(since) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("{}: verifiedAt does not come to pass {since}", self.name);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// To its end; until when all is told.
    async fn walk_stream(&mut self, is_live: bool) -> Result<Option<DateTime<Utc>>> {
        let template = match is_live {
            true => "/v1/email/sync/updated",
            false => "/v1/email/sync/deleted",
        };
        let token = if is_live {
            &self.updated
        } else {
            &self.deleted
        };
        let mut call = Call::get(template).query("deltaToken", token);
        loop {
            let page = ok(&self.api, call).await?;
            for record in page.records() {
                self.told(record, is_live)?;
            }
            if let Some(next) = page.json["nextDeltaToken"].as_str() {
                let token = match is_live {
                    true => &mut self.updated,
                    false => &mut self.deleted,
                };
                next.clone_into(token);
                let verified = page.json["verifiedAt"].as_str();
                return Ok(verified.and_then(|text| text.parse().ok()));
            }
            let next = text(&page.json, "nextPageToken")?;
            call = Call::get(template).query("pageToken", next);
        }
    }

    fn told(&mut self, record: &Value, is_live: bool) -> Result<()> {
        let id = text(record, "id")?;
        let version = record["version"].as_i64().context("no version")?;
        let message_id = text(record, "internetMessageId")?;
        let before = self.known.get(&id);
        if let Some(before) = before {
            ensure!(
                before.message_id == message_id,
                "{id} was {}, now {message_id}",
                before.message_id
            );
            ensure!(before.version < version, "{message_id} twice: {record}");
        }
        let same = |known: &Known| known.is_live && known.message_id == message_id;
        let other = self
            .known
            .iter()
            .find(|(old, known)| **old != id && same(known));
        ensure!(
            other.is_none(),
            "{}: {message_id} is {id}, was {other:?}",
            self.name
        );
        // A removal names the folder that the message was in last, without the keywords that tell which that is.
        let folder = record["folderId"].clone();
        let folder = match before.filter(|before| !is_live && before.folder.0 == folder) {
            Some(before) => before.folder.clone(),
            None => (folder, self.normal.place(record)),
        };
        let place = json!(folder.1);
        let thread = record["threadId"].as_str().map(str::to_owned);
        let known = Known {
            message_id: message_id.clone(),
            thread,
            version,
            is_live,
            folder,
        };
        self.known.insert(id.clone(), known);
        if is_live {
            let shown = self.normal.synced(record);
            self.walk.0.insert(message_id, shown);
            self.changed.insert(id);
        } else {
            let mut shown = self.normal.record(record);
            shown["folderId"] = place;
            self.walk.1.insert(message_id, shown);
            self.gone.insert(id);
        }
        Ok(())
    }

    /// All that it can get.
    pub async fn view(&mut self, script: &Script) -> Result<Value> {
        Ok(json!({
            "folders": self.folders(script).await?,
            "updated": self.walk.0,
            "deleted": self.walk.1,
            "list": self.list().await?,
            "searches": self.searches().await?,
            "messages": self.messages().await?,
            "gone": self.absences().await?,
            "conversations": self.conversations().await?,
            "there": self.there(script),
        }))
    }

    async fn folders(&mut self, script: &Script) -> Result<Value> {
        let answer = ok(&self.api, Call::get("/v1/email/folders")).await?;
        let archive = self.archive().await?;
        self.normal
            .folders(answer.records(), archive.as_deref(), script.folders())
    }

    async fn archive(&self) -> Result<Option<String>> {
        let known = ok(&self.api, Call::get("/v1/email/folders/wellKnown")).await?;
        Ok(known.json["archive"].as_str().map(str::to_owned))
    }

    /// Newest first.
    async fn list(&self) -> Result<Value> {
        let call = Call::get("/v1/email/messages")
            .query("includeTrashAndJunk", true)
            .query("limit", 500);
        let answer = ok(&self.api, call).await?;
        let records = answer.records().iter();
        Ok(records.map(|record| self.normal.listed(record)).collect())
    }

    async fn searches(&self) -> Result<Value> {
        let mut found = Map::new();
        for q in SEARCHES {
            let call = Call::get("/v1/email/messages")
                .query("q", q)
                .query("limit", 500);
            let answer = ok(&self.api, call).await?;
            let ids = answer.records().iter();
            let ids: Vec<&Value> = ids.map(|record| &record["internetMessageId"]).collect();
            found.insert(q.to_owned(), json!(ids));
        }
        Ok(Value::Object(found))
    }

    /// What changed, in every form that it can be read in.
    async fn messages(&self) -> Result<Value> {
        let mut all = Map::new();
        for (id, known) in self.changed() {
            let get = Call::get("/v1/email/messages/{messageId}").with("messageId", id);
            let mut forms = Map::new();
            for (form, call) in [
                ("html", get.clone().query("loadInlines", true)),
                ("text", get.clone().query("bodyType", "text")),
                (
                    "stripped",
                    get.query("bodyType", "text").query("stripQuoted", true),
                ),
            ] {
                let answer = ok(&self.api, call).await?;
                if form == "html" {
                    let attachments = self.attachments(id, &answer.json).await?;
                    forms.insert("attachments".to_owned(), attachments);
                }
                forms.insert(form.to_owned(), self.normal.record(&answer.json));
            }
            let raw = Call::get("/v1/email/messages/{messageId}/raw").with("messageId", id);
            let raw = ok(&self.api, raw).await?;
            forms.insert("raw".to_owned(), json!(hash_of(&raw.body)));
            all.insert(known.message_id.clone(), Value::Object(forms));
        }
        Ok(Value::Object(all))
    }

    async fn attachments(&self, id: &str, message: &Value) -> Result<Value> {
        let mut all = Vec::new();
        for attachment in message["attachments"].as_array().into_iter().flatten() {
            let call = Call::get("/v1/email/messages/{messageId}/attachments/{attachmentId}")
                .with("messageId", id)
                .with("attachmentId", text(attachment, "id")?);
            all.push(ok(&self.api, call).await?.json);
        }
        Ok(json!(all))
    }

    /// What is gone is not found.
    async fn absences(&self) -> Result<Value> {
        let mut all = Map::new();
        for id in &self.gone {
            let call = Call::get("/v1/email/messages/{messageId}").with("messageId", id);
            let answer = self.api.call(call).await?;
            let known = self.known.get(id).context("it was told")?;
            if !known.is_live {
                let told = json!([answer.status, answer.code()]);
                all.insert(known.message_id.clone(), told);
            }
        }
        Ok(Value::Object(all))
    }

    /// Of what changed: the messages of its conversation, oldest first.
    async fn conversations(&self) -> Result<Value> {
        let mut all = Map::new();
        for (_, known) in self.changed() {
            let Some(thread) = &known.thread else {
                all.insert(known.message_id.clone(), json!("no threadId"));
                continue;
            };
            let call = Call::get("/v1/email/conversations/{threadId}").with("threadId", thread);
            let answer = ok(&self.api, call).await?;
            let ids = answer.records().iter();
            let ids: Vec<&Value> = ids.map(|record| &record["internetMessageId"]).collect();
            all.insert(known.message_id.clone(), json!(ids));
        }
        Ok(Value::Object(all))
    }

    fn changed(&self) -> impl Iterator<Item = (&String, &Known)> {
        let changed = self.changed.iter();
        changed
            .filter_map(|id| Some((id, self.known.get(id)?)))
            .filter(|(_, known)| known.is_live)
    }

    /// Whether all messages, and no others, are there.
    fn there(&self, script: &Script) -> Value {
        let has: BTreeSet<&str> = self
            .known
            .values()
            .filter(|known| known.is_live)
            .map(|known| known.message_id.as_str())
            .collect();
        let truth: BTreeSet<&str> = script
            .letters()
            .map(|letter| letter.message_id.as_str())
            .collect();
        let missing: Vec<&&str> = truth.difference(&has).collect();
        let extra: Vec<&&str> = has.difference(&truth).collect();
        match missing.is_empty() && extra.is_empty() {
            true => json!("all"),
            false => json!(format!(
                "{}: missing {missing:?}, extra {extra:?}",
                self.name
            )),
        }
    }
}

async fn ok(api: &Api, call: Call) -> Result<Answer> {
    let answer = api.call(call).await?;
    ensure!(answer.status == 200, "{}", answer.told());
    Ok(answer)
}

fn text(value: &Value, field: &str) -> Result<String> {
    let text = value[field].as_str();
    Ok(text
        .with_context(|| format!("no {field} in {value}"))?
        .to_owned())
}
