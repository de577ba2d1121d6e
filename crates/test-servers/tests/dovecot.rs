//! Dovecot starts, takes every kind of login, restarts, and speaks each dialect.

use std::time::Duration;

use test_servers::{Dialect, Dovecot, DovecotOptions, MailFormat, RawImap, bearer_token, corpus};

const ALICE: &str = "alice@test.local";

#[tokio::test]
async fn every_way_to_log_in_works() {
    let dovecot = Dovecot::start(DovecotOptions::default()).await.unwrap();
    let certificate = dovecot.certificate();

    let mut tls = RawImap::connect_tls(dovecot.imaps_port(), certificate)
        .await
        .unwrap();
    tls.authenticate(ALICE, "pw").await.unwrap();
    assert!(tls.advertises("QRESYNC"));

    let plain = RawImap::connect(dovecot.imap_port()).await.unwrap();
    let mut upgraded = plain.start_tls(certificate).await.unwrap();
    upgraded
        .authenticate("u0001@test.local", "pw")
        .await
        .unwrap();

    let mut bearer = RawImap::connect(dovecot.imap_port()).await.unwrap();
    bearer
        .authenticate_xoauth2(ALICE, &bearer_token(ALICE))
        .await
        .unwrap();
    bearer.select("INBOX").await.unwrap();

    let mut wrong = RawImap::connect(dovecot.imap_port()).await.unwrap();
    let refusal = wrong
        .authenticate_xoauth2(ALICE, "tok-other")
        .await
        .unwrap_err();
    assert!(
        refusal.to_string().contains("AUTHENTICATIONFAILED"),
        "{refusal}"
    );
    let refusal = wrong.authenticate(ALICE, "wrong").await.unwrap_err();
    assert!(
        refusal.to_string().contains("AUTHENTICATIONFAILED"),
        "{refusal}"
    );
    assert!(dovecot.ca_pem_path().exists());
}

#[tokio::test]
async fn each_dialect_advertises_what_it_should() {
    for (dialect, condstore, qresync) in [
        (Dialect::Qresync, true, true),
        (Dialect::CondstoreOnly, true, false),
        (Dialect::Plain, false, false),
    ] {
        let dovecot = Dovecot::shared(dialect).await.unwrap();
        let client = dovecot.client("bob@test.local").await.unwrap();
        assert_eq!(client.advertises("CONDSTORE"), condstore, "{dialect:?}");
        assert_eq!(client.advertises("QRESYNC"), qresync, "{dialect:?}");
        assert_eq!(client.advertises("LIST-STATUS"), condstore, "{dialect:?}");
        assert!(
            client.advertises("MOVE") && client.advertises("UIDPLUS") && client.advertises("IDLE")
        );
    }
    let without_move = Dovecot::start(DovecotOptions {
        dialect: Dialect::Plain,
        advertise_move: false,
        ..DovecotOptions::default()
    })
    .await
    .unwrap();
    assert!(
        !without_move
            .client("bob@test.local")
            .await
            .unwrap()
            .advertises("MOVE")
    );
}

