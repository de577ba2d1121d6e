//! Deltas of messages.

use std::slice::from_ref;

use fake_graph::{Expiry, Lag, When};
use serde_json::Value;

use crate::support::{ALICE, Api, HOUR_MS, NOON_MS, ids, mail, removed, subjects, text};

const INBOX: &str = "/me/mailFolders/inbox/messages/delta?$select=subject,isRead";

#[tokio::test]
async fn a_first_round_gives_all_and_the_next_ones_what_changed() {
    let api = Api::start().await;
    let made: Vec<String> = (0..25)
        .map(|n| api.append(&format!("m{n}"), "inbox"))
        .collect();
    let page = api.get(INBOX).await;
    assert_eq!(page["value"].as_array().unwrap().len(), 10);
    assert!(text(&page["@odata.nextLink"]).starts_with(&api.graph.url()));
    let (items, link) = api.round(INBOX).await;
    assert_eq!(items.len(), 25);
    assert!(items[0].get("body").is_none() && items[0]["isRead"] == false);
    assert_eq!(api.round(&link).await.0, Vec::<Value>::new());
    api.alice.set_read(&made[3], true);
    api.alice.move_to(&made[4], "archive");
    api.alice.delete_permanently(&made[5]);
    let new = api.alice.deliver(&mail("new"));
    let (items, next) = api.round(&link).await;
    assert_eq!(items.len(), 4);
    assert_eq!(removed(&items), [made[4].clone(), made[5].clone()]);
    assert!(ids(&items).contains(&new) && ids(&items).contains(&made[3]));
    assert!(api.round(&next).await.0.is_empty());
    assert_eq!(
        api.round(&link).await.0.len(),
        4,
        "a link may be followed again"
    );
    api.assert_no_violations();
}

#[tokio::test]
async fn pages_are_as_large_as_each_request_prefers() {
    let api = Api::start().await;
    for n in 0..7 {
        api.append(&format!("m{n}"), "inbox");
    }
    let sized = |path: &str, size: u8| {
        api.request(reqwest::Method::GET, path)
            .header("prefer", format!("odata.maxpagesize={size}"))
    };
    let first = api.send(sized(INBOX, 3)).await;
    assert_eq!(first.body["value"].as_array().unwrap().len(), 3);
    assert_eq!(
        first.headers["preference-applied"],
        "IdType=\"ImmutableId\", odata.maxpagesize=3"
    );
    let second = api
        .send(sized(text(&first.body["@odata.nextLink"]), 1))
        .await;
    assert_eq!(second.body["value"].as_array().unwrap().len(), 1);
    let last = api.get(text(&second.body["@odata.nextLink"])).await;
    assert_eq!(last["value"].as_array().unwrap().len(), 3);
    assert!(last["@odata.deltaLink"].is_string());
    api.assert_no_violations();
}

#[tokio::test]
async fn with_ids_that_change_a_message_that_comes_back_is_another() {
    let mut api = Api::start().await;
    api.graph
        .settings(|settings| settings.immutable_ids_required = false);
    api.immutable = false;
    let id = api.append("x", "inbox");
    let (items, link) = api.round(INBOX).await;
    let before = api.alice.message(&id).unwrap().mutable_id;
    assert_eq!(ids(&items), from_ref(&before));
    api.alice.move_to(&id, "archive");
    api.alice.move_to(&id, "inbox");
    let after = api.alice.message(&id).unwrap().mutable_id;
    let (items, _) = api.round(&link).await;
    assert_eq!(removed(&items), from_ref(&before));
    assert!(ids(&items).contains(&after) && before != after);
    assert_eq!(
        api.try_get(&format!("/me/messages/{before}")).await.status,
        404
    );
    assert_eq!(
        api.get(&format!("/me/messages/{id}?$select=id")).await["id"],
        after
    );
    api.immutable = true;
    let (items, _) = api.round(&link).await;
    assert_eq!(ids(&items), [id], "links work with both kinds of ids");
}

#[tokio::test]
async fn changes_of_one_kind_come_with_what_no_filter_holds_back() {
    let api = Api::start().await;
    let [a, b, c] = ["a", "b", "c"].map(|subject| api.append(subject, "inbox"));
    let (_, link) = api.round(&format!("{INBOX}&changeType=created")).await;
    api.alice.set_categories(&a, &["Red"]);
    api.alice.set_read(&b, true);
    api.alice.delete_permanently(&c);
    let new = api.append("new", "inbox");
    let (items, _) = api.round(&link).await;
    assert_eq!(ids(&items), [b, c.clone(), new]);
    assert_eq!(removed(&items), [c]);
}

