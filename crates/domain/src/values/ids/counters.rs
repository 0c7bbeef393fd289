//! Numbers that only ever grow: what is greater came later.

use std::fmt;

use crate::values::Overflow;

macro_rules! counter {
    ($(#[$doc:meta])* $type:ident = $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $type(u64);

        impl $type {
            /// Before the first one.
            pub const ZERO: Self = Self(0);

            /// The one with that number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one after this.
            ///
            /// # Errors
            /// [`Overflow`] after 18446744073709551615, which is a mistake somewhere: counting there takes
            /// centuries.
            pub fn next(self) -> Result<Self, Overflow> {
                self.0.checked_add(1).map(Self).ok_or_else(|| Overflow {
                    doing: format!("counting on from {self}"),
                    what: $what,
                    maximum: "18446744073709551615",
                })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// Which lease of a portfolio: a write with an older token than the newest is refused, however late it arrives.
    ///
    /// ```
    /// use evenkeel_domain::values::Token;
    ///
    /// let first = Token::ZERO.next()?;
    /// assert_eq!(first.get(), 1);
    /// assert!(first.next()? > first);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Token = "a token"
}

counter! {
    /// Which record of a journal, counted from 1; [`Sequence::ZERO`] is the end of an empty one.
    ///
    /// ```
    /// use evenkeel_domain::values::Sequence;
    ///
    /// let head = Sequence::new(41);
    /// assert_eq!(head.next()?.to_string(), "42");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Sequence = "a sequence number"
}
