//! Cursors, positions and keys that are no longer good.

use email_model::MessageQuery;
use email_provider::{
    Cursor, Detail, ErrorKind, Position, ProviderResult, ScanDetail, ScanNext, ScanRequest,
    ScanWindow, SearchRequest, SearchScope,
};

use crate::{Bench, Mail, Replica, call};

async fn still() {}

async fn assert_expired(bench: &Bench, replica: &Replica, what: &str) {
    bench
        .eventually(what, async || match replica.changes(bench).await {
            Err(error) if error.kind == ErrorKind::CursorExpired => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
}

/// A server that forgot its history says so.
pub async fn a_forgotten_cursor_is_expired(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails = [Mail::new("kept", 0), Mail::new("gone", 60)];
    let at = bench.stored(&inbox, &mails).await.remove(0);
    let replica = Replica::scan(bench, &at.scope, 100, still).await;
    bench.harness.expunge(&inbox, &mails[1].id).await;
    if bench.harness.forget_cursors().await {
        assert_expired(bench, &replica, "the cursor is expired").await;
        let anew = Replica::scan(bench, &at.scope, 100, still).await;
        anew.assert_converges(bench, "a new scan").await;
    }
}

/// New keys for all messages make the old cursor useless.
pub async fn reset_keys_expire_the_cursor(bench: &Bench) {
    let folder = bench.folder("Reset").await;
    let mails = [Mail::new("first", 0), Mail::new("second", 60)];
    let old = bench.stored(&folder, &mails).await;
    let replica = Replica::scan(bench, &old[0].scope, 100, still).await;
    if bench.harness.reset_keys(&folder).await {
        assert_expired(bench, &replica, "the cursor is expired").await;
        let new = bench.located(&folder, &mails[0].id).await;
        assert_ne!(new, old[0], "the key is another");
        let anew = Replica::scan(bench, &new.scope, 100, still).await;
        anew.assert_converges(bench, "a new scan").await;
    }
}

/// Numbers given anew do not make an old key show another message.
pub async fn an_old_key_never_yields_another_message(bench: &Bench) {
    let folder = bench.folder("Reused").await;
    let mails: Vec<Mail> = (0..4)
        .map(|n| Mail::new(&format!("numbered-{n}"), n * 60))
        .collect();
    let old = bench.stored(&folder, &mails).await;
    bench.harness.expunge(&folder, &mails[0].id).await;
    bench.gone(&folder, &mails[0].id).await;
    if !bench.harness.reset_keys(&folder).await {
        return;
    }
    bench.store(&folder, &Mail::new("later", 600)).await;
    bench
        .eventually("old keys are absent", async || {
            let found = bench
                .provider
                .fetch(call(), &old, Detail::Envelope)
                .await
                .expect("an answer");
            for message in &found {
                let at = old
                    .iter()
                    .position(|at| *at == message.at)
                    .expect("one of those asked for");
                let shown = message
                    .envelope
                    .as_ref()
                    .and_then(|envelope| envelope.message_id.as_ref());
                assert_eq!(
                    shown,
                    Some(&mails[at].id),
                    "a key of one message shows another"
                );
            }
            if found.is_empty() {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
    for at in &old {
        let raw = bench
            .provider
            .raw(call(), at)
            .await
            .err()
            .map(|error| error.kind);
        assert_eq!(raw, Some(ErrorKind::NotFound));
        let removed = bench
            .provider
            .remove(call(), at, email_provider::Removal::Forever)
            .await;
        assert_eq!(
            removed.err().map(|error| error.kind),
            Some(ErrorKind::NotFound)
        );
    }
    assert_eq!(
        bench.list(&folder).await.len(),
        4,
        "nothing was removed by an old key"
    );
}

/// Bytes that are none of this version's: some that never were, and real ones of another format or
/// cut off.
fn meaningless(real: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![
        Vec::new(),
        b"\0".to_vec(),
        b"\xff of a later format".to_vec(),
    ];
    if let Some((first, rest)) = real.split_first() {
        all.push([&[first ^ 0x80], rest].concat());
        all.push(vec![*first]);
    }
    all
}

fn is_expired<T>(answer: ProviderResult<T>) -> bool {
    answer.is_err_and(|error| error.kind == ErrorKind::CursorExpired)
}

/// Bytes that are no cursor of this version are expired, whatever they are.
pub async fn a_meaningless_cursor_is_expired(bench: &Bench) {
    let at = bench
        .store(&bench.inbox().await, &Mail::new("any", 0))
        .await;
    let replica = Replica::scan(bench, &at.scope, 100, still).await;
    for bytes in meaningless(&replica.cursor.0) {
        let cursor = Cursor(bytes.clone());
        let read = bench
            .provider
            .changes(call(), &at.scope, &cursor, 100)
            .await;
        assert!(is_expired(read), "{bytes:?}");
        let survey = bench
            .provider
            .survey(call(), &[(at.scope.clone(), cursor)])
            .await;
        let scopes = survey.expect("a survey").scopes;
        assert!(
            scopes.iter().all(|scope| scope.moved),
            "an unreadable cursor proves nothing"
        );
    }
}

/// The same of positions in a scan.
pub async fn a_meaningless_position_in_a_scan_is_expired(bench: &Bench) {
    let mails = [Mail::new("first", 0), Mail::new("second", 60)];
    let at = bench.stored(&bench.inbox().await, &mails).await.remove(0);
    let scan = async |position: Option<Position>| {
        let request = ScanRequest {
            window: ScanWindow::default(),
            detail: ScanDetail::Envelopes,
            position: position.as_ref(),
            limit: 1,
        };
        bench.provider.scan(call(), &at.scope, request).await
    };
    let ScanNext::More(real) = scan(None).await.expect("a page").next else {
        panic!("one of two messages is not all");
    };
    for bytes in meaningless(&real.0) {
        assert!(
            is_expired(scan(Some(Position(bytes.clone()))).await),
            "{bytes:?}"
        );
    }
}

/// The same of positions in a search.
pub async fn a_meaningless_position_in_a_search_is_expired(bench: &Bench) {
    let inbox = bench.inbox().await;
    bench
        .stored(&inbox, &[Mail::new("first", 0), Mail::new("second", 60)])
        .await;
    let search = async |position: Option<Position>| {
        let request = SearchRequest {
            scope: SearchScope::Folder(inbox.clone()),
            query: MessageQuery::default(),
            position,
            limit: 1,
        };
        bench.provider.search(call(), request).await
    };
    let real = search(None)
        .await
        .expect("a page")
        .next
        .expect("one of two messages is not all");
    for bytes in meaningless(&real.0) {
        assert!(
            is_expired(search(Some(Position(bytes.clone()))).await),
            "{bytes:?}"
        );
    }
}
