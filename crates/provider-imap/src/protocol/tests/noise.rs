//! Any octets at all: nothing panics, hangs or grows without bound.

use bytes::Bytes;

use super::*;

const SEEDS: [&[u8]; 12] = [
    b"* 12 FETCH (UID 5 FLAGS (\\Seen $x) MODSEQ (9) INTERNALDATE \" 1-Feb-2024 01:02:03 +0100\" RFC822.SIZE 9 ENVELOPE (NIL \"s\" ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL \"<m>\") BODY[HEADER.FIELDS (\"A\" B)]<0> {3}\r\nabc)\r\n",
    b"* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"charset\" \"utf-8\") NIL NIL \"7BIT\" 1 1 NIL (\"inline\" NIL))(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 5 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (\"a\" \"b\" NIL NIL NIL \"7bit\" 1) 1) \"MIXED\" (\"boundary\" {1}\r\nx)) UID 3)\r\n",
    b"* LIST (\\HasNoChildren \\Sent) \"/\" \"a&AOQ-\" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n",
    b"* STATUS {5}\r\nINBOX (MESSAGES 1 UIDNEXT 5 MAILBOXID (F1) HIGHESTMODSEQ 7)\r\n",
    b"* ESEARCH (TAG \"A0001\") UID ALL 1:5,9 COUNT 6 MODSEQ 5\r\n",
    b"* SEARCH 1 2 3 (MODSEQ 5)\r\n",
    b"* VANISHED (EARLIER) 1:4294967295,7\r\n",
    b"* NAMESPACE ((\"\" \"/\" \"X\" (\"a\" \"b\"))) NIL ((\"#s\" \".\"))\r\n",
    b"* OK [COPYUID 5 1:9,20 3:12] done\r\n",
    b"A0001 NO [MESSAGELIMIT 1000 5] {4}\r\n",
    b"* OK [PERMANENTFLAGS (\\* \\Seen)]\xc3\xa9\r\n",
    b"* ID (\"name\" NIL \"v\" {1}\r\nx)\r\n",
];

/// A small generator, so that a failure can be repeated by its number.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }

    fn mutate(&mut self, seed: &[u8]) -> Vec<u8> {
        const OCTETS: &[u8] = b"(){}[]\"\\ \r\n*+~<>0123456789:,NILa\x00\xff";
        let mut text = seed.to_vec();
        for _ in 0..=self.next(6) {
            let at = self.next(text.len());
            match self.next(5) {
                0 => text[at] = OCTETS[self.next(OCTETS.len())],
                1 => text.insert(at, OCTETS[self.next(OCTETS.len())]),
                2 => text.truncate(at + 1),
                3 => drop(text.remove(at)),
                _ => {
                    let other = SEEDS[self.next(SEEDS.len())];
                    let from = self.next(other.len());
                    text.splice(at..at, other[from..].iter().copied());
                }
            }
            if text.is_empty() {
                text.push(b'*');
            }
        }
        text
    }
}

#[test]
fn any_octets_are_read_or_refused() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for round in 0..60_000 {
        let text = Bytes::from(noise.mutate(SEEDS[round % SEEDS.len()]));
        drop(parse_untagged(&text));
        drop(parse_tagged(&text));
        if let Ok(Untagged::Fetch(data)) = parse_untagged(&text)
            && let Some(structure) = &data.structure
        {
            structure.sections();
        }
    }
}

#[test]
fn any_stream_is_split_the_same_in_any_pieces() {
    let mut noise = Noise(42);
    let limits = Limits {
        line: 2000,
        literal: 500,
        response: 3000,
        ..Limits::default()
    };
    for _ in 0..3000 {
        let mut stream = Vec::new();
        for _ in 0..noise.next(6) {
            let seed = SEEDS[noise.next(SEEDS.len())];
            stream.extend(if noise.next(2) == 0 {
                noise.mutate(seed)
            } else {
                seed.to_vec()
            });
        }
        let split = |step: usize| {
            let (mut splitter, mut found) = (Splitter::new(limits), Vec::new());
            for piece in stream.chunks(step) {
                splitter.push(piece);
                loop {
                    match splitter.next_response() {
                        Ok(Some(response)) => found.push(response),
                        Ok(None) => break,
                        Err(_) => return found,
                    }
                }
            }
            found
        };
        let whole = split(usize::MAX);
        assert_eq!(split(1), whole);
        assert_eq!(split(7), whole);
        let length: usize = whole.iter().map(Bytes::len).sum();
        assert_eq!(stream[..length], whole.concat());
    }
}
