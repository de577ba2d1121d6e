//! Accounts and mailboxes that must not mix.

use polypost_tests::Call;

use crate::world::{Account, World, error_of};

const ANN: &str = "ann@gmail.example";
const BOB: &str = "bob@gmail.example";

#[tokio::test]
async fn s24_an_account_is_renewed_by_its_own_mailbox_alone() {
    let world = World::new().await;
    world.user(ANN);
    let bob = world.user(BOB);
    world.receive(&bob, "of-bob");
    let account = world.connected(ANN).await;
    let id = account.id.to_string();

    world
        .oauth
        .set(|settings| settings.sign_in_as = Some(BOB.to_owned()));
    let end = world.signed_in(&[("accountId", &id)]).await;
    assert_eq!(error_of(&end), "account_mismatch");
    assert_eq!(account.view().await["email"], ANN);
    assert_eq!(account.subjects().await, ["hello"]);
    let page = world
        .replica
        .application()
        .call(Call::get("/v1/am/accounts"))
        .await
        .unwrap();
    assert_eq!(page.json["totalSize"], 1, "nothing else is saved");

    world
        .oauth
        .set(|settings| settings.sign_in_as = Some(ANN.to_owned()));
    let renewed = world.connected_with(&[("accountId", &id)]).await;
    assert_eq!(renewed.id, account.id);
}

#[tokio::test]
async fn s24_another_mailbox_is_another_account_and_the_same_one_is_not() {
    let world = World::new().await;
    world.user(ANN);
    world.user(BOB);
    let ann = world.connected(ANN).await;
    let bob = world.connected(BOB).await;
    let again = world.connected(ANN).await;
    assert_ne!(ann.id, bob.id);
    assert_eq!(ann.id, again.id);
    let other = world
        .connected_with(&[("loginHint", ANN), ("recycle", "false")])
        .await;
    assert!(![ann.id, bob.id].contains(&other.id));
    // older tokens stay good
    assert_eq!(ann.get("/v1/account").await.status, 200);
}

#[tokio::test]
async fn s24_a_mailbox_is_the_same_whatever_its_token_tells() {
    let world = World::new().await;
    world.user(ANN);
    let ids = async |account: &Account| {
        let list = account.get("/v1/email/messages").await;
        list.records()[0]["id"].as_str().unwrap().to_owned()
    };
    // No `openid`: the token tells no subject.
    let issued = world.oauth.issue(
        crate::world::AT_PROVIDER.0,
        ANN,
        &["https://mail.google.com/"],
    );
    let body = serde_json::json!({
        "serviceType": "Google", "active": true, "authString2": issued.refresh_token,
    });
    let saved = Call::post("/v1/am/accounts").json(body.clone());
    let saved = world.replica.application().call(saved).await.unwrap();
    let untold = Account::of(&saved, &world.replica);
    let before = ids(&untold).await;
    let told = world.connected(ANN).await;
    assert_eq!((told.id, ids(&told).await), (untold.id, before.clone()));
    let id = told.id.to_string();
    let renewed = world.connected_with(&[("accountId", &id)]).await;
    assert_eq!(renewed.id, told.id);
    let again = Call::post("/v1/am/accounts").json(body);
    let again = world.replica.application().call(again).await.unwrap();
    let again = Account::of(&again, &world.replica);
    assert_eq!((again.id, ids(&again).await), (told.id, before));
}

