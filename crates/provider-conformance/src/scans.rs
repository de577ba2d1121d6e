//! `scan`.

use std::collections::{BTreeMap, BTreeSet};

use email_provider::{Detail, EntryKey, MessageRef, ScanDetail, ScanNext, ScanRequest, ScanWindow};

use crate::{Bench, Mail, call, moment, scan_all};

const DETAILS: [ScanDetail; 2] = [ScanDetail::Keys, ScanDetail::Envelopes];

/// Twelve messages an hour apart, in no order of time.
async fn twelve(bench: &Bench) -> Vec<MessageRef> {
    let hours = [5, 0, 11, 7, 2, 9, 1, 10, 3, 8, 4, 6];
    let mails: Vec<Mail> = hours
        .iter()
        .map(|h| Mail::new(&format!("hour-{h}"), h * 3600))
        .collect();
    let refs = bench.stored(&bench.inbox().await, &mails).await;
    let mut in_time: Vec<_> = hours.iter().zip(refs).collect();
    in_time.sort_by_key(|(hour, _)| **hour);
    in_time.into_iter().map(|(_, at)| at).collect()
}

/// Every entry is told, whatever the page size.
pub async fn the_pages_of_a_scan_cover_every_entry(bench: &Bench) {
    let refs = twelve(bench).await;
    let expected: BTreeSet<EntryKey> = refs.iter().map(|at| at.key.clone()).collect();
    for detail in DETAILS {
        for limit in [1, 5, 12, 500] {
            let told = scan_all(bench, &refs[0].scope, ScanWindow::default(), detail, limit).await;
            let keys: BTreeSet<EntryKey> = told.into_iter().map(|entry| entry.key).collect();
            assert_eq!(keys, expected, "{detail:?} by {limit}");
        }
    }
}

/// A scan of envelopes goes from new to old, page by page: by receipt or by arrival.
pub async fn a_scan_of_envelopes_begins_with_the_newest(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails: Vec<Mail> = (0..9)
        .map(|n| Mail::new(&format!("in-order-{n}"), n * 60))
        .collect();
    let mut refs = bench.stored(&inbox, &mails).await;
    refs.reverse();
    let told = scan_all(
        bench,
        &refs[0].scope,
        ScanWindow::default(),
        ScanDetail::Envelopes,
        3,
    )
    .await;
    let page = |at: usize| -> BTreeSet<&EntryKey> {
        told[at..(at + 3).min(told.len())]
            .iter()
            .map(|entry| &entry.key)
            .collect()
    };
    let expected =
        |at: usize| -> BTreeSet<&EntryKey> { refs[at..at + 3].iter().map(|at| &at.key).collect() };
    for at in [0, 3, 6] {
        assert_eq!(page(at), expected(at), "from {at}");
    }
}

/// A window may be widened, never narrowed: all that is in it is told.
pub async fn a_window_is_never_narrowed(bench: &Bench) {
    let refs = twelve(bench).await;
    let hour = |hour: i64| Some(moment(hour * 3600));
    for (since, before) in [
        (hour(4), None),
        (None, hour(9)),
        (hour(3), hour(7)),
        (hour(20), None),
    ] {
        for detail in DETAILS {
            let told = scan_all(
                bench,
                &refs[0].scope,
                ScanWindow { since, before },
                detail,
                5,
            )
            .await;
            let keys: BTreeSet<EntryKey> = told.into_iter().map(|entry| entry.key).collect();
            let inside = (0..12).zip(&refs).filter(|(hour, _)| {
                let received = moment(hour * 3600);
                since.is_none_or(|since| received >= since)
                    && before.is_none_or(|before| received < before)
            });
            for (hour, at) in inside {
                assert!(
                    keys.contains(&at.key),
                    "hour {hour} in {since:?} to {before:?}"
                );
            }
        }
    }
}

/// A page that claims to be the whole listing is.
pub async fn a_proof_names_every_entry(bench: &Bench) {
    let refs = twelve(bench).await;
    let all: BTreeSet<EntryKey> = refs.iter().map(|at| at.key.clone()).collect();
    for detail in DETAILS {
        for limit in [3, 500] {
            let mut position = None;
            loop {
                let window = ScanWindow::default();
                let request = ScanRequest {
                    window,
                    detail,
                    position: position.as_ref(),
                    limit,
                };
                let page = bench.provider.scan(call(), &refs[0].scope, request).await;
                let page = page.expect("a page");
                let told: BTreeSet<EntryKey> =
                    page.entries.into_iter().map(|entry| entry.key).collect();
                assert!(page.total.is_none_or(|total| total >= told.len() as u64));
                match page.next {
                    ScanNext::More(next) => position = Some(next),
                    ScanNext::Done { proof, .. } => {
                        assert!(!proof || told == all, "{detail:?} by {limit}: {told:?}");
                        break;
                    }
                }
            }
        }
    }
}