#[tokio::test]
async fn a_filter_is_by_the_time_of_reception_and_ends_at_five_thousand() {
    let api = Api::start().await;
    api.graph.settings(|settings| settings.filtered_delta = 3);
    for hours in 0..6 {
        api.alice.append(
            &mail(&format!("m{hours}")),
            "inbox",
            NOON_MS + hours * HOUR_MS,
        );
    }
    let path = "/me/mailFolders/inbox/messages/delta?$select=subject&$filter=receivedDateTime ge 2024-03-01T14:00:00Z&$orderby=receivedDateTime desc";
    let (items, _) = api.round(path).await;
    assert_eq!(subjects(&items), ["m5", "m4", "m3"]);
    api.assert_no_violations();
    for wrong in [
        "$filter=isRead eq false",
        "$filter=receivedDateTime lt 2024-03-01T14:00:00Z",
        "$orderby=receivedDateTime",
        "$search=\"x\"",
        "$skip=3",
        "$count=true",
        "changeType=renamed",
        "$select=nothing",
    ] {
        let reply = api
            .try_get(&format!("/me/mailFolders/inbox/messages/delta?{wrong}"))
            .await;
        assert_eq!(reply.status, 400, "{wrong}");
    }
    assert_eq!(api.problems().len(), 8);
}

#[tokio::test]
async fn tokens_end_at_the_start_and_in_the_middle_of_a_round() {
    let api = Api::start().await;
    for n in 0..15 {
        api.append(&format!("m{n}"), "inbox");
    }
    let (_, link) = api.round(INBOX).await;
    api.graph
        .faults(|faults| faults.expired_deltas = When::once());
    let gone = api.try_get(&link).await;
    assert_eq!((gone.status, gone.code()), (410, "syncStateNotFound"));
    let location = gone.headers["location"].to_str().unwrap();
    let (items, fresh) = api.round(location).await;
    assert_eq!(items.len(), 15);
    assert!(items[0].get("body").is_none(), "the options go on");
    assert_eq!(api.try_get(&link).await.status, 410, "gone is gone");
    assert!(api.round(&fresh).await.0.is_empty());
    api.graph.faults(|faults| {
        faults.expired_walks = When::once();
        faults.expiry = Expiry::SyncStateNotFound;
    });
    let page = api.get(INBOX).await;
    let next = text(&page["@odata.nextLink"]);
    assert_eq!(api.try_get(next).await.code(), "SyncStateNotFound");
    api.alice.expire_deltas();
    assert_eq!(api.try_get(&fresh).await.status, 400);
    assert_eq!(api.round(INBOX).await.0.len(), 15);
    api.assert_no_violations();
}

