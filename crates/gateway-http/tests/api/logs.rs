use std::{cell::RefCell, io, sync::Once};

use tracing::level_filters::LevelFilter;

use crate::{
    mail::{new_mail, plain},
    support::{Api, CLIENT, PASSWORD},
};

thread_local! {
    /// What this thread logged, once somebody wants to know.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes to the log of the thread. One for the process: what is logged at all is decided once for
/// each place in the code, whatever thread comes by first.
struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| {
            if let Some(log) = log {
                log.extend_from_slice(octets);
            }
        });
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Turns the log on, in every test before its first request.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(|| ThreadLog)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

#[tokio::test]
async fn a_request_is_logged_by_its_route_and_without_what_it_holds() {
    LOG.set(Some(Vec::new()));
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let id = account.newest().await;
    account.get(format!("/v1/email/messages/{id}")).await;
    account.get("/v1/email/messages?q=subject:wh1sper").await;
    account
        .call("GET", "/v1/email/messages?q=after:wh1sper")
        .send()
        .await;
    let failed = account
        .call("GET", "/v1/email/messages/wh1sper")
        .send()
        .await;
    let token = account.call("GET", "/v1/email/sync/updated?deltaToken=wh1sper");
    token.header("cookie", "wh1sper").send().await;
    let log = String::from_utf8(LOG.take().unwrap()).unwrap();
    assert!(log.contains("/v1/email/messages/{messageId}"), "{log}");
    assert!(log.contains(failed.header("x-request-id")), "{log}");
    let token = account.token.as_str();
    for secret in [
        CLIENT.1,
        PASSWORD,
        token,
        "wh1sper",
        "authorization",
        "Letter 1",
    ] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
    let ours = log.lines().filter(|line| line.contains("gateway_http"));
    for line in ours {
        assert!(!line.contains(&id), "{line}");
    }
}
