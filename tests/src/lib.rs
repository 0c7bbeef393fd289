//! Scenarios over the whole system live in `it/`.
