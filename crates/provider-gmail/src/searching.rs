//! Searching: the uniform query compiled to labels and the vendor's own language,
//! <https://support.google.com/mail/answer/7190>.
//!
//! Texts are searched by the mailbox's index, which knows whole words. What the language cannot say exactly is
//! narrowed by it where that loses nothing, and named as unchecked.

use email_model::{
    FolderKey,
    query::{Condition, Place, Term},
};
use email_provider::{Call, ErrorKind, ProviderResult, SearchPage, SearchRequest, SearchScope};

use crate::{
    cursor::ListedTo,
    error,
    ids::LabelId,
    labels::{self, LabelTable},
    listing::List,
    mailbox::Mailbox,
};

/// Longest query, in octets.
const LONGEST: usize = 8_192;

pub(crate) async fn search(
    mailbox: &Mailbox,
    call: Call,
    request: &SearchRequest,
) -> ProviderResult<SearchPage> {
    let page = match request
        .position
        .as_ref()
        .map(ListedTo::from_position)
        .transpose()?
    {
        None => None,
        Some(ListedTo::Search(page)) => Some(page),
        Some(_) => return Err(error::expired()),
    };
    let table = mailbox.labels(call).await?;
    let mut compiled = Compiled::new(&table, &request.scope)?;
    for (index, term) in request.query.terms.iter().enumerate() {
        compiled.add(index, term);
    }
    let query = compiled.query.join(" ");
    if query.len() > LONGEST {
        return Err(error::invalid("the query is too long"));
    }
    if compiled.is_empty {
        return Ok(SearchPage {
            hits: Vec::new(),
            next: None,
            unchecked: compiled.unchecked,
        });
    }
    let list = List {
        labels: compiled.labels,
        query: (!query.is_empty()).then_some(query.as_str()),
        spam_and_trash: compiled.spam_and_trash,
        page: page.as_ref(),
        limit: request.limit,
    };
    let (listed, next) = mailbox.list(call, list).await.map_err(|error| {
        // The query is well formed: what is unknown is the label.
        match (error.kind, &request.scope) {
            (ErrorKind::Invalid, SearchScope::Folder(_)) => error::no_folder().with_source(error),
            _ => error,
        }
    })?;
    let chats = mailbox.chats(call).await?;
    let mail = listed.iter().filter(|listed| !chats.contains(&listed.id));
    Ok(SearchPage {
        hits: mail.map(|listed| (listed.id.at(), None)).collect(),
        next: next.map(|next| ListedTo::Search(next).to_position()),
        unchecked: compiled.unchecked,
    })
}

/// A query as the API takes it.
struct Compiled<'a> {
    table: &'a LabelTable,
    /// Labels that messages must have, all of them.
    labels: Vec<String>,
    /// Terms in the vendor's language.
    query: Vec<String>,
    spam_and_trash: bool,
    /// Indexes of terms that are not applied exactly.
    unchecked: Vec<usize>,
    /// Nothing can be found.
    is_empty: bool,
}

impl<'a> Compiled<'a> {
    fn new(table: &'a LabelTable, scope: &SearchScope) -> ProviderResult<Self> {
        let mut compiled = Self {
            table,
            labels: Vec::new(),
            query: Vec::new(),
            spam_and_trash: true,
            unchecked: Vec::new(),
            is_empty: false,
        };
        match scope {
            SearchScope::Everywhere { trash_and_junk } => compiled.spam_and_trash = *trash_and_junk,
            SearchScope::Folder(folder) => {
                // A folder of odd letters is none; one that is not known yet may be new.
                let label = LabelId::parse(&folder.0).ok_or_else(error::no_folder)?;
                compiled.labels.push(label.as_str().to_owned());
            }
        }
        Ok(compiled)
    }

    fn add(&mut self, index: usize, term: &Term) {
        let is_exact = self.apply(&term.condition, term.negated);
        if !is_exact {
            self.unchecked.push(index);
        }
    }

