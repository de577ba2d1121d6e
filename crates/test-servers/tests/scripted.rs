//! A scripted server is polite as far as the script asks, and hostile from there.

use std::time::Duration;

use test_servers::{RawImap, ScriptedImap};

const CAPABILITIES: &str = "IMAP4rev1 IDLE";

#[tokio::test]
async fn a_polite_script_serves_a_session() {
    let server = ScriptedImap::start_with_tls(|mut stream| async move {
        let append = stream.greet_until(CAPABILITIES, "APPEND").await?;
        anyhow::ensure!(append.line.contains("a literal{3}"), "{append:?}");
        stream.ok(&append).await?;
        let logout = stream.expect_command("LOGOUT").await?;
        stream.answer(CAPABILITIES, &logout).await
    })
    .await
    .unwrap();
    let mut client = RawImap::connect_tls(server.port(), server.certificate())
        .await
        .unwrap();
    client.authenticate("anyone", "any").await.unwrap();
    assert!(client.advertises("IDLE"));
    assert_eq!(client.select("INBOX").await.unwrap().uid_validity, 1);
    client
        .append("INBOX", b"a literal{3}", &[], None)
        .await
        .unwrap();
    client.logout().await.unwrap();
    assert_eq!(server.failures(), Vec::<String>::new());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_close_in_the_middle_is_an_error_and_not_an_empty_answer() {
    let server = ScriptedImap::start(|mut stream| async move {
        stream.greet_until(CAPABILITIES, "UID SEARCH").await?;
        stream.send("* SEARCH 1 2").await?;
        stream.close().await
    })
    .await
    .unwrap();
    let mut client = RawImap::login(server.port(), "anyone").await.unwrap();
    let end = client.uid_search("ALL").await.unwrap_err();
    assert!(end.to_string().contains("closed the connection"), "{end}");
}

#[tokio::test]
async fn hostile_steps_run_until_the_client_hangs_up() {
    let server = ScriptedImap::start(|mut stream| async move {
        let command = stream.greet_until(CAPABILITIES, "NOOP").await?;
        match command.line.as_str() {
            "NOOP line" => stream.endless_line(b'x', u64::MAX).await.map(drop),
            "NOOP literal" => stream
                .literal("* 1 FETCH (BODY[] ", 1 << 40, u64::MAX)
                .await
                .map(drop),
            "NOOP garbage" => stream.garbage(7, 100_000).await,
            "NOOP drip" => {
                stream
                    .drip("* OK slowly\r\n", Duration::from_millis(1))
                    .await
            }
            _ => stream.stall().await,
        }
    })
    .await
    .unwrap();
    for step in ["line", "literal", "garbage", "drip", "stall"] {
        let mut client = RawImap::login(server.port(), "anyone").await.unwrap();
        client
            .send(format!("x NOOP {step}\r\n").as_bytes())
            .await
            .unwrap();
        client.set_patience(Duration::from_millis(100));
        if step == "drip" {
            assert_eq!(client.read_response().await.unwrap(), b"* OK slowly");
        }
    }
    assert_eq!(server.connections(), 5);
}
