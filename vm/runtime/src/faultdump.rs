//! Tracebacks written straight to a file descriptor, for reports of a process that cannot be trusted any more.
//!
//! Everything here may run inside a signal handler: no allocation, no locks that are waited for, no Python code. Other threads'
//! frames are read while they may be changing, so what is said of them is a best effort, as with CPython.

use crate::prelude::*;
use crate::thread;
use lh_abi::*;
use std::ffi::{CStr, c_int};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Calls a function with code and line of each frame of a thread, innermost first.
pub type Frames = unsafe fn(*mut PyThreadState, &mut dyn FnMut(*mut PyCodeObject, Option<i32>) -> bool);
/// Installed by the interpreter.
pub static FRAMES: OnceLock<Frames> = OnceLock::new();
/// A fatal error has been reported: a fault handler has nothing to add.
pub static REPORTED: AtomicBool = AtomicBool::new(false);

/// So many frames and threads, and characters of a name, are shown at most (CPython's figures).
const MAX_FRAMES: usize = 100;
const MAX_THREADS: usize = 100;
const MAX_TEXT: usize = 500;

/// Bytes on their way to a descriptor.
pub struct Out {
    fd: c_int,
    len: usize,
    buf: [u8; 512],
}
impl Out {
    pub fn new(fd: c_int) -> Out {
        Out { fd, len: 0, buf: [0; 512] }
    }
    pub fn flush(&mut self) {
        let mut done = 0;
        while done < self.len {
            // SAFETY: the filled part of the buffer.
            let n = unsafe { libc::write(self.fd, self.buf[done..].as_ptr().cast(), self.len - done) };
            match n {
                1.. => done += n as usize,
                // SAFETY: errno of this thread.
                _ if n < 0 && unsafe { *libc::__errno_location() } == libc::EINTR => {}
                _ => break,
            }
        }
        self.len = 0;
    }
    pub fn byte(&mut self, b: u8) {
        if self.len == self.buf.len() {
            self.flush();
        }
        self.buf[self.len] = b;
        self.len += 1;
    }
    pub fn text(&mut self, s: &[u8]) {
        s.iter().for_each(|b| self.byte(*b));
    }
    pub fn decimal(&mut self, n: u64) {
        let (mut digits, mut i, mut n) = ([0u8; 20], 20, n);
        loop {
            i -= 1;
            digits[i] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.text(&digits[i..]);
    }
    pub fn hex(&mut self, n: u64, width: u32) {
        for i in (0..width).rev() {
            self.byte(b"0123456789abcdef"[(n >> (i * 4) & 15) as usize]);
        }
    }
    /// A string's characters, those that are not printable ASCII escaped.
    fn string(&mut self, s: *mut PyObject) {
        // SAFETY: a code object's names live as long as it does.
        let Some(s) = (unsafe { Object::from_ptr_opt(s) }).and_then(|s| s.downcast::<Str>()) else {
            return self.text(b"???");
        };
        let n = s.len();
        for i in 0..n.min(MAX_TEXT) {
            match s.char_at(i) {
                c @ 32..=126 => self.byte(c as u8),
                c if c <= 0xff => {
                    self.text(b"\\x");
                    self.hex(c as u64, 2);
                }
                c if c <= 0xffff => {
                    self.text(b"\\u");
                    self.hex(c as u64, 4);
                }
                c => {
                    self.text(b"\\U");
                    self.hex(c as u64, 8);
                }
            }
        }
        if n > MAX_TEXT {
            self.text(b"...");
        }
    }
}
impl Drop for Out {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The frames of a thread.
unsafe fn frames(out: &mut Out, ts: *mut PyThreadState) {
    let mut shown = 0;
    let mut each = |code: *mut PyCodeObject, line: Option<i32>| {
        if shown == MAX_FRAMES {
            out.text(b"  ...\n");
            return false;
        }
        shown += 1;
        out.text(b"  File \"");
        // SAFETY: a frame owns its code.
        unsafe { out.string((*code).co_filename) };
        out.text(b"\", line ");
        match line {
            Some(l) => out.decimal(l.max(0) as u64),
            None => out.text(b"???"),
        }
        out.text(b" in ");
        // SAFETY: as above.
        unsafe { out.string((*code).co_name) };
        out.byte(b'\n');
        true
    };
    match FRAMES.get() {
        // SAFETY: a thread state that has not been freed.
        Some(f) if !ts.is_null() => unsafe { f(ts, &mut each) },
        _ => {}
    }
    if shown == 0 {
        out.text(b"  <no Python frame>\n");
    }
}

/// The traceback of one thread.
///
/// # Safety
/// A live thread state, or null.
pub unsafe fn dump_stack(fd: c_int, ts: *mut PyThreadState) {
    let mut out = Out::new(fd);
    out.text(b"Stack (most recent call first):\n");
    // SAFETY: the caller's promise.
    unsafe { frames(&mut out, ts) }
}

/// The tracebacks of all threads, the newest first; `current` is named as the one that runs.
///
/// # Safety
/// `current` is a live thread state, or null.
pub unsafe fn dump_threads(fd: c_int, current: *mut PyThreadState) {
    let mut out = Out::new(fd);
    let mut shown = 0;
    let mut each = |ts: *mut PyThreadState| {
        if shown > MAX_THREADS {
            return;
        }
        if shown > 0 {
            out.byte(b'\n');
        }
        shown += 1;
        if shown > MAX_THREADS {
            return out.text(b"...\n");
        }
        out.text(if ts == current { b"Current thread 0x" } else { b"Thread 0x" });
        // SAFETY: a live thread state.
        unsafe {
            out.hex((*ts).thread_id, 16);
            out.text(b" (most recent call first):\n");
            if ts == current && crate::gc::is_collecting() {
                out.text(b"  Garbage-collecting\n");
            }
            frames(&mut out, ts);
        }
    };
    if !thread::for_each_unlocked(&mut each) && !current.is_null() {
        each(current);
    }
}

/// The extension modules that have been imported and are not of the standard library.
pub fn dump_extension_modules(fd: c_int) {
    // SAFETY: these dictionaries live as long as the interpreter; strings are compared without running code.
    unsafe {
        let sys = crate::sysobject::sys_dict();
        let known = sys.get_item(intern!("stdlib_module_names")).ok().flatten();
        let modules = crate::sysobject::modules_dict().table();
        let mut out = Out::new(fd);
        let mut shown = 0;
        for i in 0..(*modules).nentries {
            let e = (*modules).entries.add(i);
            let (Some(name), Some(m)) = (Object::from_ptr_opt((*e).key), Object::from_ptr_opt((*e).value))
            else {
                continue;
            };
            let Some(m) = m.downcast::<Module>() else { continue };
            let def = (*m.as_struct()).md_def.cast::<PyModuleDef>();
            if def.is_null() || (*def).m_methods.is_null() || !name.is_exact::<Str>() {
                continue;
            }
            let standard = known.as_deref().filter(|k| k.is_exact::<FrozenSet>()).is_some_and(|k| {
                k.contains_item(name).unwrap_or_else(|e| {
                    e.clear();
                    false
                })
            });
            if standard {
                continue;
            }
            out.text(if shown == 0 { b"\nExtension modules: " } else { b", " });
            out.string(name.as_ptr());
            shown += 1;
        }
        if shown > 0 {
            out.text(b" (total: ");
            out.decimal(shown);
            out.text(b")\n");
        }
    }
}

/// Reports a fatal error with all tracebacks and ends the process.
pub fn fatal(function: Option<&CStr>, message: &[u8]) -> ! {
    {
        let mut out = Out::new(2);
        out.text(b"Fatal Python error: ");
        if let Some(f) = function {
            out.text(f.to_bytes());
            out.text(b": ");
        }
        out.text(message);
        out.text(b"\nPython runtime state: ");
        let state: &[u8] = if thread::is_finalizing() {
            b"finalizing"
        } else if FRAMES.get().is_some() {
            b"initialized"
        } else {
            b"preinitialized"
        };
        out.text(state);
        out.text(b"\n\n");
    }
    let first = !REPORTED.swap(true, Ordering::SeqCst);
    if first {
        // SAFETY: this thread's own state.
        unsafe { dump_threads(2, thread::mine()) };
        if FRAMES.get().is_some() {
            dump_extension_modules(2);
        }
    }
    std::process::abort()
}
