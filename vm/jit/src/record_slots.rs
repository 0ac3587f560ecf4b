//! Recording of what C types define: members become loads and stores, getsets and slots calls of their functions.
//!
//! A slot is a constant while the type's version stays what it is. What an operator does around its slots (the other operand's
//! slot, `NotImplemented`) is decided while recording where types decide it, and by the helper where the slot's answer does.

use crate::helpers as h;
use crate::manager::RAISE;
use crate::record::*;
use crate::record_data::{Reading, Writing};
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::ffi::c_int;

// ---- Helpers ----

type Ob = *mut PyObject;
unsafe fn obj<'a>(p: Ob) -> &'a Object {
    // SAFETY: compiled code passes live objects.
    unsafe { Object::from_ptr(p) }
}
/// The left operand's slot for a binary operator, and what follows if it doesn't know the operands.
pub unsafe extern "C" fn slot_binary(f: binaryfunc, op: i64, a: Ob, b: Ob) -> Ob {
    // SAFETY: the slot was found in the type of `a`, which has been guarded.
    unsafe {
        let r = f(a, b);
        if r != not_implemented_ref().as_ptr() {
            return r;
        }
        decref(r);
        lh_runtime::border::object(|| number::after_left_slot(op as u32, obj(a), obj(b)))
    }
}
/// As `slot_binary`, for the slot that is asked in place of the left operand's plain one: the right operand's or the one in place
/// (`which`, as for `number::after_method`).
pub unsafe extern "C" fn slot_other(f: binaryfunc, op: i64, which: i64, a: Ob, b: Ob) -> Ob {
    // SAFETY: the slot was found in the type of an operand, which has been guarded.
    unsafe {
        let r = f(a, b);
        if r != not_implemented_ref().as_ptr() {
            return r;
        }
        decref(r);
        lh_runtime::border::object(|| number::after_method(op as u32, which as u8, obj(a), obj(b)))
    }
}
/// The left operand's `tp_richcompare`, and what follows if it doesn't know the operands.
pub unsafe extern "C" fn slot_compare(f: richcmpfunc, op: i64, a: Ob, b: Ob) -> Ob {
    // SAFETY: as `slot_binary`.
    unsafe {
        let r = f(a, b, op as c_int);
        if r != not_implemented_ref().as_ptr() {
            return r;
        }
        decref(r);
        let op = lh_runtime::slots::CompareOp::from_c(op as i32);
        lh_runtime::border::object(|| obj(a).compare_after(obj(b), op, false))
    }
}
/// `float(o)` by its slot.
pub unsafe extern "C" fn slot_float(f: unaryfunc, o: Ob) -> Ob {
    // SAFETY: as `slot_binary`.
    unsafe {
        let r = f(o);
        if r.is_null() || (*r).ob_type == Float::type_ptr() {
            return r;
        }
        lh_runtime::border::object(|| number::float_of_answer(obj(o), Owned::from_raw(r)))
    }
}
/// `repr(o)`, or `str(o)`, by its slot.
pub unsafe extern "C" fn slot_text(f: reprfunc, o: Ob, repr: i64) -> Ob {
    // SAFETY: as `slot_binary`.
    unsafe {
        let r = f(o);
        if r.is_null() || (*(*r).ob_type).tp_flags & Py_TPFLAGS_UNICODE_SUBCLASS != 0 {
            return r;
        }
        let name = if repr != 0 { "__repr__" } else { "__str__" };
        lh_runtime::border::object(|| lh_runtime::protocols::no_text(name, Owned::from_raw(r)))
    }
}
/// `next(it)` for an iterator's own slot.
pub unsafe extern "C" fn slot_next(f: iternextfunc, it: Ob) -> Ob {
    // SAFETY: as `slot_binary`.
    unsafe {
        let r = f(it);
        if r.is_null() && !lh_runtime::errors::occurred() {
            let _ = lh_runtime::errors::set_object(exc::StopIteration(), None);
        }
        r
    }
}

// ---- Recording ----

unsafe fn number_of<T>(o: Ob, pick: impl FnOnce(&PyNumberMethods) -> Option<T>) -> Option<T> {
    // SAFETY: a live object's type has a table or none.
    unsafe { (*(*o).ob_type).tp_as_number.as_ref().and_then(pick) }
}
unsafe fn sequence_of<T>(o: Ob, pick: impl FnOnce(&PySequenceMethods) -> Option<T>) -> Option<T> {
    // SAFETY: as above.
    unsafe { (*(*o).ob_type).tp_as_sequence.as_ref().and_then(pick) }
}
unsafe fn mapping_of<T>(o: Ob, pick: impl FnOnce(&PyMappingMethods) -> Option<T>) -> Option<T> {
    // SAFETY: as above.
    unsafe { (*(*o).ob_type).tp_as_mapping.as_ref().and_then(pick) }
}
unsafe fn length_slot(o: Ob) -> Option<lenfunc> {
    // SAFETY: as above.
    unsafe { sequence_of(o, |s| s.sq_length).or_else(|| mapping_of(o, |m| m.mp_length)) }
}

