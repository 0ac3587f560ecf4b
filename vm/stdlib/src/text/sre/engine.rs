//! The matcher for the code that `re/_compiler.py` emits (magic 20220615).
//!
//! A backtracking machine with its own stack, so that neither deep nesting nor long subjects use the native stack:
//!
//! ```text
//!   state      pc, ptr, marks, the innermost repeat (`rep`), the sub-matches being run (`subs`)
//!   stack      choices (where to go on after a failure) mixed with undo records (marks changed since)
//! ```
//!
//! On failure entries are popped: undo records are applied, the first choice is taken. Repeats with a body are persistent list
//! nodes (`Rep`: count so far, where the last round began, the enclosing repeat), so a choice only remembers an index. Assertions,
//! atomic groups and possessive repeats run their body above a *barrier*: success of the body cuts the choices above
//! the barrier (keeping the undo records), failure finds the barrier itself.

use lh_runtime::strobject::Unit;
use lh_runtime::unicode;
use std::cell::UnsafeCell;

// Opcodes of re/_constants.py.
const FAILURE: u32 = 0;
const SUCCESS: u32 = 1;
const ANY: u32 = 2;
const ANY_ALL: u32 = 3;
const ASSERT: u32 = 4;
const ASSERT_NOT: u32 = 5;
const AT: u32 = 6;
const BRANCH: u32 = 7;
const CATEGORY: u32 = 8;
const CHARSET: u32 = 9;
const BIGCHARSET: u32 = 10;
const GROUPREF: u32 = 11;
const GROUPREF_EXISTS: u32 = 12;
const IN: u32 = 13;
const INFO: u32 = 14;
const JUMP: u32 = 15;
const LITERAL: u32 = 16;
const MARK: u32 = 17;
const MAX_UNTIL: u32 = 18;
const MIN_UNTIL: u32 = 19;
const NOT_LITERAL: u32 = 20;
const NEGATE: u32 = 21;
const RANGE: u32 = 22;
const REPEAT: u32 = 23;
const REPEAT_ONE: u32 = 24;
const MIN_REPEAT_ONE: u32 = 26;
const ATOMIC_GROUP: u32 = 27;
const POSSESSIVE_REPEAT: u32 = 28;
const POSSESSIVE_REPEAT_ONE: u32 = 29;
const GROUPREF_IGNORE: u32 = 30;
const IN_IGNORE: u32 = 31;
const LITERAL_IGNORE: u32 = 32;
const NOT_LITERAL_IGNORE: u32 = 33;
const GROUPREF_LOC_IGNORE: u32 = 34;
const IN_LOC_IGNORE: u32 = 35;
const LITERAL_LOC_IGNORE: u32 = 36;
const NOT_LITERAL_LOC_IGNORE: u32 = 37;
const GROUPREF_UNI_IGNORE: u32 = 38;
const IN_UNI_IGNORE: u32 = 39;
const LITERAL_UNI_IGNORE: u32 = 40;
const NOT_LITERAL_UNI_IGNORE: u32 = 41;
const RANGE_UNI_IGNORE: u32 = 42;
pub const MAXREPEAT: u32 = u32::MAX;

const NONE: u32 = u32::MAX;

// ---- Characters ----

pub fn ascii_lower(c: u32) -> u32 {
    if c < 128 { (c as u8).to_ascii_lowercase() as u32 } else { c }
}
fn locale_lower(c: u32) -> u32 {
    // SAFETY: tolower takes any unsigned char.
    if c < 256 { unsafe { libc::tolower(c as i32) as u32 } } else { c }
}
fn locale_upper(c: u32) -> u32 {
    // SAFETY: toupper takes any unsigned char.
    if c < 256 { unsafe { libc::toupper(c as i32) as u32 } } else { c }
}
fn locale_word(c: u32) -> bool {
    // SAFETY: isalnum takes any unsigned char.
    c == '_' as u32 || c < 256 && unsafe { libc::isalnum(c as i32) != 0 }
}
fn ascii_word(c: u32) -> bool {
    c < 128 && ((c as u8).is_ascii_alphanumeric() || c == '_' as u32)
}
fn unicode_word(c: u32) -> bool {
    if c < 128 { ascii_word(c) } else { unicode::is_alnum(c) }
}

