//! Connections that end, wherever they do.

use std::{sync::Arc, time::Duration};

use email_provider::{EmailProvider, ErrorKind};
use test_servers::{Fault, FaultProxy, Postfix};

use crate::mailbox::*;

/// What became of a message, by its recipient.
async fn judge(postfix: &Postfix, sends: Vec<(String, Option<ErrorKind>)>) -> [usize; 3] {
    let delivered = postfix.settled().await.expect("as the test has it");
    let mut counts = [0; 3];
    for (to, result) in sends {
        let arrived = delivered.iter().filter(|mail| mail.recipient == to).count();
        match result {
            None => {
                assert_eq!(arrived, 1, "accepted, and delivered once");
                counts[0] += 1;
            }
            Some(ErrorKind::OutcomeUnknown) => {
                assert!(arrived <= 1, "never twice");
                counts[1] += 1;
            }
            Some(kind) => {
                assert_eq!(kind, ErrorKind::Unavailable);
                assert_eq!(arrived, 0, "a certain failure reaches nobody");
                counts[2] += 1;
            }
        }
    }
    counts
}

async fn send_through(provider: Arc<dyn EmailProvider>, user: &str) -> (String, Option<ErrorKind>) {
    let to = somebody();
    let outgoing = outgoing(message(user, &[&to]));
    let result = submit(
        provider.as_ref(),
        &outgoing,
        call_within(Duration::from_secs(10)),
    )
    .await;
    (to, kind(result))
}

#[tokio::test]
async fn a_connection_cut_at_any_octet_is_a_certain_failure_or_an_unknown_outcome() {
    let postfix = Postfix::shared().await.unwrap();
    let proxy = FaultProxy::to_port(postfix.plain_port()).unwrap();
    let mailbox = Mailbox::new(&plain(proxy.port()), None).await;
    let (up, down) = proxy.bytes();
    let sent = send_through(mailbox.reopen().await, &mailbox.user).await;
    assert_eq!(sent.1, None);
    let (up_after, down_after) = proxy.bytes();
    let (up, down) = (up_after - up, down_after - down);

    let near = |end: u64| (end.saturating_sub(12)..=end + 2).collect::<Vec<_>>();
    let mut sends = vec![sent];
    for at in (1..up).step_by(37).chain(near(up)) {
        proxy.set(Fault::CutUploadAfter(at)).await.unwrap();
        sends.push(send_through(mailbox.reopen().await, &mailbox.user).await);
    }
    for at in (1..down).step_by(23).chain(near(down)) {
        proxy.set(Fault::CutAfter(at)).await.unwrap();
        sends.push(send_through(mailbox.reopen().await, &mailbox.user).await);
    }
    let [accepted, unknown, failed] = judge(postfix, sends).await;
    assert!(accepted >= 3, "{accepted}");
    assert!(unknown >= 3, "{unknown}");
    assert!(failed >= 12, "{failed}");
}

#[tokio::test]
async fn an_idle_connection_that_died_is_replaced_and_nothing_is_sent_twice() {
    let postfix = Postfix::shared().await.unwrap();
    let proxy = FaultProxy::to_port(postfix.plain_port()).unwrap();
    let mailbox = Mailbox::new(&plain(proxy.port()), None).await;
    let mut sends = Vec::new();
    for round in 0..4 {
        let sent = send_through(Arc::clone(&mailbox.provider), &mailbox.user).await;
        assert_eq!(sent.1, None);
        sends.push(sent);
        match round {
            0 => proxy.cut_now(),
            // The connection still answers once, and is cut in the midst of MAIL.
            1 => proxy.set(Fault::CutAfter(16)).await.unwrap(),
            _ => {}
        }
        if round == 1 {
            let sent = send_through(Arc::clone(&mailbox.provider), &mailbox.user).await;
            // The new connection is cut as early, during its greeting.
            assert_eq!(sent.1, Some(ErrorKind::Unavailable));
            sends.push(sent);
            proxy.set(Fault::Pass).await.unwrap();
        }
    }
    assert_eq!(judge(postfix, sends).await, [4, 0, 1]);
}

#[tokio::test]
async fn connections_are_shared_and_few() {
    let postfix = Postfix::shared().await.unwrap();
    let proxy = FaultProxy::to_port(postfix.plain_port()).unwrap();
    let mailbox = Mailbox::new(&plain(proxy.port()), None).await;
    let before = proxy.connections();
    let sends = (0..8).map(|_| send_through(Arc::clone(&mailbox.provider), &mailbox.user));
    let sends = futures::future::join_all(sends).await;
    assert!(proxy.connections() - before <= 2);
    assert!(proxy.open_connections() <= 2);
    assert_eq!(judge(postfix, sends).await, [8, 0, 0]);
    mailbox.provider.close().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_no_more_than_the_deadline() {
    let postfix = Postfix::shared().await.unwrap();
    let proxy = FaultProxy::to_port(postfix.plain_port()).unwrap();
    let mailbox = Mailbox::new(&plain(proxy.port()), None).await;
    let outgoing = outgoing(message(&mailbox.user, &[&somebody()]));
    for fault in [Fault::Stall, Fault::Refuse] {
        proxy.set(fault).await.unwrap();
        let begun = std::time::Instant::now();
        let call = call_within(Duration::from_secs(1));
        let sent = submit(mailbox.provider.as_ref(), &outgoing, call).await;
        assert_eq!(kind(sent), Some(ErrorKind::Unavailable));
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}
