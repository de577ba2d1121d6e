use std::pin::Pin;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use gateway_operations::ByteStream;

/// `{"content":"<base64>"}` written as the octets arrive.
pub(crate) fn json_content(octets: ByteStream) -> ByteStream {
    let state = Encoding {
        octets: Some(octets),
        rest: Vec::new(),
    };
    let encoded = stream::unfold(state, |mut state| async move {
        let item = state.next().await?;
        Some((item, state))
    });
    literal(r#"{"content":""#)
        .chain(encoded)
        .chain(literal(r#""}"#))
        .boxed()
}

fn literal<E: Send + 'static>(
    text: &'static str,
) -> Pin<Box<dyn Stream<Item = Result<Bytes, E>> + Send>> {
    stream::iter([Ok(Bytes::from_static(text.as_bytes()))]).boxed()
}

/// Base64 in steps: what does not fill a group of three octets waits for the next chunk.
struct Encoding {
    octets: Option<ByteStream>,
    rest: Vec<u8>,
}

impl Encoding {
    async fn next(&mut self) -> Option<<ByteStream as Stream>::Item> {
        match self.octets.as_mut()?.next().await {
            Some(Ok(chunk)) => {
                self.rest.extend_from_slice(&chunk);
                let whole = self.rest.len() - self.rest.len() % 3;
                let text = STANDARD.encode(&self.rest[..whole]);
                self.rest.drain(..whole);
                Some(Ok(text.into()))
            }
            Some(Err(error)) => {
                self.octets = None;
                Some(Err(error))
            }
            None => {
                self.octets = None;
                Some(Ok(STANDARD.encode(&self.rest).into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use email_provider::{ErrorKind, ProviderError};

    use super::*;

    async fn collected(chunks: Vec<Result<Bytes, ProviderError>>) -> Result<String, ProviderError> {
        let mut out = Vec::new();
        let mut stream = json_content(stream::iter(chunks).boxed());
        while let Some(chunk) = stream.next().await {
            out.extend_from_slice(&chunk?);
        }
        Ok(String::from_utf8(out).unwrap())
    }

    #[tokio::test]
    async fn the_base64_does_not_show_where_the_chunks_were() {
        let octets: Vec<u8> = (0..=255).collect();
        let expected = format!("{{\"content\":\"{}\"}}", STANDARD.encode(&octets));
        for size in [1, 2, 3, 4, 100, 256] {
            let chunks = octets.chunks(size).map(|c| Ok(Bytes::copy_from_slice(c)));
            assert_eq!(collected(chunks.collect()).await.unwrap(), expected);
        }
        assert_eq!(collected(vec![]).await.unwrap(), r#"{"content":""}"#);
    }

    #[tokio::test]
    async fn a_broken_transfer_is_not_closed_as_if_it_were_whole() {
        let broken = ProviderError::new(ErrorKind::Unavailable, "gone");
        assert!(
            collected(vec![Ok(Bytes::from_static(b"abcd")), Err(broken)])
                .await
                .is_err()
        );
    }
}
