//! The tar files that archives of the store are: POSIX ustar, regular files only, all metadata fixed. Any tar reads them;
//! of what other tars write, everything but plain files in the expected order is refused.

use std::io::{self, Read, Write};

/// The unit of the format, in bytes.
const BLOCK: usize = 512;
/// The longest name that is written, in bytes: the field of the header.
const MAX_NAME: usize = 100;

/// Writes a file's header.
///
/// # Errors
/// Those of the writer.
pub(super) fn write_header(out: &mut impl Write, name: &str, size: u64) -> io::Result<()> {
    let mut header = [0; BLOCK];
    let mut field = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    assert!(name.len() <= MAX_NAME, "names of the store are shorter");
    field(0, name);
    field(100, "0000444\0");
    // User, group and time: those of nobody.
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(124, &format!("{size:011o}\0"));
    field(136, "00000000000\0");
    field(148, "        ");
    field(156, "0");
    field(257, "ustar\x0000");
    let sum = checksum(&header);
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.write_all(&header)
}

/// Fills up the last block of a file.
///
/// # Errors
/// Those of the writer.
pub(super) fn write_padding(out: &mut impl Write, size: u64) -> io::Result<()> {
    out.write_all(&[0; BLOCK][..padding(size)])
}

/// Writes the two empty blocks that end an archive.
///
/// # Errors
/// Those of the writer.
pub(super) fn write_end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// How much of its last block a file leaves empty.
fn padding(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

/// The sum of a header's bytes, its own field counted as spaces.
fn checksum(header: &[u8; BLOCK]) -> u32 {
    let others = header[..148].iter().chain(&header[156..]).map(|byte| u32::from(*byte)).sum::<u32>();
    others + 8 * u32::from(b' ')
}

/// A file's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) size: u64,
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It ends too early.
    #[error("the archive ends too early")]
    Truncated,
    /// A header does not add up.
    #[error("not a tar header: its checksum is wrong")]
    Checksum,
    /// A field of a header cannot be read.
    #[error("a tar header with an unreadable {0}")]
    Field(&'static str),
    /// Something that is no regular file.
    #[error("'{name}' is {what}; an archive of the store holds only regular files")]
    NotAFile {
        /// The entry.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// A name that leads out of the folder that an archive is unpacked into.
    #[error("'{0}' leads out of the archive")]
    Escapes(String),
    /// Bytes between or behind the files.
    #[error("there is something {0}, where an archive of the store has only zeros")]
    Rest(&'static str),
}

/// Reads an archive from its beginning to its end.
pub(super) struct Reader<R> {
    input: R,
    at: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, at: 0 }
    }

    /// Returns how many bytes were read.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// Reads the next header; `None` at the end, behind which only zeros may follow, as other tars write them.
    pub(super) fn header(&mut self) -> Result<Option<Header>, Malformed> {
        let mut header = [0; BLOCK];
        self.fill(&mut header)?;
        if header == [0; BLOCK] {
            self.end()?;
            return Ok(None);
        }
        if number(&header[148..156]) != Some(u64::from(checksum(&header))) {
            return Err(Malformed::Checksum);
        }
        let name = name(&header).ok_or(Malformed::Field("name"))?;
        let what = match header[156] {
            b'0' | 0 => None,
            b'1' => Some("a hard link"),
            b'2' => Some("a symbolic link"),
            b'3' | b'4' => Some("a device"),
            b'5' => Some("a folder"),
            b'6' => Some("a named pipe"),
            b'x' | b'g' | b'L' | b'K' => Some("an extended header"),
            b'S' => Some("a sparse file"),
            _ => Some("of an unknown type"),
        };
        if let Some(what) = what {
            return Err(Malformed::NotAFile { name, what });
        }
        if name.starts_with('/') || name.split('/').any(|part| part == "..") {
            return Err(Malformed::Escapes(name));
        }
        let size = number(&header[124..136]).ok_or(Malformed::Field("size"))?;
        Ok(Some(Header { name, size }))
    }

    /// Reads a file's content. The caller has bounded its size.
    pub(super) fn content(&mut self, size: u64) -> Result<Vec<u8>, Malformed> {
        let mut content = Vec::new();
        // Memory grows with what is there, not with what a header says.
        let read = Read::by_ref(&mut self.input).take(size).read_to_end(&mut content)? as u64;
        self.at += read;
        if read < size {
            return Err(Malformed::Truncated);
        }
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..padding(size)];
        self.fill(rest)?;
        if rest.iter().any(|byte| *byte != 0) { Err(Malformed::Rest("behind a file")) } else { Ok(content) }
    }

    /// Reads on behind the first empty block.
    fn end(&mut self) -> Result<(), Malformed> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        loop {
            if block != [0; BLOCK] {
                return Err(Malformed::Rest("behind the end"));
            }
            match self.fill(&mut block) {
                Ok(()) => {}
                Err(Malformed::Truncated) => return Ok(()),
                Err(other) => return Err(other),
            }
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Malformed> {
        self.input.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Malformed::Truncated,
            _ => Malformed::Io(error),
        })?;
        self.at += buffer.len() as u64;
        Ok(())
    }
}

/// The name, of which a long one stands in two parts.
fn name(header: &[u8; BLOCK]) -> Option<String> {
    let (prefix, name) = (text(&header[345..500])?, text(&header[..MAX_NAME])?);
    Some(if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") })
}

/// A header's text, up to the first zero; `None` if it is not UTF-8.
fn text(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(field.split(|byte| *byte == 0).next().unwrap_or_default()).ok()
}

/// A header's number in octal digits, between spaces and zeros; other encodings are not read.
fn number(field: &[u8]) -> Option<u64> {
    let digits = text(field)?.trim_matches(' ');
    let is_octal = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    if is_octal { u64::from_str_radix(digits, 8).ok() } else { None }
}
