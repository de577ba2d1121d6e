//! Wrappers around any [`crate::EmailProvider`].
