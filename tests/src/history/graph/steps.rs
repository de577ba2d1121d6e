//! Changes of the mailbox behind the gateway's back.

use fake_graph::Truth;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::{EMAIL, GraphWorld, truth};
use crate::{hash_of, now};

const NAMES: [&str; 5] = ["Work", "Bücher", "Invoices 2024", "R&D", "old stuff"];
const CATEGORIES: [&str; 4] = ["later", "Red category", "Projekt-7", "Büro"];
/// Names of the inbox in some of its users' languages.
const INBOXES: [&str; 3] = ["Inbox", "Posteingang", "Boîte de réception"];

impl GraphWorld {
    /// One change, or something that changes nothing that a client can see.
    pub(super) fn change_something(&mut self) {
        match self.rng.random_range(0..100) {
            0..21 => self.append(),
            21..24 => self.append_again(),
            24..36 => self.mark(),
            36..50 => self.move_one(),
            50..54 => self.move_and_back(),
            54..57 => self.move_many(),
            57..60 => self.move_an_older_one(),
            60..63 => self.copy_one(),
            63..69 => self.throw_away(),
            69..74 => self.delete_for_ever(),
            74..78 => self.create_folder(),
            78..80 => self.rename_folder(),
            80..82 => self.move_folder(),
            82..84 => self.delete_folder(),
            84..86 => self.create_draft(),
            86..91 => self.edit_draft(),
            91..93 => self.append_chat(),
            93..94 => self.append_hidden(),
            94..97 => self.expire_deltas(),
            _ => {
                self.expire_tokens();
            }
        }
    }

    /// New mail.
    pub(super) fn append(&mut self) {
        for _ in 0..self.rng.random_range(1..4) {
            let mail = self.mails.make(&mut self.rng, self.seed);
            let folder = match self.rng.random_bool(0.5) {
                true => "inbox".to_owned(),
                false => self.any_folder(),
            };
            let received = mail.received.timestamp_millis();
            let user = &self.side.microsoft.user;
            let id = user.append(&mail.raw, &folder, received);
            self.tell(format!("append {} to {folder} as {id}", self.mails.count()));
            if self.rng.random_bool(0.4) {
                self.mark_this(&id);
            }
        }
    }

    /// The bytes and the date of a message once more, in the same folder or another.
    fn append_again(&mut self) {
        let Some(old) = self.any_mail() else { return };
        let folder = match self.rng.random_bool(0.5) {
            true => old.folder,
            false => self.any_folder(),
        };
        self.ambiguous.insert(hash_of(&old.raw));
        let user = &self.side.microsoft.user;
        let id = user.append(&old.raw, &folder, old.received_ms);
        self.tell(format!("append {} again to {folder} as {id}", old.id));
    }

    /// A message of the chat service: no mail.
    pub(super) fn append_chat(&mut self) {
        let at = now().timestamp_millis() - self.rng.random_range(0..10_000_000_000);
        let id = self.side.microsoft.user.append_chat("a word", at);
        self.tell(format!("a chat as {id}"));
    }

    /// Something in a folder that is not shown.
    pub(super) fn append_hidden(&mut self) {
        let user = &self.side.microsoft.user;
        let name = format!("Hidden {}", self.step);
        let Some(folder) = user.create_hidden_folder(&name, None) else {
            return;
        };
        let mail = self.mails.make(&mut self.rng, self.seed);
        let received = mail.received.timestamp_millis();
        user.append(&mail.raw, &folder, received);
        self.tell(format!("hide {} in {folder}", self.mails.count()));
    }

    fn mark(&mut self) {
        if let Some(mail) = self.any_mail() {
            for _ in 0..self.rng.random_range(1..3) {
                self.mark_this(&mail.id);
            }
        }
    }

    fn mark_this(&mut self, id: &str) {
        let user = &self.side.microsoft.user;
        let (what, done) = match self.rng.random_range(0..7) {
            0..4 => {
                let read = user.message(id).is_some_and(|mail| !mail.read);
                (format!("read {read}"), user.set_read(id, read))
            }
            4 => {
                let flag = user.message(id).is_some_and(|mail| !mail.flagged);
                (format!("flagged {flag}"), user.set_flag(id, flag))
            }
            _ => {
                let count = self.rng.random_range(0..3);
                let some: Vec<&str> = CATEGORIES
                    .choose_multiple(&mut self.rng, count)
                    .copied()
                    .collect();
                (
                    format!("categories {some:?}"),
                    user.set_categories(id, &some),
                )
            }
        };
        self.tell(format!("mark {id}: {what}, {done}"));
    }

    fn move_one(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        let folder = self.any_folder();
        self.move_this(&mail.id, &folder);
    }

    fn move_this(&mut self, id: &str, folder: &str) {
        let done = self.side.microsoft.user.move_to(id, folder);
        self.tell(format!("move {id} to {folder}: {done}"));
    }

    /// Away and back again, before anybody has noticed.
    fn move_and_back(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        let folder = self.any_folder();
        self.move_this(&mail.id, &folder);
        if self.rng.random_bool(0.3) {
            self.mark_this(&mail.id);
        }
        self.move_this(&mail.id, &mail.folder);
    }

    /// Most of a folder at once.
    fn move_many(&mut self) {
        let Some(one) = self.any_mail() else { return };
        let folder = self.any_folder();
        let mut all = self.mails_in(&one.folder);
        all.shuffle(&mut self.rng);
        all.truncate(30);
        for mail in all {
            self.move_this(&mail.id, &folder);
        }
    }

