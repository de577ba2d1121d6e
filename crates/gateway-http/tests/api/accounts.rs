use serde_json::json;

use crate::support::{Api, CLIENT, PASSWORD};

#[tokio::test]
async fn a_connected_account_is_shown_without_any_secret() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &["Mail.Read"]).await;
    let shown = account
        .get("/v1/account?pingProvider=true&includeProviderAuth=true")
        .await;
    assert_eq!(shown["id"], account.id);
    assert_eq!(shown["serviceType"], "Sample");
    assert_eq!(shown["email"], "ann@example.org");
    assert_eq!(shown["tokenStatus"], "active");
    assert_eq!(shown["authScopes"], json!(["Mail.Read"]));
    assert_eq!(shown["type"], "personal");
    assert!(shown["createdAt"].as_str().unwrap().ends_with('Z'));
    assert!(shown["capabilities"].is_object(), "{shown:#}");
    assert!(!shown.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn an_account_is_reached_with_its_token_or_by_its_application() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let header = "x-aurinko-account-id";
    let get = || api.call("GET", "/v1/account");
    let by_application = get()
        .basic(CLIENT)
        .header(header, account.id.to_string())
        .send()
        .await;
    assert_eq!(by_application.ok()["id"], account.id);
    let both = get()
        .bearer(&account.token)
        .header(header, "999")
        .send()
        .await;
    assert_eq!(both.ok()["id"], account.id);
    let nameless = get().basic(CLIENT).send().await;
    assert_eq!(nameless.failure(), (400, "badRequest".to_owned()));
    for number in ["999", "x", "-1", ""] {
        let unknown = get().basic(CLIENT).header(header, number).send().await;
        assert_eq!(unknown.failure(), (404, "notFound".to_owned()), "{number}");
    }
}

#[tokio::test]
async fn another_applications_account_does_not_exist() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    api.gateway
        .put_application("other", &"x".into(), vec![], false)
        .await
        .unwrap();
    let other = ("other", "x");
    let number = account.id.to_string();
    let seen = api.call("GET", "/v1/account").basic(other);
    let seen = seen.header("X-Aurinko-Account-Id", &number).send().await;
    assert_eq!(seen.failure().0, 404);
    let path = format!("/v1/am/accounts/{number}");
    assert_eq!(
        api.call("GET", &path).basic(other).send().await.failure().0,
        404
    );
    assert_eq!(
        api.call("DELETE", &path)
            .basic(other)
            .send()
            .await
            .failure()
            .0,
        404
    );
    let listed = api
        .call("GET", "/v1/am/accounts")
        .basic(other)
        .send()
        .await
        .ok();
    assert_eq!(
        listed,
        json!({"offset": 0, "totalSize": 0, "done": true, "records": []})
    );
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let api = Api::new().await;
    for number in 0..3 {
        api.connect(&format!("user{number}@example.org"), &[]).await;
    }
    let page = |query: &'static str| {
        api.call("GET", format!("/v1/am/accounts?{query}"))
            .basic(CLIENT)
            .send()
    };
    let first = page("limit=2").await.ok();
    assert_eq!(
        (&first["offset"], &first["totalSize"], &first["done"]),
        (&json!(0), &json!(3), &json!(false))
    );
    assert_eq!(first["records"].as_array().unwrap().len(), 2);
    let second = page("limit=2&offset=2").await.ok();
    assert_eq!(
        (&second["done"], second["records"].as_array().unwrap().len()),
        (&json!(true), 1)
    );
    assert_eq!(page("serviceType=Other").await.ok()["totalSize"], 0);
    assert_eq!(page("offset=9").await.ok()["done"], true);
    assert_eq!(page("limit=0").await.failure().0, 400);
    assert_eq!(page("subscriptionId=1").await.failure().0, 422);
}

