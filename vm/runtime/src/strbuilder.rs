//! `StrBuilder`: a string that is made piece by piece.
//!
//! ```text
//!   block ──► [room for an ASCII string's head | characters, `len` bytes | spare … `room`, one byte for a NUL]
//! ```
//! Most texts end as ASCII: then the block itself becomes the string, nothing is copied. Others are copied once, when they are done.

use crate::alloc;
use crate::kinds::*;
use crate::object::*;
use crate::strobject::*;
use crate::with_text;
use core::ptr::null_mut;

/// Builds a string piece by piece, widening as needed.
pub struct StrBuilder {
    /// The allocator's, or null as long as there are no characters.
    block: *mut u8,
    /// Bytes of characters, `kind` for each.
    len: usize,
    /// How many bytes of characters there is room for.
    room: usize,
    kind: u8,
    /// The largest character so far, or at least one of the same kind (and ASCII-ness).
    max: u32,
    /// It was cut: its characters may be narrower than its kind.
    cut: bool,
}
impl Default for StrBuilder {
    fn default() -> Self {
        StrBuilder::new()
    }
}
impl Drop for StrBuilder {
    fn drop(&mut self) {
        // SAFETY: the block is ours, or null.
        unsafe { alloc::free(self.block.cast()) }
    }
}
impl StrBuilder {
    pub const fn new() -> StrBuilder {
        StrBuilder { block: null_mut(), len: 0, room: 0, kind: 1, max: 0, cut: false }
    }
    pub fn with_capacity(n: usize) -> StrBuilder {
        let mut b = StrBuilder::new();
        b.set_room(n.max(16));
        b
    }

    // ---- The block ----

