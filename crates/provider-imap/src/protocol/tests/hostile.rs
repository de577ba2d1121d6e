//! Servers that lie, stall, break off and flood.

use std::time::Duration;

use email_provider::ErrorKind;
use tokio::time::Instant;

use super::*;

async fn search(connection: &mut Connection) -> Result<UidSet> {
    connection.uid_search(&SearchKey::All, soon()).await
}

async fn fetch(connection: &mut Connection, items: &FetchItems) -> Result<Vec<FetchData>> {
    let mut found = Vec::new();
    let mut each = |data| {
        found.push(data);
        Ok(())
    };
    connection
        .uid_fetch(&UidSet::range(1, u32::MAX), items, None, soon(), &mut each)
        .await?;
    Ok(found)
}

#[tokio::test]
async fn a_search_that_is_not_understood_is_an_error_and_the_connection_lives() {
    let script = Script::selected(3)
        .then("UID SEARCH", "% BAD what?\r\n")
        .then("NOOP", "% OK\r\n");
    let mut connection = script.connect_and_select().await;
    assert!(matches!(search(&mut connection).await, Err(Error::Bad(_))));
    assert!(connection.is_usable());
    let fresh = SelectOptions {
        fresh: true,
        ..SelectOptions::default()
    };
    connection
        .select(&MailboxName::inbox(), fresh, soon())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_connection_lost_in_a_search_is_not_an_empty_mailbox() {
    for answer in [
        "",
        "* ESEARCH (TAG \"A1\") UID ALL 1:2\r\n",
        "* ESEARCH (TAG",
    ] {
        let mut connection = Script::selected(3)
            .then("UID SEARCH", answer)
            .close()
            .connect_and_select()
            .await;
        let error = search(&mut connection).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{answer}");
        assert!(!connection.is_usable());
        assert!(search(&mut connection).await.is_err());
    }
}

#[tokio::test]
async fn a_farewell_in_a_search_is_an_error() {
    let mut connection = Script::selected(3)
        .then("UID SEARCH", "* BYE down\r\n")
        .connect_and_select()
        .await;
    assert!(matches!(search(&mut connection).await, Err(Error::Bye(_))));
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn a_connection_lost_in_a_fetch_is_an_error_although_some_came() {
    let script = Script::selected(3)
        .then("UID FETCH", "* 1 FETCH (UID 1 FLAGS ())\r\n* 2 FETCH (UID")
        .close();
    let mut connection = script.connect_and_select().await;
    assert!(matches!(
        fetch(&mut connection, &FetchItem::FLAGS.into()).await,
        Err(Error::Closed)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up() {
    let mut connection = Script::selected(3)
        .then("UID SEARCH", "* SEARCH")
        .connect_and_select()
        .await;
    let begun = Instant::now();
    assert!(matches!(
        search(&mut connection).await,
        Err(Error::Timeout(_))
    ));
    // The octets of half a line are progress, once.
    assert!(begun.elapsed() <= Duration::from_secs(150));
    assert!(!connection.is_usable());
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_has_time_until_the_deadline_only() {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let drip = tokio::spawn(async move {
        theirs.write_all(b"* OK ready\r\n* ").await.unwrap();
        while theirs.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    });
    let config = ImapConfig {
        timeouts: Timeouts {
            sign_in: Duration::from_secs(1000),
            ..config().timeouts
        },
        ..config()
    };
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(500);
    let result = Connection::over(
        Box::new(ours),
        &config,
        &Tls::new(&config).unwrap(),
        deadline,
    )
    .await;
    assert!(matches!(result, Err(Error::Timeout(_))));
    assert_eq!(begun.elapsed().as_secs(), 500);
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_greet_is_given_up_after_sixteen_seconds() {
    let (ours, _theirs) = tokio::io::duplex(1024);
    let begun = Instant::now();
    let result = Connection::over(
        Box::new(ours),
        &config(),
        &Tls::new(&config()).unwrap(),
        soon(),
    )
    .await;
    assert!(matches!(result, Err(Error::Timeout("the greeting"))));
    assert_eq!(begun.elapsed().as_secs(), 16);
}

#[tokio::test]
async fn an_endless_line_ends_the_connection() {
    let mut connection = Script::selected(3)
        .then("UID SEARCH", &"x".repeat(17 << 20))
        .connect_and_select()
        .await;
    let error = search(&mut connection).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn a_huge_literal_is_refused_when_it_is_announced() {
    let script =
        Script::selected(3).then("UID FETCH", "* 1 FETCH (UID 1 BODY[] {4294967295}\r\nabc");
    let mut connection = script.connect_and_select().await;
    let items = FetchItems {
        sections: vec![Section::message()],
        at_most: None,
        ..FetchItems::default()
    };
    assert!(matches!(
        fetch(&mut connection, &items).await,
        Err(Error::Protocol(_))
    ));
}

#[tokio::test]
async fn a_flood_of_responses_ends_at_the_limit() {
    let limits = Limits {
        command: 1 << 20,
        ..Limits::default()
    };
    let flood = "* 1 FETCH (UID 9 FLAGS ())\r\n".repeat(100_000);
    let script = Script::selected(3).then("UID FETCH", &flood);
    let mut connection = script
        .connect_with(&ImapConfig { limits, ..config() })
        .await
        .unwrap();
    connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await
        .unwrap();
    assert!(matches!(
        fetch(&mut connection, &FetchItem::FLAGS.into()).await,
        Err(Error::Protocol(_))
    ));
}

#[tokio::test]
async fn a_flood_before_the_sign_in_ends_at_the_limit() {
    let flood = "* LIST () \"/\" x\r\n".repeat(200_000);
    let result = Script::new(CAPABILITIES)
        .then("LOGIN", &flood)
        .connect()
        .await;
    assert!(matches!(result, Err(Error::Protocol(_))), "{result:?}");
}

#[tokio::test]
async fn a_million_parentheses_cost_one_item() {
    let deep = "(".repeat(1_000_000);
    let answer = format!(
        "* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE {deep}\"a\" \"b\"{})\r\n* 2 FETCH (UID 2 BODYSTRUCTURE {deep})\r\n% OK\r\n",
        ")".repeat(1_000_000)
    );
    let mut connection = Script::selected(3)
        .then("UID FETCH", &answer)
        .connect_and_select()
        .await;
    let found = fetch(&mut connection, &FetchItem::STRUCTURE.into())
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|data| data.damaged && data.structure.is_none())
    );
    assert!(found[0].flags.is_some());
}

#[tokio::test]
async fn a_letter_behind_a_response_code_is_harmless() {
    let script = Script::selected(3).then(
        "UID SEARCH",
        "* OK [READ-WRITE]é\r\n* ESEARCH (TAG \"A\") UID ALL 4\r\n% OK [READ-WRITE]é\r\n",
    );
    let mut connection = script.connect_and_select().await;
    assert_eq!(search(&mut connection).await.unwrap(), 4.into());
}

#[tokio::test]
async fn an_internal_date_of_nil_is_harmless() {
    let script = Script::selected(3).then(
        "UID FETCH",
        "* 1 FETCH (UID 1 INTERNALDATE NIL RFC822.SIZE 5)\r\n% OK\r\n",
    );
    let mut connection = script.connect_and_select().await;
    let found = fetch(
        &mut connection,
        &(FetchItem::INTERNAL_DATE | FetchItem::SIZE).into(),
    )
    .await
    .unwrap();
    assert_eq!((found[0].internal_date, found[0].size), (None, Some(5)));
}

#[tokio::test]
async fn unknown_and_unreadable_responses_do_not_end_the_session() {
    let script = Script::selected(3)
        .then("UID SEARCH", "* METADATA INBOX (/x NIL)\r\n* XAPPLEPUSH \0\x01\r\n*\r\n* THREAD ((1)(2))\r\n* SEARCH 2\r\n% OK\r\n")
        .then("UID SEARCH", "* SEARCH 1 2 three\r\n% OK\r\n")
        .then("UID SEARCH", "* SEARCH 3\r\n% OK\r\n");
    let mut connection = script.connect_and_select().await;
    assert_eq!(search(&mut connection).await.unwrap(), 2.into());
    assert!(
        matches!(search(&mut connection).await, Err(Error::Protocol(_))),
        "half an answer is none"
    );
    assert_eq!(search(&mut connection).await.unwrap(), 3.into());
}

#[tokio::test]
async fn news_of_other_messages_is_not_taken_for_an_answer() {
    let answer = "* 9 FETCH (UID 900 RFC822.SIZE 1)\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n\
                  * LIST () \"/\" Other\r\n* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 77)\r\n% OK\r\n";
    let script = Script::selected(3)
        .then("UID FETCH 1:5", answer)
        .then("SELECT", "% NO gone\r\n");
    let mut connection = script.connect_and_select().await;
    let mut found = Vec::new();
    let mut each = |data: FetchData| {
        found.push((data.uid, data.size));
        Ok(())
    };
    let items = FetchItems::from(FetchItem::FLAGS | FetchItem::SIZE);
    connection
        .uid_fetch(&UidSet::range(1, 5), &items, None, soon(), &mut each)
        .await
        .unwrap();
    assert_eq!(found, [(2, Some(77))]);
    // The flag that was told unasked is news: a fresh selection is a new one.
    let fresh = SelectOptions {
        fresh: true,
        ..SelectOptions::default()
    };
    assert!(
        connection
            .select(&MailboxName::inbox(), fresh, soon())
            .await
            .is_err()
    );
    assert!(connection.selected().is_none());
}

#[tokio::test]
async fn more_results_than_messages_are_refused() {
    let script = Script::selected(3).then(
        "UID SEARCH",
        "* ESEARCH (TAG \"A\") UID ALL 1:4294967295\r\n% OK\r\n",
    );
    let mut connection = script.connect_and_select().await;
    assert!(matches!(
        search(&mut connection).await,
        Err(Error::Protocol(_))
    ));
}

#[tokio::test]
async fn an_answer_to_another_command_ends_the_connection() {
    for answer in [
        "A9999 OK done\r\n",
        "A0001 NO stale\r\n",
        "+ go on\r\n",
        "nonsense\r\n",
    ] {
        let mut connection = Script::selected(3)
            .then("UID SEARCH", answer)
            .connect_and_select()
            .await;
        assert!(
            matches!(search(&mut connection).await, Err(Error::Protocol(_))),
            "{answer}"
        );
        assert!(!connection.is_usable());
    }
}

#[tokio::test]
async fn a_dropped_command_leaves_the_connection_unusable() {
    let mut connection = Script::selected(3)
        .then("UID SEARCH", "* SEARCH 1\r\n")
        .connect_and_select()
        .await;
    let dropped = tokio::time::timeout(Duration::from_millis(50), search(&mut connection)).await;
    assert!(dropped.is_err());
    assert!(!connection.is_usable());
    assert!(search(&mut connection).await.is_err());
}

#[tokio::test]
async fn select_without_uidvalidity_is_an_error() {
    let script = Script::new(CAPABILITIES).then("SELECT", "* 3 EXISTS\r\n% OK\r\n");
    let mut connection = script.connect().await.unwrap();
    let result = connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await;
    assert!(matches!(result, Err(Error::Protocol(_))));
    assert!(connection.selected().is_none());
}

#[tokio::test]
async fn a_list_that_never_ends_is_refused() {
    let limits = Limits {
        elements: 100,
        ..Limits::default()
    };
    let list: String = (0..1000)
        .map(|n| format!("* LIST () \"/\" x{n}\r\n"))
        .collect();
    let script = Script::new(CAPABILITIES).then("LIST", &format!("{list}% OK\r\n"));
    let mut connection = script
        .connect_with(&ImapConfig { limits, ..config() })
        .await
        .unwrap();
    assert!(matches!(
        connection.list(false, soon()).await,
        Err(Error::Protocol(_))
    ));
}

#[tokio::test]
async fn an_answer_that_lacks_an_optional_item_is_still_an_answer() {
    let script = Script::selected(3).then(
        "UID FETCH",
        "* 1 FETCH (UID 1 FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS ())\r\n% OK\r\n",
    );
    let mut connection = script.connect_and_select().await;
    let items = FetchItem::FLAGS | FetchItem::OBJECT_ID | FetchItem::INTERNAL_DATE;
    assert_eq!(
        fetch(&mut connection, &items.into()).await.unwrap().len(),
        2
    );
}
