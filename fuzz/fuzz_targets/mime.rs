//! What strangers mail.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| polypost_fuzz::mime(data));
