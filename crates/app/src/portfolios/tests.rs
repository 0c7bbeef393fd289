//! Portfolios files with faults, and exactly what is said about them.

use super::*;
use expect_test::{Expect, expect};
