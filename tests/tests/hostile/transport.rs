//! No password leaves in the clear.

use std::sync::Arc;

use test_servers::ScriptedImap;

use crate::support::{
    Heard, alive, assert_no_password, clear, gateway, heard, recording, sign_in, start_tls,
};

/// T01.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_the_answer_to_starttls_end_the_connection() {
    let gateway = gateway().await;
    let record = Heard::default();
    let told = Arc::clone(&record);
    let server = ScriptedImap::start(move |mut stream| {
        let record = Arc::clone(&record);
        async move {
            let command = stream.greet_until("IMAP4rev1 STARTTLS", "STARTTLS").await?;
            let answer = format!("{} OK go\r\n* OK [CAPABILITY IMAP4rev1] x\r\n", command.tag);
            stream.send(answer).await?;
            let mut stream = stream.start_tls().await?;
            loop {
                let command = stream.read_command().await?;
                record.lock().expect("not poisoned").push_str(&command.line);
                stream.answer("IMAP4rev1", &command).await?;
            }
        }
    });
    let server = server.await.expect("a server");
    let answer = sign_in(&gateway, &start_tls(&server), true).await;
    assert_eq!(answer.status, 503, "{}", answer.told());
    assert!(server.connections() > 0);
    assert_no_password(&heard(&told));
    alive(&gateway).await;
}

/// T02.
#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_sent_in_the_clear_whatever_the_server_claims() {
    let gateway = gateway().await;
    for (greeting, capabilities) in [
        ("* PREAUTH [CAPABILITY IMAP4rev1] in already", "IMAP4rev1"),
        ("* OK ready", "IMAP4rev1"),
        ("* OK ready", "IMAP4rev1 LOGINDISABLED"),
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready", "IMAP4rev1"),
    ] {
        let (server, told) = recording(greeting, capabilities).await;
        let answer = sign_in(&gateway, &start_tls(&server), true).await;
        assert_eq!(answer.status, 503, "{greeting}: {}", answer.told());
        assert!(server.connections() > 0, "{greeting}");
        assert_no_password(&heard(&told));
    }
    let (server, told) = recording("* OK ready", "IMAP4rev1 LOGINDISABLED").await;
    let answer = sign_in(&gateway, &clear(&server), false).await;
    assert_ne!(answer.status, 200, "{}", answer.told());
    assert_no_password(&heard(&told));
    alive(&gateway).await;
}
