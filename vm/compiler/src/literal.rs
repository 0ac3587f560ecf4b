//! Escapes of text literals, for literals that ruff can't represent (those with lone surrogates).

use lh_bytecode::Wtf8;

/// Appends the text of a literal's body. The literal is known to be well formed (the parser has accepted it).
/// `braces`: doubled braces stand for one (f-strings).
pub fn unescape(body: &str, braces: bool, out: &mut Wtf8) {
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            if braces && (c == '{' || c == '}') && chars.peek() == Some(&c) {
                chars.next();
            }
            out.push_code_point(c as u32);
            continue;
        }
        let Some(e) = chars.next() else { return out.push_str("\\") };
        let mut hex = |n: usize| {
            let mut v = 0;
            for _ in 0..n {
                v = v << 4 | chars.next().and_then(|c| c.to_digit(16)).unwrap_or(0);
            }
            v
        };
        match e {
            '\n' => {}
            '\\' | '\'' | '"' => out.push_code_point(e as u32),
            'a' => out.push_code_point(7),
            'b' => out.push_code_point(8),
            'f' => out.push_code_point(12),
            'n' => out.push_code_point(10),
            'r' => out.push_code_point(13),
            't' => out.push_code_point(9),
            'v' => out.push_code_point(11),
            'x' => out.push_code_point(hex(2)),
            'u' => out.push_code_point(hex(4)),
            'U' => out.push_code_point(hex(8)),
            '0'..='7' => {
                let mut v = e as u32 - '0' as u32;
                for _ in 0..2 {
                    match chars.peek().and_then(|c| c.to_digit(8)) {
                        Some(d) => {
                            v = v * 8 + d;
                            chars.next();
                        }
                        None => break,
                    }
                }
                out.push_code_point(v);
            }
            'N' => {
                chars.next();
                let name: String = chars.by_ref().take_while(|&c| c != '}').collect();
                match unicode_names2::character(&name) {
                    Some(c) => out.push_code_point(c as u32),
                    None => out.push_code_point(0xfffd),
                }
            }
            other => {
                out.push_str("\\");
                out.push_code_point(other as u32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_and_braces() {
        let mut w = Wtf8::new();
        unescape(r"a\ud800\n{{\x41\101\q", true, &mut w);
        let want = [0x61, 0xd800, 10, b'{' as u32, 65, 65, b'\\' as u32, b'q' as u32];
        assert_eq!(w.code_points().collect::<Vec<_>>(), want);
    }
}