/// For each ASCII character the sets it is in: 1 digits, 2 `\s` of bytes, 4 `\w`, 8 `\s` of text.
static ASCII_SETS: [u8; 128] = {
    let mut t = [0u8; 128];
    let mut c = 0;
    while c < 128 {
        let b = c as u8;
        let mut s = 0;
        if b.is_ascii_digit() {
            s |= 1;
        }
        if matches!(b, 9..=13 | 32) {
            s |= 2;
        }
        if b.is_ascii_alphanumeric() || b == b'_' {
            s |= 4;
        }
        if matches!(b, 9..=13 | 28..=32) {
            s |= 8;
        }
        t[c] = s;
        c += 1;
    }
    t
};

#[inline]
fn category(code: u32, c: u32) -> bool {
    if c < 128 {
        let bit = match code & !1 {
            0 | 10 => 1,
            2 => 2,
            4 | 14 => 4,
            12 => 8,
            _ => return wide_category(code, c),
        };
        return (ASCII_SETS[c as usize] & bit != 0) == (code & 1 == 0);
    }
    wide_category(code, c)
}
fn wide_category(code: u32, c: u32) -> bool {
    let yes = match code & !1 {
        0 => (48..58).contains(&c),
        2 => matches!(c, 9..=13 | 32),
        4 => ascii_word(c),
        6 => c == 10,
        8 => locale_word(c),
        10 => unicode::decimal(c).is_some(),
        12 => unicode::is_space(c),
        14 => unicode_word(c),
        16 => unicode::is_line_break(c),
        _ => false,
    };
    yes == (code & 1 == 0)
}

/// Is `c` in the set at `code[at..]`?
fn in_set(code: &[u32], mut at: usize, c: u32) -> bool {
    let mut ok = true;
    loop {
        let op = code[at];
        at += 1;
        match op {
            FAILURE => return !ok,
            LITERAL => {
                if c == code[at] {
                    return ok;
                }
                at += 1;
            }
            CATEGORY => {
                if category(code[at], c) {
                    return ok;
                }
                at += 1;
            }
            CHARSET => {
                if c < 256 && code[at + (c >> 5) as usize] & (1 << (c & 31)) != 0 {
                    return ok;
                }
                at += 8;
            }
            RANGE => {
                if code[at] <= c && c <= code[at + 1] {
                    return ok;
                }
                at += 2;
            }
            RANGE_UNI_IGNORE => {
                if code[at] <= c && c <= code[at + 1] {
                    return ok;
                }
                let u = unicode::to_upper(c);
                if code[at] <= u && u <= code[at + 1] {
                    return ok;
                }
                at += 2;
            }
            NEGATE => ok = !ok,
            BIGCHARSET => {
                let blocks = code[at] as usize;
                at += 1;
                if c < 65536 {
                    let hi = (c >> 8) as usize;
                    let block = (code[at + (hi >> 2)] >> ((hi & 3) * 8) & 0xff) as usize;
                    let word = code[at + 64 + block * 8 + (c as usize >> 5 & 7)];
                    if word & (1 << (c & 31)) != 0 {
                        return ok;
                    }
                }
                at += 64 + blocks * 8;
            }
            _ => return false,
        }
    }
}

fn in_set_locale(code: &[u32], at: usize, c: u32) -> bool {
    let lo = locale_lower(c);
    if in_set(code, at, lo) {
        return true;
    }
    let up = locale_upper(c);
    up != lo && in_set(code, at, up)
}
fn same_locale(p: u32, c: u32) -> bool {
    c == p || locale_lower(c) == p || locale_upper(c) == p
}

/// Does the single-character operation at `pc` accept `c`?
#[inline(always)]
fn one(code: &[u32], pc: usize, c: u32) -> bool {
    match code[pc] {
        LITERAL => c == code[pc + 1],
        NOT_LITERAL => c != code[pc + 1],
        ANY => c != 10,
        ANY_ALL => true,
        IN => in_set(code, pc + 2, c),
        CATEGORY => category(code[pc + 1], c),
        LITERAL_IGNORE => ascii_lower(c) == code[pc + 1],
        NOT_LITERAL_IGNORE => ascii_lower(c) != code[pc + 1],
        LITERAL_UNI_IGNORE => unicode::to_lower(c) == code[pc + 1],
        NOT_LITERAL_UNI_IGNORE => unicode::to_lower(c) != code[pc + 1],
        LITERAL_LOC_IGNORE => same_locale(code[pc + 1], c),
        NOT_LITERAL_LOC_IGNORE => !same_locale(code[pc + 1], c),
        IN_IGNORE => in_set(code, pc + 2, ascii_lower(c)),
        IN_UNI_IGNORE => in_set(code, pc + 2, unicode::to_lower(c)),
        IN_LOC_IGNORE => in_set_locale(code, pc + 2, c),
        _ => false,
    }
}

