//! Recording of what lies in C memory: fields, items and values of data objects become loads and stores. Objects for
//! parts of other objects' memory (a struct in an array, what a pointer points to) stay virtual.

use crate::descs::*;
use crate::record::*;
use crate::record_call::{mem_kind, value_field};
use lh_abi::*;
use lh_foreign::place::{self, Held, Items, MEMORY_AT, Place};
use lh_foreign::sig::{MachineValue, RawObj, ResultKind};
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;

/// An attribute's place, found as `o.name` would be.
unsafe fn place_of(a: *mut PyObject, name: &Str) -> Option<Place> {
    // SAFETY: a live object; a descriptor's definition is static.
    unsafe {
        let d = Object::from_ptr(a).ty().lookup(name)?;
        let t = d.ob_type();
        (*t).tp_descr_set?;
        let function = match d.downcast_exact::<GetSetDescr>() {
            Some(g) => (*(*g.as_struct()).d_getset).get? as usize,
            None => (*t).tp_descr_get? as usize,
        };
        place::place(function, d.as_ptr().cast(), a.cast())
    }
}

unsafe fn items_of(a: *mut PyObject) -> Option<Items> {
    // SAFETY: a live object.
    unsafe {
        let m = (*(*a).ob_type).tp_as_mapping;
        if m.is_null() {
            return None;
        }
        place::items((*m).mp_subscript? as usize, a.cast())
    }
}

/// The memory an object stands for now; null if there is none to be read.
unsafe fn memory_now(a: *mut PyObject, through: bool) -> *mut u8 {
    // SAFETY: a live data object.
    unsafe {
        let p = *a.cast::<u8>().add(MEMORY_AT as usize).cast::<*mut u8>();
        if through && !p.is_null() { p.cast::<*mut u8>().read_unaligned() } else { p }
    }
}

/// How a plain value is read in a trace.
#[derive(Clone, Copy)]
pub(crate) enum Reading {
    Int(MemKind),
    /// 64 bits without sign, below 2^63 now.
    Unsigned,
    Float(MemKind),
    Bool,
    Address {
        null: bool,
    },
}

unsafe fn reading(r: ResultKind, at: *mut u8) -> Option<Reading> {
    // SAFETY: `at` is the value's memory, as the interpreter is about to read it.
    unsafe {
        Some(match r {
            ResultKind::Int(MachineValue::U64) if at.cast::<i64>().read_unaligned() >= 0 => Reading::Unsigned,
            ResultKind::Int(MachineValue::U64) => return None,
            ResultKind::Int(m) => Reading::Int(mem_kind(m)?),
            ResultKind::F32 => Reading::Float(MemKind::F32),
            ResultKind::F64 => Reading::Float(MemKind::F64),
            ResultKind::Bool => Reading::Bool,
            ResultKind::AddressOrNone => match at.cast::<i64>().read_unaligned() {
                v if v < 0 => return None,
                v => Reading::Address { null: v == 0 },
            },
            _ => return None,
        })
    }
}

/// What a store writes.
#[derive(Clone, Copy)]
pub(crate) enum Writing {
    Int(MemKind),
    Float(MemKind),
    Bool,
}

unsafe fn writing(held: Held, v: *mut PyObject) -> Option<Writing> {
    // SAFETY: a live object.
    unsafe {
        let Held::Value(r) = held else { return None };
        Some(match r {
            ResultKind::Int(m) if small(v, 1 << 62) => Writing::Int(mem_kind(m)?),
            ResultKind::F32 if exact::<Float>(v) || small(v, 1 << 53) => Writing::Float(MemKind::F32),
            ResultKind::F64 if exact::<Float>(v) || small(v, 1 << 53) => Writing::Float(MemKind::F64),
            ResultKind::Bool if exact::<Bool>(v) => Writing::Bool,
            _ => return None,
        })
    }
}

impl Recorder {
    /// The address of an object's memory.
    fn memory(&mut self, v: R, through: bool) -> Rec<R> {
        if !through {
            let at = word(MEMORY_AT).expect("a small offset");
            return Ok(self.b().fload(v, at)?);
        }
        let p = self.b().fload(v, POINTEE)?;
        self.b().emit(Op::GNonNull, &[p])?;
        Ok(p)
    }
    pub(crate) fn displaced(&mut self, p: R, by: R) -> Rec<R> {
        if self.b().const_of(by) == Some(0) {
            return Ok(p);
        }
        Ok(self.b().emit(Op::PAdd, &[p, by])?)
    }

