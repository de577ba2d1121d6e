//! What callers give as a sync token.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| polypost_fuzz::sync_token(data));
