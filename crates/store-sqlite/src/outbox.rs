use crate::{StoreSqlite, session::Session};

store_sql::impl_outbox!(StoreSqlite, Session);
