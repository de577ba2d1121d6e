//! What IMAP servers send.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| polypost_fuzz::imap_response(data));