    /// The object for a plain value at `p`, a new reference.
    pub(crate) fn read(&mut self, how: Reading, p: R) -> Rec<R> {
        Ok(match how {
            Reading::Int(k) => {
                let x = self.b().fload(p, value_field(k))?;
                self.b().emit(Op::BoxI, &[x])?
            }
            Reading::Unsigned => {
                let x = self.b().fload(p, VAL_I64)?;
                let zero = self.b().int(0);
                let ok = self.b().emit(Op::Ge, &[x, zero])?;
                self.b().emit(Op::GTrue, &[ok])?;
                self.b().emit(Op::BoxI, &[x])?
            }
            Reading::Float(k) => {
                let x = self.b().fload(p, value_field(k))?;
                self.b().emit(Op::BoxF, &[x])?
            }
            Reading::Bool => {
                let x = self.b().fload(p, VAL_U8)?;
                let zero = self.b().int(0);
                let t = self.b().emit(Op::Ne, &[x, zero])?;
                let o = self.bool_object(t)?;
                self.b().own(o)?;
                o
            }
            Reading::Address { null } => {
                let x = self.b().fload(p, VAL_I64)?;
                let zero = self.b().int(0);
                if null {
                    self.b().guard_value(x, zero)?;
                    let o = self.b().object(none_ref().as_ptr() as u64);
                    self.b().own(o)?;
                    return Ok(o);
                }
                let ok = self.b().emit(Op::Gt, &[x, zero])?;
                self.b().emit(Op::GTrue, &[ok])?;
                self.b().emit(Op::BoxI, &[x])?
            }
        })
    }

    /// The object for a part of `v`'s memory, a new reference.
    fn part(&mut self, v: R, class: RawObj, make: place::PartMaker, index: R, p: R) -> Rec<R> {
        // The class is kept by the asked object's class, which is guarded.
        self.pin(class.cast());
        let class = self.b().ptr(class as u64);
        let make = self.b().ptr(make as usize as u64);
        self.b().own(v)?;
        Ok(self.b().new_object(PART, &[class, make, v, index, p])?)
    }

    /// `o.name` in C memory; `None` if it is not there.
    pub(crate) unsafe fn load_place(&mut self, v: R, a: *mut PyObject, name: &Str) -> Rec<Option<R>> {
        // SAFETY: live operands; the place lies in the object's memory.
        unsafe {
            if (*(*a).ob_type).tp_getattro != Some(lh_runtime::typeobject::generic_getattro) {
                return Ok(None);
            }
            let Some(at) = place_of(a, name) else { return Ok(None) };
            let now = memory_now(a, at.through);
            if now.is_null() {
                return Ok(None);
            }
            let how = match at.held {
                Held::Value(r) => match reading(r, now.add(at.offset)) {
                    None => return Ok(None),
                    how => how,
                },
                Held::Part { .. } => None,
            };
            if !self.guard_class(v, a)? {
                return Ok(None);
            }
            let p = self.memory(v, at.through)?;
            let by = self.b().int(at.offset as i64);
            let p = self.displaced(p, by)?;
            Ok(Some(match (how, at.held) {
                (Some(how), _) => self.read(how, p)?,
                (None, Held::Part { class, make }) => {
                    let index = self.b().int(at.index as i64);
                    self.part(v, class, make, index, p)?
                }
                _ => return Ok(None),
            }))
        }
    }

    /// Address of item `k` (an int) of a data object, bounds guarded; what is held there; the address now.
    unsafe fn item_memory(
        &mut self,
        o: R,
        k: R,
        oa: *mut PyObject,
        ka: *mut PyObject,
        fits: impl Fn(Held, *mut u8) -> bool,
    ) -> Rec<Option<(R, R, Held)>> {
        // SAFETY: live operands.
        unsafe {
            let Some(at) = items_of(oa) else { return Ok(None) };
            if !small(ka, 1 << 31) || at.stride > 1 << 20 {
                return Ok(None);
            }
            let i = value(ka);
            let now = memory_now(oa, at.through);
            if now.is_null() || at.len.is_some_and(|n| i < 0 || i as usize >= n) {
                return Ok(None);
            }
            if !fits(at.held, now.offset(i as isize * at.stride as isize)) || !self.guard_class(o, oa)? {
                return Ok(None);
            }
            let i = self.int_of(k)?;
            match at.len {
                Some(n) => {
                    let n = self.b().int(n as i64);
                    let ok = self.b().emit(Op::Ult, &[i, n])?;
                    self.b().emit(Op::GTrue, &[ok])?;
                }
                None => self.guard_below(i, 1 << 31)?,
            }
            let p = self.memory(o, at.through)?;
            let stride = self.b().int(at.stride as i64);
            let by = self.b().emit(Op::Mul, &[i, stride])?;
            let p = self.displaced(p, by)?;
            Ok(Some((p, i, at.held)))
        }
    }

