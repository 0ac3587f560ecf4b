//! Canonical and compatibility decomposition, ordering and composition (NFC, NFD, NFKC, NFKD).
//!
//! Hangul syllables are decomposed and composed by arithmetic; everything else by table. The composition table is the
//! inverse of the canonical two-character decompositions that take part in composition, made on first use.

use super::{find_row, record, u16_at, u32_at};
use crate::hashing::QuickMap;
use std::sync::OnceLock;

static INDEX: &[u8] = include_bytes!("decomp_index.bin");
static DATA: &[u8] = include_bytes!("decomp_data.bin");

static TAGS: [&str; 17] = [
    "",
    "<font>",
    "<noBreak>",
    "<initial>",
    "<medial>",
    "<final>",
    "<isolated>",
    "<circle>",
    "<super>",
    "<sub>",
    "<vertical>",
    "<wide>",
    "<narrow>",
    "<small>",
    "<square>",
    "<fraction>",
    "<compat>",
];

/// A character's own decomposition mapping.
pub struct Mapping {
    /// `<compat>` and the like; empty for a canonical one.
    pub tag: &'static str,
    start: usize,
    len: usize,
    /// Takes no part in composition.
    pub excluded: bool,
    /// Not a mapping of Unicode 3.2.
    pub new: bool,
}
impl Mapping {
    pub fn chars(&self) -> impl Iterator<Item = u32> + use<> {
        (self.start..self.start + self.len).map(|i| u32_at(DATA, 4 * i))
    }
}

fn mapping_of_row(r: &[u8]) -> Mapping {
    Mapping {
        tag: TAGS[(r[7] & 31) as usize],
        start: u16_at(r, 2) as usize,
        len: r[6] as usize,
        excluded: r[7] & 0x80 != 0,
        new: r[7] & 0x40 != 0,
    }
}

/// The decomposition mapping of a character (not of Hangul syllables).
pub fn mapping(c: u32) -> Option<Mapping> {
    if c < 0xa0 { None } else { find_row(INDEX, 8, c).map(mapping_of_row) }
}

const S_BASE: u32 = 0xac00;
const L_BASE: u32 = 0x1100;
const V_BASE: u32 = 0x1161;
const T_BASE: u32 = 0x11a7;
const V_COUNT: u32 = 21;
const T_COUNT: u32 = 28;
const N_COUNT: u32 = V_COUNT * T_COUNT;
const S_COUNT: u32 = 19 * N_COUNT;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

fn push_decomposed(c: u32, compat: bool, old: bool, out: &mut Vec<u32>) {
    if c < 0xa0 {
        return out.push(c);
    }
    if (S_BASE..S_BASE + S_COUNT).contains(&c) {
        let s = c - S_BASE;
        out.push(L_BASE + s / N_COUNT);
        out.push(V_BASE + s % N_COUNT / T_COUNT);
        if !s.is_multiple_of(T_COUNT) {
            out.push(T_BASE + s % T_COUNT);
        }
        return;
    }
    match mapping(c) {
        Some(m) if (compat || m.tag.is_empty()) && !(old && m.new) => {
            m.chars().for_each(|d| push_decomposed(d, compat, old, out))
        }
        _ => out.push(c),
    }
}

/// Sorts runs of combining characters by their class, keeping the order of equal classes.
fn order(s: &mut [u32]) {
    let mut i = 0;
    while i < s.len() {
        if record(s[i]).combining() == 0 {
            i += 1;
            continue;
        }
        let start = i;
        while i < s.len() && record(s[i]).combining() != 0 {
            i += 1;
        }
        s[start..i].sort_by_key(|c| record(*c).combining());
    }
}

fn pairs() -> &'static QuickMap<(u32, u32), u32> {
    static PAIRS: OnceLock<QuickMap<(u32, u32), u32>> = OnceLock::new();
    PAIRS.get_or_init(|| {
        let mut m = QuickMap::default();
        for row in INDEX.chunks_exact(8) {
            let d = mapping_of_row(row);
            if d.len == 2 && d.tag.is_empty() && !d.excluded {
                let v: Vec<u32> = d.chars().collect();
                m.insert((v[0], v[1]), u32_at(row, 0));
            }
        }
        m
    })
}

fn compose_pair(a: u32, b: u32) -> Option<u32> {
    if (L_BASE..L_BASE + 19).contains(&a) && (V_BASE..V_BASE + V_COUNT).contains(&b) {
        return Some(S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT);
    }
    if (S_BASE..S_BASE + S_COUNT).contains(&a)
        && (a - S_BASE).is_multiple_of(T_COUNT)
        && (T_BASE + 1..T_BASE + T_COUNT).contains(&b)
    {
        return Some(a + (b - T_BASE));
    }
    pairs().get(&(a, b)).copied()
}

fn compose(s: &[u32]) -> Vec<u32> {
    let mut out: Vec<u32> = Vec::with_capacity(s.len());
    // The last character of class 0, and the class of the last character kept behind it.
    let mut starter: Option<usize> = None;
    let mut last_class = 0u8;
    for &c in s {
        let class = record(c).combining();
        if let Some(st) = starter {
            let blocked = out.len() - 1 > st && (last_class >= class || last_class == 0);
            if !blocked && let Some(x) = compose_pair(out[st], c) {
                out[st] = x;
                continue;
            }
        }
        if class == 0 {
            starter = Some(out.len());
        }
        last_class = class;
        out.push(c);
    }
    out
}

/// Characters of class 0 that are the second of a pair that composes, in order.
fn seconds() -> &'static [u32] {
    static SECONDS: OnceLock<Vec<u32>> = OnceLock::new();
    SECONDS.get_or_init(|| {
        let mut v: Vec<u32> = pairs().keys().map(|p| p.1).filter(|c| record(*c).combining() == 0).collect();
        v.sort_unstable();
        v.dedup();
        v
    })
}

/// Can every character be seen to be in the form, whatever its neighbours are? (If not, the text may still be.)
pub fn is_plainly(text: impl Iterator<Item = u32>, form: Form) -> bool {
    let compat = matches!(form, Form::Nfkc | Form::Nfkd);
    let composed = matches!(form, Form::Nfc | Form::Nfkc);
    let first_of_interest = if compat || !composed { 0xa0 } else { 0x300 };
    for c in text {
        if c < first_of_interest {
            continue;
        }
        if record(c).combining() != 0 {
            return false;
        }
        if (S_BASE..S_BASE + S_COUNT).contains(&c) {
            if !composed {
                return false;
            }
            continue;
        }
        match mapping(c) {
            Some(m) if m.tag.is_empty() && (!composed || m.len == 1 || m.excluded) => return false,
            Some(m) if !m.tag.is_empty() && compat => return false,
            _ => {}
        }
        let jamo = (V_BASE..V_BASE + V_COUNT).contains(&c) || (T_BASE..T_BASE + T_COUNT).contains(&c);
        if composed && (jamo || seconds().binary_search(&c).is_ok()) {
            return false;
        }
    }
    true
}

/// Normalises a text; `old` leaves characters that Unicode 3.2 doesn't know as they are.
pub fn normalize(text: impl Iterator<Item = u32>, form: Form, old: bool) -> Vec<u32> {
    let mut d = vec![];
    let compat = matches!(form, Form::Nfkc | Form::Nfkd);
    text.for_each(|c| push_decomposed(c, compat, old, &mut d));
    order(&mut d);
    if matches!(form, Form::Nfc | Form::Nfkc) { compose(&d) } else { d }
}
