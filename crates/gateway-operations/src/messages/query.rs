//! From what a client writes to a search: `in:` resolved to folders, the scope chosen.

use email_model::{
    FolderKey, FolderRole, MessageQuery, Timestamp,
    query::{Condition, Place, Term, parse},
};
use email_provider::{FolderModel, SearchScope};

use crate::{OperationError, OperationErrorKind, OperationResult, journal::Directory};

/// A search that a provider can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    pub scope: SearchScope,
    pub query: MessageQuery,
}

/// What an `in:` names.
enum Meaning {
    Folders(Vec<FolderKey>),
    Condition(Condition),
    Unknown,
}

/// Reads a query. `None`: nothing can answer it, because a system folder that it asks for is none of
/// this mailbox.
///
/// # Errors
/// `BadRequest` for what is no query; `Unprocessable` for a folder that does not exist.
pub(super) fn search(
    directory: &Directory,
    folder: Option<&FolderKey>,
    q: Option<&str>,
    trash_and_junk: Option<bool>,
    now: Timestamp,
    model: FolderModel,
) -> OperationResult<Option<Search>> {
    let written = parse(q.unwrap_or_default(), now)
        .map_err(|error| OperationError::bad_request(format!("`q`: {error}")))?;
    let mut terms = Vec::with_capacity(written.terms.len());
    let mut named_hidden = false;
    for Term { negated, condition } in written.terms {
        let Condition::In(Place::Named(name)) = &condition else {
            terms.push(Term { negated, condition });
            continue;
        };
        match meaning(directory, name, model) {
            Meaning::Condition(condition) => terms.push(Term { negated, condition }),
            Meaning::Folders(keys) if keys.is_empty() && negated => {}
            Meaning::Folders(keys) if keys.is_empty() => return Ok(None),
            Meaning::Folders(keys) => {
                named_hidden |= !negated && keys.iter().any(|key| is_hidden(directory, key));
                terms.push(Term {
                    negated,
                    condition: Condition::In(Place::Folders(keys)),
                });
            }
            Meaning::Unknown => {
                let name: String = name.chars().take(80).collect();
                return Err(OperationError::new(
                    OperationErrorKind::Unprocessable,
                    format!("`in:{name}`: this mailbox has no such folder or label"),
                ));
            }
        }
    }
    let scope = match folder {
        Some(key) => SearchScope::Folder(key.clone()),
        None => match take_folder(&mut terms) {
            Some(key) => SearchScope::Folder(key),
            None => SearchScope::Everywhere {
                trash_and_junk: trash_and_junk.unwrap_or(false) || named_hidden,
            },
        },
    };
    Ok(Some(Search {
        scope,
        query: MessageQuery { terms },
    }))
}

/// One `in:` that names one folder is where to look; backends look in one folder at less cost.
fn take_folder(terms: &mut Vec<Term>) -> Option<FolderKey> {
    let one_folder = |term: &Term| match &term.condition {
        Condition::In(Place::Folders(keys)) if !term.negated && keys.len() == 1 => {
            keys.first().cloned()
        }
        _ => None,
    };
    let index = terms.iter().position(|term| one_folder(term).is_some())?;
    one_folder(&terms.remove(index))
}

fn is_hidden(directory: &Directory, key: &FolderKey) -> bool {
    let role = directory.folder_by_key(key).and_then(|row| row.role);
    matches!(role, Some(FolderRole::Trash | FolderRole::Junk))
}

