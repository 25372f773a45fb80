//! From bytes to events, through the public door: every shape, the same events
//! however a log is stored, and nothing lost or broken by bad input.

mod collect;
mod table;
