//! The journal of an account: which message is which, and what changed when.
//!
//! [`JournalHandle`] is the account's journal as this process knows it. What providers tell becomes
//! [`Observation`]s; [`page::compute`] decides what they mean, purely, and [`JournalHandle::apply`]
//! loads, computes and commits.

mod amend;
mod apply;
mod bounds;
mod directory;
mod doubt;
mod envelopes;
mod handle;
mod identity;
mod lineage;
mod page;
mod recognise;
mod removals;
mod threads;

pub(crate) use apply::{Announce, ApplyError, Page, ScopeEdit};
pub(crate) use bounds::check_position;
pub(crate) use directory::{Directory, has_renamed_label};
pub(crate) use handle::{JournalHandle, Journals};
pub(crate) use identity::folder_id;
pub(crate) use page::{Observation, Place};
pub(crate) use recognise::{last_scope, new_scope};
