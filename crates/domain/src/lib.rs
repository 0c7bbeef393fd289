//! The pure heart of Evenkeel: values, allocation, drift, planning, and the batch state machine.
