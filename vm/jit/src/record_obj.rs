//! Recording of attributes, globals and subscripts.

use crate::descs::*;
use crate::helpers as h;
use crate::record::*;
use crate::record_text::sliceable;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::plans::{self, AttrPlan, MethodPlan};
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::instance;
use lh_runtime::prelude::*;

impl Recorder {
    /// The name number `i` of the code.
    pub(crate) unsafe fn name<'a>(&self, i: u32) -> &'a Str {
        // SAFETY: the code is pinned.
        unsafe {
            let t = (*self.code).co_names.cast::<PyTupleObject>();
            Object::from_ptr(*(&raw const (*t).ob_item).cast::<*mut PyObject>().add(i as usize))
                .downcast_unchecked()
        }
    }

    /// Guards that the keys of a dictionary (a constant) are what they are now.
    pub(crate) unsafe fn guard_keys(&mut self, d: &Dict) -> Rec {
        let version = d.keys_version();
        let p = self.pin(d.raw());
        let table = self.b().fload(p, DICT_TABLE)?;
        let v = self.b().fload(table, TABLE_VERSION)?;
        let want = self.b().int(version as i64);
        self.b().guard_value(v, want)?;
        Ok(())
    }
    /// The value of an entry whose dictionary's keys are guarded. Values that programs rarely change become constants.
    pub(crate) unsafe fn entry(&mut self, d: &Dict, index: usize) -> Rec<(R, *mut PyObject)> {
        // SAFETY: the index is valid under the keys' version.
        unsafe {
            let at = d.value_ptr_at(index);
            let actual = *at;
            if actual.is_null() {
                return Err(Why::Unbound);
            }
            let p = self.b().ptr(at as u64);
            let v = self.b().fload(p, ENTRY_VALUE)?;
            if stable(actual) {
                let c = self.pin(actual);
                self.b().guard_value(v, c)?;
                return Ok((c, actual));
            }
            self.b().emit(Op::GNonNull, &[v])?;
            Ok((v, actual))
        }
    }

    /// The frame's globals are those of now. An inlined frame's always are.
    unsafe fn guard_globals(&mut self) -> Rec {
        // SAFETY: the frame is live.
        unsafe {
            if self.base.is_none() {
                let g = (*self.frame).globals;
                let f = self.b().frame();
                let have = self.b().fload(f, FRAME_GLOBALS)?;
                let want = self.b().ptr(g as u64);
                self.b().guard_value(have, want)?;
            }
            Ok(())
        }
    }

    pub(crate) unsafe fn load_global(&mut self, arg: u32) -> Rec {
        // SAFETY: the frame's namespaces are live.
        unsafe {
            let name = self.name(arg >> 1);
            let g = (*self.frame).globals;
            let Some(globals) = Object::from_ptr(g).downcast_exact::<Dict>() else {
                return Err(Why::Operands(op::LOAD_GLOBAL));
            };
            self.guard_globals()?;
            let (v, _) = match globals.index_of(name) {
                Some(i) => {
                    self.guard_keys(globals)?;
                    self.entry(globals, i)?
                }
                None => {
                    let bp = (*self.frame).builtins;
                    let Some(builtins) = Object::from_ptr(bp).downcast_exact::<Dict>() else {
                        return Err(Why::Operands(op::LOAD_GLOBAL));
                    };
                    if self.base.is_none() {
                        let f = self.b().frame();
                        let have = self.b().fload(f, FRAME_BUILTINS)?;
                        let want = self.b().ptr(bp as u64);
                        self.b().guard_value(have, want)?;
                    }
                    let Some(i) = builtins.index_of(name) else { return Err(Why::Unbound) };
                    self.guard_keys(globals)?;
                    self.guard_keys(builtins)?;
                    self.entry(builtins, i)?
                }
            };
            self.b().own(v)?;
            self.support(v);
            let mut sp = self.sp;
            if arg & 1 != 0 {
                let null = self.b().null();
                self.put(sp, null)?;
                sp += 1;
            }
            self.put(sp, v)
        }
    }

