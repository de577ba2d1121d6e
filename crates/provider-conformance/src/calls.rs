//! What holds for every call.

use std::time::Duration;

use bytes::Bytes;
use email_model::{Flags, FolderKey, MessageQuery};
use email_provider::{
    Call, Detail, ErrorKind, Priority, ProviderResult, ScanDetail, ScanRequest, ScanWindow,
    ScopeKey, SearchRequest, SearchScope,
};
use futures::{StreamExt as _, TryStreamExt as _, future::join_all};
use tokio::time::{Instant, timeout};

use crate::{Bench, Mail, Replica, bytes, call};

fn listing(folder: &FolderKey) -> SearchRequest {
    SearchRequest {
        scope: SearchScope::Folder(folder.clone()),
        query: MessageQuery::default(),
        position: None,
        limit: 50,
    }
}

/// Calls of all kinds at the same time are all answered, and rightly.
pub async fn calls_at_the_same_time_are_all_answered(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails: Vec<Mail> = (0..10)
        .map(|n| Mail::new(&format!("parallel-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&inbox, &mails).await;
    let fetches = join_all(refs.iter().map(|at| bench.fetch(at, Detail::Content)));
    let raws = join_all(
        refs.iter()
            .map(|at| async { bytes(bench.provider.raw(call(), at).await).await }),
    );
    let searches = join_all((0..5).map(|_| bench.provider.search(call(), listing(&inbox))));
    let surveys = join_all((0..3).map(|_| bench.provider.survey(call(), &[])));
    let (fetches, raws, searches, surveys) = tokio::join!(fetches, raws, searches, surveys);
    for ((mail, fetched), raw) in mails.iter().zip(fetches).zip(raws) {
        let content = fetched.expect("there").content.expect("content");
        assert_eq!(content.envelope.message_id.as_ref(), Some(&mail.id));
        assert_eq!(raw, mail.raw());
    }
    assert!(
        searches
            .iter()
            .all(|page| page.as_ref().is_ok_and(|page| page.hits.len() == 10))
    );
    for survey in &surveys {
        assert!(survey.is_ok(), "{survey:?}");
    }
}

/// A call whose deadline has come ends: answered, or `Unavailable`, or throttled before it came.
pub async fn a_call_ends_with_its_deadline(bench: &Bench) {
    let inbox = bench.inbox().await;
    let at = bench.store(&inbox, &Mail::new("in-time", 0)).await;
    for left in [0, 1, 5] {
        let deadline = Instant::now() + Duration::from_millis(left);
        let late = Call {
            priority: Priority::Interactive,
            deadline,
        };
        let refs = std::slice::from_ref(&at);
        let calls = async {
            tokio::join!(
                async { bench.provider.folders(late).await.map(|_| ()) },
                async {
                    bench
                        .provider
                        .search(late, listing(&inbox))
                        .await
                        .map(|_| ())
                },
                async {
                    bench
                        .provider
                        .fetch(late, refs, Detail::Content)
                        .await
                        .map(|_| ())
                },
                async { bench.provider.raw(late, &at).await.map(|_| ()) },
                async { bench.provider.survey(late, &[]).await.map(|_| ()) },
            )
        };
        let ended = timeout(Duration::from_secs(2), calls)
            .await
            .expect("calls end with their deadline");
        for answer in [ended.0, ended.1, ended.2, ended.3, ended.4] {
            assert!(
                answer
                    .as_ref()
                    .err()
                    .is_none_or(email_provider::ProviderError::is_transient),
                "{answer:?}"
            );
        }
    }
    assert!(
        bench.fetch(&at, Detail::Content).await.is_some(),
        "the mailbox is usable"
    );
}

/// Calls given up at any moment leave a mailbox that answers as before.
pub async fn dropped_calls_leave_the_mailbox_usable(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails: Vec<Mail> = (0..5)
        .map(|n| Mail::new(&format!("dropped-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&inbox, &mails).await;
    for patience in [0, 50, 200, 500, 1000, 2000, 5000, 20_000] {
        let patience = Duration::from_micros(patience);
        let _ = timeout(
            patience,
            bench.provider.fetch(call(), &refs, Detail::Content),
        )
        .await;
        let _ = timeout(patience, bench.provider.search(call(), listing(&inbox))).await;
        let _ = timeout(patience, bench.provider.survey(call(), &[])).await;
        let found = bench.by_id(&bench.list(&inbox).await).await;
        assert_eq!(found.len(), mails.len());
        for (mail, at) in mails.iter().zip(&refs) {
            assert_eq!(found.get(&mail.id), Some(at));
        }
    }
}

/// A lost connection is `Unavailable`, never an empty or a short answer; afterwards all is well.
pub async fn a_lost_connection_is_never_a_short_answer(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails: Vec<Mail> = (0..20)
        .map(|n| Mail::new(&format!("severed-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&inbox, &mails).await;
    let replica = Replica::scan(bench, &refs[0].scope, 100, async || {}).await;
    bench
        .harness
        .set_flags(&inbox, &mails[0].id, Flags::SEEN, &[])
        .await;
    for round in 0..12 {
        if !bench.harness.sever().await {
            return;
        }
        let provider = &bench.provider;
        let answer = match round % 4 {
            0 => provider
                .search(call(), listing(&inbox))
                .await
                .map(|page| page.hits.len()),
            1 => provider
                .fetch(call(), &refs, Detail::Content)
                .await
                .map(|found| found.len()),
            2 => listed(bench, &refs[0].scope).await,
            _ => match provider.raw(call(), &refs[0]).await {
                Ok(stream) => {
                    let chunks = stream.try_collect::<Vec<Bytes>>().await;
                    let is_whole = |chunks: Vec<Bytes>| chunks.concat() == mails[0].raw();
                    chunks.map(|chunks| if is_whole(chunks) { mails.len() } else { 0 })
                }
                Err(error) => Err(error),
            },
        };
        match answer {
            Ok(count) => assert_eq!(count, mails.len(), "round {round}"),
            Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "round {round}: {error}"),
        }
        bench
            .eventually("the mailbox is connected again", async || {
                bench
                    .provider
                    .folders(call())
                    .await
                    .map(|_| ())
                    .map_err(|error| error.to_string())
            })
            .await;
    }
    replica
        .assert_converges(bench, "after lost connections")
        .await;
}

/// How many entries one page of a scan lists.
async fn listed(bench: &Bench, scope: &ScopeKey) -> ProviderResult<usize> {
    let window = ScanWindow::default();
    let request = ScanRequest {
        window,
        detail: ScanDetail::Envelopes,
        position: None,
        limit: 50,
    };
    bench
        .provider
        .scan(call(), scope, request)
        .await
        .map(|page| page.entries.len())
}

/// A transfer given up in its midst blocks nothing.
pub async fn a_dropped_transfer_leaves_the_mailbox_usable(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mut large = Mail::new("large", 0);
    large
        .attachments
        .push(("large.bin".to_owned(), vec![9; 1_000_000]));
    let small = Mail::new("small", 60);
    let refs = bench.stored(&inbox, &[large.clone(), small.clone()]).await;
    for _ in 0..5 {
        let mut transfer = bench
            .provider
            .raw(call(), &refs[0])
            .await
            .expect("a transfer");
        transfer.next().await.expect("a chunk").expect("bytes");
        // While it is under way, others are served.
        assert_eq!(
            bytes(bench.provider.raw(call(), &refs[1]).await).await,
            small.raw()
        );
        drop(transfer);
        assert!(bench.fetch(&refs[1], Detail::Content).await.is_some());
    }
    assert_eq!(
        bytes(bench.provider.raw(call(), &refs[0]).await)
            .await
            .len(),
        large.raw().len()
    );
}

/// Where changes are pushed, new mail makes a hint.
pub async fn a_watch_hints_at_new_mail(bench: &Bench) {
    let notifier = bench.provider.notifier();
    assert_eq!(
        notifier.is_some(),
        bench.provider.capabilities().push,
        "as the capabilities say"
    );
    let Some(notifier) = notifier else { return };
    let inbox = bench.inbox().await;
    let mut watch = notifier.watch().await.expect("a watch");
    bench
        .harness
        .append(&inbox, Mail::new("hinted-at", 0).stored())
        .await;
    let hint = timeout(bench.facts.patience, watch.next())
        .await
        .expect("a hint in time");
    assert!(hint.is_some(), "the watch goes on");
    drop(watch);
    bench
        .located(&inbox, "<hinted-at@conformance.example>")
        .await;
}

/// No text from outside makes an error long or puts control characters into it.
pub async fn errors_are_short_and_clean(bench: &Bench) {
    let odd = format!("No such\r\nfolder\0 {}", "x".repeat(1000));
    let mut errors = Vec::new();
    errors.extend(
        bench
            .provider
            .search(call(), listing(&FolderKey(odd.clone())))
            .await
            .err(),
    );
    errors.extend(
        bench
            .provider
            .begin(call(), &ScopeKey(odd.clone()))
            .await
            .err(),
    );
    for error in errors {
        assert!(error.message.chars().count() <= 300, "{error}");
        assert!(!error.message.contains(char::is_control), "{error:?}");
    }
    assert!(
        bench.provider.folders(call()).await.is_ok(),
        "the mailbox is usable"
    );
}

/// Opened twice, closed once: the other goes on.
pub async fn closing_one_connection_leaves_another_alone(bench: &Bench) {
    let at = bench
        .store(&bench.inbox().await, &Mail::new("open", 0))
        .await;
    let other = bench.harness.provider().await;
    other.folders(call()).await.expect("folders");
    other.close().await;
    assert!(bench.fetch(&at, Detail::Content).await.is_some());
}
