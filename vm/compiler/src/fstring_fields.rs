//! What is wrong with the fields of an f-string, in the order and words of the 3.11 parser, which looks for a field's end before it
//! parses the expression: brackets are matched, strings skipped, and `!`, `:`, `=` and `}` outside of them end it.

/// The message for the first malformed field of a literal (prefix and quotes included), if any.
pub fn problem(literal: &str) -> Option<String> {
    scan(literal)?.0.err()
}

/// The expressions of a literal's fields, each with its place in the literal.
pub fn expressions(literal: &str) -> Vec<(usize, &str)> {
    let spans = scan(literal).map_or(vec![], |(_, spans)| spans);
    spans.into_iter().filter_map(|(from, to)| Some((from, literal.get(from..to)?))).collect()
}

fn scan(literal: &str) -> Option<(Found, Vec<(usize, usize)>)> {
    let quote = literal.find(['\'', '"'])?;
    let prefix = &literal[..quote];
    if !prefix.contains(['f', 'F']) {
        return None;
    }
    let body = &literal[quote..];
    let triple = ["'''", "\"\"\""].iter().any(|q| body.starts_with(q)) && body.len() >= 6;
    let n = if triple { 3 } else { 1 };
    if body.len() < 2 * n {
        return None;
    }
    let body = &body.as_bytes()[n..body.len() - n];
    let mut s = Scanner { text: body, at: 0, raw: prefix.contains(['r', 'R']), spans: vec![] };
    let found = s.parts(0);
    let before = quote + n;
    Some((found, s.spans.into_iter().map(|(from, to)| (before + from, before + to)).collect()))
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    raw: bool,
    /// Where the expressions found so far begin and end.
    spans: Vec<(usize, usize)>,
}

type Found = Result<(), String>;

fn err<T>(s: &str) -> Result<T, String> {
    Err(s.to_owned())
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
    fn next_is(&self, c: u8) -> bool {
        self.text.get(self.at + 1) == Some(&c)
    }
    /// Literal text and fields up to the end (`level` 0) or the closing brace of the format specification.
    fn parts(&mut self, level: usize) -> Found {
        while let Some(c) = self.peek() {
            match c {
                b'\\' if !self.raw && self.next_is(b'N') && self.text.get(self.at + 2) == Some(&b'{') => {
                    while self.peek().is_some_and(|c| c != b'}') {
                        self.at += 1;
                    }
                    self.at += 1;
                }
                b'\\' if !self.raw && !self.next_is(b'{') && !self.next_is(b'}') => self.at += 2,
                b'{' if level == 0 && self.next_is(b'{') => self.at += 2,
                b'{' => self.field(level)?,
                b'}' if level > 0 => return Ok(()),
                b'}' if self.next_is(b'}') => self.at += 2,
                b'}' => return err("f-string: single '}' is not allowed"),
                _ => self.at += 1,
            }
        }
        Ok(())
    }
    fn field(&mut self, level: usize) -> Found {
        if level >= 2 {
            return err("f-string: expressions nested too deeply");
        }
        self.at += 1;
        let start = self.at;
        self.expression()?;
        let text = &self.text[start..self.at.min(self.text.len())];
        let end = self.peek();
        self.spans.push((start, start + text.len()));
        let trimmed = text.trim_ascii();
        let Some(end) = end else { return err("f-string: expecting '}'") };
        if trimmed.is_empty() {
            return match end {
                b'}' => err("f-string: empty expression not allowed"),
                c => Err(format!("f-string: expression required before '{}'", c as char)),
            };
        }
        if trimmed.starts_with(b"**") {
            return err("f-string: cannot use double starred expression here");
        }
        if trimmed.starts_with(b"*") && !trimmed.contains(&b',') {
            return err("f-string: cannot use starred expression here");
        }
        if end == b'=' {
            self.at += 1;
            while self.peek().is_some_and(|c| c.is_ascii_whitespace()) {
                self.at += 1;
            }
        }
        if self.peek() == Some(b'!') {
            self.at += 1;
            match self.peek() {
                None => return err("f-string: expecting '}'"),
                Some(b's' | b'r' | b'a') => self.at += 1,
                Some(_) => return err("f-string: invalid conversion character: expected 's', 'r', or 'a'"),
            }
        }
        if self.peek() == Some(b':') {
            self.at += 1;
            self.parts(level + 1)?;
        }
        if self.peek() != Some(b'}') {
            return err("f-string: expecting '}'");
        }
        self.at += 1;
        Ok(())
    }
    /// Moves to what ends the expression.
    fn expression(&mut self) -> Found {
        let mut open: Vec<u8> = vec![];
        let mut quote: Option<(u8, usize)> = None;
        while let Some(c) = self.peek() {
            if c == b'\\' {
                return err("f-string expression part cannot include a backslash");
            }
            let run = self.text[self.at..].iter().take_while(|x| **x == c).count();
            if let Some((q, n)) = quote {
                if c == q && run >= n {
                    quote = None;
                    self.at += n;
                } else {
                    self.at += 1;
                }
                continue;
            }
            match c {
                b'\'' | b'"' => {
                    let n = if run >= 3 { 3 } else { 1 };
                    quote = Some((c, n));
                    self.at += n;
                    continue;
                }
                b'(' | b'[' | b'{' => {
                    if open.len() >= 200 {
                        return err("f-string: too many nested parenthesis");
                    }
                    open.push(c)
                }
                b'#' => return err("f-string expression part cannot include '#'"),
                b'!' | b':' | b'}' | b'=' | b'<' | b'>' if open.is_empty() => {
                    if matches!(c, b'!' | b'=' | b'<' | b'>') && self.next_is(b'=') {
                        self.at += 2;
                        continue;
                    }
                    if c != b'<' && c != b'>' {
                        return Ok(());
                    }
                }
                b')' | b']' | b'}' => {
                    let Some(o) = open.pop() else {
                        return Err(format!("f-string: unmatched '{}'", c as char));
                    };
                    if !matches!((o, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
                        return Err(format!(
                            "f-string: closing parenthesis '{}' does not match opening parenthesis '{}'",
                            c as char, o as char
                        ));
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        if quote.is_some() {
            return err("f-string: unterminated string");
        }
        match open.last() {
            Some(o) => Err(format!("f-string: unmatched '{}'", *o as char)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn fields_end_as_in_3_11() {
        for (text, wanted) in [
            ("f'{a}'", None),
            ("f'{a!r:>{w}}'", None),
            ("f'{a != b}'", None),
            ("f'{{}}'", None),
            ("rf'\\{a}'", None),
            ("f'{'", Some("f-string: expecting '}'")),
            ("f'{a!r }'", Some("f-string: expecting '}'")),
            ("f'{a[4)}'", Some("f-string: closing parenthesis ')' does not match opening parenthesis '['")),
            ("f'{)}'", Some("f-string: unmatched ')'")),
            ("f'{!r}'", Some("f-string: expression required before '!'")),
            ("f'{ }'", Some("f-string: empty expression not allowed")),
            ("f'{\"x'", Some("f-string: unterminated string")),
            ("f'}'", Some("f-string: single '}' is not allowed")),
        ] {
            assert_eq!(problem(text).as_deref(), wanted, "{text}");
        }
    }
}
