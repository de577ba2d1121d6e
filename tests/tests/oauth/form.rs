//! The form for a password, as any browser sends it.

use polypost_tests::Call;
use test_servers::{Dialect, Dovecot, PASSWORD, free_port};
use url::Url;

use crate::browser::{Browser, Page, parameter};
use crate::world::{Account, RETURN_URL, World, code_of, error_of};

async fn dovecot() -> &'static Dovecot {
    Dovecot::shared(Dialect::Qresync).await.unwrap()
}

fn server_url(port: u16) -> String {
    format!("imap://127.0.0.1:{port}?security=none")
}

/// A browser at the form, and the sign-in's state.
async fn at_form(world: &World, parameters: &[(&str, &str)]) -> (Browser, Url, Page) {
    let mut browser = Browser::new();
    let mut all = vec![("serviceType", "IMAP")];
    all.extend_from_slice(parameters);
    let form = browser.get(world.authorize_url(&all)).await.location();
    assert!(form.as_str().starts_with(&world.replica.base), "{form}");
    let page = browser.get(&form).await;
    (browser, form, page)
}

fn fields<'a>(
    form: &Url,
    email: &'a str,
    password: &'a str,
    server: &'a str,
) -> Vec<(&'static str, String)> {
    vec![
        ("state", parameter(form, "state").unwrap()),
        ("email", email.to_owned()),
        ("password", password.to_owned()),
        ("serverUrl", server.to_owned()),
        ("action", "sign-in".to_owned()),
    ]
}

