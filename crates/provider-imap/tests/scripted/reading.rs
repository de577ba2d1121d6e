//! What a backend makes of refusals, of views that lag behind, and of answers beyond measure.

use crate::play::{
    CONDSTORE, Play, QRESYNC, at, call, context, key, kind, scope, selected, sign_in,
};
use email_provider::{
    Detail, ErrorKind, Priority, ProviderPlugin as _, Removed, ScanDetail, ScanNext, ScanRequest,
    ScanWindow, SignInError,
};
use futures::StreamExt as _;
use provider_imap::ImapPlugin;

const DETAILS: [Detail; 4] = [
    Detail::Exists,
    Detail::State,
    Detail::Envelope,
    Detail::Content,
];

fn scan() -> ScanRequest<'static> {
    ScanRequest {
        window: ScanWindow::default(),
        detail: ScanDetail::Envelopes,
        position: None,
        limit: 1,
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_opened_just_now_is_not_a_missing_one() {
    for refusal in [
        "% NO System I/O error",
        "% NO Mailbox is locked",
        "% NO Server busy",
        "% NO Zork",
        "% NO Mailbox does not exist",
        "% NO [TRYCREATE] Mailbox does not exist",
        "% NO [SERVERBUG] Internal error",
        "% BAD what?",
    ] {
        let mailbox = Play::new(CONDSTORE)
            .on("SELECT \"Work\"", &[refusal])
            .on("LIST \"\" \"Work\"", &["* LIST () \"/\" \"Work\"\r\n% OK"])
            .open()
            .await;
        let provider = &mailbox.provider;
        let mut kinds = vec![
            kind(provider.begin(call(), &scope()).await),
            kind(provider.scan(call(), &scope(), scan()).await),
            kind(provider.raw(call(), &at(1)).await.map(drop)),
        ];
        for detail in DETAILS {
            kinds.push(kind(provider.fetch(call(), &[at(1)], detail).await));
        }
        for kind in kinds {
            assert!(
                matches!(kind, Some(ErrorKind::Unexpected | ErrorKind::Unavailable)),
                "{refusal}: {kind:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_folder_that_the_server_does_not_list_or_names_as_missing_is_missing() {
    for (refusal, listed) in [
        ("% NO Unable to open this mailbox.", "% OK"),
        ("% NO Zork", "* LIST (\\NonExistent) \"/\" \"Work\"\r\n% OK"),
        ("% NO Zork", "* LIST (\\Noselect) \"/\" \"Work\"\r\n% OK"),
        ("% NO Zork", "* LIST () \"/\" \"Work2\"\r\n% OK"),
        ("% NO [NONEXISTENT] Unknown mailbox", "% NO not asked"),
    ] {
        let mailbox = Play::new(CONDSTORE)
            .on("SELECT \"Work\"", &[refusal])
            .on("LIST \"\" \"Work\"", &[listed])
            .open()
            .await;
        let provider = &mailbox.provider;
        let begun = kind(provider.begin(call(), &scope()).await);
        assert_eq!(begun, Some(ErrorKind::NotFound), "{refusal} {listed}");
        for detail in DETAILS {
            let found = provider.fetch(call(), &[at(1)], detail).await.unwrap();
            assert!(found.is_empty());
        }
    }
}

#[tokio::test]
async fn a_folder_is_not_missing_because_no_list_can_be_had() {
    for (listed, expected) in [
        ("% NO not now", ErrorKind::Unexpected),
        ("", ErrorKind::Unavailable),
    ] {
        let mailbox = Play::new(CONDSTORE)
            .on("SELECT \"Work\"", &["% NO Zork"])
            .on("LIST \"\" \"Work\"", &[listed])
            .open()
            .await;
        let found = mailbox
            .provider
            .fetch(call(), &[at(1)], Detail::Exists)
            .await;
        assert_eq!(kind(found), Some(expected), "{listed}");
    }
}

#[tokio::test]
async fn a_refusal_of_one_folder_is_that_folders_and_one_of_the_server_the_mailboxs() {
    for (refusal, expected) in [
        ("[SERVERBUG] Internal error", ErrorKind::Unexpected),
        ("[CORRUPTION] damaged", ErrorKind::Unexpected),
        ("[INUSE] locked", ErrorKind::Unexpected),
        ("Internal error occurred", ErrorKind::Unexpected),
        ("[NOPERM] no", ErrorKind::Forbidden),
        ("[UNAVAILABLE] down", ErrorKind::Unavailable),
        ("Server Unavailable. 15", ErrorKind::Unavailable),
        ("[THROTTLED] slow down", ErrorKind::RateLimited),
        ("[LIMIT] enough", ErrorKind::RateLimited),
        ("Request is throttled", ErrorKind::RateLimited),
        ("Too many connections", ErrorKind::RateLimited),
    ] {
        let mailbox = Play::new(CONDSTORE)
            .on("SELECT \"Work\"", &[&format!("% NO {refusal}")])
            .on("LIST \"\" \"Work\"", &["* LIST () \"/\" \"Work\"\r\n% OK"])
            .open()
            .await;
        let begun = kind(mailbox.provider.begin(call(), &scope()).await);
        assert_eq!(begun, Some(expected), "{refusal}");
    }
}

#[tokio::test]
async fn a_listing_that_never_agrees_with_its_count_is_its_folders_failure() {
    let mailbox = Play::new("IMAP4rev1")
        .on("SELECT \"Work\"", &[&selected(3, 0)])
        .on("UID FETCH", &["* 1 FETCH (UID 1 FLAGS ())\r\n% OK"])
        .open()
        .await;
    let request = ScanRequest {
        detail: ScanDetail::Keys,
        ..scan()
    };
    let listed = mailbox.provider.scan(call(), &scope(), request).await;
    assert_eq!(kind(listed), Some(ErrorKind::Unexpected));
}

/// Only after a fresh look does the server tell of the second message.
fn lagging(capabilities: &'static str, select: &[&str]) -> Play {
    const STRUCTURE: &str =
        "BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1) BODY[] {1}\r\nx";
    let one = format!("* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 5 {STRUCTURE})\r\n% OK");
    let two = format!("* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 5 {STRUCTURE})\r\n% OK");
    Play::new(capabilities)
        .on("SELECT \"Work\"", select)
        .on("NOOP", &["* 2 EXISTS\r\n% OK"])
        .on("UID FETCH 1:2 ", &[&one])
        .on("UID FETCH 1 ", &[&one])
        .on("UID FETCH 2 ", &[&two])
}

fn commands(heard: &[String]) -> Vec<String> {
    let name = |line: &String| line.split(" (").next().unwrap_or_default().to_owned();
    heard
        .iter()
        .map(name)
        .filter(|line| !line.contains("BODY"))
        .collect()
}

#[tokio::test]
async fn what_a_lagging_view_does_not_show_is_asked_for_again_after_a_fresh_look() {
    for (capabilities, look) in [(CONDSTORE, "NOOP"), ("IMAP4rev1", "SELECT \"Work\"")] {
        for detail in [Detail::Envelope, Detail::Content] {
            let (before, after) = (selected(1, 50), selected(2, 51));
            let mailbox = lagging(capabilities, &[&before, &after]).open().await;
            let provider = &mailbox.provider;
            let found = provider.fetch(call(), &[at(1)], detail).await.unwrap();
            assert_eq!(found.len(), 1);
            mailbox.heard();
            let asked = [at(1), at(2)];
            let found = provider.fetch(call(), &asked, detail).await.unwrap();
            let found: Vec<_> = found.into_iter().map(|one| one.at).collect();
            assert_eq!(found, asked, "{capabilities} {detail:?}");
            let heard = commands(&mailbox.heard());
            let fetches = heard.iter().filter(|line| line.starts_with("UID FETCH"));
            assert!(fetches.count() >= 2);
            assert!(heard.contains(&look.to_owned()), "{heard:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_twice_while_everything_is_there() {
    let mailbox = lagging(CONDSTORE, &[&selected(2, 50)]).open().await;
    for round in 0..2 {
        mailbox.heard();
        let fetched = mailbox
            .provider
            .fetch(call(), &[at(2)], Detail::Envelope)
            .await
            .unwrap();
        assert_eq!(fetched.len(), 1);
        let heard = commands(&mailbox.heard());
        assert!(!heard.contains(&"NOOP".to_owned()), "{heard:?}");
        let selects = heard.iter().filter(|line| line.starts_with("SELECT"));
        assert_eq!(selects.count(), usize::from(round == 0));
    }
}

#[tokio::test]
async fn whether_a_message_is_there_is_asked_after_a_fresh_look() {
    for detail in [Detail::Exists, Detail::State] {
        let (before, after) = (selected(1, 50), selected(2, 51));
        let mailbox = lagging(CONDSTORE, &[&before, &after]).open().await;
        let provider = &mailbox.provider;
        provider
            .fetch(call(), &[at(1)], Detail::Envelope)
            .await
            .unwrap();
        mailbox.heard();
        let found = provider.fetch(call(), &[at(2)], detail).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            commands(&mailbox.heard()),
            ["NOOP", "SELECT \"Work\"", "UID FETCH 2"]
        );
    }
}

#[tokio::test]
async fn a_message_that_a_lagging_view_does_not_show_can_be_read() {
    let (before, after) = (selected(1, 50), selected(2, 51));
    let whole = "* 2 FETCH (UID 2 BODY[]<0> {1}\r\nx)\r\n% OK";
    let mailbox = Play::new(CONDSTORE)
        .on("SELECT \"Work\"", &[&before, &after])
        .on("NOOP", &["* 2 EXISTS\r\n% OK"])
        .on("UID FETCH 2 ", &["% OK", whole])
        .open()
        .await;
    mailbox.provider.begin(call(), &scope()).await.unwrap();
    let mut stream = mailbox.provider.raw(call(), &at(2)).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "x");
}

#[tokio::test]
async fn a_scan_page_on_a_lagging_connection_leaves_no_message_out() {
    let (before, after) = (selected(2, 50), selected(2, 51));
    let answer = |uid: u32| format!("* {uid} FETCH (UID {uid} FLAGS () RFC822.SIZE 5)\r\n% OK");
    let mailbox = Play::new(CONDSTORE)
        .on("SELECT \"Work\"", &[&before, &after])
        .on("NOOP", &["* 1 EXISTS\r\n% OK"])
        .on("UID SEARCH", &["* ESEARCH (TAG \"%\") UID ALL 1:2\r\n% OK"])
        .on("UID FETCH 2 ", &[&answer(2)])
        .on("UID FETCH 1 ", &["% OK", &answer(1)])
        .open()
        .await;
    let provider = &mailbox.provider;
    let first = provider.scan(call(), &scope(), scan()).await.unwrap();
    let ScanNext::More(position) = first.next else {
        panic!("there is more")
    };
    let request = ScanRequest {
        position: Some(&position),
        ..scan()
    };
    let second = provider.scan(call(), &scope(), request).await.unwrap();
    let keys: Vec<_> = second
        .entries
        .iter()
        .map(|entry| entry.key.clone())
        .collect();
    assert_eq!(keys, [key(1)]);
}

#[tokio::test]
async fn more_removals_than_can_be_told_are_told_by_what_is_left() {
    let resync = "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 3000000] x\r\n* OK [HIGHESTMODSEQ 60] x\r\n* VANISHED (EARLIER) 1:2000000\r\n* 1 FETCH (UID 2000001 FLAGS (\\Seen) MODSEQ (60))\r\n% OK";
    let mailbox = Play::new(QRESYNC)
        .on("SELECT \"Work\" (QRESYNC", &[resync])
        .on("SELECT \"Work\"", &[&selected(2, 50)])
        .on("NOOP", &["% OK"])
        .on(
            "UID SEARCH RETURN (ALL) ALL",
            &["* ESEARCH (TAG \"%\") UID ALL 2000001:2000002\r\n% OK"],
        )
        .on(
            "UID SEARCH RETURN (ALL) DELETED",
            &["* ESEARCH (TAG \"%\") UID\r\n% OK"],
        )
        .open()
        .await;
    let provider = &mailbox.provider;
    let cursor = provider.begin(call(), &scope()).await.unwrap().unwrap();
    let page = provider
        .changes(call(), &scope(), &cursor, 500)
        .await
        .unwrap();
    assert_eq!(
        page.removed,
        Removed::Listing(vec![key(2_000_001), key(2_000_002)])
    );
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn a_server_that_refuses_idle_is_not_watched_again() {
    for refusal in ["% NO not today", "% BAD what?", "+ idling\r\n% NO enough"] {
        let mailbox = Play::new(CONDSTORE).on("IDLE", &[refusal]).open().await;
        let notifier = mailbox.provider.notifier().expect("IDLE is offered");
        let mut watch = notifier.watch().await.unwrap();
        assert_eq!(watch.next().await, None);
        assert!(mailbox.provider.notifier().is_none(), "{refusal}");
    }
}

#[tokio::test]
async fn an_idle_that_the_server_ends_by_itself_is_not_begun_again_and_again() {
    let mailbox = Play::new(CONDSTORE)
        .on("IDLE", &["+ idling\r\n% OK enough"])
        .open()
        .await;
    let notifier = mailbox.provider.notifier().expect("IDLE is offered");
    let mut watch = notifier.watch().await.unwrap();
    assert_eq!(watch.next().await, None);
    let idles = mailbox.heard().iter().filter(|l| *l == "IDLE").count();
    assert_eq!(idles, 1);
    assert!(mailbox.provider.notifier().is_some());
}

#[tokio::test]
async fn each_server_without_protection_must_be_one_that_the_operator_named() {
    let own = "imap://127.0.0.1:9?security=none";
    for (imap, smtp, trust_server, allowed) in [
        (own, "smtp://127.0.0.1:25?security=none", false, true),
        (own, "smtp://192.0.2.1:25?security=none", false, false),
        (own, "smtps://192.0.2.1:465", false, true),
        (own, "smtps://192.0.2.1:465", true, false),
        (
            "imaps://192.0.2.1",
            "smtp://127.0.0.1:25?security=none",
            false,
            true,
        ),
        (
            "imap://192.0.2.1?security=none",
            "smtps://127.0.0.1",
            false,
            false,
        ),
    ] {
        let sign_in = email_provider::SignIn {
            server_url2: Some(smtp.into()),
            trust_server,
            ..sign_in(imap)
        };
        let resolved = ImapPlugin.resolve(&context(), &sign_in).await;
        let refused = matches!(resolved, Err(SignInError::Invalid(_)));
        assert_eq!(!refused, allowed, "{imap} {smtp}");
    }
}

#[tokio::test]
async fn background_reads_look_first() {
    let (before, after) = (selected(1, 50), selected(2, 51));
    let mailbox = lagging(CONDSTORE, &[&before, &after]).open().await;
    let background = || email_provider::Call {
        priority: Priority::Background,
        ..call()
    };
    for uid in [1, 2] {
        let fetched = mailbox
            .provider
            .fetch(background(), &[at(uid)], Detail::Envelope)
            .await;
        assert_eq!(fetched.unwrap().len(), 1);
    }
}
