//! Scenarios over the whole system live in `it/`. Here, the README's examples are compiled and run.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
