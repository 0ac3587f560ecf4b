//! Recording of arithmetic, comparison, truth and membership.

use crate::descs::*;
use crate::helpers as h;
use crate::manager::RAISE;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;
use lh_runtime::slots::CompareOp;

impl Recorder {
    // ---- Unboxing ----

    pub unsafe fn int_of(&mut self, v: R) -> Rec<R> {
        self.b().guard_type(v, Int::type_ptr() as u64, true)?;
        Ok(self.b().emit(Op::UnboxI, &[v])?)
    }
    pub unsafe fn float_of(&mut self, v: R) -> Rec<R> {
        self.b().guard_type(v, Float::type_ptr() as u64, true)?;
        Ok(self.b().emit(Op::UnboxF, &[v])?)
    }
    /// Float value of an int (small enough to be exact) or float operand.
    pub(crate) unsafe fn number_of(&mut self, v: R, actual: *mut PyObject, o: u8) -> Rec<R> {
        // SAFETY: a live object.
        unsafe {
            if exact::<Float>(actual) {
                return self.float_of(v);
            }
            if !small(actual, 1 << 53) {
                return Err(Why::Operands(o));
            }
            let i = self.int_of(v)?;
            self.guard_below(i, 1 << 53)?;
            Ok(self.b().emit(Op::I2F, &[i])?)
        }
    }
    /// Guards -limit <= i < limit.
    pub(crate) unsafe fn guard_below(&mut self, i: R, limit: i64) -> Rec {
        let (l, w) = (self.b().int(limit), self.b().int(2 * limit));
        let s = self.b().emit(Op::Add, &[i, l])?;
        let ok = self.b().emit(Op::Ult, &[s, w])?;
        self.b().emit(Op::GTrue, &[ok])?;
        Ok(())
    }

