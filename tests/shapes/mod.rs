//! From bytes to events, through the public door: every shape, the same events
//! however a log is stored, and nothing lost or broken by bad input.

pub(crate) mod collect;
mod hostile;
mod line_numbers;
mod properties;
mod refused;
mod same_events;
mod table;
mod wrappers;
