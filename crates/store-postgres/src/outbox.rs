use crate::{StorePostgres, session::Session};

store_sql::impl_outbox!(StorePostgres, Session);
