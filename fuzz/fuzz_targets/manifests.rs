//! Any bytes into `manifests::check`.

#![no_main]

#[path = "../../tests/fuzz_corpus/manifests.rs"]
mod manifests;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manifests::check(bytes));