#[tokio::test]
async fn links_are_followed_as_they_are() {
    let api = Api::start().await;
    let (_, link) = api.round(INBOX).await;
    for wrong in [
        format!("{link}&$select=id"),
        link.replace("/inbox/", "/archive/"),
        link.replace("$deltatoken", "$skiptoken"),
        format!("{link}x"),
    ] {
        assert_eq!(api.try_get(&wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(api.problems().len(), 4);
}

#[tokio::test]
async fn items_stand_twice_in_a_round_and_changes_come_again() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let (_, link) = api.round(INBOX).await;
    api.graph.faults(|faults| faults.duplicates = When::Always);
    api.alice.set_categories(&id, &["Red"]);
    let (items, next) = api.round(&link).await;
    assert_eq!(ids(&items), [id.clone(), id.clone()]);
    api.graph.faults(|faults| {
        faults.duplicates = When::Never;
        faults.replays = When::once();
    });
    assert_eq!(ids(&api.round(&next).await.0), from_ref(&id));
    api.graph.faults(|faults| faults.duplicates = When::Always);
    api.alice.move_to(&id, "archive");
    api.alice.move_to(&id, "inbox");
    let (items, _) = api.round(&next).await;
    assert_eq!(ids(&items), [id.clone(), id.clone()]);
    assert_eq!(removed(&items), [id], "first as removed");
    assert!(items[0].get("@removed").is_some());
}

#[tokio::test]
async fn a_read_flag_comes_alone() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let (_, link) = api.round(INBOX).await;
    api.graph
        .faults(|faults| faults.partial_items = When::Always);
    api.alice.set_read(&id, true);
    let (items, next) = api.round(&link).await;
    assert!(items[0].get("subject").is_none() && items[0]["isRead"] == true);
    assert!(items[0]["parentFolderId"].is_string());
    api.alice.set_read(&id, false);
    api.alice.set_flag(&id, true);
    assert_eq!(subjects(&api.round(&next).await.0), ["x"]);
}

#[tokio::test]
async fn arrivals_and_returns_are_not_told_of_until_the_message_changes() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let archive = INBOX.replace("inbox", "archive");
    let (_, inbox_link) = api.round(INBOX).await;
    let (_, archive_link) = api.round(&archive).await;
    api.graph
        .faults(|faults| faults.unreported_arrivals = When::once());
    api.alice.move_to(&id, "archive");
    let (items, inbox_link) = api.round(&inbox_link).await;
    assert_eq!(removed(&items), from_ref(&id));
    let (items, archive_link) = api.round(&archive_link).await;
    assert!(items.is_empty());
    api.alice.set_read(&id, true);
    assert_eq!(ids(&api.round(&archive_link).await.0), from_ref(&id));
    assert_eq!(
        api.round(&archive).await.0.len(),
        1,
        "a first round shows it"
    );

    api.alice.move_to(&id, "inbox");
    let (_, inbox_link) = api.round(&inbox_link).await;
    api.graph
        .faults(|faults| faults.lost_returns = When::Always);
    api.alice.move_to(&id, "archive");
    api.alice.move_to(&id, "inbox");
    let (items, inbox_link) = api.round(&inbox_link).await;
    assert_eq!(
        (ids(&items), removed(&items)),
        (vec![id.clone()], vec![id.clone()])
    );
    assert!(api.round(&inbox_link).await.0.is_empty());
    assert_eq!(
        api.alice.message(&id).unwrap().folder,
        api.alice.folder_id("inbox").unwrap()
    );
}

#[tokio::test]
async fn a_visit_between_rounds_is_told_as_removed_or_not_at_all() {
    let api = Api::start().await;
    let (_, link) = api.round(INBOX).await;
    let id = api.append("x", "inbox");
    api.alice.move_to(&id, "archive");
    assert_eq!(removed(&api.round(&link).await.0), [id]);
    api.graph
        .faults(|faults| faults.untold_visits = When::Always);
    assert!(api.round(&link).await.0.is_empty());
}

#[tokio::test]
async fn changes_are_seen_later() {
    let api = Api::start().await;
    let (_, link) = api.round(INBOX).await;
    let id = api.append("x", "inbox");
    api.graph.faults(|faults| {
        faults.lag = Lag {
            time: std::time::Duration::from_secs(60),
            ..Lag::default()
        };
    });
    let (items, link) = api.round(&link).await;
    assert!(items.is_empty());
    assert!(
        api.round(INBOX).await.0.is_empty(),
        "a first round is behind too"
    );
    assert_eq!(
        api.get(&format!("/me/messages/{id}?$select=id")).await["id"],
        id
    );
    api.graph
        .clock()
        .advance(std::time::Duration::from_secs(61));
    assert_eq!(ids(&api.round(&link).await.0), [id]);
}

#[tokio::test]
async fn pages_are_empty_on_the_way() {
    let api = Api::start().await;
    for n in 0..12 {
        api.append(&format!("m{n}"), "inbox");
    }
    api.graph.faults(|faults| faults.empty_pages = When::Always);
    let page = api.get(INBOX).await;
    assert_eq!(page["value"], serde_json::json!([]));
    assert_eq!(api.round(INBOX).await.0.len(), 12);
    assert_eq!(api.all("/me/messages?$select=id").await.len(), 12);
}

#[tokio::test]
async fn a_user_sees_no_link_of_another() {
    let api = Api::start().await;
    let (_, link) = api.round(INBOX).await;
    let bob = api.graph.user("bob@test.local");
    let token = api.graph.token("bob@test.local", &["Mail.Read"]);
    let request = api
        .http
        .get(&link)
        .bearer_auth(token)
        .header("prefer", "IdType=\"ImmutableId\"");
    assert_eq!(api.send(request).await.status, 400);
    assert_eq!((api.alice.email(), bob.email()), (ALICE, "bob@test.local"));
}
