//! Row 4: a page of 200 records from the journal, beside the query that it is made of.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use gateway_store::AccountId;

use crate::client::{Next, Pages};
use crate::figure::{Figure, Report, say};
use crate::samples::Samples;
use crate::setting::Setting;
use crate::stores::{self, Kind};

const MOST: f64 = 3.0;
const PAGE: usize = 200;

pub async fn measure(setting: &mut Setting, report: &mut Report) -> Result<()> {
    for kind in Kind::BOTH {
        let synced = setting.synced(kind).await?;
        let store = stores::open(&synced.gateway).await?;
        let account = AccountId(synced.account);
        let head = store.journal(account).await?.context("no journal")?.head;
        let pages = Pages {
            limit: Some(PAGE),
            ..Pages::default()
        };
        let (mut queries, mut calls) = (Samples::default(), Samples::default());
        // Twice, so that neither finds a cache that the other has not.
        for _ in 0..2 {
            let (first, _) = synced
                .client
                .page(&Next::Delta(synced.token.clone()), pages)
                .await?;
            let mut next = first.next_page_token;
            // The first page waits for a look at the mailbox: the pages after it are measured, each beside its query.
            let mut after = i64::try_from(PAGE)?;
            while let Some(token) = next {
                let start = Instant::now();
                let limit = u32::try_from(PAGE + 1)?;
                let rows = store.walk(account, after, head, None, limit).await?;
                let query = start.elapsed();
                let (page, call) = synced.client.page(&Next::Page(token), pages).await?;
                if page.length == PAGE && rows.len() > PAGE {
                    queries.add(query);
                    calls.add(call);
                }
                after = rows.get(PAGE - 1).map_or(i64::MAX, |row| row.discovery);
                next = page.next_page_token;
            }
        }
        ensure!(!calls.median().is_zero(), "no whole page");
        say(&format!(
            "{}: pages {}; queries {}",
            kind.name(),
            calls.told(),
            queries.told()
        ));
        let what = format!("page of {PAGE} without bodies, {}", kind.name());
        report.add(Figure::times(
            4,
            what,
            calls.median(),
            queries.median(),
            MOST,
        ));
    }
    Ok(())
}