    fn set_room(&mut self, room: usize) {
        let size = room.saturating_add(ASCII_HEAD + 1);
        // SAFETY: the block is ours, or null; text is made under the GIL.
        let p = unsafe {
            if self.block.is_null() { alloc::take(size) } else { alloc::realloc(self.block.cast(), size) }
        };
        if p.is_null() {
            std::alloc::handle_alloc_error(
                std::alloc::Layout::from_size_align(size.min(isize::MAX as usize), 1)
                    .expect("a small alignment"),
            )
        }
        (self.block, self.room) = (p.cast(), room);
    }
    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        self.set_room((self.len.saturating_add(more)).max(self.room.saturating_mul(2)).max(48));
    }
    #[inline]
    fn reserve(&mut self, more: usize) {
        if more > self.room - self.len {
            self.grow(more)
        }
    }
    #[inline]
    fn chars(&self) -> *mut u8 {
        // SAFETY: a block has a head's room in front; a null pointer is not read through.
        self.block.wrapping_add(ASCII_HEAD)
    }
    fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: that many bytes were written.
        unsafe { std::slice::from_raw_parts(self.chars(), self.len) }
    }
    #[inline]
    fn append(&mut self, b: &[u8]) {
        self.reserve(b.len());
        // SAFETY: room was made; a slice that somebody holds isn't our block.
        unsafe { copy_short(b.as_ptr(), self.chars().add(self.len), b.len()) }
        self.len += b.len();
    }
    /// `n` more bytes, zeros, to be written.
    fn append_zeros(&mut self, n: usize) -> &mut [u8] {
        self.reserve(n);
        // SAFETY: room was made.
        unsafe {
            let p = self.chars().add(self.len);
            core::ptr::write_bytes(p, 0, n);
            self.len += n;
            std::slice::from_raw_parts_mut(p, n)
        }
    }
    #[cold]
    fn widen(&mut self, kind: u8) {
        let n = self.len();
        let mut wide = StrBuilder::with_capacity((n + n / 2 + 16) * kind as usize);
        let out = wide.append_zeros(n * kind as usize).chunks_exact_mut(kind as usize);
        for (i, d) in out.enumerate() {
            d.copy_from_slice(&self.char_at(i).to_le_bytes()[..kind as usize]);
        }
        std::mem::swap(&mut self.block, &mut wide.block);
        (self.len, self.room, self.kind) = (wide.len, wide.room, kind);
    }
    fn char_at(&self, i: usize) -> u32 {
        let k = self.kind as usize;
        let mut b = [0u8; 4];
        b[..k].copy_from_slice(&self.bytes()[i * k..(i + 1) * k]);
        u32::from_le_bytes(b)
    }
    #[inline]
    fn make_room(&mut self, max: u32) {
        if max > self.max {
            self.max = max;
            let k = kind_for(max);
            if k > self.kind {
                self.widen(k);
            }
        }
    }

    // ---- Pieces ----

    #[inline]
    pub fn push(&mut self, c: u32) {
        self.make_room(c);
        match self.kind {
            1 => self.append(&[c as u8]),
            2 => self.append(&(c as u16).to_le_bytes()),
            _ => self.append(&c.to_le_bytes()),
        }
    }
    pub fn push_n(&mut self, c: u32, n: usize) {
        if n == 0 {
            return;
        }
        self.make_room(c);
        match self.kind {
            1 => self.append_zeros(n).fill(c as u8),
            _ => (0..n).for_each(|_| self.push(c)),
        }
    }
    #[inline]
    pub fn push_str(&mut self, s: &str) {
        if s.is_ascii() { self.push_ascii(s.as_bytes()) } else { s.chars().for_each(|c| self.push(c as u32)) }
    }
    #[inline]
    fn push_ascii(&mut self, b: &[u8]) {
        if self.kind == 1 && self.max >= 1 { self.append(b) } else { self.push_bounded(Text::U1(b), 0x7f) }
    }
    #[inline]
    pub fn push_obj(&mut self, s: &Str) {
        match s.as_ascii() {
            Some(a) => self.push_ascii(a.as_bytes()),
            None => self.push_bounded(s.text(), s.bound()),
        }
    }
    pub fn push_slice(&mut self, s: &Str, start: usize, end: usize) {
        let end = end.min(s.len());
        let t = s.text().slice(start.min(end), end);
        if s.is_ascii() {
            self.push_bounded(t, 0x7f);
        } else {
            self.push_text(t);
        }
    }
    pub fn push_text(&mut self, t: Text<'_>) {
        self.push_bounded(t, t.max_char());
    }
    pub(crate) fn push_bounded(&mut self, t: Text<'_>, max: u32) {
        if t.len() == 0 {
            return;
        }
        self.make_room(max);
        let k = self.kind;
        if let (Text::U1(b), 1) = (t, k) {
            return self.append(b);
        }
        let out = self.append_zeros(t.len() * k as usize);
        if k == 1 {
            with_text!(t, c => c.iter().zip(out).for_each(|(c, d)| *d = c.code() as u8));
        } else if k == 2 {
            let out = out.chunks_exact_mut(2);
            with_text!(t, c => c.iter().zip(out).for_each(|(c, d)| d.copy_from_slice(&(c.code() as u16).to_le_bytes())));
        } else {
            let out = out.chunks_exact_mut(4);
            with_text!(t, c => c.iter().zip(out).for_each(|(c, d)| d.copy_from_slice(&c.code().to_le_bytes())));
        }
    }
    /// Length in characters.
    pub fn len(&self) -> usize {
        self.len / self.kind as usize
    }
    /// Forgets characters beyond the first `n`; the kind stays wide, `finish` looks again.
    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n * self.kind as usize);
        self.cut |= self.max >= 0x80;
    }

    pub fn finish(mut self) -> Owned<Str> {
        let n = self.len();
        if n == 0 {
            return Str::empty().own();
        }
        if self.cut {
            let v: Vec<u32> = (0..n).map(|i| self.char_at(i)).collect();
            return Str::from_code_points(&v);
        }
        if n == 1 {
            return Str::from_char(self.char_at(0));
        }
        if self.max < 0x80 {
            // A block that is much too large gives the rest back.
            if self.room - n > n / 4 + 32 {
                self.set_room(n);
            }
            // SAFETY: the block has room for the head in front of the characters and for the NUL behind them; it becomes the string.
            unsafe {
                let p = std::mem::replace(&mut self.block, null_mut());
                *p.add(ASCII_HEAD + n) = 0;
                write_head(p.cast(), n, 1, true);
                return Owned::from_raw(p.cast());
            }
        }
        let p = must_alloc(n, self.max);
        // SAFETY: allocated for `n` characters of this kind.
        unsafe {
            core::ptr::copy_nonoverlapping(self.chars(), raw_data(p), self.len);
            Owned::from_raw(p)
        }
    }
}

impl std::fmt::Write for StrBuilder {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.push_str(s);
        Ok(())
    }
}
