//! A plain tokenizer, used only after parsing has failed: it finds the errors that CPython's tokenizer reports (which win over
//! the parser's), and the tokens around an error.
//!
//! F-strings are single string tokens, as in 3.11.

use crate::error::{ErrorKind, SyntaxError};
use crate::source::Lines;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Name,
    Number,
    String,
    Op,
    Newline,
    Indent,
    Dedent,
    End,
}

#[derive(Copy, Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub start: u32,
    pub end: u32,
    /// Depth of brackets around the token; brackets themselves: inside for closing, outside for opening ones.
    pub level: usize,
}

pub struct Tokens {
    pub list: Vec<Token>,
    pub error: Option<Box<SyntaxError>>,
    /// Offset of the innermost bracket that is open at the end.
    pub unclosed: Option<u32>,
}

const OPERATORS: [&str; 47] = [
    "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<>", "<=", ">=", "->", ":=", "+=", "-=", "*=", "/=",
    "%=", "@=", "&=", "|=", "^=", "**", "//", "<<", ">>", "+", "-", "*", "/", "%", "@", "&", "|", "^", "~",
    "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";",
];

/// Blocks in blocks in blocks.
pub const MAX_INDENT: usize = 100;

struct Scan<'a> {
    lines: &'a Lines<'a>,
    b: &'a [u8],
    at: usize,
    brackets: Vec<u32>,
    out: Vec<Token>,
}

type Result<T> = std::result::Result<T, Box<SyntaxError>>;

pub fn tokenize(lines: &Lines<'_>) -> Tokens {
    let mut s = Scan { lines, b: lines.text.as_bytes(), at: 0, brackets: vec![], out: vec![] };
    let error = s.run().err();
    let end = s.b.len() as u32;
    if error.is_none() {
        s.push(Kind::End, end as usize, end as usize);
    }
    Tokens { unclosed: s.brackets.last().copied(), list: s.out, error }
}

impl Tokens {
    /// Ends the list where the tokens end.
    pub fn end(&mut self) {
        let at = self.list.last().map_or(0, |t| t.end);
        self.list.push(Token { kind: Kind::End, start: at, end: at, level: 0 });
    }
}

/// These errors are raised by the parser, which shows whole lines.
fn with_newline(e: &mut SyntaxError) {
    if let Some(t) = &mut e.text {
        t.push('\n');
    }
}