/// A folder's id, a system label, a folder's path or a folder's name, in this order.
fn meaning(directory: &Directory, name: &str, model: FolderModel) -> Meaning {
    if let Some(row) = name.parse().ok().and_then(|id| directory.folder(id)) {
        return Meaning::Folders(vec![row.key.clone()]);
    }
    let lower = name.to_lowercase();
    let role = match lower.as_str() {
        "unread" => return Meaning::Condition(Condition::Unread),
        "flagged" => return Meaning::Condition(Condition::Flagged),
        "inbox" => Some(FolderRole::Inbox),
        "sent" => Some(FolderRole::Sent),
        "draft" => Some(FolderRole::Drafts),
        "trash" => Some(FolderRole::Trash),
        "junk" => Some(FolderRole::Junk),
        "important" => Some(FolderRole::Important),
        _ => None,
    };
    let by = |fits: &dyn Fn(&gateway_store::FolderRow) -> bool| -> Vec<FolderKey> {
        directory
            .folders
            .iter()
            .filter(|row| row.selectable && fits(row))
            .map(|row| row.key.clone())
            .collect()
    };
    let candidates = [
        role.map(|role| by(&|row| row.role == Some(role)))
            .unwrap_or_default(),
        by(&|row| row.full_name.to_lowercase() == lower),
        by(&|row| row.name.to_lowercase() == lower),
    ];
    match candidates.into_iter().find(|keys| !keys.is_empty()) {
        Some(keys) => Meaning::Folders(keys),
        // A label that is no place: the mailbox knows it by its name.
        None if role == Some(FolderRole::Important) && model == FolderModel::Labels => {
            Meaning::Condition(Condition::In(Place::Named(lower)))
        }
        // Importance may be a flag here, that no folder shows.
        None if role.is_some_and(|role| role != FolderRole::Important) => {
            Meaning::Folders(Vec::new())
        }
        None => Meaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use email_model::{FolderId, FolderKind};
    use gateway_store::FolderRow;

    use super::*;

    fn directory() -> Directory {
        let row = |id: u64, path: &str, role| FolderRow {
            id: FolderId(id),
            key: FolderKey(path.to_owned()),
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            full_name: path.to_owned(),
            parent: None,
            role,
            kind: FolderKind::Folder,
            selectable: true,
        };
        let folders = vec![
            row(1, "INBOX", Some(FolderRole::Inbox)),
            row(2, "Deleted", Some(FolderRole::Trash)),
            row(3, "Work/Projects", None),
            row(4, "Home/Projects", None),
        ];
        Directory::new(folders, Vec::new())
    }

    fn searched(q: &str) -> OperationResult<Option<Search>> {
        of_model(q, FolderModel::Folders)
    }

    fn of_model(q: &str, model: FolderModel) -> OperationResult<Option<Search>> {
        search(
            &directory(),
            None,
            Some(q),
            None,
            Timestamp::default(),
            model,
        )
    }

    fn folders(keys: &[&str]) -> Condition {
        Condition::In(Place::Folders(
            keys.iter()
                .map(|key| FolderKey((*key).to_owned()))
                .collect(),
        ))
    }

    #[test]
    fn trash_and_junk_are_left_out_unless_asked_for_or_named() {
        let scope = |q: &str, asked| {
            let model = FolderModel::Folders;
            search(
                &directory(),
                None,
                Some(q),
                asked,
                Timestamp::default(),
                model,
            )
            .unwrap()
            .unwrap()
            .scope
        };
        let everywhere = |trash_and_junk| SearchScope::Everywhere { trash_and_junk };
        assert_eq!(scope("hello", None), everywhere(false));
        assert_eq!(scope("hello", Some(true)), everywhere(true));
        assert_eq!(
            scope("in:trash", None),
            SearchScope::Folder(FolderKey("Deleted".into()))
        );
        assert_eq!(scope("-in:trash", None), everywhere(false));
    }

    #[test]
    fn a_folder_is_named_by_id_path_or_name_in_any_case() {
        for q in [
            "in:0000000000000003",
            "in:work/projects",
            "in:\"Work/Projects\"",
        ] {
            let scope = searched(q).unwrap().unwrap().scope;
            assert_eq!(
                scope,
                SearchScope::Folder(FolderKey("Work/Projects".into())),
                "{q}"
            );
        }
    }

    #[test]
    fn a_name_of_two_folders_means_both() {
        let search = searched("in:projects").unwrap().unwrap();
        assert_eq!(
            search.scope,
            SearchScope::Everywhere {
                trash_and_junk: false
            }
        );
        let wanted = Term {
            negated: false,
            condition: folders(&["Work/Projects", "Home/Projects"]),
        };
        assert_eq!(search.query.terms, [wanted]);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_refused_by_name() {
        let refused = searched("in:nowhere").unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::Unprocessable);
        assert!(refused.message.contains("in:nowhere"));
    }

    #[test]
    fn a_system_folder_that_the_mailbox_lacks_holds_nothing() {
        assert_eq!(searched("in:sent").unwrap(), None);
        assert_eq!(
            searched("-in:sent").unwrap().unwrap().query,
            MessageQuery::default()
        );
    }

    #[test]
    fn unread_and_flagged_are_flags() {
        let terms = searched("in:unread -in:flagged")
            .unwrap()
            .unwrap()
            .query
            .terms;
        let wanted = [(false, Condition::Unread), (true, Condition::Flagged)];
        assert_eq!(
            terms,
            wanted.map(|(negated, condition)| Term { negated, condition })
        );
    }

    #[test]
    fn importance_is_a_label_where_there_are_labels() {
        let search = of_model("in:IMPORTANT -in:important", FolderModel::Labels);
        let important = |negated| Term {
            negated,
            condition: Condition::In(Place::Named("important".to_owned())),
        };
        let terms = search.unwrap().unwrap().query.terms;
        assert_eq!(terms, [important(false), important(true)]);
        let refused = of_model("in:important", FolderModel::Folders).unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::Unprocessable);
    }

    #[test]
    fn what_is_no_query_is_a_bad_request() {
        assert_eq!(
            searched("a OR b").unwrap_err().kind,
            OperationErrorKind::BadRequest
        );
    }
}
