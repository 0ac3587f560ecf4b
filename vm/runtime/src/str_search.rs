//! Finding, counting, splitting and replacing in strings of any width.
//!
//! Everything goes through byte searches (`memchr::memmem`): a wide needle is searched as bytes and hits that are not
//! aligned to a character are skipped. A needle wider than the text cannot occur in it; a narrower one is widened first.

use crate::kinds::*;
use crate::object::*;
use crate::strobject::{StrBuilder, Text, copy_text};
use memchr::memmem;
use std::borrow::Cow;

/// The needle's bytes in the text's width; `None` if it cannot occur.
fn needle_bytes<'a>(kind: u8, needle: Text<'a>) -> Option<Cow<'a, [u8]>> {
    let nk = match needle {
        Text::U1(_) => 1,
        Text::U2(_) => 2,
        Text::U4(_) => 4,
    };
    if nk == kind {
        return Some(needle.as_bytes().into());
    }
    if nk > kind {
        return None;
    }
    let mut v = vec![0u8; needle.len() * kind as usize];
    // SAFETY: the vector has room for these characters.
    unsafe { copy_text(v.as_mut_ptr(), kind, needle) };
    Some(v.into())
}

fn kind_of(t: Text<'_>) -> usize {
    match t {
        Text::U1(_) => 1,
        Text::U2(_) => 2,
        Text::U4(_) => 4,
    }
}

/// First occurrence of `needle` in `hay`, in characters. An empty needle is found at 0.
pub fn find(hay: Text<'_>, needle: Text<'_>) -> Option<usize> {
    if needle.len() > hay.len() {
        return None;
    }
    if needle.len() == 1 {
        return find_char(hay, needle.at(0));
    }
    if let (Text::U1(h), Text::U1(n)) = (hay, needle) {
        return find_bytes(h, n);
    }
    let k = kind_of(hay);
    let n = needle_bytes(k as u8, needle)?;
    if k == 1 {
        return find_bytes(hay.as_bytes(), &n);
    }
    let h = hay.as_bytes();
    let finder = memmem::Finder::new(&*n);
    let mut at = 0;
    loop {
        let i = at + finder.find(&h[at..])?;
        if i % k == 0 {
            return Some(i / k);
        }
        at = i + 1;
    }
}

/// First occurrence of a needle of two bytes or more. Making a `memmem` searcher costs more than most searches take: where the first
/// byte leads to the place soon, there is none.
pub fn find_bytes(hay: &[u8], needle: &[u8]) -> Option<usize> {
    const TRIES: usize = 12;
    /// So few places are looked at one after another.
    const FEW: usize = 24;
    let Some((&first, rest)) = needle.split_first() else { return Some(0) };
    let end = (hay.len() + 1).checked_sub(needle.len())?;
    if end <= FEW {
        let starts = hay[..end].iter().enumerate();
        return starts.filter(|(_, c)| **c == first).map(|(i, _)| i).find(|i| hay[i + 1..].starts_with(rest));
    }
    let mut at = 0;
    for _ in 0..TRIES {
        let i = at + memchr::memchr(first, &hay[at..end])?;
        if hay[i + 1..i + needle.len()] == *rest {
            return Some(i);
        }
        at = i + 1;
    }
    memmem::find(&hay[at..], needle).map(|i| at + i)
}

pub fn find_char(hay: Text<'_>, c: u32) -> Option<usize> {
    match hay {
        Text::U1(h) => (c < 0x100).then(|| memchr::memchr(c as u8, h)).flatten(),
        Text::U2(h) => (c < 0x10000).then(|| h.iter().position(|x| *x as u32 == c)).flatten(),
        Text::U4(h) => h.iter().position(|x| *x == c),
    }
}

/// Last occurrence.
pub fn rfind(hay: Text<'_>, needle: Text<'_>) -> Option<usize> {
    if needle.len() > hay.len() {
        return None;
    }
    let k = kind_of(hay);
    let n = needle_bytes(k as u8, needle)?;
    if n.is_empty() {
        return Some(hay.len());
    }
    let h = hay.as_bytes();
    if k == 1 && n.len() == 1 {
        return memchr::memrchr(n[0], h);
    }
    let finder = memmem::FinderRev::new(&*n);
    let mut end = h.len();
    loop {
        let i = finder.rfind(&h[..end])?;
        if i % k == 0 {
            return Some(i / k);
        }
        end = i + n.len() - 1;
    }
}

/// Up to this length of text all occurrences are found without a searcher.
const FEW_BYTES: usize = 256;