    pub(crate) unsafe fn store_global(&mut self, arg: u32) -> Rec {
        // SAFETY: the frame's namespaces are live.
        unsafe {
            let sp = self.sp;
            let g = (*self.frame).globals;
            if !Object::from_ptr(g).is_exact::<Dict>() {
                return Err(Why::Operands(op::STORE_GLOBAL));
            }
            let name = self.name(arg);
            let a = self.actual(sp - 1);
            let d = Object::from_ptr(g).downcast_unchecked::<Dict>();
            if let Some(i) = d.index_of(name)
                && let Some(now) = d.value_at(i)
                && !stable(now.as_ptr())
            {
                let now = now.as_ptr();
                self.guard_globals()?;
                self.guard_keys(d)?;
                let dv = self.pin(g);
                let index = self.b().int(i as i64);
                let silent = self.is_silent(now);
                if silent {
                    let p = self.b().ptr(d.value_ptr_at(i) as u64);
                    let old = self.b().fload(p, ENTRY_VALUE)?;
                    self.b().emit(Op::GNonNull, &[old])?;
                    self.b().guard_type(old, (*now).ob_type as u64, true)?;
                } else {
                    self.set_prev()?;
                }
                let v = self.pop(sp - 1)?;
                self.b().call(
                    if silent { h::STORE_ENTRY } else { h::STORE_ENTRY_ANY },
                    &[dv, index, v],
                    false,
                )?;
                self.act();
                return self.release(v, a);
            }
            let v = self.get(sp - 1)?;
            let f = self.here();
            let gp = self.b().fload(f, FRAME_GLOBALS)?;
            let n = self.b().object(name.raw() as u64);
            self.call_status(h::STORE_GLOBAL, &[gp, n, v], true)?;
            let v = self.pop(sp - 1)?;
            self.release(v, a)
        }
    }

    /// Guards type and version of an instance of a class.
    pub(crate) unsafe fn guard_class(&mut self, v: R, actual: *mut PyObject) -> Rec<bool> {
        // SAFETY: a live object.
        unsafe {
            let t = (*actual).ob_type;
            let ty = Object::from_ptr(actual).ty();
            let version = ty.version();
            if version == 0 {
                return Ok(false);
            }
            let fixed = (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0;
            self.pin(t.cast());
            self.b().guard_type(v, t as u64, fixed)?;
            if !fixed {
                let tp = self.b().ptr(t as u64);
                let x = self.b().fload(tp, TYPE_VERSION)?;
                let want = self.b().int(version as i64);
                self.b().guard_value(x, want)?;
            }
            Ok(true)
        }
    }

    /// Does the class's attribute of a name (if it has one) come after the instance's? Guards that it stays so.
    unsafe fn yields(&mut self, d: Option<Owned<Object>>) -> Rec<bool> {
        // SAFETY: live objects.
        unsafe {
            let Some(d) = d else { return Ok(true) };
            let t = d.ob_type();
            if (*t).tp_descr_set.is_some() {
                return Ok(false);
            }
            if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
                return Ok(true);
            }
            let v = self.pin(d.as_ptr());
            self.guard_class(v, d.as_ptr())
        }
    }

    /// The place of an attribute in an instance's values: guards included. The value's address parts.
    pub(crate) unsafe fn instance_value(
        &mut self,
        v: R,
        actual: *mut PyObject,
        name: &Str,
    ) -> Rec<Option<(R, R, *mut PyObject)>> {
        // SAFETY: a live object.
        unsafe {
            let ob = Object::from_ptr(actual);
            if !instance::is_managed(ob)
                || !plans::generic((*actual).ob_type)
                || !(*instance::dict_word(actual)).is_null()
                || !self.yields(ob.ty().lookup(name))?
            {
                return Ok(None);
            }
            let Some(i) = (*instance::shared_keys((*actual).ob_type)).index_of(name.raw()) else {
                return Ok(None);
            };
            if i >= instance::capacity(actual) {
                return Ok(None);
            }
            let now = *instance::value_at(actual, i);
            if now.is_null() || !self.guard_class(v, actual)? {
                return Ok(None);
            }
            let d = self.b().fload(v, INST_DICT)?;
            self.b().emit(Op::GNull, &[d])?;
            let base = self.b().fload(v, INST_BASE)?;
            // Instances of one class may have blocks of different capacity.
            let cap = self.b().fload(base, INST_CAPACITY)?;
            let k = self.b().int(i as i64);
            let ok = self.b().emit(Op::Gt, &[cap, k])?;
            self.b().emit(Op::GTrue, &[ok])?;
            Ok(Some((base, k, now)))
        }
    }

