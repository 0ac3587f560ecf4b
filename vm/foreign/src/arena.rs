//! Executable memory: an arena for call stubs and callback thunks, another for the JIT's traces.
//!
//! An arena's address range is reserved once (64 MiB, so that everything in it reaches everything with a 32-bit displacement)
//! and handed out in whole pages. A piece is written while its pages are writable and private to its maker, then turns
//! executable exactly once and is never patched: another thread may at any time be about to return into old code, so
//! pages with live code never lose their execute right. Freed pages become inaccessible until they are used again; the
//! caller vouches that nobody runs or will return into them.
//!
//! ```text
//!   reserved  --alloc-->  writable  --seal-->  executable  --free-->  reserved
//! ```

use std::ffi::c_void;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

pub use crate::unwind::TRACE_ROOM;
use crate::unwind::{STUB_FRAME, Shape, TRACE_FRAME};

pub const ARENA_SIZE: usize = 64 << 20;
const PAGE: usize = 4096;
/// Where the arena of traces begins; 0: there is none yet.
static TRACES: AtomicUsize = AtomicUsize::new(0);

struct State {
    base: usize,
    /// First page never handed out.
    top: usize,
    /// Freed runs (address, bytes), sorted by address, neighbours merged.
    free: Vec<(usize, usize)>,
}

/// Executable memory for code whose frames are all of one shape.
pub struct Arena {
    state: Mutex<State>,
}

/// Pages that are still writable. Dropping it unsealed gives the pages back.
pub struct Writable {
    arena: &'static Arena,
    addr: usize,
    len: usize,
}

/// Sealed code. Not freed on drop: code outlives handles to it unless someone who knows better calls [`Arena::free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    addr: usize,
    len: usize,
}

impl Arena {
    /// The arena of call stubs and thunks; an error if the address space could not be reserved.
    pub fn get() -> io::Result<&'static Arena> {
        static ARENA: OnceLock<Option<Arena>> = OnceLock::new();
        ARENA
            .get_or_init(|| Arena::reserve(STUB_FRAME))
            .as_ref()
            .ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    /// The arena of the JIT's traces.
    pub fn traces() -> io::Result<&'static Arena> {
        static ARENA: OnceLock<Option<Arena>> = OnceLock::new();
        ARENA
            .get_or_init(|| {
                let a = Arena::reserve(TRACE_FRAME)?;
                TRACES.store(a.state.lock().ok()?.base, Ordering::Relaxed);
                Some(a)
            })
            .as_ref()
            .ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    /// Is the address one of the arena of traces?
    pub fn is_trace(at: usize) -> bool {
        let base = TRACES.load(Ordering::Relaxed);
        base != 0 && (base..base + ARENA_SIZE).contains(&at)
    }

