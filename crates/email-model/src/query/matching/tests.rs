use super::*;
use crate::{Attachment, PartId, Timestamp, query::parse};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Mail {
    envelope: Envelope,
    labels: Labels,
    folders: Vec<FolderKey>,
    body: Option<Body>,
}

fn mail() -> Mail {
    let ann = Address {
        name: Some("Ann Müller".into()),
        address: Some("ann@example.org".into()),
    };
    let envelope = Envelope {
        message_id: Some("<One@example.org>".into()),
        subject: Some("Quarterly REPORT".into()),
        from: Some(ann),
        to: vec![Address::bare("bob@example.net")],
        received_at: Some(at("2024-05-01T00:00:00Z")),
        size: Some(1_000),
        attachments: Some(vec![Attachment {
            part: PartId::from_path(&[2]),
            name: Some("a.pdf".into()),
            mime_type: "application/pdf".into(),
            size: None,
            inline: false,
            content_id: None,
            content_location: None,
        }]),
        ..Envelope::default()
    };
    Mail {
        envelope,
        labels: Labels::new(Flags::SEEN | Flags::FLAGGED, vec!["Work".into()]),
        folders: vec![FolderKey("INBOX".into())],
        body: Some(Body {
            html: None,
            text: Some("the Budget is attached".into()),
        }),
    }
}

fn matches(mail: &Mail, query: &str) -> bool {
    let candidate = Candidate {
        envelope: &mail.envelope,
        labels: &mail.labels,
        folders: &mail.folders,
        body: mail.body.as_ref(),
    };
    parse(query, at("2024-06-01T00:00:00Z"))
        .unwrap()
        .matches(&candidate)
}

#[test]
fn each_condition_is_told_from_its_negation() {
    let mail = mail();
    for query in [
        "from:müller",
        "from:\"Ann Müller <ann\"",
        "to:BOB@",
        "subject:report",
        "budget",
        "quarterly",
        "after:2024-05-01",
        "before:2024-05-02",
        "newer_than:2m",
        "has:attachment",
        "is:read",
        "is:flagged",
        "label:WORK",
        "larger:999",
        "smaller:1001",
        "rfc822msgid:<one@example.org>",
    ] {
        assert!(matches(&mail, query), "{query}");
        assert!(!matches(&mail, &format!("-{query}")), "-{query}");
    }
}

#[test]
fn what_does_not_hold_is_found_by_its_negation() {
    let mail = mail();
    for query in [
        "from:bob",
        "cc:bob",
        "bcc:bob",
        "subject:budget",
        "nowhere",
        "after:2024-05-02",
        "before:2024-05-01",
        "is:unread",
        "label:wor",
        "larger:1000",
        "smaller:1000",
        "rfc822msgid:two@example.org",
    ] {
        assert!(!matches(&mail, query), "{query}");
        assert!(matches(&mail, &format!("-{query}")), "-{query}");
    }
}

#[test]
fn all_terms_must_hold() {
    let mail = mail();
    assert!(matches(&mail, "from:ann AND is:read budget"));
    assert!(!matches(&mail, "from:ann is:unread"));
    assert!(matches(&mail, ""));
}

#[test]
fn what_is_unknown_satisfies_neither_a_condition_nor_its_negation() {
    let unknown = Mail {
        envelope: Envelope::default(),
        labels: Labels::default(),
        folders: vec![],
        body: None,
    };
    for query in [
        "word",
        "after:2024-01-01",
        "has:attachment",
        "larger:5",
        "in:inbox",
    ] {
        assert!(!matches(&unknown, query), "{query}");
        assert!(!matches(&unknown, &format!("-{query}")), "-{query}");
    }
}

#[test]
fn resolved_folders_are_compared_by_key() {
    let mail = mail();
    let in_folder = |name: &str| Term {
        negated: false,
        condition: Condition::In(Place::Folders(vec![
            FolderKey("x".into()),
            FolderKey(name.into()),
        ])),
    };
    let candidate = Candidate {
        envelope: &mail.envelope,
        labels: &mail.labels,
        folders: &mail.folders,
        body: None,
    };
    assert!(in_folder("INBOX").matches(&candidate));
    assert!(!in_folder("inbox").matches(&candidate));
}

#[test]
fn only_free_text_needs_the_body() {
    let needs = |query| {
        parse(query, at("2024-06-01T00:00:00Z"))
            .unwrap()
            .needs_body()
    };
    assert!(needs("from:ann word"));
    assert!(!needs("from:ann subject:word label:x"));
}