    /// An attribute in an instance's dictionary, once it has one.
    unsafe fn dict_value(
        &mut self,
        v: R,
        actual: *mut PyObject,
        name: &Str,
    ) -> Rec<Option<(R, *mut PyObject)>> {
        // SAFETY: a live object.
        unsafe {
            let ob = Object::from_ptr(actual);
            if !instance::is_managed(ob)
                || !plans::generic((*actual).ob_type)
                || (*instance::dict_word(actual)).is_null()
                || !self.yields(ob.ty().lookup(name))?
            {
                return Ok(None);
            }
            let Some(d) = Object::from_ptr(*instance::dict_word(actual)).downcast_exact::<Dict>() else {
                return Ok(None);
            };
            let version = d.keys_version();
            let Some(i) = d.index_of(name).filter(|_| version != 0) else { return Ok(None) };
            if d.value_at(i).is_none() || !self.guard_class(v, actual)? {
                return Ok(None);
            }
            let p = self.b().fload(v, INST_DICT)?;
            self.b().emit(Op::GNonNull, &[p])?;
            // A version belongs to one table.
            let table = self.b().fload(p, DICT_TABLE)?;
            let have = self.b().fload(table, TABLE_VERSION)?;
            let want = self.b().int(version as i64);
            self.b().guard_value(have, want)?;
            Ok(Some(self.entry(d, i)?))
        }
    }

