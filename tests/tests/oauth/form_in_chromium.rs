//! The form as people see it, in a real browser and against a real mail server.

use axum::Router;
use test_servers::{Chromium, Dialect, Dovecot, PASSWORD};
use tokio::net::TcpListener;
use url::Url;

use crate::webdriver::Session;
use crate::world::{Account, World, code_of};

const USER: &str = "carol@test.local";

/// An application that browsers return to.
async fn application() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(|| async { "welcome back" });
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("{base}/return")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_given_in_a_browser_and_the_mailbox_is_connected() {
    let server = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let chromium = Chromium::start().await.unwrap();
    let return_url = application().await;
    let world = World::with(|config| {
        config.return_urls.push(return_url.clone());
        config.limits.sign_in_ports = vec![server.imap_port()];
    })
    .await;
    let mut imap = server.client(USER).await.unwrap();
    let mail = "From: bob@example.org\r\nSubject: in the browser\r\nMessage-ID: <b@example.org>\r\n\r\nHi.\r\n";
    imap.append("INBOX", mail.as_bytes(), &[], None)
        .await
        .unwrap();

    let window = Session::open(&chromium, "form").await;
    let begin = world.authorize_url(&[("serviceType", "IMAP"), ("returnUrl", &return_url)]);
    window.go(begin.as_str()).await;
    assert_eq!(window.text("h1").await, "Connect your mailbox");
    // narrow: nothing stands out, everything is large enough for a finger
    window.set_width(320).await;
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
    assert_eq!(window.run(overflow).await, 0);
    let small = "return [...document.querySelectorAll('input:not([type=hidden]),button')]
        .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 44).length";
    assert_eq!(window.run(small).await, 0);
    let unlabelled = "return [...document.querySelectorAll('input:not([type=hidden])')]
        .filter(e => !e.labels.length).length";
    assert_eq!(window.run(unlabelled).await, 0);

    window.type_into("#email", USER).await;
    window.type_into("#password", "not this one").await;
    window.click("summary").await;
    let imap_url = format!("imap://127.0.0.1:{}?security=none", server.imap_port());
    window.type_into("#serverUrl", &imap_url).await;
    window.click("button[value=sign-in]").await;
    let problem = window.text("[role=alert]").await;
    assert!(problem.contains("The sign-in was refused"), "{problem}");
    let focused = "return document.activeElement.id";
    assert_eq!(window.run_until(focused, "problem").await, "problem");
    let kept = "return [email.value, password.value, serverUrl.value]";
    assert_eq!(
        window.run(kept).await,
        serde_json::json!([USER, "", imap_url])
    );

    window.type_into("#password", PASSWORD).await;
    window.click("button[value=sign-in]").await;
    let end: Url = window.location(&return_url).await.parse().unwrap();
    assert!(end.as_str().starts_with(&return_url), "{end}");
    window.close().await;

    let answer = world
        .exchange(&world.replica.application(), &code_of(&end))
        .await;
    let account = Account::of(&answer, &world.replica);
    assert!(
        account
            .subjects()
            .await
            .contains(&"in the browser".to_owned())
    );
}
