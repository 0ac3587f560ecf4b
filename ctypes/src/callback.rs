//! C functions that call Python: what stands behind `CFUNCTYPE(...)(callable)`.

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;

use lh_abi::{PY_VECTORCALL_ARGUMENTS_OFFSET, PyObject};
use lh_foreign::callback::{Callback, CallbackTarget};
use lh_foreign::ctype::CType;
use lh_runtime::prelude::*;
use lh_runtime::thread;

use crate::cdata::*;
use crate::convert::Scalar;
use crate::info::*;

/// The object that owns the code of a callback. The function instance keeps it, and so does whatever structure the
/// function pointer is copied into.
#[pyclass(name = "CThunkObject", module = "_ctypes", no_new)]
pub struct Thunk {
    callable: Slot,
    argtypes: Slot<Tuple>,
    #[notrace]
    code: RefCell<Option<Callback>>,
}

#[pymethods]
impl Thunk {}

/// What the code knows. It only borrows the thunk object that owns it; callable and types are looked up there, with the
/// GIL held, so that the cycle collector sees all references.
struct Target {
    owner: *mut PyObject,
    /// Per parameter how it becomes a Python value; `None`: an instance of its class.
    plan: Box<[Option<Scalar>]>,
    restype: Option<Scalar>,
    flags: i32,
}

// SAFETY: every use of the owner takes the GIL first.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl CallbackTarget for Target {
    unsafe fn invoke(&self, args: *const *const c_void, ret: *mut c_void) {
        // The callback may delete its own function object, and this with it: nothing of `self` is used after `run`.
        let use_errno = self.flags & FUNC_USE_ERRNO != 0;
        if use_errno {
            lh_foreign::errno::swap();
        }
        let had = thread::ensure();
        // SAFETY: generated code passes values of the types the thunk was made with; the GIL is held.
        unsafe { self.run(args, ret.cast()) };
        thread::ensure_end(had);
        if use_errno {
            lh_foreign::errno::swap();
        }
    }
}

impl Target {
    unsafe fn run(&self, args: *const *const c_void, ret: *mut u8) {
        // SAFETY: C may call the thunk only while its owner lives; the new reference keeps it so during the call.
        let owner = unsafe { Object::from_ptr(self.owner).downcast_unchecked::<Thunk>() }.own();
        let (Some(callable), Some(argtypes)) = (owner.callable.get(), owner.argtypes.get()) else {
            return;
        };
        let _r = match thread::enter_recursive(" in a ctypes callback") {
            Ok(r) => r,
            Err(_raised) => {
                lh_runtime::errors::write_unraisable(
                    Some(&callable),
                    Some("Exception ignored on calling ctypes callback function"),
                );
                return;
            }
        };
        // One place in front for the callee's use (vectorcall), then the arguments.
        const INLINE: usize = 8;
        let n = self.plan.len();
        let mut few: [Option<Owned<Object>>; INLINE + 1] = [const { None }; INLINE + 1];
        let mut many: Vec<Option<Owned<Object>>>;
        let room = if n <= INLINE {
            &mut few[..]
        } else {
            many = (0..=n).map(|_| None).collect();
            &mut many[..]
        };
        let made = self.plan.iter().enumerate().try_for_each(|(i, scalar)| {
            // SAFETY: one value per declared parameter, of its type.
            let o = unsafe {
                let p = (*args.add(i)).cast_mut().cast::<u8>();
                match scalar {
                    Some(s) => s.get(p, None)?,
                    None => argument(argtypes.item_ref(i), p)?,
                }
            };
            room[i + 1] = Some(o);
            Ok(())
        });
        let result = made.and_then(|()| {
            // SAFETY: an `Option<Owned>` is one pointer; the arguments are live, the place before them is ours.
            unsafe {
                let args = room.as_mut_ptr().cast::<*mut PyObject>().add(1);
                from_c::<Object>(callable.vectorcall(
                    args,
                    n | PY_VECTORCALL_ARGUMENTS_OFFSET,
                    std::ptr::null_mut(),
                ))
            }
        });
        let value = match result {
            Ok(v) => v,
            Err(_raised) => {
                let text = "Exception ignored on calling ctypes callback function";
                return lh_runtime::errors::write_unraisable(Some(&callable), Some(text));
            }
        };
        let Some(s) = self.restype else { return };
        // SAFETY: there is room for the result, which is a simple type.
        match unsafe { s.set(ret, &value, None) } {
            Err(_raised) => {
                let text = "Exception ignored on converting result of ctypes callback function";
                lh_runtime::errors::write_unraisable(Some(&callable), Some(text));
            }
            Ok(Some(keep)) if s.code == b'O' => {
                // C receives a reference.
                let _ = keep.into_raw();
            }
            Ok(Some(keep)) if !keep.is_none() => {
                // C holds a pointer into an object nobody else keeps: keep it for ever and say so.
                let _ = keep.into_raw();
                if let Err(_raised) = warn_leak() {
                    lh_runtime::errors::write_unraisable(Some(&callable), None);
                }
            }
            Ok(_) => {}
        }
    }
}

fn warn_leak() -> PyResult<()> {
    let warn = lh_runtime::hooks::import_module("warnings")?.get_attr(intern!("warn"))?;
    warn.call(&[&Str::new("memory leak in callback function."), exc::RuntimeWarning()]).map(|_| ())
}

/// An argument that stays an instance: one with a copy of the value.
unsafe fn argument(cls: &Object, p: *mut u8) -> PyResult {
    match cls.downcast::<Type>() {
        // SAFETY: `p` points to a value of the class's type.
        Some(t) => Ok(unsafe { from_base(t, None, 0, p)? }.into_object()),
        None => raise!(TypeError, "cannot build parameter"),
    }
}

impl Thunk {
    /// `restype` `None` is void.
    pub fn make(
        callable: &Object,
        argtypes: &Tuple,
        restype: Option<&Object>,
        flags: i32,
    ) -> PyResult<Owned<Thunk>> {
        let mut types: Vec<Arc<CType>> = Vec::with_capacity(argtypes.len());
        let mut plan = Vec::with_capacity(argtypes.len());
        for t in argtypes.iter() {
            match info_of(t) {
                Some(i) => {
                    types.push(i.ctype());
                    plan.push(i.value);
                }
                None => return raise!(TypeError, "cannot build parameter"),
            }
        }
        let (scalar, ret) = match restype {
            None => (None, None),
            Some(r) => match info_of(r).and_then(|i| i.scalar.map(|s| (s, i.ctype()))) {
                Some((s, c)) => (Some(s), Some(c)),
                None => return raise!(TypeError, "invalid result type for callback function"),
            },
        };
        let thunk = Thunk {
            callable: Slot::of(callable.own()),
            argtypes: Slot::of(argtypes.own()),
            code: RefCell::new(None),
        }
        .build();
        let target = Target { owner: thunk.as_object().as_ptr(), plan: plan.into(), restype: scalar, flags };
        let refs: Vec<&CType> = types.iter().map(|t| &**t).collect();
        match Callback::new(&refs, ret.as_deref(), Box::new(target)) {
            Some(code) => *thunk.code.borrow_mut() = Some(code),
            None => return raise!(RuntimeError, "ffi_prep_cif failed"),
        }
        Ok(thunk)
    }

    pub fn address(&self) -> *const c_void {
        self.code.borrow().as_ref().map_or(std::ptr::null(), Callback::address)
    }
}
