//! The octets of attachments, a stretch at a time.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use email_model::{AttachmentContent, OutgoingAttachment, OutgoingMessage};
use email_provider::{ErrorKind, ProviderError, ProviderResult};
use ring::digest::{Context, SHA256};
use tokio::task::spawn_blocking;

use super::draft::Mark;

/// Octets that are read at once to be digested.
const CHUNK: usize = 64 << 10;

/// A stretch of an attachment that lies within it.
pub(super) async fn octets(
    content: &AttachmentContent,
    start: u64,
    length: usize,
) -> ProviderResult<Bytes> {
    octets_in(BytesMut::with_capacity(length), content, start, length).await
}

/// The same in memory that was made before, where it is read from a file. A stretch is made by one thread and dropped by
/// another: an allocator that keeps what each thread has made holds many of them for one that is in use.
pub(super) async fn octets_in(
    memory: BytesMut,
    content: &AttachmentContent,
    start: u64,
    length: usize,
) -> ProviderResult<Bytes> {
    match content {
        AttachmentContent::Memory(all) => {
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            let end = start.saturating_add(length).min(all.len());
            Ok(all.slice(start.min(end)..end))
        }
        AttachmentContent::Spooled { path, size } => {
            let (path, size) = (path.clone(), *size);
            blocking(move || stretch(memory, &path, size, start, length)).await
        }
    }
}

fn stretch(
    mut memory: BytesMut,
    path: &Path,
    size: u64,
    start: u64,
    length: usize,
) -> io::Result<Bytes> {
    let mut file = opened(path, size)?;
    file.seek(SeekFrom::Start(start))?;
    memory.resize(length, 0);
    file.read_exact(&mut memory)?;
    Ok(memory.freeze())
}

fn opened(path: &Path, size: u64) -> io::Result<File> {
    let file = File::open(path)?;
    match file.metadata()?.len() == size {
        true => Ok(file),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Of all that makes the attachments.
pub(super) async fn mark(message: &Arc<OutgoingMessage>) -> ProviderResult<Mark> {
    if message.attachments.is_empty() {
        return Ok(finish(Context::new(&SHA256)));
    }
    let message = Arc::clone(message);
    blocking(move || {
        let mut all = Context::new(&SHA256);
        for attachment in &message.attachments {
            all.update(&digest(attachment)?);
        }
        Ok(finish(all))
    })
    .await
}

/// Every part of it has one length, or is told its length: no two attachments have one digest.
fn digest(attachment: &OutgoingAttachment) -> io::Result<Mark> {
    let OutgoingAttachment {
        name,
        mime_type,
        inline,
        content_id,
        content,
    } = attachment;
    let about = (name, mime_type, inline, content_id, content.size());
    let about = postcard::to_stdvec(&about).map_err(io::Error::other)?;
    let mut context = Context::new(&SHA256);
    context.update(&about);
    match content {
        AttachmentContent::Memory(octets) => context.update(octets),
        AttachmentContent::Spooled { path, size } => {
            let mut file = opened(path, *size)?;
            let mut octets = vec![0; CHUNK];
            loop {
                match file.read(&mut octets)? {
                    0 => break,
                    read => context.update(octets.get(..read).unwrap_or_default()),
                }
            }
        }
    }
    Ok(finish(context))
}

fn finish(context: Context) -> Mark {
    let mut mark = [0; 32];
    for (place, octet) in mark.iter_mut().zip(context.finish().as_ref()) {
        *place = *octet;
    }
    mark
}

/// Of a text.
pub(super) fn mark_of(text: &[u8]) -> Mark {
    let mut context = Context::new(&SHA256);
    context.update(text);
    finish(context)
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> ProviderResult<T> {
    let unread = || ProviderError::new(ErrorKind::Unavailable, "an attachment cannot be read");
    let read = spawn_blocking(read).await.map_err(|_| unread())?;
    read.map_err(|error| unread().with_source(error))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn message(content: AttachmentContent, name: &str) -> Arc<OutgoingMessage> {
        Arc::new(OutgoingMessage {
            attachments: vec![OutgoingAttachment {
                name: Some(name.into()),
                mime_type: None,
                inline: false,
                content_id: None,
                content,
            }],
            ..OutgoingMessage::default()
        })
    }

    #[tokio::test]
    async fn a_file_is_the_same_in_memory_and_on_disk() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let octets: Bytes = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        file.write_all(&octets).unwrap();
        let spooled = AttachmentContent::Spooled {
            path: file.path().to_owned(),
            size: 200_000,
        };
        let memory = AttachmentContent::Memory(octets.clone());
        for content in [&spooled, &memory] {
            let found = super::octets(content, 70_000, 999).await.unwrap();
            assert_eq!(found, octets[70_000..70_999]);
            let memory = found.try_into_mut().unwrap_or_default();
            let again = octets_in(memory, content, 9, 1_000).await.unwrap();
            assert_eq!(again, octets[9..1_009]);
        }
        let of = async |content: &AttachmentContent, name| {
            mark(&message(content.clone(), name)).await.unwrap()
        };
        assert_eq!(of(&spooled, "a").await, of(&memory, "a").await);
        assert_ne!(of(&memory, "a").await, of(&memory, "b").await);
        file.write_all(b"more").unwrap();
        let changed = super::octets(&spooled, 0, 9).await.unwrap_err();
        assert_eq!(changed.kind, ErrorKind::Unavailable);
    }
}
