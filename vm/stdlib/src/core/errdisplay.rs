//! Showing an exception on `sys.stderr`: what `sys.excepthook` and `sys.unraisablehook` print.
//!
//! The text is collected first and written in one go, line by line, so that a failing `__str__` in the middle costs one
//! line. Exception groups are drawn as a tree: every line starts with the indentation and margin of the group it is in.

use lh_runtime::prelude::*;
use lh_runtime::sysobject::{sys_get, write_stderr};

const MAX_GROUP_WIDTH: usize = 15;
const MAX_GROUP_DEPTH: usize = 10;

struct Display {
    out: String,
    seen: Vec<*mut lh_abi::PyObject>,
    /// Nesting of exception groups, 0 outside.
    depth: usize,
    /// The next sub-exception's header closes the `+-+` corner.
    need_close: bool,
}

fn attr(o: &Object, name: &str) -> Option<Owned<Object>> {
    match o.get_attr_str_opt(name) {
        Ok(v) => v,
        Err(e) => {
            e.clear();
            None
        }
    }
}
fn text_of(o: &Object) -> Option<String> {
    match o.str() {
        Ok(s) => Some(s.to_str_lossy().into_owned()),
        Err(e) => {
            e.clear();
            None
        }
    }
}
fn int_of(o: &Object) -> Option<i64> {
    o.downcast::<Int>().and_then(|i| i.to_i128()).and_then(|v| i64::try_from(v).ok())
}
fn some(o: Option<Owned<Object>>) -> Option<Owned<Object>> {
    o.filter(|x| !x.is_none())
}

impl Display {
    fn indent(&self) -> usize {
        2 * self.depth
    }
    /// One line inside the current group.
    fn line(&mut self, s: &str) {
        let margin = if self.depth > 0 { "| " } else { "" };
        let pad = self.indent();
        self.out.push_str(&format!("{:pad$}{margin}{s}\n", ""));
    }
    fn lines(&mut self, s: &str) {
        for l in s.split('\n') {
            self.line(l);
        }
    }

    fn chained(&mut self, e: &Object, tb: Option<&Object>) {
        self.seen.push(e.as_ptr());
        let cause = some(attr(e, "__cause__"));
        let context = some(attr(e, "__context__"));
        let suppress = attr(e, "__suppress_context__").is_some_and(|s| s.is_true_object());
        let before = match (cause, context) {
            (Some(c), _) => Some((c, "The above exception was the direct cause of the following exception:")),
            (None, Some(c)) if !suppress => {
                Some((c, "During handling of the above exception, another exception occurred:"))
            }
            _ => None,
        };
        if let Some((c, message)) = before
            && !self.seen.contains(&c.as_ptr())
            && self.seen.len() < 1000
        {
            let close = std::mem::take(&mut self.need_close);
            let tb = some(attr(&c, "__traceback__"));
            self.chained(&c, tb.as_deref());
            self.need_close |= close;
            self.line("");
            self.line(message);
            self.line("");
        }
        if e.is_instance(exc::BaseExceptionGroup()).unwrap_or(false) {
            self.group(e, tb);
        } else {
            self.plain(e, tb);
        }
    }

    fn plain(&mut self, e: &Object, tb: Option<&Object>) {
        if let Some(tb) = tb.filter(|t| !t.is_none()) {
            self.traceback(tb, "Traceback (most recent call last):");
        }
        self.message(e);
    }

