//! Random sends, and the proof that each of them is carried out once or not at all.
//!
//! A run is one send, drawn from a seed: what is sent, by which backend, and what goes wrong in between: the connection
//! breaks at a chosen octet, a request of an API or its answer is lost, the gateway is killed. A client repeats what it
//! asked for with the same key, as clients do. Then what the recipients got, what the mailbox holds and what the client
//! was told must agree.

mod database;
mod lane;
mod mailbag;
mod plan;
mod servers;
mod smtp_proxy;
mod talk;
mod wish;

pub use database::{let_lapse, make_due};
pub use lane::Lane;
pub use mailbag::Arrived;
pub use plan::{Plan, StepFault, StepKind, Trouble, Way, What};
pub use servers::{Known, Servers};
pub use smtp_proxy::{Deed, Moment, Place, SmtpFault, SmtpProxy};
pub use talk::{Ending, talk};
