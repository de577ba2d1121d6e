//! Every input of the fuzz targets' corpus, replayed without a fuzzer.

#[path = "../../fuzz/src/lib.rs"]
mod inputs;

use std::path::Path;
use std::time::{Duration, Instant};

/// How long the largest input may take, in a build without optimisation.
const PATIENCE: Duration = Duration::from_secs(10);

fn replay(target: &str, read: fn(&[u8])) {
    // From the package's directory, in which its tests run.
    let corpus = Path::new("../fuzz/corpus");
    let entries = std::fs::read_dir(corpus.join(target)).expect("a corpus");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("an entry").path();
        let data = std::fs::read(&path).expect("an input");
        let start = Instant::now();
        read(&data);
        let taken = start.elapsed();
        assert!(taken < PATIENCE, "{} took {taken:?}", path.display());
        count += 1;
    }
    assert!(count > 0, "no input for {target}");
}

#[test]
fn the_fuzz_corpus_of_responses_is_read_without_harm() {
    replay("imap_response", inputs::imap_response);
}

#[test]
fn the_fuzz_corpus_of_queries_is_read_without_harm() {
    replay("query", inputs::search_query);
}

#[test]
fn the_fuzz_corpus_of_messages_is_read_without_harm() {
    replay("mime", inputs::mime);
}

#[test]
fn the_fuzz_corpus_of_sync_tokens_is_read_without_harm() {
    replay("sync_token", inputs::sync_token);
}
