//! The pure heart of Evenkeel: values, allocation, drift, planning, and the batch state machine.

pub mod allocation;
pub mod books;
pub mod drift;
mod exact;
pub mod order;
pub mod policy;
pub mod valuation;
pub mod values;