// ---- The machine ----

#[derive(Clone, Copy)]
struct Rep {
    /// Where its REPEAT's arguments are.
    pc: u32,
    count: u32,
    last: usize,
    prev: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum SubKind {
    Assert,
    AssertNot,
    Atomic,
    /// One round of a possessive repeat; the rounds done before it.
    Possessive(u32),
}
#[derive(Clone, Copy)]
struct Sub {
    kind: SubKind,
    /// Stack height below its barrier.
    base: usize,
    /// Where to go on; for a possessive repeat its arguments.
    pc: u32,
    ptr: usize,
    rep: u32,
}

#[derive(Clone, Copy)]
enum Entry {
    /// Go on at `pc`, `ptr`.
    Choice { pc: u32, ptr: usize, rep: u32, reps: u32 },
    /// The next alternative of a branch: `pc` is its skip.
    Branch { pc: u32, ptr: usize, rep: u32, reps: u32 },
    /// A greedy single-character repeat may give back characters down to `min`.
    Greedy { pc: u32, ptr: usize, min: usize, rep: u32, reps: u32 },
    /// A lazy single-character repeat may take up to `left` more characters; `pc` is its arguments.
    Lazy { pc: u32, ptr: usize, left: u32, rep: u32, reps: u32 },
    /// Undo a mark.
    Mark { i: u32, old: isize, lastindex: i32, lastmark: i32 },
    /// The sub-match on top of `subs` failed.
    Barrier,
}

/// The stack of the last matcher, kept for the next: many matches are short.
struct Spare(UnsafeCell<Vec<Entry>>);
// SAFETY: only touched with the GIL held.
unsafe impl Sync for Spare {}
static SPARE: Spare = Spare(UnsafeCell::new(vec![]));
impl Spare {
    fn take(&self) -> Vec<Entry> {
        // SAFETY: as above; nothing else runs meanwhile.
        unsafe { std::mem::take(&mut *self.0.get()) }
    }
    fn put(&self, mut v: Vec<Entry>) {
        const MOST: usize = 4096;
        v.clear();
        if v.capacity() <= MOST {
            // SAFETY: as above.
            unsafe { *self.0.get() = v }
        }
    }
}
impl<C> Drop for Matcher<'_, C> {
    fn drop(&mut self) {
        SPARE.put(std::mem::take(&mut self.stack))
    }
}

/// The single-character operation that every match of the code at `pc` begins with.
fn first_operation(code: &[u32], mut pc: usize) -> Option<usize> {
    loop {
        match *code.get(pc)? {
            MARK => pc += 2,
            REPEAT_ONE | MIN_REPEAT_ONE | POSSESSIVE_REPEAT_ONE if code[pc + 2] > 0 => pc += 4,
            LITERAL | NOT_LITERAL | ANY | IN | CATEGORY | LITERAL_IGNORE | LITERAL_UNI_IGNORE | IN_IGNORE
            | IN_UNI_IGNORE => return Some(pc),
            _ => return None,
        }
    }
}

/// One-byte characters as bytes.
#[inline]
fn as_bytes<C: Unit>(t: &[C]) -> Option<&[u8]> {
    if C::KIND != 1 {
        return None;
    }
    // SAFETY: a character of kind 1 is a byte.
    Some(unsafe { &*std::ptr::slice_from_raw_parts(t.as_ptr().cast(), t.len()) })
}
/// The first place of `c`.
#[inline]
fn position_of<C: Unit>(t: &[C], c: u32) -> Option<usize> {
    match as_bytes(t) {
        Some(b) => memchr::memchr(u8::try_from(c).ok()?, b),
        None => t.iter().position(|x| x.code() == c),
    }
}

