//! How a store runs the operations: on a connection, in a snapshot, in a transaction.

/// Runs an operation on a connection.
#[macro_export]
macro_rules! read {
    ($store:ident, $session:ident, $module:ident::$function:ident ($($argument:expr),*)) => {{
        let mut connection = $store.reader().await?;
        $crate::$module::$function(&mut $session(&mut connection) $(, $argument)*).await
    }};
}

/// Runs an operation of several queries on one moment's state.
#[macro_export]
macro_rules! snapshot {
    ($store:ident, $session:ident, $module:ident::$function:ident ($($argument:expr),*)) => {{
        let mut transaction = $store.snapshot().await?;
        let done =
            $crate::$module::$function(&mut $session(&mut transaction) $(, $argument)*).await?;
        transaction.rollback().await.map_err($crate::database_error)?;
        Ok(done)
    }};
}

/// Runs an operation that is done wholly or not at all.
#[macro_export]
macro_rules! write {
    ($store:ident, $session:ident, $module:ident::$function:ident ($($argument:expr),*)) => {
        $crate::retrying(|| async {
            let mut transaction = $store.writer().await?;
            let done =
                $crate::$module::$function(&mut $session(&mut transaction) $(, $argument)*).await?;
            transaction.commit().await.map_err($crate::database_error)?;
            Ok(done)
        })
        .await
    };
}

/// Purges what was removed: of this call, and of earlier ones that did not come to their end. What fails
/// is left to the next one.
#[macro_export]
macro_rules! purge {
    ($store:ident, $session:ident) => {
        loop {
            let purged: $crate::reexports::gateway_store::StoreResult<bool> =
                $crate::write!($store, $session, removal::purge());
            match purged {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    $crate::reexports::tracing::warn!(%error, "rows of a removed journal are left");
                    break;
                }
            }
        }
    };
}
