//! Changes of the mailbox behind the gateway's back.

use fake_gmail::Truth;
use rand::Rng;
use rand::seq::IndexedRandom;

use super::{EMAIL, GmailWorld};
use crate::{hash_of, now};

const NAMES: [&str; 6] = [
    "Work",
    "Projekte/Bücher",
    "Invoices 2024",
    "later",
    "R&D",
    "Work/Deep",
];
const CATEGORIES: [&str; 5] = [
    "CATEGORY_PERSONAL",
    "CATEGORY_SOCIAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_UPDATES",
    "CATEGORY_FORUMS",
];

impl GmailWorld {
    /// One change, or something that changes nothing that a client can see.
    pub(super) fn change_something(&mut self) {
        match self.rng.random_range(0..100) {
            0..21 => self.append(),
            21..24 => self.append_again(),
            24..38 => self.relabel(),
            38..52 => self.flag(),
            52..59 => self.archive(),
            59..66 => self.trash(),
            66..70 => self.spam(),
            70..76 => self.delete_for_ever(),
            76..79 => self.create_label(),
            79..82 => self.rename_label(),
            82..84 => self.delete_label(),
            84..87 => self.create_draft(),
            87..91 => self.edit_draft(),
            91..93 => self.delete_draft(),
            93..95 => self.append_chat(),
            95..98 => self.expire_history(),
            _ => {
                self.expire_tokens();
            }
        }
    }

    /// New mail.
    pub(super) fn append(&mut self) {
        for _ in 0..self.rng.random_range(1..4) {
            let mail = self.mails.make(&mut self.rng, self.seed);
            let mut labels = self.some_labels();
            match self.rng.random_range(0..10) {
                0..6 => labels.push("INBOX".to_owned()),
                6 => labels.push("SENT".to_owned()),
                7 => labels.push("SPAM".to_owned()),
                _ => {}
            }
            if self.rng.random_bool(0.4) {
                let category = CATEGORIES.choose(&mut self.rng).copied();
                labels.push(category.unwrap_or(CATEGORIES[0]).to_owned());
            }
            let shown: Vec<&str> = labels.iter().map(String::as_str).collect();
            let received = mail.received.timestamp_millis();
            let id = self.side.google.user.append(&mail.raw, &shown, received);
            self.tell(format!("append {} as {id}: {shown:?}", self.mails.count()));
        }
    }

    /// The bytes and the date of a message once more.
    fn append_again(&mut self) {
        let Some(old) = self.any_mail() else { return };
        let again = |label: &&String| *label != "DRAFT" && !label.starts_with("Label_");
        let labels: Vec<&str> = old
            .labels
            .iter()
            .filter(again)
            .map(String::as_str)
            .collect();
        self.ambiguous.insert(hash_of(&old.raw));
        let id = self
            .side
            .google
            .user
            .append(&old.raw, &labels, old.internal_date);
        self.tell(format!("append {} again as {id}", old.id));
    }

    /// A message of the chat service: no mail.
    pub(super) fn append_chat(&mut self) {
        let at = now().timestamp_millis() - self.rng.random_range(0..10_000_000_000);
        let id = self.side.google.user.append_chat("a word", at);
        self.tell(format!("a chat as {id}"));
    }

    /// The user's own labels, of one message or of many.
    fn relabel(&mut self) {
        let own = self.own_labels();
        let Some(label) = own.choose(&mut self.rng).cloned() else {
            return;
        };
        let add = self.rng.random_bool(0.6);
        let count = if self.rng.random_bool(0.15) { 30 } else { 1 };
        for _ in 0..count {
            let Some(mail) = self.any_mail() else { return };
            let (added, removed) = if add {
                (vec![label.as_str()], vec![])
            } else {
                (vec![], vec![label.as_str()])
            };
            self.modify(&mail, &added, &removed);
        }
    }

    fn flag(&mut self) {
        let labels = ["UNREAD", "STARRED", "IMPORTANT", CATEGORIES[3]];
        let Some(mail) = self.any_mail() else { return };
        let label = labels.choose(&mut self.rng).copied();
        let label = label.unwrap_or("UNREAD");
        if mail.labels.iter().any(|one| one == label) {
            self.modify(&mail, &[], &[label]);
        } else {
            self.modify(&mail, &[label], &[]);
        }
    }

    /// Out of the inbox, or into it.
    fn archive(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        if mail.labels.iter().any(|label| label == "INBOX") {
            self.modify(&mail, &[], &["INBOX"]);
        } else {
            self.modify(&mail, &["INBOX"], &["TRASH", "SPAM"]);
        }
    }