/// The first place of a character in the set at `code[set..]`; two or three single characters are searched for at once.
fn position_in<C: Unit>(t: &[C], code: &[u32], set: usize) -> Option<usize> {
    let literal = |k: usize| match code.get(set + 2 * k) {
        Some(&LITERAL) => u8::try_from(code[set + 2 * k + 1]).ok(),
        _ => None,
    };
    if let (Some(b), Some(x), Some(y)) = (as_bytes(t), literal(0), literal(1)) {
        if code[set + 4] == FAILURE {
            return memchr::memchr2(x, y, b);
        }
        if let Some(z) = literal(2)
            && code[set + 6] == FAILURE
        {
            return memchr::memchr3(x, y, z, b);
        }
    }
    t.iter().position(|c| in_set(code, set, c.code()))
}

pub struct Matcher<'a, C> {
    code: &'a [u32],
    text: &'a [C],
    /// The end of the searched part; positions before `pos` count as text for look-behind, as in CPython.
    end: usize,
    pub marks: Vec<isize>,
    pub lastindex: i32,
    lastmark: i32,
    pub start: usize,
    pub ptr: usize,
    match_all: bool,
    must_advance: Option<usize>,
    stack: Vec<Entry>,
    reps: Vec<Rep>,
    subs: Vec<Sub>,
}

impl<'a, C: Unit> Matcher<'a, C> {
    /// `text` is the subject up to `endpos`.
    pub fn new(code: &'a [u32], text: &'a [C], groups: usize) -> Self {
        Matcher {
            code,
            text,
            end: text.len(),
            marks: vec![-1; groups * 2],
            lastindex: -1,
            lastmark: -1,
            start: 0,
            ptr: 0,
            match_all: false,
            must_advance: None,
            stack: SPARE.take(),
            reps: vec![],
            subs: vec![],
        }
    }

    fn reset(&mut self) {
        self.marks.fill(-1);
        self.lastindex = -1;
        self.lastmark = -1;
        self.stack.clear();
        self.reps.clear();
        self.subs.clear();
    }

    /// Matches at `start`; with `full` up to the end.
    pub fn match_at(&mut self, start: usize, full: bool, must_advance: bool) -> bool {
        self.match_all = full;
        self.must_advance = must_advance.then_some(start);
        self.start = start;
        self.reset();
        self.run(0, start)
    }

    /// Finds the first match at or behind `from`.
    pub fn search(&mut self, from: usize, must_advance: bool) -> bool {
        self.match_all = false;
        self.must_advance = must_advance.then_some(from);
        let code = self.code;
        let mut min = 0;
        let mut prefix: &[u32] = &[];
        let mut charset = None;
        if code.first() == Some(&INFO) {
            let flags = code[2];
            min = code[3] as usize;
            if flags & 1 != 0 {
                let n = code[5] as usize;
                prefix = &code[7..7 + n];
            } else if flags & 4 != 0 {
                charset = Some(5);
            }
        }
        if from > self.end {
            return false;
        }
        // A pattern that begins with `^` or `\A` matches at the first place or nowhere.
        let body = if code.first() == Some(&INFO) { 1 + code[1] as usize } else { 0 };
        let anchored = code.get(body) == Some(&AT) && matches!(code.get(body + 1), Some(0 | 2));
        let first = first_operation(code, body);
        let mut at = from;
        self.reset();
        loop {
            if self.end - at < min {
                return false;
            }
            if !prefix.is_empty() {
                match find_prefix(&self.text[at..self.end], prefix) {
                    Some(i) => at += i,
                    None => return false,
                }
            } else if let Some(set) = charset {
                match position_in(&self.text[at..self.end], code, set) {
                    Some(i) => at += i,
                    None => return false,
                }
            } else if let Some(pc) = first {
                match self.text[at..self.end].iter().position(|c| one(code, pc, c.code())) {
                    Some(i) => at += i,
                    None => return false,
                }
            }
            self.start = at;
            // A run that failed has undone its marks.
            if self.run(0, at) {
                return true;
            }
            if anchored || at >= self.end {
                return false;
            }
            at += 1;
        }
    }

