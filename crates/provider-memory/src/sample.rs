//! The sample mailbox.
use crate::{MemoryMailbox, Shape};
use email_model::Timestamp;
use email_provider::Clock;
use std::{sync::Arc, time::Duration};
/// stub
pub fn mailbox(name: &str, now: Timestamp) -> MemoryMailbox {
    MemoryMailbox::new(name, Shape::default(), now.timestamp().unsigned_abs())
}
/// stub
pub fn keep_arriving(_mailbox: MemoryMailbox, _clock: Arc<dyn Clock>, _interval: Duration) {}
