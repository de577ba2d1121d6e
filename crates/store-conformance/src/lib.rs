//! The contract suite that every store must pass: [`store_contract!`] makes a test of each behaviour
//! that [`gateway_store::Store`] promises.

pub mod cases;
mod contract;
mod fixture;
pub mod killed;
mod samples;
mod sizes;

pub use fixture::{Fixture, Opener, Outcome};
pub use sizes::{Kept, bytes_per_message};
