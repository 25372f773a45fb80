//! Any bytes into `events::check`.

#![no_main]

#[path = "../../tests/fuzz_corpus/events.rs"]
mod events;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| events::check(bytes));
