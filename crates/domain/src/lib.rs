//! The pure heart of Evenkeel: values, allocation, drift, planning, and the batch state machine.

// In the order of the way of the data: price, drift, plan, batch, settle.
pub mod values;

pub mod allocation;
pub mod books;
pub mod policy;

pub mod drift;
mod exact;
pub mod valuation;

pub mod order;
pub mod plan;

pub mod alert;
pub mod apply;
pub mod batch;
pub mod decide;
pub mod due;
pub mod portfolio;
pub mod record;
pub mod report;

#[cfg(test)]
mod testing;
