use email_model::Timestamp;
use google_gmail1::api;

use super::*;

fn table() -> LabelTable {
    LabelTable::new(vec![api::Label {
        id: Some("Label_1".into()),
        name: Some("Harvest".into()),
        type_: Some("user".into()),
        ..api::Label::default()
    }])
}

/// Query, labels and whether the term is applied exactly.
fn compiled(condition: Condition, negated: bool) -> (String, Vec<String>, bool) {
    let table = table();
    let scope = SearchScope::Everywhere {
        trash_and_junk: false,
    };
    let mut compiled = Compiled::new(&table, &scope).unwrap();
    compiled.add(0, &Term { negated, condition });
    let is_exact = compiled.unchecked.is_empty();
    (compiled.query.join(" "), compiled.labels, is_exact)
}

fn text(condition: fn(String) -> Condition, text: &str) -> (String, bool) {
    let (query, labels, is_exact) = compiled(condition(text.into()), false);
    assert!(labels.is_empty());
    (query, is_exact)
}

#[test]
fn a_text_is_quoted_whatever_it_holds() {
    assert_eq!(text(Condition::Text, "a b"), ("\"a b\"".into(), true));
    assert_eq!(
        text(Condition::Subject, "-in:trash OR {x}"),
        ("subject:\"-in:trash OR {x}\"".into(), true)
    );
    assert_eq!(
        text(Condition::From, "a\" OR in:anywhere \""),
        ("from:\"a  OR in:anywhere\"".into(), false)
    );
    assert_eq!(text(Condition::To, "a\r\nb"), ("to:\"a  b\"".into(), false));
    assert_eq!(text(Condition::Text, "\"\""), (String::new(), false));
    assert_eq!(
        text(Condition::MessageId, "a@b"),
        ("rfc822msgid:a@b".into(), true)
    );
    assert_eq!(
        text(Condition::MessageId, "a@b OR x"),
        (String::new(), false)
    );
}

#[test]
fn dates_are_seconds_and_left_to_be_checked() {
    let time = Timestamp::from_timestamp(1_000, 0).unwrap();
    let query = |condition, negated| {
        let (query, _, is_exact) = compiled(condition, negated);
        assert!(!is_exact);
        query
    };
    assert_eq!(query(Condition::After(time), false), "after:999");
    assert_eq!(query(Condition::After(time), true), "before:1002");
    assert_eq!(query(Condition::Before(time), false), "before:1002");
    assert_eq!(query(Condition::Before(time), true), "after:999");
}

#[test]
fn flags_and_single_places_are_labels() {
    let of = |condition, negated| compiled(condition, negated);
    let label = |label: &str| (String::new(), vec![label.to_owned()], true);
    let query = |query: &str| (query.to_owned(), vec![], true);
    assert_eq!(of(Condition::Unread, false), label("UNREAD"));
    assert_eq!(of(Condition::Unread, true), query("-is:unread"));
    assert_eq!(of(Condition::Read, false), query("-is:unread"));
    assert_eq!(of(Condition::Read, true), label("UNREAD"));
    assert_eq!(of(Condition::Flagged, true), query("-is:starred"));
    let important = || Condition::In(Place::Named("important".into()));
    assert_eq!(of(important(), false), label("IMPORTANT"));
    assert_eq!(of(important(), true), query("-is:important"));
    let folders = |keys: &[&str]| {
        let keys = keys.iter().map(|key| FolderKey((*key).into())).collect();
        Condition::In(Place::Folders(keys))
    };
    assert_eq!(of(folders(&["Label_1"]), false), label("Label_1"));
    assert_eq!(
        of(folders(&["INBOX", "SENT"]), false),
        query("{in:inbox in:sent}")
    );
    assert_eq!(
        of(folders(&["INBOX", "SENT"]), true),
        query("-in:inbox -in:sent")
    );
    assert!(!of(folders(&["INBOX", "Label_1"]), false).2);
    assert_eq!(
        of(Condition::Keyword("harvest".into()), false),
        label("Label_1")
    );
    assert!(!of(Condition::Keyword("harvest".into()), true).2);
}

#[test]
fn sizes_are_searched_for_wider_than_asked() {
    assert_eq!(compiled(Condition::Larger(800), false).0, "larger:698");
    assert_eq!(compiled(Condition::Smaller(800), false).0, "smaller:902");
    assert_eq!(
        compiled(Condition::Larger(u64::MAX), true).0,
        format!("smaller:{}", u64::MAX)
    );
}
