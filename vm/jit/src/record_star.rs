//! Recording of calls with argument tuples and dictionaries, `f(*args, **kwargs)`, and of what makes those.
//!
//! Where the length of the tuple (or list) is what it was and the dictionary is empty, as in most functions that pass on what they
//! were given, the call is one with so many arguments. Others call what they would call with the tuple and the dictionary.

use crate::builtins::{Array, Callee, identify};
use crate::descs::*;
use crate::helpers as h;
use crate::inline::bind_args;
use crate::record::*;
use lh_abi::*;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;

type Ob = *mut PyObject;

/// So many arguments are taken out of a tuple.
const MOST: isize = 8;

impl Recorder {
    /// CALL_FUNCTION_EX; false if the interpreter's way has to be gone.
    pub(crate) unsafe fn call_star(&mut self, arg: u32, next: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let named = (arg & 1) as i32;
            let base = self.sp - 3 - named;
            let (callee, args) = (self.actual(base + 1), self.actual(base + 2));
            let kwargs = if named == 0 { std::ptr::null_mut() } else { self.actual(base + 3) };
            if !kwargs.is_null() && !exact::<Dict>(kwargs) {
                return Ok(false);
            }
            let none = kwargs.is_null() || Object::from_ptr(kwargs).downcast_unchecked::<Dict>().len() == 0;
            if none
                && self.few(args)
                && (self.star_function(base, named, next)? || self.star_native(base, named)?)
            {
                return Ok(true);
            }
            // A function of Python gets a frame from the interpreter, which the recording doesn't follow.
            if lh_interp::ops::is_python_call(callee) || !exact::<Tuple>(args) {
                return Ok(false);
            }
            let t = self.get(base + 2)?;
            self.b().guard_type(t, Tuple::type_ptr() as u64, true)?;
            let d = if named == 0 {
                self.b().null()
            } else {
                let d = self.get(base + 3)?;
                self.b().guard_type(d, Dict::type_ptr() as u64, true)?;
                d
            };
            let f = self.get(base + 1)?;
            // What would be a function of Python another time has to be called where frames can be seen.
            if !self.guard_class(f, callee)? {
                return Ok(false);
            }
            let r = self.call_ref(h::CALL_EX, &[f, t, d])?;
            self.answered(base, r)
        }
    }
    /// Is it a tuple or a list of few items?
    unsafe fn few(&self, args: Ob) -> bool {
        // SAFETY: a live object.
        unsafe {
            (exact::<Tuple>(args) || exact::<List>(args)) && (*args.cast::<PyVarObject>()).ob_size <= MOST
        }
    }
    /// The items of the tuple or list in slot `at`, guarded to be so many, borrowed; the dictionary behind it, if any, is guarded to be empty.
    unsafe fn unpacked(&mut self, at: i32, named: i32) -> Rec<Vec<(R, Ob)>> {
        // SAFETY: live operands of few items.
        unsafe {
            if named != 0 {
                let d = self.get(at + 1)?;
                self.empty(d)?;
            }
            let a = self.actual(at);
            let n = (*a.cast::<PyVarObject>()).ob_size as usize;
            let v = self.get(at)?;
            let (field, array) =
                if exact::<Tuple>(a) { (TUPLE_SIZE, TUPLE_ITEM) } else { (LIST_SIZE, LIST_ITEM) };
            self.b().guard_type(v, (*a).ob_type as u64, true)?;
            let len = self.b().fload(v, field)?;
            let want = self.b().int(n as i64);
            self.b().guard_value(len, want)?;
            let (items, actuals) = if exact::<Tuple>(a) {
                (v, Object::from_ptr(a).downcast_unchecked::<Tuple>().as_slice_raw().to_vec())
            } else if n == 0 {
                (v, vec![])
            } else {
                let items = (*a.cast::<PyListObject>()).ob_item;
                (self.b().fload(v, LIST_ITEMS)?, (0..n).map(|i| *items.add(i)).collect())
            };
            let mut all = vec![];
            for (i, a) in actuals.into_iter().enumerate() {
                let k = self.b().int(i as i64);
                all.push((self.b().aload(items, array, k)?, a));
            }
            Ok(all)
        }
    }
    /// Guards that a dictionary has nothing in it.
    unsafe fn empty(&mut self, d: R) -> Rec {
        self.b().guard_type(d, Dict::type_ptr() as u64, true)?;
        let used = self.b().fload(d, DICT_USED)?;
        let zero = self.b().int(0);
        Ok(self.b().guard_value(used, zero)?)
    }

    /// The call of a Python function that can be followed.
    unsafe fn star_function(&mut self, base: i32, named: i32, next: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let n = (*self.actual(base + 2).cast::<PyVarObject>()).ob_size as i32;
            let Some((func, order)) = bind_args(self.actual(base + 1), n, std::ptr::null_mut()) else {
                return Ok(false);
            };
            if !self.inlinable((*func).func_code.cast()) {
                return Ok(false);
            }
            let f = self.get(base + 1)?;
            self.guard_function(f, func)?;
            let order = self.keyword_defaults(func, order)?;
            let mut args = vec![];
            for (x, _) in self.unpacked(base + 2, named)? {
                self.b().own(x)?;
                args.push(x);
            }
            if named != 0 {
                let d = self.pop(base + 3)?;
                self.drop_shell(d)?;
            }
            let t = self.pop(base + 2)?;
            let fv = self.pop(base + 1)?;
            let null = self.pop(base)?;
            self.b().drop_ref(null, ops::DROP_MAYBE_NULL)?;
            if self.held(t) {
                self.b().drop_ref(t, ops::DROP_NOT_LAST)?;
            } else {
                self.drop_shell(t)?;
            }
            self.enter_function(func, fv, &args, &order, base, 0, next)?;
            Ok(true)
        }
    }
    /// Gives back a container that is empty, or whose items all have other references.
    unsafe fn drop_shell(&mut self, v: R) -> Rec {
        if self.b().is_virtual(v) {
            self.b().drop_ref(v, 0)?;
        } else {
            self.b().call(h::DROP_SHELL, &[v], false)?;
        }
        Ok(())
    }

    /// The call of a C function or of a class from C.
    unsafe fn star_native(&mut self, base: i32, named: i32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let at = base + 1;
            let callee = self.actual(at);
            let Some(what) = identify(callee) else { return Ok(false) };
            if let Callee::Function(m, name, _) = &what
                && m == "sys"
                && matches!(name.to_bytes(), b"settrace" | b"setprofile")
            {
                return Ok(false);
            }
            let tuple = exact::<Tuple>(self.actual(base + 2));
            if let Callee::Function(_, _, def) = &what
                && let Some(f) = (**def).ml_meth
                && (**def).ml_flags & !(METH_COEXIST | METH_CLASS | METH_KEYWORDS) == METH_VARARGS
                && tuple
            {
                // It gets this very tuple.
                let this = self.receiver(callee, *def, at)?;
                if named != 0 {
                    let d = self.get(base + 3)?;
                    self.empty(d)?;
                }
                let t = self.get(base + 2)?;
                self.b().guard_type(t, Tuple::type_ptr() as u64, true)?;
                let null = self.b().null();
                let r = self.call_c3(f as usize, this, t, null)?;
                return self.answered(base, r);
            }
            let args = self.unpacked(base + 2, named)?;
            let t = self.get(base + 2)?;
            // (A list may be changed by what is called.)
            let array = if tuple && !self.b().is_virtual(t) {
                let to_items = self.b().int(std::mem::offset_of!(PyTupleObject, ob_item) as i64);
                Array::At(self.displaced(t, to_items)?)
            } else {
                Array::Loose
            };
            let null = std::ptr::null_mut();
            let r = match what {
                Callee::Function(_, _, def) => self.direct(callee, def, None, at, &args, null, array)?,
                Callee::Method(t, _, def) => self.direct(callee, def, Some(t), at, &args, null, array)?,
                Callee::Class(t) => self.direct_class(t, at, &args, array)?,
            };
            match r {
                Some(r) => self.answered(base, r),
                None => Ok(false),
            }
        }
    }

    /// BUILD_MAP without items.
    pub(crate) fn new_dict(&mut self) -> Rec {
        let d = self.b().new_object(EMPTY_DICT, &[])?;
        let sp = self.sp;
        self.put(sp, d)
    }
    /// DICT_MERGE into the dictionary `n` entries below the mapping.
    pub(crate) unsafe fn dict_merge(&mut self, n: i32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let top = self.sp - 1;
            let a = self.actual(top);
            let v = self.get(top)?;
            let nothing = exact::<Dict>(a) && Object::from_ptr(a).downcast_unchecked::<Dict>().len() == 0;
            if nothing {
                self.empty(v)?;
            } else {
                let (d, callee) = (self.get(top - n)?, self.get(top - n - 2)?);
                self.call_status(h::DICT_MERGE, &[d, v, callee], false)?;
            }
            let v = self.pop(top)?;
            self.release(v, a)
        }
    }
    /// LIST_EXTEND by a list or a tuple; false: by something else.
    pub(crate) unsafe fn list_extend(&mut self, n: i32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let top = self.sp - 1;
            let a = self.actual(top);
            if !exact::<List>(a) && !exact::<Tuple>(a) {
                return Ok(false);
            }
            let (l, v) = (self.get(top - n)?, self.get(top)?);
            self.b().guard_type(v, (*a).ob_type as u64, true)?;
            self.call_status(h::LIST_EXTEND, &[l, v], false)?;
            let v = self.pop(top)?;
            self.release(v, a)?;
            Ok(true)
        }
    }
    /// LIST_TO_TUPLE: the list was made for the call.
    pub(crate) unsafe fn list_to_tuple(&mut self) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let top = self.sp - 1;
            let l = self.get(top)?;
            let t = self.b().call(h::TUPLE_OF_LIST, &[l], false)?;
            let l = self.pop(top)?;
            self.put(top, t)?;
            self.drop_shell(l)
        }
    }
}
