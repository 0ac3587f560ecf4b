//! Callback thunks: C function pointers that end in Rust.
//!
//! A [`Callback`] owns a piece of executable code with the C signature it was made for; calling it (from any thread)
//! invokes its [`CallbackTarget`] with pointers to the arguments and to room for the result. Taking the GIL, converting
//! and swallowing exceptions is the target's business. The code dies with the value: its owner keeps it as long as C may
//! call it, which for ctypes is the user's duty, as documented there.

use std::ffi::c_void;

use libffi::raw::{self, ffi_cif, ffi_closure, ffi_status_FFI_OK};

use crate::ctype::CType;
use crate::ffi::Cif;

pub trait CallbackTarget: Send + Sync {
    /// `args[i]` points to the i-th argument; the result goes to `*ret`, integers in their own width (there is room for 8
    /// bytes, zeroed; aggregates have theirs).
    ///
    /// # Safety
    /// Called by generated code with pointers valid for the types the callback was made with.
    unsafe fn invoke(&self, args: *const *const c_void, ret: *mut c_void);
}

struct Inner {
    cif: Cif,
    target: Box<dyn CallbackTarget>,
    /// Bytes of the result to clear before the target runs; 0 for void.
    clear: usize,
}

pub struct Callback {
    closure: *mut ffi_closure,
    code: *const c_void,
    /// Shared with running invocations through its address; freed after the closure.
    inner: *mut Inner,
}

// SAFETY: the closure and `Inner` are read-only after construction and `CallbackTarget` is Send + Sync.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

unsafe extern "C" fn enter(_cif: *mut ffi_cif, ret: *mut c_void, args: *mut *mut c_void, user: *mut c_void) {
    // SAFETY: `user` is the `Inner` given to libffi, alive as long as the closure; argument vector and result come from
    // libffi for this cif.
    unsafe {
        let inner = &*user.cast::<Inner>();
        let args = args.cast_const().cast::<*const c_void>();
        if inner.cif.has_hidden_result() {
            let place = *(*args).cast::<*mut c_void>();
            ret.cast::<*mut c_void>().write(place);
            place.cast::<u8>().write_bytes(0, inner.clear);
            inner.target.invoke(args.add(1), place);
        } else {
            ret.cast::<u8>().write_bytes(0, inner.clear);
            inner.target.invoke(args, ret);
        }
    }
}

impl Callback {
    /// `None` when libffi can't serve the signature or has no memory for the thunk.
    pub fn new(args: &[&CType], ret: Option<&CType>, target: Box<dyn CallbackTarget>) -> Option<Callback> {
        let cif = Cif::new(args, ret, None)?;
        let hidden = cif.has_hidden_result();
        let clear = match ret.map_or(0, |t| t.size) {
            0 => 0,
            n if hidden => n,
            n => n.max(8),
        };
        let raw_cif = cif.raw();
        let inner = Box::into_raw(Box::new(Inner { cif, target, clear }));
        let mut code = std::ptr::null_mut();
        // SAFETY: the closure is allocated by libffi with its own size; the cif lives in `inner`, as long as the closure.
        unsafe {
            let closure = raw::ffi_closure_alloc(size_of::<ffi_closure>(), &mut code).cast::<ffi_closure>();
            if closure.is_null() {
                drop(Box::from_raw(inner));
                return None;
            }
            if raw::ffi_prep_closure_loc(closure, raw_cif, Some(enter), inner.cast(), code)
                != ffi_status_FFI_OK
            {
                raw::ffi_closure_free(closure.cast());
                drop(Box::from_raw(inner));
                return None;
            }
            Some(Callback { closure, code, inner })
        }
    }

    /// The C function pointer.
    pub fn address(&self) -> *const c_void {
        self.code
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: made by `new`; whoever drops the callback vouches that C will not call it any more.
        unsafe {
            raw::ffi_closure_free(self.closure.cast());
            drop(Box::from_raw(self.inner));
        }
    }
}
