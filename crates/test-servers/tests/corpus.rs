//! The generated mail is deterministic, varied, and as large as promised.

use test_servers::{corpus, small_corpus};

#[test]
fn the_same_seed_gives_the_same_mail_and_another_gives_other_mail() {
    let one: Vec<_> = corpus(1, 50).collect();
    assert_eq!(one, corpus(1, 50).collect::<Vec<_>>());
    assert_ne!(one, corpus(2, 50).collect::<Vec<_>>());
    assert_eq!(one[..20], corpus(1, 20).collect::<Vec<_>>());
    assert!(one.is_sorted_by_key(|mail| mail.internal_date));
}

#[test]
fn sizes_are_as_promised() {
    let median = |mut sizes: Vec<usize>| {
        sizes.sort_unstable();
        sizes[sizes.len() / 2]
    };
    let sizes: Vec<usize> = corpus(1, 1_500).map(|mail| mail.raw.len()).collect();
    let large = sizes.iter().filter(|size| **size > 1_000_000).count();
    assert!((2..25).contains(&large), "{large}");
    let middle = median(sizes);
    assert!((9_000..16_000).contains(&middle), "{middle}");
    let small: Vec<usize> = small_corpus(1, 1_500).map(|mail| mail.raw.len()).collect();
    assert!(small.iter().all(|size| *size < 12_000));
    let middle = median(small);
    assert!((800..2_000).contains(&middle), "{middle}");
}

#[test]
fn the_mail_has_what_real_mail_has() {
    let all: Vec<String> = corpus(1, 2_000)
        .map(|mail| String::from_utf8_lossy(&mail.raw).into_owned())
        .collect();
    for feature in [
        "multipart/alternative",
        "multipart/related",
        "multipart/mixed",
        "multipart/report",
        "message/rfc822",
        "message/delivery-status",
        "text/calendar",
        "List-Id:",
        "References:",
        "Content-ID:",
        "filename*=UTF-8''",
        "filename*1*=",
        "filename=\"=?utf-8?B?",
        "filename=\"report.pdf\"",
        "charset=koi8-r",
        "charset=iso-2022-jp",
        "charset=shift_jis",
        "charset=big5",
        "=?iso-8859-2?",
        "Content-Transfer-Encoding: 8bit",
        "Content-Transfer-Encoding: quoted-printable",
    ] {
        let count = all.iter().filter(|raw| raw.contains(feature)).count();
        assert!(count > 2, "{feature}: {count}");
    }
    assert!(all.iter().any(|raw| !raw.contains("Message-ID:")));
}

#[test]
fn every_line_ends_with_crlf_and_is_not_too_long() {
    for mail in corpus(3, 500) {
        for line in mail.raw.split_inclusive(|byte| *byte == b'\n') {
            assert!(
                line.ends_with(b"\r\n") && line.len() <= 1_000,
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }
}
