//! `co_linetable`: source positions of instructions.
//!
//! An entry covers one to eight code units. Its first byte is `0x80 | form << 3 | (units - 1)`; what follows depends on the form:
//!
//! ```text
//! 0..=9   short      one byte; same line, column = form * 8 + high nibble bits, width in the low nibble
//! 10..=12 one line   line advances by form - 10; start column, end column, a byte each
//! 13      no columns signed varint: line delta
//! 14      long       signed varint line delta, varints: end line - line, column + 1, end column + 1
//! 15      none       no position at all
//! ```
//!
//! Varints are base 64, least significant group first, bit 6 = more. Signed ones keep the sign in bit 0.

/// A source range; -1 where unknown. Lines from 1, columns (in UTF-8 bytes) from 0.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Location {
    pub line: i32,
    pub end_line: i32,
    pub col: i32,
    pub end_col: i32,
}

impl Location {
    /// The position of instructions that have none.
    pub const NONE: Location = Location { line: -1, end_line: -1, col: -1, end_col: -1 };
}

const SHORT_FORMS: u8 = 10;
const ONE_LINE: u8 = 10;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;
const NO_LOCATION: u8 = 15;

// ---- Writing ----

/// Builds a line table entry by entry.
pub struct Writer {
    out: Vec<u8>,
    line: i32,
}

impl Writer {
    pub fn new(firstlineno: i32) -> Writer {
        Writer { out: Vec::new(), line: firstlineno }
    }

    /// Adds one instruction of `units` code units (caches and prefixes included).
    pub fn push(&mut self, loc: Location, mut units: usize) {
        while units > 8 {
            self.entry(loc, 8);
            units -= 8;
        }
        self.entry(loc, units);
    }

    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn head(&mut self, form: u8, units: usize) {
        self.out.push(0x80 | form << 3 | (units as u8 - 1));
    }

    fn entry(&mut self, loc: Location, units: usize) {
        if loc.line < 0 {
            return self.head(NO_LOCATION, units);
        }
        let delta = loc.line - self.line;
        let (c, e) = (loc.col, loc.end_col);
        self.line = loc.line;
        if c < 0 || e < 0 {
            self.head(NO_COLUMNS, units);
            return self.signed(delta);
        }
        if loc.end_line == loc.line {
            if delta == 0 && c < 80 && e >= c && e - c < 16 {
                self.head((c >> 3) as u8, units);
                return self.out.push(((c & 7) << 4 | (e - c)) as u8);
            }
            if (0..3).contains(&delta) && c < 128 && e < 128 {
                self.head(ONE_LINE + delta as u8, units);
                return self.out.extend([c as u8, e as u8]);
            }
        }
        self.head(LONG, units);
        self.signed(delta);
        self.varint((loc.end_line - loc.line) as u32);
        self.varint((c + 1) as u32);
        self.varint((e + 1) as u32);
    }

    fn varint(&mut self, mut v: u32) {
        while v >= 64 {
            self.out.push(0x40 | (v & 0x3f) as u8);
            v >>= 6;
        }
        self.out.push(v as u8);
    }

    fn signed(&mut self, v: i32) {
        let magnitude = v.unsigned_abs() << 1;
        self.varint(if v < 0 { magnitude | 1 } else { magnitude });
    }
}

// ---- Reading ----

/// One entry of the table.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// Code units `start..end`.
    pub start: usize,
    pub end: usize,
    pub loc: Location,
}

/// Iterates over the entries of a table.
pub struct Reader<'a> {
    table: &'a [u8],
    at: usize,
    unit: usize,
    line: i32,
}

/// All entries of `co_linetable`.
pub fn ranges(table: &[u8], firstlineno: i32) -> Reader<'_> {
    Reader { table, at: 0, unit: 0, line: firstlineno }
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let b = *self.table.get(self.at)?;
        self.at += 1;
        Some(b)
    }

    fn varint(&mut self) -> Option<u32> {
        let (mut v, mut shift) = (0, 0);
        loop {
            let b = self.byte()?;
            v |= ((b & 0x3f) as u32).wrapping_shl(shift);
            shift += 6;
            if b & 0x40 == 0 {
                return Some(v);
            }
        }
    }

    fn signed(&mut self) -> Option<i32> {
        let v = self.varint()?;
        let magnitude = (v >> 1) as i32;
        Some(if v & 1 != 0 { -magnitude } else { magnitude })
    }
}

