//! `_PyRuntime`: the variable that CPython's own extension modules look into at fixed offsets.
//!
//! ```text
//!      576  gilstate.tstate_current     the GIL's word: thread state of its holder
//!      680  small_ints[262]             the integers -5..=256
//!    58936  main interpreter            opaque; its address stands for the interpreter
//!   166688  end
//! ```
//! The first two are the real places of these things, not copies. Everything else is zero.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use lh_abi::*;
use std::sync::atomic::AtomicPtr;

/// Number of cached integers.
pub const N_SMALL_INTS: usize = 262;

#[repr(C, align(16))]
pub struct PyRuntime {
    head: [u8; 576],
    pub tstate_current: AtomicPtr<PyThreadState>,
    to_ints: [u8; 96],
    pub small_ints: UnsafeCell<[PyLongObject; N_SMALL_INTS]>,
    to_interpreter: UnsafeCell<[u8; 49872]>,
    main_interpreter: UnsafeCell<[u8; 107752]>,
}
const _: () = {
    assert!(core::mem::offset_of!(PyRuntime, tstate_current) == 576);
    assert!(core::mem::offset_of!(PyRuntime, small_ints) == 680);
    assert!(core::mem::offset_of!(PyRuntime, main_interpreter) == 58936);
    assert!(size_of::<PyRuntime>() == 166688);
};
// SAFETY: objects in it are only touched with the GIL held; the GIL's word is atomic.
unsafe impl Sync for PyRuntime {}

#[unsafe(no_mangle)]
pub static _PyRuntime: PyRuntime = PyRuntime {
    head: [0; 576],
    tstate_current: AtomicPtr::new(core::ptr::null_mut()),
    to_ints: [0; 96],
    small_ints: UnsafeCell::new(crate::intobject::small_ints()),
    to_interpreter: UnsafeCell::new([0; 49872]),
    main_interpreter: UnsafeCell::new([0; 107752]),
};

/// `PyInterpreterState *` of the only interpreter.
pub fn interpreter() -> *mut c_void {
    _PyRuntime.main_interpreter.get().cast()
}
