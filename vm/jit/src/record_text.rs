//! Recording of what built-in values do without running anybody's code: characters, slices, keys.

use crate::descs::*;
use crate::helpers as h;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::codeobject::quick;
use lh_runtime::prelude::*;

/// A sequence whose slices are made by code of its own type only.
pub(crate) unsafe fn sliceable(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { exact::<Str>(o) || exact::<Bytes>(o) || exact::<List>(o) || exact::<Tuple>(o) }
}

impl Recorder {
    /// Is this a value whose type alone says that comparing and hashing it runs no code?
    pub(crate) fn quiet_key(&self, o: *mut PyObject) -> bool {
        // SAFETY: a live operand.
        unsafe { exact::<Int>(o) || exact::<Str>(o) || exact::<Tuple>(o) || Object::from_ptr(o).is_none() }
    }
    /// Guards the type of such a value; false if it is none. (Of tuples the helpers ask the items.)
    pub(crate) unsafe fn guard_plain(&mut self, v: R, actual: *mut PyObject) -> Rec<bool> {
        // SAFETY: a live operand.
        unsafe {
            if !self.quiet_key(actual) {
                return Ok(false);
            }
            if Object::from_ptr(actual).is_none() {
                let none = self.b().object(actual as u64);
                self.b().guard_value(v, none)?;
            } else {
                self.b().guard_type(v, (*actual).ob_type as u64, true)?;
            }
            Ok(true)
        }
    }

    /// The helper that looks for `a` in the dict, list or tuple `b` without running code; types are guarded.
    pub(crate) unsafe fn quiet_search(
        &mut self,
        a: R,
        aa: *mut PyObject,
        b: R,
        ba: *mut PyObject,
    ) -> Rec<Option<u32>> {
        // SAFETY: live operands.
        unsafe {
            let dict = exact::<Dict>(ba);
            let small_items = |o: *mut PyObject| {
                let n = (*o.cast::<PyVarObject>()).ob_size;
                // A long list is looked through by the list itself, which is faster at it.
                n <= 16
            };
            if !(dict || (exact::<Tuple>(ba) || exact::<List>(ba)) && small_items(ba))
                || !self.guard_plain(a, aa)?
            {
                return Ok(None);
            }
            self.b().guard_type(b, (*ba).ob_type as u64, true)?;
            Ok(Some(if dict { h::DICT_HAS_KEY } else { h::ITEMS_HAVE }))
        }
    }

    /// A character of a string or a byte of a bytes object.
    pub(crate) unsafe fn text_item(
        &mut self,
        o: R,
        k: R,
        oa: *mut PyObject,
        ka: *mut PyObject,
    ) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let text = exact::<Str>(oa);
            if !(text || exact::<Bytes>(oa)) || !small(ka, 1 << 40) {
                return Ok(None);
            }
            let n = if text {
                Object::from_ptr(oa).downcast_unchecked::<Str>().len() as i64
            } else {
                (*oa.cast::<PyVarObject>()).ob_size as i64
            };
            let i = value(ka);
            if i >= n || i < -n {
                return Ok(None);
            }
            self.b().guard_type(o, (*oa).ob_type as u64, true)?;
            let ix = self.index_in(o, if text { UNICODE_LEN } else { TUPLE_SIZE }, k, i)?;
            if text {
                return Ok(Some(self.b().call(h::STR_ITEM, &[o, ix], false)?));
            }
            let x = self.b().aload(o, BYTES_ITEM, ix)?;
            Ok(Some(self.b().emit(Op::BoxI, &[x])?))
        }
    }

    /// `BUILD_SLICE`: on its way to a subscript it is not made at all.
    pub(crate) unsafe fn build_slice(&mut self, n: i32) -> Rec {
        // SAFETY: live operands; code ends behind a slice never.
        unsafe {
            let sp = self.sp;
            let next = *frame::first_instr(self.code).add(self.pc as usize + 1) as u8;
            let plain = |s: i32| {
                let a = self.actual(s);
                exact::<Int>(a) || Object::from_ptr(a).is_none()
            };
            let pass = quick::BASE[next as usize] == op::BINARY_SUBSCR && (sp - n..sp).all(plain);
            let mut parts = vec![];
            for s in sp - n..sp {
                let v = self.get(s)?;
                if pass {
                    self.guard_plain(v, self.actual(s))?;
                }
            }
            for s in (sp - n..sp).rev() {
                parts.insert(0, self.pop(s)?);
            }
            if n == 2 {
                let none = self.b().object(none_ref().as_ptr() as u64);
                self.b().own(none)?;
                parts.push(none);
            }
            let r = if pass {
                self.b().new_object(SLICE, &parts)?
            } else {
                self.b().call(h::NEW_SLICE, &parts, false)?
            };
            self.put(sp - n, r)
        }
    }

    /// A part of a sequence; the slice is a virtual one.
    pub(crate) unsafe fn slice(&mut self, o: R, k: R, oa: *mut PyObject) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            self.b().guard_type(o, (*oa).ob_type as u64, true)?;
            let start = self.b().fload(k, SLICE_START)?;
            let stop = self.b().fload(k, SLICE_STOP)?;
            let step = self.b().fload(k, SLICE_STEP)?;
            let x = self.b().call(h::SLICE_OF, &[o, start, stop, step], false)?;
            self.b().emit(Op::GNonNull, &[x])?;
            let kv = self.pop(sp - 1)?;
            let ov = self.pop(sp - 2)?;
            self.put(sp - 2, x)?;
            self.release(ov, oa)?;
            // Ints and None.
            self.b().drop_ref(kv, ops::DROP_SILENT)?;
            Ok(())
        }
    }
}
