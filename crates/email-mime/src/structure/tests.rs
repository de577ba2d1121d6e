use super::*;

fn part(mime_type: &str) -> Part {
    Part {
        mime_type: mime_type.to_owned(),
        encoded_size: Some(78),
        ..Part::default()
    }
}

fn named(mime_type: &str, name: &str) -> Part {
    Part {
        file_name: Some(name.to_owned()),
        ..part(mime_type)
    }
}

fn multipart(subtype: &str, children: impl Into<Vec<Part>>) -> Part {
    Part {
        children: children.into(),
        ..part(&format!("multipart/{subtype}"))
    }
}

fn related(mime_type: &str, disposition: Option<&str>) -> Part {
    Part {
        content_id: Some("img@x".into()),
        disposition: disposition.map(str::to_owned),
        ..named(mime_type, "img.png")
    }
}

/// Section numbers of plain text, HTML, attachments, inline ones in parentheses.
fn sorted(root: &Part) -> (String, String, String) {
    let structure = classify(root);
    let ids = |parts: &[TextPart]| {
        let ids: Vec<_> = parts.iter().map(|part| part.part.to_string()).collect();
        ids.join(" ")
    };
    let attachments: Vec<_> = structure
        .attachments
        .iter()
        .map(|a| {
            if a.inline {
                format!("({})", a.part)
            } else {
                a.part.to_string()
            }
        })
        .collect();
    (
        ids(&structure.text),
        ids(&structure.html),
        attachments.join(" "),
    )
}

fn expect(root: &Part, text: &str, html: &str, attachments: &str) {
    assert_eq!(
        sorted(root),
        (text.to_owned(), html.to_owned(), attachments.to_owned())
    );
}

#[test]
fn a_message_of_one_part_is_section_1() {
    expect(&part("text/plain"), "1", "1", "");
    expect(&part("text/html"), "1", "1", "");
    expect(&named("text/plain", "a.txt"), "1", "1", "");
    expect(&part("application/pdf"), "", "", "1");
    let attached = Part {
        disposition: Some("attachment".into()),
        ..part("text/plain")
    };
    expect(&attached, "", "", "1");
    expect(&multipart("mixed", []), "1", "1", "");
}

#[test]
fn alternatives_give_one_body_each() {
    let both = multipart("alternative", [part("text/plain"), part("text/html")]);
    expect(&both, "1", "2", "");
    expect(
        &multipart("mixed", [both, named("application/pdf", "a.pdf")]),
        "1.1",
        "1.2",
        "2",
    );
    let only = multipart("alternative", [part("text/html")]);
    expect(&only, "1", "1", "");
}

#[test]
fn other_alternatives_are_inline_attachments() {
    let invitation = multipart(
        "alternative",
        [
            part("text/plain"),
            part("text/x-amp-html"),
            part("text/html"),
            Part {
                method: Some("REQUEST".into()),
                ..part("text/calendar")
            },
        ],
    );
    let with_file = multipart(
        "mixed",
        [invitation, named("application/ics", "invite.ics")],
    );
    expect(&with_file, "1.1", "1.3", "(1.2) (1.4) 2");
    assert_eq!(
        classify(&with_file).meeting_method,
        Some(MeetingMethod::Request)
    );
}

#[test]
fn pictures_of_the_html_are_inline() {
    let rich = multipart(
        "related",
        [
            part("text/html"),
            related("image/png", None),
            related("image/png", Some("attachment")),
        ],
    );
    expect(&rich, "1", "1", "(2) 3");
    let nested = multipart("alternative", [part("text/plain"), rich]);
    expect(&nested, "1", "2.1", "(2.2) 2.3");
    let mut structure = classify(&nested);
    structure.mark_inline("<img src='CID:img@x'>");
    assert!(
        structure
            .attachments
            .iter()
            .all(|attachment| attachment.inline)
    );
}

