//! Deltas: rounds of pages that end in a token for the next round ("Use delta query to track changes").

mod folders;
mod messages;
mod walk;

pub(crate) use folders::folders;
pub(crate) use messages::messages;
pub(crate) use walk::Walk;
