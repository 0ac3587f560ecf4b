//! Recording of iteration and unpacking.

use crate::descs::*;
use crate::helpers as h;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;

/// An item that an iterator is about to give: where its index is, what that will be, and the item.
struct Step {
    it: R,
    field: u32,
    index: R,
    item: R,
    /// The item is a number still to be boxed.
    number: bool,
}

/// Has the iterator another item? `None`: it is of no kind whose steps are recorded as loads and stores.
unsafe fn going(it: *mut PyObject) -> Option<bool> {
    // SAFETY: a live object.
    unsafe {
        let t = (*it).ob_type;
        if t == &raw mut lh_runtime::type_table::PyRangeIter_Type {
            let r = it.cast::<lh_runtime::rangeobject::RangeIterObject>();
            return Some((*r).index < (*r).len);
        }
        let list = t == &raw mut lh_runtime::type_table::PyListIter_Type;
        if !list && t != &raw mut lh_runtime::type_table::PyTupleIter_Type {
            return None;
        }
        let s = it.cast::<lh_runtime::tupleobject::SeqIterObject>();
        let seq = (*s).it_seq;
        if seq.is_null() {
            return Some(false);
        }
        let want = if list { List::type_ptr() } else { Tuple::type_ptr() };
        ((*seq).ob_type == want).then(|| (*s).it_index < (*seq.cast::<PyVarObject>()).ob_size)
    }
}

impl Recorder {
    /// Guards that an iterator (of a kind that `going` knows) has another item and finds it, or that it has none.
    unsafe fn look(&mut self, v: R, it: *mut PyObject) -> Rec<Option<Step>> {
        // SAFETY: live operands.
        unsafe {
            let t = (*it).ob_type;
            self.b().guard_type(v, t as u64, true)?;
            if t == &raw mut lh_runtime::type_table::PyRangeIter_Type {
                let r = it.cast::<lh_runtime::rangeobject::RangeIterObject>();
                let going = (*r).index < (*r).len;
                let i = self.b().fload(v, RANGE_INDEX)?;
                let len = self.b().fload(v, RANGE_LEN)?;
                let more = self.b().emit(Op::Lt, &[i, len])?;
                self.b().emit(if going { Op::GTrue } else { Op::GFalse }, &[more])?;
                if !going {
                    return Ok(None);
                }
                let step = self.b().fload(v, RANGE_STEP)?;
                let start = self.b().fload(v, RANGE_START)?;
                let one = self.b().int(1);
                let x = if (*r).step == 1 {
                    self.b().guard_value(step, one)?;
                    i
                } else {
                    self.b().emit(Op::Mul, &[i, step])?
                };
                let item = self.b().emit(Op::Add, &[x, start])?;
                let index = self.b().emit(Op::Add, &[i, one])?;
                return Ok(Some(Step { it: v, field: RANGE_INDEX, index, item, number: true }));
            }
            let s = it.cast::<lh_runtime::tupleobject::SeqIterObject>();
            let seq = (*s).it_seq;
            let q = self.b().fload(v, SEQIT_SEQ)?;
            if seq.is_null() {
                self.b().emit(Op::GNull, &[q])?;
                return Ok(None);
            }
            let going = (*s).it_index < (*seq.cast::<PyVarObject>()).ob_size;
            let list = exact::<List>(seq);
            self.b().emit(Op::GNonNull, &[q])?;
            self.b().guard_type(q, (*seq).ob_type as u64, true)?;
            let i = self.b().fload(v, SEQIT_INDEX)?;
            let len = self.b().fload(q, if list { LIST_SIZE } else { TUPLE_SIZE })?;
            let more = self.b().emit(Op::Ult, &[i, len])?;
            self.b().emit(if going { Op::GTrue } else { Op::GFalse }, &[more])?;
            if !going {
                return Ok(None);
            }
            let item = if list {
                let items = self.b().fload(q, LIST_ITEMS)?;
                self.b().aload(items, LIST_ITEM, i)?
            } else {
                self.b().aload(q, TUPLE_ITEM, i)?
            };
            let one = self.b().int(1);
            let index = self.b().emit(Op::Add, &[i, one])?;
            Ok(Some(Step { it: v, field: SEQIT_INDEX, index, item, number: false }))
        }
    }
    /// Advances the iterator; the item, with a reference.
    fn take_step(&mut self, s: Step) -> Rec<R> {
        if s.number {
            self.b().fstore(s.it, s.field, s.index)?;
            return Ok(self.b().emit(Op::BoxI, &[s.item])?);
        }
        self.b().own(s.item)?;
        self.b().fstore(s.it, s.field, s.index)?;
        Ok(s.item)
    }