    fn traceback(&mut self, tb: &Object, header: &str) {
        let limit = match sys_get("tracebacklimit") {
            Some(l) => match int_of(&l) {
                Some(n) if n <= 0 => return,
                Some(n) => n as usize,
                None if l.downcast::<Int>().is_some_and(|i| i.is_negative()) => return,
                None => 1000,
            },
            None => 1000,
        };
        self.line(header);
        let mut entries = vec![];
        let mut t = Some(tb.own());
        while let Some(x) = t {
            t = some(attr(&x, "tb_next"));
            entries.push(x);
        }
        let skip = entries.len().saturating_sub(limit);
        let mut last: Option<(String, i64, String)> = None;
        let mut count = 0usize;
        for x in &entries[skip..] {
            let Some(frame) = attr(x, "tb_frame") else { continue };
            let Some(code) = attr(&frame, "f_code") else { continue };
            let file = attr(&code, "co_filename").and_then(|o| text_of(&o)).unwrap_or_default();
            let name = attr(&code, "co_name").and_then(|o| text_of(&o)).unwrap_or_default();
            let lineno = attr(x, "tb_lineno").and_then(|o| int_of(&o)).unwrap_or(0);
            let now = (file, lineno, name);
            if last.as_ref() == Some(&now) {
                count += 1;
            } else {
                self.repeated(count);
                count = 1;
            }
            if count <= 3 {
                self.line(&format!("  File \"{}\", line {}, in {}", now.0, now.1, now.2));
                let lasti = attr(x, "tb_lasti").and_then(|o| int_of(&o)).unwrap_or(-1);
                self.source(&now.0, now.1, &code, lasti);
            }
            last = Some(now);
        }
        self.repeated(count);
    }
    fn repeated(&mut self, count: usize) {
        if count > 3 {
            let more = count - 3;
            // Also inside a group this line has no margin.
            let s = if more == 1 { "" } else { "s" };
            self.out.push_str(&format!("  [Previous line repeated {more} more time{s}]\n"));
        }
    }

    fn source(&mut self, file: &str, lineno: i64, code: &Object, lasti: i64) {
        let Some(line) = find_source_line(file, lineno) else { return };
        // Only indentation goes: blanks at the end are shown, and carets are left out where they would mark all of that.
        let stripped = line.trim_start_matches([' ', '\t', '\x0c']);
        if stripped.is_empty() {
            return;
        }
        self.line(&format!("    {stripped}"));
        let cut = line.len() - stripped.len();
        if lasti >= 0
            && let Some(p) = position(code, lasti)
            && let Some(c) = carets(&line, cut, stripped, p, code, lasti)
        {
            self.line(&format!("    {c}"));
        }
    }

    /// `module.Type: text`, with the place of a syntax error before it and the notes after it.
    fn message(&mut self, e: &Object) {
        // Without a line number it is shown as any other exception.
        let syntax = attr(e, "print_file_and_line").is_some()
            && attr(e, "lineno").is_some_and(|l| int_of(&l).is_some());
        if syntax {
            self.syntax_place(e);
        }
        let t = e.ty();
        let module = attr(t, "__module__").filter(|m| m.is_instance_of::<Str>()).and_then(|m| text_of(&m));
        let name = attr(t, "__qualname__").and_then(|n| text_of(&n)).unwrap_or_else(|| "<unknown>".into());
        let full = match module.as_deref() {
            None => format!("<unknown>.{name}"),
            Some("builtins" | "__main__") => name,
            Some(m) => format!("{m}.{name}"),
        };
        let shown = if syntax {
            attr(e, "msg").and_then(|m| if m.is_none() { None } else { text_of(&m) })
        } else {
            None
        };
        let text = match shown {
            Some(m) => Some(m),
            None => text_of(e).or_else(|| Some("<exception str() failed>".to_string())),
        };
        // CPython appends the suggestion whatever the message is.
        let text = match (text, super::suggest::suggestion(e)) {
            (Some(t), Some(s)) => Some(format!("{t}. Did you mean: '{s}'?")),
            (t, _) => t,
        };
        match text {
            None => self.line(&format!("{full}: <exception str() failed>")),
            Some(s) if s.is_empty() => self.line(&full),
            Some(s) => self.lines(&format!("{full}: {s}")),
        }
        self.notes(e);
    }
    fn notes(&mut self, e: &Object) {
        let Some(notes) = attr(e, "__notes__") else { return };
        let is_seq = notes.is_instance_of::<List>() || notes.is_instance_of::<Tuple>();
        if !is_seq {
            // As CPython writes it: the line isn't ended.
            match notes.repr() {
                Ok(s) => self.lines(&s.to_str_lossy()),
                Err(e) => {
                    e.clear();
                    self.line("<__notes__ repr() failed>");
                }
            }
            self.out.pop();
            return;
        }
        match notes.to_items() {
            Ok(items) => {
                for n in items {
                    match text_of(&n) {
                        Some(s) => self.lines(&s),
                        None => self.line("<note str() failed>"),
                    }
                }
            }
            Err(e) => e.clear(),
        }
    }
    fn syntax_place(&mut self, e: &Object) {
        let file = some(attr(e, "filename")).and_then(|f| text_of(&f)).unwrap_or_else(|| "<string>".into());
        let Some(lineno) = attr(e, "lineno").and_then(|l| int_of(&l)) else { return };
        self.line(&format!("  File \"{file}\", line {lineno}"));
        let Some(text) = some(attr(e, "text")).and_then(|t| text_of(&t)) else { return };
        let offset = attr(e, "offset").and_then(|o| int_of(&o)).unwrap_or(-1);
        let end_lineno = attr(e, "end_lineno").and_then(|o| int_of(&o));
        let mut end = attr(e, "end_offset").and_then(|o| int_of(&o)).filter(|e| *e > 0).unwrap_or(offset);
        let mut line: Vec<char> = text.trim_end_matches('\n').chars().collect();
        if let Some(p) = line.iter().position(|c| *c == '\n') {
            line.truncate(p);
        }
        if end_lineno.is_some_and(|l| l > lineno) {
            end = line.len() as i64 + 1;
        }
        end = end.min(line.len() as i64 + 1);
        let lead = line.iter().take_while(|c| matches!(c, ' ' | '\t' | '\x0c')).count() as i64;
        let shown: String = line[lead as usize..].iter().collect();
        self.line(&format!("    {}", shown.trim_end()));
        let offset = offset.min(line.len() as i64 + 1);
        let (start, end) = (offset - 1 - lead, end - 1 - lead);
        if offset >= 1 && start >= 0 {
            let n = (end - start).max(1);
            self.line(&format!("    {}{}", " ".repeat(start as usize), "^".repeat(n as usize)));
        }
    }

