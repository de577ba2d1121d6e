/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The journal moved since the rows were loaded: load again and compute anew. Nothing was written.
    #[error("the journal moved since its rows were loaded")]
    Conflict,
    /// The scope's cursor version is another: somebody else read this page. Nothing was written.
    #[error("the scope was advanced by somebody else")]
    Fenced,
    /// The account, application or journal is not there.
    #[error("not found")]
    NotFound,
    /// A unique value is taken.
    #[error("already exists")]
    Exists,
    /// The database is full, gone or broken.
    #[error("the database failed: {0}")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored value cannot be read back.
    #[error("a stored value is damaged: {0}")]
    Damaged(String),
}

/// The result of a store operation.
pub type StoreResult<T> = Result<T, StoreError>;
