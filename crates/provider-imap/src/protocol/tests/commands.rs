//! What is asked, and what becomes of the answer.

use std::time::Duration;

use chrono::DateTime;
use email_provider::ErrorKind;

use super::*;

/// Runs `ask` on a connection with INBOX selected and gives back what the server heard after SELECT.
pub(super) async fn heard<T>(
    script: Script,
    ask: impl AsyncFnOnce(&mut Connection) -> T,
) -> (T, Vec<String>) {
    let (stream, server) = script.start();
    let tls = Tls::new(&config()).unwrap();
    let mut connection = Connection::over(Box::new(stream), &config(), &tls, soon())
        .await
        .unwrap();
    connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await
        .unwrap();
    let result = ask(&mut connection).await;
    drop(connection);
    let heard = server.await.unwrap();
    let select = heard
        .iter()
        .position(|line| line.contains("SELECT"))
        .unwrap();
    (result, heard[select + 1..].to_vec())
}

fn command(line: &str) -> &str {
    line.split_once(' ').unwrap().1
}

#[tokio::test]
async fn a_selected_mailbox_is_kept_until_there_is_news() {
    let script = Script::selected(3)
        .then("NOOP", "% OK\r\n")
        .then("NOOP", "* 4 EXISTS\r\n% OK\r\n")
        .then(
            "SELECT",
            "* 4 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n% OK [READ-ONLY]\r\n",
        );
    let ask = async |connection: &mut Connection| {
        let mut counts = Vec::new();
        for fresh in [false, true, true] {
            let options = SelectOptions {
                fresh,
                ..SelectOptions::default()
            };
            let selection = connection
                .select(&MailboxName::inbox(), options, soon())
                .await
                .unwrap();
            counts.push((
                selection.state.exists,
                selection.state.read_only,
                selection.state.highest_mod_seq,
            ));
        }
        counts
    };
    let (counts, heard) = heard(script, ask).await;
    assert_eq!(
        counts,
        [(3, false, Some(50)), (3, false, Some(50)), (4, true, None)]
    );
    assert_eq!(
        heard.iter().map(|l| command(l)).collect::<Vec<_>>(),
        ["NOOP", "NOOP", "SELECT \"INBOX\" (CONDSTORE)"]
    );
}

#[tokio::test]
async fn qresync_tells_what_changed_and_nothing_of_the_mailbox_before() {
    let answer = "* VANISHED 1:99\r\n* 1 FETCH (UID 8 FLAGS ())\r\n* OK [CLOSED] x\r\n* 5 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n\
                  * VANISHED (EARLIER) 3:4,7\r\n* 2 FETCH (UID 6 FLAGS (\\Seen) MODSEQ (60))\r\n* OK [HIGHESTMODSEQ 61] x\r\n% OK\r\n";
    let script = Script::selected(3).then("SELECT \"a&AOQ-\" (QRESYNC (9 40))", answer);
    let ask = async |connection: &mut Connection| {
        let options = SelectOptions {
            qresync: Some((9, 40)),
            ..SelectOptions::default()
        };
        connection
            .select(&MailboxName::encode("aä"), options, soon())
            .await
            .unwrap()
    };
    let (selection, _) = heard(script, ask).await;
    assert_eq!(selection.vanished.to_string(), "3:4,7");
    assert_eq!(
        selection
            .changed
            .iter()
            .map(|c| (c.uid, c.mod_seq))
            .collect::<Vec<_>>(),
        [(6, Some(60))]
    );
    assert_eq!(selection.state.highest_mod_seq, Some(61));
}

#[tokio::test]
async fn a_set_that_ends_open_is_written_with_a_star_except_for_vanished() {
    let script = Script::selected(3)
        .then("UID FETCH", "% OK\r\n")
        .then("UID FETCH", "* VANISHED (EARLIER) 1:2\r\n% OK\r\n");
    let ask = async |connection: &mut Connection| {
        let all = UidSet::range(5, u32::MAX);
        let items = FetchItems::from(FetchItem::FLAGS | FetchItem::MOD_SEQ | FetchItem::OBJECT_ID);
        let mut each = |_| Ok(());
        connection
            .uid_fetch(&all, &items, None, soon(), &mut each)
            .await
            .unwrap();
        let since = ChangedSince {
            mod_seq: 40,
            vanished: true,
        };
        connection
            .uid_fetch(&all, &items, Some(since), soon(), &mut each)
            .await
            .unwrap()
    };
    let (gone, heard) = heard(script, ask).await;
    assert_eq!(gone.to_string(), "1:2");
    assert_eq!(command(&heard[0]), "UID FETCH 5:* (UID FLAGS MODSEQ)");
    assert_eq!(
        command(&heard[1]),
        "UID FETCH 5:4294967295 (UID FLAGS MODSEQ) (CHANGEDSINCE 40 VANISHED)"
    );
}