    fn at(&self, what: u32, p: usize) -> bool {
        let c = |i: usize| self.text[i].code();
        let boundary = |word: fn(u32) -> bool| {
            if self.end == 0 {
                return None;
            }
            let before = p > 0 && word(c(p - 1));
            let here = p < self.end && word(c(p));
            Some(before != here)
        };
        match what {
            0 | 2 => p == 0,
            1 => p == 0 || c(p - 1) == 10,
            3 => boundary(ascii_word) == Some(true),
            4 => boundary(ascii_word) == Some(false),
            5 => p == self.end || p + 1 == self.end && c(p) == 10,
            6 => p == self.end || c(p) == 10,
            7 => p == self.end,
            8 => boundary(locale_word) == Some(true),
            9 => boundary(locale_word) == Some(false),
            10 => boundary(unicode_word) == Some(true),
            11 => boundary(unicode_word) == Some(false),
            _ => false,
        }
    }

    /// How many characters from `p`, at most `max`, the operation at `pc` accepts.
    fn count(&self, pc: usize, p: usize, max: u32) -> usize {
        let avail = self.end - p;
        let n = if max == MAXREPEAT { avail } else { avail.min(max as usize) };
        let t = &self.text[p..p + n];
        let code = self.code;
        let stop = match code[pc] {
            ANY_ALL => None,
            ANY => position_of(t, 10),
            LITERAL => {
                let l = code[pc + 1];
                t.iter().position(|c| c.code() != l)
            }
            NOT_LITERAL => position_of(t, code[pc + 1]),
            // A set of one item is that item.
            IN if code[pc + 2] == CATEGORY && code[pc + 4] == FAILURE => {
                let k = code[pc + 3];
                t.iter().position(|c| !category(k, c.code()))
            }
            IN if code[pc + 2] == RANGE && code[pc + 5] == FAILURE => {
                let (lo, hi) = (code[pc + 3], code[pc + 4]);
                t.iter().position(|c| !(lo..=hi).contains(&c.code()))
            }
            IN => t.iter().position(|c| !in_set(code, pc + 2, c.code())),
            _ => t.iter().position(|c| !one(code, pc, c.code())),
        };
        stop.unwrap_or(n)
    }

    fn node(&mut self, r: Rep) -> u32 {
        self.reps.push(r);
        (self.reps.len() - 1) as u32
    }

    fn group(&self, i: usize) -> Option<(usize, usize)> {
        let (a, b) = (*self.marks.get(2 * i)?, *self.marks.get(2 * i + 1)?);
        (a >= 0 && b >= a).then_some((a as usize, b as usize))
    }

    /// Ends a sub-match that succeeded: drops its choices, keeps its undo records.
    fn cut(&mut self, base: usize) {
        let mut keep = base;
        for i in base..self.stack.len() {
            if matches!(self.stack[i], Entry::Mark { .. }) {
                self.stack[keep] = self.stack[i];
                keep += 1;
            }
        }
        self.stack.truncate(keep);
    }

    fn undo(&mut self, base: usize) {
        while self.stack.len() > base {
            if let Some(Entry::Mark { i, old, lastindex, lastmark }) = self.stack.pop() {
                self.marks[i as usize] = old;
                (self.lastindex, self.lastmark) = (lastindex, lastmark);
            }
        }
    }

    fn push_sub(&mut self, kind: SubKind, pc: usize, ptr: usize, rep: u32) {
        self.subs.push(Sub { kind, base: self.stack.len(), pc: pc as u32, ptr, rep });
        self.stack.push(Entry::Barrier);
    }