    fn reserve(shape: Shape) -> Option<Arena> {
        // SAFETY: a fresh private mapping without access rights touches no existing memory.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                ARENA_SIZE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return None;
        }
        let base = base as usize;
        crate::unwind::register(base, ARENA_SIZE, shape);
        Some(Arena { state: Mutex::new(State { base, top: base, free: Vec::new() }) })
    }

    /// Pages for at least `len` bytes, writable. `OutOfMemory` when the arena is full (the JIT then flushes).
    pub fn alloc(&'static self, len: usize) -> io::Result<Writable> {
        let len = len.max(1).div_ceil(PAGE) * PAGE;
        let mut s = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let addr = if let Some(i) = s.free.iter().position(|(_, n)| *n >= len) {
            let (addr, n) = s.free[i];
            if n == len {
                s.free.remove(i);
            } else {
                s.free[i] = (addr + len, n - len);
            }
            addr
        } else {
            if s.top + len > s.base + ARENA_SIZE {
                return Err(io::Error::from(io::ErrorKind::OutOfMemory));
            }
            s.top += len;
            s.top - len
        };
        drop(s);
        let w = Writable { arena: self, addr, len };
        protect(addr, len, libc::PROT_READ | libc::PROT_WRITE)?;
        Ok(w)
    }

    /// Allocates, copies and seals code that does not depend on its address.
    pub fn install(&'static self, bytes: &[u8]) -> io::Result<Code> {
        let mut w = self.alloc(bytes.len())?;
        w.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        w.seal()
    }

    /// Gives sealed pages back.
    ///
    /// # Safety
    /// No thread is executing this code or will return into it, and nobody keeps its address to call it.
    pub unsafe fn free(&'static self, code: Code) {
        self.give_back(code.addr, code.len);
    }

    fn give_back(&self, addr: usize, len: usize) {
        // SAFETY: the pages are ours and unused; mapping over them drops their contents.
        unsafe {
            libc::mmap(
                addr as *mut c_void,
                len,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED,
                -1,
                0,
            );
        }
        let mut s = self.state.lock().unwrap_or_else(|e| e.into_inner());
        let at = s.free.partition_point(|(a, _)| *a < addr);
        s.free.insert(at, (addr, len));
        if at + 1 < s.free.len() && addr + len == s.free[at + 1].0 {
            s.free[at].1 += s.free.remove(at + 1).1;
        }
        if at > 0 && s.free[at - 1].0 + s.free[at - 1].1 == addr {
            s.free[at - 1].1 += s.free.remove(at).1;
        }
    }

    /// Whether `addr` lies in generated code.
    pub fn contains(&self, addr: usize) -> bool {
        let s = self.state.lock().unwrap_or_else(|e| e.into_inner());
        (s.base..s.top).contains(&addr)
    }
}

impl Writable {
    /// Where the code will run: assemble for this address.
    pub fn addr(&self) -> usize {
        self.addr
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the pages are mapped writable and owned by `self` alone.
        unsafe { std::slice::from_raw_parts_mut(self.addr as *mut u8, self.len) }
    }

    /// writable -> executable, once.
    pub fn seal(self) -> io::Result<Code> {
        protect(self.addr, self.len, libc::PROT_READ | libc::PROT_EXEC)?;
        #[cfg(target_arch = "aarch64")]
        flush_instruction_cache(self.addr, self.len);
        let code = Code { addr: self.addr, len: self.len };
        std::mem::forget(self);
        Ok(code)
    }
}

impl Drop for Writable {
    fn drop(&mut self) {
        self.arena.give_back(self.addr, self.len);
    }
}

impl Code {
    pub fn addr(self) -> *const c_void {
        self.addr as *const c_void
    }

    pub fn len(self) -> usize {
        self.len
    }
}

fn protect(addr: usize, len: usize, prot: libc::c_int) -> io::Result<()> {
    // SAFETY: the range consists of whole pages of the arena that the caller owns.
    if unsafe { libc::mprotect(addr as *mut c_void, len, prot) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(target_arch = "aarch64")]
fn flush_instruction_cache(addr: usize, len: usize) {
    unsafe extern "C" {
        fn __clear_cache(begin: *mut c_void, end: *mut c_void);
    }
    // SAFETY: the range was just written by us.
    unsafe { __clear_cache(addr as *mut c_void, (addr + len) as *mut c_void) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_runs_and_pages_are_reused() {
        let arena = Arena::get().unwrap();
        // mov eax, imm32; ret
        let make = |n: u32| {
            let mut b = vec![0xb8];
            b.extend(n.to_le_bytes());
            b.push(0xc3);
            b
        };
        let a = arena.install(&make(42)).unwrap();
        let b = arena.install(&make(7)).unwrap();
        // SAFETY: both pieces are complete functions without arguments.
        unsafe {
            let f: extern "C" fn() -> u32 = std::mem::transmute(a.addr());
            let g: extern "C" fn() -> u32 = std::mem::transmute(b.addr());
            assert_eq!((f(), g()), (42, 7));
            arena.free(a);
            assert_eq!(g(), 7);
            arena.free(b);
        }
        assert!(arena.alloc(ARENA_SIZE + 1).is_err());
        let w = arena.alloc(3 * PAGE).unwrap();
        assert!(arena.contains(w.addr()));
    }
}
