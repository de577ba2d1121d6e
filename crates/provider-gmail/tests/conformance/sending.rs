//! What the suite does not ask of sending: senders, costs, refusals, and what is said of a lost answer.

use email_model::Address;
use email_provider::{
    EmailProvider, ErrorKind, MessageCopy, MessageRef, Outgoing, ProviderResult, Settled,
    Submission, Submitted, Unsettled,
};
use fake_gmail::{ErrorFault, ErrorKind as Fault, Truth};
use provider_conformance::{
    Harness as _, Purpose, answering, call, letter, moment, octets, outgoing,
};
use secrecy::SecretString;

use crate::{
    steps::{bench, inbox},
    support::{EMAIL, GmailHarness},
};

/// The methods that send.
const SENDING: [&str; 2] = ["gmail.users.messages.send", "gmail.users.drafts.send"];

pub async fn composed(harness: &GmailHarness, name: &str) -> Outgoing {
    outgoing(&letter(&bench(harness).await, name), Purpose::Send)
}

async fn composed_from(harness: &GmailHarness, sender: &str) -> Outgoing {
    let mut message = letter(&bench(harness).await, "from");
    message.from = Some(Address::bare(sender));
    outgoing(&message, Purpose::Send)
}

pub async fn submit(
    provider: &dyn EmailProvider,
    outgoing: &Outgoing,
) -> ProviderResult<Submitted> {
    let submitter = provider.submitter().expect("it sends");
    submitter
        .submit(call(), Submission::Message(outgoing))
        .await
}

pub async fn settle(provider: &dyn EmailProvider, message_id: &str) -> Settled {
    let send = Unsettled {
        message_id,
        draft: None,
        since: moment(0),
    };
    let submitter = provider.submitter().expect("it sends");
    submitter.settle(call(), send).await.expect("an answer")
}

pub fn kind<T>(answer: ProviderResult<T>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind)
}

pub fn truth(harness: &GmailHarness, at: &MessageRef) -> Truth {
    let id = std::str::from_utf8(&at.key.0).expect("an id");
    harness.user.message(id).expect("it is there")
}

fn requests(harness: &GmailHarness, method: &str) -> usize {
    let all = harness.server.requests();
    all.iter().filter(|one| one.method == Some(method)).count()
}

#[tokio::test]
async fn a_message_is_sent_once_with_exactly_its_octets_and_at_its_price() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = composed(&harness, "sent").await;
    let before = harness.server.units(EMAIL);
    let submitted = submit(provider.as_ref(), &outgoing).await.expect("sent");
    // The addresses to send as, and the sending.
    assert_eq!(harness.server.units(EMAIL) - before, 1 + 100);
    let sent = harness.server.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].raw, octets(&outgoing, MessageCopy::Wire).await);
    assert_eq!(sent[0].recipients, outgoing.envelope.recipients);
    let at = submitted.at.clone().expect("the API tells where it is");
    let kept = truth(&harness, &at);
    assert_eq!(kept.raw, octets(&outgoing, MessageCopy::Kept).await);
    assert_eq!(
        (kept.labels, kept.id),
        (vec!["SENT".to_owned()], sent[0].id.clone())
    );
    let submitter = provider.submitter().expect("it sends");
    let filed = submitter.file(call(), Submission::Message(&outgoing), &submitted);
    assert_eq!(filed.await.expect("it is filed"), Some(at));
    let second = composed(&harness, "second").await;
    let before = harness.server.units(EMAIL);
    submit(provider.as_ref(), &second).await.expect("sent");
    assert_eq!(harness.server.units(EMAIL) - before, 100);
}

