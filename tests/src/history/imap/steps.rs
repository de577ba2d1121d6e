//! Changes of the mailbox behind the gateway's back.

use anyhow::Result;
use rand::Rng;
use rand::seq::IndexedRandom;
use test_servers::RawImap;

use super::ImapWorld;
use super::server::{MailServer, USER, on_disk};
use crate::{hash_of, truth::ENCODED};

const KEYWORDS: [&str; 4] = ["work", "later", "Projekt-7", "x_y"];
const SYSTEM_FLAGS: [&str; 4] = ["\\Seen", "\\Flagged", "\\Draft", "\\Answered"];
const NAMES: [&str; 4] = ["Work", "Deep", "Invoices 2024", "old stuff"];

/// A message on the server.
struct Picked {
    folder: String,
    uid: u32,
}

impl ImapWorld {
    /// One change.
    pub(super) async fn change_something(&mut self) -> Result<()> {
        match self.rng.random_range(0..100) {
            0..22 => self.append().await,
            22..26 => self.append_again().await,
            26..46 => self.flag().await,
            46..60 => self.move_one().await,
            60..65 => self.copy_one().await,
            65..70 => self.mark_deleted().await,
            70..74 => self.clear_deleted().await,
            74..81 => self.expunge().await,
            81..87 => self.create_folder().await,
            87..91 => self.rename_folder().await,
            91..94 => self.delete_folder().await,
            _ => self.reset_uidvalidity().await,
        }
    }

    /// New mail, by APPEND or as a delivery.
    pub(super) async fn append(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let folder = self.any_folder(&mut client).await?;
        for _ in 0..self.rng.random_range(1..4) {
            let mail = self.mails.make(&mut self.rng, self.seed);
            if let MailServer::Courier(courier) = &self.side.server
                && self.rng.random_bool(0.6)
            {
                courier.deliver(USER, &on_disk(&folder), &mail.raw)?;
                self.tell(format!("deliver {} to {folder}", self.mails.count()));
                continue;
            }
            let flags = self.some_flags();
            let shown = flags.join(" ");
            client
                .append(&folder, &mail.raw, &flags, Some(mail.received))
                .await?;
            self.tell(format!(
                "append {} to {folder} ({shown})",
                self.mails.count()
            ));
        }
        Ok(())
    }

    /// The bytes and the date of a message once more, in the same folder or another.
    async fn append_again(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let Some(picked) = self.any_message(&mut client).await? else {
            return Ok(());
        };
        for mail in client.fetch_mails(&picked.uid.to_string()).await? {
            let folder = if self.rng.random_bool(0.5) {
                picked.folder.clone()
            } else {
                self.any_folder(&mut client).await?
            };
            self.ambiguous.insert(hash_of(&mail.raw));
            client
                .append(&folder, &mail.raw, &[], Some(mail.internal_date))
                .await?;
            self.tell(format!(
                "append {}:{} again to {folder}",
                picked.folder, picked.uid
            ));
        }
        Ok(())
    }

    async fn flag(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let Some(picked) = self.any_message(&mut client).await? else {
            return Ok(());
        };
        let change = ["+FLAGS", "-FLAGS", "FLAGS"].choose(&mut self.rng);
        let change = change.copied().unwrap_or("FLAGS");
        let flags = self.some_flags();
        // Now and then all of a folder at once.
        let uids = if self.rng.random_bool(0.1) {
            "1:*".to_owned()
        } else {
            picked.uid.to_string()
        };
        client.store(&uids, change, &flags).await?;
        self.tell(format!("store {}:{uids} {change} {flags:?}", picked.folder));
        Ok(())
    }

    async fn move_one(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let Some(picked) = self.any_message(&mut client).await? else {
            return Ok(());
        };
        let target = self.any_folder(&mut client).await?;
        if target == picked.folder {
            return Ok(());
        }
        let uid = picked.uid.to_string();
        if client.advertises("MOVE") && self.rng.random_bool(0.8) {
            client.move_to(&uid, &target).await?;
            self.tell(format!("move {}:{uid} to {target}", picked.folder));
        } else {
            // For a moment there are two, and whoever looks then sees a copy.
            self.is_ambiguous(&mut client, &uid).await?;
            client.copy(&uid, &target).await?;
            client.expunge(&uid).await?;
            self.tell(format!(
                "copy {}:{uid} to {target} and expunge it",
                picked.folder
            ));
        }
        Ok(())
    }

    async fn copy_one(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let Some(picked) = self.any_message(&mut client).await? else {
            return Ok(());
        };
        let target = self.any_folder(&mut client).await?;
        let uid = picked.uid.to_string();
        self.is_ambiguous(&mut client, &uid).await?;
        client.copy(&uid, &target).await?;
        self.tell(format!("copy {}:{uid} to {target}", picked.folder));
        Ok(())
    }

    async fn mark_deleted(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let Some(picked) = self.any_message(&mut client).await? else {
            return Ok(());
        };
        let uid = picked.uid.to_string();
        client.store(&uid, "+FLAGS", &["\\Deleted"]).await?;
        self.tell(format!("mark {}:{uid} deleted", picked.folder));
        Ok(())
    }