    fn run(&mut self, start_pc: usize, start_ptr: usize) -> bool {
        let code = self.code;
        let text = self.text;
        let (mut pc, mut ptr, mut rep) = (start_pc, start_ptr, NONE);
        'fail: loop {
            // One pass of the inner loop executes until something fails; the code behind it backtracks.
            'run: loop {
                let op = code[pc];
                match op {
                    FAILURE => break 'run,
                    SUCCESS => {
                        let Some(s) = self.subs.last().copied() else {
                            let bad = self.match_all && ptr != self.end || self.must_advance == Some(ptr);
                            if bad {
                                break 'run;
                            }
                            self.ptr = ptr;
                            return true;
                        };
                        self.subs.pop();
                        rep = s.rep;
                        match s.kind {
                            SubKind::Assert => {
                                self.cut(s.base);
                                (pc, ptr) = (s.pc as usize, s.ptr);
                            }
                            SubKind::Atomic => {
                                self.cut(s.base);
                                pc = s.pc as usize;
                            }
                            SubKind::AssertNot => {
                                self.undo(s.base);
                                break 'run;
                            }
                            SubKind::Possessive(n) => {
                                self.cut(s.base);
                                let a = s.pc as usize;
                                let n = n + 1;
                                let (min, max) = (code[a + 1], code[a + 2]);
                                // A round that took nothing would go on for ever.
                                let more = n < min || (n < max || max == MAXREPEAT) && ptr != s.ptr;
                                if more {
                                    self.push_sub(SubKind::Possessive(n), a, ptr, rep);
                                    pc = a + 3;
                                } else {
                                    pc = a + code[a] as usize + 1;
                                }
                            }
                        }
                    }
                    LITERAL => {
                        if ptr >= self.end || text[ptr].code() != code[pc + 1] {
                            break 'run;
                        }
                        ptr += 1;
                        pc += 2;
                    }
                    ANY_ALL | ANY => {
                        if ptr >= self.end || op == ANY && text[ptr].code() == 10 {
                            break 'run;
                        }
                        ptr += 1;
                        pc += 1;
                    }
                    NOT_LITERAL
                    | CATEGORY
                    | LITERAL_IGNORE
                    | NOT_LITERAL_IGNORE
                    | LITERAL_UNI_IGNORE
                    | NOT_LITERAL_UNI_IGNORE
                    | LITERAL_LOC_IGNORE
                    | NOT_LITERAL_LOC_IGNORE => {
                        if ptr >= self.end || !one(code, pc, text[ptr].code()) {
                            break 'run;
                        }
                        ptr += 1;
                        pc += 2;
                    }
                    IN | IN_IGNORE | IN_UNI_IGNORE | IN_LOC_IGNORE => {
                        if ptr >= self.end || !one(code, pc, text[ptr].code()) {
                            break 'run;
                        }
                        ptr += 1;
                        pc += 1 + code[pc + 1] as usize;
                    }
                    AT => {
                        if !self.at(code[pc + 1], ptr) {
                            break 'run;
                        }
                        pc += 2;
                    }
                    MARK => {
                        let i = code[pc + 1];
                        self.stack.push(Entry::Mark {
                            i,
                            old: self.marks[i as usize],
                            lastindex: self.lastindex,
                            lastmark: self.lastmark,
                        });
                        if i & 1 != 0 {
                            self.lastindex = (i / 2 + 1) as i32;
                        }
                        if i as i32 > self.lastmark {
                            self.lastmark = i as i32;
                        }
                        self.marks[i as usize] = ptr as isize;
                        pc += 2;
                    }
                    JUMP => pc += 1 + code[pc + 1] as usize,
                    INFO => pc += 1 + code[pc + 1] as usize,
                    BRANCH => {
                        self.stack.push(Entry::Branch {
                            pc: pc as u32 + 1,
                            ptr,
                            rep,
                            reps: self.reps.len() as u32,
                        });
                        break 'run;
                    }
                    REPEAT_ONE | POSSESSIVE_REPEAT_ONE => {
                        let (min, max) = (code[pc + 2] as usize, code[pc + 3]);
                        if self.end - ptr < min {
                            break 'run;
                        }
                        let n = self.count(pc + 4, ptr, max);
                        if n < min {
                            break 'run;
                        }
                        let low = ptr + min;
                        ptr += n;
                        pc += 1 + code[pc + 1] as usize;
                        if op == REPEAT_ONE && ptr > low {
                            let reps = self.reps.len() as u32;
                            // Enters at `ptr` below; the first give-back is taken on failure.
                            self.stack.push(Entry::Greedy { pc: pc as u32, ptr, min: low, rep, reps });
                        }
                    }
                    MIN_REPEAT_ONE => {
                        let (min, max) = (code[pc + 2], code[pc + 3]);
                        if self.end - ptr < min as usize {
                            break 'run;
                        }
                        if min > 0 {
                            let n = self.count(pc + 4, ptr, min);
                            if n < min as usize {
                                break 'run;
                            }
                            ptr += n;
                        }
                        let left = if max == MAXREPEAT { MAXREPEAT } else { max - min };
                        if left > 0 {
                            let reps = self.reps.len() as u32;
                            self.stack.push(Entry::Lazy { pc: pc as u32 + 1, ptr, left, rep, reps });
                        }
                        pc += 1 + code[pc + 1] as usize;
                    }
                    REPEAT => {
                        rep = self.node(Rep { pc: pc as u32 + 1, count: NONE, last: usize::MAX, prev: rep });
                        pc += 1 + code[pc + 1] as usize;
                    }
                    MAX_UNTIL | MIN_UNTIL => {
                        let r = self.reps[rep as usize];
                        let a = r.pc as usize;
                        let (min, max) = (code[a + 1], code[a + 2]);
                        let count = r.count.wrapping_add(1);
                        if count < min {
                            rep = self.node(Rep { count, ..r });
                            pc = a + 3;
                            continue 'run;
                        }
                        let more = (count < max || max == MAXREPEAT) && ptr != r.last;
                        let reps = self.reps.len() as u32;
                        if op == MAX_UNTIL {
                            if more {
                                self.stack.push(Entry::Choice { pc: pc as u32 + 1, ptr, rep: r.prev, reps });
                                rep = self.node(Rep { count, last: ptr, ..r });
                                pc = a + 3;
                            } else {
                                rep = r.prev;
                                pc += 1;
                            }
                        } else {
                            if more {
                                let again = self.node(Rep { count, last: ptr, ..r });
                                let reps = self.reps.len() as u32;
                                self.stack.push(Entry::Choice { pc: a as u32 + 3, ptr, rep: again, reps });
                            }
                            rep = r.prev;
                            pc += 1;
                        }
                    }
                    POSSESSIVE_REPEAT => {
                        let a = pc + 1;
                        let (min, max) = (code[a + 1], code[a + 2]);
                        if max == 0 && min == 0 {
                            pc = a + code[a] as usize + 1;
                        } else {
                            self.push_sub(SubKind::Possessive(0), a, ptr, rep);
                            pc = a + 3;
                        }
                    }
                    ATOMIC_GROUP => {
                        let next = pc + 1 + code[pc + 1] as usize;
                        self.push_sub(SubKind::Atomic, next, ptr, rep);
                        pc += 2;
                    }
                    ASSERT | ASSERT_NOT => {
                        let next = pc + 1 + code[pc + 1] as usize;
                        let back = code[pc + 2] as usize;
                        if ptr < back {
                            if op == ASSERT {
                                break 'run;
                            }
                            pc = next;
                        } else {
                            let kind = if op == ASSERT { SubKind::Assert } else { SubKind::AssertNot };
                            self.push_sub(kind, next, ptr, rep);
                            ptr -= back;
                            pc += 3;
                        }
                    }
                    GROUPREF | GROUPREF_IGNORE | GROUPREF_UNI_IGNORE | GROUPREF_LOC_IGNORE => {
                        let Some((a, b)) = self.group(code[pc + 1] as usize) else { break 'run };
                        let n = b - a;
                        if self.end - ptr < n {
                            break 'run;
                        }
                        let lower: fn(u32) -> u32 = match op {
                            GROUPREF_IGNORE => ascii_lower,
                            GROUPREF_UNI_IGNORE => unicode::to_lower,
                            GROUPREF_LOC_IGNORE => locale_lower,
                            _ => |c| c,
                        };
                        let same = (0..n).all(|i| lower(text[a + i].code()) == lower(text[ptr + i].code()));
                        if !same {
                            break 'run;
                        }
                        ptr += n;
                        pc += 2;
                    }
                    GROUPREF_EXISTS => {
                        if self.group(code[pc + 1] as usize).is_some() {
                            pc += 3;
                        } else {
                            pc += 1 + code[pc + 2] as usize;
                        }
                    }
                    _ => {
                        debug_assert!(false, "an opcode that the compiler does not emit here");
                        break 'run;
                    }
                }
            }
            // ---- Backtracking ----
            loop {
                let Some(e) = self.stack.last_mut() else { return false };
                match e {
                    Entry::Mark { i, old, lastindex, lastmark } => {
                        self.marks[*i as usize] = *old;
                        (self.lastindex, self.lastmark) = (*lastindex, *lastmark);
                        self.stack.pop();
                    }
                    Entry::Choice { pc: p, ptr: q, rep: r, reps } => {
                        (pc, ptr, rep) = (*p as usize, *q, *r);
                        self.reps.truncate(*reps as usize);
                        self.stack.pop();
                        continue 'fail;
                    }
                    Entry::Greedy { pc: p, ptr: q, min, rep: r, reps } => {
                        let tail = *p as usize;
                        let mut at = *q - 1;
                        // Give back until the literal that must follow is there.
                        if code[tail] == LITERAL {
                            let c = code[tail + 1];
                            match as_bytes(text) {
                                Some(b) => {
                                    let stretch = &b[*min..(at + 1).min(self.end).max(*min)];
                                    let found =
                                        u8::try_from(c).ok().and_then(|c| memchr::memrchr(c, stretch));
                                    at = *min + found.unwrap_or(0);
                                }
                                None => {
                                    while at > *min && (at >= self.end || text[at].code() != c) {
                                        at -= 1;
                                    }
                                }
                            }
                        }
                        *q = at;
                        (pc, ptr, rep) = (tail, at, *r);
                        self.reps.truncate(*reps as usize);
                        if at <= *min {
                            self.stack.pop();
                        }
                        continue 'fail;
                    }
                    Entry::Lazy { pc: p, ptr: q, left, rep: r, reps } => {
                        let a = *p as usize;
                        if *q >= self.end || !one(code, a + 3, text[*q].code()) {
                            self.stack.pop();
                            continue;
                        }
                        *q += 1;
                        (pc, ptr, rep) = (a + code[a] as usize, *q, *r);
                        self.reps.truncate(*reps as usize);
                        if *left != MAXREPEAT {
                            *left -= 1;
                            if *left == 0 {
                                self.stack.pop();
                            }
                        }
                        continue 'fail;
                    }
                    Entry::Branch { pc: p, ptr: q, rep: r, reps } => {
                        let mut skip = *p as usize;
                        (ptr, rep) = (*q, *r);
                        self.reps.truncate(*reps as usize);
                        // Alternatives whose first character cannot match are passed over.
                        let found = loop {
                            let n = code[skip] as usize;
                            if n == 0 {
                                break None;
                            }
                            let body = skip + 1;
                            let hopeless = match code[body] {
                                LITERAL => ptr >= self.end || text[ptr].code() != code[body + 1],
                                IN => ptr >= self.end || !in_set(code, body + 2, text[ptr].code()),
                                _ => false,
                            };
                            skip += n;
                            if !hopeless {
                                break Some(body);
                            }
                        };
                        match found {
                            None => {
                                self.stack.pop();
                            }
                            Some(body) => {
                                pc = body;
                                if code[skip] == 0 {
                                    self.stack.pop();
                                } else {
                                    *p = skip as u32;
                                }
                                continue 'fail;
                            }
                        }
                    }
                    Entry::Barrier => {
                        self.stack.pop();
                        let s = self.subs.pop().expect("a barrier has its sub-match");
                        match s.kind {
                            SubKind::Assert | SubKind::Atomic => {}
                            SubKind::AssertNot => {
                                (pc, ptr, rep) = (s.pc as usize, s.ptr, s.rep);
                                continue 'fail;
                            }
                            SubKind::Possessive(n) => {
                                let a = s.pc as usize;
                                if n >= code[a + 1] {
                                    (pc, ptr, rep) = (a + code[a] as usize + 1, s.ptr, s.rep);
                                    continue 'fail;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// First place where the literal prefix occurs.
fn find_prefix<C: Unit>(text: &[C], prefix: &[u32]) -> Option<usize> {
    if C::KIND == 1 {
        let mut buf = [0u8; 64];
        let n = prefix.len().min(64);
        for (d, c) in buf.iter_mut().zip(prefix) {
            *d = u8::try_from(*c).ok()?;
        }
        // SAFETY: a character of kind 1 is a byte.
        let t: &[u8] = unsafe { &*std::ptr::slice_from_raw_parts(text.as_ptr().cast(), text.len()) };
        return if n == 1 { memchr::memchr(buf[0], t) } else { memchr::memmem::find(t, &buf[..n]) };
    }
    let first = prefix[0];
    let n = prefix.len();
    let mut at = 0;
    while at + n <= text.len() {
        let i = text[at..=text.len() - n].iter().position(|c| c.code() == first)?;
        at += i;
        if text[at..at + n].iter().zip(prefix).all(|(c, p)| c.code() == *p) {
            return Some(at);
        }
        at += 1;
    }
    None
}
