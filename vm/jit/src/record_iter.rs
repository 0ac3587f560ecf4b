//! Recording of iteration and unpacking.

use crate::descs::*;
use crate::helpers as h;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;

impl Recorder {
    pub(crate) unsafe fn for_iter(&mut self, arg: u32, next: u32) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let it = self.actual(sp - 1);
            let t = (*it).ob_type;
            let v = self.get(sp - 1)?;
            if t == &raw mut lh_runtime::type_table::PyRangeIter_Type {
                let r = it.cast::<lh_runtime::rangeobject::RangeIterObject>();
                let going = (*r).index < (*r).len;
                self.b().guard_type(v, t as u64, true)?;
                let i = self.b().fload(v, RANGE_INDEX)?;
                let len = self.b().fload(v, RANGE_LEN)?;
                let more = self.b().emit(Op::Lt, &[i, len])?;
                self.b().emit(if going { Op::GTrue } else { Op::GFalse }, &[more])?;
                if !going {
                    return self.exhausted(it, next + arg);
                }
                let step = self.b().fload(v, RANGE_STEP)?;
                let start = self.b().fload(v, RANGE_START)?;
                let x = if (*r).step == 1 {
                    let one = self.b().int(1);
                    self.b().guard_value(step, one)?;
                    i
                } else {
                    self.b().emit(Op::Mul, &[i, step])?
                };
                let x = self.b().emit(Op::Add, &[x, start])?;
                let one = self.b().int(1);
                let i = self.b().emit(Op::Add, &[i, one])?;
                self.b().fstore(v, RANGE_INDEX, i)?;
                let x = self.b().emit(Op::BoxI, &[x])?;
                self.put(sp, x)?;
                return Ok(next);
            }
            let list = t == &raw mut lh_runtime::type_table::PyListIter_Type;
            if list || t == &raw mut lh_runtime::type_table::PyTupleIter_Type {
                let s = it.cast::<lh_runtime::tupleobject::SeqIterObject>();
                let seq = (*s).it_seq;
                let want = if list { List::type_ptr() } else { Tuple::type_ptr() };
                if seq.is_null() {
                    self.b().guard_type(v, t as u64, true)?;
                    let q = self.b().fload(v, SEQIT_SEQ)?;
                    self.b().emit(Op::GNull, &[q])?;
                    return self.exhausted(it, next + arg);
                }
                if (*seq).ob_type != want {
                    return self.next_by_call(v, arg, next);
                }
                let going = (*s).it_index < (*seq.cast::<PyVarObject>()).ob_size;
                self.b().guard_type(v, t as u64, true)?;
                let q = self.b().fload(v, SEQIT_SEQ)?;
                self.b().emit(Op::GNonNull, &[q])?;
                self.b().guard_type(q, want as u64, true)?;
                let i = self.b().fload(v, SEQIT_INDEX)?;
                let len = self.b().fload(q, if list { LIST_SIZE } else { TUPLE_SIZE })?;
                let more = self.b().emit(Op::Ult, &[i, len])?;
                self.b().emit(if going { Op::GTrue } else { Op::GFalse }, &[more])?;
                if !going {
                    // The iterator would let go of its sequence now; nobody else can see one that is about to die.
                    if (*it).ob_refcnt != 1 {
                        return self.next_by_call(v, arg, next);
                    }
                    return self.exhausted(it, next + arg);
                }
                let x = if list {
                    let items = self.b().fload(q, LIST_ITEMS)?;
                    self.b().aload(items, LIST_ITEM, i)?
                } else {
                    self.b().aload(q, TUPLE_ITEM, i)?
                };
                let one = self.b().int(1);
                let j = self.b().emit(Op::Add, &[i, one])?;
                self.b().own(x)?;
                self.b().fstore(v, SEQIT_INDEX, j)?;
                self.put(sp, x)?;
                return Ok(next);
            }
            if self.resume(sp - 1, None)? {
                return Ok(next);
            }
            if self.real == self.pc
                && self.special_method(
                    lh_runtime::intern!("__next__"),
                    sp - 1,
                    &[],
                    lh_interp::operators::PLAIN,
                )?
            {
                return Ok(next);
            }
            self.next_by_call(v, arg, next)
        }
    }

    /// Any other iterator: its own `__next__`. What it answered is known at the next step.
    unsafe fn next_by_call(&mut self, v: R, arg: u32, next: u32) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            self.set_prev()?;
            let x = self.b().call(h::ITER_NEXT, &[v], false)?;
            self.put(sp, x)?;
            self.pending = Some(Pending::Iter { x, sp, pc: self.pc, next, end: next + arg });
            Ok(next)
        }
    }

    /// The iterator is at its end: it goes, the loop is left.
    unsafe fn exhausted(&mut self, it: *mut PyObject, end: u32) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let v = self.pop(sp - 1)?;
            self.release(v, it)?;
            Ok(end)
        }
    }

    pub(crate) unsafe fn get_iter(&mut self) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            let v = self.get(sp - 1)?;
            let t = (*a).ob_type;
            let known = exact::<List>(a)
                || exact::<Tuple>(a)
                || exact::<Dict>(a)
                || exact::<Str>(a)
                || t == &raw mut lh_runtime::type_table::PyRange_Type;
            if known {
                self.b().guard_type(v, t as u64, true)?;
                let it = self.b().call(h::MAKE_ITER, &[v], false)?;
                return self.result(1, &[a], it);
            }
            // A built-in iterator answers itself.
            if (*t).tp_iternext.is_some() && (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
                self.b().guard_type(v, t as u64, true)?;
                let it = self.b().call(h::MAKE_ITER, &[v], false)?;
                return self.result(1, &[a], it);
            }
            if self.special_method(
                lh_runtime::intern!("__iter__"),
                sp - 1,
                &[],
                lh_interp::operators::PLAIN,
            )? {
                return Ok(());
            }
            let it = self.call_ref(h::GET_ITER, &[v])?;
            self.result(1, &[a], it)
        }
    }

    pub(crate) unsafe fn unpack(&mut self, n: i32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            let size = (*a.cast::<PyVarObject>()).ob_size;
            let v = self.get(sp - 1)?;
            let tuple = exact::<Tuple>(a);
            if !(tuple || exact::<List>(a)) || size != n as isize {
                return self.generic(op::UNPACK_SEQUENCE, n as u32, 0).map(drop);
            }
            self.b().guard_type(v, (*a).ob_type as u64, true)?;
            let len = self.b().fload(v, if tuple { TUPLE_SIZE } else { LIST_SIZE })?;
            let want = self.b().int(n as i64);
            self.b().guard_value(len, want)?;
            let base = if tuple { v } else { self.b().fload(v, LIST_ITEMS)? };
            let mut items = vec![];
            for i in 0..n {
                let k = self.b().int(i as i64);
                let x = self.b().aload(base, if tuple { TUPLE_ITEM } else { LIST_ITEM }, k)?;
                self.b().own(x)?;
                items.push(x);
            }
            let v = self.pop(sp - 1)?;
            for (i, x) in items.iter().rev().enumerate() {
                self.put(sp - 1 + i as i32, *x)?;
            }
            self.release(v, a)
        }
    }
}
