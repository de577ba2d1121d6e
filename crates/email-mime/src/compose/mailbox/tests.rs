use super::*;

fn address_of(address: &str) -> Result<String, Rule> {
    Mailbox::parse(&Address::bare(address), "to")
        .map(|mailbox| mailbox.address())
        .map_err(|invalid| invalid.rule)
}

#[test]
fn ordinary_addresses_stay_as_they_are() {
    for address in [
        "ann@example.org",
        "ann.lee+tag@mail.example.org",
        "o'brien_1/x=y@example.org",
        "{a}|b~c^d`e*f&g$h#i?@example.org",
        "root@localhost",
        "\"abc..d.\"@example.org",
        "Ann@example.org",
    ] {
        assert_eq!(address_of(address).as_deref(), Ok(address));
    }
    assert_eq!(
        address_of(" ann@EXAMPLE.org ").as_deref(),
        Ok("ann@example.org")
    );
    assert_eq!(
        address_of("\"ann\"@example.org").as_deref(),
        Ok("ann@example.org")
    );
}

#[test]
fn an_international_domain_is_written_in_ascii() {
    for domain in [
        "bücher.example",
        "BÜCHER.example",
        "bu\u{308}cher.example",
        "xn--bcher-kva.example",
    ] {
        assert_eq!(
            address_of(&format!("ann@{domain}")).as_deref(),
            Ok("ann@xn--bcher-kva.example"),
            "{domain}"
        );
    }
}

#[test]
fn a_local_part_of_another_script_needs_smtputf8() {
    for local in ["empfänger", "用户", "अजय", "почта.один", "संपर्क"]
    {
        let address = Address::bare(format!("{local}@example.org"));
        let mailbox = Mailbox::parse(&address, "to").unwrap();
        assert!(mailbox.is_internationalised(), "{local}");
    }
}

#[test]
fn what_two_readers_could_take_for_different_addresses_is_refused() {
    for address in [
        "\"a@evil.example x\"@internal.example",
        "\"a@evil.example\"@internal.example",
        "a@evil.example@internal.example",
        "ann(comment)@example.org",
        "ann@(comment)example.org",
        "ann@example.org(comment)",
        "Ann <ann@example.org>",
        "<ann@example.org>",
        "ann@example.org, bob@example.org",
        "ann@example.org;bob@example.org",
        "team:ann@example.org;",
        "@relay.example:ann@example.org",
        "@relay.example,@other.example:ann@example.org",
        "ann%example.org@relay.example",
        "relay.example!ann@example.org",
        "ann @example.org",
        "ann@ example.org",
        "ann lee@example.org",
        "\"ann lee\"@example.org",
        "\"ann\\\"lee\"@example.org",
        "\"\"@example.org",
        "ann@[127.0.0.1]",
        "ann@[IPv6:::1]",
        "ann@127.0.0.1",
        "ann@2130706433",
        "ann\\@example.org",
        "ann\u{ff20}evil.example@example.org",
        "ann\u{2474}@example.org",
        "an\u{200b}n@example.org",
        "ann\u{202e}@example.org",
        "ann\u{a0}lee@example.org",
        "ann@exam\u{ad}ple.org",
        "ann@exa\u{ff4d}ple.org",
        "ann@example\u{3002}org",
    ] {
        assert_eq!(address_of(address), Err(Rule::Ambiguous), "{address:?}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for address in [
        "ann",
        "ann@",
        "@example.org",
        ".ann@example.org",
        "ann.@example.org",
        "a..b@example.org",
    ] {
        assert_eq!(address_of(address), Err(Rule::NotAnAddress), "{address:?}");
    }
    for address in [
        "ann@example..org",
        "ann@example.org.",
        "ann@-x.org",
        "ann@a_b.org",
        "ann@xn--a.org",
    ] {
        assert_eq!(address_of(address), Err(Rule::Domain), "{address:?}");
    }
    assert_eq!(address_of(""), Err(Rule::Missing));
    assert_eq!(
        address_of(&format!("{}@x.org", "a".repeat(65))),
        Err(Rule::TooLong(64))
    );
    let domain = [
        "b".repeat(60),
        "c".repeat(60),
        "d".repeat(60),
        "e".repeat(60),
    ]
    .join(".");
    assert_eq!(
        address_of(&format!("{}@{domain}", "a".repeat(60))),
        Err(Rule::TooLong(254))
    );
}

#[test]
fn control_characters_are_refused_in_both_fields() {
    for control in [
        "\r",
        "\n",
        "\0",
        "\r\nRCPT TO:<x@y>",
        "\u{85}",
        "\u{1b}",
        "\t",
    ] {
        assert_eq!(
            address_of(&format!("ann{control}@example.org")),
            Err(Rule::Control)
        );
        assert_eq!(
            address_of(&format!("ann@example.org>{control}")),
            Err(Rule::Control)
        );
        let address = Address {
            name: Some(format!("Ann{control}Lee")),
            address: Some("ann@example.org".into()),
        };
        assert_eq!(
            Mailbox::parse(&address, "cc[3]"),
            Err(Rule::Control.at("cc[3].name"))
        );
    }
}

#[test]
fn duplicates_are_folded() {
    let list = ["ann@x.org", "ann@X.ORG", "\"ann\"@x.org", "bob@x.org"].map(Address::bare);
    let read: Vec<_> = read_all(&list, "to", false)
        .unwrap()
        .iter()
        .map(Mailbox::address)
        .collect();
    assert_eq!(read, ["ann@x.org", "bob@x.org"]);
}

proptest::proptest! {
    #[test]
    fn an_accepted_address_has_one_reading(
        text in "[a-z\"@(),<>.:;%!\\\\ \\[\\]\u{e9}+=?_-]{0,8}@[a-zA-Z0-9.@()\\[\\]\u{fc}-]{1,10}",
    ) {
        let Ok(mailbox) = Mailbox::parse(&Address::bare(text), "to") else {
            return Ok(());
        };
        let address = mailbox.address();
        proptest::prop_assert_eq!(address.matches('@').count(), 1);
        proptest::prop_assert!(!address.contains(['(', ')', '<', '>', ',', ';', ':', ' ', '%', '!', '[', '\\']));
        proptest::prop_assert!(mailbox.domain().is_ascii());
        let again = Mailbox::parse(&Address::bare(address.clone()), "to");
        proptest::prop_assert_eq!(again.as_ref(), Ok(&mailbox));
        for written in [address.clone(), format!("\"Ann\" <{address}>"), format!("<{address}>")] {
            let read = crate::headers::parse_addresses(written.as_bytes());
            proptest::prop_assert_eq!(read.len(), 1);
            proptest::prop_assert_eq!(read[0].address.as_deref(), Some(address.as_str()));
        }
    }
}
