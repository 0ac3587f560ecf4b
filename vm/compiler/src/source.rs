//! Source text: decoding bytes (BOM, PEP 263 cookies, newline forms) and finding lines and columns.

use crate::ast::Location;
use crate::error::{ErrorKind, Result, SyntaxError};
use std::borrow::Cow;
use std::cell::Cell;

// ---- Decoding ----

/// Turns source bytes into text with `\n` newlines. `decode` serves encodings other than UTF-8, Latin-1 and ASCII.
pub fn decode<'a>(
    bytes: &'a [u8],
    filename: &str,
    ignore_cookie: bool,
    from_file: bool,
    decode: Option<&dyn Fn(&str, &[u8]) -> Option<String>>,
) -> Result<Cow<'a, str>> {
    if memchr::memchr(0, bytes).is_some() {
        return Err(SyntaxError::plain(ErrorKind::Value, "source code string cannot contain null bytes"));
    }
    let (bytes, bom) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let cookie = if ignore_cookie { None } else { find_cookie(bytes) };
    let name = cookie.as_deref().unwrap_or("utf-8");
    // With a byte order mark only the proper name is accepted.
    let proper = |n: &str| n == "utf-8" || n.starts_with("utf-8-");
    let text: Cow<'a, str> = match normal_name(name).as_str() {
        "utf-8" if !bom || proper(&name.to_ascii_lowercase().replace('_', "-")) => {
            match std::str::from_utf8(bytes) {
                Ok(s) => Cow::Borrowed(s),
                Err(e) => {
                    return Err(bad_utf8(
                        bytes,
                        e.valid_up_to(),
                        !from_file || cookie.is_some() || bom,
                        filename,
                    ));
                }
            }
        }
        _ if bom => {
            return Err(SyntaxError::plain(ErrorKind::Syntax, format!("encoding problem: {name} with BOM")));
        }
        "iso-8859-1" => match std::str::from_utf8(bytes) {
            Ok(s) if s.is_ascii() => Cow::Borrowed(s),
            _ => Cow::Owned(bytes.iter().map(|&b| b as char).collect()),
        },
        "ascii" => match std::str::from_utf8(bytes) {
            Ok(s) if s.is_ascii() => Cow::Borrowed(s),
            _ => {
                let at = bytes.iter().position(|b| !b.is_ascii()).unwrap_or(0);
                let msg = format!(
                    "(unicode error) 'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                    bytes[at]
                );
                return Err(SyntaxError::plain(ErrorKind::Syntax, msg));
            }
        },
        _ => match decode {
            Some(f) => match f(name, bytes) {
                Some(s) => Cow::Owned(s),
                None => {
                    let what = if from_file { "encoding problem" } else { "unknown encoding" };
                    return Err(SyntaxError::plain(ErrorKind::Syntax, format!("{what}: {name}")));
                }
            },
            None => return Err(SyntaxError::plain(ErrorKind::NeedsCodec, name)),
        },
    };
    Ok(normalise_newlines(text))
}

fn normalise_newlines(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn bad_utf8(bytes: &[u8], at: usize, declared: bool, filename: &str) -> Box<SyntaxError> {
    let line = 1 + bytes[..at].iter().filter(|&&b| b == b'\n').count();
    if declared {
        // CPython decodes token by token: the position counts from the start of the text literal, if it is in one.
        let line_start = bytes[..at].iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
        let quote = bytes[line_start..at].iter().rposition(|b| matches!(b, b'"' | b'\''));
        let position = quote.map_or(at, |q| at - (line_start + q + 1));
        let msg = format!(
            "(unicode error) 'utf-8' codec can't decode byte 0x{:02x} in position {position}: {}",
            bytes[at],
            utf8_reason(&bytes[at..])
        );
        return SyntaxError::plain(ErrorKind::Syntax, msg);
    }
    let msg = format!(
        "Non-UTF-8 code starting with '\\x{:02x}' in file {filename} on line {line}, but no encoding declared; see https://peps.python.org/pep-0263/ for details",
        bytes[at]
    );
    SyntaxError::plain(ErrorKind::Syntax, msg)
}

fn utf8_reason(rest: &[u8]) -> &'static str {
    match rest[0] {
        0x80..0xc2 | 0xf5..=0xff => "invalid start byte",
        _ if rest.len() < 4 && std::str::from_utf8(rest).is_err_and(|e| e.error_len().is_none()) => {
            "unexpected end of data"
        }
        _ => "invalid continuation byte",
    }
}

/// The encoding named in a comment of the first two lines (PEP 263).
fn find_cookie(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&b| b == b'\n' || b == b'\r').take(2) {
        let trimmed = line.trim_ascii_start();
        if let Some(found) = (trimmed.first() == Some(&b'#')).then(|| cookie_in(trimmed)).flatten() {
            return Some(found);
        }
        // A second line counts only after a blank or comment line.
        if !matches!(trimmed.first(), None | Some(b'#')) {
            return None;
        }
    }
    None
}

