//! Recording of calls: native signatures as one native call with unboxed values, the rest through the call protocol.

use crate::descs::*;
use crate::helpers as h;
use crate::manager::*;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_foreign::abi::{Loc, RetPlacement};
use lh_foreign::publish::{self, Published};
use lh_foreign::sig::{
    Accept, Effects as SigEffects, MachineValue, RangeRule, ResultKind, Target as SigTarget,
};
use lh_foreign::stub::BoxHelpers;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;

/// Does the object's owner publish a native signature?
pub fn publishes(o: &Object) -> bool {
    ask(o).is_some()
}
fn ask(o: &Object) -> Option<Published> {
    let f = o.vectorcall_function()?;
    // SAFETY: a live callable and its vectorcall function.
    unsafe { publish::native_sig(f as usize, o.as_ptr().cast()) }
}

pub(crate) fn mem_kind(v: MachineValue) -> Option<MemKind> {
    Some(match v {
        MachineValue::I8 => MemKind::I8,
        MachineValue::U8 => MemKind::U8,
        MachineValue::I16 => MemKind::I16,
        MachineValue::U16 => MemKind::U16,
        MachineValue::I32 => MemKind::I32,
        MachineValue::U32 => MemKind::U32,
        MachineValue::I64 | MachineValue::U64 => MemKind::I64,
        MachineValue::F32 => MemKind::F32,
        MachineValue::F64 => MemKind::F64,
        MachineValue::Ptr => MemKind::Ptr,
        MachineValue::Object | MachineValue::Record => return None,
    })
}
pub(crate) fn value_field(k: MemKind) -> u32 {
    match k {
        MemKind::I8 => VAL_I8,
        MemKind::U8 => VAL_U8,
        MemKind::I16 => VAL_I16,
        MemKind::U16 => VAL_U16,
        MemKind::I32 => VAL_I32,
        MemKind::U32 => VAL_U32,
        MemKind::I64 => VAL_I64,
        MemKind::F32 => VAL_F32,
        MemKind::F64 => VAL_F64,
        _ => VAL_PTR,
    }
}

/// What becomes of a native result.
#[derive(Clone, Copy)]
enum Outcome {
    None,
    Float,
    Bool,
    /// An integer that fits 63 bits and sign.
    Signed,
    /// 64 bits without sign.
    Unsigned,
    /// A pointer object of a class, made by a function.
    Pointer(usize, usize),
    /// What a boxing function makes of it ([`h::native_result`]).
    Boxed(i64, usize),
}

fn outcome(r: ResultKind, p: &Published) -> Option<Outcome> {
    let b: &BoxHelpers = p.helpers;
    Some(match r {
        ResultKind::Void => Outcome::None,
        ResultKind::F32 | ResultKind::F64 => Outcome::Float,
        ResultKind::Bool => Outcome::Bool,
        ResultKind::Int(MachineValue::U64) => Outcome::Unsigned,
        ResultKind::Int(_) => Outcome::Signed,
        ResultKind::CharP => Outcome::Boxed(h::BOX_POINTER, b.box_char_p as *const () as usize),
        ResultKind::WCharP => Outcome::Boxed(h::BOX_POINTER, b.box_wchar_p as *const () as usize),
        ResultKind::Wrap if let Some((class, make)) = p.pointer => {
            Outcome::Pointer(class as usize, make as usize)
        }
        ResultKind::Wrap => Outcome::Boxed(h::BOX_WRAP, b.wrap as *const () as usize),
        ResultKind::Char => Outcome::Boxed(h::BOX_BYTE, b.box_char as *const () as usize),
        ResultKind::WChar => Outcome::Boxed(h::BOX_WIDE, b.box_wchar as *const () as usize),
        ResultKind::AddressOrNone => Outcome::Boxed(h::BOX_ADDRESS, 0),
        ResultKind::Object | ResultKind::Record => return None,
    })
}

