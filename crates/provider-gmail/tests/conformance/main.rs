//! The behaviour suite on a server that answers as Gmail does: calm, and with each of its faults. Beside it,
//! in modules of their own, what the suite does not ask for.
//!
//! Faults that fail a request strike reads only: whoever writes decides itself whether to do it again.

mod drafts;
mod failures;
mod history;
mod limits;
mod push;
mod scripted;
mod sending;
mod sessions;
mod sign_in;
mod steps;
mod support;
mod uploads;

use std::time::Duration;

use fake_gmail::{ErrorFault, ErrorKind, Faults, HistoryLabels, Lag, LagReaders};
use provider_conformance::provider_conformance;
use support::GmailHarness;

/// The methods that read.
const READS: [&str; 9] = [
    "gmail.users.drafts.get",
    "gmail.users.drafts.list",
    "gmail.users.settings.sendAs.list",
    "gmail.users.getProfile",
    "gmail.users.history.list",
    "gmail.users.labels.list",
    "gmail.users.messages.attachments.get",
    "gmail.users.messages.get",
    "gmail.users.messages.list",
];
/// Those of them that are not read as streams, which nobody begins again.
const LISTS: [&str; 7] = [
    READS[0], READS[1], READS[2], READS[3], READS[4], READS[5], READS[8],
];

fn only(methods: &[&str]) -> Vec<String> {
    methods.iter().map(|&method| method.to_owned()).collect()
}

fn error(kind: ErrorKind, retry_after: Option<&str>) -> ErrorFault {
    ErrorFault {
        probability: 0.01,
        retry_after: retry_after.map(str::to_owned),
        methods: only(&READS),
        ..ErrorFault::always(kind)
    }
}

fn throttling(faults: &mut Faults) {
    faults.errors.extend([
        error(ErrorKind::TooManyRequests, None),
        error(ErrorKind::TooManyRequests, Some("0")),
        error(ErrorKind::TooManyConcurrent, None),
        error(ErrorKind::RateLimit, None),
        error(
            ErrorKind::UserRateLimit,
            Some("Fri, 01 Jan 2021 00:00:00 GMT"),
        ),
    ]);
}

fn failing(faults: &mut Faults) {
    faults.errors.extend([
        error(ErrorKind::Internal, None),
        error(ErrorKind::Unavailable, None),
        error(ErrorKind::Unavailable, Some("0")),
    ]);
}

fn lagging(readers: LagReaders) -> impl FnOnce(&mut Faults) {
    move |faults| {
        faults.lag = Lag {
            time: Duration::from_millis(100),
            readers,
            ..Lag::default()
        };
    }
}

fn odd(faults: &mut Faults) {
    faults.empty_pages = 0.3;
    faults.unpadded_base64 = true;
    faults.duplicated_history = 0.3;
    faults.shuffled_batches = true;
}

mod calm {
    use super::*;
    provider_conformance!(GmailHarness::start(|_| {}).await);
}

/// Empty pages, records told twice, base64 without padding, batches in any order.
mod odd_answers {
    use super::*;
    provider_conformance!(GmailHarness::start(odd).await);
}

/// What the documentation leaves open, decided otherwise.
mod other_manners {
    use super::*;
    provider_conformance!({
        let harness = GmailHarness::start(odd).await;
        harness.server.settings(|settings| {
            settings.decoded_headers = false;
            settings.history_labels = HistoryLabels::Absent;
            settings.inline_limit = 10;
        });
        harness
    });
}

/// Throttled now and then, with and without a wait, by 429 and by 403.
mod throttled {
    use super::*;
    provider_conformance!(GmailHarness::start(throttling).await);
}

/// Servers that fail now and then.
mod server_errors {
    use super::*;
    provider_conformance!(GmailHarness::start(failing).await);
}

/// Messages that are listed, and not found at first.
mod listed_and_not_found {
    use super::*;
    provider_conformance!(GmailHarness::start(|faults| faults.missing_messages = 0.01).await);
}

/// All that tells of changes is behind.
mod stale {
    use super::*;
    provider_conformance!(GmailHarness::start(lagging(LagReaders::All)).await);
}

/// The history is behind the lists.
mod stale_history {
    use super::*;
    provider_conformance!(GmailHarness::start(lagging(LagReaders::History)).await);
}

/// The lists are behind the history.
mod stale_lists {
    use super::*;
    provider_conformance!(GmailHarness::start(lagging(LagReaders::Lists)).await);
}

/// Answers that end too early, or stop.
mod cut_off {
    use super::*;
    provider_conformance!(
        GmailHarness::start(|faults| {
            faults.truncated_bodies = 0.05;
            faults.stalls = 0.02;
            faults.stall_for = Some(Duration::from_millis(50));
            faults.only = only(&LISTS);
        })
        .await
    );
}

/// All at once.
mod everything {
    use super::*;
    provider_conformance!(
        GmailHarness::start(|faults| {
            odd(faults);
            throttling(faults);
            failing(faults);
            lagging(LagReaders::All)(faults);
            faults.truncated_bodies = 0.02;
            faults.only = only(&LISTS);
        })
        .await
    );
}