    /// `enumerate` and `zip` over lists, tuples and ranges: steps of theirs and a tuple. `None`: to be called.
    unsafe fn several(&mut self, v: R, it: *mut PyObject, arg: u32, next: u32) -> Rec<Option<u32>> {
        // SAFETY: live operands; the iterators of `enumerate` and `zip` never change.
        unsafe {
            let t = (*it).ob_type;
            let sp = self.sp;
            let dying = (*it).ob_refcnt == 1;
            if t == &raw mut lh_runtime::type_table::PyEnum_Type {
                let e = it.cast::<lh_runtime::enumobject::EnumObject>();
                let of = (*e).en_sit;
                let Some(more) = going(of) else { return Ok(None) };
                if (*e).en_index >= 1 << 60 || !(more || dying && (*of).ob_refcnt == 1) {
                    return Ok(None);
                }
                self.b().guard_type(v, t as u64, true)?;
                let of_v = self.b().fload(v, EN_ITER)?;
                let i = self.b().fload(v, EN_INDEX)?;
                let one = self.b().int(1);
                let after = self.b().emit(Op::AddOv, &[i, one])?;
                let Some(s) = self.look(of_v, of)? else {
                    return Ok(Some(self.exhausted(it, next + arg)?));
                };
                let x = self.take_step(s)?;
                self.b().fstore(v, EN_INDEX, after)?;
                let i = self.b().emit(Op::BoxI, &[i])?;
                let r = self.make_tuple(&[i, x])?;
                self.put(sp, r)?;
                return Ok(Some(next));
            }
            if t != &raw mut lh_runtime::type_table::PyZip_Type {
                return Ok(None);
            }
            let z = it.cast::<lh_runtime::iterobject::ZipObject>();
            let all = Object::from_ptr((*z).ittuple).downcast_unchecked::<Tuple>().as_slice_raw().to_vec();
            let known: Option<Vec<bool>> = all.iter().map(|i| going(*i)).collect();
            let Some(known) = known.filter(|k| (1..=4).contains(&k.len())) else { return Ok(None) };
            // Of all ends only that of the first iterator leaves the others as they are.
            let ends = !known[0] && dying && (*all[0]).ob_refcnt == 1;
            let distinct = (1..all.len()).all(|k| !all[..k].contains(&all[k]));
            if (*z).strict != 0 || !distinct || !ends && known.contains(&false) {
                return Ok(None);
            }
            self.b().guard_type(v, t as u64, true)?;
            let strict = self.b().fload(v, ZIP_STRICT)?;
            let zero = self.b().int(0);
            self.b().guard_value(strict, zero)?;
            let its = self.b().fload(v, ZIP_ITERS)?;
            let len = self.b().fload(its, TUPLE_SIZE)?;
            let want = self.b().int(all.len() as i64);
            self.b().guard_value(len, want)?;
            let (mut steps, mut seen) = (vec![], vec![]);
            for (k, i) in all.iter().enumerate() {
                let at = self.b().int(k as i64);
                let x = self.b().aload(its, TUPLE_ITEM, at)?;
                for y in &seen {
                    let same = self.b().emit(Op::Eq, &[x, *y])?;
                    self.b().emit(Op::GFalse, &[same])?;
                }
                seen.push(x);
                match self.look(x, *i)? {
                    Some(s) => steps.push(s),
                    None => return Ok(Some(self.exhausted(it, next + arg)?)),
                }
            }
            let items = steps.into_iter().map(|s| self.take_step(s)).collect::<Rec<Vec<R>>>()?;
            let r = self.make_tuple(&items)?;
            self.put(sp, r)?;
            Ok(Some(next))
        }
    }

    pub(crate) unsafe fn for_iter(&mut self, arg: u32, next: u32) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let it = self.actual(sp - 1);
            let t = (*it).ob_type;
            let v = self.get(sp - 1)?;
            if let Some(going) = going(it) {
                if !going && (*it).ob_refcnt != 1 && t != &raw mut lh_runtime::type_table::PyRangeIter_Type {
                    // The iterator would let go of its sequence now; nobody else can see one that is about to die.
                    return self.next_by_call(v, arg, next);
                }
                let Some(s) = self.look(v, it)? else { return self.exhausted(it, next + arg) };
                let x = self.take_step(s)?;
                self.put(sp, x)?;
                return Ok(next);
            }
            if let Some(to) = self.several(v, it, arg, next)? {
                return Ok(to);
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
