//! Signing in to real servers.

use email_provider::ErrorKind;
use test_servers::{Courier, Dialect, Dovecot, bearer_token};

use super::{
    servers::{account, open},
    *,
};

#[tokio::test]
async fn certificates_are_checked_and_starttls_is_required() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let ca_pem = Some(dovecot.certificate().ca_pem.clone());
    for (port, security) in [
        (dovecot.imaps_port(), Security::ImplicitTls),
        (dovecot.imap_port(), Security::StartTls),
    ] {
        let config = ImapConfig {
            ca_pem: ca_pem.clone(),
            ..account("u0002@test.local", port, security)
        };
        open(&config).await.unwrap().close().await;
        let unknown = open(&ImapConfig {
            ca_pem: None,
            ..config.clone()
        })
        .await;
        assert!(matches!(unknown, Err(Error::Tls(_))), "{unknown:?}");
        let other_name = open(&ImapConfig {
            host: "other.test".into(),
            ..config.clone()
        })
        .await;
        assert!(matches!(other_name, Err(Error::Tls(_))), "{other_name:?}");
        open(&ImapConfig {
            ca_pem: None,
            trust_server: true,
            ..config
        })
        .await
        .unwrap()
        .close()
        .await;
    }
    let courier = Courier::start().await.unwrap();
    let config = account("alice@test.local", courier.imap_port(), Security::StartTls);
    open(&ImapConfig {
        trust_server: true,
        ..config
    })
    .await
    .unwrap()
    .close()
    .await;
}

#[tokio::test]
async fn passwords_and_tokens_are_taken_and_refused() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let user = "u0003@test.local";
    let config = account(user, dovecot.imap_port(), Security::None);
    let with = |auth: Auth| ImapConfig {
        auth,
        ..config.clone()
    };
    let token = |token: String| {
        with(Auth::OAuth {
            login: user.into(),
            token: token.into(),
        })
    };
    open(&token(bearer_token(user)))
        .await
        .unwrap()
        .close()
        .await;
    let refused = open(&token("stale".into())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated, "{refused:?}");
    let refused = open(&with(password(user))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated, "{refused:?}");
    let courier = Courier::start().await.unwrap();
    let wrong = ImapConfig {
        auth: password("carol@test.local"),
        port: courier.imap_port(),
        ..config
    };
    let refused = open(&wrong).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated, "{refused:?}");
}
