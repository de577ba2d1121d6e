//! Courier starts, keeps mail over a restart, takes dropped files, and can lose its UIDs.

use test_servers::{Courier, RawImap};

const ALICE: &str = "alice@test.local";

#[tokio::test]
async fn it_is_the_server_without_extensions() {
    let courier = Courier::start().await.unwrap();
    let mut tls = RawImap::connect_tls(courier.imaps_port(), courier.certificate())
        .await
        .unwrap();
    tls.authenticate(ALICE, "pw").await.unwrap();
    for extension in [
        "CONDSTORE",
        "QRESYNC",
        "MOVE",
        "SPECIAL-USE",
        "LIST-STATUS",
        "LITERAL+",
    ] {
        assert!(!tls.advertises(extension), "{extension}");
    }
    let plain = RawImap::connect(courier.imap_port()).await.unwrap();
    let mut upgraded = plain.start_tls(courier.certificate()).await.unwrap();
    upgraded.authenticate(ALICE, "pw").await.unwrap();
    let selected = upgraded.select("INBOX").await.unwrap();
    assert_eq!((selected.uid_next, selected.highest_modseq), (None, None));
    assert!(upgraded.authenticate(ALICE, "wrong").await.is_err());
    assert!(courier.ca_pem_path().exists());
}

#[tokio::test]
async fn dropped_mail_is_there_and_survives_a_restart() {
    let mut courier = Courier::start().await.unwrap();
    courier
        .deliver(ALICE, "INBOX", b"Subject: one\r\n\r\n1\r\n")
        .unwrap();
    courier
        .deliver(ALICE, "INBOX.Sent", b"Subject: two\r\n\r\n2\r\n")
        .unwrap();
    let before = courier
        .client(ALICE)
        .await
        .unwrap()
        .dump_all()
        .await
        .unwrap();
    assert_eq!(before["INBOX"].mails.len(), 1);
    assert_eq!(
        before["INBOX.Sent"].mails[&1].raw,
        b"Subject: two\r\n\r\n2\r\n"
    );
    courier.restart().await.unwrap();
    let after = courier
        .client(ALICE)
        .await
        .unwrap()
        .dump_all()
        .await
        .unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_reset_changes_uidvalidity_and_uids() {
    let courier = Courier::start().await.unwrap();
    let mut client = courier.client(ALICE).await.unwrap();
    for text in [b"1", b"2", b"3"] {
        client
            .append("INBOX", text, &["\\Seen"], None)
            .await
            .unwrap();
    }
    client.select("INBOX").await.unwrap();
    client.expunge("1").await.unwrap();
    let before = client.dump("INBOX").await.unwrap();
    assert_eq!(before.mails.keys().copied().collect::<Vec<_>>(), [2, 3]);
    client.logout().await.unwrap();
    let validity = courier.reset_uidvalidity(ALICE, "INBOX").unwrap();
    let after = courier
        .client(ALICE)
        .await
        .unwrap()
        .dump("INBOX")
        .await
        .unwrap();
    assert_eq!(after.uid_validity, validity);
    assert!(validity > before.uid_validity);
    assert_eq!(after.mails.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(after.mails[&1].raw, before.mails[&2].raw);
}

#[tokio::test]
async fn the_raw_client_edits_folders_and_messages() {
    let courier = Courier::start().await.unwrap();
    let mut client = courier.client(ALICE).await.unwrap();
    client.create("INBOX.Work").await.unwrap();
    client.rename("INBOX.Work", "INBOX.Play").await.unwrap();
    let date = chrono::DateTime::parse_from_rfc3339("2024-02-03T04:05:06+01:00").unwrap();
    let raw = "Subject: \u{e9}\r\n\r\nbody\r\n".as_bytes();
    let uid = client
        .append("INBOX", raw, &["\\Seen", "\\Flagged"], Some(date))
        .await
        .unwrap();
    assert_eq!(uid.map(|(_, uid)| uid), Some(1));
    client.select("INBOX").await.unwrap();
    client.store("1", "+FLAGS", &["$Forwarded"]).await.unwrap();
    client.move_to("1", "INBOX.Play").await.unwrap();
    assert!(client.dump("INBOX").await.unwrap().mails.is_empty());
    let moved = client.dump("INBOX.Play").await.unwrap().mails[&1].clone();
    assert_eq!(moved.raw, raw);
    assert_eq!(moved.internal_date, date);
    assert_eq!(
        moved.flags.iter().map(String::as_str).collect::<Vec<_>>(),
        ["\\Flagged", "\\Seen"]
    );
    assert!(moved.keywords.contains("$Forwarded"));
    client.delete("INBOX.Play").await.unwrap_err(); // it is selected
    client.select("INBOX").await.unwrap();
    client.delete("INBOX.Play").await.unwrap();
    assert!(client.list("INBOX.Play").await.unwrap().is_empty());
}
