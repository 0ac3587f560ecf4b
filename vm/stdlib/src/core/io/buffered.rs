//! `BufferedReader`, `BufferedWriter`, `BufferedRandom`: one buffer in front of a raw stream.
//!
//! All three share `Buf`. The buffer holds bytes read ahead, bytes not written yet, or (Random) both:
//!
//! ```text
//!   0        write_pos      pos        write_end   raw_pos = read_end          len
//!   |------------|===========|============|...........|                          |
//!                 not written yet                      where the raw stream stands
//! ```
//! `read_end` is -1 when nothing is read ahead, `write_end` is -1 when nothing waits to be written. `abs_pos` is the raw
//! stream's own position if known. Raw streams that are plain `FileIO` objects are read and written directly, others through
//! their Python methods. A stream is used by one thread at a time (`enter`): raw calls give the GIL up.

use super::base::BufferedIOBase;
use super::fileio::FileIO;
use super::*;
use std::cell::{Cell, UnsafeCell};

pub struct Buf {
    raw: Slot,
    ok: Cell<bool>,
    detached: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    finalizing: Cell<bool>,
    /// The raw stream is exactly a `FileIO` (and we are not a subclass): its state can be asked directly.
    fast: Cell<bool>,
    mem: UnsafeCell<Vec<u8>>,
    pos: Cell<i64>,
    raw_pos: Cell<i64>,
    read_end: Cell<i64>,
    write_pos: Cell<i64>,
    write_end: Cell<i64>,
    abs_pos: Cell<i64>,
    /// The thread that is inside, 0 if none.
    owner: Cell<usize>,
}

impl Trace for Buf {
    fn trace(&self, v: &mut Visitor) {
        self.raw.trace(v)
    }
    fn clear_refs(&self) {
        self.ok.set(false);
        Trace::clear_refs(&self.raw)
    }
}

/// Gives the stream back to other threads on drop.
struct Inside<'a>(&'a Buf);
impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.owner.set(0)
    }
}

/// What a raw transfer did: bytes moved, or "would block".
type Moved = Option<usize>;

impl Buf {
    fn new() -> Buf {
        Buf {
            raw: Slot::empty(),
            ok: Cell::new(false),
            detached: Cell::new(false),
            readable: Cell::new(false),
            writable: Cell::new(false),
            finalizing: Cell::new(false),
            fast: Cell::new(false),
            mem: UnsafeCell::new(vec![]),
            pos: Cell::new(0),
            raw_pos: Cell::new(0),
            read_end: Cell::new(-1),
            write_pos: Cell::new(0),
            write_end: Cell::new(-1),
            abs_pos: Cell::new(-1),
            owner: Cell::new(0),
        }
    }
    fn setup(&self, me: &Object, raw: &Object, size: isize, exact: bool, r: bool, w: bool) -> PyResult<()> {
        self.ok.set(false);
        self.detached.set(false);
        if size <= 0 {
            return raise!(ValueError, "buffer size must be strictly positive");
        }
        self.raw.set(Some(raw.own()));
        self.readable.set(r);
        self.writable.set(w);
        // SAFETY: nobody is inside an object that is being initialised.
        unsafe { *self.mem.get() = lh_runtime::alloc::zeroed(size as usize)? };
        self.reset_read();
        self.reset_write();
        self.pos.set(0);
        self.abs_pos.set(-1);
        self.fast.set(exact && raw.is_exact::<FileIO>());
        self.ok.set(true);
        let _ = me;
        if let Err(e) = self.raw_tell() {
            e.clear();
        }
        Ok(())
    }
    fn size(&self) -> usize {
        // SAFETY: the vector changes only in `setup` and `free`.
        unsafe { (*self.mem.get()).len() }
    }
    /// The buffer's memory.
    fn at(&self, i: i64) -> *mut u8 {
        // SAFETY: positions lie inside the buffer.
        unsafe { (*self.mem.get()).as_mut_ptr().add(i as usize) }
    }
    fn slice(&self, from: i64, to: i64) -> &[u8] {
        // SAFETY: positions lie inside the buffer; the caller copies before anything else runs.
        unsafe { std::slice::from_raw_parts(self.at(from), (to - from).max(0) as usize) }
    }
    fn has_read(&self) -> bool {
        self.readable.get() && self.read_end.get() != -1
    }
    fn has_write(&self) -> bool {
        self.writable.get() && self.write_end.get() != -1
    }
    fn reset_read(&self) {
        self.read_end.set(-1)
    }
    fn reset_write(&self) {
        self.write_pos.set(0);
        self.write_end.set(-1)
    }
    fn readahead(&self) -> i64 {
        if self.has_read() { self.read_end.get() - self.pos.get() } else { 0 }
    }
    /// How far the raw stream is ahead of the position the user sees.
    fn raw_offset(&self) -> i64 {
        if (self.has_read() || self.has_write()) && self.raw_pos.get() >= 0 {
            self.raw_pos.get() - self.pos.get()
        } else {
            0
        }
    }
    fn move_to(&self, p: i64) {
        self.pos.set(p);
        if self.has_read() && self.read_end.get() < p {
            self.read_end.set(p)
        }
    }