    pub(crate) unsafe fn load_attr(&mut self, arg: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let name = self.name(arg);
            let a = self.actual(sp - 1);
            let v = self.get(sp - 1)?;
            if let Some((base, k, _)) = self.instance_value(v, a, name)? {
                let x = self.b().aload(base, INST_VALUE, k)?;
                self.b().emit(Op::GNonNull, &[x])?;
                self.b().own(x)?;
                let kept = self.supports(v);
                self.result(1, &[a], x)?;
                if kept {
                    self.support(x);
                }
                return Ok(());
            }
            if let Some(x) = self.module_value(v, a, name)? {
                self.b().own(x)?;
                return self.result(1, &[a], x);
            }
            if let Some((x, _)) = self.dict_value(v, a, name)? {
                self.b().own(x)?;
                return self.result(1, &[a], x);
            }
            match plans::plan_attr(Object::from_ptr(a), name) {
                AttrPlan::Slot { offset, .. }
                    if let Some(f) = reference(offset as u32)
                        && !(*a.cast::<u8>().add(offset).cast::<*mut PyObject>()).is_null()
                        && self.guard_class(v, a)? =>
                {
                    let x = self.b().fload(v, f)?;
                    self.b().emit(Op::GNonNull, &[x])?;
                    self.b().own(x)?;
                    let kept = self.supports(v);
                    self.result(1, &[a], x)?;
                    if kept {
                        self.support(x);
                    }
                    return Ok(());
                }
                AttrPlan::ClassAttr { version, value } => {
                    let c = self.pin(a);
                    self.b().guard_value(v, c)?;
                    let x = self.b().fload(c, TYPE_VERSION)?;
                    let want = self.b().int(version as i64);
                    self.b().guard_value(x, want)?;
                    let x = self.pin(value);
                    self.b().own(x)?;
                    return self.result(1, &[a], x);
                }
                _ => {}
            }
            if let Some(x) = self.in_class(a, name) {
                // What is in the class as it is, or binds to nothing.
                let is = (*x.ob_type()).tp_descr_get.is_none() || x.is_exact::<Function>();
                let held = x.downcast_exact::<StaticMethod>().and_then(|s| s.callable());
                if let Some(x) = if is { Some(&*x) } else { held }
                    && self.guard_in_class(v, a)?
                {
                    let x = self.pin(x.as_ptr());
                    self.b().own(x)?;
                    return self.result(1, &[a], x);
                }
            }
            if let Some(x) = self.load_place(v, a, name)? {
                return self.result(1, &[a], x);
            }
            if let Some(x) = self.load_described(v, a, name)? {
                return self.result(1, &[a], x);
            }
            // The method of a type from C, bound: on its way to a call, mostly.
            let t = (*a).ob_type;
            if plans::generic(t)
                && (*t).tp_dictoffset == 0
                && let Some(m) = Type::from_raw_ref(t).lookup(name)
                && let Some(d) = m.downcast_exact::<MethodDescr>()
                && (*d.def()).ml_flags & METH_METHOD == 0
                && self.guard_class(v, a)?
            {
                self.b().own(v)?;
                let def = self.b().ptr(d.def() as u64);
                let x = self.b().new_object(BOUND_METHOD, &[def, v])?;
                return self.result(1, &[a], x);
            }
            if let Some(x) = self.class_attribute(v, a, name)? {
                self.b().own(x)?;
                return self.result(1, &[a], x);
            }
            if self.attribute_method(v, a, name)? {
                return Ok(());
            }
            let n = self.b().object(name.raw() as u64);
            let x = self.call_ref(h::GET_ATTR, &[v, n])?;
            self.result(1, &[a], x)
        }
    }

    /// What a class that is asked for an attribute finds in its MRO, if the metaclass has no say in that.
    unsafe fn in_class(&self, a: *mut PyObject, name: &Str) -> Option<Owned<Object>> {
        // SAFETY: a live object.
        unsafe {
            if (*(*a).ob_type).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS == 0 {
                return None;
            }
            let c = Object::from_ptr(a).downcast_unchecked::<Type>();
            let meta = c.ty();
            if !lh_runtime::slot_calls::finds_as_type(meta).0
                || meta.lookup(name).is_some_and(|d| (*d.ob_type()).tp_descr_set.is_some())
            {
                return None;
            }
            c.lookup(name)
        }
    }
    /// Guards that a value is this class and that neither it nor its metaclass has changed.
    unsafe fn guard_in_class(&mut self, v: R, a: *mut PyObject) -> Rec<bool> {
        // SAFETY: a live class.
        unsafe {
            let version = Type::from_raw_ref(a.cast()).version();
            if version == 0 || !self.guard_class(v, a)? {
                return Ok(false);
            }
            let c = self.pin(a);
            self.b().guard_value(v, c)?;
            let x = self.b().fload(c, TYPE_VERSION)?;
            let want = self.b().int(version as i64);
            self.b().guard_value(x, want)?;
            Ok(true)
        }
    }

    /// The class and static methods that are Python functions: through a class, or an instance that has no such attribute.
    unsafe fn unbound_method(&mut self, v: R, a: *mut PyObject, name: &Str) -> Rec<bool> {
        // SAFETY: a live operand.
        unsafe {
            let t = (*a).ob_type;
            let ob = Object::from_ptr(a);
            let of_class = (*t).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0;
            let found = if of_class {
                self.in_class(a, name)
            } else if lh_runtime::slot_calls::finds_generically(ob.ty()).0 {
                ob.ty().lookup(name)
            } else {
                None
            };
            let Some(x) = found else { return Ok(false) };
            let class = x.downcast_exact::<ClassMethod>().and_then(|m| m.callable());
            let held = x.downcast_exact::<StaticMethod>().and_then(|m| m.callable());
            let plain = if of_class && x.is_exact::<Function>() { Some(&*x) } else { None };
            let Some(f) = class.or(held).or(plain).filter(|f| f.is_exact::<Function>()) else {
                return Ok(false);
            };
            let sure = if of_class { self.guard_in_class(v, a)? } else { self.has_no_own(v, a, name)? };
            if !sure {
                return Ok(false);
            }
            let f = self.pin(f.as_ptr());
            if class.is_none() {
                self.method_none(a, f)?;
                return Ok(true);
            }
            let sp = self.sp;
            let c = self.pin(if of_class { a } else { t.cast() });
            self.b().own(f)?;
            self.b().own(c)?;
            let o = self.pop(sp - 1)?;
            self.put(sp - 1, f)?;
            self.put(sp, c)?;
            self.release(o, a)?;
            Ok(true)
        }
    }

    /// `o.name` where only the class has it and it is no descriptor: a constant.
    unsafe fn class_attribute(&mut self, v: R, a: *mut PyObject, name: &Str) -> Rec<Option<R>> {
        // SAFETY: a live object.
        unsafe {
            let ob = Object::from_ptr(a);
            let t = (*a).ob_type;
            if !plans::generic(t)
                || !instance::is_managed(ob)
                || !(*instance::dict_word(a)).is_null()
                || (*instance::shared_keys(t)).index_of(name.raw()).is_some()
            {
                return Ok(None);
            }
            let Some(x) = ob.ty().lookup(name) else { return Ok(None) };
            if (*x.ob_type()).tp_descr_get.is_some() || (*x.ob_type()).tp_descr_set.is_some() {
                return Ok(None);
            }
            if !self.guard_class(v, a)? {
                return Ok(None);
            }
            let d = self.b().fload(v, INST_DICT)?;
            self.b().emit(Op::GNull, &[d])?;
            let keys = instance::shared_keys(t);
            let p = self.b().ptr((*keys).len_ptr() as u64);
            let n = self.b().fload(p, KEYS_LEN)?;
            let want = self.b().int((*keys).len() as i64);
            self.b().guard_value(n, want)?;
            Ok(Some(self.pin(x.ptr())))
        }
    }

    /// An attribute of a module that is a constant.
    unsafe fn module_value(&mut self, v: R, actual: *mut PyObject, name: &Str) -> Rec<Option<R>> {
        // SAFETY: a live object.
        unsafe {
            let ob = Object::from_ptr(actual);
            let Some(m) = ob.downcast_exact::<Module>() else { return Ok(None) };
            if ob.ty().lookup(name).is_some() {
                return Ok(None);
            }
            let Some(i) = m.dict().index_of(name) else { return Ok(None) };
            let c = self.pin(actual);
            self.b().guard_value(v, c)?;
            self.guard_keys(m.dict())?;
            Ok(Some(self.entry(m.dict(), i)?.0))
        }
    }

    pub(crate) unsafe fn store_attr(&mut self, arg: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let name = self.name(arg);
            let (va, a) = (self.actual(sp - 2), self.actual(sp - 1));
            let v = self.get(sp - 1)?;
            let plain = (*(*a).ob_type).tp_setattro == Some(lh_runtime::typeobject::generic_setattro);
            let x = self.get(sp - 2)?;
            if self.b().is_virtual(v) && self.b().contains(x, v) {
                // An object that is to hold itself has to exist.
                self.b().cast(Ty::Ptr, v)?;
            }
            let is_virtual = self.b().is_virtual(v);
            if plain && let Some((base, k, now)) = self.instance_value(v, a, name)? {
                let old = self.b().aload(base, INST_VALUE, k)?;
                self.b().emit(Op::GNonNull, &[old])?;
                let silent = self.b().descs().silent_types.contains(&((*now).ob_type as u64));
                if silent {
                    self.b().guard_type(old, (*now).ob_type as u64, true)?;
                }
                let o = self.pop(sp - 1)?;
                let x = self.pop(sp - 2)?;
                if silent {
                    self.b().replace(base, INST_VALUE, k, old, x)?;
                    self.act();
                    return self.release(o, a);
                }
                self.b().astore(base, INST_VALUE, k, x)?;
                if is_virtual {
                    // The object's references are the trace's.
                    self.acted = true;
                    self.release(old, now)?;
                    return self.release(o, a);
                }
                self.b().emit_ty(Op::Yield, Ty::Void, &[x], 0)?;
                self.act();
                self.gone(old, now)?;
                return self.release(o, a);
            }
            if plain && let Some((place, old, now)) = self.member_place(v, a, name)? {
                let o = self.pop(sp - 1)?;
                let x = self.pop(sp - 2)?;
                self.b().fstore(v, place, x)?;
                if is_virtual {
                    self.acted = true;
                    self.release(old, now)?;
                    return self.release(o, a);
                }
                self.b().emit_ty(Op::Yield, Ty::Void, &[x], 0)?;
                self.act();
                self.gone(old, now)?;
                return self.release(o, a);
            }
            if self.store_place(v, a, name)? || self.store_described(v, a, name)? {
                return Ok(());
            }
            // An attribute set for the first time.
            if plain
                && let AttrPlan::Value { index, .. } = plans::plan_store(Object::from_ptr(a), name)
                && (index..instance::capacity(a)).all(|i| (*instance::value_at(a, i)).is_null())
                && self.guard_class(v, a)?
            {
                let i = self.b().int(index as i64);
                if is_virtual {
                    let d = self.b().fload(v, INST_DICT)?;
                    self.b().emit(Op::GNull, &[d])?;
                    let base = self.b().fload(v, INST_BASE)?;
                    let old = self.b().aload(base, INST_VALUE, i)?;
                    self.b().emit(Op::GNull, &[old])?;
                    let o = self.pop(sp - 1)?;
                    let x = self.pop(sp - 2)?;
                    self.b().astore(base, INST_VALUE, i, x)?;
                    self.acted = true;
                    return self.release(o, a);
                }
                let x = self.get(sp - 2)?;
                let ok = self.b().call(h::SET_FIRST, &[v, i, x], false)?;
                self.b().emit(Op::GTrue, &[ok])?;
                self.act();
                let o = self.pop(sp - 1)?;
                let x = self.pop(sp - 2)?;
                self.b().drop_ref(x, ops::DROP_NOT_LAST)?;
                return self.release(o, a);
            }
            if self.store_method(v, a, name)? {
                return Ok(());
            }
            let x = self.get(sp - 2)?;
            let n = self.b().object(name.raw() as u64);
            self.call_status(h::SET_ATTR, &[v, n, x], true)?;
            let o = self.pop(sp - 1)?;
            let x = self.pop(sp - 2)?;
            self.release(o, a)?;
            self.release(x, va)
        }
    }

    /// Where the value of a `__slots__` member goes; what it held.
    unsafe fn member_place(
        &mut self,
        v: R,
        a: *mut PyObject,
        name: &Str,
    ) -> Rec<Option<(u32, R, *mut PyObject)>> {
        // SAFETY: a live object.
        unsafe {
            match plans::plan_store(Object::from_ptr(a), name) {
                AttrPlan::Slot { offset, .. } => {
                    let Some(f) = reference(offset as u32) else { return Ok(None) };
                    let now = *a.cast::<u8>().add(offset).cast::<*mut PyObject>();
                    if !self.guard_class(v, a)? {
                        return Ok(None);
                    }
                    let old = self.b().fload(v, f)?;
                    if now.is_null() {
                        self.b().emit(Op::GNull, &[old])?;
                    } else {
                        self.b().emit(Op::GNonNull, &[old])?;
                        self.prepare_release(old, now)?;
                    }
                    Ok(Some((f, old, now)))
                }
                _ => Ok(None),
            }
        }
    }

    pub(crate) unsafe fn load_method(&mut self, arg: u32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let name = self.name(arg);
            let a = self.actual(sp - 1);
            let v = self.get(sp - 1)?;
            let ob = Object::from_ptr(a);
            if self.super_method(v, a, name)? {
                return Ok(());
            }
            if let Some(x) = self.module_value(v, a, name)? {
                return self.method_none(a, x);
            }
            if let Some((base, k, now)) = self.instance_value(v, a, name)? {
                let x = self.b().aload(base, INST_VALUE, k)?;
                if stable(now) {
                    let c = self.pin(now);
                    self.b().guard_value(x, c)?;
                } else {
                    self.b().emit(Op::GNonNull, &[x])?;
                }
                self.b().own(x)?;
                return self.method_none_owned(a, x);
            }
            if let Some((x, _)) = self.dict_value(v, a, name)? {
                return self.method_none(a, x);
            }
            if let MethodPlan::Class { version, func } = plans::plan_method(ob, name) {
                let c = self.pin(a);
                self.b().guard_value(v, c)?;
                let x = self.b().fload(c, TYPE_VERSION)?;
                let want = self.b().int(version as i64);
                self.b().guard_value(x, want)?;
                let x = self.pin(func);
                return self.method_none(a, x);
            }
            if let MethodPlan::Bound { version, def, of_class } = plans::plan_method(ob, name) {
                let c = if of_class {
                    let c = self.pin(a);
                    self.b().guard_value(v, c)?;
                    let x = self.b().fload(c, TYPE_VERSION)?;
                    let want = self.b().int(version as i64);
                    self.b().guard_value(x, want)?;
                    Some(c)
                } else if self.guard_class(v, a)? {
                    Some(self.pin((*a).ob_type.cast()))
                } else {
                    None
                };
                if let Some(c) = c {
                    self.b().own(c)?;
                    let def = self.b().ptr(def as u64);
                    let m = self.b().new_object(BOUND_METHOD, &[def, c])?;
                    return self.method_none_owned(a, m);
                }
            }
            if let Some(c) = self.class_method(v, a, ob, name)? {
                self.b().own(c)?;
                let o = self.pop(sp - 1)?;
                self.put(sp - 1, c)?;
                return self.put(sp, o);
            }
            if self.unbound_method(v, a, name)? {
                return Ok(());
            }
            // A method of a built-in type without instance dictionary.
            let t = (*a).ob_type;
            if (*t).tp_getattro == Some(lh_runtime::typeobject::generic_getattro)
                && (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0
                && (*t).tp_dictoffset == 0
                && let Some(m) = ob.ty().lookup(name)
                && (*m.ob_type()).tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR != 0
                && self.guard_class(v, a)?
            {
                let c = self.pin(m.ptr());
                self.b().own(c)?;
                let o = self.pop(sp - 1)?;
                self.put(sp - 1, c)?;
                return self.put(sp, o);
            }
            if self.attribute_method(v, a, name)? {
                return Ok(());
            }
            // Anything else: the bound attribute.
            let n = self.b().object(name.raw() as u64);
            let x = self.call_ref(h::GET_ATTR, &[v, n])?;
            self.method_none_owned(a, x)
        }
    }
    /// A method found in the class of an instance with managed attributes, none of which has its name.
    unsafe fn class_method(&mut self, v: R, a: *mut PyObject, ob: &Object, name: &Str) -> Rec<Option<R>> {
        // SAFETY: a live object.
        unsafe {
            match plans::plan_method(ob, name) {
                MethodPlan::Values { func, index, .. } => {
                    if !self.guard_class(v, a)? {
                        return Ok(None);
                    }
                    let d = self.b().fload(v, INST_DICT)?;
                    self.b().emit(Op::GNull, &[d])?;
                    match index {
                        None => {
                            // As long as the class's instances have no attribute of that name.
                            let keys = instance::shared_keys((*a).ob_type);
                            let p = self.b().ptr((*keys).len_ptr() as u64);
                            let n = self.b().fload(p, KEYS_LEN)?;
                            let want = self.b().int((*keys).len() as i64);
                            self.b().guard_value(n, want)?;
                        }
                        Some(i) => {
                            if i < instance::capacity(a) && !(*instance::value_at(a, i)).is_null() {
                                return Ok(None);
                            }
                            let base = self.b().fload(v, INST_BASE)?;
                            let cap = self.b().fload(base, INST_CAPACITY)?;
                            let k = self.b().int(i as i64);
                            if i < instance::capacity(a) {
                                let ok = self.b().emit(Op::Gt, &[cap, k])?;
                                self.b().emit(Op::GTrue, &[ok])?;
                                let x = self.b().aload(base, INST_VALUE, k)?;
                                self.b().emit(Op::GNull, &[x])?;
                            } else {
                                let ok = self.b().emit(Op::Le, &[cap, k])?;
                                self.b().emit(Op::GTrue, &[ok])?;
                            }
                        }
                    }
                    Ok(Some(self.pin(func)))
                }
                MethodPlan::Plain { func, .. } => {
                    Ok(if self.guard_class(v, a)? { Some(self.pin(func)) } else { None })
                }
                _ => Ok(None),
            }
        }
    }

    unsafe fn method_none(&mut self, a: *mut PyObject, x: R) -> Rec {
        self.b().own(x)?;
        // SAFETY: forwarded.
        unsafe { self.method_none_owned(a, x) }
    }
    /// NULL and the attribute take the object's place.
    unsafe fn method_none_owned(&mut self, a: *mut PyObject, x: R) -> Rec {
        // SAFETY: a live object.
        unsafe {
            let sp = self.sp;
            let o = self.pop(sp - 1)?;
            let null = self.b().null();
            self.put(sp - 1, null)?;
            self.put(sp, x)?;
            self.release(o, a)
        }
    }

    pub(crate) unsafe fn subscript(&mut self) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let (oa, ka) = (self.actual(sp - 2), self.actual(sp - 1));
            let (o, k) = (self.get(sp - 2)?, self.get(sp - 1)?);
            if let Some((items, array, i)) = self.item_place(o, k, oa, ka)? {
                let x = self.b().aload(items, array, i)?;
                self.b().own(x)?;
                let kept = self.supports(o);
                self.result(2, &[ka, oa], x)?;
                if kept {
                    self.support(x);
                }
                return Ok(());
            }
            let ob = Object::from_ptr(oa);
            if Object::from_ptr(ka).is_exact::<Str>()
                && let Some(d) = ob.downcast_exact::<Dict>()
                && d.keys_are_strings()
            {
                self.b().guard_type(o, Dict::type_ptr() as u64, true)?;
                self.b().guard_type(k, Str::type_ptr() as u64, true)?;
                let x = self.b().call(h::DICT_GET_PLAIN, &[o, k], false)?;
                self.b().emit(Op::GNonNull, &[x])?;
                return self.result(2, &[ka, oa], x);
            }
            if let Some(x) = self.text_item(o, k, oa, ka)? {
                return self.result(2, &[ka, oa], x);
            }
            if self.b().is_virtual(k) && exact::<Slice>(ka) && sliceable(oa) {
                return self.slice(o, k, oa);
            }
            if exact::<Dict>(oa) && self.guard_plain(k, ka)? {
                self.b().guard_type(o, Dict::type_ptr() as u64, true)?;
                let x = self.b().call(h::DICT_GET_KEY, &[o, k], false)?;
                self.b().emit(Op::GNonNull, &[x])?;
                return self.result(2, &[ka, oa], x);
            }
            if self.special_method(
                lh_runtime::intern!("__getitem__"),
                sp - 2,
                &[sp - 1],
                lh_interp::operators::PLAIN,
            )? {
                return Ok(());
            }
            if let Some(x) = self.load_item(o, k, oa, ka)? {
                return self.result(2, &[ka, oa], x);
            }
            if let Some(x) = self.subscript_slot(o, k, oa)? {
                return self.result(2, &[ka, oa], x);
            }
            let x = self.call_ref(h::SUBSCRIPT, &[o, k])?;
            self.result(2, &[ka, oa], x)
        }
    }

    /// The index `k` (now `i`) of an object whose length is in `field`, counted from the front, bounds guarded.
    pub(crate) unsafe fn index_in(&mut self, o: R, field: u32, k: R, i: i64) -> Rec<R> {
        // SAFETY: a live operand.
        let mut ix = unsafe { self.int_of(k)? };
        let len = self.b().fload(o, field)?;
        if i < 0 {
            ix = self.b().emit(Op::Add, &[ix, len])?;
        }
        let ok = self.b().emit(Op::Ult, &[ix, len])?;
        self.b().emit(Op::GTrue, &[ok])?;
        Ok(ix)
    }

    /// Base, array and index of an item of a list or tuple, bounds guarded.
    unsafe fn item_place(
        &mut self,
        o: R,
        k: R,
        oa: *mut PyObject,
        ka: *mut PyObject,
    ) -> Rec<Option<(R, u32, R)>> {
        // SAFETY: live operands.
        unsafe {
            let ob = Object::from_ptr(oa);
            let list = ob.is_exact::<List>();
            if !(list || ob.is_exact::<Tuple>()) || !small(ka, 1 << 40) {
                return Ok(None);
            }
            let (n, i) = ((*oa.cast::<PyVarObject>()).ob_size as i64, value(ka));
            if i >= n || i < -n {
                return Ok(None);
            }
            self.b().guard_type(o, (*oa).ob_type as u64, true)?;
            let ix = self.index_in(o, if list { LIST_SIZE } else { TUPLE_SIZE }, k, i)?;
            if list {
                let items = self.b().fload(o, LIST_ITEMS)?;
                Ok(Some((items, LIST_ITEM, ix)))
            } else {
                Ok(Some((o, TUPLE_ITEM, ix)))
            }
        }
    }

    pub(crate) unsafe fn store_subscript(&mut self) -> Rec {
        // SAFETY: live operands: value, container, key.
        unsafe {
            let sp = self.sp;
            let (va, oa, ka) = (self.actual(sp - 3), self.actual(sp - 2), self.actual(sp - 1));
            let (o, k) = (self.get(sp - 2)?, self.get(sp - 1)?);
            if Object::from_ptr(oa).is_exact::<List>()
                && let Some((items, array, i)) = self.item_place(o, k, oa, ka)?
            {
                let mut at = value(ka);
                if at < 0 {
                    at += (*oa.cast::<PyVarObject>()).ob_size as i64;
                }
                let now = *(*oa.cast::<PyListObject>()).ob_item.add(at as usize);
                let old = self.b().aload(items, array, i)?;
                let silent = self.b().descs().silent_types.contains(&((*now).ob_type as u64));
                if silent {
                    self.b().guard_type(old, (*now).ob_type as u64, true)?;
                }
                let kv = self.pop(sp - 1)?;
                let ov = self.pop(sp - 2)?;
                let x = self.pop(sp - 3)?;
                if silent {
                    self.b().replace(items, array, i, old, x)?;
                    self.act();
                } else {
                    self.b().astore(items, array, i, x)?;
                    self.b().emit_ty(Op::Yield, Ty::Void, &[x], 0)?;
                    self.act();
                    self.gone(old, now)?;
                }
                self.release(kv, ka)?;
                return self.release(ov, oa);
            }
            if self.store_item(o, k)? {
                return Ok(());
            }
            if self.special_method(
                lh_runtime::intern!("__setitem__"),
                sp - 2,
                &[sp - 1, sp - 3],
                lh_interp::operators::PLAIN,
            )? {
                return Ok(());
            }
            let x = self.get(sp - 3)?;
            if !self.assign_slot(o, k, x, oa)? {
                self.call_status(h::STORE_SUBSCRIPT, &[o, k, x], true)?;
            }
            let kv = self.pop(sp - 1)?;
            let ov = self.pop(sp - 2)?;
            let x = self.pop(sp - 3)?;
            self.release(kv, ka)?;
            self.release(ov, oa)?;
            self.release(x, va)
        }
    }
}

/// Objects that are bound once as a rule: functions, classes, modules, things that answer with a native signature.
unsafe fn stable(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe {
        let ob = Object::from_ptr(o);
        Function::check(ob)
            || ob.is_exact::<CFunction>()
            || Type::check(ob)
            || ob.is_exact::<Module>()
            || ob.is_exact::<MethodDescr>()
            || crate::record_call::publishes(ob)
    }
}