#[tokio::test]
async fn s24_credentials_of_another_mailbox_start_a_new_journal() {
    let world = World::new().await;
    world.user(ANN);
    let bob = world.user(BOB);
    world.receive(&bob, "of-bob");
    let account = world.connected(ANN).await;
    let sync = Call::post("/v1/email/sync").query("awaitReady", true);
    let started = account.api.call(sync).await.unwrap();
    let token = started.json["syncUpdatedToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let issued = world.oauth.issue(
        crate::world::AT_PROVIDER.0,
        BOB,
        &["https://mail.google.com/", "openid", "email"],
    );
    let body = serde_json::json!({
        "serviceType": "Google", "active": true, "clientOrgId": "org", "authString2": issued.refresh_token,
    });
    // proposed by something else than the mailbox
    let first = serde_json::json!({
        "serviceType": "Google", "active": true, "clientOrgId": "org",
        "authString2": world.oauth.issue(crate::world::AT_PROVIDER.0, ANN, &["https://mail.google.com/", "openid", "email"]).refresh_token,
    });
    let save = |body| {
        Call::post("/v1/am/accounts")
            .query("recycleKeys", "email")
            .json(body)
    };
    let same = world.replica.application().call(save(first)).await.unwrap();
    assert_eq!(Account::of(&same, &world.replica).id, account.id);
    let by_org = |body| {
        Call::post("/v1/am/accounts")
            .query("recycleKeys", "clientOrgId")
            .json(body)
    };
    let other = world
        .replica
        .application()
        .call(by_org(body))
        .await
        .unwrap();
    let other = Account::of(&other, &world.replica);
    assert_eq!(other.id, account.id);
    let walk = Call::get("/v1/email/sync/updated").query("deltaToken", &token);
    let expired = other.api.call(walk).await.unwrap();
    assert_eq!((expired.status, expired.code()), (410, "syncToken.expired"));
    assert!(other.subjects().await.contains(&"of-bob".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s24_another_process_never_reads_the_new_mailbox_with_the_old_ones_token() {
    let world = World::on(
        polypost_tests::StoreKind::Postgres,
        polypost::providers::registry(),
    )
    .await;
    world.user(ANN);
    let bob = world.user(BOB);
    world.receive(&bob, "of-bob");
    let other = world.another().await;
    let here = world
        .connected_with(&[("loginHint", ANN), ("clientOrgId", "org")])
        .await;
    let there = Account {
        api: other.with_token(&here.token),
        ..here.clone()
    };
    assert_eq!(there.subjects().await, ["hello"]);
    let scopes = ["https://mail.google.com/", "openid", "email"];
    let issued = world.oauth.issue(crate::world::AT_PROVIDER.0, BOB, &scopes);
    let body = serde_json::json!({
        "serviceType": "Google", "active": true, "clientOrgId": "org",
        "authString1": issued.access_token, "authString2": issued.refresh_token,
    });
    let by_org = Call::post("/v1/am/accounts")
        .query("recycleKeys", "clientOrgId")
        .json(body);
    let saved = world.replica.application().call(by_org).await.unwrap();
    assert_eq!(Account::of(&saved, &world.replica).id, here.id);
    for account in [&there, &here] {
        let subjects = account.subjects().await;
        assert!(subjects.contains(&"of-bob".to_owned()), "{subjects:?}");
    }
    other.stop().await;
}

#[tokio::test]
async fn a04_what_one_account_was_given_names_nothing_in_another() {
    let world = World::new().await;
    let ann = world.user(ANN);
    world.user(BOB);
    for number in 0..4 {
        world.receive(&ann, &format!("more-{number}"));
    }
    let (ann, bob) = (world.connected(ANN).await, world.connected(BOB).await);
    let list = Call::get("/v1/email/messages").query("limit", 1);
    let page = ann.api.call(list).await.unwrap();
    let message = page.records()[0]["id"].as_str().unwrap().to_owned();
    let thread = page.records()[0]["threadId"].as_str().unwrap().to_owned();
    let list_token = page.json["nextPageToken"].as_str().unwrap().to_owned();
    let single = Call::get("/v1/email/messages/{messageId}").with("messageId", &message);
    let single = ann.api.call(single).await.unwrap();
    let attachment = single.json["attachments"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut walks = Vec::new();
    for account in [&ann, &bob] {
        let start = Call::post("/v1/email/sync").query("awaitReady", true);
        walks.push(account.api.call(start).await.unwrap());
    }
    let delta = walks[0].json["syncUpdatedToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let walk = Call::get("/v1/email/sync/updated")
        .query("deltaToken", &delta)
        .query("limit", 1);
    let walked = ann.api.call(walk).await.unwrap();
    let sync_page = walked.json["nextPageToken"].as_str().unwrap().to_owned();

    let refusals: [(Call, u16); 8] = [
        (
            Call::get("/v1/email/messages/{messageId}").with("messageId", &message),
            404,
        ),
        (
            Call::get("/v1/email/messages/{messageId}/raw").with("messageId", &message),
            404,
        ),
        (
            Call::get("/v1/email/messages/{messageId}/attachments/{attachmentId}")
                .with("messageId", &message)
                .with("attachmentId", &attachment),
            404,
        ),
        (
            Call::post("/v1/email/messages/{messageId}/status")
                .with("messageId", &message)
                .json(serde_json::json!({ "unread": false })),
            404,
        ),
        (
            Call::get("/v1/email/conversations/{threadId}").with("threadId", &thread),
            404,
        ),
        (
            Call::get("/v1/email/messages").query("pageToken", &list_token),
            400,
        ),
        (
            Call::get("/v1/email/sync/updated").query("deltaToken", &delta),
            410,
        ),
        (
            Call::get("/v1/email/sync/updated").query("pageToken", &sync_page),
            410,
        ),
    ];
    for (call, status) in refusals {
        let own = ann.api.call(call.clone()).await.unwrap();
        assert_eq!(own.status, 200, "{}", own.told());
        let foreign = bob.api.call(call).await.unwrap();
        assert_eq!(foreign.status, status, "{}", foreign.told());
    }
    // nor does an application reach another one's account by its number
    let view = Call::get("/v1/am/accounts/{id}").with("id", ann.id);
    let foreign = world.replica.other().call(view).await.unwrap();
    assert_eq!(foreign.status, 404);
}
