//! Mailboxes as folders: paths, and what each is for.

use std::collections::HashSet;

use email_model::{FolderKey, FolderKind, FolderRole};
use email_provider::Folder;

use crate::protocol::{ListedMailbox, MailboxAttributes, MailboxName, Quirks};

const ATTRIBUTES: [(MailboxAttributes, FolderRole); 8] = [
    (MailboxAttributes::SENT, FolderRole::Sent),
    (MailboxAttributes::DRAFTS, FolderRole::Drafts),
    (MailboxAttributes::TRASH, FolderRole::Trash),
    (MailboxAttributes::JUNK, FolderRole::Junk),
    (MailboxAttributes::ARCHIVE, FolderRole::Archive),
    (MailboxAttributes::ALL, FolderRole::All),
    (MailboxAttributes::FLAGGED, FolderRole::Flagged),
    (MailboxAttributes::IMPORTANT, FolderRole::Important),
];

/// Names that mail programs give to special folders, lower case, for servers that mark none
/// (RFC 6154 is optional).
const NAMES: [(FolderRole, &[&str]); 5] = [
    (
        FolderRole::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "enviados",
            "elementos enviados",
            "inviata",
            "posta inviata",
            "verzonden",
            "verzonden items",
            "skickat",
            "sendt",
            "wysłane",
            "отправленные",
            "送信済み",
            "已发送",
        ],
    ),
    (
        FolderRole::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "brouillons",
            "borradores",
            "bozze",
            "concepten",
            "utkast",
            "kladder",
            "szkice",
            "rascunhos",
            "черновики",
            "下書き",
            "草稿箱",
            "草稿",
        ],
    ),
    (
        FolderRole::Trash,
        &[
            "trash",
            "deleted",
            "deleted items",
            "deleted messages",
            "bin",
            "papierkorb",
            "gelöschte elemente",
            "gelöscht",
            "corbeille",
            "éléments supprimés",
            "papelera",
            "elementos eliminados",
            "cestino",
            "prullenbak",
            "verwijderde items",
            "papperskorg",
            "kosz",
            "lixeira",
            "корзина",
            "удаленные",
            "ゴミ箱",
            "已删除",
        ],
    ),
    (
        FolderRole::Junk,
        &[
            "junk",
            "spam",
            "junk email",
            "junk e-mail",
            "bulk mail",
            "bulk",
            "unerwünscht",
            "spamverdacht",
            "indésirables",
            "courrier indésirable",
            "correo no deseado",
            "posta indesiderata",
            "ongewenste e-mail",
            "skräppost",
            "спам",
            "迷惑メール",
            "垃圾邮件",
        ],
    ),
    (
        FolderRole::Archive,
        &[
            "archive",
            "archives",
            "archived",
            "archiv",
            "archivo",
            "archivio",
            "archief",
            "arkiv",
            "archiwum",
            "arquivo",
            "архив",
            "アーカイブ",
            "归档",
        ],
    ),
];

/// The folders that a LIST tells of. `prefixes` are those of one's own namespace: they are no part of
/// a path that people are shown.
pub(crate) fn folders(
    listed: &[ListedMailbox],
    prefixes: &[MailboxName],
    quirks: &Quirks,
) -> Vec<Folder> {
    let mut seen = HashSet::new();
    // Some servers name a mailbox twice.
    let listed: Vec<&ListedMailbox> = listed
        .iter()
        .filter(|one| seen.insert(one.name.clone()))
        .collect();
    let keys: HashSet<&MailboxName> = listed.iter().map(|one| &one.name).collect();
    let mut folders: Vec<Folder> = listed
        .iter()
        .map(|one| {
            let path = path(one, prefixes);
            let parent = parent(one)
                .filter(|parent| keys.contains(parent) && !is_prefix(parent, prefixes, one));
            Folder {
                key: FolderKey(one.name.to_key()),
                name: path.last().cloned().unwrap_or_default(),
                full_name: path.join("/"),
                parent: parent.map(|parent| FolderKey(parent.to_key())),
                role: marked_role(one),
                kind: FolderKind::Folder,
                selectable: one.is_selectable(),
            }
        })
        .collect();
    give_roles(&mut folders, quirks);
    folders
}

fn marked_role(one: &ListedMailbox) -> Option<FolderRole> {
    if one.name.is_inbox() {
        return Some(FolderRole::Inbox);
    }
    ATTRIBUTES
        .iter()
        .find(|(attribute, _)| one.attributes.contains(*attribute))
        .map(|(_, role)| *role)
}

/// At most one folder a role: the first that the server marks, else the one whose name says so.
fn give_roles(folders: &mut [Folder], quirks: &Quirks) {
    let mut taken = HashSet::new();
    for folder in folders.iter_mut() {
        folder.role = folder
            .role
            .filter(|role| folder.selectable && taken.insert(*role));
    }
    let by_server = quirks.special_names.iter().filter_map(|(name, attribute)| {
        let role = match *attribute {
            "\\Sent" => FolderRole::Sent,
            "\\Trash" => FolderRole::Trash,
            "\\Junk" => FolderRole::Junk,
            "\\Archive" => FolderRole::Archive,
            "\\Drafts" => FolderRole::Drafts,
            _ => return None,
        };
        Some((role, name.to_lowercase()))
    });
    let by_custom = NAMES
        .iter()
        .flat_map(|(role, names)| names.iter().map(|name| (*role, (*name).to_owned())));
    for (role, name) in by_server.chain(by_custom) {
        if taken.contains(&role) {
            continue;
        }
        let fits = |folder: &&mut Folder| {
            folder.role.is_none() && folder.selectable && folder.full_name.to_lowercase() == name
        };
        if let Some(folder) = folders.iter_mut().find(fits) {
            folder.role = Some(role);
            taken.insert(role);
        }
    }
}

fn path(one: &ListedMailbox, prefixes: &[MailboxName]) -> Vec<String> {
    let own = prefixes
        .iter()
        .filter(|prefix| !one.name.is_inbox() && !prefix.wire().is_empty())
        .find_map(|prefix| one.name.wire().strip_prefix(prefix.wire()))
        .filter(|rest| !rest.is_empty());
    let name = own.map_or_else(|| one.name.clone(), MailboxName::from_wire);
    let decoded = name.decoded();
    let elements: Vec<String> = match one.delimiter {
        Some(delimiter) => decoded.split(delimiter).map(str::to_owned).collect(),
        None => vec![decoded],
    };
    elements
        .into_iter()
        .filter(|element| !element.is_empty())
        .collect()
}

fn parent(one: &ListedMailbox) -> Option<MailboxName> {
    let delimiter = u8::try_from(one.delimiter?).ok()?;
    let at = one
        .name
        .wire()
        .iter()
        .rposition(|byte| *byte == delimiter)?;
    Some(MailboxName::from_wire(&one.name.wire()[..at]))
}

/// `INBOX` is the parent in the name only of what stands under the namespace `INBOX.`.
fn is_prefix(parent: &MailboxName, prefixes: &[MailboxName], one: &ListedMailbox) -> bool {
    let Some(delimiter) = one.delimiter.and_then(|c| u8::try_from(c).ok()) else {
        return false;
    };
    prefixes
        .iter()
        .any(|prefix| prefix.wire().strip_suffix(&[delimiter]) == Some(parent.wire()))
}