#[tokio::test]
async fn accounts_are_listed_by_the_organisation_that_they_name() {
    let api = Api::new().await;
    for (number, organisation) in ["one", "other", "one", "one"].into_iter().enumerate() {
        let body = json!({
            "serviceType": "Sample", "active": true, "email": format!("user{number}@example.org"),
            "password": PASSWORD, "authOrgId": organisation,
        });
        let saved = api
            .call("POST", "/v1/am/accounts")
            .basic(CLIENT)
            .json(&body);
        saved.send().await.ok();
    }
    let page = |query: &'static str| {
        api.call("GET", format!("/v1/am/accounts?{query}"))
            .basic(CLIENT)
            .send()
    };
    for (query, length, total, done) in [
        ("authOrgId=one", 3, 3, true),
        ("authOrgId=one&limit=2", 2, 3, false),
        ("authOrgId=one&limit=2&offset=2", 1, 3, true),
        ("authOrgId=one&serviceType=Other", 0, 0, true),
        ("authOrgId=On", 0, 0, true),
    ] {
        let listed = page(query).await.ok();
        let records = listed["records"].as_array().unwrap();
        assert_eq!(records.len(), length, "{query}");
        assert!(records.iter().all(|one| one["authOrgId"] == "one"));
        assert_eq!(
            (&listed["totalSize"], &listed["done"]),
            (&json!(total), &json!(done)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_connection_can_be_tried_without_keeping_anything() {
    let api = Api::new().await;
    api.plugin
        .mailbox("ann@example.org")
        .require_password(Some(PASSWORD.into()));
    let attempt = |password: &str| {
        api.call("POST", "/v1/am/accounts/connect").basic(CLIENT).json(&json!({
            "serviceType": "Sample", "active": true, "email": "ann@example.org", "password": password,
        }))
    };
    assert_eq!(attempt(PASSWORD).send().await.ok(), json!({"status": "Ok"}));
    let refused = attempt("wrong-s3cret").send().await;
    assert_eq!(refused.failure(), (401, "token.refresh.failed".to_owned()));
    assert!(!refused.json().to_string().contains("s3cret"));
    let listed = api
        .call("GET", "/v1/am/accounts")
        .basic(CLIENT)
        .send()
        .await
        .ok();
    assert_eq!(listed["totalSize"], 0);
}

#[tokio::test]
async fn an_unknown_service_type_or_scope_is_refused() {
    let api = Api::new().await;
    let save = |body| {
        api.call("POST", "/v1/am/accounts")
            .basic(CLIENT)
            .json(&body)
            .send()
    };
    let unknown =
        save(json!({"serviceType": "Nothing", "active": true, "email": "a@example.org"})).await;
    assert!(unknown.status.is_client_error(), "{unknown:?}");
    let scope =
        json!({"serviceType": "Sample", "email": "a@example.org", "authScopes": ["Mail.Any"]});
    assert_eq!(save(scope).await.failure().0, 400);
    let key = api
        .call("POST", "/v1/am/accounts?recycleKeys=email,shoeSize")
        .basic(CLIENT);
    assert_eq!(key.json(&json!({})).send().await.failure().0, 400);
}

#[tokio::test]
async fn the_users_id_comes_from_the_query() {
    let api = Api::new().await;
    let call = api.call(
        "POST",
        "/v1/am/accounts?userId=u7&userAccount=primary&recycleKeys=email&recycleKeys=username",
    );
    let body = json!({"serviceType": "Sample", "active": true, "email": "a@example.org", "id": 0, "replyTo": [null]});
    api.plugin.mailbox("a@example.org");
    let saved = call.basic(CLIENT).json(&body).send().await.ok();
    assert_eq!(saved["userId"], "u7");
    assert_eq!(saved["accessToken"].as_str().unwrap().len(), 43);
}

#[tokio::test]
async fn a_token_ends_alone_or_with_all_others() {
    let api = Api::new().await;
    let first = api.connect("ann@example.org", &[]).await;
    let second = api.connect("ann@example.org", &[]).await;
    let third = api.connect("ann@example.org", &[]).await;
    assert_eq!(first.id, third.id);
    let works = async |token: &str| {
        api.call("GET", "/v1/account")
            .bearer(token)
            .send()
            .await
            .status
            == 200
    };
    first.call("DELETE", "/v1/account/token").send().await.ok();
    assert!(!works(&first.token).await);
    assert!(works(&second.token).await && works(&third.token).await);
    let call = api.call("DELETE", "/v1/account/token").basic(CLIENT);
    call.header("X-Aurinko-Account-Id", first.id.to_string())
        .send()
        .await
        .ok();
    assert!(!works(&second.token).await && !works(&third.token).await);
}

#[tokio::test]
async fn a_deleted_account_is_gone() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.call("DELETE", "/v1/account").send().await.ok();
    assert_eq!(
        account.call("GET", "/v1/account").send().await.failure().0,
        401
    );
    let path = format!("/v1/am/accounts/{}", account.id);
    assert_eq!(
        api.call("GET", &path)
            .basic(CLIENT)
            .send()
            .await
            .failure()
            .0,
        404
    );
    let again = api.connect("ann@example.org", &[]).await;
    let path = format!("/v1/am/accounts/{}", again.id);
    assert_eq!(
        api.call("GET", &path).basic(CLIENT).send().await.ok()["id"],
        again.id
    );
    api.call("DELETE", &path).basic(CLIENT).send().await.ok();
    assert_eq!(
        api.call("GET", &path)
            .basic(CLIENT)
            .send()
            .await
            .failure()
            .0,
        404
    );
}

#[tokio::test]
async fn an_account_that_is_not_active_can_be_looked_at_but_its_mail_not() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let started = account
        .call("POST", "/v1/email/sync?awaitReady=true")
        .send()
        .await
        .ok();
    let token = started["syncUpdatedToken"].as_str().unwrap();
    let body = json!({"serviceType": "Sample", "active": false, "email": "ann@example.org", "password": PASSWORD});
    api.call("POST", "/v1/am/accounts")
        .basic(CLIENT)
        .json(&body)
        .send()
        .await
        .ok();
    assert_eq!(account.get("/v1/account").await["active"], false);
    for path in [
        "/v1/email/messages",
        "/v1/email/folders",
        &format!("/v1/email/sync/updated?deltaToken={token}"),
    ] {
        let answer = account.call("GET", path).send().await;
        assert_eq!(answer.failure(), (403, "forbidden".to_owned()), "{path}");
    }
}
