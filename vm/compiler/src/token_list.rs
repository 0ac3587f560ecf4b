//! All tokens of a source as CPython's C tokenizer hands them out (`_tokenize.TokenizerIter`).

use crate::error::{ErrorKind, SyntaxError};
use crate::source::Lines;
use crate::tokens::{Kind, tokenize};

/// The exact types of operators start here, in the order of `token.py`.
const OPERATORS: [&str; 47] = [
    "(", ")", "[", "]", ":", ",", ";", "+", "-", "*", "/", "|", "&", "<", ">", "=", ".", "%", "{", "}", "==",
    "!=", "<=", ">=", "~", "^", "<<", ">>", "**", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=",
    ">>=", "**=", "//", "//=", "@", "@=", "->", "...", ":=",
];
const FIRST_OPERATOR: i32 = 7;
const OP: i32 = 54;

/// A token; columns are in bytes, -1 where there is none.
pub struct Listed {
    pub kind: i32,
    pub start: usize,
    pub end: usize,
    pub line: i32,
    pub end_line: i32,
    pub col: i32,
    pub end_col: i32,
    /// The physical lines it stands on, with those that are joined to them.
    pub lines: (usize, usize),
}

fn operator(text: &str) -> i32 {
    match text {
        "<>" => 28,
        _ => OPERATORS.iter().position(|o| *o == text).map_or(OP, |i| i as i32 + FIRST_OPERATOR),
    }
}

/// The tokens up to the end or the first error, which is answered if it is one that the tokenizer reports by itself.
pub fn list(text: &str) -> (Vec<Listed>, Option<Box<SyntaxError>>) {
    let lines = Lines::new(text);
    let found = tokenize(&lines);
    let bytes = text.as_bytes();
    let line_start = |at: usize| bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let line_end =
        |at: usize| bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |i| at + i + 1);
    let mut out: Vec<Listed> = Vec::with_capacity(found.list.len());
    // Where the lines in sight begin, and the end of the last token.
    let (mut seen_from, mut last_end, mut depth) = (0usize, 0usize, 0i32);
    for t in &found.list {
        let (mut start, mut end) = (t.start as usize, t.end as usize);
        let kind = match t.kind {
            Kind::Name => match &text[start..end] {
                "await" => 55,
                "async" => 56,
                _ => 1,
            },
            Kind::Number => 2,
            Kind::String => 3,
            Kind::Newline => 4,
            Kind::Indent => 5,
            Kind::Dedent => 6,
            Kind::Op => operator(&text[start..end]),
            Kind::End => break,
        };
        match t.kind {
            Kind::Indent => depth += 1,
            Kind::Dedent => depth -= 1,
            Kind::Newline => {
                end = start;
                let blanks =
                    bytes[last_end..end].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\x0c')).count();
                start = last_end + blanks;
            }
            _ => {}
        }
        if t.kind == Kind::Dedent && end == bytes.len() {
            // Those at the end of the file come below.
            depth += 1;
            continue;
        }
        let here = if matches!(t.kind, Kind::Indent | Kind::Dedent) { end } else { start };
        let mut from = line_start(here);
        while from >= 2 && bytes[from - 2] == b'\\' && from - 2 >= last_end {
            from = line_start(from - 2);
        }
        if from > line_start(last_end) || out.is_empty() {
            seen_from = from;
        }
        let (end_line, end_col) = lines.find(end as u32);
        let (line, col) =
            if kind == 3 { lines.find(start as u32) } else { (end_line, lines.find(start as u32).1) };
        let listed =
            Listed { kind, start, end, line, end_line, col, end_col, lines: (seen_from, line_end(end)) };
        if matches!(t.kind, Kind::Indent | Kind::Dedent) {
            out.push(Listed { start: end, col: -1, end_col: -1, ..listed });
            continue;
        }
        out.push(listed);
        last_end = end;
    }
    match &found.error {
        // The bracket that is wrong is no token any more, and neither are dedents to a column that does not exist.
        Some(e) if e.msg.starts_with("unmatched") || e.msg.starts_with("closing parenthesis") => {
            out.pop();
        }
        Some(e) if e.kind != ErrorKind::Syntax => {
            while out.last().is_some_and(|t| t.kind == 6) {
                out.pop();
            }
        }
        _ => {}
    }
    let broken = found.error.is_some();
    let error = found.error.filter(|e| {
        e.kind == ErrorKind::Syntax
            && e.msg != "unexpected EOF while parsing"
            && e.msg != "unexpected character after line continuation character"
    });
    if !broken && found.unclosed.is_none() && depth > 0 {
        let end = bytes.len();
        let last = lines.count();
        let from = line_start(end.saturating_sub(1));
        for _ in 0..depth {
            out.push(Listed {
                kind: 6,
                start: end,
                end,
                line: last,
                end_line: last,
                col: -1,
                end_col: -1,
                lines: (from, end),
            });
        }
    }
    (out, error)
}