    pub(crate) unsafe fn unary(&mut self, o: u8) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            if o == op::UNARY_NOT
                && let Some(t) = self.guard_truth(sp - 1)?
            {
                return self.replace(1, &[a], !t);
            }
            let v = self.get(sp - 1)?;
            if exact::<Float>(a) && o == op::UNARY_NEGATIVE {
                let x = self.float_of(v)?;
                let x = self.b().emit(Op::FNeg, &[x])?;
                let r = self.b().emit(Op::BoxF, &[x])?;
                return self.result(1, &[a], r);
            }
            if exact::<Int>(a) && small(a, 1 << 59) {
                let x = self.int_of(v)?;
                let zero = self.b().int(0);
                let x = match o {
                    op::UNARY_NEGATIVE => self.b().emit(Op::SubOv, &[zero, x])?,
                    op::UNARY_INVERT => self.b().emit(Op::Not, &[x])?,
                    _ => x,
                };
                let r = self.b().emit(Op::BoxI, &[x])?;
                return self.result(1, &[a], r);
            }
            if o == op::UNARY_NOT {
                if self.truth_method()? {
                    return Ok(());
                }
                let t = self.truth(v, a)?;
                let one = self.b().int(1);
                let r = self.b().emit(Op::Xor, &[t, one])?;
                return self.result_bool(1, &[a], r);
            }
            if self.unary_method(o)? {
                return Ok(());
            }
            if let Some(r) = self.unary_slot(o, v, a)? {
                return self.result(1, &[a], r);
            }
            let k = self.b().int(match o {
                op::UNARY_NEGATIVE => 0,
                op::UNARY_INVERT => 1,
                _ => 2,
            });
            let r = self.call_ref(h::UNARY, &[k, v])?;
            self.result(1, &[a], r)
        }
    }

    pub(crate) unsafe fn binary(&mut self, arg: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let (aa, ba) = (self.actual(sp - 2), self.actual(sp - 1));
            let (a, b) = (self.get(sp - 2)?, self.get(sp - 1)?);
            // In-place forms of numbers are the plain ones: add and floor_divide lshift matmul multiply remainder or power rshift
            // subtract true_divide xor.
            let kind = if arg >= 13 { arg - 13 } else { arg };
            let ints = exact::<Int>(aa) && exact::<Int>(ba) && small(aa, 1 << 59) && small(ba, 1 << 59);
            let number = |o| exact::<Int>(o) || exact::<Float>(o);
            if ints && kind != 11 && kind != 8 && kind != 4 {
                let (x, y) = (self.int_of(a)?, self.int_of(b)?);
                let yv = value(ba);
                let r = match kind {
                    0 => self.b().emit(Op::AddOv, &[x, y])?,
                    10 => self.b().emit(Op::SubOv, &[x, y])?,
                    5 => self.b().emit(Op::MulOv, &[x, y])?,
                    1 => self.b().emit(Op::And, &[x, y])?,
                    7 => self.b().emit(Op::Or, &[x, y])?,
                    12 => self.b().emit(Op::Xor, &[x, y])?,
                    2 if yv != 0 => self.b().emit(Op::FloorDiv, &[x, y])?,
                    6 if yv != 0 => self.b().emit(Op::FloorMod, &[x, y])?,
                    9 if (0..63).contains(&yv) => {
                        let lim = self.b().int(63);
                        let ok = self.b().emit(Op::Ult, &[y, lim])?;
                        self.b().emit(Op::GTrue, &[ok])?;
                        self.b().emit(Op::Sar, &[x, y])?
                    }
                    3 if (0..=20).contains(&yv) && small(aa, 1 << 40) => {
                        let lim = self.b().int(21);
                        let ok = self.b().emit(Op::Ult, &[y, lim])?;
                        self.b().emit(Op::GTrue, &[ok])?;
                        self.guard_below(x, 1 << 40)?;
                        self.b().emit(Op::Shl, &[x, y])?
                    }
                    _ => return self.generic_binary(arg, a, b, aa, ba),
                };
                let r = self.b().emit(Op::BoxI, &[r])?;
                return self.result(2, &[ba, aa], r);
            }
            if number(aa) && number(ba) && (exact::<Float>(aa) || exact::<Float>(ba) || kind == 11) {
                let f = match kind {
                    0 => Op::FAdd,
                    10 => Op::FSub,
                    5 => Op::FMul,
                    11 => Op::FDiv,
                    _ => return self.generic_binary(arg, a, b, aa, ba),
                };
                if (exact::<Int>(aa) && !small(aa, 1 << 53)) || (exact::<Int>(ba) && !small(ba, 1 << 53)) {
                    return self.generic_binary(arg, a, b, aa, ba);
                }
                let x = self.number_of(a, aa, op::BINARY_OP)?;
                let y = self.number_of(b, ba, op::BINARY_OP)?;
                if kind == 11 {
                    let zero = if exact::<Float>(ba) {
                        Object::from_ptr(ba).downcast_unchecked::<Float>().value() == 0.0
                    } else {
                        value(ba) == 0
                    };
                    if zero {
                        return Err(Why::Operands(op::BINARY_OP));
                    }
                    let z = self.b().float(0.0);
                    let c = self.b().emit(Op::FEq, &[y, z])?;
                    self.b().emit(Op::GFalse, &[c])?;
                }
                let r = self.b().emit(f, &[x, y])?;
                let r = self.b().emit(Op::BoxF, &[r])?;
                return self.result(2, &[ba, aa], r);
            }
            self.generic_binary(arg, a, b, aa, ba)
        }
    }
    /// `s + t`. In `s = s + t` the local's reference goes first, so that the text can grow in place.
    unsafe fn concatenate(&mut self, a: R, b: R, aa: *mut PyObject, ba: *mut PyObject) -> Rec {
        // SAFETY: exact strings; the next instruction lies behind the cache unit.
        unsafe {
            let sp = self.sp;
            self.b().guard_type(a, (*aa).ob_type as u64, true)?;
            self.b().guard_type(b, (*ba).ob_type as u64, true)?;
            let next = *frame::first_instr(self.code).add(self.pc as usize + 2);
            let local = (next >> 8) as i32;
            if next as u8 == op::STORE_FAST && self.actual(local) == aa && self.get(local)? == a {
                let old = self.pop(local)?;
                let null = self.b().null();
                self.put(local, null)?;
                self.b().drop_ref(old, ops::DROP_NOT_LAST)?;
            }
            let y = self.pop(sp - 1)?;
            let x = self.pop(sp - 2)?;
            let r = self.b().call(h::APPEND_STR, &[x, y], false)?;
            self.act();
            self.put(sp - 2, r)?;
            self.b().drop_ref(y, ops::DROP_SILENT)?;
            self.snapshot(RAISE, self.pc, sp - 2)?;
            // A string beyond memory.
            self.b().emit(Op::GNonNull, &[r])?;
            Ok(())
        }
    }

    pub(crate) unsafe fn generic_binary(
        &mut self,
        arg: u32,
        a: R,
        b: R,
        aa: *mut PyObject,
        ba: *mut PyObject,
    ) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let kind = if arg >= 13 { arg - 13 } else { arg };
            if kind == 0 && exact::<Str>(aa) && exact::<Str>(ba) {
                return self.concatenate(a, b, aa, ba);
            }
            if self.binary_method(arg)? {
                return Ok(());
            }
            if let Some(r) = self.binary_slot(arg, a, b, aa, ba)? {
                return self.result(2, &[ba, aa], r);
            }
            let k = self.b().int(arg as i64);
            let r = self.call_ref(h::BINARY, &[k, a, b])?;
            self.result(2, &[ba, aa], r)
        }
    }

    pub(crate) unsafe fn compare(&mut self, arg: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let (aa, ba) = (self.actual(sp - 2), self.actual(sp - 1));
            let (a, b) = (self.get(sp - 2)?, self.get(sp - 1)?);
            let o = CompareOp::from_c(arg as i32);
            if exact::<Int>(aa) && exact::<Int>(ba) && small(aa, 1 << 59) && small(ba, 1 << 59) {
                let (x, y) = (self.int_of(a)?, self.int_of(b)?);
                let c =
                    self.b().emit([Op::Lt, Op::Le, Op::Eq, Op::Ne, Op::Gt, Op::Ge][arg as usize], &[x, y])?;
                let is = o.holds(value(aa).cmp(&value(ba)));
                self.b().emit(if is { Op::GTrue } else { Op::GFalse }, &[c])?;
                return self.replace(2, &[ba, aa], is);
            }
            let number = |o| exact::<Float>(o) || (exact::<Int>(o) && small(o, 1 << 53));
            if number(aa) && number(ba) {
                let x = self.number_of(a, aa, op::COMPARE_OP)?;
                let y = self.number_of(b, ba, op::COMPARE_OP)?;
                let c = self
                    .b()
                    .emit([Op::FLt, Op::FLe, Op::FEq, Op::FNe, Op::FGt, Op::FGe][arg as usize], &[x, y])?;
                let (p, q) = (float_value(aa), float_value(ba));
                let is = match o {
                    CompareOp::Lt => p < q,
                    CompareOp::Le => p <= q,
                    CompareOp::Eq => p == q,
                    CompareOp::Ne => p != q,
                    CompareOp::Gt => p > q,
                    CompareOp::Ge => p >= q,
                };
                self.b().emit(if is { Op::GTrue } else { Op::GFalse }, &[c])?;
                return self.replace(2, &[ba, aa], is);
            }
            if exact::<Str>(aa) && exact::<Str>(ba) && matches!(o, CompareOp::Eq | CompareOp::Ne) {
                self.b().guard_type(a, (*aa).ob_type as u64, true)?;
                self.b().guard_type(b, (*ba).ob_type as u64, true)?;
                let c = self.b().call(h::STR_EQUAL, &[a, b], false)?;
                let same = Object::from_ptr(aa)
                    .downcast_unchecked::<Str>()
                    .equals(Object::from_ptr(ba).downcast_unchecked());
                self.b().emit(if same { Op::GTrue } else { Op::GFalse }, &[c])?;
                return self.replace(2, &[ba, aa], same == (o == CompareOp::Eq));
            }
            if exact::<Str>(aa) && exact::<Str>(ba) {
                self.b().guard_type(a, (*aa).ob_type as u64, true)?;
                self.b().guard_type(b, (*ba).ob_type as u64, true)?;
                let c = self.b().call(h::STR_ORDER, &[a, b], false)?;
                let zero = self.b().int(0);
                let c = self
                    .b()
                    .emit([Op::Lt, Op::Le, Op::Eq, Op::Ne, Op::Gt, Op::Ge][arg as usize], &[c, zero])?;
                let is = o.holds(
                    Object::from_ptr(aa)
                        .downcast_unchecked::<Str>()
                        .cmp(Object::from_ptr(ba).downcast_unchecked()),
                );
                self.b().emit(if is { Op::GTrue } else { Op::GFalse }, &[c])?;
                return self.replace(2, &[ba, aa], is);
            }
            if self.compare_method(arg)? {
                return Ok(());
            }
            if let Some(r) = self.compare_slot(arg, a, b, aa, ba)? {
                return self.result(2, &[ba, aa], r);
            }
            let k = self.b().int(arg as i64);
            let r = self.call_ref(h::COMPARE, &[k, a, b])?;
            self.result(2, &[ba, aa], r)
        }
    }

    /// Guards that the value in a slot has the truth value it has now; answers that, or nothing if only arbitrary code can tell.
    pub(crate) unsafe fn guard_truth(&mut self, slot: i32) -> Rec<Option<bool>> {
        // SAFETY: live operands.
        unsafe {
            let a = self.actual(slot);
            let ob = Object::from_ptr(a);
            let v = self.get(slot)?;
            if ob.is_true_object() || ob.is_false_object() || ob.is_none() {
                let c = self.b().object(a as u64);
                self.b().guard_value(v, c)?;
                return Ok(Some(ob.is_true_object()));
            }
            let sized = |len| (len, (*a.cast::<PyVarObject>()).ob_size != 0);
            let (n, is) = if exact::<Int>(a) && small(a, 1 << 59) {
                (self.int_of(v)?, value(a) != 0)
            } else if exact::<List>(a) || exact::<Tuple>(a) || exact::<Str>(a) || exact::<Dict>(a) {
                let t = (*a).ob_type;
                self.b().guard_type(v, t as u64, true)?;
                let field = if t == List::type_ptr() {
                    LIST_SIZE
                } else if t == Tuple::type_ptr() {
                    TUPLE_SIZE
                } else if t == Dict::type_ptr() {
                    DICT_USED
                } else {
                    UNICODE_LEN
                };
                let (n, is) = sized(self.b().fload(v, field)?);
                (n, is)
            } else if exact::<Float>(a) {
                let x = self.float_of(v)?;
                let z = self.b().float(0.0);
                let is = float_value(a) != 0.0;
                (self.b().emit(Op::FNe, &[x, z])?, is)
            } else {
                let t = (*a).ob_type;
                let number = (*t).tp_as_number;
                let plain = (number.is_null() || (*number).nb_bool.is_none())
                    && ((*t).tp_as_mapping.is_null() || (*(*t).tp_as_mapping).mp_length.is_none())
                    && ((*t).tp_as_sequence.is_null() || (*(*t).tp_as_sequence).sq_length.is_none());
                if plain && self.guard_class(v, a)? {
                    return Ok(Some(true));
                }
                return Ok(None);
            };
            let zero = self.b().int(0);
            let c = self.b().emit(Op::Ne, &[n, zero])?;
            self.b().emit(if is { Op::GTrue } else { Op::GFalse }, &[c])?;
            Ok(Some(is))
        }
    }

    /// `in` and `not in`.
    pub(crate) unsafe fn contains(&mut self, arg: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let (aa, ba) = (self.actual(sp - 2), self.actual(sp - 1));
            let (a, b) = (self.get(sp - 2)?, self.get(sp - 1)?);
            // Strings among strings: looking runs no code.
            let plain = exact::<Str>(aa)
                && exact::<Dict>(ba)
                && Object::from_ptr(ba).downcast_unchecked::<Dict>().keys_are_strings();
            if self.special_method(
                lh_runtime::intern!("__contains__"),
                sp - 1,
                &[sp - 2],
                lh_interp::operators::PLAIN,
            )? {
                return Ok(());
            }
            let r = if plain {
                self.b().guard_type(a, (*aa).ob_type as u64, true)?;
                self.b().guard_type(b, (*ba).ob_type as u64, true)?;
                let r = self.b().call(h::CONTAINS_PLAIN, &[b, a], false)?;
                let zero = self.b().int(0);
                let ok = self.b().emit(Op::Ge, &[r, zero])?;
                self.b().emit(Op::GTrue, &[ok])?;
                r
            } else if exact::<Str>(aa) && exact::<Str>(ba) {
                self.b().guard_type(a, (*aa).ob_type as u64, true)?;
                self.b().guard_type(b, (*ba).ob_type as u64, true)?;
                self.b().call(h::STR_HAS, &[b, a], false)?
            } else if let Some(helper) = self.quiet_search(a, aa, b, ba)? {
                let r = self.b().call(helper, &[b, a], false)?;
                let zero = self.b().int(0);
                let ok = self.b().emit(Op::Ge, &[r, zero])?;
                self.b().emit(Op::GTrue, &[ok])?;
                r
            } else if let Some(r) = self.contains_slot(b, a, ba)? {
                r
            } else {
                self.call_status(h::CONTAINS, &[b, a], false)?
            };
            let one = self.b().int(if arg == 1 { 1 } else { 0 });
            let r = self.b().emit(Op::Xor, &[r, one])?;
            self.result_bool(2, &[ba, aa], r)
        }
    }
}