    fn raw(&self) -> PyResult<Owned<Object>> {
        if self.ok.get()
            && let Some(r) = self.raw.get()
        {
            return Ok(r);
        }
        if self.detached.get() {
            return raise!(ValueError, "raw stream has been detached");
        }
        raise!(ValueError, "I/O operation on uninitialized object")
    }
    fn is_closed(&self, me: &Object) -> PyResult<bool> {
        let raw = self.raw()?;
        if self.fast.get()
            && let Some(f) = raw.downcast_exact::<FileIO>()
        {
            return Ok(!f.is_open());
        }
        is_closed(me)
    }
    fn check(&self, me: &Object, message: &str) -> PyResult<()> {
        if self.is_closed(me)? && self.readahead() == 0 {
            return raise!(ValueError, "{}", message);
        }
        Ok(())
    }
    fn enter(&self, me: &Object) -> PyResult<Inside<'_>> {
        let mine = lh_runtime::thread::mine() as usize;
        while self.owner.get() != 0 {
            if self.owner.get() == mine {
                return raise!(RuntimeError, "reentrant call inside {}", me.repr_lossy());
            }
            if lh_runtime::thread::is_finalizing() {
                break;
            }
            lh_runtime::thread::allow_threads(|| std::thread::sleep(std::time::Duration::from_micros(200)));
        }
        self.owner.set(mine);
        Ok(Inside(self))
    }

    // ---- The raw stream ----

    fn raw_tell(&self) -> PyResult<i64> {
        let raw = self.raw()?;
        let n = match raw.downcast_exact::<FileIO>() {
            Some(f) => f.lseek(0, libc::SEEK_CUR)?,
            None => offset_arg(&*raw.call_method("tell", &[])?)?,
        };
        if n < 0 {
            return raise!(OSError, "Raw stream returned invalid position {}", n);
        }
        self.abs_pos.set(n);
        Ok(n)
    }
    fn raw_seek(&self, target: i64, whence: i32) -> PyResult<i64> {
        let raw = self.raw()?;
        let n = match raw.downcast_exact::<FileIO>() {
            Some(f) => f.lseek(target, whence)?,
            None => offset_arg(&*raw.call_method("seek", &[&*int(target), &*int(whence as i64)])?)?,
        };
        if n < 0 {
            return raise!(OSError, "Raw stream returned invalid position {}", n);
        }
        self.abs_pos.set(n);
        Ok(n)
    }
    fn moved(&self, n: usize) {
        if n > 0 && self.abs_pos.get() != -1 {
            self.abs_pos.set(self.abs_pos.get() + n as i64)
        }
    }
    /// Reads from the raw stream into memory of ours.
    fn raw_read(&self, p: *mut u8, len: usize) -> PyResult<Moved> {
        let raw = self.raw()?;
        if let Some(f) = raw.downcast_exact::<FileIO>() {
            let r = f.read_into(p, len)?;
            self.moved(r.unwrap_or(0));
            return Ok(r);
        }
        let b = ByteArray::new(&lh_runtime::alloc::zeroed::<u8>(len)?);
        let r = loop {
            match raw.call_method("readinto", &[&b]) {
                Err(e) if e.matches(exc::InterruptedError()) => e.clear(),
                r => break r?,
            }
        };
        if r.is_none() {
            return Ok(None);
        }
        let n = match lh_runtime::number::as_isize(&r, Some(exc::ValueError())) {
            Ok(n) => n,
            Err(e) => {
                let cause = e.take();
                let failed = raised!(OSError, "raw readinto() failed").take();
                failed.set_attr_str("__cause__", &cause)?;
                failed.set_attr_str("__context__", &cause)?;
                return Err(lh_runtime::errors::raise_exc(failed));
            }
        };
        if n < 0 || n as usize > len {
            return raise!(
                OSError,
                "raw readinto() returned invalid length {} (should have been between 0 and {})",
                n,
                len
            );
        }
        let n = n as usize;
        // SAFETY: `p` has room for `len` bytes; the bytearray holds as many unless the stream shrank it.
        unsafe { std::ptr::copy_nonoverlapping(b.data(), p, n.min(b.len())) };
        self.moved(n);
        Ok(Some(n))
    }
    fn raw_write(&self, p: *const u8, len: usize) -> PyResult<Moved> {
        let raw = self.raw()?;
        if let Some(f) = raw.downcast_exact::<FileIO>() {
            let r = f.write_from(p, len)?;
            self.moved(r.unwrap_or(0));
            return Ok(r);
        }
        // SAFETY: `p` points to `len` bytes.
        let b = Bytes::new(unsafe { std::slice::from_raw_parts(p, len) });
        let r = loop {
            match raw.call_method("write", &[&b]) {
                Err(e) if e.matches(exc::InterruptedError()) => e.clear(),
                r => break r?,
            }
        };
        if r.is_none() {
            return Ok(None);
        }
        let n = lh_runtime::number::as_isize(&r, Some(exc::ValueError()))?;
        if n < 0 || n as usize > len {
            return raise!(
                OSError,
                "raw write() returned invalid length {} (should have been between 0 and {})",
                n,
                len
            );
        }
        self.moved(n as usize);
        Ok(Some(n as usize))
    }
    fn fill(&self) -> PyResult<Moved> {
        let start = if self.has_read() { self.read_end.get() } else { 0 };
        let r = self.raw_read(self.at(start), self.size() - start as usize)?;
        if let Some(n) = r.filter(|n| *n > 0) {
            self.read_end.set(start + n as i64);
            self.raw_pos.set(start + n as i64);
        }
        Ok(r)
    }

    // ---- Writing ----

    fn flush_writes(&self) -> PyResult<()> {
        if !self.has_write() || self.write_pos.get() == self.write_end.get() {
            self.reset_write();
            return Ok(());
        }
        let rewind = self.raw_offset() + (self.pos.get() - self.write_pos.get());
        if rewind != 0 {
            self.raw_seek(-rewind, libc::SEEK_CUR)?;
            self.raw_pos.set(self.raw_pos.get() - rewind);
        }
        while self.write_pos.get() < self.write_end.get() {
            let n = (self.write_end.get() - self.write_pos.get()) as usize;
            match self.raw_write(self.at(self.write_pos.get()), n)? {
                None => return Err(would_block(0)),
                Some(n) => {
                    self.write_pos.set(self.write_pos.get() + n as i64);
                    self.raw_pos.set(self.write_pos.get());
                    after_eintr()?;
                }
            }
        }
        self.reset_write();
        Ok(())
    }
    fn flush_and_rewind(&self) -> PyResult<()> {
        self.flush_writes()?;
        if self.readable.get() {
            let off = self.raw_offset();
            if off != 0 {
                self.raw_seek(-off, libc::SEEK_CUR)?;
            }
            self.reset_read();
        }
        Ok(())
    }
    fn write(&self, me: &Object, data: &Object) -> PyResult<usize> {
        self.raw()?;
        let view = Buffer::simple(data)?;
        if self.is_closed(me)? {
            return raise!(ValueError, "write to closed file");
        }
        let _in = self.enter(me)?;
        // Another thread may have closed it meanwhile.
        if self.is_closed(me)? {
            return raise!(ValueError, "write to closed file");
        }
        let bytes = view.as_bytes();
        let len = bytes.len();
        if !self.has_read() && !self.has_write() {
            self.pos.set(0);
            self.raw_pos.set(0);
        }
        let room = self.size() - self.pos.get() as usize;
        let put = |at: i64, from: usize, n: usize| {
            // SAFETY: `n` bytes fit behind `at`; source and buffer are different memory.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().add(from), self.at(at), n) }
        };
        if len <= room {
            let at = self.pos.get();
            put(at, 0, len);
            if !self.has_write() || self.write_pos.get() > at {
                self.write_pos.set(at);
            }
            self.move_to(at + len as i64);
            if self.write_end.get() < self.pos.get() {
                self.write_end.set(self.pos.get());
            }
            return Ok(len);
        }
        if let Err(e) = self.flush_writes() {
            if !e.matches(exc::BlockingIOError()) {
                return Err(e);
            }
            // The raw stream takes nothing now: keep what fits and say how much that was.
            if self.readable.get() {
                self.reset_read();
            }
            let (from, to) = (self.write_pos.get(), self.write_end.get());
            // SAFETY: both ranges lie inside the buffer.
            unsafe { std::ptr::copy(self.at(from), self.at(0), (to - from) as usize) };
            self.write_end.set(to - from);
            self.raw_pos.set(self.raw_pos.get() - from);
            self.pos.set(self.pos.get() - from);
            self.write_pos.set(0);
            let room = self.size() - self.write_end.get() as usize;
            if len <= room {
                e.clear();
                put(self.write_end.get(), 0, len);
                self.write_end.set(self.write_end.get() + len as i64);
                self.pos.set(self.pos.get() + len as i64);
                return Ok(len);
            }
            put(self.write_end.get(), 0, room);
            self.write_end.set(self.write_end.get() + room as i64);
            self.pos.set(self.pos.get() + room as i64);
            e.clear();
            return Err(would_block(room));
        }
        let off = self.raw_offset();
        if off != 0 {
            self.raw_seek(-off, libc::SEEK_CUR)?;
            self.raw_pos.set(self.raw_pos.get() - off);
        }
        let mut written = 0;
        while len - written > self.size() {
            // SAFETY: inside the caller's buffer, which the view keeps in place.
            match self.raw_write(unsafe { bytes.as_ptr().add(written) }, len - written)? {
                Some(n) => {
                    written += n;
                    after_eintr()?;
                }
                None => {
                    let size = self.size();
                    put(0, written, size);
                    self.raw_pos.set(0);
                    self.move_to(size as i64);
                    self.write_pos.set(0);
                    self.write_end.set(size as i64);
                    written += size;
                    return Err(would_block(written));
                }
            }
        }
        if self.readable.get() {
            self.reset_read();
        }
        let rest = len - written;
        if rest > 0 {
            put(0, written, rest);
        }
        self.write_pos.set(0);
        self.write_end.set(rest as i64);
        self.move_to(rest as i64);
        self.raw_pos.set(0);
        Ok(len)
    }
    fn flush(&self, me: &Object) -> PyResult<()> {
        self.raw()?;
        if self.is_closed(me)? {
            return raise!(ValueError, "flush of closed file");
        }
        let _in = self.enter(me)?;
        if self.writable.get() { self.flush_and_rewind() } else { Ok(()) }
    }
    /// A reader's `flush` is the raw stream's.
    fn flush_raw(&self) -> PyResult {
        self.raw()?.call_method("flush", &[])
    }

    // ---- Reading ----

    fn take(&self, n: i64) -> Owned<Bytes> {
        let p = self.pos.get();
        let b = Bytes::new(self.slice(p, p + n));
        self.pos.set(p + n);
        b
    }
    fn before_read(&self) -> PyResult<()> {
        if self.writable.get() { self.flush_and_rewind() } else { Ok(()) }
    }
    fn read(&self, me: &Object, size: Option<&Object>) -> PyResult {
        self.raw()?;
        let n = size_arg(size)?;
        if n < -1 {
            return raise!(ValueError, "read length must be non-negative or -1");
        }
        self.check(me, "read of closed file")?;
        if n >= 0 && n as i64 <= self.readahead() && self.owner.get() == 0 {
            return self.take(n as i64).into_py();
        }
        let _in = self.enter(me)?;
        if n < 0 { self.read_all() } else { self.read_n(n as usize) }
    }
    fn read_all(&self) -> PyResult {
        let ahead = self.readahead();
        let mut out: Vec<u8> = self.slice(self.pos.get(), self.pos.get() + ahead).to_vec();
        self.pos.set(self.pos.get() + ahead);
        self.before_read()?;
        self.reset_read();
        let raw = self.raw()?;
        if let Some(f) = raw.get_attr_opt(intern!("readall"))? {
            let r = f.call0()?;
            let Some(b) = r.downcast::<Bytes>() else {
                if r.is_none() {
                    return if out.is_empty() { Ok(r) } else { out.into_py() };
                }
                return raise!(TypeError, "readall() should return bytes");
            };
            if out.is_empty() {
                return Ok(r.clone());
            }
            out.extend_from_slice(b.as_bytes());
            return out.into_py();
        }
        loop {
            let r = raw.call_method("read", &[])?;
            if r.is_none() {
                return if out.is_empty() { Ok(r) } else { out.into_py() };
            }
            let Some(b) = r.downcast::<Bytes>() else {
                return raise!(TypeError, "read() should return bytes");
            };
            if b.is_empty() {
                return out.into_py();
            }
            out.extend_from_slice(b.as_bytes());
            self.moved(b.len());
        }
    }
    fn read_n(&self, n: usize) -> PyResult {
        if n as i64 <= self.readahead() {
            return self.take(n as i64).into_py();
        }
        let mut out = lh_runtime::alloc::zeroed::<u8>(n)?;
        let ahead = self.readahead() as usize;
        out[..ahead].copy_from_slice(self.slice(self.pos.get(), self.pos.get() + ahead as i64));
        self.pos.set(self.pos.get() + ahead as i64);
        let mut done = ahead;
        self.before_read()?;
        self.reset_read();
        let finish = |out: &[u8], done: usize, blocked: bool| {
            if blocked && done == 0 { Ok(none()) } else { out[..done].into_py() }
        };
        // Whole buffers go straight to the result.
        loop {
            let whole = (n - done) / self.size() * self.size();
            if whole == 0 {
                break;
            }
            match self.raw_read(out[done..].as_mut_ptr(), whole)? {
                Some(0) => return finish(&out, done, false),
                None => return finish(&out, done, true),
                Some(r) => done += r,
            }
        }
        self.pos.set(0);
        self.raw_pos.set(0);
        self.read_end.set(0);
        while done < n && (self.read_end.get() as usize) < self.size() {
            match self.fill()? {
                Some(0) => return finish(&out, done, false),
                None => return finish(&out, done, true),
                Some(r) => {
                    let k = r.min(n - done);
                    let p = self.pos.get();
                    out[done..done + k].copy_from_slice(self.slice(p, p + k as i64));
                    self.pos.set(p + k as i64);
                    done += k;
                }
            }
        }
        out.truncate(done);
        out.into_py()
    }
    fn read1(&self, me: &Object, size: Option<&Object>) -> PyResult {
        self.raw()?;
        let n = size_arg(size)?;
        let n = if n < 0 { self.size() } else { n as usize };
        self.check(me, "read of closed file")?;
        if n == 0 {
            return Bytes::new(b"").into_py();
        }
        let ahead = self.readahead();
        if ahead > 0 {
            return self.take(ahead.min(n as i64)).into_py();
        }
        let _in = self.enter(me)?;
        self.before_read()?;
        self.reset_read();
        let mut out = lh_runtime::alloc::zeroed::<u8>(n)?;
        let r = self.raw_read(out.as_mut_ptr(), n)?.unwrap_or(0);
        out[..r].into_py()
    }
    fn readinto(&self, me: &Object, buffer: &Object, once: bool) -> PyResult<Option<usize>> {
        self.raw()?;
        let mut view = Buffer::writable_arg(buffer, if once { "readinto1" } else { "readinto" })?;
        self.check(me, "readinto of closed file")?;
        let _in = self.enter(me)?;
        let len = view.len();
        let out = view.as_bytes_mut().as_mut_ptr();
        let copy = |from: i64, to: usize, n: usize| {
            // SAFETY: `n` bytes of the buffer go to the caller's view, which has room for them.
            unsafe { std::ptr::copy_nonoverlapping(self.at(from), out.add(to), n) }
        };
        let mut done = 0;
        let ahead = self.readahead() as usize;
        if ahead > 0 {
            let n = ahead.min(len);
            copy(self.pos.get(), 0, n);
            self.pos.set(self.pos.get() + n as i64);
            if n == len {
                return Ok(Some(n));
            }
            done = n;
        }
        self.before_read()?;
        self.reset_read();
        self.pos.set(0);
        while done < len {
            let left = len - done;
            let r = if left > self.size() {
                // SAFETY: `left` bytes of the view remain.
                self.raw_read(unsafe { out.add(done) }, left)?
            } else if !(once && done > 0) {
                let r = self.fill()?;
                if let Some(n) = r.filter(|n| *n > 0) {
                    let n = n.min(left);
                    copy(self.pos.get(), done, n);
                    self.pos.set(self.pos.get() + n as i64);
                    done += n;
                    if once {
                        break;
                    }
                    continue;
                }
                r
            } else {
                Some(0)
            };
            match r {
                Some(0) => break,
                None if done > 0 => break,
                None => return Ok(None),
                Some(n) => {
                    done += n;
                    if once {
                        break;
                    }
                }
            }
        }
        Ok(Some(done))
    }
    fn peek(&self, me: &Object) -> PyResult<Owned<Bytes>> {
        self.raw()?;
        self.check(me, "peek of closed file")?;
        let _in = self.enter(me)?;
        self.before_read()?;
        let ahead = self.readahead();
        if ahead > 0 {
            return Ok(Bytes::new(self.slice(self.pos.get(), self.pos.get() + ahead)));
        }
        self.reset_read();
        let n = self.fill()?.unwrap_or(0);
        self.pos.set(0);
        Ok(Bytes::new(self.slice(0, n as i64)))
    }
    fn readline(&self, me: &Object, limit: isize) -> PyResult<Owned<Bytes>> {
        self.raw()?;
        self.check(me, "readline of closed file")?;
        let want = |n: i64| if limit >= 0 && n > limit as i64 { limit as i64 } else { n };
        let n = want(self.readahead());
        let p = self.pos.get();
        if let Some(i) = find_lf(self.slice(p, p + n)) {
            return Ok(self.take(i as i64 + 1));
        }
        if limit >= 0 && n == limit as i64 {
            return Ok(self.take(n));
        }
        let _in = self.enter(me)?;
        let mut out: Vec<u8> = self.slice(p, p + n).to_vec();
        self.pos.set(p + n);
        self.before_read()?;
        loop {
            self.reset_read();
            let Some(got) = self.fill()?.filter(|n| *n > 0) else { break };
            let n = if limit >= 0 { (got as i64).min(limit as i64 - out.len() as i64) } else { got as i64 };
            let found = find_lf(self.slice(0, n));
            let k = found.map_or(n, |i| i as i64 + 1);
            out.extend_from_slice(self.slice(0, k));
            self.pos.set(k);
            if found.is_some() || (limit >= 0 && out.len() as isize >= limit) {
                break;
            }
        }
        Ok(Bytes::new(&out))
    }

    // ---- Positions ----

    fn tell(&self) -> PyResult<i64> {
        let n = self.raw_tell()? - self.raw_offset();
        Ok(n.max(0))
    }
    fn seek(&self, me: &Object, target: &Object, whence: i32) -> PyResult<i64> {
        let raw = self.raw()?;
        if !(0..=2).contains(&whence) && whence != libc::SEEK_HOLE && whence != libc::SEEK_DATA {
            return raise!(ValueError, "whence value {} unsupported", whence);
        }
        if self.is_closed(me)? {
            return raise!(ValueError, "seek of closed file");
        }
        if !ask(&raw, "seekable")? {
            return Err(unsupported("File or stream is not seekable."));
        }
        let mut target = offset_arg(target)?;
        if matches!(whence, 0 | 1) && self.readable.get() {
            let current = if self.abs_pos.get() != -1 { self.abs_pos.get() } else { self.raw_tell()? };
            let ahead = self.readahead();
            if ahead > 0 {
                let offset = if whence == 0 { target - (current - self.raw_offset()) } else { target };
                if offset >= -self.pos.get() && offset <= ahead {
                    self.pos.set(self.pos.get() + offset);
                    return Ok(current - ahead + offset);
                }
            }
        }
        let _in = self.enter(me)?;
        if self.writable.get() {
            self.flush_writes()?;
        }
        if whence == 1 {
            target -= self.raw_offset();
        }
        let n = self.raw_seek(target, whence)?;
        self.raw_pos.set(-1);
        if self.readable.get() {
            self.reset_read();
        }
        Ok(n)
    }
    fn truncate(&self, me: &Object, pos: Option<&Object>) -> PyResult {
        let raw = self.raw()?;
        if self.is_closed(me)? {
            return raise!(ValueError, "truncate of closed file");
        }
        if !self.writable.get() {
            return Err(unsupported("truncate"));
        }
        let _in = self.enter(me)?;
        self.flush_and_rewind()?;
        let r = raw.call_method("truncate", &[pos.unwrap_or(none_ref())])?;
        if let Err(e) = self.raw_tell() {
            e.clear();
        }
        Ok(r)
    }
    fn close(&self, me: &Object) -> PyResult {
        let raw = self.raw()?;
        let done = {
            let _in = self.enter(me)?;
            self.is_closed(me)?
        };
        if done {
            return Ok(none());
        }
        if self.finalizing.get()
            && let Err(e) = raw.call_method("_dealloc_warn", &[me])
        {
            e.clear();
        }
        let flushed = me.call_method("flush", &[]);
        let kept = if flushed.is_err() { Some(fetch()) } else { None };
        // Whoever wants to write meanwhile waits, and finds the stream closed.
        let _in = self.enter(me)?;
        let closed = raw.call_method("close", &[]);
        // SAFETY: the stream is closed, nobody is inside.
        unsafe { *self.mem.get() = vec![0; 1] };
        self.reset_read();
        self.reset_write();
        self.pos.set(0);
        join_errors(kept, closed)
    }
    fn detach(&self, me: &Object) -> PyResult {
        self.raw()?;
        me.call_method("flush", &[])?;
        let raw = self.raw.take();
        self.detached.set(true);
        self.ok.set(false);
        match raw {
            Some(r) => Ok(r),
            None => raise!(ValueError, "raw stream has been detached"),
        }
    }
    fn repr(&self, me: &Object) -> PyResult<String> {
        let t = me.ty().name();
        let t = t.rsplit('.').next().unwrap_or(&t).to_string();
        let name = match me.get_attr_opt(intern!("name")) {
            Ok(n) => n,
            Err(e) if e.matches(exc::ValueError()) => {
                e.clear();
                None
            }
            Err(e) => return Err(e),
        };
        match name {
            None => Ok(format!("<_io.{t}>")),
            Some(n) => {
                let _deep = lh_runtime::thread::enter_recursive(" in __repr__")?;
                Ok(format!("<_io.{t} name={}>", n.repr()?.to_str_lossy()))
            }
        }
    }
}

