//! Whatever may be sent arrives as it was sent.

use super::*;

/// Text of one line, full of what means something somewhere.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 ]{1,20}",
        "\\PC{1,10}",
        prop::sample::select(vec![
            "=?utf-8?q?x?=",
            "=?",
            "?=",
            "\"",
            "\\",
            "<",
            ">",
            "@",
            ",",
            ";",
            ":",
            "(",
            ")",
            "%41",
            "'",
            "*0*=",
            "..",
            "  ",
            "é",
            "日本語",
            "\u{1f600}",
            "\u{202e}",
            "\u{a0}",
            "\u{3000}",
            "\u{2028}",
            "\u{feff}",
            "x@y.example",
            "a\u{301}",
            "_",
            "=",
            "=20",
            "&amp;",
            "#",
            "/",
            "~",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

fn squeezed(text: &str) -> String {
    let text = text.replace('\u{feff}', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nasty_names_subjects_and_files_are_read_back(
        name in nasty(), subject in nasty(), value in nasty(), file_name in nasty(), text in nasty(),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assume!([&name, &subject, &value, &file_name].iter().all(|text| !squeezed(text).is_empty()));
        let text = text.replace('\u{feff}', "");
        let mut message = letter();
        message.to = vec![person(&name, "bob@there.example"), person(&name, "eve@there.example")];
        message.subject = Some(subject.clone());
        message.headers = vec![header("X-Note", &value)];
        message.body = Body { text: Some(text.clone()), html: Some(text.clone()) };
        message.attachments = vec![file(&file_name, "application/x-thing; a=b", &bytes)];
        let composed = send(&message).map_err(|error| TestCaseError::fail(format!("{error}: {message:?}")))?;
        let raw = composed.to_bytes(Form::Kept).unwrap();
        prop_assert!(raw.is_ascii());
        prop_assert!(raw.split(|b| *b == b'\n').all(|line| line.len() <= 998));
        let content = parse(&raw).unwrap().content;
        prop_assert_eq!(content.envelope.to.len(), 2);
        prop_assert_eq!(squeezed(content.envelope.to[0].name.as_deref().unwrap()), squeezed(&name));
        prop_assert_eq!(squeezed(&content.envelope.subject.unwrap()), squeezed(&subject));
        let note = content.headers.iter().find(|h| h.name == "X-Note").unwrap();
        prop_assert_eq!(squeezed(&note.value), squeezed(&value));
        prop_assert_eq!(content.body.text.as_deref(), Some(text.as_str()));
        prop_assert_eq!(content.body.html.as_deref(), Some(text.as_str()));
        let attached = &content.envelope.attachments.unwrap()[0];
        prop_assert_eq!(attachment(&raw, &attached.part).unwrap(), bytes);
    }

    #[test]
    fn nothing_composed_holds_more_than_was_asked_for(
        any in prop::collection::vec(".{0,40}", 12), which in 0..4_usize,
    ) {
        let mut message = letter();
        message.from = Some(person(&any[0], "ann@here.example"));
        message.cc = vec![Address { name: Some(any[1].clone()), address: Some(any[2].clone()) }];
        message.headers = vec![header(&any[3], &any[4])];
        message.list_headers = vec![header("List-Id", &any[5])];
        message.in_reply_to = Some(any[6].clone());
        message.attachments = vec![OutgoingAttachment {
            content_id: Some(any[7].clone()),
            mime_type: Some(any[8].clone()),
            ..file(&any[9], "x/y", b"")
        }];
        message.subject = Some(any[10].clone());
        // With everything at once, hardly anything would pass.
        let keep = |n: usize| n == which;
        if !keep(0) { message.cc.clear(); }
        if !keep(1) { message.headers.clear(); message.list_headers.clear(); }
        if !keep(2) { message.in_reply_to = None; }
        if !keep(3) { message.attachments.clear(); }
        if let Ok(composed) = send(&message) {
            let raw = composed.to_bytes(Form::Wire).unwrap();
            let names: Vec<_> = parse(&raw).unwrap().content.headers.into_iter().map(|h| h.name).collect();
            let most = 8 + usize::from(message.subject.is_some()) + message.cc.len() + message.headers.len()
                + message.list_headers.len() + usize::from(message.in_reply_to.is_some());
            prop_assert!(names.len() <= most, "{names:?}");
            prop_assert!(!names.iter().any(|name| name.eq_ignore_ascii_case("bcc")));
        }
    }
}