#[test]
fn text_after_an_attachment_is_body_and_a_named_file_is_none() {
    let mail = multipart(
        "mixed",
        [
            part("text/plain"),
            named("image/jpeg", "a.jpg"),
            part("text/plain"),
            named("text/plain", "log.txt"),
            Part {
                disposition: Some("attachment".into()),
                ..part("text/html")
            },
            part("text/csv"),
        ],
    );
    expect(&mail, "1 3", "1 3", "2 4 5 6");
}

#[test]
fn a_report_and_an_inner_message_are_attachments() {
    let report = multipart(
        "report",
        [
            part("text/plain"),
            part("message/delivery-status"),
            part("message/rfc822"),
        ],
    );
    expect(&report, "1", "1", "2 3");
    expect(&part("message/rfc822"), "", "", "1");
}

#[test]
fn bodies_of_several_parts_are_joined_and_converted() {
    let mail = multipart(
        "mixed",
        [
            multipart("alternative", [part("text/plain"), part("text/html")]),
            part("text/plain"),
        ],
    );
    let structure = classify(&mail);
    let body = structure.body(|part| {
        if part.is_html {
            "<p>rich</p>".into()
        } else {
            format!("plain {}", part.part)
        }
    });
    assert_eq!(body.text.as_deref(), Some("plain 1.1\nplain 2"));
    assert_eq!(
        body.html.as_deref(),
        Some("<p>rich</p>\n<div>plain 2</div>")
    );
    let ids: Vec<_> = structure
        .body_parts()
        .iter()
        .map(|part| part.part.to_string())
        .collect();
    assert_eq!(ids, ["1.1", "2", "1.2"]);
    let only_html = classify(&part("text/html")).body(|_| "<p>x".into());
    assert_eq!(
        only_html,
        Body {
            html: Some("<p>x".into()),
            text: None
        }
    );
}

#[test]
fn depth_and_number_of_parts_are_capped() {
    let mut deep = part("text/plain");
    for _ in 0..150 {
        deep = multipart("mixed", [deep]);
    }
    let structure = classify(&deep);
    assert!(structure.text.is_empty());
    assert_eq!(
        structure.attachments[0].mime_type,
        "application/octet-stream"
    );
    assert_eq!(
        structure.attachments[0].part.as_str().split('.').count(),
        MAX_DEPTH
    );
    let wide = multipart("mixed", vec![part("image/png"); MAX_PARTS + 5]);
    assert_eq!(classify(&wide).attachments.len(), MAX_PARTS);
    let texts = multipart("mixed", vec![part("text/plain"); 200]);
    let structure = classify(&texts);
    assert_eq!(structure.text.len() + structure.attachments.len(), 200);
    assert!(structure.text.len() <= 50);
}

#[test]
fn a_servers_description_is_decoded() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let described = Part::from_raw(&RawPart {
        media_type: "TEXT",
        subtype: "Calendar",
        parameters: &[
            pair("CHARSET", "utf-8"),
            pair("method", "CANCEL"),
            pair("name", "x.ics"),
        ],
        disposition: Some("ATTACHMENT"),
        disposition_parameters: &[
            pair("filename*0*", "UTF-8''%C3%A9"),
            pair("filename*1", "/t\u{e4}.ics"),
        ],
        content_id: Some("<a@b>"),
        content_location: None,
        encoding: Some("BASE64"),
        encoded_size: Some(156),
    });
    assert_eq!(
        described,
        Part {
            mime_type: "text/calendar".into(),
            charset: Some("utf-8".into()),
            method: Some("CANCEL".into()),
            disposition: Some("attachment".into()),
            file_name: Some("tä.ics".into()),
            content_id: Some("a@b".into()),
            content_location: None,
            encoding: TransferEncoding::Base64,
            encoded_size: Some(156),
            children: vec![],
        }
    );
    assert_eq!(classify(&described).attachments[0].size, Some(114));
    let untyped = Part::from_raw(&RawPart::default());
    assert_eq!(untyped.mime_type, "text/plain");
}
