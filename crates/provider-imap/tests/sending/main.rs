//! Sending through a real Postfix, drafts and sent copies on a real Dovecot and Courier.

mod drafts;
mod faults;
mod filing;
mod mailbox;
mod scripted;
mod submitting;
