//! Against real servers: Dovecot with every extension and with few, and Courier with next to none.

use std::time::Duration;

use email_provider::ErrorKind;
use test_servers::{Courier, Dialect, Dovecot, PASSWORD};

use super::{pool::OneServer, *};

pub(super) const MAIL: &[u8] = b"Subject: hello\r\nFrom: \"A \\\"B\\\" C\" <a@test.local>\r\nMessage-ID: <1@test.local>\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n";

pub(super) fn account(user: &str, port: u16, security: Security) -> ImapConfig {
    let auth = Auth::Password {
        login: user.into(),
        password: PASSWORD.to_owned().into(),
    };
    ImapConfig {
        port,
        security,
        auth,
        trust_server: false,
        ..config()
    }
}

pub(super) async fn open(config: &ImapConfig) -> Result<Connection> {
    let network = OneServer::at(config.port);
    Connection::open(config, &Tls::new(config)?, &*network, soon()).await
}

/// The whole life of messages, for whatever the server offers.
async fn lives(connection: &mut Connection, prefix: &str, rich: bool) {
    let name = format!("{prefix}Entwürfe & \"日本\"");
    let (folder, inbox) = (MailboxName::encode(&name), MailboxName::inbox());
    connection.create(&folder, soon()).await.unwrap();
    let twice = connection.create(&folder, soon()).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Conflict, "{twice:?}");
    let listed = connection.list(true, soon()).await.unwrap();
    let found = listed.iter().find(|l| l.name == folder).unwrap();
    assert_eq!(found.name.decoded(), name);
    assert_eq!(found.status.is_some(), rich);

    let keywords = ["$Forwarded".to_owned()];
    let options = AppendOptions {
        flags: SystemFlags::SEEN,
        keywords: &keywords,
        received_at: None,
    };
    for _ in 0..3 {
        assert!(
            connection
                .append(&folder, options, MAIL.to_vec(), soon())
                .await
                .unwrap()
                .is_some()
        );
    }
    let none = MailboxName::encode(&format!("{prefix}none"));
    let missing = connection
        .append(&none, options, MAIL.to_vec(), soon())
        .await
        .unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing:?}");

    let selection = connection
        .select(&folder, SelectOptions::default(), soon())
        .await
        .unwrap();
    assert_eq!(selection.state.exists, 3);
    assert_eq!(
        selection.state.highest_mod_seq.is_some(),
        connection.has(Capability::CONDSTORE)
    );
    let status = connection.status(&folder, soon()).await.unwrap();
    assert_eq!(
        (status.messages, status.uid_validity),
        (Some(3), Some(selection.state.uid_validity))
    );

    let uids = connection
        .uid_search(&SearchKey::All, soon())
        .await
        .unwrap();
    assert_eq!(uids.len(), 3);
    let search = SearchKey::And(vec![
        SearchKey::Subject("HELLO".into()),
        SearchKey::Keyword("$Forwarded".into()),
    ]);
    assert_eq!(connection.uid_search(&search, soon()).await.unwrap(), uids);
    assert_eq!(
        connection
            .uid_search(&SearchKey::Body("grüße".into()), soon())
            .await
            .unwrap(),
        uids
    );
    assert!(
        connection
            .uid_search(&SearchKey::Text("日本".into()), soon())
            .await
            .unwrap()
            .is_empty()
    );

    let items = FetchItems {
        items: FetchItem::all(),
        sections: vec![Section::message(), Section::header_fields(&["Subject"])],
        at_most: None,
    };
    let mut fetched = Vec::new();
    let mut each = |data| {
        fetched.push(data);
        Ok(())
    };
    connection
        .uid_fetch(&UidSet::range(1, u32::MAX), &items, None, soon(), &mut each)
        .await
        .unwrap();
    assert_eq!(fetched.len(), 3);
    for data in &fetched {
        assert!(!data.damaged && uids.contains(data.uid));
        let flags = data.flags.as_ref().unwrap();
        assert!(
            flags.system.contains(SystemFlags::SEEN)
                && flags.keywords.contains(&"$Forwarded".into())
        );
        assert_eq!(data.section(&Section::message()).unwrap(), MAIL);
        assert_eq!(
            data.section(&Section::header_fields(&["Subject"])).unwrap(),
            "Subject: hello\r\n\r\n"
        );
        assert_eq!(data.size, Some(MAIL.len() as u64));
        assert_eq!(
            data.envelope.as_ref().unwrap().from[0].name.as_deref(),
            Some(&b"A \"B\" C"[..])
        );
        assert_eq!(
            data.structure.as_ref().unwrap().parameter("charset"),
            Some(&b"utf-8"[..])
        );
        assert!(data.internal_date.is_some());
    }
    let first = uids.first().unwrap();
    let (mut whole, section) = (Vec::new(), Section::message());
    loop {
        let offset = u32::try_from(whole.len()).unwrap();
        match connection
            .fetch_piece(first, &section, offset, 50, soon())
            .await
            .unwrap()
        {
            Piece::Octets(octets) if octets.is_empty() => break,
            Piece::Octets(octets) => whole.extend_from_slice(&octets),
            piece => panic!("{piece:?}"),
        }
    }
    assert_eq!(whole, MAIL);
    assert_eq!(
        connection
            .fetch_piece(999_999, &section, 0, 50, soon())
            .await
            .unwrap(),
        Piece::NoMessage
    );

    let store = Store {
        action: StoreAction::Remove,
        flags: SystemFlags::SEEN,
        keywords: &keywords,
        unchanged_since: None,
    };
    connection
        .uid_store(&first.into(), store, soon())
        .await
        .unwrap();
    assert_eq!(
        connection
            .uid_search(&SearchKey::Seen.negated(), soon())
            .await
            .unwrap(),
        first.into()
    );
    let copied = connection
        .uid_copy(&first.into(), &inbox, soon())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(copied.pairs[0].0, first);
    if connection.has(Capability::MOVE) {
        let moved = connection
            .uid_move(&first.into(), &inbox, soon())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(moved.pairs.len(), 1);
    } else {
        let delete = Store {
            action: StoreAction::Add,
            flags: SystemFlags::DELETED,
            keywords: &[],
            unchanged_since: None,
        };
        connection
            .uid_store(&first.into(), delete, soon())
            .await
            .unwrap();
        connection.uid_expunge(&first.into(), soon()).await.unwrap();
    }
    let fresh = SelectOptions {
        fresh: true,
        ..SelectOptions::default()
    };
    assert_eq!(
        connection
            .select(&folder, fresh, soon())
            .await
            .unwrap()
            .state
            .exists,
        2
    );
    assert_eq!(
        connection
            .select(&inbox, fresh, soon())
            .await
            .unwrap()
            .state
            .mailbox,
        inbox
    );
    let absent = connection.select(&none, fresh, soon()).await.unwrap_err();
    assert!(matches!(absent, Error::No(_)), "{absent:?}");
    connection.delete(&folder, soon()).await.unwrap();
}

