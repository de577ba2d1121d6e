//! Dovecot starts, takes every kind of login, restarts, and speaks each dialect.

use test_servers::{Dovecot, DovecotOptions, RawImap, bearer_token};

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
