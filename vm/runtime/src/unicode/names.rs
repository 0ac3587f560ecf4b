//! Character names, both ways.
//!
//! `words.txt` holds the words of all names, one a line; `names.bin` a row for each named character, sorted: the distance
//! to the previous code point (one byte, or 0xff and three bytes of the code point itself), the number of words, and the words'
//! numbers (one byte below 0xc0, else two with the high bits set). Names of Hangul syllables and CJK ideographs are
//! computed. `aliases.txt` has aliases and named sequences.

use std::collections::HashMap;
use std::sync::OnceLock;

static WORDS: &str = include_str!("words.txt");
static NAMES: &[u8] = include_bytes!("names.bin");
static ALIASES: &str = include_str!("aliases.txt");

static CJK: [(u32, u32); 8] = [
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0x20000, 0x2a6df),
    (0x2a700, 0x2b738),
    (0x2b740, 0x2b81d),
    (0x2b820, 0x2cea1),
    (0x2ceb0, 0x2ebe0),
    (0x30000, 0x3134a),
];
static JAMO_L: [&str; 19] =
    ["G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P", "H"];
static JAMO_V: [&str; 21] = [
    "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO", "WE", "WI",
    "YU", "EU", "YI", "I",
];
static JAMO_T: [&str; 28] = [
    "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH", "M", "B", "BS",
    "S", "SS", "NG", "J", "C", "K", "T", "P", "H",
];

struct Db {
    words: Vec<&'static str>,
    /// Code point and where its words start (at the count).
    rows: Vec<(u32, u32)>,
}

fn db() -> &'static Db {
    static DB: OnceLock<Db> = OnceLock::new();
    DB.get_or_init(|| {
        let (mut rows, mut at, mut c) = (vec![], 0usize, 0u32);
        while at < NAMES.len() {
            if NAMES[at] == 0xff {
                c = u32::from_le_bytes([NAMES[at + 1], NAMES[at + 2], NAMES[at + 3], 0]);
                at += 4;
            } else {
                c += NAMES[at] as u32;
                at += 1;
            }
            rows.push((c, at as u32));
            let n = NAMES[at];
            at += 1;
            for _ in 0..n {
                at += if NAMES[at] < 0xc0 { 1 } else { 2 };
            }
        }
        Db { words: WORDS.split('\n').collect(), rows }
    })
}

fn name_at(db: &Db, mut at: usize) -> String {
    let n = NAMES[at];
    at += 1;
    let mut s = String::new();
    for i in 0..n {
        let b = NAMES[at] as usize;
        let w = if b < 0xc0 { b } else { (b & 0x3f) << 8 | NAMES[at + 1] as usize };
        at += if b < 0xc0 { 1 } else { 2 };
        if i > 0 {
            s.push(' ');
        }
        s.push_str(db.words[w]);
    }
    s
}

/// `unicodedata.name(c)`.
pub fn name(c: u32) -> Option<String> {
    if (0xac00..0xac00 + 11172).contains(&c) {
        let s = (c - 0xac00) as usize;
        return Some(format!(
            "HANGUL SYLLABLE {}{}{}",
            JAMO_L[s / 588],
            JAMO_V[s % 588 / 28],
            JAMO_T[s % 28]
        ));
    }
    if CJK.iter().any(|(a, b)| (*a..=*b).contains(&c)) {
        return Some(format!("CJK UNIFIED IDEOGRAPH-{c:X}"));
    }
    let db = db();
    let i = db.rows.binary_search_by_key(&c, |r| r.0).ok()?;
    Some(name_at(db, db.rows[i].1 as usize))
}

fn by_name() -> &'static HashMap<String, u32> {
    static MAP: OnceLock<HashMap<String, u32>> = OnceLock::new();
    MAP.get_or_init(|| {
        let db = db();
        db.rows.iter().map(|(c, at)| (name_at(db, *at as usize), *c)).collect()
    })
}
fn aliases() -> &'static HashMap<&'static str, Vec<u32>> {
    static MAP: OnceLock<HashMap<&'static str, Vec<u32>>> = OnceLock::new();
    MAP.get_or_init(|| {
        let row = |l: &'static str| {
            let (n, v) = l.split_once(';')?;
            Some((n, v.split(' ').filter_map(|h| u32::from_str_radix(h, 16).ok()).collect()))
        };
        ALIASES.lines().filter_map(row).collect()
    })
}

/// The longest of `table` that `s` starts with.
fn longest(s: &str, table: &[&str]) -> Option<usize> {
    (0..table.len()).filter(|i| s.starts_with(table[*i])).max_by_key(|i| table[*i].len())
}

/// `unicodedata.lookup(name)`, any case. With `sequences`, named sequences too (more than one code point).
pub fn lookup(name: &str, sequences: bool) -> Option<Vec<u32>> {
    let n = name.to_ascii_uppercase();
    if let Some(s) = n.strip_prefix("HANGUL SYLLABLE ") {
        let l = longest(s, &JAMO_L)?;
        let s = &s[JAMO_L[l].len()..];
        let v = longest(s, &JAMO_V)?;
        let s = &s[JAMO_V[v].len()..];
        let t = longest(s, &JAMO_T)?;
        return (s.len() == JAMO_T[t].len()).then(|| vec![0xac00 + ((l * 21 + v) * 28 + t) as u32]);
    }
    if let Some(h) = n.strip_prefix("CJK UNIFIED IDEOGRAPH-") {
        let ok = (h.len() == 4 || h.len() == 5) && h.bytes().all(|b| b.is_ascii_hexdigit());
        let c = u32::from_str_radix(h, 16).ok().filter(|_| ok)?;
        return CJK.iter().any(|(a, b)| (*a..=*b).contains(&c)).then(|| vec![c]);
    }
    if let Some(c) = by_name().get(&n) {
        return Some(vec![*c]);
    }
    aliases().get(n.as_str()).filter(|v| sequences || v.len() == 1).cloned()
}
