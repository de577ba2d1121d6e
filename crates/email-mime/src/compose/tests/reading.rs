//! Composed messages as they are read.

use std::{fs, io::Write as _, path::Path};

use super::*;

fn spooled(path: &Path, size: u64) -> OutgoingMessage {
    let mut message = letter();
    message.attachments = vec![OutgoingAttachment {
        content: AttachmentContent::Spooled {
            path: path.to_owned(),
            size,
        },
        ..file("a.bin", "application/octet-stream", b"")
    }];
    message
}

#[test]
fn a_spooled_file_gives_the_octets_of_one_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    for size in [0, 1, 56, 57, 58, 58_367, 58_368, 58_369, 200_000] {
        let bytes: Vec<u8> = (0..size).map(|n| (n * 7 % 251) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        let mut message = spooled(&path, size as u64);
        let from_file = send(&message).unwrap();
        message.attachments[0].content = AttachmentContent::Memory(Bytes::from(bytes.clone()));
        let from_memory = send(&message).unwrap();
        let raw = from_file.to_bytes(Form::Wire).unwrap();
        assert_eq!(raw, from_memory.to_bytes(Form::Wire).unwrap(), "{size}");
        assert_eq!(raw.len() as u64, from_file.length(Form::Wire), "{size}");
        let attached = &parse(&raw).unwrap().content.envelope.attachments.unwrap()[0];
        assert_eq!(attachment(&raw, &attached.part).unwrap(), bytes);
    }
}

#[test]
fn a_message_can_be_read_on_another_thread() {
    let composed = send(&letter()).unwrap();
    let mut chunks = composed.chunks(Form::Wire);
    let other = std::thread::spawn(move || chunks.next().unwrap().unwrap());
    assert_eq!(&other.join().unwrap(), composed.header(Form::Wire));
}

#[test]
fn a_large_file_is_read_in_small_chunks_any_number_of_times() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let size = 10 << 20;
    fs::File::create(&path).unwrap().set_len(size).unwrap();
    let composed = send(&spooled(&path, size)).unwrap();
    let mut one = composed.chunks(Form::Kept);
    let mut other = composed.chunks(Form::Kept);
    let mut length = 0;
    for chunk in one.by_ref() {
        let chunk = chunk.unwrap();
        assert!(chunk.len() <= 80_000);
        length += chunk.len() as u64;
        assert_eq!(other.next().unwrap().unwrap(), chunk);
    }
    assert_eq!(length, composed.length(Form::Kept));
    assert!(one.next().is_none());
}

#[test]
fn a_file_that_has_changed_ends_the_message_with_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    for size in [100_u64, 58_368, 70_000] {
        fs::write(&path, vec![b'x'; size as usize]).unwrap();
        let composed = send(&spooled(&path, size)).unwrap();
        assert!(composed.to_bytes(Form::Wire).is_ok());
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"x")
            .unwrap();
        assert_eq!(
            composed.to_bytes(Form::Wire).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(size - 1)
            .unwrap();
        let mut chunks = composed.chunks(Form::Wire);
        let error = chunks.by_ref().find_map(Result::err).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(chunks.next().is_none());
        fs::remove_file(&path).unwrap();
        assert_eq!(
            composed.to_bytes(Form::Wire).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
