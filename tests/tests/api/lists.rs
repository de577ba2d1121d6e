//! Lists and searches.

use chrono::{DateTime, FixedOffset, TimeDelta};
use polypost_tests::{Call, now};

use crate::setting::{Mailbox, mail, subjects};

async fn put_dated(mailbox: &mut Mailbox, folder: &str, subject: &str, days_ago: i64) {
    let date: DateTime<FixedOffset> = (now() - TimeDelta::days(days_ago)).fixed_offset();
    let raw = mail(subject).replace('\n', "\r\n");
    mailbox
        .imap
        .append(folder, raw.as_bytes(), &[], Some(date))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_list_is_newest_first_over_all_folders() {
    let mut mailbox = Mailbox::new().await;
    for (folder, subject, days) in [
        ("INBOX", "third", 3),
        ("Sent", "first", 1),
        ("Archive", "second", 2),
        ("INBOX", "fourth", 400),
    ] {
        put_dated(&mut mailbox, folder, subject, days).await;
    }
    let listed = subjects(&mailbox.list(Call::get("/v1/email/messages")).await);
    assert_eq!(listed, ["first", "second", "third", "fourth"]);
}

#[tokio::test]
async fn pages_give_everything_once_in_one_order() {
    let mut mailbox = Mailbox::new().await;
    let folders = ["INBOX", "Sent", "Archive"];
    for number in 0..23 {
        let folder = folders[number % 3];
        put_dated(
            &mut mailbox,
            folder,
            &format!("m{number:02}"),
            i64::try_from(number).unwrap(),
        )
        .await;
    }
    let expected: Vec<String> = (0..23).map(|number| format!("m{number:02}")).collect();
    for limit in [1, 4, 22, 23, 500] {
        let mut all = Vec::new();
        let first = Call::get("/v1/email/messages").query("limit", limit);
        let mut page = mailbox.ok(first.clone()).await;
        loop {
            assert_eq!(page.json["length"], page.records().len());
            assert!(page.records().len() <= limit);
            all.extend(subjects(page.records()));
            let Some(token) = page.json["nextPageToken"].as_str() else {
                break;
            };
            assert!(!page.records().is_empty());
            page = mailbox.ok(first.clone().query("pageToken", token)).await;
        }
        assert_eq!(all, expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_limit_that_is_none_is_refused() {
    let mailbox = Mailbox::new().await;
    for limit in ["0", "x", "-1"] {
        let call = Call::get("/v1/email/messages").query("limit", limit);
        mailbox.refused(call, 400, "badRequest").await;
    }
}

#[tokio::test]
async fn trash_and_junk_are_left_out_unless_asked_for() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("wanted")).await;
    mailbox.put("Trash", &mail("thrown"), &[]).await;
    mailbox.put("Junk", &mail("junked"), &[]).await;
    assert_eq!(
        subjects(&mailbox.list(Call::get("/v1/email/messages")).await),
        ["wanted"]
    );
    let all = Call::get("/v1/email/messages").query("includeTrashAndJunk", true);
    assert_eq!(mailbox.list(all).await.len(), 3);
    assert_eq!(mailbox.found("in:trash").await, ["thrown"]);
    assert_eq!(mailbox.found("in:junk").await, ["junked"]);
}

#[tokio::test]
async fn every_term_of_a_search_counts() {
    let mut mailbox = Mailbox::new().await;
    mailbox.imap.create("Work").await.unwrap();
    let with_file = mail("report").replace(
        "\n\nThis is report.\n",
        "\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nThe turtle \
         file.\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; \
         filename=r.pdf\nContent-Transfer-Encoding: base64\n\nAAEC\n--b--\n",
    );
    mailbox.put("INBOX", &with_file, &["\\Seen", "blue"]).await;
    let other = mail("offer").replace("bob@example.org", "carol@example.com");
    let other = other.replace("This is offer.", "A rabbit and a turtle.");
    mailbox.put("Work", &other, &["\\Flagged"]).await;
    let long = mail("long").replace("This is long.", &"word \n".repeat(2_000));
    mailbox.receive(&long).await;
    put_dated(&mut mailbox, "INBOX", "ancient", 800).await;
    for (q, expected) in [
        ("turtle", vec!["offer", "report"]),
        ("turtle rabbit", vec!["offer"]),
        ("turtle -rabbit", vec!["report"]),
        ("\"a turtle\"", vec!["offer"]),
        ("from:carol@example.com", vec!["offer"]),
        ("-from:carol@example.com -is:read", vec!["ancient", "long"]),
        ("to:alice subject:off", vec!["offer"]),
        ("subject:nothing", vec![]),
        ("has:attachment", vec!["report"]),
        ("is:read", vec!["report"]),
        ("is:unread is:flagged", vec!["offer"]),
        ("is:flagged", vec!["offer"]),
        ("in:Work", vec!["offer"]),
        ("in:inbox is:unread", vec!["ancient", "long"]),
        ("label:blue", vec!["report"]),
        ("larger:8K", vec!["long"]),
        ("smaller:8K in:inbox newer_than:3d", vec!["report"]),
        ("older_than:1y", vec!["ancient"]),
        ("before:2025-06-01", vec!["ancient"]),
        ("after:2025/06/01 in:inbox", vec!["long", "report"]),
        ("rfc822msgid:<offer@example.org>", vec!["offer"]),
    ] {
        assert_eq!(mailbox.found(q).await, expected, "{q}");
    }
}

#[tokio::test]
async fn the_dates_of_a_search_include_their_begin_and_exclude_their_end() {
    let mut mailbox = Mailbox::new().await;
    for (subject, received) in [
        ("eve", "2026-03-09T23:59:59Z"),
        ("midnight", "2026-03-10T00:00:00Z"),
        ("noon", "2026-03-10T14:00:00+02:00"),
    ] {
        let date = DateTime::parse_from_rfc3339(received).unwrap();
        let raw = mail(subject).replace('\n', "\r\n");
        mailbox
            .imap
            .append("INBOX", raw.as_bytes(), &[], Some(date))
            .await
            .unwrap();
    }
    for (q, expected) in [
        ("after:2026-03-10", vec!["midnight", "noon"]),
        ("before:2026-03-10", vec!["eve"]),
        (
            "after:03/10/2026 before:2026-03-10T12:00:00Z",
            vec!["midnight"],
        ),
        ("after:2026-03-10T12:00:00Z", vec!["noon"]),
        ("before:1773100800", vec!["eve"]),
    ] {
        assert_eq!(mailbox.found(q).await, expected, "{q}");
    }
}

#[tokio::test]
async fn lists_carry_bodies_when_asked_and_name_what_they_leave_out() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("with a body")).await;
    let without = mailbox.list(Call::get("/v1/email/messages")).await;
    assert!(without[0].get("body").is_none());
    assert!(without[0]["omitted"].to_string().contains("\"body\""));
    assert_eq!(without[0]["bodySnippet"], "This is with a body.");
    let call = Call::get("/v1/email/messages").query("bodyType", "text");
    let with = mailbox.list(call).await;
    assert!(
        with[0]["body"]
            .as_str()
            .unwrap()
            .contains("This is with a body.")
    );
    assert!(!with[0]["omitted"].to_string().contains("\"body\""));
}