#[tokio::test]
async fn a_limit_on_messages_is_gone_on_from() {
    let script = Script::selected(9)
        .then(
            "UID FETCH 1:9",
            "* 9 FETCH (UID 9 FLAGS ())\r\n% OK [MESSAGELIMIT 1 9] partial\r\n",
        )
        .then("UID FETCH 1:8", "* 8 FETCH (UID 8 FLAGS ())\r\n% OK\r\n")
        .then(
            "UID SEARCH RETURN (ALL) SEEN",
            "* ESEARCH (TAG \"A\") UID ALL 8:9\r\n% OK [MESSAGELIMIT 1 8] partial\r\n",
        )
        .then(
            "UID SEARCH RETURN (ALL) (UID 1:7 SEEN)",
            "* ESEARCH (TAG \"A\") UID ALL 2\r\n% OK\r\n",
        );
    let ask = async |connection: &mut Connection| {
        let mut uids = Vec::new();
        let mut each = |data: FetchData| {
            uids.push(data.uid);
            Ok(())
        };
        let all = UidSet::range(1, 9);
        connection
            .uid_fetch(&all, &FetchItem::FLAGS.into(), None, soon(), &mut each)
            .await
            .unwrap();
        (
            uids,
            connection
                .uid_search(&SearchKey::Seen, soon())
                .await
                .unwrap(),
        )
    };
    let ((fetched, found), _) = heard(script, ask).await;
    assert_eq!(fetched, [9, 8]);
    assert_eq!(found.to_string(), "2,8:9");
}

#[tokio::test]
async fn a_piece_is_what_was_asked_for_even_if_the_server_sends_all() {
    let script = Script::selected(3)
        .then(
            "UID FETCH 5 (UID BODY.PEEK[2]<4.3>)",
            "* 1 FETCH (UID 5 BODY[2]<4> \"efg\")\r\n% OK\r\n",
        )
        .then(
            "UID FETCH",
            "* 1 FETCH (BODY[2] \"abcdefghi\" UID 5)\r\n% OK\r\n",
        )
        .then("UID FETCH", "* 1 FETCH (UID 5 BODY[2]<9> \"\")\r\n% OK\r\n")
        .then("UID FETCH", "* 1 FETCH (UID 5 BODY[2] NIL)\r\n% OK\r\n")
        .then("UID FETCH", "% OK\r\n");
    let ask = async |connection: &mut Connection| {
        let section = Section::part("2").unwrap();
        let mut pieces = Vec::new();
        for offset in [4, 4, 9, 0, 0] {
            pieces.push(
                connection
                    .fetch_piece(5, &section, offset, 3, soon())
                    .await
                    .unwrap(),
            );
        }
        pieces
    };
    let (pieces, _) = heard(script, ask).await;
    let octets = |text: &'static str| Piece::Octets(text.into());
    assert_eq!(
        pieces,
        [
            octets("efg"),
            octets("efg"),
            octets(""),
            Piece::NoSection,
            Piece::NoMessage
        ]
    );
}

#[tokio::test]
async fn a_search_for_other_letters_names_its_character_set() {
    let script = Script::selected(3)
        .then("UID SEARCH RETURN (ALL) CHARSET UTF-8 SUBJECT {3+}", "")
        .then("", "% OK\r\n");
    let ask = async |connection: &mut Connection| {
        connection
            .uid_search(&SearchKey::Subject("aä".into()), soon())
            .await
            .unwrap()
    };
    let (found, heard) = heard(script, ask).await;
    assert!(found.is_empty());
    assert_eq!(heard[1..], ["aä", ""]);
}

