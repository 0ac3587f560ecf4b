//! The Unicode 14.0 character database, in the version CPython 3.11 has.
//!
//! `generate.py` makes the tables beside this file. A character's record is found in two steps (`index1` by blocks of 128,
//! then `index2`); equal records are stored once:
//!
//! ```text
//!   record (24 bytes)  flags u32 | lower, upper, title: i32 distance | category, bidi, combining, width: u8
//!                      | decimal, digit: i8 (-1: none) | u16 place of the full case mappings in `special` (0: none)
//!   special            per entry: lower, upper, title, fold; each a length and that many code points
//!   numeric            sorted: code point u32, denominator i32, numerator i64
//!   decomposition      index sorted: code point u32, start u16, length u8, tag u8 (bit 7: not composed, bit 6: not in 3.2)
//!   old                sorted: where Unicode 3.2 differs from 14.0 in an assigned character
//!   names              see `names.rs`
//! ```

pub mod names;
pub mod normalize;

static INDEX1: &[u8] = include_bytes!("index1.bin");
static INDEX2: &[u8] = include_bytes!("index2.bin");
static RECORDS: &[u8] = include_bytes!("records.bin");
static SPECIAL: &[u8] = include_bytes!("special.bin");
static NUMERIC: &[u8] = include_bytes!("numeric.bin");
static OLD: &[u8] = include_bytes!("old.bin");

pub const ALPHA: u32 = 1;
pub const DECIMAL: u32 = 1 << 1;
pub const DIGIT: u32 = 1 << 2;
pub const NUMERIC_FLAG: u32 = 1 << 3;
pub const LOWER: u32 = 1 << 4;
pub const UPPER: u32 = 1 << 5;
pub const TITLE: u32 = 1 << 6;
pub const SPACE: u32 = 1 << 7;
pub const PRINTABLE: u32 = 1 << 8;
pub const XID_START: u32 = 1 << 9;
pub const XID_CONTINUE: u32 = 1 << 10;
pub const CASED: u32 = 1 << 11;
pub const CASE_IGNORABLE: u32 = 1 << 12;
pub const LINE_BREAK: u32 = 1 << 13;
pub const MIRRORED: u32 = 1 << 14;
/// Assigned in Unicode 3.2.
pub const IN_3_2: u32 = 1 << 15;
/// Has a different lower or upper case form.
pub const SRE_CASED: u32 = 1 << 16;

pub static CATEGORIES: [&str; 30] = [
    "Cn", "Lu", "Ll", "Lt", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
    "Lm", "Lo", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So",
];
pub static BIDI: [&str; 24] = [
    "", "L", "LRE", "LRO", "R", "AL", "RLE", "RLO", "PDF", "EN", "ES", "ET", "AN", "CS", "NSM", "BN", "B",
    "S", "WS", "ON", "LRI", "RLI", "FSI", "PDI",
];
pub static WIDTHS: [&str; 6] = ["F", "H", "W", "Na", "A", "N"];

#[inline]
fn u16_at(t: &[u8], i: usize) -> u16 {
    u16::from_le_bytes([t[2 * i], t[2 * i + 1]])
}
#[inline]
fn u32_at(t: &[u8], byte: usize) -> u32 {
    u32::from_le_bytes([t[byte], t[byte + 1], t[byte + 2], t[byte + 3]])
}