fn find_lf(b: &[u8]) -> Option<usize> {
    // SAFETY: memchr looks at the slice only.
    let p = unsafe { libc::memchr(b.as_ptr().cast(), b'\n' as i32, b.len()) } as usize;
    if p == 0 { None } else { Some(p - b.as_ptr() as usize) }
}

/// The result of `close()` after `flush()` failed with the exception kept aside: the flush error becomes the context of a
/// failing close, and is raised itself otherwise.
pub fn join_errors(
    kept: Option<(Option<Owned<Object>>, Option<Owned<Object>>, Option<Owned<Object>>)>,
    closed: PyResult,
) -> PyResult {
    match (kept, closed) {
        (None, c) => c,
        (Some((t, v, tb)), Ok(_)) => {
            restore(t, v, tb);
            Err(Raised::already_set())
        }
        (Some((t, v, tb)), Err(e)) => {
            let second = e.take();
            if let Some(t) = t {
                let first = lh_runtime::exceptions::normalize(t, v, tb);
                second.set_context(Some(first.into_object()));
            }
            Err(raise_exc(second))
        }
    }
}

macro_rules! common_methods {
    ($t:ident) => {
        #[pymethods(part = "common")]
        impl $t {
            #[slot(tp_new)]
            fn tp_new(cls: &Type, _args: &Tuple, _kw: Option<&Dict>) -> PyResult<Owned<$t>> {
                $t { b: Buf::new() }.build_in(cls)
            }
            #[slot(tp_repr)]
            fn repr(&self) -> PyResult<String> {
                self.b.repr(self)
            }
            #[pymethod]
            fn close(&self) -> PyResult {
                self.b.close(self)
            }
            #[pymethod]
            fn detach(&self) -> PyResult {
                self.b.detach(self)
            }
            #[pymethod]
            fn seekable(&self) -> PyResult {
                self.b.raw()?.call_method("seekable", &[])
            }
            #[pymethod]
            fn fileno(&self) -> PyResult {
                self.b.raw()?.call_method("fileno", &[])
            }
            #[pymethod]
            fn isatty(&self) -> PyResult {
                self.b.raw()?.call_method("isatty", &[])
            }
            #[pymethod(name = "_dealloc_warn", signature = "(source, /)")]
            fn dealloc_warn(&self, source: &Object) -> PyResult<()> {
                if self.b.ok.get()
                    && let Some(r) = self.b.raw.get()
                    && let Err(e) = r.call_method("_dealloc_warn", &[source])
                {
                    e.clear();
                }
                Ok(())
            }
            #[pymethod(signature = "(target, whence=0, /)")]
            fn seek(&self, target: &Object, whence: i32) -> PyResult<i64> {
                self.b.seek(self, target, whence)
            }
            #[pymethod]
            fn tell(&self) -> PyResult<i64> {
                self.b.tell()
            }
            #[pymethod(signature = "(pos=None, /)")]
            fn truncate(&self, pos: Option<&Object>) -> PyResult {
                self.b.truncate(self, pos)
            }
            #[pymethod]
            fn __sizeof__(&self) -> usize {
                <$t as Kind>::BASICSIZE + self.b.size()
            }
            #[getter]
            fn raw(&self) -> PyResult {
                match self.b.raw.get() {
                    Some(r) => Ok(r),
                    None => Ok(none()),
                }
            }
            #[getter]
            fn closed(&self) -> PyResult {
                self.b.raw()?.get_attr(intern!("closed"))
            }
            #[getter]
            fn name(&self) -> PyResult {
                self.b.raw()?.get_attr(intern!("name"))
            }
            #[getter]
            fn mode(&self) -> PyResult {
                self.b.raw()?.get_attr(intern!("mode"))
            }
            #[getter(_finalizing)]
            fn finalizing(&self) -> bool {
                self.b.finalizing.get()
            }
            #[setter(_finalizing)]
            fn set_finalizing(&self, v: Option<&Object>) -> PyResult<()> {
                self.b.finalizing.set(v.is_some_and(|v| v.is_true_object()));
                Ok(())
            }
        }
    };
}