/// The places of non-overlapping occurrences, at most `max`; the needle is not empty.
pub fn find_all(hay: Text<'_>, needle: Text<'_>, max: usize) -> Vec<usize> {
    let mut out = vec![];
    let k = kind_of(hay);
    let Some(n) = needle_bytes(k as u8, needle) else { return out };
    let h = hay.as_bytes();
    if n.len() > h.len() {
        return out;
    }
    if k == 1 && n.len() == 1 {
        out.extend(memchr::memchr_iter(n[0], h).take(max));
        return out;
    }
    if k == 1 && h.len() < FEW_BYTES {
        let mut at = 0;
        while out.len() < max
            && let Some(i) = find_bytes(&h[at..], &n)
        {
            out.push(at + i);
            at += i + n.len();
        }
        return out;
    }
    let finder = memmem::Finder::new(&*n);
    let mut at = 0;
    while out.len() < max
        && at < h.len()
        && let Some(i) = finder.find(&h[at..])
    {
        let i = at + i;
        if i % k == 0 {
            out.push(i / k);
            at = i + n.len();
        } else {
            at = i + 1;
        }
    }
    out
}

/// `str.count`.
pub fn count(hay: Text<'_>, needle: Text<'_>) -> usize {
    if needle.len() == 0 {
        return hay.len() + 1;
    }
    if let (Text::U1(h), Text::U1([c])) = (hay, needle) {
        return memchr::memchr_iter(*c, h).count();
    }
    find_all(hay, needle, usize::MAX).len()
}

/// `start` and `end` as slices clip them. `start` may stay beyond `len`.
pub fn adjust(start: isize, end: isize, len: usize) -> (isize, isize) {
    let n = len as isize;
    let end = if end > n {
        n
    } else if end < 0 {
        (end + n).max(0)
    } else {
        end
    };
    let start = if start < 0 { (start + n).max(0) } else { start };
    (start, end)
}

/// `replace` where all is ASCII and `old` isn't empty: one look to count, one to copy.
fn replace_ascii(s: &Str, a: &[u8], old: &[u8], new: &[u8], max: usize) -> Owned<Str> {
    fn fill(
        s: &Str,
        a: &[u8],
        old_len: usize,
        new: &[u8],
        hits: impl Iterator<Item = usize> + Clone,
    ) -> Owned<Str> {
        let mut count = 0;
        let mut first = [0; 16];
        for i in hits.clone() {
            if count < first.len() {
                first[count] = i;
            }
            count += 1;
        }
        if count == 0 {
            return s.to_exact();
        }
        let n = a.len() - count * old_len + count * new.len();
        Str::fill_ascii(n, |out| {
            let (mut at, mut to) = (0, 0);
            let mut put = |part: &[u8]| {
                out[to..to + part.len()].copy_from_slice(part);
                to += part.len();
            };
            let known = count <= first.len();
            let (known, searched) = if known { (&first[..count], None) } else { (&first[..0], Some(hits)) };
            for i in known.iter().copied().chain(searched.into_iter().flatten()) {
                put(&a[at..i]);
                put(new);
                at = i + old_len;
            }
            put(&a[at..]);
        })
    }
    match (old, new) {
        ([c], [d]) => match memchr::memchr(*c, a) {
            None => s.to_exact(),
            Some(first) => Str::fill_ascii(a.len(), |out| {
                out.copy_from_slice(a);
                let mut left = max;
                for x in &mut out[first..] {
                    if *x == *c && left > 0 {
                        *x = *d;
                        left -= 1;
                    }
                }
            }),
        },
        ([c], _) => fill(s, a, 1, new, memchr::memchr_iter(*c, a).take(max)),
        _ => fill(s, a, old.len(), new, memchr::memmem::find_iter(a, old).take(max)),
    }
}

/// `s.replace(old, new, max)`; `max` usize::MAX for all.
pub fn replace(s: &Str, old: &Str, new: &Str, max: usize) -> Owned<Str> {
    let t = s.text();
    if max == 0 || old.len() > t.len() {
        return s.to_exact();
    }
    if old.is_empty() {
        let mut b = StrBuilder::with_capacity(s.len() + (s.len() + 1).min(max) * new.len());
        let mut left = max;
        for c in t.iter() {
            if left > 0 {
                b.push_obj(new);
                left -= 1;
            }
            b.push(c);
        }
        if left > 0 {
            b.push_obj(new);
        }
        return b.finish();
    }
    if old.equals(new) {
        return s.to_exact();
    }
    if let (Some(a), Some(o), Some(n)) = (s.as_ascii(), old.as_ascii(), new.as_ascii()) {
        return replace_ascii(s, a.as_bytes(), o.as_bytes(), n.as_bytes(), max);
    }
    let hits = find_all(t, old.text(), max);
    if hits.is_empty() {
        return s.to_exact();
    }
    let total = s.len() - hits.len() * old.len() + hits.len() * new.len();
    let mut b = StrBuilder::with_capacity(total);
    let mut at = 0;
    for i in hits {
        b.push_slice(s, at, i);
        b.push_obj(new);
        at = i + old.len();
    }
    b.push_slice(s, at, s.len());
    b.finish()
}