/// How a member of a plain kind is read.
fn reading(kind: c_int) -> Option<Reading> {
    Some(match kind {
        T_BYTE => Reading::Int(MemKind::I8),
        T_UBYTE => Reading::Int(MemKind::U8),
        T_SHORT => Reading::Int(MemKind::I16),
        T_USHORT => Reading::Int(MemKind::U16),
        T_INT => Reading::Int(MemKind::I32),
        T_UINT => Reading::Int(MemKind::U32),
        T_LONG | T_LONGLONG | T_PYSSIZET => Reading::Int(MemKind::I64),
        T_FLOAT => Reading::Float(MemKind::F32),
        T_DOUBLE => Reading::Float(MemKind::F64),
        T_BOOL => Reading::Bool,
        _ => return None,
    })
}
/// How a member takes a value; only what fits whatever its value, as the others warn or raise.
unsafe fn writing(kind: c_int, x: Ob) -> Option<Writing> {
    // SAFETY: a live object.
    unsafe {
        match reading(kind)? {
            Reading::Int(MemKind::I64) if small(x, 1 << 59) => Some(Writing::Int(MemKind::I64)),
            Reading::Float(k) if exact::<Float>(x) || small(x, 1 << 53) => Some(Writing::Float(k)),
            _ => None,
        }
    }
}

/// A descriptor of a C type that decides an attribute of `a`.
enum Found {
    Member(*mut PyMemberDef),
    GetSet(*mut PyGetSetDef),
}
unsafe fn found(a: Ob, name: &Str) -> Option<Found> {
    // SAFETY: a live object; a descriptor's definition lives as long as it does.
    unsafe {
        let ty = obj(a).ty();
        let d = ty.lookup(name)?;
        if let Some(m) = d.downcast_exact::<MemberDescr>() {
            let of = Type::from_raw_ref((*m.as_struct()).d_common.d_type);
            return ty.is_subtype(of).then(|| Found::Member(m.member()));
        }
        let g = d.downcast_exact::<GetSetDescr>()?;
        let of = Type::from_raw_ref((*g.as_struct()).d_common.d_type);
        ty.is_subtype(of).then(|| Found::GetSet((*g.as_struct()).d_getset))
    }
}

/// What a direct call of a C function answers.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    /// A new reference, or null (raised).
    Object,
    /// An `int` that is negative if it raised.
    Int,
    /// As `Int`, of 64 bits.
    Wide,
    /// 64 bits that are -1 if it raised.
    Hash,
}

