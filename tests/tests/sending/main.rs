//! Whatever goes wrong, a message is sent once or not at all, and whoever asked for it learns which.

mod content;
mod feed;
mod keys;
mod left_behind;
mod player;
mod scheduled;
mod setting;

use std::path::Path;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

/// Servers that tests share must outlive each of them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .worker_threads(4)
        .build();
    runtime.expect("a runtime")
});

fn run(test: impl Future<Output = ()> + Send + 'static) {
    let ended = RUNTIME.block_on(RUNTIME.spawn(test));
    if let Err(error) = ended {
        std::panic::resume_unwind(error.into_panic());
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_polypost-under-test"))
}