#[tokio::test]
async fn an_answer_to_what_is_gone_is_sent_all_the_same() {
    let harness = GmailHarness::start(|_| {}).await;
    let bench = bench(&harness).await;
    let provider = harness.provider().await;
    crate::steps::append(&harness, &["asked"]).await;
    let at = bench.list(&inbox()).await.remove(0);
    let id = std::str::from_utf8(&at.key.0).expect("an id");
    assert!(harness.user.delete(id));
    let outgoing = answering(&letter(&bench, "answer"), Purpose::Send, &at);
    submit(provider.as_ref(), &outgoing).await.expect("sent");
    assert_eq!(harness.server.sent().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_an_unknown_outcome_and_the_message_is_found() {
    for fault in ["cut", "failed"] {
        let harness = GmailHarness::start(|_| {}).await;
        let provider = harness.provider().await;
        let outgoing = composed(&harness, fault).await;
        harness.server.faults(|faults| {
            faults.only = SENDING.map(str::to_owned).to_vec();
            match fault {
                "cut" => faults.cut_connections = 1.0,
                _ => faults.failures_after_effect = 1.0,
            }
        });
        let answer = submit(provider.as_ref(), &outgoing).await;
        assert_eq!(kind(answer), Some(ErrorKind::OutcomeUnknown), "{fault}");
        harness.server.set_faults(fake_gmail::Faults::default());
        let settled = settle(provider.as_ref(), &outgoing.message_id).await;
        let Settled::Sent(Some(found)) = settled else {
            panic!("{settled:?}");
        };
        assert_eq!(truth(&harness, &found).id, harness.server.sent()[0].id);
        assert_eq!(harness.server.sent().len(), 1, "{fault}");
        let submitter = provider.submitter().expect("it sends");
        let submission = Submission::Message(&outgoing);
        let nothing = Submitted::default();
        let filed = submitter.file(call(), submission, &nothing).await;
        assert_eq!(filed.expect("it is filed"), Some(found));
    }
}

#[tokio::test]
async fn of_a_request_that_got_lost_nothing_is_known() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = composed(&harness, "lost").await;
    harness.server.faults(|faults| {
        faults.only = SENDING.map(str::to_owned).to_vec();
        faults.dropped_requests = 1.0;
    });
    let answer = submit(provider.as_ref(), &outgoing).await;
    assert_eq!(kind(answer), Some(ErrorKind::OutcomeUnknown));
    let settled = settle(provider.as_ref(), &outgoing.message_id).await;
    assert_eq!(settled, Settled::Unknown, "the index may be behind");
}

#[tokio::test]
async fn what_is_refused_was_not_sent() {
    for (fault, expected) in [
        (Fault::TooManyRequests, ErrorKind::RateLimited),
        (Fault::UserRateLimit, ErrorKind::RateLimited),
        (Fault::DailyLimit, ErrorKind::RateLimited),
        (Fault::DomainPolicy, ErrorKind::Forbidden),
        // It may have failed after it sent.
        (Fault::Unavailable, ErrorKind::OutcomeUnknown),
    ] {
        let harness = GmailHarness::start(|_| {}).await;
        let provider = harness.provider().await;
        let outgoing = composed(&harness, "refused").await;
        let fault = ErrorFault::always(fault).on(SENDING[0]);
        harness.server.faults(|faults| faults.errors = vec![fault]);
        assert_eq!(
            kind(submit(provider.as_ref(), &outgoing).await),
            Some(expected)
        );
        assert_eq!(requests(&harness, SENDING[0]), 1, "nobody repeats it");
        assert!(harness.server.sent().is_empty());
    }
}

#[tokio::test]
async fn a_limit_on_sending_does_not_hold_reading_back() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = composed(&harness, "too-many").await;
    let fault = ErrorFault::always(Fault::UserRateLimit)
        .message("User-rate limit exceeded (Mail sending)")
        .retry_after("1800")
        .on(SENDING[0]);
    harness.server.faults(|faults| faults.errors = vec![fault]);
    let refused = submit(provider.as_ref(), &outgoing)
        .await
        .expect_err("limited");
    assert_eq!(refused.kind, ErrorKind::RateLimited);
    assert_eq!(refused.retry_after.map(|wait| wait.as_secs()), Some(1_800));
    provider.folders(call()).await.expect("reading goes on");
}