impl Recorder {
    /// PRECALL: a bound method gives its two parts to the stack.
    pub(crate) unsafe fn precall(&mut self, n: i32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let base = sp - n - 2;
            if !self.actual(base).is_null() {
                return Ok(());
            }
            // A method of `super()` has its parts apart already.
            let v = self.get(base)?;
            if self.b().const_of(v).is_none_or(|c| c == 0) {
                let m = self.actual(base + 1);
                if (*m).ob_type == Method::type_ptr() {
                    let v = self.get(base + 1)?;
                    self.b().guard_type(v, Method::type_ptr() as u64, true)?;
                    let f = self.b().fload(v, METHOD_FUNC)?;
                    let o = self.b().fload(v, METHOD_SELF)?;
                    self.b().own(f)?;
                    self.b().own(o)?;
                    let null = self.pop(base)?;
                    let v = self.pop(base + 1)?;
                    self.put(base, f)?;
                    self.put(base + 1, o)?;
                    self.b().drop_ref(null, ops::DROP_MAYBE_NULL)?;
                    self.release(v, m)?;
                }
            }
            Ok(())
        }
    }

    /// Calls a helper that works on the frame's stack in memory from `base` on; one result stays there.
    pub(crate) unsafe fn call_frame(&mut self, helper: u32, base: i32, n: i32, last: i64, low: i32) -> Rec {
        // SAFETY: as set_prev.
        unsafe { self.set_prev()? };
        let f = self.here();
        let (bv, nv) = (self.b().int(base as i64), self.b().int(n as i64));
        let x = if helper == h::CALL_STACK { self.b().object(last as u64) } else { self.b().int(last) };
        self.b().flush()?;
        let r = self.b().call(helper, &[f, bv, nv, x], false)?;
        let sp = self.sp;
        self.forget(low, sp.max(low + 1))?;
        self.act();
        self.snapshot(RAISE, self.pc, low)?;
        self.b().emit(Op::GTrue, &[r])?;
        Ok(())
    }

    pub(crate) unsafe fn call(&mut self, n: i32, next: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let base = sp - n - 2;
            let kw = std::mem::replace(&mut self.kwnames, std::ptr::null_mut());
            if !self.actual(base).is_null() {
                // LOAD_METHOD recorded as a bound attribute where the interpreter has function and object.
                let v = self.get(base)?;
                if self.b().const_of(v) == Some(0) {
                    return self.call_frame(h::CALL_STACK, base, n, kw as i64, base);
                }
            }
            if self.actual(base).is_null() {
                let v = self.get(base)?;
                self.b().emit(Op::GNull, &[v])?;
            }
            let callee = if self.actual(base).is_null() { self.actual(base + 1) } else { self.actual(base) };
            if kw.is_null()
                && self.actual(base).is_null()
                && !state().calls_back.contains(&self.at())
                && let Some(p) = ask(Object::from_ptr(callee))
                && self.native(&p, base, n, callee)?
            {
                return Ok(());
            }
            if self.call_method(base, kw, next)? {
                return Ok(());
            }
            let at = if self.actual(base).is_null() { base + 1 } else { base };
            if if kw.is_null() { self.builtin(base, at)? } else { self.builtin_named(base, at, kw)? } {
                return Ok(());
            }
            if self.inline_function(base, kw, next)? || self.inline_class(base, n, kw, next)? {
                return Ok(());
            }
            if kw.is_null() && self.actual(base).is_null() && self.direct_object(base, at)? {
                return Ok(());
            }
            self.call_frame(h::CALL_STACK, base, n, kw as i64, base)
        }
    }

    /// A call with a native signature; false if it has to go through the call protocol (nothing is recorded then but guards).
    unsafe fn native(&mut self, p: &Published, base: i32, n: i32, callee: *mut PyObject) -> Rec<bool> {
        // SAFETY: live operands; the types a signature names live as long as its version, which is guarded.
        unsafe {
            let sig = &*p.sig;
            let Some(outcome) = outcome(sig.result, p) else { return Ok(false) };
            let effects = sig.effects;
            if sig.checks.any()
                || sig.params.len() != n as usize
                || effects.has(SigEffects::MAY_THROW)
                || effects.has(SigEffects::MAY_RAISE)
            {
                return Ok(false);
            }
            let leaf = effects.has(SigEffects::LEAF);
            let release_gil = effects.has(SigEffects::RELEASES_GIL);
            if release_gil && !lh_runtime::thread::stealing_works() {
                return Ok(false);
            }
            // Are all arguments of kinds that are unboxed here?
            let mut plans = vec![];
            for (i, q) in sig.params.iter().enumerate() {
                let a = self.actual(base + 2 + i as i32);
                match q.accepts.iter().find(|x| accepts(x, a)) {
                    Some(x) if mem_kind(q.value).is_some() => plans.push((*x, q.value, a)),
                    _ => return Ok(false),
                }
            }
            let place = sig.placement();
            let mut args = vec![];
            for pieces in &place.args {
                let [piece] = pieces.as_slice() else { return Ok(false) };
                args.push(match piece.loc {
                    Loc::Int(r) => Place::Int(r),
                    Loc::Sse(r) => Place::Float(r),
                    Loc::Stack(o) => Place::Stack((o / 8) as u8),
                });
            }
            if !matches!(&place.ret, RetPlacement::Void | RetPlacement::Regs(_)) {
                return Ok(false);
            }
            let Some(version) = word(p.version_at) else { return Ok(false) };
            // The callable is a constant from here on.
            let fv = self.get(base + 1)?;
            let c = self.pin(callee);
            self.b().guard_value(fv, c)?;
            let w = self.b().fload(c, version)?;
            let want = self.b().ptr(p.version);
            self.b().guard_value(w, want)?;
            let mut values = vec![];
            let target = match sig.target {
                SigTarget::Constant(a) => Target::Addr(a as u64),
                SigTarget::Loaded { holder } => {
                    let Some(hw) = word(holder) else { return Ok(false) };
                    // The signature says how to call, whatever function is there now.
                    let q = self.b().fload(c, hw)?;
                    values.push(self.b().fload(q, VAL_PTR)?);
                    Target::FirstArg
                }
            };
            for (i, (accept, machine, a)) in plans.iter().enumerate() {
                let v = self.get(base + 2 + i as i32)?;
                values.push(self.unbox(v, *a, accept, *machine)?);
            }
            let kinds: Vec<ArgPlace> = sig
                .params
                .iter()
                .zip(&args)
                .map(|(q, pl)| ArgPlace { kind: mem_kind(q.value).expect("checked"), place: *pl })
                .collect();
            // Code that gives the GIL up can touch Python only through a callback or while another thread has the GIL:
            // both are noticed right behind the call. What is known of Python's objects holds if neither has happened.
            let raw = 1 << A_RAW;
            let call_effects = if leaf {
                Effects { reads: raw, writes: raw, flags: 0 }
            } else if release_gil {
                Effects { reads: raw, writes: raw, flags: MAY_FORCE }
            } else {
                Effects { reads: !0, writes: !0, flags: Effects::ARBITRARY.flags & !(RAISES | USES_FRAME) }
            };
            let ret = match sig.result.machine().and_then(mem_kind) {
                Some(k) => RetPlace::One(k),
                None if sig.result == ResultKind::Void => RetPlace::None,
                None => return Ok(false),
            };
            let desc = NativeDesc {
                name: "native".into(),
                target,
                args: kinds,
                ret,
                varargs: None,
                effects: call_effects,
            };
            let swap = effects.has(SigEffects::ERRNO).then(|| NativeDesc {
                name: "swap_errno".into(),
                target: Target::Addr(p.helpers.hooks.swap_errno as *const () as u64),
                args: vec![],
                ret: RetPlace::None,
                varargs: None,
                effects: Effects::NONE,
            });
            if !leaf && (!release_gil || !self.outer.is_empty()) {
                self.set_prev()?;
            }
            self.act();
            // The state during the call: operands gone from the stack, held by the trace.
            let mut operands = vec![];
            for s in (base..base + 2 + n).rev() {
                let a = self.actual(s);
                let v = self.pop(s)?;
                operands.push((v, a));
            }
            if !leaf {
                self.snapshot(RESUME, self.pc, base)?;
            }
            let ts = self.b().emit(Op::Ts, &[])?;
            if release_gil {
                let one = self.b().int(1);
                self.b().fstore(ts, IN_NATIVE, one)?;
            }
            if let Some(s) = &swap {
                self.b().native(s.clone(), &[], false)?;
            }
            let r = self.b().native(desc, &values, !leaf)?;
            if let Some(s) = swap {
                self.b().native(s, &[], false)?;
            }
            if release_gil {
                let zero = self.b().int(0);
                self.b().fstore(ts, IN_NATIVE, zero)?;
            }
            // Nothing of Python may be touched before the guards below: results are described, not made.
            let after = self.pc + 1 + op::cache_entries(op::CALL) as u32;
            let result = match outcome {
                Outcome::None => self.b().object(none_ref().as_ptr() as u64),
                Outcome::Float => self.b().emit(Op::BoxF, &[r])?,
                Outcome::Signed => self.b().emit(Op::BoxI, &[r])?,
                Outcome::Unsigned => self.b().new_object(UNSIGNED, &[r])?,
                Outcome::Bool => {
                    let zero = self.b().int(0);
                    let t = self.b().emit(Op::Ne, &[r, zero])?;
                    self.bool_object(t)?
                }
                Outcome::Pointer(class, make) => {
                    self.pin(class as *mut PyObject);
                    let class = self.b().ptr(class as u64);
                    let make = self.b().ptr(make as u64);
                    self.b().new_object(POINTER, &[class, make, r])?
                }
                Outcome::Boxed(how, boxer) => {
                    let how = self.b().int(how);
                    let f = self.b().ptr(boxer as u64);
                    let me = self.b().ptr(callee as u64);
                    let bits = if self.b().ty(r) == Ty::I64 { r } else { self.b().cast(Ty::I64, r)? };
                    self.b().new_object(NATIVE_OBJECT, &[how, f, me, bits])?
                }
            };
            self.put(base, result)?;
            let kind = if matches!(outcome, Outcome::Boxed(..)) { RESULT } else { RESUME };
            if !leaf {
                self.snapshot(kind, after, base + 1)?;
                self.b().emit(Op::GNotForced, &[])?;
                if release_gil {
                    self.b().emit(Op::GQuiet, &[])?;
                }
            }
            match outcome {
                Outcome::None | Outcome::Bool => self.b().own(result)?,
                Outcome::Unsigned => {
                    self.snapshot(kind, after, base + 1)?;
                    let zero = self.b().int(0);
                    let fits = self.b().emit(Op::Ge, &[r, zero])?;
                    self.b().emit(Op::GTrue, &[fits])?;
                    let big = self.pop(base)?;
                    self.b().drop_ref(big, 0)?;
                    let x = self.b().emit(Op::BoxI, &[r])?;
                    self.put(base, x)?;
                }
                Outcome::Boxed(..) => {
                    let x = self.pop(base)?;
                    self.snapshot(RAISE, self.pc, base)?;
                    self.b().emit(Op::GNonNull, &[x])?;
                    self.put(base, x)?;
                }
                _ => {}
            }
            self.snapshot(RESUME, after, base + 1)?;
            for (v, a) in operands {
                self.release(v, a)?;
            }
            Ok(true)
        }
    }

    unsafe fn unbox(&mut self, v: R, a: *mut PyObject, accept: &Accept, machine: MachineValue) -> Rec<R> {
        // SAFETY: live operands; offsets lie inside instances of the guarded types.
        unsafe {
            let Some(kind) = mem_kind(machine) else { return Err(Why::Operands(op::CALL)) };
            let pointer = machine == MachineValue::Ptr;
            let as_machine = |me: &mut Recorder, x: R| -> Rec<R> {
                if pointer && me.b().ty(x) == Ty::I64 { Ok(me.b().cast(Ty::Ptr, x)?) } else { Ok(x) }
            };
            match *accept {
                Accept::Int(_) => {
                    // Calls take the low bits.
                    let x = self.int_of(v)?;
                    as_machine(self, x)
                }
                Accept::Bool => {
                    let c = self.b().object(a as u64);
                    self.b().guard_value(v, c)?;
                    Ok(self.b().int(Object::from_ptr(a).is_true_object() as i64))
                }
                Accept::Float => self.float_of(v),
                Accept::IntAsFloat => {
                    let x = self.int_of(v)?;
                    let (l, w) = (self.b().int(1 << 53), self.b().int(2 << 53));
                    let s = self.b().emit(Op::Add, &[x, l])?;
                    let ok = self.b().emit(Op::Ult, &[s, w])?;
                    self.b().emit(Op::GTrue, &[ok])?;
                    Ok(self.b().emit(Op::I2F, &[x])?)
                }
                Accept::NoneAsNull => {
                    let c = self.b().object(a as u64);
                    self.b().guard_value(v, c)?;
                    Ok(self.b().ptr(0))
                }
                Accept::Bytes => {
                    self.b().guard_type(v, Bytes::type_ptr() as u64, true)?;
                    let off = self.b().int(32);
                    Ok(self.b().emit(Op::PAdd, &[v, off])?)
                }
                Accept::Word { ty, at } => {
                    self.b().guard_type(v, ty as u64, false)?;
                    let f = word(at).ok_or(Why::Operands(op::CALL))?;
                    let x = self.b().fload(v, f)?;
                    if pointer { Ok(x) } else { Ok(self.b().cast(Ty::I64, x)?) }
                }
                Accept::Pointee { ty, at } => {
                    self.b().guard_type(v, ty as u64, false)?;
                    let f = word(at).ok_or(Why::Operands(op::CALL))?;
                    let x = self.b().fload(v, f)?;
                    Ok(self.b().fload(x, value_field(kind))?)
                }
                Accept::WordAbout { ty, about, of, at } => {
                    self.b().guard_type(v, ty as u64, false)?;
                    let (Some(r), Some(w)) = (reference(about), word(at)) else {
                        return Err(Why::Operands(op::CALL));
                    };
                    let o = self.b().fload(v, r)?;
                    self.b().emit(Op::GNonNull, &[o])?;
                    self.b().guard_type(o, of as u64, false)?;
                    Ok(self.b().fload(v, w)?)
                }
                Accept::WordTagged { ty, tag_at, tag, at } => {
                    self.b().guard_type(v, ty as u64, false)?;
                    let (Some(t), Some(w)) = (byte(tag_at), word(at)) else {
                        return Err(Why::Operands(op::CALL));
                    };
                    let x = self.b().fload(v, t)?;
                    let want = self.b().int(tag as i64);
                    self.b().guard_value(x, want)?;
                    Ok(self.b().fload(v, w)?)
                }
                Accept::ByMeta { at, deref, .. } => {
                    // The class is one object; its metaclass and its data are settled once it has instances.
                    let t = (*a).ob_type;
                    self.pin(t.cast());
                    self.b().guard_type(v, t as u64, false)?;
                    let f = word(at).ok_or(Why::Operands(op::CALL))?;
                    let x = self.b().fload(v, f)?;
                    if deref { Ok(self.b().fload(x, VAL_PTR)?) } else { Ok(x) }
                }
                Accept::OneByte => {
                    self.b().guard_type(v, Bytes::type_ptr() as u64, true)?;
                    let n = self.b().fload(v, TUPLE_SIZE)?;
                    let one = self.b().int(1);
                    self.b().guard_value(n, one)?;
                    Ok(self.b().fload(v, BYTES_FIRST)?)
                }
                _ => Err(Why::Operands(op::CALL)),
            }
        }
    }
}