#[tokio::test]
async fn a_literal_waits_where_the_server_wants_it_and_its_refusal_ends_the_command() {
    let script = Script {
        capabilities: "IMAP4rev1".into(),
        ..Script::selected(3)
    }
    .then(
        "UID SEARCH CHARSET UTF-8 SUBJECT {3}",
        "% NO [BADCHARSET (US-ASCII)] no\r\n",
    )
    .then(
        "APPEND \"Sent\" (\\Seen $MDNSent) \"01-Feb-2024 01:02:03 +0000\" {12}",
        "* 4 EXISTS\r\n+ go\r\n",
    )
    .then("Subject: x", "")
    .then("", "");
    let ask = async |connection: &mut Connection| {
        let refused = connection
            .uid_search(&SearchKey::Subject("aä".into()), soon())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        let keywords = ["$MDNSent".to_owned()];
        let received_at = DateTime::parse_from_rfc3339("2024-02-01T01:02:03Z").ok();
        let options = AppendOptions {
            flags: SystemFlags::SEEN,
            keywords: &keywords,
            received_at,
        };
        let sent = MailboxName::encode("Sent");
        let append = connection.append(&sent, options, b"Subject: x\r\n".to_vec(), soon());
        tokio::time::timeout(Duration::from_millis(200), append)
            .await
            .unwrap_err();
        connection.is_usable()
    };
    let (usable, heard) = heard(script, ask).await;
    assert!(!usable);
    assert!(heard.contains(&"Subject: x".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn an_append_tells_where_the_message_is() {
    let script = Script::selected(3)
        .then("APPEND \"INBOX\" () {3+}", "")
        .then("", "% OK [APPENDUID 7 101] done\r\n")
        .then("APPEND", "% NO [TRYCREATE] none\r\n");
    let ask = async |connection: &mut Connection| {
        let inbox = MailboxName::inbox();
        let place = connection
            .append(&inbox, AppendOptions::default(), b"abc".to_vec(), soon())
            .await
            .unwrap();
        let nul = connection
            .append(&inbox, AppendOptions::default(), b"a\0".to_vec(), soon())
            .await
            .unwrap_err();
        assert_eq!(nul.kind(), ErrorKind::Invalid);
        place
    };
    assert_eq!(heard(script, ask).await.0, Some((7, 101)));
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_has_an_unknown_outcome() {
    let inbox = MailboxName::inbox();
    let script = Script::selected(3)
        .then("UID MOVE", "* OK [COPYUID 7 1 9] x\r\n")
        .close();
    let mut connection = script.connect_and_select().await;
    let lost = connection
        .uid_move(&1.into(), &inbox, soon())
        .await
        .unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::OutcomeUnknown);
    let script = Script::selected(3).then("UID MOVE", "% NO [TRYCREATE] none\r\n");
    let mut connection = script.connect_and_select().await;
    let refused = connection
        .uid_move(&1.into(), &inbox, soon())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn changes_are_cut_to_the_servers_limit() {
    let capabilities = "IMAP4rev1 UIDPLUS MOVE MESSAGELIMIT=2";
    let script = Script {
        capabilities: capabilities.into(),
        ..Script::selected(3)
    }
    .then("UID MOVE 1:2 ", "* OK [COPYUID 7 1:2 9:10] x\r\n% OK\r\n")
    .then("UID MOVE 3 ", "% OK [COPYUID 7 3 11] x\r\n")
    .then("UID STORE 1:2 -FLAGS.SILENT (\\Seen a)", "% OK\r\n")
    .then("UID EXPUNGE 4", "% OK\r\n");
    let ask = async |connection: &mut Connection| {
        let copied = connection
            .uid_move(&UidSet::range(1, 3), &MailboxName::encode("x"), soon())
            .await
            .unwrap();
        let keywords = ["a".to_owned()];
        let store = Store {
            action: StoreAction::Remove,
            flags: SystemFlags::SEEN,
            keywords: &keywords,
            unchanged_since: None,
        };
        connection
            .uid_store(&UidSet::range(1, 2), store, soon())
            .await
            .unwrap();
        connection.uid_expunge(&4.into(), soon()).await.unwrap();
        copied.unwrap().pairs
    };
    assert_eq!(heard(script, ask).await.0, [(1, 9), (2, 10), (3, 11)]);
}

#[tokio::test]
async fn a_list_falls_back_where_its_options_are_not_understood() {
    let capabilities = "IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE";
    let script = Script { capabilities: capabilities.into(), ..Script::selected(3) }
        .then("LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN))", "% BAD what?\r\n")
        .then("LIST \"\" \"*\"", "* LIST () \"/\" INBOX\r\n* LIST (\\Sent) \"/\" {4}\r\nGe&-\r\n* LIST (\\Noselect) NIL inbox\r\n% OK\r\n")
        .then("STATUS \"INBOX\"", "* STATUS INBOX (MESSAGES 3)\r\n% OK\r\n")
        .then("STATUS \"Ge&-\"", "% NO [NONEXISTENT] gone\r\n");
    let ask = async |connection: &mut Connection| {
        let listed = connection.list(true, soon()).await.unwrap();
        let names: Vec<MailboxName> = listed.iter().map(|l| l.name.clone()).collect();
        let statuses = connection.statuses(&names, soon()).await.unwrap();
        (listed, statuses)
    };
    let ((listed, statuses), _) = heard(script, ask).await;
    assert_eq!(
        listed.iter().map(|l| l.name.decoded()).collect::<Vec<_>>(),
        ["INBOX", "Ge&"]
    );
    assert!(listed[1].attributes.contains(MailboxAttributes::SENT));
    assert_eq!(statuses[0].as_ref().unwrap().messages, Some(3));
    assert_eq!(
        statuses[1].as_ref().unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
