//! The hash chain: what makes a changed, missing or exchanged row visible.
//!
//! Each portfolio has a chain of its own, so that it can be verified alone. It begins with the store and the portfolio; each row's hash covers every
//! column of the row, the name of its portfolio, and the hash of the row before. The alerts of a commit are covered by its last row.
//! SHA-256 over fields with their lengths, so that no two rows have the same bytes; each kind of hash begins with a tag of its own.
//!
//! This finds damage, not forgery: whoever can write the file can also compute the hashes.

use evenkeel_domain::values::StoreId;
use sha2::{Digest, Sha256};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// A row of the journal as it is covered: all its columns but `hash`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Covered<'a> {
    pub(crate) place: i64,
    pub(crate) portfolio: i64,
    /// The portfolio's id, as text.
    pub(crate) id: &'a str,
    pub(crate) sequence: i64,
    pub(crate) token: i64,
    pub(crate) before: i64,
    pub(crate) at: i64,
    pub(crate) kind: &'a str,
    pub(crate) record: &'a str,
    pub(crate) alerts: &'a [u8],
    pub(crate) previous: &'a [u8],
}

impl Covered<'_> {
    pub(crate) fn hash(&self) -> Hash {
        let numbers = [self.place, self.portfolio, self.sequence, self.token, self.before, self.at];
        let mut fields = Fields::new("evenkeel/journal/1");
        for number in numbers {
            fields.add(&number.to_be_bytes());
        }
        for text in [self.id, self.kind, self.record] {
            fields.add(text.as_bytes());
        }
        fields.add(self.alerts);
        fields.add(self.previous);
        fields.end()
    }
}

/// What the first row of a portfolio has as `previous`; without a portfolio, what comes before the first word about halts.
pub(crate) fn beginning(store: StoreId, id: &str) -> Hash {
    let mut fields = Fields::new("evenkeel/portfolio/1");
    fields.add(&store.get().to_be_bytes());
    fields.add(id.as_bytes());
    fields.end()
}

/// What the last row of a commit has as `alerts`, if there are any: the sequence and text of each.
pub(crate) fn alerts<'a>(alerts: impl IntoIterator<Item = (i64, &'a str)>) -> Hash {
    let mut fields = Fields::new("evenkeel/alerts/1");
    for (sequence, text) in alerts {
        fields.add(&sequence.to_be_bytes());
        fields.add(text.as_bytes());
    }
    fields.end()
}

/// What an alert has as `acknowledged` once it was.
pub(crate) fn acknowledged(text: &str) -> Hash {
    let mut fields = Fields::new("evenkeel/acknowledged/1");
    fields.add(text.as_bytes());
    fields.end()
}

/// The hash of a word about halts: its number, its texts, and the hash of the one before.
pub(crate) fn word(number: i64, texts: [&str; 3], previous: &[u8]) -> Hash {
    let mut fields = Fields::new("evenkeel/halt/1");
    fields.add(&number.to_be_bytes());
    for text in texts {
        fields.add(text.as_bytes());
    }
    fields.add(previous);
    fields.end()
}

/// What a migration has as `checksum`.
pub(crate) fn migration(sql: &str) -> String {
    let mut fields = Fields::new("evenkeel/migration/1");
    fields.add(sql.as_bytes());
    fields.end().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Fields(Sha256);

impl Fields {
    fn new(tag: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.add(tag.as_bytes());
        fields
    }

    fn add(&mut self, field: &[u8]) {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(field);
    }

    fn end(self) -> Hash {
        self.0.finalize().into()
    }
}
