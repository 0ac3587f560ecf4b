//! `co_exceptiontable`: which code range is guarded by which handler.
//!
//! A row is four numbers, in code units: start, length, handler, and `depth * 2 + lasti`. Numbers are written in base 64, most
//! significant group first; bit 6 says "more follows", bit 7 marks the first byte of a row, so that a reader can start in the middle.
//! Rows are sorted by start and do not overlap.

/// One guarded range `start..end` (code units).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub start: u32,
    pub end: u32,
    pub target: u32,
    /// The stack is cut to this depth before the exception is pushed.
    pub depth: u32,
    /// Push the offset of the raising instruction under the exception.
    pub lasti: bool,
}

fn put(out: &mut Vec<u8>, value: u32, mark: u8) {
    let mut shift = 30;
    while shift > 0 && value >> shift == 0 {
        shift -= 6;
    }
    let mut mark = mark;
    loop {
        let more = if shift > 0 { 0x40 } else { 0 };
        out.push((value >> shift & 0x3f) as u8 | more | mark);
        mark = 0;
        if shift == 0 {
            return;
        }
        shift -= 6;
    }
}

fn get(table: &[u8], at: &mut usize) -> Option<u32> {
    let mut value = 0;
    loop {
        let b = *table.get(*at)?;
        *at += 1;
        value = value << 6 | (b & 0x3f) as u32;
        if b & 0x40 == 0 {
            return Some(value);
        }
    }
}

/// Appends one row.
pub fn push(out: &mut Vec<u8>, e: Entry) {
    put(out, e.start, 0x80);
    put(out, e.end - e.start, 0);
    put(out, e.target, 0);
    put(out, e.depth << 1 | e.lasti as u32, 0);
}

/// Writes all rows.
pub fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * 5);
    for &e in entries {
        push(&mut out, e);
    }
    out
}

fn read(table: &[u8], at: &mut usize) -> Option<Entry> {
    let start = get(table, at)?;
    let len = get(table, at)?;
    let target = get(table, at)?;
    let dl = get(table, at)?;
    Some(Entry { start, end: start + len, target, depth: dl >> 1, lasti: dl & 1 != 0 })
}

/// Reads all rows; a truncated tail is dropped.
pub fn decode(table: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || read(table, &mut at))
}

/// The row that guards the instruction at `unit`, by a binary search on the row marks.
pub fn find(table: &[u8], unit: u32) -> Option<Entry> {
    // Invariant: the row that could hold `unit` starts in lo..hi, and `lo` is the start of a row.
    let (mut lo, mut hi) = (0, table.len());
    while hi - lo > 40 {
        let mut mid = lo + (hi - lo) / 2;
        while mid > lo && table[mid] & 0x80 == 0 {
            mid -= 1;
        }
        if mid == lo {
            break;
        }
        let mut at = mid;
        if get(table, &mut at)? > unit {
            hi = mid;
        } else {
            lo = mid;
        }
    }
    let mut at = lo;
    while at < table.len() {
        let e = read(table, &mut at)?;
        if e.start > unit {
            return None;
        }
        if unit < e.end {
            return Some(e);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_lookup() {
        let rows: Vec<Entry> = (0..200)
            .map(|i| Entry {
                start: i * 100,
                end: i * 100 + 60,
                target: 20000 + i,
                depth: i % 5,
                lasti: i % 3 == 0,
            })
            .collect();
        let table = encode(&rows);
        assert_eq!(decode(&table).collect::<Vec<_>>(), rows);
        for r in &rows {
            assert_eq!(find(&table, r.start), Some(*r));
            assert_eq!(find(&table, r.end - 1), Some(*r));
            assert_eq!(find(&table, r.end), None);
        }
        assert_eq!(find(&[], 3), None);
    }
}
