//! What the core of Evenkeel needs from the world: traits, their contracts, and the encoding of journal records.