macro_rules! reading_methods {
    ($t:ident) => {
        #[pymethods(part = "reading")]
        impl $t {
            #[slot(tp_iternext)]
            fn next(&self) -> PyResult<Option<Owned<Object>>> {
                if self.is_exact::<$t>() {
                    let l = self.b.readline(self, -1)?;
                    return Ok(if l.len() == 0 { None } else { Some(l.into_object()) });
                }
                let l = self.call_method("readline", &[])?;
                if !l.is_instance_of::<Bytes>() {
                    let t = l.ty().name();
                    return raise!(OSError, "readline() should have returned a bytes object, not '{}'", t);
                }
                Ok(if l.length()? == 0 { None } else { Some(l) })
            }
            #[pymethod]
            fn readable(&self) -> PyResult {
                self.b.raw()?.call_method("readable", &[])
            }
            #[pymethod(signature = "(size=-1, /)")]
            fn read(&self, size: Option<&Object>) -> PyResult {
                self.b.read(self, size)
            }
            #[pymethod(signature = "(size=-1, /)")]
            fn read1(&self, size: Option<&Object>) -> PyResult {
                self.b.read1(self, size)
            }
            #[pymethod(signature = "(buffer, /)")]
            fn readinto(&self, buffer: &Object) -> PyResult<Option<usize>> {
                self.b.readinto(self, buffer, false)
            }
            #[pymethod(signature = "(buffer, /)")]
            fn readinto1(&self, buffer: &Object) -> PyResult<Option<usize>> {
                self.b.readinto(self, buffer, true)
            }
            #[pymethod(signature = "(size=-1, /)")]
            fn readline(&self, size: Option<&Object>) -> PyResult<Owned<Bytes>> {
                self.b.readline(self, size_arg(size)?)
            }
            #[pymethod(signature = "(size=0, /)")]
            fn peek(&self, _size: isize) -> PyResult<Owned<Bytes>> {
                self.b.peek(self)
            }
        }
    };
}

