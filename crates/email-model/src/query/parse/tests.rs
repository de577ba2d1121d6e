use proptest::prelude::*;

use super::*;
use crate::FolderKey;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2024-03-31T12:00:00Z")
}

fn one(text: &str) -> Condition {
    let mut query = parse(text, now()).unwrap();
    assert_eq!(query.terms.len(), 1, "{text}");
    query.terms.remove(0).condition
}

fn reason(text: &str) -> String {
    parse(text, now()).unwrap_err().to_string()
}

fn text(value: &str) -> Condition {
    Condition::Text(value.into())
}

#[test]
fn terms_stand_side_by_side() {
    let query = parse("  hello\tAND from:Ann@x.org -\"two words\" ", now()).unwrap();
    let plain = |condition| Term {
        negated: false,
        condition,
    };
    assert_eq!(
        query.terms,
        [
            plain(text("hello")),
            plain(Condition::From("Ann@x.org".into())),
            Term {
                negated: true,
                condition: text("two words")
            },
        ]
    );
    assert_eq!(parse("", now()).unwrap(), MessageQuery::default());
}

#[test]
fn every_operator_is_known_in_any_case() {
    assert_eq!(one("TO:bob"), Condition::To("bob".into()));
    assert_eq!(one("cc:bob"), Condition::Cc("bob".into()));
    assert_eq!(one("bcc:bob"), Condition::Bcc("bob".into()));
    assert_eq!(one("subject:\"a b\""), Condition::Subject("a b".into()));
    assert_eq!(
        one("subject:re:hello"),
        Condition::Subject("re:hello".into())
    );
    assert_eq!(one("has:attachment"), Condition::HasAttachment);
    assert_eq!(one("is:Unread"), Condition::Unread);
    assert_eq!(one("is:seen"), Condition::Read);
    assert_eq!(one("is:starred"), Condition::Flagged);
    assert_eq!(one("in:inbox"), Condition::In(Place::Named("inbox".into())));
    assert_eq!(one("label:\"to do\""), Condition::Keyword("to do".into()));
    assert_eq!(
        one("rfc822msgid:<a:b@c>"),
        Condition::MessageId("a:b@c".into())
    );
    assert_eq!(one("rfc822msgid:a@c"), Condition::MessageId("a@c".into()));
}

#[test]
fn dates_are_midnight_utc() {
    for written in [
        "2024-01-31",
        "2024/01/31",
        "01/31/2024",
        "2024/1/31",
        "1/31/2024",
        "1706659200",
    ] {
        assert_eq!(
            one(&format!("after:{written}")),
            Condition::After(at("2024-01-31T00:00:00Z")),
            "{written}"
        );
    }
    assert_eq!(
        one("before:2024-01-31T10:00:00.5+02:00"),
        Condition::Before(at("2024-01-31T08:00:00.5Z"))
    );
    for written in [
        "31/01/2024",
        "2024-13-01",
        "01-31-2024",
        "2024-01-31T10:00:00",
        "soon",
        "99999999999999",
    ] {
        assert!(
            parse(&format!("after:{written}"), now()).is_err(),
            "{written}"
        );
    }
}

#[test]
fn ages_count_back_from_now() {
    assert_eq!(
        one("newer_than:7d"),
        Condition::After(at("2024-03-24T12:00:00Z"))
    );
    assert_eq!(
        one("older_than:1m"),
        Condition::Before(at("2024-02-29T12:00:00Z"))
    );
    assert_eq!(
        one("older_than:1y"),
        Condition::Before(at("2023-03-31T12:00:00Z"))
    );
    assert_eq!(
        one("newer_than:12h"),
        Condition::After(at("2024-03-31T00:00:00Z"))
    );
    for bad in [
        "7",
        "d",
        "7w",
        "-7d",
        "+7d",
        "9999y",
        "4294967295y",
        "99999999999d",
        "7é",
    ] {
        assert!(parse(&format!("newer_than:{bad}"), now()).is_err(), "{bad}");
    }
}

#[test]
fn sizes_are_in_powers_of_1024() {
    assert_eq!(one("larger:10M"), Condition::Larger(10 << 20));
    assert_eq!(one("smaller:5k"), Condition::Smaller(5 << 10));
    assert_eq!(one("smaller:5KB"), Condition::Smaller(5 << 10));
    assert_eq!(one("larger:1000"), Condition::Larger(1_000));
    for bad in [
        "M",
        "-1",
        "1.5M",
        "10X",
        "99999999999999999999",
        "18446744073709551615K",
    ] {
        assert!(parse(&format!("larger:{bad}"), now()).is_err(), "{bad}");
    }
}

