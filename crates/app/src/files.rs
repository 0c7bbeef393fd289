//! Files given by name, or `-` for standard input: as text, or to be read twice.
//!
//! What is wrong with a file as such is found here: that there is none, that it is a directory, or no text. What its text
//! says is for [`crate::portfolios`] and [`crate::config`].

use crate::document::form::Notation;
use crate::exit::Failure;
use crate::faults::{Fault, FileFaults};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

/// A file on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileArg {
    /// `-`.
    Stdin,
    Path(PathBuf),
}

impl From<OsString> for FileArg {
    fn from(text: OsString) -> Self {
        if text == "-" { Self::Stdin } else { Self::Path(text.into()) }
    }
}

impl FileArg {
    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".to_owned(),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// How portfolios are written in it: as its name says; on standard input as it starts.
    pub(crate) fn notation(&self, text: &str) -> Notation {
        let is_json = match self {
            Self::Stdin => text.trim_start().starts_with('{'),
            Self::Path(path) => path.extension().is_some_and(|extension| extension == "jsonl"),
        };
        if is_json { Notation::Json } else { Notation::Toml }
    }

    fn open(&self) -> Result<Opened, FileFaults> {
        match self {
            Self::Stdin => Ok(Opened { reader: Box::new(io::stdin().lock()), regular: None }),
            Self::Path(path) => {
                let file = File::open(path).map_err(|error| self.unreadable(&error))?;
                let metadata = file.metadata().map_err(|error| self.unreadable(&error))?;
                if metadata.is_dir() {
                    return Err(FileFaults::of(self.name(), Fault::new("it is a directory", "give a file")));
                }
                let regular = metadata.is_file().then(|| file.try_clone()).transpose();
                let regular = regular.map_err(|error| self.unreadable(&error))?;
                Ok(Opened { reader: Box::new(file), regular })
            }
        }
    }

    fn unreadable(&self, error: &io::Error) -> FileFaults {
        let is_there = error.kind() != io::ErrorKind::NotFound;
        let remedy = if is_there { "give a file that can be read" } else { "give a file that is there" };
        FileFaults::of(self.name(), Fault::new(format!("it cannot be read: {error}"), remedy))
    }
}

struct Opened {
    reader: Box<dyn Read>,
    /// The same again, if it can be read again.
    regular: Option<File>,
}

/// The most that a file to be read at once may have: 1 GiB.
const MOST: usize = 1 << 30;

/// All of a text, without the byte order mark it may start with.
///
/// # Errors
/// The fault that it is not there, not readable, or not text in UTF-8.
pub(crate) fn read_text(file: &FileArg) -> Result<String, FileFaults> {
    let mut reader = file.open()?.reader;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let count = match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(file.unreadable(&error)),
        };
        let read = chunk.get(..count).unwrap_or_default();
        bytes.extend_from_slice(read);
        // Looked at on the way, so that nothing endless is read to its end.
        if read.contains(&0) {
            break;
        }
        if bytes.len() > MOST {
            let fault = Fault::new("it is larger than 1 GiB", "give several files, one after the other");
            return Err(FileFaults::of(file.name(), fault));
        }
    }
    text(bytes, &file.name())
}

fn text(mut bytes: Vec<u8>, source: &str) -> Result<String, FileFaults> {
    const SAVE: &str = "save it as UTF-8";
    let is_utf16 = match bytes.as_slice() {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        // Without a mark, every second byte of a plain text is zero.
        [first, second, third, fourth, ..] => {
            matches!(
                [first, second, third, fourth].map(|byte| *byte == 0),
                [false, true, false, true] | [true, false, true, false]
            )
        }
        _ => false,
    };
    if is_utf16 {
        return Err(FileFaults::of(source, Fault::new("it is UTF-16", SAVE)));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    let line_of = |bytes: &[u8], at: usize| {
        let before = bytes.get(..at).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        u64::try_from(before).ok().and_then(|before| before.checked_add(1))
    };
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let fault = Fault::new("it is not text: there is a zero byte", "give a text file saved as UTF-8");
        return Err(FileFaults::of(source, Fault { line: line_of(&bytes, at), ..fault }));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        let fault = Fault::new(format!("it is not text in UTF-8: there is a byte {byte:#04x}"), SAVE);
        FileFaults::of(source, Fault { line: line_of(error.as_bytes(), at), ..fault })
    })
}

