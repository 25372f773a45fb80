//! Any bytes into `request_uri::check`.

#![no_main]

#[path = "../../tests/fuzz_corpus/request_uri.rs"]
mod request_uri;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| request_uri::check(bytes));