/// A message has one key, by whichever way it is found.
pub async fn scans_and_searches_use_the_same_keys(bench: &Bench) {
    let refs = twelve(bench).await;
    let survey = bench.provider.survey(call(), &[]).await.expect("a survey");
    let scopes: Vec<_> = survey
        .scopes
        .iter()
        .filter(|scope| scope.key == refs[0].scope)
        .collect();
    assert_eq!(
        scopes.len(),
        1,
        "the scope of a found message is in the survey, once"
    );
    let told = scan_all(
        bench,
        &refs[0].scope,
        ScanWindow::default(),
        ScanDetail::Keys,
        500,
    )
    .await;
    let told: BTreeSet<EntryKey> = told.into_iter().map(|entry| entry.key).collect();
    assert_eq!(told, refs.into_iter().map(|at| at.key).collect());
}

/// What an entry tells (state, receipt, identity, conversation, envelope) is what fetching tells.
pub async fn what_a_scan_tells_of_an_entry_is_true(bench: &Bench) {
    let refs = twelve(bench).await;
    let fetched = bench
        .provider
        .fetch(call(), &refs, Detail::Envelope)
        .await
        .expect("envelopes");
    let fetched: BTreeMap<_, _> = fetched.into_iter().map(|m| (m.at.key.clone(), m)).collect();
    for detail in DETAILS {
        for entry in scan_all(bench, &refs[0].scope, ScanWindow::default(), detail, 5).await {
            let truth = &fetched[&entry.key];
            let envelope = truth.envelope.as_ref().expect("an envelope");
            assert!(
                entry.state.is_none() || entry.state == truth.state,
                "{entry:?}"
            );
            assert!(
                entry.received_at.is_none() || entry.received_at == envelope.received_at,
                "{entry:?}"
            );
            assert!(
                entry.identity.is_none() || entry.identity == truth.identity,
                "{entry:?}"
            );
            assert!(
                entry.thread.is_none() || entry.thread == truth.thread,
                "{entry:?}"
            );
            if let Some(told) = entry.envelope {
                assert_eq!(
                    (
                        &told.subject,
                        &told.from,
                        &told.to,
                        &told.message_id,
                        told.size
                    ),
                    (
                        &envelope.subject,
                        &envelope.from,
                        &envelope.to,
                        &envelope.message_id,
                        envelope.size
                    )
                );
                assert!(told.attachments.is_none() || told.attachments == envelope.attachments);
            }
        }
    }
}

/// A position is good on another connection.
pub async fn a_scan_goes_on_over_another_connection(bench: &Bench) {
    let refs = twelve(bench).await;
    let mut told = BTreeSet::new();
    let mut position = None;
    for _ in 0..20 {
        let provider = bench.harness.provider().await;
        let window = ScanWindow::default();
        let request = ScanRequest {
            window,
            detail: ScanDetail::Envelopes,
            position: position.as_ref(),
            limit: 5,
        };
        let page = provider
            .scan(call(), &refs[0].scope, request)
            .await
            .expect("a page");
        provider.close().await;
        told.extend(page.entries.into_iter().map(|entry| entry.key));
        match page.next {
            ScanNext::More(next) => position = Some(next),
            ScanNext::Done { .. } => {
                assert_eq!(told, refs.into_iter().map(|at| at.key).collect());
                return;
            }
        }
    }
    panic!("a scan ends");
}

/// A message that is marked as deleted counts as removed.
pub async fn a_message_marked_as_deleted_is_not_scanned(bench: &Bench) {
    if !bench.facts.deleted_mark {
        return;
    }
    let inbox = bench.inbox().await;
    let refs = twelve(bench).await;
    let marked = "<hour-3@conformance.example>";
    bench.harness.mark_deleted(&inbox, marked, true).await;
    bench.gone(&inbox, marked).await;
    for detail in DETAILS {
        let told = scan_all(bench, &refs[0].scope, ScanWindow::default(), detail, 5).await;
        let told: BTreeSet<EntryKey> = told.into_iter().map(|entry| entry.key).collect();
        assert!(
            told.len() == 11 && !told.contains(&refs[3].key),
            "{detail:?}"
        );
    }
}
