//! The behaviours, by what they are about. Each case gets a place of its own.

pub mod accounts;
pub mod applications;
pub mod claims;
pub mod commits;
pub mod concurrency;
pub mod drafts;
pub mod grants;
pub mod isolation;
pub mod journals;
pub mod leases;
pub mod listings;
pub mod loads;
pub mod sends;
pub mod settings;
pub mod sign_ins;
pub mod text;
pub mod tokens;
pub mod wakes;