#[tokio::test]
async fn only_addresses_that_the_mailbox_owns_are_sent_as() {
    let harness = GmailHarness::start(|_| {}).await;
    harness
        .user
        .add_send_as("sales@company.example", "Sales", true);
    harness
        .user
        .add_send_as("boss@company.example", "Boss", false);
    let provider = harness.provider().await;
    for refused in [
        "boss@company.example",
        "stranger@elsewhere.example",
        "ann+news@gmail.example",
        "a.nn@gmail.example",
    ] {
        let outgoing = composed_from(&harness, refused).await;
        let answer = submit(provider.as_ref(), &outgoing).await;
        assert_eq!(kind(answer), Some(ErrorKind::Forbidden), "{refused}");
    }
    assert_eq!(requests(&harness, SENDING[0]), 0);
    for owned in ["Sales@Company.example", "ANN@gmail.example"] {
        let outgoing = composed_from(&harness, owned).await;
        submit(provider.as_ref(), &outgoing).await.expect("sent");
    }
    // One that was added since is known at once.
    harness.user.add_send_as("new@company.example", "New", true);
    let outgoing = composed_from(&harness, "new@company.example").await;
    submit(provider.as_ref(), &outgoing).await.expect("sent");
    assert_eq!(harness.server.sent().len(), 3);
}

#[tokio::test]
async fn where_the_settings_are_not_granted_only_the_own_address_is_sent_as() {
    let harness = GmailHarness::start(|_| {}).await;
    harness
        .is_careless
        .store(true, std::sync::atomic::Ordering::Relaxed);
    harness
        .user
        .add_send_as("sales@company.example", "Sales", true);
    let mut connection = harness.connection().await;
    let scope = "https://www.googleapis.com/auth/gmail.compose";
    let sign_in = email_provider::SignIn {
        access_token: Some(SecretString::from(harness.server.token(EMAIL, &[scope]))),
        ..email_provider::SignIn::default()
    };
    let plugin = email_provider::ProviderPlugin::resolve(
        harness.plugin.as_ref(),
        &harness.context,
        &sign_in,
    );
    connection.secret = plugin.await.expect("a sign-in").connection.secret;
    let opened = email_provider::ProviderPlugin::open(
        harness.plugin.as_ref(),
        &harness.context,
        &connection,
    );
    let provider = opened.await.expect("a mailbox");
    let outgoing = composed_from(&harness, "sales@company.example").await;
    let answer = submit(provider.as_ref(), &outgoing).await;
    assert_eq!(kind(answer), Some(ErrorKind::Forbidden));
    let outgoing = composed_from(&harness, EMAIL).await;
    submit(provider.as_ref(), &outgoing).await.expect("sent");
    assert_eq!(
        settle(provider.as_ref(), "<x@y.example>").await,
        Settled::Unknown
    );
}

#[tokio::test]
async fn a_message_that_was_given_another_id_is_found_by_its_own() {
    let harness = GmailHarness::start(|_| {}).await;
    harness
        .server
        .settings(|settings| settings.replaced_message_id = true);
    let provider = harness.provider().await;
    let outgoing = composed(&harness, "renamed").await;
    let submitted = submit(provider.as_ref(), &outgoing).await.expect("sent");
    let sent = String::from_utf8_lossy(&harness.server.sent()[0].raw).into_owned();
    assert!(!sent.contains(&format!("\r\nMessage-ID: {}", outgoing.message_id)));
    let settled = settle(provider.as_ref(), &outgoing.message_id).await;
    assert_eq!(settled, Settled::Sent(submitted.at));
}

#[tokio::test]
async fn a_message_of_somebody_else_with_the_same_id_proves_nothing() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let outgoing = composed(&harness, "theirs").await;
    let raw = octets(&outgoing, MessageCopy::Wire).await;
    harness.user.append(&raw, &["INBOX"], 1_709_290_800_000);
    let settled = settle(provider.as_ref(), &outgoing.message_id).await;
    assert_eq!(settled, Settled::Unknown);
    for odd in ["", "<>", "<a b@c>", "<\"x\" OR in:sent@y>"] {
        assert_eq!(settle(provider.as_ref(), odd).await, Settled::Unknown);
    }
}
