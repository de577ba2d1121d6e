use super::*;

const HERE: Asker = Asker::Application(ApplicationId(1));

fn visitor(address: &str) -> Asker {
    Asker::Visitor(Some(address.parse().unwrap()))
}

#[test]
fn a_login_is_refused_after_five_failures_whoever_asks() {
    let throttle = ConnectThrottle::default();
    for _ in 0..OF_A_LOGIN {
        let _failed = throttle.attempt(HERE, "imap.example.org", "ann").unwrap();
    }
    for asker in [Asker::Application(ApplicationId(2)), visitor("192.0.2.1")] {
        let refused = throttle
            .attempt(asker, "IMAP.example.org", "Ann")
            .unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::RateLimited);
        assert!(refused.retry_after.is_some());
    }
    assert!(throttle.attempt(HERE, "imap.example.org", "bob").is_ok());
}

#[test]
fn sign_ins_that_work_are_never_refused() {
    let throttle = ConnectThrottle::default();
    for asker in [HERE, visitor("192.0.2.1")] {
        for _ in 0..1_000 {
            throttle
                .attempt(asker, "imap.example.org", "ann")
                .unwrap()
                .succeeded();
        }
    }
}

#[test]
fn one_password_tried_on_many_logins_is_refused() {
    let throttle = ConnectThrottle::default();
    for n in 0..OF_A_SERVER {
        let _failed = throttle
            .attempt(HERE, "imap.example.org", &format!("user{n}"))
            .unwrap();
    }
    let another = |server| throttle.attempt(HERE, server, "another");
    assert!(another("imap.example.org").is_err());
    assert!(another("imap.example.net").is_ok());
}

#[test]
fn a_search_for_servers_is_refused() {
    let throttle = ConnectThrottle::default();
    for n in 0..OF_AN_APPLICATION {
        let _failed = throttle
            .attempt(HERE, &format!("10.0.0.{n}"), "ann")
            .unwrap();
    }
    assert!(throttle.attempt(HERE, "imap.example.net", "ann").is_err());
}

#[test]
fn a_visitor_is_refused_after_twenty_failures_and_no_application_with_it() {
    let throttle = ConnectThrottle::default();
    for n in 0..OF_A_VISITOR {
        let address = visitor(&format!("2001:db8::{n:x}"));
        let _failed = throttle
            .attempt(address, &format!("imap{n}.example.org"), "ann")
            .unwrap();
    }
    let there = visitor("2001:db8::ffff");
    assert!(throttle.attempt(there, "imap.example.org", "ann").is_err());
    let elsewhere = visitor("2001:db8:0:1::1");
    for asker in [elsewhere, HERE] {
        assert!(throttle.attempt(asker, "imap.example.org", "bob").is_ok());
    }
}

#[test]
fn a_server_is_not_tried_from_many_addresses() {
    let throttle = ConnectThrottle::default();
    for n in 0..OF_A_VISITED_SERVER {
        let address = visitor(&format!("192.0.2.{n}"));
        let _failed = throttle
            .attempt(address, "imap.example.org", &format!("user{n}"))
            .unwrap();
    }
    let another = visitor("198.51.100.1");
    assert!(throttle.attempt(another, "imap.example.org", "x").is_err());
    assert!(throttle.attempt(HERE, "imap.example.org", "x").is_ok());
}

#[test]
fn an_address_begins_so_many_sign_ins_and_no_more() {
    let throttle = ConnectThrottle::default();
    let address = Some(IpAddr::from([192, 0, 2, 1]));
    for _ in 0..BEGUN {
        throttle.begin(address).unwrap();
    }
    assert!(throttle.begin(address).is_err());
    assert!(throttle.begin(None).is_ok());
}

#[test]
fn consents_at_a_provider_share_no_counter_but_that_of_who_asks() {
    let throttle = ConnectThrottle::default();
    for n in 0..2 * OF_A_VISITED_SERVER {
        let address = visitor(&format!("192.0.2.{n}"));
        let _failed = throttle.attempt(address, "provider", "").unwrap();
    }
    for n in 0..OF_A_VISITOR {
        let address = visitor("198.51.100.1");
        let failed = throttle.attempt(address, "provider", "");
        assert!(failed.is_ok(), "{n}");
    }
    let refused = throttle.attempt(visitor("198.51.100.1"), "provider", "");
    assert!(refused.is_err());
    for _ in 0..OF_AN_APPLICATION {
        let _failed = throttle.attempt(HERE, "provider", "").unwrap();
    }
    assert!(throttle.attempt(HERE, "provider", "").is_err());
}
