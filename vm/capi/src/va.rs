//! Reading a C `va_list` on x86-64 System V.
//!
//! ```text
//!   va_list ──> { gp_offset, fp_offset, overflow area, register save area }
//!   integers and pointers: save area at gp_offset (8 bytes each, up to 48), then the overflow area
//!   doubles:               save area at fp_offset (16 bytes each, up to 176), then the overflow area
//! ```
//! Not here: AArch64, whose `va_list` has another shape.

use core::ffi::{c_char, c_void};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct VaList {
    gp_offset: u32,
    fp_offset: u32,
    overflow: *mut u8,
    save: *mut u8,
}

impl VaList {
    /// A copy of what `va_start` has just written, field by field: one wide load of narrower stores would have to wait for them.
    #[inline(always)]
    pub fn copied(&self) -> VaList {
        // SAFETY: fields of a live list.
        unsafe {
            VaList {
                gp_offset: (&raw const self.gp_offset).read_volatile(),
                fp_offset: (&raw const self.fp_offset).read_volatile(),
                overflow: (&raw const self.overflow).read_volatile(),
                save: (&raw const self.save).read_volatile(),
            }
        }
    }
    /// The next integer or pointer argument.
    ///
    /// # Safety
    /// The caller passed one.
    #[inline]
    pub unsafe fn word(&mut self) -> u64 {
        // SAFETY: the areas are laid out as drawn above.
        unsafe {
            if self.gp_offset < 48 {
                let v = *self.save.add(self.gp_offset as usize).cast::<u64>();
                self.gp_offset += 8;
                return v;
            }
            let v = *self.overflow.cast::<u64>();
            self.overflow = self.overflow.add(8);
            v
        }
    }
    /// # Safety
    /// As `word`.
    #[inline]
    pub unsafe fn ptr<T>(&mut self) -> *mut T {
        // SAFETY: the caller's promise.
        unsafe { self.word() as *mut T }
    }
    /// # Safety
    /// As `word`.
    #[inline]
    pub unsafe fn int(&mut self) -> i32 {
        // SAFETY: the caller's promise.
        unsafe { self.word() as i32 }
    }
    /// The next `double` argument.
    ///
    /// # Safety
    /// The caller passed one.
    #[inline]
    pub unsafe fn double(&mut self) -> f64 {
        // SAFETY: the areas are laid out as drawn above.
        unsafe {
            if self.fp_offset < 176 {
                let v = *self.save.add(self.fp_offset as usize).cast::<f64>();
                self.fp_offset += 16;
                return v;
            }
            let v = *self.overflow.cast::<f64>();
            self.overflow = self.overflow.add(8);
            v
        }
    }
    /// A C string argument's bytes, at most `max`.
    ///
    /// # Safety
    /// The caller passed a C string, or `max` readable bytes.
    pub unsafe fn bytes<'a>(p: *const c_char, max: Option<usize>) -> &'a [u8] {
        // SAFETY: the caller's promise.
        unsafe {
            let n = match max {
                Some(m) => libc::strnlen(p, m),
                None => libc::strlen(p),
            };
            std::slice::from_raw_parts(p.cast(), n)
        }
    }
    pub fn raw(&mut self) -> *mut c_void {
        (self as *mut VaList).cast()
    }
}