impl Recorder {
    /// Calls the C function at the address `f` with objects and words.
    unsafe fn call_c(&mut self, f: usize, args: &[R], answer: Answer) -> Rec<R> {
        // SAFETY: the function's convention is the caller's promise.
        unsafe { self.call_target(Target::Addr(f as u64), args, answer) }
    }
    /// As `call_c`; for `Target::FirstArg` the function's address comes first.
    unsafe fn call_target(&mut self, target: Target, args: &[R], answer: Answer) -> Rec<R> {
        // SAFETY: as set_prev.
        unsafe { self.set_prev()? };
        let mut places = vec![];
        let given = if target == Target::FirstArg { &args[1..] } else { args };
        for (i, a) in given.iter().enumerate() {
            let kind = match self.b().ty(*a) {
                Ty::Ref => MemKind::Ref,
                Ty::Ptr => MemKind::Ptr,
                _ => MemKind::I64,
            };
            places.push(ArgPlace { kind, place: Place::Int(i as u8) });
        }
        let ret = match answer {
            Answer::Object => MemKind::Ref,
            Answer::Int => MemKind::I32,
            Answer::Wide | Answer::Hash => MemKind::I64,
        };
        let desc = NativeDesc {
            name: "c".into(),
            target,
            args: places,
            ret: RetPlace::One(ret),
            varargs: None,
            effects: Effects::ARBITRARY,
        };
        let r = self.b().native(desc, args, false)?;
        self.act();
        self.snapshot(RAISE, self.pc, self.sp)?;
        if answer == Answer::Object {
            self.b().emit(Op::GNonNull, &[r])?;
        } else if answer == Answer::Hash {
            let failed = self.b().int(-1);
            let ok = self.b().emit(Op::Ne, &[r, failed])?;
            self.b().emit(Op::GTrue, &[ok])?;
        } else {
            let zero = self.b().int(0);
            let ok = self.b().emit(Op::Ge, &[r, zero])?;
            self.b().emit(Op::GTrue, &[ok])?;
        }
        Ok(r)
    }
    /// A C function of a type with two operands, or of an object and one argument (null: none).
    pub(crate) unsafe fn call_c2(&mut self, f: usize, a: R, b: R) -> Rec<R> {
        // SAFETY: the function's convention is the caller's promise.
        unsafe { self.call_c(f, &[a, b], Answer::Object) }
    }
    /// A C function of three objects.
    pub(crate) unsafe fn call_c3(&mut self, f: usize, a: R, b: R, c: R) -> Rec<R> {
        // SAFETY: as above.
        unsafe { self.call_c(f, &[a, b, c], Answer::Object) }
    }
    /// A C function of objects and words.
    pub(crate) unsafe fn call_c_any(&mut self, f: usize, args: &[R]) -> Rec<R> {
        // SAFETY: as above.
        unsafe { self.call_c(f, args, Answer::Object) }
    }
    /// As `call_c_any`, of a function whose address is the first of the values.
    pub(crate) unsafe fn call_c_loaded(&mut self, values: &[R]) -> Rec<R> {
        // SAFETY: as above.
        unsafe { self.call_target(Target::FirstArg, values, Answer::Object) }
    }
    /// Where the values of the stack from `slot` on lie during a call, which finds the frame in memory. A function that takes an array may have that
    /// one, as it has from the interpreter.
    pub(crate) fn stack_address(&mut self, slot: i32) -> Rec<R> {
        let frame = self.here();
        let at = self.b().descs().layout.slots as i64 + 8 * slot as i64;
        let at = self.b().int(at);
        self.displaced(frame, at)
    }
    /// The address of a member.
    unsafe fn member(&mut self, v: R, m: *mut PyMemberDef) -> Rec<R> {
        // SAFETY: a descriptor's definition lives as long as it does.
        let at = unsafe { (*m).offset } as i64;
        let at = self.b().int(at);
        self.displaced(v, at)
    }
    /// A function of `a`'s type, the class guarded; `None` if there is none or the class can't be guarded.
    unsafe fn slot(&mut self, f: Option<usize>, v: R, a: Ob) -> Rec<Option<usize>> {
        // SAFETY: live operands.
        unsafe {
            match f {
                Some(f) if self.guard_class(v, a)? => Ok(Some(f)),
                _ => Ok(None),
            }
        }
    }