/// A file that is read twice, from its start each time.
#[derive(Debug)]
pub(crate) struct Reread {
    name: String,
    file: File,
}

impl Reread {
    /// Opens a file. What cannot be read again, such as a pipe, is copied to a temporary file, which is gone when the
    /// program is.
    ///
    /// # Errors
    /// [`Failure::Input`] if it is not there or not readable; [`Failure::Dependency`] if it cannot be copied.
    pub(crate) fn open(file: &FileArg) -> Result<Self, Failure> {
        let name = file.name();
        let Opened { reader, regular } = file.open()?;
        if let Some(file) = regular {
            return Ok(Self { name, file });
        }
        let copy = tempfile::tempfile().and_then(|mut copy| spool(reader, &mut copy).map(|()| copy));
        let doing = || format!("copying {name} to a temporary file");
        let file = copy.map_err(|error| Failure::dependency(doing(), error))?;
        Ok(Self { name, file })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its bytes, from the first. One reader at a time: they share their position.
    ///
    /// # Errors
    /// [`Failure::Dependency`] if the system does not allow it.
    pub(crate) fn reader(&self) -> Result<File, Failure> {
        let again = self.file.try_clone().and_then(|mut file| file.rewind().map(|()| file));
        again.map_err(|error| Failure::dependency(format!("reading {} again", self.name), error))
    }
}

/// Copies everything. Of what has a zero byte in its first line, and so is no text, the first piece is enough to say so.
fn spool(mut reader: impl Read, copy: &mut File) -> io::Result<()> {
    let mut start = Vec::with_capacity(1 << 16);
    reader.by_ref().take(1 << 16).read_to_end(&mut start)?;
    copy.write_all(&start)?;
    let first_line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if !first_line.contains(&0) {
        io::copy(&mut reader, copy)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(bytes: &[u8]) -> String {
        text(bytes.to_vec(), "a").unwrap_err().to_string()
    }

    #[test]
    fn text_is_utf8_with_or_without_a_mark() {
        assert_eq!(text(b"\xEF\xBB\xBFa\r\n".to_vec(), "a").unwrap(), "a\r\n");
        assert_eq!(text(Vec::new(), "a").unwrap(), "");
        let utf16 = "a: it is UTF-16; save it as UTF-8\n";
        assert_eq!(fault_of(b"\xFF\xFEa\0"), utf16);
        assert_eq!(fault_of(b"\xFE\xFF\0a"), utf16);
        assert_eq!(fault_of(b"a\0b\0"), utf16);
        assert_eq!(fault_of(b"\0a\0b"), utf16);
        assert_eq!(
            fault_of(b"a\n\x7fELF\0"),
            "a:2: it is not text: there is a zero byte; give a text file saved as UTF-8\n"
        );
        assert_eq!(fault_of(b"a\n\nb\xFF"), "a:3: it is not text in UTF-8: there is a byte 0xff; save it as UTF-8\n");
    }

    #[test]
    fn json_lines_are_known_by_name_and_on_standard_input_by_their_start() {
        let path = |name: &str| FileArg::from(OsString::from(name));
        assert_eq!(path("a.jsonl").notation(""), Notation::Json);
        assert_eq!(path("a.toml").notation("{"), Notation::Toml);
        assert_eq!(path("-"), FileArg::Stdin);
        assert_eq!(FileArg::Stdin.notation("\n {\"id\""), Notation::Json);
        assert_eq!(FileArg::Stdin.notation("[[portfolio]]"), Notation::Toml);
    }
}
