use proptest::prelude::*;

use super::*;

fn base64(text: &[u8]) -> Vec<u8> {
    decode(text, TransferEncoding::Base64)
}

fn quoted(text: &[u8]) -> String {
    String::from_utf8(decode(text, TransferEncoding::QuotedPrintable)).unwrap()
}

#[test]
fn base64_is_decoded_through_line_breaks_and_garbage() {
    assert_eq!(base64(b"SGVs\r\nbG8=\r\n"), b"Hello");
    assert_eq!(base64(b"S G!V-s\0bG8"), b"Hello");
    assert_eq!(base64(b"SGk=SGk="), b"HiHi");
    assert_eq!(base64(b"S"), b"");
    assert_eq!(base64(b"===="), b"");
}

#[test]
fn quoted_printable_is_decoded_and_tolerates_what_is_not() {
    assert_eq!(quoted(b"caf=C3=A9 =\r\nau lait"), "café au lait");
    assert_eq!(quoted(b"a= \t\r\nb=\nc="), "abc");
    assert_eq!(quoted(b"pad  \t\r\nx \n"), "pad\r\nx\n");
    assert_eq!(quoted(b"1=2 =ZZ =c3=a9 == =4"), "1=2 =ZZ é == =4");
    assert_eq!(quoted(b"a\rb"), "a\rb");
}

#[test]
fn endless_white_space_is_not_held() {
    let mut decoder = TransferDecoder::new(TransferEncoding::QuotedPrintable);
    let mut decoded = Vec::new();
    decoder.push(&vec![b' '; 1 << 20], &mut decoded);
    assert!(decoder.quoted.held.len() <= MAX_HELD);
    assert!(decoded.len() > (1 << 20) - 2 * MAX_HELD);
}

#[test]
fn the_estimate_of_a_base64_part_is_close() {
    let line = [b'A'; 76];
    for lines in [1_u64, 2, 1_000] {
        let encoded: Vec<u8> = (0..lines)
            .flat_map(|_| [&line[..], b"\r\n"].concat())
            .collect();
        let exact = decoded_size(&encoded, TransferEncoding::Base64);
        assert_eq!(
            TransferEncoding::Base64.estimate(encoded.len() as u64),
            exact
        );
    }
}

fn encoding() -> impl Strategy<Value = TransferEncoding> {
    prop_oneof![
        Just(TransferEncoding::Identity),
        Just(TransferEncoding::Base64),
        Just(TransferEncoding::QuotedPrintable),
    ]
}

proptest! {
    #[test]
    fn the_cut_between_chunks_changes_nothing(
        encoding in encoding(),
        bytes in prop::collection::vec(prop::sample::select(b"=ABab0129+/ \t\r\n\0\xff".to_vec()), 0..200),
        cuts in prop::collection::vec(0_usize..200, 0..10),
    ) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut decoder = TransferDecoder::new(encoding);
        let mut decoded = Vec::new();
        for pair in cuts.windows(2) {
            decoder.push(&bytes[pair[0]..pair[1]], &mut decoded);
        }
        decoder.finish(&mut decoded);
        prop_assert_eq!(&decoded, &decode(&bytes, encoding));
        prop_assert_eq!(decoded.len() as u64, decoded_size(&bytes, encoding));
        prop_assert!(decoded.len() <= bytes.len());
    }
}