#[tokio::test]
async fn commands_that_a_lesser_dialect_hides_still_work() {
    let dovecot = Dovecot::shared(Dialect::Plain).await.unwrap();
    let mut client = dovecot.client("u0003@test.local").await.unwrap();
    client
        .append("INBOX", b"Subject: a\r\n\r\n", &[], None)
        .await
        .unwrap();
    assert_eq!(client.select("INBOX").await.unwrap().highest_modseq, None);
    let answer = client.command("SELECT INBOX (CONDSTORE)").await.unwrap();
    assert!(
        answer.text().contains("[HIGHESTMODSEQ "),
        "{}",
        answer.text()
    );
    let answer = client.command("ENABLE QRESYNC").await.unwrap();
    assert!(
        answer.text().contains("* ENABLED QRESYNC"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn mail_and_uids_survive_a_restart_and_a_kill() {
    for mail_format in [MailFormat::Mdbox, MailFormat::Sdbox, MailFormat::Maildir] {
        let options = DovecotOptions {
            mail_format,
            ..DovecotOptions::default()
        };
        let mut dovecot = Dovecot::start(options).await.unwrap();
        let mut client = dovecot.client(ALICE).await.unwrap();
        let date = chrono::DateTime::parse_from_rfc3339("2023-02-03T04:05:06+00:00").unwrap();
        let uid = client
            .append(
                "INBOX",
                b"Subject: a\r\n\r\nb\r\n",
                &["\\Seen", "$Work"],
                Some(date),
            )
            .await
            .unwrap();
        let before = client.dump_all().await.unwrap();
        assert_eq!(uid, Some((before["INBOX"].uid_validity, 1)));
        let mail = &before["INBOX"].mails[&1];
        assert_eq!(mail.raw, b"Subject: a\r\n\r\nb\r\n");
        assert_eq!(mail.internal_date, date);
        assert!(mail.flags.contains("\\Seen") && mail.keywords.contains("$Work"));
        assert!(before.contains_key("Archive"));

        dovecot.restart().await.unwrap();
        assert!(client.command("NOOP").await.is_err());
        dovecot.kill_hard().await.unwrap();
        dovecot.resume().await.unwrap();
        let after = dovecot
            .client(ALICE)
            .await
            .unwrap()
            .dump_all()
            .await
            .unwrap();
        assert_eq!(before, after, "{mail_format:?}");
        assert!(
            std::fs::read_dir(dovecot.mail_dir(ALICE))
                .unwrap()
                .next()
                .is_some()
        );
    }
}

#[tokio::test]
async fn a_reset_uidvalidity_is_seen_by_the_next_select() {
    for mail_format in [MailFormat::Mdbox, MailFormat::Sdbox, MailFormat::Maildir] {
        let options = DovecotOptions {
            mail_format,
            ..DovecotOptions::default()
        };
        let dovecot = Dovecot::start(options).await.unwrap();
        let mut client = dovecot.client(ALICE).await.unwrap();
        client
            .append("INBOX", b"Subject: a\r\n\r\n", &[], None)
            .await
            .unwrap();
        let before = client.dump("INBOX").await.unwrap();
        let validity = dovecot.reset_uidvalidity(ALICE, "INBOX").await.unwrap();
        assert!(validity > before.uid_validity);
        let after = dovecot
            .client(ALICE)
            .await
            .unwrap()
            .dump("INBOX")
            .await
            .unwrap();
        assert_eq!(after.uid_validity, validity);
        assert_eq!(after.mails, before.mails);
        assert!(dovecot.reset_uidvalidity(ALICE, "Nowhere").await.is_err());
    }
}

#[tokio::test]
async fn credentials_can_be_replaced() {
    let dovecot = Dovecot::start(DovecotOptions::default()).await.unwrap();
    for (password, token) in [("p1", "t1"), ("p2", "t2")] {
        dovecot
            .set_credentials(ALICE, password, token)
            .await
            .unwrap();
        let mut client = RawImap::connect(dovecot.imap_port()).await.unwrap();
        assert!(client.authenticate(ALICE, "pw").await.is_err());
        client.authenticate(ALICE, password).await.unwrap();
        let mut client = RawImap::connect(dovecot.imap_port()).await.unwrap();
        client.authenticate_xoauth2(ALICE, token).await.unwrap();
    }
    dovecot.client("bob@test.local").await.unwrap();
    assert!(
        dovecot
            .set_credentials("nobody@test.local", "a", "b")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_hibernated_session_wakes_for_new_mail() {
    let options = DovecotOptions {
        hibernate: Some(Duration::from_secs(1)),
        ..DovecotOptions::default()
    };
    let dovecot = Dovecot::start(options).await.unwrap();
    let mut idle = dovecot.client(ALICE).await.unwrap();
    idle.select("INBOX").await.unwrap();
    let waiting = tokio::spawn(async move { idle.idle_once().await });
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let who = dovecot
        .doveadm(&["process", "status", "imap-hibernate"])
        .await
        .unwrap();
    assert_eq!(who.lines().count(), 2, "a heading and one process: {who}");
    let mut other = dovecot.client(ALICE).await.unwrap();
    other
        .append("INBOX", b"Subject: new\r\n\r\n", &[], None)
        .await
        .unwrap();
    let woken = waiting.await.unwrap().unwrap();
    assert_eq!(woken, b"* 1 EXISTS");
}

#[tokio::test]
async fn many_messages_are_loaded_fast() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let mails: Vec<_> = corpus(1, 1_000).collect();
    let count = dovecot
        .bulk_append("u0100@test.local", "Loaded", mails.clone())
        .await
        .unwrap();
    assert_eq!(count, 1_000);
    let dump = dovecot
        .client("u0100@test.local")
        .await
        .unwrap()
        .dump("Loaded")
        .await
        .unwrap();
    assert_eq!(dump.mails.len(), 1_000);
    for (stored, mail) in dump.mails.values().zip(&mails) {
        assert_eq!(stored.raw, mail.raw);
        assert_eq!(stored.internal_date, mail.internal_date);
        assert_eq!(stored.flags.len() + stored.keywords.len(), mail.flags.len());
    }
}
