//! The one encoding of journal records: versioned JSON, one object per record, decimals as strings.
//!
//! Every durable journal writes exactly this text, so a record can be moved between stores, hashed, and read by a person.
//! Version 1 is `{"v":1,"at":"<RFC 3339>","event":{…}}`. A record of a newer version is refused, not guessed at; a change of
//! meaning is a new version with a decoder for the old one.

use evenkeel_domain::record::{Event, Record};
use evenkeel_domain::values::Timestamp;
use serde::{Deserialize, Serialize};

/// The version that [`encode`] writes.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    at: Timestamp,
    event: &'a Event,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "v")]
    _v: u32,
    at: Timestamp,
    event: Event,
}

/// Writes a record as text. Equal records give equal text.
///
/// # Errors
/// [`CodecError::Unwritable`], which no record that the domain makes leads to.
pub fn encode(record: &Record) -> Result<String, CodecError> {
    let written = Written { v: VERSION, at: record.at, event: &record.event };
    serde_json::to_string(&written).map_err(|e| CodecError::Unwritable { message: e.to_string() })
}

/// Reads a record.
///
/// # Errors
/// [`CodecError`] if the text is not one, or of a version that this program does not know.
pub fn decode(text: &str) -> Result<Record, CodecError> {
    let unreadable = |e: serde_json::Error| CodecError::Unreadable { message: e.to_string() };
    let Version { v } = serde_json::from_str(text).map_err(unreadable)?;
    if v != VERSION {
        return Err(CodecError::Version { found: v });
    }
    let Read { at, event, .. } = serde_json::from_str(text).map_err(unreadable)?;
    Ok(Record { at, event })
}

/// A text that is no record, or of another version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// A newer program wrote it.
    #[error("the record is of version {found}: this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It cannot be read.
    #[error("the record cannot be read: {message}")]
    Unreadable {
        /// What is wrong with it, and where.
        message: String,
    },
    /// It cannot be written.
    #[error("the record cannot be written: {message}")]
    Unwritable {
        /// What is wrong with it.
        message: String,
    },
}

#[cfg(test)]
mod tests;
