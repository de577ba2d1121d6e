//! Greeting, STARTTLS and sign-in.

use email_provider::ErrorKind;

use super::*;

fn start_tls() -> ImapConfig {
    ImapConfig {
        security: Security::StartTls,
        ..config()
    }
}

fn oauth() -> ImapConfig {
    ImapConfig {
        auth: Auth::OAuth {
            login: "alice".into(),
            token: "tok".to_owned().into(),
        },
        ..config()
    }
}

#[tokio::test]
async fn bytes_behind_starttls_end_the_connection() {
    let script = Script::new("IMAP4rev1 STARTTLS").then(
        "STARTTLS",
        "% OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
    );
    let result = script.connect_with(&start_tls()).await;
    assert!(
        matches!(&result, Err(Error::Protocol(what)) if what == "data behind STARTTLS"),
        "{result:?}"
    );
    let script = Script::new("IMAP4rev1 STARTTLS").then("STARTTLS", "% OK go\r\n* OK half a li");
    assert!(matches!(
        script.connect_with(&start_tls()).await,
        Err(Error::Protocol(_))
    ));
}

#[tokio::test]
async fn without_starttls_nothing_is_said() {
    let script = Script::new("IMAP4rev1").then("STARTTLS", "% BAD what?\r\n");
    let (stream, server) = script.start();
    let result = Connection::over(
        Box::new(stream),
        &start_tls(),
        &Tls::new(&config()).unwrap(),
        soon(),
    )
    .await;
    assert!(matches!(result, Err(Error::Tls(_))), "{result:?}");
    let heard = server.await.unwrap();
    assert!(
        heard.iter().all(|line| !line.contains("LOGIN")),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_connection_that_is_signed_in_already_is_refused() {
    for config in [start_tls(), config()] {
        let script = Script {
            greeting: "* PREAUTH welcome\r\n".into(),
            ..Script::new(CAPABILITIES)
        };
        assert!(matches!(
            script.connect_with(&config).await,
            Err(Error::Protocol(_))
        ));
    }
}

#[tokio::test]
async fn a_password_is_not_sent_where_login_is_disabled() {
    let script = Script::new("IMAP4rev1 LOGINDISABLED");
    let (stream, server) = script.start();
    let result = Connection::over(
        Box::new(stream),
        &config(),
        &Tls::new(&config()).unwrap(),
        soon(),
    )
    .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(server.await.unwrap(), ["A0001 CAPABILITY"]);
}

#[tokio::test]
async fn farewell_instead_of_a_greeting_is_throttling_or_an_outage() {
    for (greeting, kind) in [
        ("* BYE Too many connections\r\n", ErrorKind::RateLimited),
        ("* BYE [UNAVAILABLE] later\r\n", ErrorKind::Unavailable),
        ("* BYE\r\n", ErrorKind::Unavailable),
        ("HTTP/1.1 400 Bad Request\r\n", ErrorKind::Unexpected),
    ] {
        let script = Script {
            greeting: greeting.into(),
            ..Script::new(CAPABILITIES)
        };
        assert_eq!(
            script.connect().await.unwrap_err().kind(),
            kind,
            "{greeting}"
        );
    }
}

#[tokio::test]
async fn a_refused_password_is_told_apart_from_an_outage() {
    for (answer, kind) in [
        (
            "% NO [AUTHENTICATIONFAILED] wrong\r\n",
            ErrorKind::Unauthenticated,
        ),
        (
            "* OK [ALERT] note\r\n% NO Login failed.\r\n",
            ErrorKind::Unauthenticated,
        ),
        ("% NO [UNAVAILABLE] later\r\n", ErrorKind::Unavailable),
        ("% NO [LIMIT] Too many\r\n", ErrorKind::RateLimited),
        ("* BYE Too many failures\r\n", ErrorKind::RateLimited),
    ] {
        let script = Script::new(CAPABILITIES).then("LOGIN", answer).close();
        let error = script.connect().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{answer}: {error}");
        assert!(!format!("{error:?}").contains("cret"));
    }
}

#[tokio::test]
async fn a_refused_token_is_given_up_with_an_empty_line() {
    let script = Script::new("IMAP4rev1 AUTH=XOAUTH2")
        .then("AUTHENTICATE XOAUTH2", "+ \r\n")
        .then(
            "dXNlcj1hbGljZQFhdXRoPUJlYXJlciB0b2sBAQ==",
            "+ eyJzdGF0dXMiOiI0MDEi\r\n",
        )
        .then("", "% NO [AUTHENTICATIONFAILED] expired\r\n")
        .close();
    let (stream, server) = script.start();
    let result = Connection::over(
        Box::new(stream),
        &oauth(),
        &Tls::new(&config()).unwrap(),
        soon(),
    )
    .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert_eq!(server.await.unwrap().last().map(String::as_str), Some(""));
}

#[tokio::test]
async fn untagged_lines_before_the_servers_question_do_not_stop_a_token() {
    let script = Script::new("IMAP4rev1 AUTH=OAUTHBEARER")
        .then(
            "AUTHENTICATE OAUTHBEARER",
            "* OK [ALERT] hello\r\n* OK still\r\n+ \r\n",
        )
        .then(
            "bixhPWFsaWNlLAFhdXRoPUJlYXJlciB0b2sBAQ==",
            "% OK welcome\r\n",
        );
    script.connect_with(&oauth()).await.unwrap();
}

#[tokio::test]
async fn capabilities_are_those_after_the_sign_in() {
    let script =
        Script::new("IMAP4rev1 MOVE").then("LOGIN", "% OK [CAPABILITY IMAP4rev1 IDLE] welcome\r\n");
    let script = Script {
        greeting: "* OK [CAPABILITY IMAP4rev1 QRESYNC] ready\r\n".into(),
        ..script
    };
    let connection = script.connect().await.unwrap();
    assert!(connection.has(Capability::MOVE));
    assert!(!connection.has(Capability::QRESYNC) && !connection.has(Capability::IDLE));
}

#[tokio::test]
async fn qresync_counts_only_when_the_server_says_that_it_is_enabled() {
    let script = Script::new(CAPABILITIES).then("ENABLE", "% OK sure\r\n");
    assert!(!script.connect().await.unwrap().has_qresync());
    assert!(
        Script::new(CAPABILITIES)
            .connect()
            .await
            .unwrap()
            .has_qresync()
    );
}

#[tokio::test]
async fn a_quoted_password_and_other_letters_arrive_whole() {
    let (stream, server) = Script::new(CAPABILITIES).start();
    let connection = Connection::over(
        Box::new(stream),
        &config(),
        &Tls::new(&config()).unwrap(),
        soon(),
    )
    .await
    .unwrap();
    drop(connection);
    assert!(
        server
            .await
            .unwrap()
            .contains(&"A1000 LOGIN \"alice\" \"se\\\"cret\"".to_owned())
    );
    let other = ImapConfig {
        auth: Auth::Password {
            login: "älice".into(),
            password: "pä".to_owned().into(),
        },
        ..config()
    };
    let script = Script::new("IMAP4rev1 AUTH=PLAIN")
        .then("AUTHENTICATE PLAIN", "+ \r\n")
        .then("AMOkbGljZQBww6Q=", "% OK\r\n");
    script.connect_with(&other).await.unwrap();
    let broken = ImapConfig {
        auth: Auth::Password {
            login: "a\r\nb".into(),
            password: "p".to_owned().into(),
        },
        ..config()
    };
    assert_eq!(
        Script::new(CAPABILITIES)
            .connect_with(&broken)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Invalid
    );
}

#[test]
fn the_library_cannot_log_a_password() {
    // async-imap logs every command at trace level.
    assert!(log::STATIC_MAX_LEVEL < log::LevelFilter::Trace);
}
