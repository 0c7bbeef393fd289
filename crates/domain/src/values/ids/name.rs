//! The text of an id: beside what it names where it is short, as most are, and shared where it is long.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// How long a text may be that is kept in place: a name takes two words, as one that is only shared would.
const SHORT: usize = 15;

/// A text without zeros, which no id may have.
///
/// One text is always kept in one way, so that names are the same exactly where what is derived says so.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// Filled up with zeros, which are less than any character: the order of the bytes is that of the text.
    Short([u8; SHORT]),
    /// By a thin pointer, so that there is a byte left to tell both apart.
    Long(Arc<Box<str>>),
}

impl Name {
    pub(super) fn new(text: &str) -> Self {
        if text.len() > SHORT {
            return Self::Long(Arc::new(text.into()));
        }
        let mut bytes = [0; SHORT];
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        Self::Short(bytes)
    }

    pub(super) fn as_str(&self) -> &str {
        // What was a text is one.
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes.split(|byte| *byte == 0).next().unwrap_or_default(),
            Self::Long(text) => text.as_bytes(),
        }
    }
}

/// The first and the last eight bytes, as numbers: the one that they share counts twice, and changes no order. Ids are compared all the time.
#[inline]
fn numbers(short: &[u8; SHORT]) -> [u64; 2] {
    [short.first_chunk(), short.last_chunk()].map(|bytes| bytes.copied().map_or(0, u64::from_be_bytes))
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Short(bytes) => numbers(bytes).into_iter().for_each(|number| state.write_u64(number)),
            Self::Long(text) => text.hash(state),
        }
    }
}

impl Ord for Name {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Short(one), Self::Short(other)) => numbers(one).cmp(&numbers(other)),
            _ => self.bytes().cmp(other.bytes()),
        }
    }
}

impl PartialOrd for Name {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_texts_wherever_they_are_kept() {
        let long = "x".repeat(SHORT);
        let (longer, other) = (format!("{long}a"), format!("{long}b"));
        // The second and the third differ in the last character that is kept in place, and in the one that is compared twice.
        let [last, shared] = [format!("{}y", &long[1..]), format!("{}y{}", &long[..7], &long[8..])];
        let (prefix, both) = (&long[1..], format!("a{long}{long}"));
        let texts = ["a", "aa", "b", "", &long, &last, &shared, prefix, &longer, &other, &both];
        for (one, other) in texts.iter().flat_map(|one| texts.map(|other| (*one, other))) {
            let names = (Name::new(one), Name::new(other));
            assert_eq!(names.0.cmp(&names.1), one.cmp(other), "{one} {other}");
            assert_eq!(names.0 == names.1, one == other, "{one} {other}");
            assert_eq!(names.0.as_str(), one);
        }
        assert_eq!(size_of::<Name>(), size_of::<Arc<str>>());
    }
}
