//! What changes on a real server, and much of it.

use std::{sync::Arc, time::Duration};

use email_provider::ErrorKind;
use test_servers::{Dialect, Dovecot, GeneratedMail, small_corpus};

use super::{
    pool::OneServer,
    servers::{MAIL, account, open},
    *,
};

#[tokio::test]
async fn qresync_tells_of_flags_and_removals() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let config = account("u0004@test.local", dovecot.imap_port(), Security::None);
    let (mut one, mut other) = (open(&config).await.unwrap(), open(&config).await.unwrap());
    let inbox = MailboxName::inbox();
    for _ in 0..5 {
        one.append(&inbox, AppendOptions::default(), MAIL.to_vec(), soon())
            .await
            .unwrap();
    }
    let known = one
        .select(&inbox, SelectOptions::default(), soon())
        .await
        .unwrap()
        .state;
    let uids = one.uid_search(&SearchKey::All, soon()).await.unwrap();
    let (first, last) = (uids.first().unwrap(), uids.last().unwrap());
    other
        .select(&inbox, SelectOptions::default(), soon())
        .await
        .unwrap();
    let seen = Store {
        action: StoreAction::Add,
        flags: SystemFlags::SEEN,
        keywords: &[],
        unchanged_since: None,
    };
    other.uid_store(&first.into(), seen, soon()).await.unwrap();
    let deleted = Store {
        flags: SystemFlags::DELETED,
        ..seen
    };
    other
        .uid_store(&last.into(), deleted, soon())
        .await
        .unwrap();
    other.uid_expunge(&last.into(), soon()).await.unwrap();

    let mod_seq = known.highest_mod_seq.unwrap();
    let options = SelectOptions {
        qresync: Some((known.uid_validity, mod_seq)),
        ..SelectOptions::default()
    };
    let selection = one.select(&inbox, options, soon()).await.unwrap();
    assert_eq!(selection.vanished, last.into());
    assert_eq!(
        selection.changed.iter().map(|c| c.uid).collect::<Vec<_>>(),
        [first]
    );
    let mut changed = Vec::new();
    let mut each = |data: FetchData| {
        changed.push(data.uid);
        Ok(())
    };
    let since = ChangedSince {
        mod_seq,
        vanished: true,
    };
    let gone = one
        .uid_fetch(
            &UidSet::range(1, u32::MAX),
            &FetchItem::FLAGS.into(),
            Some(since),
            soon(),
            &mut each,
        )
        .await
        .unwrap();
    assert_eq!((gone, changed), (last.into(), vec![first]));
    let stale = Store {
        unchanged_since: Some(1),
        ..seen
    };
    assert_eq!(
        one.uid_store(&first.into(), stale, soon()).await.unwrap(),
        first.into()
    );
}

#[tokio::test]
async fn idle_tells_of_new_mail() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let config = account("u0005@test.local", dovecot.imap_port(), Security::None);
    let (mut watch, mut other) = (open(&config).await.unwrap(), open(&config).await.unwrap());
    let inbox = MailboxName::inbox();
    watch
        .select(&inbox, SelectOptions::default(), soon())
        .await
        .unwrap();
    let append = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        other
            .append(&inbox, AppendOptions::default(), MAIL.to_vec(), soon())
            .await
            .unwrap();
    };
    let (end, ()) = tokio::join!(watch.idle(soon()), append);
    assert_eq!(end.unwrap(), IdleEnd::Hint);
    assert_eq!(watch.selected().unwrap().exists, 1);
    assert!(watch.is_usable());
    dovecot
        .doveadm(&["kick", "u0005@test.local"])
        .await
        .unwrap();
    let lost = watch.idle(soon()).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unavailable, "{lost:?}");
}

#[tokio::test]
async fn every_message_of_a_corpus_is_read() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let user = "u0006@test.local";
    let mails: Vec<GeneratedMail> = small_corpus(7, 500).collect();
    let raw: Vec<Vec<u8>> = mails.iter().map(|mail| mail.raw.clone()).collect();
    let config = account(user, dovecot.imap_port(), Security::None);
    let network = OneServer::at(config.port);
    let pool = Arc::new(Pool::new(config, network).unwrap());
    let mut connection = pool.acquire(Class::Bulk, soon(), None).await.unwrap();
    let inbox = MailboxName::inbox();
    for mail in &raw {
        connection
            .append(&inbox, AppendOptions::default(), mail.clone(), soon())
            .await
            .unwrap();
    }
    let state = connection
        .select(&inbox, SelectOptions::default(), soon())
        .await
        .unwrap()
        .state;
    assert_eq!(state.exists, 500);
    let items = FetchItems {
        items: FetchItem::all() - FetchItem::PREVIEW,
        sections: vec![Section::message()],
        at_most: None,
    };
    let mut found = Vec::new();
    let mut each = |data: FetchData| {
        assert!(!data.damaged && data.envelope.is_some() && data.structure.is_some());
        found.push(data.section(&Section::message()).unwrap().to_vec());
        Ok(())
    };
    connection
        .uid_fetch(&UidSet::range(1, u32::MAX), &items, None, soon(), &mut each)
        .await
        .unwrap();
    assert!(found == raw);
}
