//! What the bench is made of: a world, the baselines, the memory, and the table.

pub(crate) mod crash;
pub(crate) mod exact;
pub(crate) mod memory;
pub(crate) mod scan;
pub(crate) mod table;
pub(crate) mod world;