/// A character's record.
#[derive(Clone, Copy)]
pub struct Record(&'static [u8]);

/// The record of a code point (which may be a surrogate or unassigned).
#[inline]
pub fn record(c: u32) -> Record {
    let c = if c > 0x10ffff { 0 } else { c as usize };
    let block = u16_at(INDEX1, c >> 7) as usize;
    let id = u16_at(INDEX2, block * 128 + (c & 127)) as usize;
    Record(&RECORDS[id * 24..id * 24 + 24])
}

impl Record {
    #[inline]
    pub fn flags(self) -> u32 {
        u32_at(self.0, 0)
    }
    #[inline]
    fn delta(self, i: usize) -> i32 {
        u32_at(self.0, 4 + 4 * i) as i32
    }
    pub fn category(self) -> u8 {
        self.0[16]
    }
    pub fn bidi(self) -> u8 {
        self.0[17]
    }
    pub fn combining(self) -> u8 {
        self.0[18]
    }
    pub fn width(self) -> u8 {
        self.0[19]
    }
    pub fn decimal(self) -> Option<u8> {
        (self.0[20] as i8 >= 0).then_some(self.0[20])
    }
    pub fn digit(self) -> Option<u8> {
        (self.0[21] as i8 >= 0).then_some(self.0[21])
    }
    fn special(self) -> usize {
        u16_at(self.0, 11) as usize
    }
}

#[inline]
pub fn flags(c: u32) -> u32 {
    record(c).flags()
}
#[inline]
pub fn has(c: u32, flag: u32) -> bool {
    record(c).flags() & flag != 0
}
#[inline]
pub fn is_space(c: u32) -> bool {
    if c < 0x80 { matches!(c, 9..=13 | 28..=32) } else { has(c, SPACE) }
}
#[inline]
pub fn is_line_break(c: u32) -> bool {
    if c < 0x80 { matches!(c, 10..=13 | 28..=30) } else { has(c, LINE_BREAK) }
}
#[inline]
pub fn is_printable(c: u32) -> bool {
    if c < 0x7f { c >= 32 } else { has(c, PRINTABLE) }
}
/// `str.isalnum` of one character.
#[inline]
pub fn is_alnum(c: u32) -> bool {
    has(c, ALPHA | DECIMAL | DIGIT | NUMERIC_FLAG)
}
/// The value of a decimal digit.
#[inline]
pub fn decimal(c: u32) -> Option<u8> {
    if c < 0x80 { (c as u8 as char).to_digit(10).map(|d| d as u8) } else { record(c).decimal() }
}
/// One-to-one case mappings.
#[inline]
pub fn to_lower(c: u32) -> u32 {
    if c < 0x80 { (c as u8).to_ascii_lowercase() as u32 } else { c.wrapping_add_signed(record(c).delta(0)) }
}
#[inline]
pub fn to_upper(c: u32) -> u32 {
    if c < 0x80 { (c as u8).to_ascii_uppercase() as u32 } else { c.wrapping_add_signed(record(c).delta(1)) }
}
#[inline]
pub fn to_title(c: u32) -> u32 {
    if c < 0x80 { (c as u8).to_ascii_uppercase() as u32 } else { c.wrapping_add_signed(record(c).delta(2)) }
}

/// Which full case mapping.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Lower = 0,
    Upper = 1,
    Title = 2,
    Fold = 3,
}

/// The full mapping of a character: calls `f` with each resulting code point. (`Lower` without the final sigma rule.)
#[inline]
pub fn map_case(c: u32, case: Case, mut f: impl FnMut(u32)) {
    let r = record(c);
    let sp = r.special();
    if sp == 0 {
        let d = r.delta(if case == Case::Fold { 0 } else { case as usize });
        return f(c.wrapping_add_signed(d));
    }
    let mut at = (sp - 1) * 4;
    for _ in 0..case as usize {
        at += 4 * (1 + u32_at(SPECIAL, at) as usize);
    }
    for i in 0..u32_at(SPECIAL, at) as usize {
        f(u32_at(SPECIAL, at + 4 + 4 * i));
    }
}

/// Binary search in a table of rows of `size` bytes that start with a code point.
fn find_row(t: &'static [u8], size: usize, c: u32) -> Option<&'static [u8]> {
    let (mut lo, mut hi) = (0, t.len() / size);
    while lo < hi {
        let mid = (lo + hi) / 2;
        match u32_at(t, mid * size).cmp(&c) {
            std::cmp::Ordering::Equal => return Some(&t[mid * size..(mid + 1) * size]),
            std::cmp::Ordering::Less => lo = mid + 1,
            std::cmp::Ordering::Greater => hi = mid,
        }
    }
    None
}

/// The numeric value as a fraction.
pub fn numeric(c: u32) -> Option<(i64, i32)> {
    let r = find_row(NUMERIC, 16, c)?;
    let n = i64::from_le_bytes(r[8..16].try_into().expect("eight bytes"));
    Some((n, u32_at(r, 4) as i32))
}

/// What Unicode 3.2 said where it differs from 14.0.
pub struct Old {
    pub category: u8,
    pub bidi: u8,
    pub width: u8,
    pub mirrored: bool,
    pub decimal: Option<u8>,
    pub digit: Option<u8>,
    pub numeric: Option<i64>,
}
pub fn old(c: u32) -> Option<Old> {
    let r = find_row(OLD, 20, c)?;
    let small = |b: u8| (b as i8 >= 0).then_some(b);
    Some(Old {
        category: r[4],
        bidi: r[5],
        width: r[6],
        mirrored: r[7] != 0,
        decimal: small(r[8]),
        digit: small(r[9]),
        numeric: (r[10] != 0).then(|| i64::from_le_bytes(r[12..20].try_into().expect("eight bytes"))),
    })
}
