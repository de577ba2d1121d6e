//! The behaviour suite on a server that answers as Microsoft Graph does: calm, and with each of its faults. Beside it,
//! in modules of their own, what the suite does not ask for.
//!
//! Faults that fail a request strike reads only: whoever writes decides itself whether to do it again.

mod arrivals;
mod content;
mod feed;
mod limits;
mod links;
mod push;
mod searching;
mod sending;
mod sign_in;
mod steps;
mod support;

use std::time::Duration;

use fake_graph::{DeletedFolders, ErrorFault, ErrorKind, Expiry, Faults, Lag, When};
use provider_conformance::provider_conformance;
use support::GraphHarness;

/// The methods that read.
const READS: [&str; 8] = [
    "attachments.list",
    "mailFolders.childFolders.list",
    "mailFolders.get",
    "mailFolders.list",
    "mailFolders.messages.delta",
    "mailFolders.messages.list",
    "messages.get",
    "messages.list",
];

fn error(kind: ErrorKind, retry_after: Option<&str>) -> ErrorFault {
    ErrorFault {
        retry_after: retry_after.map(str::to_owned),
        methods: READS.map(str::to_owned).to_vec(),
        ..ErrorFault::when(kind, When::Chance(0.01))
    }
}

/// Items told twice, again and in part; pages without any; parts of batches in any order.
fn odd(faults: &mut Faults) {
    faults.empty_pages = When::Chance(0.3);
    faults.duplicates = When::Chance(0.3);
    faults.replays = When::Chance(0.3);
    faults.partial_items = When::Chance(0.5);
    faults.partial_folders = When::Chance(0.3);
    faults.shuffled_batches = true;
    faults.folder_noise = true;
}

/// Moves that are told where a message left and not where it came.
fn silent_moves(faults: &mut Faults) {
    faults.unreported_arrivals = When::Chance(0.5);
    faults.lost_returns = When::Always;
}

fn throttling(faults: &mut Faults) {
    faults.errors.extend([
        error(ErrorKind::TooManyRequests, None),
        error(ErrorKind::TooManyRequests, Some("0")),
        error(ErrorKind::MailboxConcurrency, None),
        error(
            ErrorKind::TooManyRequests,
            Some("Fri, 01 Jan 2021 00:00:00 GMT"),
        ),
    ]);
    faults.throttled_parts = When::Chance(0.03);
    faults.part_retry_after = Some("0".into());
}

fn failing(faults: &mut Faults) {
    faults.errors.extend([
        error(ErrorKind::Internal, None),
        error(ErrorKind::BadGateway, None),
        error(ErrorKind::Unavailable, Some("0")),
        error(ErrorKind::MailboxMove, None),
        error(ErrorKind::Timeout, None),
        error(ErrorKind::HtmlPage, None),
    ]);
}

fn lagging(faults: &mut Faults) {
    faults.lag = Lag {
        time: Duration::from_millis(100),
        ..Lag::default()
    };
}

mod calm {
    use super::*;
    provider_conformance!(GraphHarness::start(|_| {}).await);
}

/// Everything that the documentation of the feed warns of.
mod odd_answers {
    use super::*;
    provider_conformance!(GraphHarness::start(odd).await);
}

/// What the documentation leaves open, decided otherwise.
mod other_manners {
    use super::*;
    provider_conformance!({
        let harness = GraphHarness::start(|faults| {
            odd(faults);
            faults.expiry = Expiry::SyncStateInvalid;
        })
        .await;
        harness.server.settings(|settings| {
            settings.plain_bodies_as_text = true;
            settings.largest_delta_page = 3;
            settings.empty_last_delta_page = true;
            settings.removed_reason = "changed";
            settings.deleted_folders = DeletedFolders::Gone;
            settings.readable_after_deletion = true;
        });
        harness
    });
}

/// Moves that are not told where they lead, and returns that are not told at all.
mod moves_told_in_half {
    use super::*;
    provider_conformance!(GraphHarness::start(silent_moves).await);
}

/// No move is told where it leads.
mod moves_never_told {
    use super::*;
    provider_conformance!(
        GraphHarness::start(|faults| {
            faults.unreported_arrivals = When::Always;
            faults.lost_returns = When::Always;
        })
        .await
    );
}

/// Throttled now and then, with and without a wait, whole requests and parts of batches.
mod throttled {
    use super::*;
    provider_conformance!(GraphHarness::start(throttling).await);
}

/// Servers that fail now and then.
mod server_errors {
    use super::*;
    provider_conformance!(GraphHarness::start(failing).await);
}

/// Messages that are listed, and not found at first.
mod listed_and_not_found {
    use super::*;
    provider_conformance!(
        GraphHarness::start(|faults| faults.missing_messages = When::Chance(0.01)).await
    );
}

/// The feeds are behind the mailbox.
mod stale_feeds {
    use super::*;
    provider_conformance!(GraphHarness::start(lagging).await);
}

/// Answers that end too early, or stop.
mod cut_off {
    use super::*;
    provider_conformance!(
        GraphHarness::start(|faults| {
            faults.truncated_bodies = When::Chance(0.05);
            faults.stalls = When::Chance(0.02);
            faults.stall_for = Some(Duration::from_millis(50));
            faults.only = READS.map(str::to_owned).to_vec();
        })
        .await
    );
}

/// All at once.
mod everything {
    use super::*;
    provider_conformance!(
        GraphHarness::start(|faults| {
            odd(faults);
            silent_moves(faults);
            throttling(faults);
            failing(faults);
            lagging(faults);
            faults.truncated_bodies = When::Chance(0.02);
            faults.only = READS.map(str::to_owned).to_vec();
        })
        .await
    );
}