    /// Into the trash, or out of it.
    fn trash(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        if mail.labels.iter().any(|label| label == "TRASH") {
            self.modify(&mail, &[], &["TRASH"]);
        } else {
            self.side.google.user.trash(&mail.id);
            self.tell(format!("trash {}", mail.id));
        }
    }

    fn spam(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        if mail.labels.iter().any(|label| label == "SPAM") {
            self.modify(&mail, &["INBOX"], &["SPAM"]);
        } else {
            self.modify(&mail, &["SPAM"], &["INBOX", "TRASH"]);
        }
    }

    /// For ever.
    fn delete_for_ever(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        self.side.google.user.delete(&mail.id);
        self.tell(format!("delete {}", mail.id));
    }

    /// The few names come again after a removal.
    pub(super) fn create_label(&mut self) {
        let name = NAMES.choose(&mut self.rng).copied().unwrap_or(NAMES[0]);
        let made = self.side.google.user.create_label(name);
        self.tell(format!("create the label {name}: {made:?}"));
    }

    fn rename_label(&mut self) {
        let own = self.own_labels();
        let Some(label) = own.choose(&mut self.rng) else {
            return;
        };
        let name = NAMES.choose(&mut self.rng).copied().unwrap_or(NAMES[0]);
        let done = self.side.google.user.rename_label(label, name);
        self.tell(format!("rename {label} to {name}: {done}"));
    }

    fn delete_label(&mut self) {
        let own = self.own_labels();
        let Some(label) = own.choose(&mut self.rng) else {
            return;
        };
        self.side.google.user.delete_label(label);
        self.tell(format!("delete the label {label}"));
    }

    pub(super) fn create_draft(&mut self) {
        let mail = self.mails.make(&mut self.rng, self.seed);
        let draft = self.side.google.user.create_draft(&mail.raw);
        self.tell(format!("a draft {draft}"));
    }

    /// Saves a draft again, mostly under the Message-ID that it had.
    fn edit_draft(&mut self) {
        let Some((draft, old)) = self.any_draft() else {
            return self.create_draft();
        };
        let raw = if self.rng.random_bool(0.7) {
            let more = format!("and more, at step {}\r\n", self.step);
            [old.raw, more.into_bytes()].concat()
        } else {
            self.mails.make(&mut self.rng, self.seed).raw
        };
        let id = self.side.google.user.edit_draft(&draft, &raw);
        self.tell(format!("save {draft} again: {} is {id:?}", old.id));
    }

    fn delete_draft(&mut self) {
        let Some((draft, old)) = self.any_draft() else {
            return;
        };
        self.side.google.user.delete_draft(&draft);
        self.tell(format!("delete {draft} with {}", old.id));
    }

    /// Changes nothing: the gateway must compare all.
    fn expire_history(&mut self) {
        self.side.google.user.expire_history();
        self.tell("the history expires");
    }

    /// Changes nothing: the gateway must refresh its token. False where that would be too often: it does not
    /// believe that a token ends which it was given within the last minute.
    pub(super) fn expire_tokens(&mut self) -> bool {
        if std::mem::replace(&mut self.side.have_expired, true) {
            return false;
        }
        self.side.google.oauth.expire_access_tokens(EMAIL);
        self.tell("access tokens expire");
        true
    }

    fn modify(&mut self, mail: &Truth, add: &[&str], remove: &[&str]) {
        self.side.google.user.modify(&mail.id, add, remove);
        self.tell(format!("modify {} +{add:?} -{remove:?}", mail.id));
    }

    /// A few of those that every mail may have.
    fn some_labels(&mut self) -> Vec<String> {
        let flags = ["UNREAD", "UNREAD", "STARRED", "IMPORTANT"].map(str::to_owned);
        let mut all = self.own_labels();
        all.extend(flags);
        let count = self.rng.random_range(0..4);
        let mut some: Vec<String> = all.choose_multiple(&mut self.rng, count).cloned().collect();
        some.sort();
        some.dedup();
        some
    }

    fn own_labels(&self) -> Vec<String> {
        let labels = self.side.google.user.labels().into_iter();
        labels.map(|(id, _)| id).collect()
    }

    fn any_mail(&mut self) -> Option<Truth> {
        let mut all = self.side.google.user.messages();
        all.retain(|mail| !mail.labels.iter().any(|label| label == "CHAT"));
        all.choose(&mut self.rng).cloned()
    }

    fn any_draft(&mut self) -> Option<(String, Truth)> {
        let all: Vec<(String, Truth)> = self
            .side
            .google
            .user
            .messages()
            .into_iter()
            .filter_map(|mail| Some((mail.draft_id.clone()?, mail)))
            .collect();
        all.choose(&mut self.rng).cloned()
    }
}