    fn group(&mut self, e: &Object, tb: Option<&Object>) {
        if self.depth > MAX_GROUP_DEPTH {
            self.line(&format!("... (max_group_depth is {MAX_GROUP_DEPTH})"));
            return;
        }
        let outermost = self.depth == 0;
        if outermost {
            self.depth += 1;
        }
        if let Some(tb) = tb.filter(|t| !t.is_none()) {
            let header = "Exception Group Traceback (most recent call last):";
            if outermost {
                // The root of the tree hangs at a `+`.
                let at = self.out.len();
                self.traceback(tb, header);
                let fixed = self.out[at..].replacen("| ", "+ ", 1);
                self.out.truncate(at);
                self.out.push_str(&fixed);
            } else {
                self.traceback(tb, header);
            }
        }
        self.message(e);
        let subs =
            attr(e, "exceptions").and_then(|x| x.to_items().map_err(Raised::clear).ok()).unwrap_or_default();
        let shown = if subs.len() <= MAX_GROUP_WIDTH { subs.len() } else { MAX_GROUP_WIDTH + 1 };
        self.need_close = false;
        for (i, sub) in subs.iter().take(shown).enumerate() {
            let last = i + 1 == shown;
            if last {
                self.need_close = true;
            }
            let truncated = i >= MAX_GROUP_WIDTH;
            let label = if truncated { "...".to_string() } else { (i + 1).to_string() };
            let pad = self.indent();
            let corner = if i == 0 { "+-" } else { "  " };
            self.out.push_str(&format!("{:pad$}{corner}+---------------- {label} ----------------\n", ""));
            self.depth += 1;
            if truncated {
                let more = subs.len() - MAX_GROUP_WIDTH;
                self.line(&format!("and {more} more exception{}", if more > 1 { "s" } else { "" }));
            } else {
                let tb = some(attr(sub, "__traceback__"));
                self.chained(sub, tb.as_deref());
            }
            if last && self.need_close {
                let pad = self.indent();
                self.out.push_str(&format!("{:pad$}+------------------------------------\n", ""));
                self.need_close = false;
            }
            self.depth -= 1;
        }
        if outermost {
            self.depth = 0;
        }
    }
}