    /// `o.name` by a member or a getset; `None` if it is neither.
    pub(crate) unsafe fn load_described(&mut self, v: R, a: Ob, name: &Str) -> Rec<Option<R>> {
        // SAFETY: live operands; a member lies inside its object.
        unsafe {
            if !lh_interp::plans::generic((*a).ob_type) {
                return Ok(None);
            }
            match found(a, name) {
                Some(Found::Member(m)) => {
                    let Some(how) = reading((*m).r#type) else { return Ok(None) };
                    if !self.guard_class(v, a)? {
                        return Ok(None);
                    }
                    let p = self.member(v, m)?;
                    Ok(Some(self.read(how, p)?))
                }
                Some(Found::GetSet(g)) => {
                    let Some(f) = (*g).get else { return Ok(None) };
                    if !self.guard_class(v, a)? {
                        return Ok(None);
                    }
                    let closure = self.b().ptr((*g).closure as u64);
                    Ok(Some(self.call_c(f as usize, &[v, closure], Answer::Object)?))
                }
                None => Ok(None),
            }
        }
    }

    /// `o.name = x` by a member or a getset, for the stack `x, o`; false if it is neither.
    pub(crate) unsafe fn store_described(&mut self, v: R, a: Ob, name: &Str) -> Rec<bool> {
        // SAFETY: as `load_described`.
        unsafe {
            let sp = self.sp;
            let xa = self.actual(sp - 2);
            if (*(*a).ob_type).tp_setattro != Some(lh_runtime::typeobject::generic_setattro) {
                return Ok(false);
            }
            match found(a, name) {
                Some(Found::Member(m)) => {
                    let Some(how) = writing((*m).r#type, xa) else { return Ok(false) };
                    if (*m).flags != 0 || !self.guard_class(v, a)? {
                        return Ok(false);
                    }
                    let x = self.get(sp - 2)?;
                    let (field, x) = self.written_value(how, x, xa)?;
                    let p = self.member(v, m)?;
                    let ov = self.pop(sp - 1)?;
                    let xv = self.pop(sp - 2)?;
                    self.b().fstore(p, field, x)?;
                    self.act();
                    self.release(ov, a)?;
                    self.release(xv, xa)?;
                    Ok(true)
                }
                Some(Found::GetSet(g)) => {
                    let Some(f) = (*g).set else { return Ok(false) };
                    if !self.guard_class(v, a)? {
                        return Ok(false);
                    }
                    let x = self.get(sp - 2)?;
                    let closure = self.b().ptr((*g).closure as u64);
                    self.call_c(f as usize, &[v, x, closure], Answer::Int)?;
                    let ov = self.pop(sp - 1)?;
                    let xv = self.pop(sp - 2)?;
                    self.release(ov, a)?;
                    self.release(xv, xa)?;
                    Ok(true)
                }
                None => Ok(false),
            }
        }
    }

    /// A binary operator whose first slot is known: the left operand's, in place or not, or the right one's if the left one is a
    /// number that doesn't know it. Its answer.
    pub(crate) unsafe fn binary_slot(&mut self, arg: u32, a: R, b: R, aa: Ob, ba: Ob) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let right = number::right_slot(arg as usize, aa, ba);
            if let Some(f) = right.or_else(|| number::in_place_slot(arg as usize, aa)) {
                if !self.guard_class(a, aa)? || right.is_some() && !self.guard_class(b, ba)? {
                    return Ok(None);
                }
                let (f, k) = (self.b().ptr(f as usize as u64), self.b().int(arg as i64));
                let which = self.b().int(if right.is_some() { 1 } else { 2 });
                return Ok(Some(self.call_ref(h::SLOT_OTHER, &[f, k, which, a, b])?));
            }
            let Some(f) = number::left_slot(arg, obj(aa), obj(ba)) else { return Ok(None) };
            if !self.guard_class(a, aa)? || !self.guard_class(b, ba)? {
                return Ok(None);
            }
            let (f, k) = (self.b().ptr(f as usize as u64), self.b().int(arg as i64));
            Ok(Some(self.call_ref(h::SLOT_BINARY, &[f, k, a, b])?))
        }
    }