    /// `o[k]` in C memory; `None` if it is not there.
    pub(crate) unsafe fn load_item(
        &mut self,
        o: R,
        k: R,
        oa: *mut PyObject,
        ka: *mut PyObject,
    ) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let how = std::cell::Cell::new(None);
            let fits = |held, at| match held {
                Held::Value(r) => {
                    how.set(reading(r, at));
                    how.get().is_some()
                }
                Held::Part { .. } => true,
            };
            let Some((p, i, held)) = self.item_memory(o, k, oa, ka, fits)? else { return Ok(None) };
            Ok(Some(match (how.get(), held) {
                (Some(how), _) => self.read(how, p)?,
                (None, Held::Part { class, make }) => self.part(o, class, make, i, p)?,
                _ => return Ok(None),
            }))
        }
    }

    /// The machine value that a store writes, guards included.
    pub(crate) unsafe fn written_value(&mut self, w: Writing, v: R, a: *mut PyObject) -> Rec<(u32, R)> {
        // SAFETY: a live operand.
        unsafe {
            Ok(match w {
                Writing::Int(k) => (value_field(k), self.int_of(v)?),
                Writing::Float(k) => {
                    (value_field(k), self.number_of(v, a, lh_bytecode::opcode::STORE_SUBSCR)?)
                }
                Writing::Bool => {
                    let c = self.b().object(a as u64);
                    self.b().guard_value(v, c)?;
                    (VAL_U8, self.b().int(Object::from_ptr(a).is_true_object() as i64))
                }
            })
        }
    }

    /// `o.name = x` in C memory, for the stack `x, o`; false if it is not there.
    pub(crate) unsafe fn store_place(&mut self, v: R, a: *mut PyObject, name: &Str) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let xa = self.actual(sp - 2);
            if (*(*a).ob_type).tp_setattro != Some(lh_runtime::typeobject::generic_setattro) {
                return Ok(false);
            }
            let Some(at) = place_of(a, name) else { return Ok(false) };
            let Some(w) = writing(at.held, xa) else { return Ok(false) };
            if memory_now(a, at.through).is_null() || !self.guard_class(v, a)? {
                return Ok(false);
            }
            let x = self.get(sp - 2)?;
            let (field, x) = self.written_value(w, x, xa)?;
            let p = self.memory(v, at.through)?;
            let by = self.b().int(at.offset as i64);
            let p = self.displaced(p, by)?;
            let ov = self.pop(sp - 1)?;
            let xv = self.pop(sp - 2)?;
            self.b().fstore(p, field, x)?;
            self.act();
            self.release(ov, a)?;
            self.release(xv, xa)?;
            Ok(true)
        }
    }

    /// `o[k] = x` in C memory, for the stack `x, o, k`; false if it is not there.
    pub(crate) unsafe fn store_item(&mut self, o: R, k: R) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let (xa, oa, ka) = (self.actual(sp - 3), self.actual(sp - 2), self.actual(sp - 1));
            let how = std::cell::Cell::new(None);
            let fits = |held, _| {
                how.set(writing(held, xa));
                how.get().is_some()
            };
            let Some((p, _, _)) = self.item_memory(o, k, oa, ka, fits)? else { return Ok(false) };
            let Some(w) = how.get() else { return Ok(false) };
            let x = self.get(sp - 3)?;
            let (field, x) = self.written_value(w, x, xa)?;
            let kv = self.pop(sp - 1)?;
            let ov = self.pop(sp - 2)?;
            let xv = self.pop(sp - 3)?;
            self.b().fstore(p, field, x)?;
            self.act();
            self.release(kv, ka)?;
            self.release(ov, oa)?;
            self.release(xv, xa)?;
            Ok(true)
        }
    }
}