impl Iterator for Reader<'_> {
    type Item = Range;

    fn next(&mut self) -> Option<Range> {
        let head = self.byte()?;
        let start = self.unit;
        self.unit += (head & 7) as usize + 1;
        let loc = match head >> 3 & 15 {
            NO_LOCATION => Location::NONE,
            NO_COLUMNS => {
                self.line += self.signed()?;
                Location { line: self.line, end_line: self.line, col: -1, end_col: -1 }
            }
            LONG => {
                self.line += self.signed()?;
                let end_line = self.line + self.varint()? as i32;
                let col = self.varint()? as i32 - 1;
                let end_col = self.varint()? as i32 - 1;
                Location { line: self.line, end_line, col, end_col }
            }
            form if form < SHORT_FORMS => {
                let b = self.byte()?;
                let col = (form as i32) << 3 | (b >> 4) as i32;
                Location { line: self.line, end_line: self.line, col, end_col: col + (b & 15) as i32 }
            }
            form => {
                self.line += (form - ONE_LINE) as i32;
                let col = self.byte()? as i32;
                let end_col = self.byte()? as i32;
                Location { line: self.line, end_line: self.line, col, end_col }
            }
        };
        Some(Range { start, end: self.unit, loc })
    }
}

/// The same table with lines alone.
pub fn without_columns(table: &[u8], firstlineno: i32) -> Vec<u8> {
    let mut w = Writer::new(firstlineno);
    for r in ranges(table, firstlineno) {
        let l = r.loc;
        w.push(Location { end_line: l.line, col: -1, end_col: -1, ..l }, r.end - r.start);
    }
    w.finish()
}

/// `co_lines()`: byte offsets `start..end` with their line; neighbours of one line are merged.
pub fn lines(table: &[u8], firstlineno: i32) -> impl Iterator<Item = (usize, usize, Option<i32>)> + '_ {
    let mut rest = ranges(table, firstlineno).peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let mut end = first.end;
        while let Some(r) = rest.next_if(|r| r.loc.line == first.loc.line) {
            end = r.end;
        }
        Some((first.start * 2, end * 2, (first.loc.line >= 0).then_some(first.loc.line)))
    })
}

/// `co_positions()`: one location per code unit.
pub fn positions(table: &[u8], firstlineno: i32) -> impl Iterator<Item = Location> + '_ {
    ranges(table, firstlineno).flat_map(|r| std::iter::repeat_n(r.loc, r.end - r.start))
}

/// The line of the instruction at a code unit, as `PyCode_Addr2Line` gives it; `None` when it has none.
pub fn line_at(table: &[u8], firstlineno: i32, unit: usize) -> Option<i32> {
    let r = ranges(table, firstlineno).find(|r| unit < r.end)?;
    (r.loc.line >= 0).then_some(r.loc.line)
}

/// The location of the instruction at a code unit.
pub fn at(table: &[u8], firstlineno: i32, unit: usize) -> Location {
    ranges(table, firstlineno).find(|r| unit < r.end).map_or(Location::NONE, |r| r.loc)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loc(line: i32, end_line: i32, col: i32, end_col: i32) -> Location {
        Location { line, end_line, col, end_col }
    }

    #[test]
    fn all_forms_round_trip() {
        let input = [
            (loc(10, 10, 4, 9), 1),
            (loc(11, 11, 100, 120), 3),
            (loc(9, 9, 0, 2), 2),
            (Location::NONE, 1),
            (loc(300, 310, 5, 600), 11),
            (loc(300, 300, -1, -1), 1),
            (loc(300, 300, 79, 94), 1),
        ];
        let mut w = Writer::new(10);
        for (l, n) in input {
            w.push(l, n);
        }
        let table = w.finish();
        let want: Vec<Location> = input.iter().flat_map(|&(l, n)| std::iter::repeat_n(l, n)).collect();
        assert_eq!(positions(&table, 10).collect::<Vec<_>>(), want);
        let got: Vec<_> = lines(&table, 10).collect();
        assert_eq!(got[0], (0, 2, Some(10)));
        assert_eq!(got.last().unwrap(), &(14, 40, Some(300)));
        assert_eq!(line_at(&table, 10, 6), None);
        assert_eq!(line_at(&table, 10, 5), Some(9));
    }
}