    /// Narrows the search by a term; whether that is all of it.
    fn apply(&mut self, condition: &Condition, negated: bool) -> bool {
        match condition {
            Condition::Text(text) => self.words("", text, negated),
            Condition::From(text) => self.words("from:", text, negated),
            Condition::To(text) => self.words("to:", text, negated),
            Condition::Cc(text) => self.words("cc:", text, negated),
            Condition::Bcc(text) => self.words("bcc:", text, negated),
            Condition::Subject(text) => self.words("subject:", text, negated),
            Condition::MessageId(id) => self.message_id(id, negated),
            // Whether a bound belongs to the range is not documented: a second more is asked for. Without
            // a unit it is seconds since 1970; dates would be days of another time zone.
            Condition::After(time) | Condition::Before(time) => {
                let is_after = matches!(condition, Condition::After(_)) != negated;
                let seconds = time.timestamp();
                let term = match is_after {
                    true => format!("after:{}", seconds.saturating_sub(1).max(0)),
                    false => format!("before:{}", seconds.saturating_add(2).max(1)),
                };
                self.narrow(term)
            }
            // What counts as an attachment differs, pictures in the text for one.
            Condition::HasAttachment if negated => false,
            Condition::HasAttachment => self.narrow("has:attachment".into()),
            Condition::Unread => self.label_or(labels::UNREAD, "is:unread", negated),
            Condition::Read => self.label_or(labels::UNREAD, "is:unread", !negated),
            Condition::Flagged => self.label_or(labels::STARRED, "is:starred", negated),
            // The sizes that are told are estimates.
            Condition::Larger(octets) | Condition::Smaller(octets) => {
                let is_larger = matches!(condition, Condition::Larger(_)) != negated;
                let (less, more) = (octets - octets / 8, octets.saturating_add(octets / 8 + 2));
                self.narrow(match is_larger {
                    true => format!("larger:{}", less.saturating_sub(2)),
                    false => format!("smaller:{more}"),
                })
            }
            Condition::In(Place::Folders(folders)) => self.places(folders, negated),
            Condition::In(Place::Named(name)) if name == "important" => {
                self.label_or(labels::IMPORTANT, "is:important", negated)
            }
            Condition::In(Place::Named(_)) => false,
            Condition::Keyword(word) => match (self.table.by_name(word), negated) {
                (_, true) => false,
                (Some(label), false) => {
                    self.labels.push(label.to_owned());
                    true
                }
                (None, false) => {
                    self.is_empty = true;
                    true
                }
            },
        }
    }

    fn narrow(&mut self, term: String) -> bool {
        self.query.push(term);
        false
    }

    /// Words in quotes, in which nothing but the quote itself has a meaning.
    fn words(&mut self, operator: &str, text: &str, negated: bool) -> bool {
        let quoted: String = text
            .chars()
            .map(|c| if c == '"' || c.is_control() { ' ' } else { c })
            .collect();
        let quoted = quoted.trim();
        if !quoted.chars().any(char::is_alphanumeric) {
            return false;
        }
        let sign = if negated { "-" } else { "" };
        self.query.push(format!("{sign}{operator}\"{quoted}\""));
        quoted == text.trim()
    }

    fn message_id(&mut self, id: &str, negated: bool) -> bool {
        let Some(term) = of_message_id(id) else {
            return false;
        };
        let sign = if negated { "-" } else { "" };
        self.query.push(format!("{sign}{term}"));
        true
    }

    /// A label, or the query where it must not be there.
    fn label_or(&mut self, label: &str, query: &str, negated: bool) -> bool {
        match negated {
            false => self.labels.push(label.to_owned()),
            true => self.query.push(format!("-{query}")),
        }
        true
    }

    /// In any of these folders. The language names labels ambiguously, the system's places apart.
    fn places(&mut self, folders: &[FolderKey], negated: bool) -> bool {
        match (folders, negated) {
            ([], false) => {
                self.is_empty = true;
                true
            }
            ([], true) => true,
            ([one], false) if self.table.is_folder(&one.0) => {
                self.labels.push(one.0.clone());
                self.spam_and_trash |= [labels::TRASH, labels::SPAM].contains(&one.0.as_str());
                true
            }
            _ => {
                let places: Option<Vec<&str>> = folders.iter().map(|key| place(&key.0)).collect();
                let Some(places) = places else { return false };
                match negated {
                    true => self
                        .query
                        .extend(places.iter().map(|place| format!("-{place}"))),
                    false => self.query.push(format!("{{{}}}", places.join(" "))),
                }
                true
            }
        }
    }
}

/// A search for a `Message-ID` without its angle brackets; `None` where its letters mean something else in
/// the language.
pub(crate) fn of_message_id(id: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"(){}<>".contains(c);
    let is_sayable = !id.is_empty() && id.len() <= LONGEST / 2 && id.chars().all(is_plain);
    is_sayable.then(|| format!("rfc822msgid:{id}"))
}

fn place(label: &str) -> Option<&'static str> {
    Some(match label {
        labels::INBOX => "in:inbox",
        labels::SENT => "in:sent",
        labels::DRAFT => "in:drafts",
        labels::TRASH => "in:trash",
        labels::SPAM => "in:spam",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
