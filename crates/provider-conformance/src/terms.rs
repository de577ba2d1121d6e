//! `search`: terms.

use std::collections::BTreeSet;

use email_model::{
    Flags, FolderKey, MessageQuery,
    query::{Condition, Place, Term},
};
use email_provider::{ErrorKind, SearchScope};

use crate::{Bench, Mail, moment};

/// Two messages that differ in everything that can be asked for, in two folders.
struct Library {
    mails: [Mail; 2],
    folders: [FolderKey; 2],
}

async fn library(bench: &Bench) -> Library {
    let folders = [bench.inbox().await, bench.folder("Library").await];
    let mut plain = Mail::new("plain", 3600);
    plain.subject = "Quarterly figures".to_owned();
    plain.from = "Hilda Quist <hilda@quist.example>".to_owned();
    plain.to = "Petra Mohn <petra@mohn.example>".to_owned();
    plain
        .headers
        .push("Cc: Viktor Lenz <viktor@lenz.example>".to_owned());
    plain.text = "The figures are marvellous this time.\r\n".to_owned();
    plain.flags = Flags::SEEN | Flags::FLAGGED;
    plain.keywords = bench.keywords(&["harvest"]);
    let mut heavy = Mail::new("heavy", 2 * 86_400);
    heavy.subject = "Pictures of the voyage".to_owned();
    heavy.from = "Otto Brandt <otto@brandt.example>".to_owned();
    heavy.to = "Nora Falk <nora@falk.example>".to_owned();
    heavy.text = "Enclosed you find everything.\r\n".to_owned();
    heavy
        .attachments
        .push(("voyage.bin".to_owned(), vec![7; 30_000]));
    bench.store(&folders[0], &plain).await;
    bench.store(&folders[1], &heavy).await;
    Library {
        mails: [plain, heavy],
        folders,
    }
}

/// Conditions, and whether they hold for the plain and for the heavy message.
fn conditions(bench: &Bench, library: &Library) -> Vec<(Condition, [bool; 2])> {
    let text = str::to_owned;
    let mut all = vec![
        (Condition::Text(text("marvellous")), [true, false]),
        (Condition::Text(text("voyage")), [false, true]),
        (Condition::Text(text("unheard-of")), [false, false]),
        (Condition::From(text("Hilda")), [true, false]),
        (Condition::From(text("otto@brandt.example")), [false, true]),
        (Condition::To(text("Petra")), [true, false]),
        (Condition::Cc(text("viktor@lenz.example")), [true, false]),
        (Condition::Subject(text("quarterly")), [true, false]),
        (
            Condition::Subject(text("Pictures of the voyage")),
            [false, true],
        ),
        (Condition::After(moment(3600)), [true, true]),
        (Condition::After(moment(3601)), [false, true]),
        (Condition::After(moment(86_400)), [false, true]),
        (Condition::Before(moment(3600)), [false, false]),
        (Condition::Before(moment(3601)), [true, false]),
        (Condition::Before(moment(2 * 86_400)), [true, false]),
        (Condition::HasAttachment, [false, true]),
        (Condition::Unread, [false, true]),
        (Condition::Read, [true, false]),
        (Condition::Flagged, [true, false]),
        (
            Condition::In(Place::Folders(vec![library.folders[0].clone()])),
            [true, false],
        ),
        (
            Condition::In(Place::Folders(library.folders.to_vec())),
            [true, true],
        ),
        (Condition::Larger(20_000), [false, true]),
        (Condition::Smaller(20_000), [true, false]),
        (
            Condition::MessageId(text("heavy@conformance.example")),
            [false, true],
        ),
    ];
    if bench.provider.capabilities().keywords {
        all.push((Condition::Keyword(text("harvest")), [true, false]));
        all.push((Condition::Keyword(text("Harvest")), [true, false]));
        all.push((Condition::Keyword(text("harv")), [false, false]));
    }
    all
}

async fn check(bench: &Bench, library: &Library, terms: &[Term], expected: [bool; 2]) {
    let query = MessageQuery {
        terms: terms.to_vec(),
    };
    let scope = SearchScope::Everywhere {
        trash_and_junk: false,
    };
    let (hits, unchecked) = match bench.search(scope, query, 50).await {
        Ok(found) => found,
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Unsupported, "{terms:?}: {error}");
            return;
        }
    };
    assert!(
        unchecked.iter().all(|&index| index < terms.len()),
        "{terms:?}: {unchecked:?}"
    );
    let refs: Vec<_> = hits.into_iter().map(|(at, _)| at).collect();
    let found: BTreeSet<String> = bench.by_id(&refs).await.into_keys().collect();
    let right = library
        .mails
        .iter()
        .zip(expected)
        .filter(|(_, holds)| *holds);
    let right: BTreeSet<String> = right.map(|(mail, _)| mail.id.clone()).collect();
    if unchecked.is_empty() {
        assert_eq!(found, right, "{terms:?}");
    } else {
        assert!(
            found.is_superset(&right),
            "{terms:?}: {found:?} lacks some of {right:?}"
        );
    }
}

/// A term finds what it should, or more where it is named as unchecked, or it is refused.
pub async fn every_term_is_applied_or_unchecked_or_refused(bench: &Bench) {
    let library = library(bench).await;
    for (condition, expected) in conditions(bench, &library) {
        check(
            bench,
            &library,
            &[Term {
                negated: false,
                condition,
            }],
            expected,
        )
        .await;
    }
}

/// The same of its opposite.
pub async fn every_negated_term_is_applied_or_unchecked_or_refused(bench: &Bench) {
    let library = library(bench).await;
    for (condition, expected) in conditions(bench, &library) {
        let expected = expected.map(|holds| !holds);
        check(
            bench,
            &library,
            &[Term {
                negated: true,
                condition,
            }],
            expected,
        )
        .await;
    }
}

/// Terms are joined by AND.
pub async fn several_terms_must_all_hold(bench: &Bench) {
    let library = library(bench).await;
    let all = conditions(bench, &library);
    for (at, (first, holds)) in all.iter().enumerate() {
        let (second, also) = &all[(at + 5) % all.len()];
        let terms = [
            Term {
                negated: false,
                condition: first.clone(),
            },
            Term {
                negated: true,
                condition: second.clone(),
            },
        ];
        let expected = [holds[0] && !also[0], holds[1] && !also[1]];
        check(bench, &library, &terms, expected).await;
    }
}
