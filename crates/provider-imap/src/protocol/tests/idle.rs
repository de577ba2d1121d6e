//! Waiting.

use std::time::Duration;

use super::{commands::heard, *};

#[tokio::test]
async fn idle_ends_with_a_hint_and_says_done() {
    let script = Script::selected(3)
        .then("IDLE", "+ idling\r\n* OK Still here\r\n* 4 EXISTS\r\n")
        .then("DONE", "% OK\r\n");
    let (end, heard) = heard(script, async |c: &mut Connection| {
        c.idle(soon()).await.unwrap()
    })
    .await;
    assert_eq!(end, IdleEnd::Hint);
    assert_eq!(heard, ["A1004 IDLE", "DONE"]);
}

#[tokio::test]
async fn a_refused_idle_is_not_followed_by_done() {
    for answer in ["% NO not today\r\n", "% BAD what?\r\n"] {
        let script = Script::selected(3).then("IDLE", answer);
        let ask = async |c: &mut Connection| {
            assert_eq!(c.idle(soon()).await.unwrap(), IdleEnd::Refused);
            assert!(c.is_usable());
            c.idle(soon()).await.unwrap()
        };
        let (end, heard) = heard(script, ask).await;
        assert_eq!(end, IdleEnd::Refused);
        assert_eq!(heard, ["A1004 IDLE"]);
    }
}

#[tokio::test]
async fn the_end_of_the_stream_in_idle_is_an_error() {
    let mut connection = Script::selected(3)
        .then("IDLE", "+ idling\r\n")
        .close()
        .connect_and_select()
        .await;
    assert!(matches!(connection.idle(soon()).await, Err(Error::Closed)));
    assert!(!connection.is_usable());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_idle_is_renewed_and_ends_at_the_deadline() {
    let script = Script::selected(3)
        .then("IDLE", "+ idling\r\n")
        .then("DONE", "% OK\r\n")
        .then("IDLE", "+ idling\r\n")
        .then("DONE", "% OK\r\n");
    let ask = async |c: &mut Connection| {
        c.idle(Instant::now() + Duration::from_secs(15 * 60))
            .await
            .unwrap()
    };
    let (end, heard) = heard(script, ask).await;
    assert_eq!(end, IdleEnd::Quiet);
    assert_eq!(heard, ["A1004 IDLE", "DONE", "A1005 IDLE", "DONE"]);
}