/// A source line by file name; a relative name is also looked for beside `sys.path`'s entries.
fn find_source_line(file: &str, lineno: i64) -> Option<String> {
    // Once the modules are taken down, no source is read any more.
    if lh_runtime::thread::is_finalizing() && lh_runtime::import::loaded_module("io").is_none() {
        return None;
    }
    if file.starts_with('<') && file.ends_with('>') {
        return None;
    }
    if let Some(l) = lh_runtime::warnings::source_line(file, lineno) {
        return Some(l);
    }
    let tail = file.rsplit('/').next()?;
    let path = sys_get("path")?;
    let dirs = path.downcast::<List>()?.to_vec();
    dirs.iter()
        .filter_map(|d| d.downcast::<Str>())
        .find_map(|d| lh_runtime::warnings::source_line(&format!("{}/{}", d.to_str_lossy(), tail), lineno))
}

/// (line, end line, byte column, end byte column) of the instruction at `lasti`.
fn position(code: &Object, lasti: i64) -> Option<(i64, i64, i64, i64)> {
    let it = code.call_method("co_positions", &[]).and_then(|p| p.iterator());
    let it = it.map_err(Raised::clear).ok()?;
    for _ in 0..lasti / 2 {
        it.iter_next().map_err(Raised::clear).ok()??;
    }
    let p = it.iter_next().map_err(Raised::clear).ok()??;
    let t = p.downcast::<Tuple>()?;
    Some((int_of(t.item_ref(0))?, int_of(t.item_ref(1))?, int_of(t.item_ref(2))?, int_of(t.item_ref(3))?))
}

/// The line of carets under a source line, or `None` if it would mark the whole line.
fn carets(
    line: &str,
    cut: usize,
    stripped: &str,
    (l1, l2, c1, c2): (i64, i64, i64, i64),
    code: &Object,
    lasti: i64,
) -> Option<String> {
    let start = (c1 as usize).min(line.len());
    let mut end = (c2 as usize).min(line.len());
    let mut anchors = None;
    if l1 == l2 {
        let op = opcode_at(code, lasti);
        anchors = line.get(start..end).and_then(|seg| match op {
            Some(122) => operator_of(seg),
            Some(25 | 60 | 61) => subscript_of(seg),
            _ => None,
        });
    } else {
        end = cut + stripped.len();
    }
    if start < cut || end <= start {
        return None;
    }
    let width = line.get(start..end)?.chars().count();
    if anchors.is_none() && width == stripped.chars().count() {
        return None;
    }
    let mut out = " ".repeat(line.get(cut..start)?.chars().count());
    for (i, _) in line.get(start..end)?.char_indices() {
        out.push(match anchors {
            Some((a, b)) if i < a || i >= b => '~',
            _ => '^',
        });
    }
    Some(out)
}

fn opcode_at(code: &Object, lasti: i64) -> Option<u8> {
    let b = attr(code, "co_code")?;
    b.downcast::<Bytes>()?.as_bytes().get(lasti as usize).copied()
}

