use crate::{StorePostgres, session::Session};

store_sql::impl_store!(StorePostgres, Session, shared = true);
