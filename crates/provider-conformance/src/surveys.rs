//! `survey`.

use std::collections::BTreeSet;

use email_model::Flags;
use email_provider::{Cursor, ScopeKey, ScopeState};

use crate::{
    Bench, Mail, call,
    feed::{still, watched},
};

async fn scope(bench: &Bench, key: &ScopeKey, cursor: Option<&Cursor>) -> ScopeState {
    let known: Vec<_> = cursor
        .map(|cursor| (key.clone(), cursor.clone()))
        .into_iter()
        .collect();
    let survey = bench
        .provider
        .survey(call(), &known)
        .await
        .expect("a survey");
    let found = survey.scopes.into_iter().find(|scope| scope.key == *key);
    found.expect("a scope that exists is named")
}

/// A survey is complete: folders as `folders` gives them, scopes each once.
pub async fn a_survey_names_every_folder_and_scope(bench: &Bench) {
    let folder = bench.folder("Surveyed").await;
    let at = bench.store(&folder, &Mail::new("surveyed", 0)).await;
    let survey = bench.provider.survey(call(), &[]).await.expect("a survey");
    let mut folders = bench.provider.folders(call()).await.expect("folders");
    let mut surveyed = survey.folders;
    folders.sort_by(|a, b| a.key.cmp(&b.key));
    surveyed.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(surveyed, folders);
    let scopes: BTreeSet<&ScopeKey> = survey.scopes.iter().map(|scope| &scope.key).collect();
    assert_eq!(scopes.len(), survey.scopes.len(), "scopes are distinct");
    assert!(scopes.contains(&at.scope));
    let count = scope(bench, &at.scope, None).await.count;
    assert!(count.is_none_or(|count| count == 1), "{count:?}");
}

/// What was never read has moved.
pub async fn a_scope_without_a_cursor_counts_as_moved(bench: &Bench) {
    let survey = bench.provider.survey(call(), &[]).await.expect("a survey");
    assert!(!survey.scopes.is_empty());
    assert!(
        survey.scopes.iter().all(|scope| scope.moved),
        "{:?}",
        survey.scopes
    );
}

/// Every kind of change makes its scope count as moved.
pub async fn a_scope_that_changed_counts_as_moved(bench: &Bench) {
    let (folder, mail, mut replica) = watched(bench).await;
    let key = bench.located(&folder, &mail.id).await.scope;
    let keywords = bench.keywords(&["seen-it"]);
    for step in ["arrival", "flag", "keyword", "removal"] {
        match step {
            "arrival" => {
                bench
                    .harness
                    .append(&folder, Mail::new("second", 60).stored())
                    .await
            }
            "flag" => {
                bench
                    .harness
                    .set_flags(&folder, &mail.id, Flags::SEEN, &[])
                    .await
            }
            "keyword" if keywords.is_empty() => continue,
            "keyword" => {
                bench
                    .harness
                    .set_flags(&folder, &mail.id, Flags::SEEN, &keywords)
                    .await
            }
            _ => bench.harness.expunge(&folder, &mail.id).await,
        }
        bench
            .eventually(step, async || {
                match scope(bench, &key, Some(&replica.cursor)).await.moved {
                    true => Ok(()),
                    false => Err("the scope counts as unmoved".to_owned()),
                }
            })
            .await;
        replica.catch_up(bench, 100, still).await;
    }
}

/// `moved: false` is a proof: no change is told.
pub async fn a_scope_that_did_not_move_has_no_changes(bench: &Bench) {
    let (folder, mail, mut replica) = watched(bench).await;
    let key = bench.located(&folder, &mail.id).await.scope;
    let mut moved = scope(bench, &key, Some(&replica.cursor)).await.moved;
    if bench.provider.capabilities().cheap_level_check {
        // What was done at the server may become visible to the feed a little later.
        moved = bench
            .eventually("a level check tells that nothing happened", async || {
                replica.catch_up(bench, 100, still).await;
                match scope(bench, &key, Some(&replica.cursor)).await.moved {
                    true => Err("the scope counts as moved".to_owned()),
                    false => Ok(false),
                }
            })
            .await;
    }
    if !moved {
        let page = replica.changes(bench).await.expect("changes");
        assert_eq!(page.entries, []);
    }
    replica.assert_converges(bench, "nothing happened").await;
}
