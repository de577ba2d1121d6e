//! Servers that send more than was asked for: what is kept is what is needed.

use super::*;

async fn flags(connection: &mut Connection) -> Result<Vec<FetchData>> {
    let mut found = Vec::new();
    let mut each = |data| {
        found.push(data);
        Ok(())
    };
    let items = FetchItem::FLAGS.into();
    connection
        .uid_fetch(&UidSet::range(1, 9), &items, None, soon(), &mut each)
        .await?;
    Ok(found)
}

async fn selected_with(script: Script, limits: Limits) -> Connection {
    let config = ImapConfig { limits, ..config() };
    let mut connection = script.connect_with(&config).await.unwrap();
    connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await
        .unwrap();
    connection
}

#[tokio::test]
async fn contents_that_nobody_asked_for_are_not_kept() {
    let answer = "* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {3}\r\nabc BODY[1] \"x\" PREVIEW \"y\" X-GM-LABELS (a) \
                  EMAILID (M1) THREADID (T1) ENVELOPE (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) \
                  BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1))\r\n% OK\r\n";
    let script = Script::selected(3).then("UID FETCH", answer);
    let mut connection = script.connect_and_select().await;
    let expected = FetchData {
        sequence: 1,
        uid: 1,
        flags: Some(FlagSet {
            system: SystemFlags::SEEN,
            keywords: Vec::new(),
        }),
        ..FetchData::default()
    };
    assert_eq!(flags(&mut connection).await.unwrap(), [expected]);
}

#[tokio::test]
async fn what_was_asked_for_is_kept() {
    let answer = "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (\"Subject\")] {3}\r\na:b BODY[] \"x\" PREVIEW \"y\")\r\n% OK\r\n";
    let script = Script::new("IMAP4rev1 PREVIEW")
        .then("SELECT", "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n% OK\r\n")
        .then("UID FETCH", answer);
    let mut connection = script.connect_and_select().await;
    let items = FetchItems {
        items: FetchItem::PREVIEW,
        sections: vec![Section::header_fields(&["Subject"])],
        at_most: None,
    };
    let mut found = Vec::new();
    let mut each = |data| {
        found.push(data);
        Ok(())
    };
    connection
        .uid_fetch(&UidSet::from(1), &items, None, soon(), &mut each)
        .await
        .unwrap();
    assert_eq!(found[0].sections.len(), 1);
    assert_eq!(found[0].section(&items.sections[0]).unwrap(), "a:b");
    assert_eq!(found[0].preview.as_deref(), Some(b"y".as_slice()));
}

#[tokio::test]
async fn an_answer_has_few_sections() {
    let sections = "BODY[] NIL ".repeat(100_000);
    let raw = format!("* 1 FETCH ({sections}UID 1)\r\n");
    let Ok(Untagged::Fetch(data)) = parse_untagged(&raw.into()) else {
        panic!()
    };
    assert_eq!((data.uid, data.damaged), (1, false));
    assert!(data.sections.len() <= 100);
}

#[tokio::test]
async fn a_command_that_reads_no_contents_is_answered_in_few_octets() {
    let limits = Limits {
        facts: 1 << 20,
        ..Limits::default()
    };
    let flood = "* 1 FETCH (UID 1 FLAGS ())\r\n".repeat(50_000);
    let script = Script::selected(3).then("UID FETCH", &flood);
    let mut connection = selected_with(script, limits).await;
    assert!(matches!(
        flags(&mut connection).await,
        Err(Error::Protocol(_))
    ));
    let script = Script::selected(3).then("SELECT", &flood);
    let mut connection = selected_with(script, limits).await;
    let other = MailboxName::encode("b");
    let again = connection.select(&other, SelectOptions::default(), soon());
    assert!(matches!(again.await, Err(Error::Protocol(_))));
}

#[tokio::test]
async fn a_command_that_reads_contents_has_room_for_them() {
    let limits = Limits {
        facts: 1 << 10,
        ..Limits::default()
    };
    let body = "x".repeat(100_000);
    let answer = format!("* 1 FETCH (UID 1 BODY[] {{100000}}\r\n{body})\r\n% OK\r\n");
    let header =
        format!("* 1 FETCH (UID 1 BODY[HEADER.FIELDS (TO)] {{100000}}\r\n{body})\r\n% OK\r\n");
    let script = Script::selected(3)
        .then("UID FETCH", &answer)
        .then("UID FETCH", &header);
    let mut connection = selected_with(script, limits).await;
    let uid = UidSet::from(1);
    for (section, fits) in [
        (Section::message(), true),
        // One message: 64 KiB of header fields.
        (Section::header_fields(&["To"]), false),
    ] {
        let items = FetchItems {
            sections: vec![section],
            ..FetchItems::default()
        };
        let mut each = |_| Ok(());
        let result = connection
            .uid_fetch(&uid, &items, None, soon(), &mut each)
            .await;
        assert_eq!(result.is_ok(), fits, "{result:?}");
    }
}

#[tokio::test]
async fn keywords_without_end_are_refused() {
    let limits = Limits {
        keywords: 10,
        ..Limits::default()
    };
    let four = |uid: u32| format!("* {uid} FETCH (UID {uid} FLAGS (a b c d))\r\n");
    let two = four(1) + &four(2) + "% OK\r\n";
    let three = four(1) + &four(2) + &four(3) + "% OK\r\n";
    let script = Script::selected(3)
        .then("UID FETCH", &two)
        .then("UID FETCH", &three);
    let mut connection = selected_with(script, limits).await;
    assert_eq!(flags(&mut connection).await.unwrap().len(), 2);
    assert!(matches!(
        flags(&mut connection).await,
        Err(Error::Protocol(_))
    ));
}

#[tokio::test]
async fn a_search_in_a_mailbox_of_every_uid_there_is_is_refused() {
    let script = Script::selected(u32::MAX).then(
        "UID SEARCH",
        "* ESEARCH (TAG \"A\") UID ALL 1:4294967295\r\n% OK\r\n",
    );
    let mut connection = script.connect_and_select().await;
    let found = connection.uid_search(&SearchKey::All, soon()).await;
    assert!(matches!(found, Err(Error::Protocol(_))));
}