macro_rules! writing_methods {
    ($t:ident) => {
        #[pymethods(part = "writing")]
        impl $t {
            #[pymethod]
            fn writable(&self) -> PyResult {
                self.b.raw()?.call_method("writable", &[])
            }
            #[pymethod(signature = "(buffer, /)")]
            fn write(&self, buffer: &Object) -> PyResult<usize> {
                if buffer.is_instance_of::<Str>() {
                    return raise!(TypeError, "a bytes-like object is required, not 'str'");
                }
                self.b.write(self, buffer)
            }
            #[pymethod]
            fn flush(&self) -> PyResult<()> {
                self.b.flush(self)
            }
        }
    };
}

/// Create a new buffered reader using the given readable raw IO object.
/// Is the file of a buffered stream closed, if stream and file are of these types and no others?
pub fn closed_file(o: &Object) -> Option<bool> {
    let b = if let Some(r) = o.downcast_exact::<BufferedReader>() {
        &r.b
    } else if let Some(w) = o.downcast_exact::<BufferedWriter>() {
        &w.b
    } else {
        &o.downcast_exact::<BufferedRandom>()?.b
    };
    if !(b.ok.get() && b.fast.get()) {
        return None;
    }
    // SAFETY: nothing runs while the slot is looked at.
    unsafe { b.raw.peek() }?.downcast_exact::<FileIO>().map(|f| !f.is_open())
}