    /// The oldest message of one folder into another, where newer ones are.
    fn move_an_older_one(&mut self) {
        let Some(one) = self.any_mail() else { return };
        let oldest = self.mails_in(&one.folder);
        let oldest = oldest.into_iter().min_by_key(|mail| mail.received_ms);
        let folder = self.any_folder();
        if let Some(mail) = oldest {
            self.move_this(&mail.id, &folder);
        }
    }

    fn copy_one(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        let folder = self.any_folder();
        self.ambiguous.insert(hash_of(&mail.raw));
        let copy = self.side.microsoft.user.copy_to(&mail.id, &folder);
        self.tell(format!("copy {} to {folder}: {copy:?}", mail.id));
    }

    /// Into Deleted Items, or from there for ever.
    fn throw_away(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        self.side.microsoft.user.delete(&mail.id);
        self.tell(format!("delete {}", mail.id));
    }

    fn delete_for_ever(&mut self) {
        let Some(mail) = self.any_mail() else { return };
        self.side.microsoft.user.delete_permanently(&mail.id);
        self.tell(format!("delete {} for ever", mail.id));
    }

    /// The few names come again after a removal.
    pub(super) fn create_folder(&mut self) {
        let name = NAMES.choose(&mut self.rng).copied().unwrap_or(NAMES[0]);
        let parent = self.rng.random_bool(0.3).then(|| self.any_folder());
        let user = &self.side.microsoft.user;
        let made = user.create_folder(name, parent.as_deref());
        self.tell(format!("create {name} in {parent:?}: {made:?}"));
    }

    /// Own folders, and now and then one whose name is of the user's language.
    fn rename_folder(&mut self) {
        let (folder, name) = match self.any_own_folder() {
            Some(own) if self.rng.random_bool(0.7) => (own, NAMES.choose(&mut self.rng)),
            _ => ("inbox".to_owned(), INBOXES.choose(&mut self.rng)),
        };
        let name = name.copied().unwrap_or("Other");
        let done = self.side.microsoft.user.rename_folder(&folder, name);
        self.tell(format!("rename {folder} to {name}: {done}"));
    }

    fn move_folder(&mut self) {
        let Some(own) = self.any_own_folder() else {
            return;
        };
        let parent = match self.rng.random_bool(0.4) {
            true => "msgfolderroot".to_owned(),
            false => self.any_folder(),
        };
        let done = self.side.microsoft.user.move_folder(&own, &parent);
        self.tell(format!("move the folder {own} to {parent}: {done}"));
    }

    fn delete_folder(&mut self) {
        let Some(own) = self.any_own_folder() else {
            return;
        };
        let user = &self.side.microsoft.user;
        let done = match self.rng.random_bool(0.3) {
            true => user.delete_folder_permanently(&own),
            false => user.delete_folder(&own),
        };
        self.tell(format!("delete the folder {own}: {done}"));
    }

    pub(super) fn create_draft(&mut self) {
        let mail = self.mails.make(&mut self.rng, self.seed);
        let received = mail.received.timestamp_millis();
        let user = &self.side.microsoft.user;
        let id = user.append(&mail.raw, "drafts", received);
        self.tell(format!("draft {} as {id}", self.mails.count()));
    }

    /// Saves a draft again, under its id.
    fn edit_draft(&mut self) {
        let drafts = self.all_mail();
        let drafts: Vec<Truth> = drafts.into_iter().filter(|mail| mail.draft).collect();
        let Some(old) = drafts.choose(&mut self.rng) else {
            return self.create_draft();
        };
        // Of copies only the one that is edited changes.
        let raw = match self.rng.random_bool(0.7) {
            true => {
                let more = format!("and more, at step {}\r\n", self.step);
                [old.raw.clone(), more.into_bytes()].concat()
            }
            false => self.mails.make(&mut self.rng, self.seed).raw,
        };
        self.ambiguous.insert(hash_of(&old.raw));
        let done = self.side.microsoft.user.edit_draft(&old.id, &raw);
        self.tell(format!("save the draft {} again: {done}", old.id));
    }

    /// Changes nothing: the gateway must compare all.
    fn expire_deltas(&mut self) {
        self.side.microsoft.user.expire_deltas();
        self.tell("all delta tokens expire");
    }

    /// Changes nothing: the gateway must refresh its token. False where that would be too often: it does not
    /// believe that a token ends which it was given within the last minute.
    pub(super) fn expire_tokens(&mut self) -> bool {
        if std::mem::replace(&mut self.side.have_expired, true) {
            return false;
        }
        self.side.microsoft.oauth.expire_access_tokens(EMAIL);
        self.tell("access tokens expire");
        true
    }

    /// A folder that mail can be in, by its id.
    fn any_folder(&mut self) -> String {
        let all: Vec<String> = truth::places(&self.side.microsoft.user)
            .into_keys()
            .collect();
        let inbox = || "inbox".to_owned();
        all.choose(&mut self.rng).cloned().unwrap_or_else(inbox)
    }

    fn any_own_folder(&mut self) -> Option<String> {
        let own: Vec<String> = truth::places(&self.side.microsoft.user)
            .into_iter()
            .filter(|(_, place)| place.well_known.is_none())
            .map(|(id, _)| id)
            .collect();
        own.choose(&mut self.rng).cloned()
    }

    /// What a client sees.
    fn all_mail(&self) -> Vec<Truth> {
        let user = &self.side.microsoft.user;
        let places = truth::places(user);
        let mut all = user.messages();
        all.retain(|mail| !mail.chat && places.contains_key(&mail.folder));
        all
    }

    fn mails_in(&self, folder: &str) -> Vec<Truth> {
        let mut all = self.all_mail();
        all.retain(|mail| mail.folder == folder);
        all
    }

    fn any_mail(&mut self) -> Option<Truth> {
        self.all_mail().choose(&mut self.rng).cloned()
    }
}