#[tokio::test]
async fn messages_live_on_dovecot() {
    for (dialect, rich) in [
        (Dialect::Qresync, true),
        (Dialect::CondstoreOnly, true),
        (Dialect::Plain, false),
    ] {
        let dovecot = Dovecot::shared(dialect).await.unwrap();
        let mut connection = open(&account(
            "u0001@test.local",
            dovecot.imap_port(),
            Security::None,
        ))
        .await
        .unwrap();
        assert_eq!(connection.has_qresync(), dialect == Dialect::Qresync);
        lives(&mut connection, "", rich).await;
        connection.close().await;
    }
}

#[tokio::test]
async fn messages_live_on_courier() {
    let courier = Courier::start().await.unwrap();
    let mut connection = open(&account(
        "bob@test.local",
        courier.imap_port(),
        Security::None,
    ))
    .await
    .unwrap();
    let namespaces = connection.namespace(soon()).await.unwrap();
    assert_eq!(
        namespaces.personal,
        [(MailboxName::encode("INBOX."), Some('.'))]
    );
    lives(&mut connection, "INBOX.", false).await;
    assert!(matches!(
        connection
            .run(command::Command::new("NONSENSE"), soon())
            .await,
        Err(Error::Bad(_))
    ));
    connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await
        .unwrap();
    assert_eq!(
        connection
            .idle(Instant::now() + Duration::from_millis(300))
            .await
            .unwrap(),
        IdleEnd::Quiet
    );
    connection.close().await;
}
