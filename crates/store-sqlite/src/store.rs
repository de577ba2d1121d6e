use crate::{StoreSqlite, session::Session};

store_sql::impl_store!(StoreSqlite, Session, shared = false);
