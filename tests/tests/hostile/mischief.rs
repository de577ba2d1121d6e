//! Servers that send what no server sends.

use std::time::{Duration, Instant};

use polypost_tests::{Auth, Call};
use test_servers::{ScriptedImap, ScriptedStream};

use crate::support::{USUAL, alive, clear, gateway, sign_in};

#[derive(Clone, Copy, Debug)]
enum Mischief {
    EndlessLine,
    HugeLiteral,
    Depth,
    ForeignData,
    Garbage,
}

impl Mischief {
    async fn happen(self, stream: &mut ScriptedStream) -> anyhow::Result<()> {
        match self {
            Self::EndlessLine => {
                stream.send("* LIST () \"/\" ").await?;
                stream.endless_line(b'a', 64 << 20).await?;
            }
            Self::HugeLiteral => {
                let start = "* LIST () \"/\" ";
                stream.literal(start, 4_294_967_295, 64 << 20).await?;
            }
            Self::Depth => {
                let deep = "(".repeat(1_000_000);
                stream.line(&format!("* LIST {deep}")).await?;
            }
            Self::ForeignData => {
                for line in [
                    "* 9 FETCH (UID 9 FLAGS (\\Seen))",
                    "* 4294967295 EXPUNGE",
                    "* VANISHED 1:4294967295",
                    "* STATUS other (MESSAGES 99)",
                    "* BYE not really",
                    "* OK [REFERRAL imap://elsewhere/] go there",
                    "* NO [ALERT] <script>alert(1)</script>",
                ] {
                    stream.line(line).await?;
                }
            }
            Self::Garbage => stream.garbage(7, 1 << 20).await?,
        }
        Ok(())
    }
}

async fn survives(mischief: Mischief) {
    let gateway = gateway().await;
    let server = ScriptedImap::start(move |mut stream| async move {
        let mut command = stream.greet_until(USUAL, "LIST").await?;
        loop {
            mischief.happen(&mut stream).await?;
            stream.answer(USUAL, &command).await?;
            command = stream.serve_until(USUAL, "LIST").await?;
        }
    });
    let server = server.await.expect("a server");
    let start = Instant::now();
    let answer = sign_in(&gateway, &clear(&server), false).await;
    assert!(
        matches!(answer.status, 200 | 502 | 503),
        "{}",
        answer.told()
    );
    if let Some(token) = answer.json["accessToken"].as_str() {
        let api = gateway.application();
        let api = api.signed_in(Auth::Bearer(token.to_owned()));
        let answer = api.call(Call::get("/v1/email/folders")).await;
        let answer = answer.expect("an answer");
        assert!(
            matches!(answer.status, 200 | 502 | 503),
            "{}",
            answer.told()
        );
        assert!(!answer.told().contains("<script>"), "{}", answer.told());
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{mischief:?}");
    alive(&gateway).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_line_is_cut_off() {
    survives(Mischief::EndlessLine).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn a_huge_literal_is_refused() {
    survives(Mischief::HugeLiteral).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn a_million_parentheses_are_survived() {
    survives(Mischief::Depth).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn data_of_other_mailboxes_is_passed_over() {
    survives(Mischief::ForeignData).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_survived() {
    survives(Mischief::Garbage).await;
}

/// T06. The one test that takes longer than the rest: the wait for a greeting is 16 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_given_up() {
    let gateway = gateway().await;
    let server = ScriptedImap::start(|mut stream| async move { stream.stall().await });
    let server = server.await.expect("a server");
    let url = clear(&server);
    let waiting = sign_in(&gateway, &url, false);
    let waiting = tokio::time::timeout(Duration::from_secs(20), waiting);
    let answer = waiting.await.expect("an answer in time");
    assert!(matches!(answer.status, 408 | 503), "{}", answer.told());
    alive(&gateway).await;
}
