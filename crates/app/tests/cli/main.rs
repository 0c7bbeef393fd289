//! The program as its users see it: arguments in; exit code, standard output and standard error out.
//!
//! Expected outputs can be refreshed with `UPDATE_EXPECT=1`; read the difference, it is what users will see.

mod bad_input;
mod harness;
mod plan;
mod streams;
mod usage;