/// Is the live argument of the kind that this way of accepting takes (and that is recorded)?
unsafe fn accepts(x: &Accept, a: *mut PyObject) -> bool {
    // SAFETY: live objects; offsets lie inside instances of the types.
    unsafe {
        let t = (*a).ob_type;
        let at = |p: *mut PyObject, o: u32| *p.cast::<u8>().add(o as usize).cast::<*mut PyObject>();
        match *x {
            Accept::Int(RangeRule::Truncate | RangeRule::Word) => small(a, 1 << 59),
            Accept::Bool => t == Bool::type_ptr(),
            Accept::Float => t == Float::type_ptr(),
            Accept::IntAsFloat => small(a, 1 << 53),
            Accept::NoneAsNull => Object::from_ptr(a).is_none(),
            Accept::Bytes => t == Bytes::type_ptr(),
            Accept::Word { ty, .. } | Accept::Pointee { ty, .. } => t == ty.cast(),
            Accept::WordAbout { ty, about, of, .. } => {
                t == ty.cast() && !at(a, about).is_null() && (*at(a, about)).ob_type == of.cast()
            }
            Accept::WordTagged { ty, tag_at, tag, .. } => {
                t == ty.cast() && *a.cast::<u8>().add(tag_at as usize) == tag
            }
            Accept::ByMeta { meta, info_at, key_at, key, .. } => {
                if (*t).ob_base.ob_base.ob_type != meta.cast() {
                    return false;
                }
                let info = at(t.cast(), info_at);
                !info.is_null() && (key.is_null() || at(info, key_at) == key.cast())
            }
            Accept::OneByte => t == Bytes::type_ptr() && (*a.cast::<PyVarObject>()).ob_size == 1,
            _ => false,
        }
    }
}