    /// A comparison that the left operand's slot is asked for first.
    pub(crate) unsafe fn compare_slot(&mut self, arg: u32, a: R, b: R, aa: Ob, ba: Ob) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let (t, u) = ((*aa).ob_type, (*ba).ob_type);
            let Some(f) = (*t).tp_richcompare else { return Ok(None) };
            let first = t == u || !obj(ba).ty().is_subtype(obj(aa).ty()) || (*u).tp_richcompare.is_none();
            if !first || !self.guard_class(a, aa)? || !self.guard_class(b, ba)? {
                return Ok(None);
            }
            let (f, k) = (self.b().ptr(f as usize as u64), self.b().int(arg as i64));
            Ok(Some(self.call_ref(h::SLOT_COMPARE, &[f, k, a, b])?))
        }
    }

    /// Negation and such by the operand's slot.
    pub(crate) unsafe fn unary_slot(&mut self, o: u8, v: R, a: Ob) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let f = number_of(a, |m| match o {
                op::UNARY_NEGATIVE => m.nb_negative,
                op::UNARY_INVERT => m.nb_invert,
                op::UNARY_POSITIVE => m.nb_positive,
                _ => None,
            });
            let Some(f) = self.slot(f.map(|f| f as usize), v, a)? else { return Ok(None) };
            Ok(Some(self.call_c(f, &[v], Answer::Object)?))
        }
    }

    /// The truth of an object by its slots, as 0 or 1.
    pub(crate) unsafe fn truth(&mut self, v: R, a: Ob) -> Rec<R> {
        // SAFETY: live operands.
        unsafe {
            match self.slot(number_of(a, |m| m.nb_bool).map(|f| f as usize), v, a)? {
                Some(f) => {
                    let r = self.call_c(f, &[v], Answer::Int)?;
                    let zero = self.b().int(0);
                    Ok(self.b().emit(Op::Ne, &[r, zero])?)
                }
                None => self.call_status(h::TRUTH, &[v], false),
            }
        }
    }

    /// `len(o)` by the type's slot, as a number.
    pub(crate) unsafe fn length_by_slot(&mut self, slot: i32) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let a = self.actual(slot);
            let v = self.get(slot)?;
            let Some(f) = self.slot(length_slot(a).map(|f| f as usize), v, a)? else { return Ok(None) };
            Ok(Some(self.call_c(f, &[v], Answer::Wide)?))
        }
    }

    /// `hash(o)` by the type's slot, as a number.
    pub(crate) unsafe fn hash_by_slot(&mut self, slot: i32) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let a = self.actual(slot);
            let v = self.get(slot)?;
            let Some(f) = self.slot((*(*a).ob_type).tp_hash.map(|f| f as usize), v, a)? else {
                return Ok(None);
            };
            Ok(Some(self.call_c(f, &[v], Answer::Hash)?))
        }
    }

    /// `float(o)` by the type's slot.
    pub(crate) unsafe fn float_by_slot(&mut self, v: R, a: Ob) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let f = number_of(a, |m| m.nb_float).map(|f| f as usize);
            let Some(f) = self.slot(f, v, a)? else { return Ok(None) };
            let f = self.b().ptr(f as u64);
            Ok(Some(self.call_ref(h::SLOT_FLOAT, &[f, v])?))
        }
    }
    /// `str(o)` or `repr(o)`; what numbers say needs no object of theirs.
    pub(crate) unsafe fn text(&mut self, v: R, a: Ob, repr: bool) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            if small(a, 1 << 59) && exact::<Int>(a) {
                let i = self.int_of(v)?;
                return Ok(Some(self.b().call(h::DECIMAL, &[i], false)?));
            }
            if exact::<Float>(a) {
                self.b().guard_type(v, Float::type_ptr() as u64, true)?;
                return Ok(Some(self.b().call(h::FLOAT_TEXT, &[v], false)?));
            }
            if exact::<Str>(a) && !repr {
                self.b().guard_type(v, Str::type_ptr() as u64, true)?;
                self.b().own(v)?;
                return Ok(Some(v));
            }
            let t = (*a).ob_type;
            let f = if repr { (*t).tp_repr } else { (*t).tp_str };
            let Some(f) = self.slot(f.map(|f| f as usize), v, a)? else { return Ok(None) };
            let (f, repr) = (self.b().ptr(f as u64), self.b().int(repr as i64));
            Ok(Some(self.call_ref(h::SLOT_TEXT, &[f, v, repr])?))
        }
    }
    /// FORMAT_VALUE without a format; false if that isn't only what `str` says.
    pub(crate) unsafe fn format_value(&mut self, arg: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            let known = match arg {
                0 => exact::<Int>(a) || exact::<Float>(a) || exact::<Str>(a) || obj(a).formats_as_text(),
                1 | 2 => true,
                _ => false,
            };
            if !known {
                return Ok(false);
            }
            let v = self.get(sp - 1)?;
            let Some(r) = self.text(v, a, arg == 2)? else { return Ok(false) };
            let v = self.pop(sp - 1)?;
            self.put(sp - 1, r)?;
            self.release(v, a)?;
            Ok(true)
        }
    }

    /// `next(o)` by the type's slot.
    pub(crate) unsafe fn next_by_slot(&mut self, slot: i32) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let a = self.actual(slot);
            let v = self.get(slot)?;
            let f = (*(*a).ob_type).tp_iternext.map(|f| f as usize);
            let Some(f) = self.slot(f, v, a)? else { return Ok(None) };
            let f = self.b().ptr(f as u64);
            Ok(Some(self.call_ref(h::SLOT_NEXT, &[f, v])?))
        }
    }

    /// `o[k]` by the type's slot.
    pub(crate) unsafe fn subscript_slot(&mut self, o: R, k: R, oa: Ob) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let f = mapping_of(oa, |m| m.mp_subscript).map(|f| f as usize);
            let Some(f) = self.slot(f, o, oa)? else { return Ok(None) };
            Ok(Some(self.call_c(f, &[o, k], Answer::Object)?))
        }
    }

    /// `o[k] = x` by the type's slot; false if it has none.
    pub(crate) unsafe fn assign_slot(&mut self, o: R, k: R, x: R, oa: Ob) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let f = mapping_of(oa, |m| m.mp_ass_subscript).map(|f| f as usize);
            let Some(f) = self.slot(f, o, oa)? else { return Ok(false) };
            self.call_c(f, &[o, k, x], Answer::Int)?;
            Ok(true)
        }
    }

    /// `x in o` by the type's slot, as a number.
    pub(crate) unsafe fn contains_slot(&mut self, o: R, x: R, oa: Ob) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let f = sequence_of(oa, |m| m.sq_contains).map(|f| f as usize);
            let Some(f) = self.slot(f, o, oa)? else { return Ok(None) };
            let r = self.call_c(f, &[o, x], Answer::Int)?;
            let zero = self.b().int(0);
            Ok(Some(self.b().emit(Op::Ne, &[r, zero])?))
        }
    }
}
