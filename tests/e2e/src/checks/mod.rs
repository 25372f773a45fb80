//! The checks, each against a server of its own.