impl Scan<'_> {
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let level = self.brackets.len();
        self.out.push(Token { kind, start: start as u32, end: end as u32, level });
    }

    fn peek(&self, n: usize) -> u8 {
        self.b.get(self.at + n).copied().unwrap_or(b'\n')
    }

    /// An error whose offset counts the characters read so far.
    fn error<T>(&self, msg: impl Into<String>, read_to: usize) -> Result<T> {
        let mut e = self.lines.error(ErrorKind::Syntax, msg, read_to as u32, read_to as u32);
        e.offset -= 1;
        e.end_offset = e.offset;
        e.text = e.text.map(|t| t.trim_end_matches('\n').to_owned());
        Err(e)
    }

    fn indentation<T>(&self, kind: ErrorKind, msg: &str, start: usize) -> Result<T> {
        let (line, _) = self.lines.find(start as u32);
        let mut e = self.lines.error(kind, msg, start as u32, start as u32);
        e.offset = self.lines.line(line).trim_end_matches('\n').chars().count() as i32 + 1;
        e.end_offset = -1;
        if kind == ErrorKind::Tab {
            (e.offset, e.end_offset) = (1, 0);
        }
        Err(e)
    }

    fn run(&mut self) -> Result<()> {
        // Columns with tabs to the next multiple of 8, and with tabs as one blank: both must agree on the order.
        let mut indents = vec![(0, 0)];
        let mut fresh = true;
        while self.at < self.b.len() {
            if fresh {
                let mut start = self.at;
                let (mut col, mut alt) = (0, 0);
                // Where lines are joined within the indentation, what stands before the first backslash counts.
                let mut joined = None;
                loop {
                    match self.b.get(self.at) {
                        Some(b' ') => {
                            col += 1;
                            alt += 1;
                        }
                        Some(b'\t') => {
                            col = (col / 8 + 1) * 8;
                            alt += 1;
                        }
                        Some(b'\x0c') => (col, alt) = (0, 0),
                        Some(b'\\') if self.peek(1) == b'\n' && self.at + 2 < self.b.len() => {
                            joined = joined.or((col > 0).then_some(col));
                            self.at += 1;
                            start = self.at + 1;
                        }
                        _ => break,
                    }
                    self.at += 1;
                }
                if let Some(c) = joined {
                    (col, alt) = (c, c);
                }
                if matches!(self.peek(0), b'#' | b'\n') {
                    self.skip_comment();
                    self.at += 1;
                    continue;
                }
                if self.at >= self.b.len() {
                    break;
                }
                fresh = false;
                if self.peek(0) == b'\\' {
                    // An error, or the end.
                    continue;
                }
                let &(top, alt_top) = indents.last().unwrap_or(&(0, 0));
                let tab = "inconsistent use of tabs and spaces in indentation";
                if col == top {
                    if alt != alt_top {
                        return self.indentation(ErrorKind::Tab, tab, start);
                    }
                } else if col > top {
                    if alt <= alt_top {
                        return self.indentation(ErrorKind::Tab, tab, start);
                    }
                    if indents.len() >= MAX_INDENT {
                        return self.indentation(
                            ErrorKind::Indentation,
                            "too many levels of indentation",
                            start,
                        );
                    }
                    indents.push((col, alt));
                    self.push(Kind::Indent, start, self.at);
                } else {
                    while indents.last().is_some_and(|i| i.0 > col) {
                        indents.pop();
                        self.push(Kind::Dedent, self.at, self.at);
                    }
                    let &(top, alt_top) = indents.last().unwrap_or(&(0, 0));
                    if top != col {
                        let msg = "unindent does not match any outer indentation level";
                        return self.indentation(ErrorKind::Indentation, msg, start);
                    }
                    if alt != alt_top {
                        return self.indentation(ErrorKind::Tab, tab, start);
                    }
                }
            }
            match self.peek(0) {
                b' ' | b'\t' | b'\x0c' => self.at += 1,
                b'#' => self.skip_comment(),
                b'\n' => {
                    if self.brackets.is_empty() {
                        self.push(Kind::Newline, self.at, self.at + 1);
                        fresh = true;
                    }
                    self.at += 1;
                }
                b'\\' => {
                    if self.peek(1) != b'\n' {
                        let mut e = self
                            .error::<()>(
                                "unexpected character after line continuation character",
                                self.at + 2,
                            )
                            .err();
                        if let Some(e) = &mut e {
                            e.end_offset = 0;
                            with_newline(e);
                        }
                        return e.map_or(Ok(()), Err);
                    }
                    if self.at + 2 >= self.b.len() {
                        let mut e = self.error::<()>("unexpected EOF while parsing", self.at).err();
                        if let Some(e) = &mut e {
                            e.offset += 2;
                            e.end_offset = -1;
                            with_newline(e);
                        }
                        return e.map_or(Ok(()), Err);
                    }
                    self.at += 2;
                }
                b'0'..=b'9' => self.number()?,
                b'.' if self.peek(1).is_ascii_digit() => self.number()?,
                b'"' | b'\'' => self.string(self.at)?,
                c if c == b'_' || c.is_ascii_alphabetic() || c >= 128 => self.name()?,
                _ => self.operator()?,
            }
        }
        if !fresh && self.brackets.is_empty() {
            let end = self.b.len();
            self.push(Kind::Newline, end, end);
        }
        for _ in 1..indents.len() {
            self.push(Kind::Dedent, self.b.len(), self.b.len());
        }
        Ok(())
    }

    fn skip_comment(&mut self) {
        if self.peek(0) == b'#' {
            self.at += memchr::memchr(b'\n', &self.b[self.at..]).unwrap_or(self.b.len() - self.at);
        }
    }

    fn name(&mut self) -> Result<()> {
        let start = self.at;
        while self.at < self.b.len() {
            let c = self.b[self.at];
            if c == b'_' || c.is_ascii_alphanumeric() || c >= 128 {
                self.at += 1;
            } else {
                break;
            }
        }
        let text = &self.lines.text[start..self.at];
        if matches!(self.peek(0), b'"' | b'\'')
            && text.len() <= 2
            && matches!(text.to_ascii_lowercase().as_str(), "r" | "u" | "b" | "f" | "rb" | "br" | "rf" | "fr")
        {
            return self.string(start);
        }
        for (i, c) in text.char_indices() {
            let good = c == '_'
                || if i == 0 { unicode_ident::is_xid_start(c) } else { unicode_ident::is_xid_continue(c) };
            if !good {
                let printable =
                    !c.is_control() && !c.is_whitespace() && !('\u{200b}'..='\u{200f}').contains(&c);
                let msg = if printable {
                    format!("invalid character '{c}' (U+{:04X})", c as u32)
                } else {
                    format!("invalid non-printable character U+{:04X}", c as u32)
                };
                return self.error(msg, start + i + c.len_utf8());
            }
        }
        self.push(Kind::Name, start, self.at);
        Ok(())
    }

    /// Digits with single underscores between them.
    fn digits(&mut self, ok: fn(&u8) -> bool, kind: &str) -> Result<()> {
        loop {
            while ok(&self.peek(0)) {
                self.at += 1;
            }
            if self.peek(0) != b'_' {
                return Ok(());
            }
            self.at += 1;
            if !ok(&self.peek(0)) {
                let d = self.peek(0);
                if d.is_ascii_digit() {
                    return self
                        .error(format!("invalid digit '{}' in {kind} literal", d as char), self.at + 1);
                }
                return self.error(format!("invalid {kind} literal"), self.at);
            }
        }
    }

    fn number(&mut self) -> Result<()> {
        let start = self.at;
        let mut kind = "decimal";
        let radix = self.peek(1).to_ascii_lowercase();
        if self.peek(0) == b'0' && matches!(radix, b'x' | b'o' | b'b') {
            let (name, ok): (_, fn(&u8) -> bool) = match radix {
                b'x' => ("hexadecimal", u8::is_ascii_hexdigit),
                b'o' => ("octal", |c| matches!(c, b'0'..=b'7')),
                _ => ("binary", |c| matches!(c, b'0' | b'1')),
            };
            kind = name;
            self.at += 2;
            let mark = self.at;
            if self.peek(0) == b'_' {
                self.at += 1;
            }
            if !ok(&self.peek(0)) {
                if self.peek(0).is_ascii_digit() {
                    let d = self.peek(0) as char;
                    return self.error(format!("invalid digit '{d}' in {kind} literal"), self.at + 1);
                }
                return self.error(format!("invalid {kind} literal"), self.at.max(mark));
            }
            self.digits(ok, kind)?;
            if self.peek(0).is_ascii_digit() {
                let d = self.peek(0) as char;
                return self.error(format!("invalid digit '{d}' in {kind} literal"), self.at + 1);
            }
        } else {
            let zero = self.peek(0) == b'0';
            self.digits(u8::is_ascii_digit, kind)?;
            let whole = &self.b[start..self.at];
            let bad_zero = zero && whole.iter().any(|c| matches!(c, b'1'..=b'9'));
            let zeros = whole.iter().take_while(|&&c| c == b'0' || c == b'_').count();
            let mut float = false;
            if self.peek(0) == b'.' {
                float = true;
                self.at += 1;
                if self.peek(0).is_ascii_digit() {
                    self.digits(u8::is_ascii_digit, kind)?;
                }
            }
            if self.peek(0).eq_ignore_ascii_case(&b'e') {
                let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
                if self.peek(1 + sign).is_ascii_digit() {
                    float = true;
                    self.at += 1 + sign;
                    self.digits(u8::is_ascii_digit, kind)?;
                } else if sign == 1 {
                    return self.error(format!("invalid {kind} literal"), self.at + 2);
                }
            }
            if self.peek(0).eq_ignore_ascii_case(&b'j') {
                float = true;
                kind = "imaginary";
                self.at += 1;
            }
            if bad_zero && !float {
                let msg = "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers";
                let mut e = self.lines.error(ErrorKind::Syntax, msg, start as u32, (start + zeros) as u32);
                // Shown as far as it is read: without its newline.
                e.text = e.text.map(|t| t.trim_end_matches('\n').to_owned());
                return Err(e);
            }
        }
        let rest = &self.b[self.at..];
        let c = self.peek(0);
        let keyword = ["and", "else", "for", "if", "in", "is", "or", "not"]
            .iter()
            .any(|k| rest.starts_with(k.as_bytes()));
        if (c == b'_' || c.is_ascii_alphanumeric() || c >= 128) && !keyword {
            return self.error(format!("invalid {kind} literal"), self.at);
        }
        self.push(Kind::Number, start, self.at);
        Ok(())
    }

    fn string(&mut self, start: usize) -> Result<()> {
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        self.at += if triple { 3 } else { 1 };
        loop {
            let Some(&c) = self.b.get(self.at) else {
                let line = self.lines.count().max(1);
                let what = if triple { "triple-quoted string" } else { "string" };
                let msg = format!("unterminated {what} literal (detected at line {line})");
                return self.error(msg, start + 1);
            };
            if c == b'\\' {
                self.at += 2;
            } else if c == quote && (!triple || (self.peek(1) == quote && self.peek(2) == quote)) {
                self.at += if triple { 3 } else { 1 };
                break;
            } else if c == b'\n' && !triple {
                let line = self.lines.find(self.at as u32).0;
                return self
                    .error(format!("unterminated string literal (detected at line {line})"), start + 1);
            } else {
                self.at += 1;
            }
        }
        self.push(Kind::String, start, self.at);
        Ok(())
    }

    fn operator(&mut self) -> Result<()> {
        let rest = &self.b[self.at..];
        let len = OPERATORS.iter().find(|o| rest.starts_with(o.as_bytes())).map_or(1, |o| o.len());
        let c = rest[0];
        let start = self.at;
        match c {
            b'(' | b'[' | b'{' => {
                if self.brackets.len() >= 200 {
                    return self.error("too many nested parentheses", start + 1);
                }
                self.push(Kind::Op, start, start + 1);
                self.brackets.push(start as u32);
            }
            b')' | b']' | b'}' => {
                self.push(Kind::Op, start, start + 1);
                let Some(open) = self.brackets.pop() else {
                    return self.error(format!("unmatched '{}'", c as char), start + 1);
                };
                let o = self.b[open as usize];
                if !matches!((o, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
                    let (l1, l2) = (self.lines.find(open).0, self.lines.find(start as u32).0);
                    let on = if l1 != l2 { format!(" on line {l1}") } else { String::new() };
                    let msg = format!(
                        "closing parenthesis '{}' does not match opening parenthesis '{}'{on}",
                        c as char, o as char
                    );
                    return self.error(msg, start + 1);
                }
            }
            0..0x20 | 0x7f => {
                return self.error(format!("invalid non-printable character U+{c:04X}"), start + 1);
            }
            _ => self.push(Kind::Op, start, start + len),
        }
        self.at = start + len;
        Ok(())
    }
}