    async fn clear_deleted(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        for folder in self.folders(&mut client).await? {
            client.select(&folder).await?;
            for uid in client.uid_search("DELETED").await? {
                client
                    .store(&uid.to_string(), "-FLAGS", &["\\Deleted"])
                    .await?;
                self.tell(format!("clear the mark of {folder}:{uid}"));
                if self.rng.random_bool(0.5) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn expunge(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let Some(picked) = self.any_message(&mut client).await? else {
            return Ok(());
        };
        let mut uids = client.uid_search("DELETED").await?;
        uids.push(picked.uid);
        let uids: Vec<String> = uids.iter().map(u32::to_string).collect();
        client.expunge(&uids.join(",")).await?;
        self.tell(format!("expunge {}:{uids:?}", picked.folder));
        Ok(())
    }

    /// A folder at the top or in another; the few names come again after a removal.
    pub(super) async fn create_folder(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let own = self.own_folders(&mut client).await?;
        let name = self.new_name(&own);
        if self.folders(&mut client).await?.contains(&name) {
            return Ok(());
        }
        let answer = client.exchange(&format!("CREATE \"{name}\"")).await?;
        self.tell(format!("create {name}: {}", answer.tagged));
        Ok(())
    }

    async fn rename_folder(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let own = self.own_folders(&mut client).await?;
        let Some(from) = own.choose(&mut self.rng).cloned() else {
            return Ok(());
        };
        let to = self.new_name(&own);
        let command = format!("RENAME \"{from}\" \"{to}\"");
        let answer = client.exchange(&command).await?;
        self.tell(format!("rename {from} to {to}: {}", answer.tagged));
        Ok(())
    }

    async fn delete_folder(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let own = self.own_folders(&mut client).await?;
        let Some(name) = own.choose(&mut self.rng).cloned() else {
            return Ok(());
        };
        let answer = client.exchange(&format!("DELETE \"{name}\"")).await?;
        self.tell(format!("delete folder {name}: {}", answer.tagged));
        Ok(())
    }

    async fn reset_uidvalidity(&mut self) -> Result<()> {
        let mut client = self.client().await?;
        let folder = self.any_folder(&mut client).await?;
        client.logout().await?;
        self.side.server.reset_uidvalidity(&folder).await?;
        // Servers end the sessions that have it selected.
        self.troubled = true;
        self.tell(format!("reset the UIDVALIDITY of {folder}"));
        Ok(())
    }

    /// A client of the mail server, past the proxy.
    async fn client(&self) -> Result<RawImap> {
        self.side.server.client().await
    }

    fn new_name(&mut self, own: &[String]) -> String {
        let encoded = ENCODED.iter().map(|(wire, _)| *wire);
        let names: Vec<&str> = NAMES.into_iter().chain(encoded).collect();
        let name = names.choose(&mut self.rng).copied().unwrap_or("Work");
        let parent = own.choose(&mut self.rng).cloned();
        let parent = parent.filter(|_| self.rng.random_bool(0.4));
        self.side.server.naming().below(parent.as_deref(), name)
    }

    fn some_flags(&mut self) -> Vec<&'static str> {
        let all: Vec<&str> = SYSTEM_FLAGS.into_iter().chain(KEYWORDS).collect();
        let count = self.rng.random_range(0..4);
        all.choose_multiple(&mut self.rng, count).copied().collect()
    }

    /// Notes that nothing will tell a message of the selected folder from its copy.
    async fn is_ambiguous(&mut self, client: &mut RawImap, uid: &str) -> Result<()> {
        for mail in client.fetch_mails(uid).await? {
            self.ambiguous.insert(hash_of(&mail.raw));
        }
        Ok(())
    }

    /// All folders that can be selected.
    async fn folders(&mut self, client: &mut RawImap) -> Result<Vec<String>> {
        let listed = client.list("*").await?;
        let selectable = listed.into_iter().filter(|one| {
            !one.attributes.iter().any(|attribute| {
                attribute.eq_ignore_ascii_case("\\Noselect")
                    || attribute.eq_ignore_ascii_case("\\NonExistent")
            })
        });
        Ok(selectable.map(|one| one.name).collect())
    }

    /// Those that the history made.
    async fn own_folders(&mut self, client: &mut RawImap) -> Result<Vec<String>> {
        let naming = self.side.server.naming();
        let names: Vec<&str> = ENCODED.iter().map(|(_, shown)| *shown).collect();
        let folders = self.folders(client).await?;
        Ok(folders
            .into_iter()
            .filter(|folder| {
                let path = naming.path(folder);
                let top = path.split('/').next().unwrap_or_default();
                NAMES.contains(&top) || names.contains(&top)
            })
            .collect())
    }

    async fn any_folder(&mut self, client: &mut RawImap) -> Result<String> {
        if self.rng.random_bool(0.35) {
            return Ok("INBOX".to_owned());
        }
        let folders = self.folders(client).await?;
        let folder = folders.choose(&mut self.rng).cloned();
        Ok(folder.unwrap_or_else(|| "INBOX".to_owned()))
    }

    /// A message that is not marked deleted; its folder is selected.
    async fn any_message(&mut self, client: &mut RawImap) -> Result<Option<Picked>> {
        for _ in 0..6 {
            let folder = self.any_folder(client).await?;
            client.select(&folder).await?;
            let uids = client.uid_search("UNDELETED").await?;
            if let Some(uid) = uids.choose(&mut self.rng) {
                return Ok(Some(Picked { folder, uid: *uid }));
            }
        }
        Ok(None)
    }
}