async fn submit(browser: &mut Browser, form: &Url, fields: &[(&'static str, String)]) -> Page {
    let mut url = form.clone();
    url.set_query(None);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    browser.post(url, &fields).await
}

#[tokio::test]
async fn the_form_is_a_page_that_loads_nothing_and_nobody_frames() {
    let world = World::new().await;
    let (_, form, page) = at_form(&world, &[("loginHint", "ann\"@example.org")]).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(
        page.text.contains("value=\"ann&#34;@example.org\""),
        "{}",
        page.text
    );
    assert!(page.text.contains("app.example"), "it says who asks");
    let style = form.join("sign-in.css").unwrap();
    let style = Browser::new().get(style).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_form_is_of_the_browser_that_began_and_goes_by_post_alone() {
    let world = World::new().await;
    let (mut browser, form, _) = at_form(&world, &[]).await;
    let filled_in = fields(&form, "ann@example.org", "pw", "");
    for stranger in [&mut Browser::new(), &mut at_form(&world, &[]).await.0] {
        let page = stranger.get(&form).await;
        assert_eq!(page.status, 400);
        assert!(
            page.text.contains("This sign-in has ended"),
            "{}",
            page.text
        );
        assert_eq!(submit(stranger, &form, &filled_in).await.status, 400);
    }
    let cancelled = [filled_in[0].clone(), ("action", "cancel".to_owned())];
    let page = submit(&mut browser, &form, &cancelled).await;
    assert_eq!(error_of(&page.location()), "access_denied");
    assert_eq!(submit(&mut browser, &form, &cancelled).await.status, 400);
}

#[tokio::test]
async fn a_form_is_no_callback_and_a_consent_no_form() {
    let world = World::new().await;
    let (mut browser, form, _) = at_form(&world, &[]).await;
    let state = parameter(&form, "state").unwrap();
    let callback = format!(
        "{}/v1/auth/callback?code=x&state={state}",
        world.replica.base
    );
    crate::world::assert_refused(&browser.get(callback).await, 400);
    assert_eq!(browser.get(&form).await.status, 200, "it goes on");
    let page = browser.get(world.authorize_url(&[])).await;
    let state = parameter(&page.location(), "state").unwrap();
    let form = format!("{}/v1/auth/sign-in?state={state}", world.replica.base);
    assert_eq!(browser.get(form).await.status, 400);
}

#[tokio::test]
async fn a_password_connects_a_mailbox_once_the_server_takes_it() {
    let server = dovecot().await;
    let world = World::with(|config| config.limits.sign_in_ports = vec![server.imap_port()]).await;
    let user = "alice@test.local";
    let (mut browser, form, _) = at_form(&world, &[("scopes", "Mail.Read")]).await;
    let url = server_url(server.imap_port());
    let wrong = submit(&mut browser, &form, &fields(&form, user, "wr0ng", &url)).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text.contains("role=\"alert\"") && wrong.text.contains(user),
        "{}",
        wrong.text
    );
    assert!(!wrong.text.contains("wr0ng"), "a password is not sent back");
    let right = submit(&mut browser, &form, &fields(&form, user, PASSWORD, &url)).await;
    let end = right.location();
    assert!(end.as_str().starts_with(RETURN_URL), "{end}");
    let answer = world
        .exchange(&world.replica.application(), &code_of(&end))
        .await;
    let account = Account::of(&answer, &world.replica);
    assert_eq!(account.get("/v1/email/messages").await.status, 200);
    assert_eq!(
        account.view().await["authScopes"],
        serde_json::json!(["Mail.Read"])
    );
    // the sign-in is over
    assert_eq!(browser.get(&form).await.status, 400);

    // the same mailbox is the same account; another one is not let in for it
    let id = account.id.to_string();
    let (mut browser, form, _) = at_form(&world, &[("accountId", &id)]).await;
    let bob = fields(&form, "bob@test.local", PASSWORD, &url);
    let end = submit(&mut browser, &form, &bob).await.location();
    assert_eq!(error_of(&end), "account_mismatch");
    let (mut browser, form, _) = at_form(&world, &[]).await;
    let again = fields(&form, user, PASSWORD, &url);
    let end = submit(&mut browser, &form, &again).await.location();
    let answer = world
        .exchange(&world.replica.application(), &code_of(&end))
        .await;
    assert_eq!(Account::of(&answer, &world.replica).id, account.id);
}

#[tokio::test]
async fn a_fixed_address_is_not_the_browsers_to_choose() {
    let server = dovecot().await;
    let world = World::with(|config| config.limits.sign_in_ports = vec![server.imap_port()]).await;
    let (mut browser, form, page) = at_form(&world, &[("authEmail", "alice@test.local")]).await;
    assert!(page.text.contains("readonly"));
    let url = server_url(server.imap_port());
    let bob = fields(&form, "bob@test.local", PASSWORD, &url);
    let end = submit(&mut browser, &form, &bob).await.location();
    let answer = world
        .exchange(&world.replica.application(), &code_of(&end))
        .await;
    let account = Account::of(&answer, &world.replica);
    assert_eq!(account.view().await["email"], "alice@test.local");
}

#[tokio::test]
async fn a13_the_form_looks_at_the_ports_of_mail_alone() {
    let world = World::new().await;
    let (mut browser, form, _) = at_form(&world, &[]).await;
    for server in [
        "127.0.0.1:22",
        "imaps://127.0.0.1:8080",
        "imap://127.0.0.1:5432?security=none",
    ] {
        let filled_in = fields(&form, "ann@example.org", "pw", server);
        let page = submit(&mut browser, &form, &filled_in).await;
        assert_eq!(page.status, 422, "{server}");
        assert!(page.text.contains("ports"), "{}", page.text);
    }
}

#[tokio::test]
async fn a13_passwords_are_not_sprayed_through_the_form() {
    let port = free_port().unwrap();
    let world = World::with(|config| config.limits.sign_in_ports = vec![port]).await;
    let (mut browser, form, _) = at_form(&world, &[]).await;
    let url = server_url(port);
    let mut statuses = Vec::new();
    for number in 0..25 {
        let filled_in = fields(&form, &format!("u{number}@example.org"), "pw", &url);
        statuses.push(submit(&mut browser, &form, &filled_in).await.status);
    }
    assert!(
        statuses[..20].iter().all(|status| *status == 503),
        "{statuses:?}"
    );
    assert!(
        statuses[20..].iter().all(|status| *status == 429),
        "{statuses:?}"
    );
    // the application itself is not kept from connecting
    let body = serde_json::json!({
        "serviceType": "IMAP", "active": true, "email": "ann@example.org", "password": "pw", "serverUrl": url,
    });
    let call = Call::post("/v1/am/accounts/connect").json(body);
    let answer = world.replica.application().call(call).await.unwrap();
    assert_eq!(answer.status, 503, "{}", answer.told());
}

#[tokio::test]
async fn a13_passwords_are_not_sprayed_through_the_api() {
    let world = World::new().await;
    let url = server_url(free_port().unwrap());
    let connect = |user: String, server: String| {
        let body = serde_json::json!({
            "serviceType": "IMAP", "active": true, "email": user, "password": "pw", "serverUrl": server,
        });
        let api = world.replica.application();
        async move {
            let call = Call::post("/v1/am/accounts/connect").json(body);
            api.call(call).await.unwrap().status
        }
    };
    for number in 0..50 {
        assert_eq!(
            connect(format!("u{number}@example.org"), url.clone()).await,
            503
        );
    }
    assert_eq!(
        connect("another@example.org".to_owned(), url.clone()).await,
        429
    );
    // one login anywhere is tried five times
    let server = server_url(free_port().unwrap());
    for _ in 0..5 {
        assert_eq!(
            connect("ann@example.org".to_owned(), server.clone()).await,
            503
        );
    }
    assert_eq!(
        connect("Ann@example.org".to_owned(), server.clone()).await,
        429
    );
}