#[pyclass(name = "BufferedReader", module = "_io", base = BufferedIOBase, basetype)]
pub struct BufferedReader {
    b: Buf,
}
common_methods!(BufferedReader);
reading_methods!(BufferedReader);

#[pymethods(parts(common, reading), extra = finalize_before_dealloc::<BufferedReader>)]
impl BufferedReader {
    #[init(name = "BufferedReader", signature = "(raw, buffer_size=8192)")]
    fn init(&self, raw: &Object, buffer_size: isize) -> PyResult<()> {
        self.b.ok.set(false);
        if !ask(raw, "readable")? {
            return Err(unsupported("File or stream is not readable."));
        }
        self.b.setup(self, raw, buffer_size, self.is_exact::<BufferedReader>(), true, false)
    }
    #[pymethod]
    fn flush(&self) -> PyResult {
        self.b.flush_raw()
    }
}

/// A buffer for a writeable sequential RawIO object.
#[pyclass(name = "BufferedWriter", module = "_io", base = BufferedIOBase, basetype)]
pub struct BufferedWriter {
    b: Buf,
}
common_methods!(BufferedWriter);
writing_methods!(BufferedWriter);

#[pymethods(parts(common, writing), extra = finalize_before_dealloc::<BufferedWriter>)]
impl BufferedWriter {
    #[init(name = "BufferedWriter", signature = "(raw, buffer_size=8192)")]
    fn init(&self, raw: &Object, buffer_size: isize) -> PyResult<()> {
        self.b.ok.set(false);
        if !ask(raw, "writable")? {
            return Err(unsupported("File or stream is not writable."));
        }
        self.b.setup(self, raw, buffer_size, self.is_exact::<BufferedWriter>(), false, true)
    }
}

/// A buffered interface to random access streams.
#[pyclass(name = "BufferedRandom", module = "_io", base = BufferedIOBase, basetype)]
pub struct BufferedRandom {
    b: Buf,
}
common_methods!(BufferedRandom);
reading_methods!(BufferedRandom);
writing_methods!(BufferedRandom);

#[pymethods(parts(common, reading, writing), extra = finalize_before_dealloc::<BufferedRandom>)]
impl BufferedRandom {
    #[init(name = "BufferedRandom", signature = "(raw, buffer_size=8192)")]
    fn init(&self, raw: &Object, buffer_size: isize) -> PyResult<()> {
        self.b.ok.set(false);
        for (m, text) in [("seekable", "seekable"), ("readable", "readable"), ("writable", "writable")] {
            if !ask(raw, m)? {
                return Err(unsupported(&format!("File or stream is not {text}.")));
            }
        }
        self.b.setup(self, raw, buffer_size, self.is_exact::<BufferedRandom>(), true, true)
    }
}