/// Characters outside of strings and brackets, with their byte offsets; `None` if the text does not close what it opens.
fn top_level(seg: &str) -> Option<Vec<(usize, u8)>> {
    let b = seg.as_bytes();
    let (mut depth, mut i, mut out) = (0i32, 0, vec![]);
    while i < b.len() {
        let c = b[i];
        match c {
            b'\'' | b'"' => {
                let triple = b[i..].starts_with(&[c, c, c]);
                let quote: &[u8] = if triple { &[c, c, c] } else { &[c] };
                i += quote.len();
                while i < b.len() && !b[i..].starts_with(quote) {
                    i += if b[i] == b'\\' { 2 } else { 1 };
                }
                i += quote.len();
                out.push((i.min(b.len()) - 1, b'x'));
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return None;
        }
        if depth == 0 {
            out.push((i, c));
        }
        i += 1;
    }
    if depth == 0 { Some(out) } else { None }
}

/// The byte range of the outermost binary operator of an expression.
fn operator_of(seg: &str) -> Option<(usize, usize)> {
    let top = top_level(seg)?;
    let mut best: Option<(u8, usize, usize)> = None;
    let mut operand_before = false;
    let mut k = 0;
    while k < top.len() {
        let (i, c) = top[k];
        let next = top.get(k + 1).filter(|n| n.0 == i + 1).map(|n| n.1);
        let (level, len) = match (c, next) {
            (b' ' | b'\t', _) => {
                k += 1;
                continue;
            }
            (b'e' | b'E', Some(b'+' | b'-')) if k > 0 && top[k - 1].1.is_ascii_digit() => {
                operand_before = true;
                k += 2;
                continue;
            }
            (b'*', Some(b'*')) => (7, 2),
            (b'/', Some(b'/')) => (6, 2),
            (b'<', Some(b'<')) | (b'>', Some(b'>')) => (4, 2),
            (b'*' | b'/' | b'%' | b'@', _) => (6, 1),
            (b'+' | b'-', _) => (5, 1),
            (b'&', _) => (3, 1),
            (b'^', _) => (2, 1),
            (b'|', _) => (1, 1),
            (b'<' | b'>' | b'=' | b'!' | b',' | b':', _) => return None,
            _ => {
                operand_before = c != b'~';
                k += 1;
                continue;
            }
        };
        if operand_before {
            let better = match best {
                None => true,
                Some((l, ..)) => level < l || (level == l && level != 7),
            };
            if better {
                best = Some((level, i, i + len));
            }
        }
        operand_before = false;
        k += len;
    }
    best.map(|(_, a, b)| (a, b))
}

/// The byte range of the brackets of a subscript expression.
fn subscript_of(seg: &str) -> Option<(usize, usize)> {
    let top = top_level(seg)?;
    if !seg.ends_with(']') {
        return None;
    }
    let open = top.iter().rev().find(|(i, c)| *c == b']' && *i + 1 < seg.len()).map_or(0, |(i, _)| i + 1);
    // The last bracket opened at the outermost level.
    let mut depth = 0;
    let mut at = None;
    for (i, c) in seg.bytes().enumerate().skip(open) {
        match c {
            b'(' | b'[' | b'{' => {
                if depth == 0 {
                    at = Some(i);
                }
                depth += 1;
            }
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    at.filter(|a| *a > 0).map(|a| (a, seg.len()))
}

/// The text `display` writes.
pub fn format_exception(value: &Object, tb: Option<&Object>) -> String {
    let mut d = Display { out: String::new(), seen: vec![], depth: 0, need_close: false };
    if !value.is_instance_of::<Exception>() {
        let t = value.ty().name();
        d.line(&format!("TypeError: print_exception(): Exception expected for value, {t} found"));
        return d.out;
    }
    let own = some(attr(value, "__traceback__"));
    let tb = tb.filter(|t| !t.is_none()).or(own.as_deref());
    d.chained(value, tb);
    d.out
}

/// Prints an exception with its traceback and everything chained to it on `sys.stderr`.
pub fn display(value: &Object, tb: Option<&Object>) {
    match sys_get("stderr") {
        Some(f) if f.is_none() => return,
        _ => {}
    }
    let text = format_exception(value, tb);
    write_stderr(&text);
    if let Some(f) = sys_get("stderr")
        && let Err(e) = f.call_method("flush", &[])
    {
        e.clear();
    }
}

/// `sys.unraisablehook`'s work.
pub fn display_unraisable(args: &Object) -> PyResult<()> {
    let get = |n: &str| -> PyResult<Option<Owned<Object>>> {
        Ok(Some(args.get_attr_str(n)?).filter(|x| !x.is_none()))
    };
    let (value, tb) = (get("exc_value")?, get("exc_traceback")?);
    let (message, object) = (get("err_msg")?, get("object")?);
    let mut out = String::new();
    let shown = object.map(|o| match o.repr() {
        Ok(r) => r.to_str_lossy().into_owned(),
        Err(e) => {
            e.clear();
            "<object repr() failed>".into()
        }
    });
    match (message.and_then(|m| text_of(&m)), shown) {
        (Some(m), Some(o)) => out.push_str(&format!("{m}: {o}\n")),
        (Some(m), None) => out.push_str(&format!("{m}:\n")),
        (None, Some(o)) => out.push_str(&format!("Exception ignored in: {o}\n")),
        (None, None) => {}
    }
    let mut d = Display { out, seen: vec![], depth: 0, need_close: false };
    if let Some(tb) = &tb {
        d.traceback(tb, "Traceback (most recent call last):");
    }
    match &value {
        Some(v) => d.message(v),
        None => {
            if let Some(t) = get("exc_type")? {
                let name = attr(&t, "__qualname__").and_then(|n| text_of(&n)).unwrap_or_default();
                d.line(&name);
            }
        }
    }
    write_stderr(&d.out);
    Ok(())
}
