//! What the stores on SQL databases share: the statements, the mapping of rows, and the operations
//! built of them. A store adds its [`Session`], its bulk reads and writes, its migrations and wakes,
//! and gets its [`gateway_store::Store`] from [`impl_store!`] and [`impl_outbox!`].

pub mod accounts;
pub mod applications;
mod columns;
pub mod commits;
pub mod drafts;
pub mod encoding;
mod error;
pub mod grants;
pub mod journals;
pub mod leases;
pub mod messages;
mod outbox;
pub mod removal;
mod rows;
mod running;
pub mod sends;
mod session;
pub mod settings;
pub mod sign_ins;
mod store;
pub mod tokens;
mod values;
mod wakes;

pub use columns::Columns;
pub use error::{damaged, database_error, retrying};
pub use rows::{entry, message};
pub use session::Session;
pub use values::{Value, Values};
pub use wakes::{BACKLOG, Heard, Wakes};

#[doc(hidden)]
pub mod reexports {
    pub use async_trait::async_trait;
    pub use email_model;
    pub use futures;
    pub use gateway_store;
    pub use tracing;
}
