//! Syntax errors as CPython reports them.

use std::fmt;

/// Which exception class is raised.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    Syntax,
    Indentation,
    Tab,
    /// Not an error of the text: the source is in an encoding that this crate doesn't decode (the name is in `msg`).
    NeedsCodec,
    /// `ValueError` (null bytes in the source).
    Value,
    /// `RecursionError` (nesting too deep for the compiler).
    Recursion,
    /// `MemoryError` (nesting too deep for CPython's parser).
    Memory,
    /// The input is fine so far but unfinished (interactive use).
    Incomplete,
}

/// Which part of the compiler found an error. What comes after the parser no longer has the text: it shows the line of the file, if there is
/// one, and the symbol table's errors have no arguments but the message.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    #[default]
    Parser,
    Symbols,
    Code,
}

/// A `SyntaxError`, or one of the few other exceptions that compiling raises.
///
/// Offsets count characters from 1, as in Python's `SyntaxError.offset`; 0 or -1 stand for "unknown", as there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    pub kind: ErrorKind,
    pub msg: String,
    pub lineno: i32,
    pub offset: i32,
    pub end_lineno: i32,
    pub end_offset: i32,
    /// The source line, with its newline.
    pub text: Option<String>,
    pub stage: Stage,
}

impl SyntaxError {
    /// An error without a position.
    pub fn plain(kind: ErrorKind, msg: impl Into<String>) -> Box<SyntaxError> {
        Box::new(SyntaxError {
            kind,
            msg: msg.into(),
            lineno: 0,
            offset: 0,
            end_lineno: 0,
            end_offset: 0,
            text: None,
            stage: Stage::Parser,
        })
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.kind {
            ErrorKind::Syntax | ErrorKind::Incomplete => "SyntaxError",
            ErrorKind::Indentation => "IndentationError",
            ErrorKind::Tab => "TabError",
            ErrorKind::NeedsCodec => "LookupError",
            ErrorKind::Value => "ValueError",
            ErrorKind::Recursion => "RecursionError",
            ErrorKind::Memory => "MemoryError",
        };
        write!(f, "{class}: {} (line {}, offset {})", self.msg, self.lineno, self.offset)
    }
}

impl std::error::Error for SyntaxError {}

pub type Result<T> = std::result::Result<T, Box<SyntaxError>>;

/// An error found after parsing: byte columns from 0 as in the tree; the driver turns them into a [`SyntaxError`].
#[derive(Clone, Debug)]
pub struct Located {
    pub msg: String,
    pub loc: lh_bytecode::location::Location,
    pub kind: ErrorKind,
    pub stage: Stage,
}

impl Located {
    pub fn new(msg: impl Into<String>, loc: lh_bytecode::location::Location) -> Box<Located> {
        Box::new(Located { msg: msg.into(), loc, kind: ErrorKind::Syntax, stage: Stage::Code })
    }
}
