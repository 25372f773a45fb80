//! The documents say what is: the reference is what the command line says, every key
//! and every code of the summary and of `check` is described, links lead somewhere, and what a
//! `console` block shows is what the program prints.

mod console;
mod findings;
mod jobs;
mod links;
mod markdown;
mod reference;
mod summary;
