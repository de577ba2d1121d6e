//! What callers search for.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| polypost_fuzz::search_query(data));