fn cookie_in(comment: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(comment, b"coding")?;
    let rest = &comment[at + 6..];
    let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"="))?;
    let rest = rest.trim_ascii_start();
    let end =
        rest.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_.".contains(b))).unwrap_or(rest.len());
    (end > 0).then(|| String::from_utf8_lossy(&rest[..end]).into_owned())
}

fn normal_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let is = |n: &str| lower == n || lower.strip_prefix(n).is_some_and(|r| r.starts_with('-'));
    if is("utf-8") || lower == "utf8" || lower == "u8" {
        "utf-8".into()
    } else if is("latin-1")
        || is("iso-8859-1")
        || is("iso-latin-1")
        || lower == "latin1"
        || lower == "l1"
        || lower == "8859"
    {
        "iso-8859-1".into()
    } else if lower == "ascii" || lower == "us-ascii" || lower == "646" {
        "ascii".into()
    } else {
        lower
    }
}

// ---- Positions ----

/// Maps byte offsets to lines (from 1) and byte columns (from 0).
pub struct Lines<'a> {
    pub text: &'a str,
    starts: Vec<u32>,
    /// The last answer: neighbours in the tree are neighbours in the text.
    hint: Cell<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Lines<'a> {
        let mut starts = Vec::with_capacity(text.len() / 32 + 1);
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|i| i as u32 + 1));
        Lines { text, starts, hint: Cell::new(0) }
    }

    /// Line and column of an offset.
    pub fn find(&self, offset: u32) -> (i32, i32) {
        let mut i = self.hint.get();
        let s = &self.starts;
        if s[i] > offset || s.get(i + 1).is_some_and(|&n| n <= offset) {
            i = if s.get(i + 1).is_some_and(|&n| n <= offset) && s.get(i + 2).is_none_or(|&n| n > offset) {
                i + 1
            } else {
                s.partition_point(|&n| n <= offset) - 1
            };
            self.hint.set(i);
        }
        (i as i32 + 1, (offset - s[i]) as i32)
    }

    pub fn location(&self, start: u32, end: u32) -> Location {
        let (end_line, end_col) = self.find(end);
        let (line, col) = self.find(start);
        Location { line, end_line, col, end_col }
    }

    /// A line's text with its newline; empty past the end.
    pub fn line(&self, line: i32) -> &'a str {
        let i = line as usize;
        if i == 0 || i > self.starts.len() {
            return "";
        }
        let end = self.starts.get(i).map_or(self.text.len(), |&e| e as usize);
        &self.text[self.starts[i - 1] as usize..end]
    }

    /// Number of lines (a final newline does not start another).
    pub fn count(&self) -> i32 {
        let n = self.starts.len() as i32;
        if self.text.ends_with('\n') || self.text.is_empty() { n - 1 } else { n }
    }

    /// Number of the last line.
    pub fn last(&self) -> i32 {
        self.starts.len() as i32
    }

    /// Byte column to character offset from 1.
    pub fn char_offset(&self, line: i32, col: i32) -> i32 {
        let text = self.line(line);
        let col = (col.max(0) as usize).min(text.len());
        text.as_bytes()[..col].iter().filter(|&&b| b & 0xc0 != 0x80).count() as i32 + 1
    }

    /// Offset of a line's start.
    pub fn start_of(&self, line: i32) -> u32 {
        self.starts[(line - 1) as usize]
    }

    /// An error at a byte range.
    pub fn error(&self, kind: ErrorKind, msg: impl Into<String>, start: u32, end: u32) -> Box<SyntaxError> {
        self.error_at(kind, msg, self.location(start, end))
    }

    /// An error at a location of the tree.
    pub fn error_at(&self, kind: ErrorKind, msg: impl Into<String>, loc: Location) -> Box<SyntaxError> {
        let text = self.line(loc.line);
        Box::new(SyntaxError {
            kind,
            msg: msg.into(),
            lineno: loc.line,
            offset: self.char_offset(loc.line, loc.col),
            end_lineno: loc.end_line,
            end_offset: if loc.end_col < 0 { 0 } else { self.char_offset(loc.end_line, loc.end_col) },
            text: Some(if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }),
            stage: crate::error::Stage::Parser,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies() {
        assert_eq!(find_cookie(b"#!/x\n# -*- coding: Latin-1 -*-\n"), Some("Latin-1".into()));
        assert_eq!(find_cookie(b"x=1\n# coding: latin-1\n"), None);
        assert_eq!(&decode(b"# coding: latin-1\n'\xe9'", "f", false, true, None).unwrap()[18..], "'é'");
        assert_eq!(decode(b"\xef\xbb\xbfa\r\nb\rc", "f", false, true, None).unwrap(), "a\nb\nc");
        assert!(decode(b"\xe9", "f", false, true, None).is_err());
    }

    #[test]
    fn lines_and_columns() {
        let l = Lines::new("ab\nc\n\nd");
        assert_eq!(l.find(7), (4, 1));
        assert_eq!(l.find(6), (4, 0));
        assert_eq!(l.find(0), (1, 0));
        assert_eq!(l.find(3), (2, 0));
        assert_eq!(l.line(2), "c\n");
    }
}