#[test]
fn quotes_keep_text_as_it_stands() {
    assert_eq!(one(r#""from:ann""#), text("from:ann"));
    assert_eq!(one(r#""say \"hi\" \\ ""#), text(r#"say "hi" \ "#));
    assert_eq!(one(r#"5"tape"#), text(r#"5"tape"#));
    assert_eq!(one("\"OR\""), text("OR"));
    assert!(reason("\"open").contains("closing quote"));
    assert!(reason("\"open\\\"").contains("closing quote"));
    assert!(reason("\"a\"b").contains("space must follow"));
    assert!(reason("\"  \"").contains("nothing between"));
}

#[test]
fn an_unknown_prefix_is_text() {
    for word in [
        "https://example.org/a?b=c",
        "12:30",
        "Re:",
        "urn:isbn:1",
        "ann@x.org",
        ":x",
        "a-b",
    ] {
        assert_eq!(one(word), text(word));
    }
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    assert_eq!(
        reason("ann OR bob"),
        "`OR` at position 5: alternatives are not supported: all terms must hold"
    );
    assert!(reason("{a b}").contains("braces"));
    assert!(reason("(a b)").contains("groups"));
    assert!(reason("from:(a b)").contains("groups"));
    assert!(reason("filename:pdf").contains("`filename:pdf` at position 1"));
    assert!(reason("has:drive").contains("has:attachment"));
    assert!(reason("is:muted").contains("is:unread"));
    assert!(reason("é from:").contains("`from:` at position 3"));
    assert!(reason("a -").contains("nothing to negate"));
}

#[test]
fn length_terms_and_control_characters_are_bounded() {
    assert_eq!(parse(&"é".repeat(2_001), now()), Err(QueryError::TooLong));
    assert!(parse(&"é".repeat(2_000), now()).is_ok());
    assert_eq!(
        parse(&"a ".repeat(51), now()),
        Err(QueryError::TooManyTerms)
    );
    assert!(parse(&"a AND ".repeat(50), now()).is_ok());
    for bad in ["a\0", "a\r", "\"a\nb\"", "a\u{7f}", "a\u{85}"] {
        assert!(
            matches!(parse(bad, now()), Err(QueryError::ControlCharacter { .. })),
            "{bad:?}"
        );
    }
}

fn value() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{0,20}".prop_filter("not blank", |value| !value.trim().is_empty())
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800_i64..253_402_300_800, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| Timestamp::from_timestamp(seconds, nanos).unwrap())
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        value().prop_map(Condition::Text),
        Just(text("AND")),
        Just(text("from:x")),
        Just(text("-x")),
        value().prop_map(Condition::From),
        value().prop_map(Condition::To),
        value().prop_map(Condition::Cc),
        value().prop_map(Condition::Bcc),
        value().prop_map(Condition::Subject),
        moment().prop_map(Condition::After),
        moment().prop_map(Condition::Before),
        Just(Condition::HasAttachment),
        Just(Condition::Unread),
        Just(Condition::Read),
        Just(Condition::Flagged),
        value().prop_map(|name| Condition::In(Place::Named(name))),
        value().prop_map(Condition::Keyword),
        any::<u64>().prop_map(Condition::Larger),
        any::<u64>().prop_map(Condition::Smaller),
        value().prop_map(Condition::MessageId),
    ]
}

proptest! {
    #[test]
    fn any_query_survives_being_written(
        terms in prop::collection::vec((any::<bool>(), condition()), 0..20)
    ) {
        let terms = terms.into_iter().map(|(negated, condition)| Term { negated, condition });
        let query = MessageQuery { terms: terms.collect() };
        prop_assert_eq!(parse(&query.to_string(), now()), Ok(query));
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = parse(&text, now());
    }

    #[test]
    fn no_grammatical_text_panics(
        text in r#"((from|after|newer_than|larger|in|is|x):?|[-"\\(){}|<> ]|[0-9]{1,12}[dKé/-]?|é|AND |OR )*"#
    ) {
        if let Ok(query) = parse(&text, now()) {
            prop_assert_eq!(parse(&query.to_string(), now()), Ok(query));
        }
    }
}

#[test]
fn resolved_folders_are_shown_by_their_keys() {
    let place = Place::Folders(vec![FolderKey("a".into()), FolderKey("b c".into())]);
    assert_eq!(Condition::In(place).to_string(), "in:\"a,b c\"");
}
