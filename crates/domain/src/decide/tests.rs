//! The batch machine, tried edge by edge, story by story, state by state, and at random.
//!
//! | to see | look in |
//! |---|---|
//! | every state of an order against every report (table A) | [`orders`] |
//! | attempts, resending, unknown outcomes, cancels and their races, as stories | [`answers`] |

mod explored;
mod orders;
