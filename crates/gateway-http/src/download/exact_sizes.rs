use email_model::{MessageId, PartId};
use futures::{StreamExt as _, stream};
use gateway_operations::{AccountId, ByteStream};
use moka::sync::Cache;

/// An attachment of an account.
pub(crate) type SizeKey = (AccountId, MessageId, PartId);

/// Most sizes kept.
const MOST: u64 = 10_000;

/// Exact sizes of attachments, as seen when they went by. What a mailbox tells beforehand is often an
/// estimate from the encoded size, which a range cannot be computed from. The octets of a message
/// never change, so that a size seen once stays right.
#[derive(Debug)]
pub(crate) struct ExactSizes(Cache<SizeKey, u64>);

impl Default for ExactSizes {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl ExactSizes {
    /// The size, once it was seen.
    pub(crate) fn get(&self, key: &SizeKey) -> Option<u64> {
        self.0.get(key)
    }

    /// Counts octets as they go by; keeps their number if they come to their end.
    pub(crate) fn counted(&self, key: SizeKey, octets: ByteStream) -> ByteStream {
        let sizes = self.0.clone();
        let state = Some((octets, 0_u64));
        stream::unfold(state, move |state| {
            let (sizes, key) = (sizes.clone(), key.clone());
            async move {
                let (mut octets, count) = state?;
                match octets.next().await {
                    Some(Ok(chunk)) => {
                        let count = count + chunk.len() as u64;
                        Some((Ok(chunk), Some((octets, count))))
                    }
                    Some(Err(error)) => Some((Err(error), None)),
                    None => {
                        sizes.insert(key, count);
                        None
                    }
                }
            }
        })
        .boxed()
    }
}
