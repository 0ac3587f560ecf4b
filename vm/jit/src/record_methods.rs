//! Special methods written in Python, properties, descriptors and `super()` become part of the trace.
//!
//! The recorder pushes the method's frame itself, in the place of the interpreter's nested call, with the flag `OPERATOR`: the
//! operands stay on the caller's stack, and what the method answers is finished by `lh_interp::operators` (in the interpreter) or by
//! `finish_method` (in the trace), as the caller's instruction wants it. What the answer must be is guarded in front of the return.

use crate::builtins::Callee;
use crate::descs::*;
use crate::helpers as h;
use crate::inline::bind_args;
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::{bind, frame, operators};
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::codeobject::quick;
use lh_runtime::instance;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::ptr::null_mut;

type Ob = *mut PyObject;

/// A frame to be pushed now that its call has been recorded.
pub(crate) struct Entering {
    func: *mut PyFunctionObject,
    args: Vec<Ob>,
    flags: u8,
    /// The unit that the caller's `prev_instr` is to be, and its stack's height.
    at: u32,
    sp: i32,
}

/// The caller's instruction that a method's frame runs for.
struct Asking {
    opcode: u8,
    how: u8,
}

/// The method of `a`'s class, if that is a Python function.
unsafe fn python_method(a: Ob, name: &Str) -> Option<*mut PyFunctionObject> {
    // SAFETY: a live object.
    unsafe {
        if (*(*a).ob_type).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
            return None;
        }
        let m = Object::from_ptr(a).ty().lookup(name)?;
        m.is_exact::<Function>().then(|| m.ptr().cast())
    }
}
/// The special method of a type from C, and the C function of its definition if that takes nothing or an array of arguments.
unsafe fn c_method(a: Ob, name: &Str) -> Option<(*mut PyMethodDef, Option<usize>)> {
    // SAFETY: a live object; a descriptor's definition lives as long as it does.
    unsafe {
        let ty = Object::from_ptr(a).ty();
        let m = ty.lookup(name)?;
        let d = m.downcast_exact::<MethodDescr>()?;
        let of = Type::from_raw_ref((*m.ptr().cast::<PyMethodDescrObject>()).d_common.d_type);
        if (*d.def()).ml_flags & METH_METHOD != 0 || !ty.is_subtype(of) {
            return None;
        }
        let called = matches!((*d.def()).ml_flags & !METH_COEXIST, METH_NOARGS | METH_FASTCALL);
        Some((d.def(), (*d.def()).ml_meth.filter(|_| called).map(|f| f as usize)))
    }
}
unsafe fn class_has(a: Ob, name: &Str) -> bool {
    // SAFETY: a live object.
    unsafe { Object::from_ptr(a).ty().lookup(name).is_some() }
}
unsafe fn fixed(t: *mut PyTypeObject) -> bool {
    // SAFETY: a live type.
    unsafe { (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 }
}

/// What a binary operator does when the method recorded has answered `NotImplemented`.
pub unsafe extern "C" fn after_method(code: i64, a: Ob, b: Ob) -> Ob {
    // SAFETY: compiled code passes live objects.
    let (a, b) = unsafe { (Object::from_ptr(a), Object::from_ptr(b)) };
    lh_runtime::border::object(|| number::after_method(code as u32 & 0xff, (code >> 8) as u8, a, b))
}
/// The same for a comparison.
pub unsafe extern "C" fn after_compare(code: i64, a: Ob, b: Ob) -> Ob {
    // SAFETY: compiled code passes live objects.
    let (a, b) = unsafe { (Object::from_ptr(a), Object::from_ptr(b)) };
    lh_runtime::border::object(|| {
        a.compare_after(b, lh_runtime::slots::CompareOp::from_c(code as i32), false)
    })
}
/// A `super` object of these parts, whose references it takes over.
pub unsafe extern "C" fn new_super(class: Ob, o: Ob, of: Ob) -> Ob {
    // SAFETY: compiled code gives references to live objects away.
    unsafe { lh_interp::superobject::from_parts(class, o, of) }
}
/// A bound method; takes over both references.
pub unsafe extern "C" fn new_method(f: Ob, o: Ob) -> Ob {
    // SAFETY: as above.
    unsafe {
        let (f, o) = (Owned::<Object>::from_raw(f), Owned::<Object>::from_raw(o));
        Method::new(&f, &o).into_raw()
    }
}

impl Recorder {
    // ---- Entering ----

    /// Enters `func` for the instruction being recorded. Nothing is recorded if the answer is false but guards.
    pub(crate) unsafe fn enter_method(
        &mut self,
        func: *mut PyFunctionObject,
        args: &[(R, Ob)],
        how: u8,
    ) -> Rec<bool> {
        // SAFETY: a live function and operands.
        unsafe {
            let Some((func, order)) = bind_args(func.cast(), args.len() as i32, null_mut()) else {
                return Ok(false);
            };
            if !self.inlinable((*func).func_code.cast()) {
                return Ok(false);
            }
            let fv = self.pin(func.cast());
            self.guard_function(fv, func)?;
            let order = self.keyword_defaults(func, order)?;
            for (v, _) in args {
                self.b().own(*v)?;
            }
            self.b().own(fv)?;
            let values: Vec<R> = args.iter().map(|(v, _)| *v).collect();
            let flags = frame::OPERATOR | how << frame::HOW;
            let (at, sp) = (self.real, self.sp);
            let args = args.iter().map(|(_, a)| *a).collect();
            self.entering = Some(Entering { func, args, flags, at, sp });
            self.enter_function(func, fv, &values, &order, sp, flags, at + 1)?;
            Ok(true)
        }
    }

    /// Pushes the frame whose call the present instruction was recorded as.
    pub(crate) unsafe fn push_entered(&mut self, e: Entering) -> Rec {
        // SAFETY: the caller's frame stands at the instruction, its operands are live; each reference is made for the frame.
        unsafe {
            for a in &e.args {
                incref(*a);
            }
            incref(e.func.cast());
            let ts = lh_runtime::thread::Thread::current_ptr();
            let nf = bind::frame_for_call(ts, e.func, null_mut(), e.args.as_ptr(), e.args.len(), null_mut());
            if nf.is_null() {
                clear();
                return Err(Why::NoMemory);
            }
            (*nf).flags = e.flags;
            let f = self.outer.last().expect("entered from a frame").frame;
            (*f).prev_instr = frame::first_instr((*f).code).add(e.at as usize);
            while (*f).stacktop > e.sp {
                (*f).stacktop -= 1;
                xdecref(*frame::localsplus(f).add((*f).stacktop as usize));
            }
            lh_interp::jit::enter_instead(nf);
            Ok(())
        }
    }

    // ---- Leaving ----

    /// The instruction the innermost frame runs for.
    unsafe fn asking(&self) -> Asking {
        // SAFETY: the caller's frame stands at its instruction; infos live as long as the process.
        unsafe {
            let up = self.outer.last().expect("a method's frame has a caller").frame;
            let word = *(*up).prev_instr;
            let how = (*self.info).flags >> frame::HOW;
            Asking { opcode: quick::BASE[word as u8 as usize], how }
        }
    }

    /// Guards, at the method's return, that its answer is of the kind that has been seen.
    pub(crate) unsafe fn check_answer(&mut self) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let q = self.asking();
            let slot = self.sp - 1;
            let a = self.actual(slot);
            let v = self.get(slot)?;
            let no = Why::Operands(op::RETURN_VALUE);
            match q.opcode {
                op::BINARY_OP | op::COMPARE_OP => {
                    if Object::from_ptr(a).is_not_implemented() {
                        let c = self.b().object(a as u64);
                        self.b().guard_value(v, c)?;
                    } else if q.opcode == op::COMPARE_OP
                        && (q.how == operators::INVERTED || Object::from_ptr(a).ob_type() == Bool::type_ptr())
                    {
                        self.guard_truth(slot)?.ok_or(no)?;
                    } else {
                        let t = (*a).ob_type;
                        self.pin(t.cast());
                        self.b().guard_type(v, t as u64, fixed(t))?;
                    }
                }
                op::CONTAINS_OP => {
                    self.guard_truth(slot)?.ok_or(no)?;
                }
                op::GET_ITER => self.check_iterator(v, a)?,
                op::CALL if q.how == operators::CALL_ITER => self.check_iterator(v, a)?,
                op::CALL if q.how == operators::CALL_LEN => self.check_length(v, a)?,
                op::CALL => {}
                o if is_truth(o) => {
                    if q.how == operators::LENGTH {
                        self.check_length(v, a)?;
                        self.guard_truth(slot)?.ok_or(no)?;
                    } else if Object::from_ptr(a).is_true_object() || Object::from_ptr(a).is_false_object() {
                        self.guard_truth(slot)?.ok_or(no)?;
                    } else {
                        return Err(no);
                    }
                }
                _ => {}
            }
            Ok(())
        }
    }
    unsafe fn check_iterator(&mut self, v: R, a: Ob) -> Rec {
        // SAFETY: a live object.
        unsafe {
            let not_there = lh_runtime::typeobject::next_not_implemented as *const () as usize;
            if (*(*a).ob_type).tp_iternext.is_none_or(|f| f as usize == not_there)
                || !self.guard_class(v, a)?
            {
                return Err(Why::Operands(op::GET_ITER));
            }
            Ok(())
        }
    }
    unsafe fn check_length(&mut self, v: R, a: Ob) -> Rec {
        // SAFETY: a live object.
        unsafe {
            if !small(a, 1 << 59) || value(a) < 0 {
                return Err(Why::Operands(op::CALL));
            }
            let n = self.int_of(v)?;
            let zero = self.b().int(0);
            let ok = self.b().emit(Op::Ge, &[n, zero])?;
            self.b().emit(Op::GTrue, &[ok])?;
            Ok(())
        }
    }

    /// The method's frame is gone; its answer `v` finishes the caller's instruction at unit `at`. Answers where the caller goes on.
    pub(crate) unsafe fn finish_method(&mut self, at: u32, how: u8, v: R, a: Ob) -> Rec<u32> {
        // SAFETY: live operands on the stack of the frame that is the innermost one now.
        unsafe {
            let word = *frame::first_instr(self.code).add(at as usize);
            let (o, arg) = (quick::BASE[word as u8 as usize], (word >> 8) as u32);
            self.pc = at;
            self.real = at;
            self.sp = (*self.frame).stacktop;
            self.acted = true;
            let sp = self.sp;
            let after = at + 1 + op::cache_entries(o) as u32;
            let operand = |me: &Self, n: i32| me.actual(sp - n);
            match o {
                op::BINARY_OP | op::COMPARE_OP => {
                    let both = [operand(self, 1), operand(self, 2)];
                    if Object::from_ptr(a).is_not_implemented() {
                        self.b().drop_ref(v, ops::DROP_NOT_LAST)?;
                        let (x, y) = (self.get(sp - 2)?, self.get(sp - 1)?);
                        let compare = o == op::COMPARE_OP;
                        let code = if compare { arg } else { arg | (how as u32) << 8 };
                        let code = self.b().int(code as i64);
                        let helper = if compare { h::AFTER_COMPARE } else { h::AFTER_METHOD };
                        let r = self.call_ref(helper, &[code, x, y])?;
                        self.result(2, &both, r)?;
                    } else if o == op::COMPARE_OP && how == operators::INVERTED {
                        let t = !Object::from_ptr(a).is_true().unwrap_or(false);
                        self.release(v, a)?;
                        self.replace(2, &both, t)?;
                    } else {
                        self.result(2, &both, v)?;
                    }
                }
                op::CONTAINS_OP => {
                    let both = [operand(self, 1), operand(self, 2)];
                    let t = Object::from_ptr(a).is_true().unwrap_or(false) == (arg == 0);
                    self.release(v, a)?;
                    self.replace(2, &both, t)?;
                }
                op::STORE_SUBSCR | op::DELETE_SUBSCR | op::STORE_ATTR => {
                    let n = if o == op::STORE_SUBSCR { 3 } else { 2 };
                    self.release(v, a)?;
                    self.drop_operands(n)?;
                }
                op::LOAD_METHOD => {
                    let x = operand(self, 1);
                    let xv = self.pop(sp - 1)?;
                    let null = self.b().null();
                    self.put(sp - 1, null)?;
                    self.put(sp, v)?;
                    self.release(xv, x)?;
                }
                op::FOR_ITER => self.put(sp, v)?,
                op::UNARY_NOT => {
                    let t = !self.truth_of(how, a);
                    self.release(v, a)?;
                    self.replace(1, &[operand(self, 1)], t)?;
                }
                op::JUMP_IF_FALSE_OR_POP | op::JUMP_IF_TRUE_OR_POP => {
                    let t = self.truth_of(how, a);
                    self.release(v, a)?;
                    if t == (o == op::JUMP_IF_TRUE_OR_POP) {
                        return Ok(after + arg);
                    }
                    self.drop_operands(1)?;
                }
                o if is_truth(o) => {
                    let t = self.truth_of(how, a);
                    self.release(v, a)?;
                    self.replace(1, &[operand(self, 1)], t)?;
                    // The jump itself comes next.
                    return Ok(at);
                }
                op::CALL => {
                    let n = arg as i32 + 2;
                    let all: Vec<Ob> = (1..=n).map(|k| operand(self, k)).collect();
                    self.result(n, &all, v)?;
                }
                op::BINARY_SUBSCR => self.result(2, &[operand(self, 1), operand(self, 2)], v)?,
                _ => self.result(1, &[operand(self, 1)], v)?,
            }
            Ok(after)
        }
    }
    unsafe fn drop_operands(&mut self, n: i32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let mut gone = vec![];
            for k in 1..=n {
                gone.push((self.pop(sp - k)?, self.actual(sp - k)));
            }
            for (v, a) in gone {
                self.release(v, a)?;
            }
            Ok(())
        }
    }
    /// What an answer of `__bool__` or `__len__`, guarded before, says.
    unsafe fn truth_of(&self, how: u8, a: Ob) -> bool {
        // SAFETY: a live object: a bool, or an int that is not negative.
        unsafe { if how == operators::LENGTH { value(a) != 0 } else { Object::from_ptr(a).is_true_object() } }
    }

    /// `raise StopIteration` in a `__next__` that FOR_ITER has called: the loop ends. `None` if it is anything else.
    pub(crate) unsafe fn stop_iteration(&mut self, arg: u32) -> Rec<Option<u32>> {
        // SAFETY: live operands.
        unsafe {
            if self.outer.is_empty() || (*self.info).flags & frame::OPERATOR == 0 || arg != 1 {
                return Ok(None);
            }
            let q = self.asking();
            let e = self.actual(self.sp - 1);
            let table = frame::code_ref(self.frame).exceptiontable();
            if q.opcode != op::FOR_ITER
                || e != exc::StopIteration().as_ptr()
                || lh_bytecode::exctable::find(table.as_bytes(), self.pc).is_some()
                || self.sp != (*self.code).co_nlocalsplus + 1
            {
                return Ok(None);
            }
            let v = self.get(self.sp - 1)?;
            let c = self.b().object(e as u64);
            self.b().guard_value(v, c)?;
            let at = self.leave_frame(|me, v, _| {
                me.b().drop_ref(v, ops::DROP_NOT_LAST)?;
                let at = me.outer_unit();
                let word = *frame::first_instr(me.code).add(at as usize);
                me.pc = at;
                me.sp = (*me.frame).stacktop;
                me.drop_operands(1)?;
                Ok(at + 1 + (word >> 8) as u32)
            })?;
            Ok(Some(at))
        }
    }
    /// The unit of the innermost frame's instruction at `prev_instr`.
    pub(crate) unsafe fn outer_unit(&self) -> u32 {
        // SAFETY: a live frame.
        unsafe { frame::last_unit(self.frame) as u32 }
    }

    // ---- Attributes ----

    /// `o.name` by a property or a descriptor written in Python, or by `__getattr__`.
    pub(crate) unsafe fn attribute_method(&mut self, v: R, a: Ob, name: &Str) -> Rec<bool> {
        // SAFETY: a live operand.
        unsafe {
            let ob = Object::from_ptr(a);
            let t = (*a).ob_type;
            if (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 || (*t).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0 {
                return Ok(false);
            }
            let (usual, hooked) = lh_runtime::slot_calls::finds_generically(ob.ty());
            if !usual {
                return Ok(false);
            }
            let Some(d) = ob.ty().lookup(name) else {
                let hook = if hooked { python_method(a, lh_runtime::intern!("__getattr__")) } else { None };
                let Some(hook) = hook else { return Ok(false) };
                if !self.has_no_own(v, a, name)? {
                    return Ok(false);
                }
                let n = self.b().object(name.raw() as u64);
                return self.enter_method(hook, &[(v, a), (n, name.raw())], operators::PLAIN);
            };
            if hooked {
                // It would see an AttributeError of the getter.
                return Ok(false);
            }
            let d = d.ptr();
            if let Some(p) = Object::from_ptr(d).downcast_exact::<Property>() {
                let g = (*p.as_struct()).prop_get;
                if g.is_null() || !Object::from_ptr(g).is_exact::<Function>() || !self.guard_class(v, a)? {
                    return Ok(false);
                }
                return self.enter_method(g.cast(), &[(v, a)], operators::PLAIN);
            }
            let Some(get) = python_method(d, lh_runtime::intern!("__get__")) else { return Ok(false) };
            if (*(*d).ob_type).tp_descr_set.is_none() {
                // What the instance has comes first.
                if !self.has_no_own(v, a, name)? {
                    return Ok(false);
                }
            } else if !self.guard_class(v, a)? {
                return Ok(false);
            }
            let dv = self.pin(d);
            if !self.guard_class(dv, d)? {
                return Ok(false);
            }
            let tv = self.pin(t.cast());
            self.enter_method(get, &[(dv, d), (v, a), (tv, t.cast())], operators::PLAIN)
        }
    }
    /// Guards the class, and that the instance has no attribute of that name; false if it may have.
    pub(crate) unsafe fn has_no_own(&mut self, v: R, a: Ob, name: &Str) -> Rec<bool> {
        // SAFETY: a live operand.
        unsafe {
            let t = (*a).ob_type;
            if !instance::is_managed(Object::from_ptr(a)) {
                return Ok((*t).tp_dictoffset == 0 && self.guard_class(v, a)?);
            }
            let keys = instance::shared_keys(t);
            if !(*instance::dict_word(a)).is_null()
                || (*keys).index_of(name.raw()).is_some()
                || !self.guard_class(v, a)?
            {
                return Ok(false);
            }
            let d = self.b().fload(v, INST_DICT)?;
            self.b().emit(Op::GNull, &[d])?;
            let p = self.b().ptr((*keys).len_ptr() as u64);
            let n = self.b().fload(p, KEYS_LEN)?;
            let want = self.b().int((*keys).len() as i64);
            self.b().guard_value(n, want)?;
            Ok(true)
        }
    }

    /// `o.name = x` by a property, a descriptor or `__setattr__`, for the stack `x, o`.
    pub(crate) unsafe fn store_method(&mut self, v: R, a: Ob, name: &Str) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let x = self.actual(self.sp - 2);
            let t = (*a).ob_type;
            if (*t).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0 {
                return Ok(false);
            }
            if (*t).tp_setattro != Some(lh_runtime::typeobject::generic_setattro) {
                let Some(f) = python_method(a, lh_runtime::intern!("__setattr__")) else { return Ok(false) };
                if !self.guard_class(v, a)? {
                    return Ok(false);
                }
                let n = self.b().object(name.raw() as u64);
                let xv = self.get(self.sp - 2)?;
                return self.enter_method(f, &[(v, a), (n, name.raw()), (xv, x)], operators::PLAIN);
            }
            let Some(d) = Object::from_ptr(a).ty().lookup(name) else { return Ok(false) };
            let d = d.ptr();
            if let Some(p) = Object::from_ptr(d).downcast_exact::<Property>() {
                let s = (*p.as_struct()).prop_set;
                if s.is_null() || !Object::from_ptr(s).is_exact::<Function>() || !self.guard_class(v, a)? {
                    return Ok(false);
                }
                let xv = self.get(self.sp - 2)?;
                return self.enter_method(s.cast(), &[(v, a), (xv, x)], operators::PLAIN);
            }
            let Some(set) = python_method(d, lh_runtime::intern!("__set__")) else { return Ok(false) };
            let dv = self.pin(d);
            if !self.guard_class(v, a)? || !self.guard_class(dv, d)? {
                return Ok(false);
            }
            let xv = self.get(self.sp - 2)?;
            self.enter_method(set, &[(dv, d), (v, a), (xv, x)], operators::PLAIN)
        }
    }

    // ---- Operators ----

    /// A method of the operand in `slot`, called with it and the values of other slots.
    pub(crate) unsafe fn special_method(
        &mut self,
        name: &Str,
        slot: i32,
        others: &[i32],
        how: u8,
    ) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let a = self.actual(slot);
            let Some(f) = python_method(a, name) else { return Ok(false) };
            let v = self.get(slot)?;
            if !self.guard_class(v, a)? {
                return Ok(false);
            }
            let mut args = vec![(v, a)];
            for s in others {
                args.push((self.get(*s)?, self.actual(*s)));
            }
            self.enter_method(f, &args, how)
        }
    }

    pub(crate) unsafe fn unary_method(&mut self, o: u8) -> Rec<bool> {
        let name = match o {
            op::UNARY_NEGATIVE => lh_runtime::intern!("__neg__"),
            op::UNARY_POSITIVE => lh_runtime::intern!("__pos__"),
            _ => lh_runtime::intern!("__invert__"),
        };
        // SAFETY: live operands.
        unsafe { self.special_method(name, self.sp - 1, &[], operators::PLAIN) }
    }

    pub(crate) unsafe fn binary_method(&mut self, arg: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let (l, r) = (self.sp - 2, self.sp - 1);
            let (a, b) = (self.actual(l), self.actual(r));
            let Some(names) = number::method_names(arg) else { return Ok(false) };
            let (x, y) = (Object::from_ptr(a), Object::from_ptr(b));
            if arg >= 13 && python_method(a, names[2]).is_some() {
                return self.special_method(names[2], l, &[r], operators::IN_PLACE);
            }
            if arg >= 13 && number::has_inplace_slot(arg, x) {
                return Ok(false);
            }
            let same = (*a).ob_type == (*b).ob_type;
            if python_method(a, names[0]).is_some() {
                // A class derived from the left operand's may go first.
                if !same && y.ty().is_subtype(x.ty()) {
                    return Ok(false);
                }
                let f = number::binary_slot_of(arg % 13, x);
                if f.is_none() || number::left_slot(arg, x, y).map(|f| f as usize) != f.map(|f| f as usize) {
                    return Ok(false);
                }
                // Which side goes first depends on both classes.
                let bv = self.get(r)?;
                if !self.guard_class(bv, b)? {
                    return Ok(false);
                }
                return self.special_method(names[0], l, &[r], operators::PLAIN);
            }
            // Numbers know nothing of Python's classes.
            let number = exact::<Int>(a) || exact::<Float>(a);
            if number && python_method(b, names[1]).is_some() && !y.ty().is_subtype(x.ty()) {
                // An int's subclass would be known to a float.
                if number::binary_slot_of(arg % 13, y).is_none()
                    || y.is_instance_of::<Int>()
                    || y.is_instance_of::<Float>()
                    || y.is_instance_of::<Complex>()
                {
                    return Ok(false);
                }
                let av = self.get(l)?;
                self.b().guard_type(av, (*a).ob_type as u64, true)?;
                return self.special_method(names[1], r, &[l], operators::REFLECTED);
            }
            Ok(false)
        }
    }

    pub(crate) unsafe fn compare_method(&mut self, arg: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let (l, r) = (self.sp - 2, self.sp - 1);
            let (a, b) = (self.actual(l), self.actual(r));
            let (x, y) = (Object::from_ptr(a), Object::from_ptr(b));
            if (*a).ob_type != (*b).ob_type && y.ty().is_subtype(x.ty()) {
                return Ok(false);
            }
            let name = match arg {
                0 => lh_runtime::intern!("__lt__"),
                1 => lh_runtime::intern!("__le__"),
                2 => lh_runtime::intern!("__eq__"),
                3 => lh_runtime::intern!("__ne__"),
                4 => lh_runtime::intern!("__gt__"),
                _ => lh_runtime::intern!("__ge__"),
            };
            let mut how = operators::PLAIN;
            let mut ask = name;
            if python_method(a, name).is_none() {
                // Object's `__ne__` turns `__eq__` round.
                let object = Type::from_raw_ref(&raw mut lh_runtime::type_table::PyBaseObject_Type);
                let inherited = x.ty().lookup(name).map(|m| m.ptr()) == object.lookup(name).map(|m| m.ptr());
                if arg != 3 || !inherited {
                    return Ok(false);
                }
                ask = lh_runtime::intern!("__eq__");
                how = operators::INVERTED;
            }
            let bv = self.get(r)?;
            if python_method(a, ask).is_none() || !self.guard_class(bv, b)? {
                return Ok(false);
            }
            self.special_method(ask, l, &[r], how)
        }
    }

    /// The truth of the operand in the top slot by `__bool__` or `__len__`. (The instruction has no longer argument.)
    pub(crate) unsafe fn truth_method(&mut self) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let slot = self.sp - 1;
            let a = self.actual(slot);
            if self.real != self.pc {
                return Ok(false);
            }
            if class_has(a, lh_runtime::intern!("__bool__")) {
                return self.special_method(lh_runtime::intern!("__bool__"), slot, &[], operators::BOOL);
            }
            self.special_method(lh_runtime::intern!("__len__"), slot, &[], operators::LENGTH)
        }
    }

    // ---- Calls ----

    /// Calls of instances with a `__call__`, of `len`, `iter` and `next` of such with a method, and `super()`.
    pub(crate) unsafe fn call_method(&mut self, base: i32, kwnames: Ob, next: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            if !self.actual(base).is_null() {
                return self.call_bound(base, kwnames, next);
            }
            let (at, n) = (base + 1, self.sp - base - 2);
            let callee = self.actual(at);
            if let Some(f) = python_method(callee, lh_runtime::intern!("__call__"))
                && (*(*callee).ob_type).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS == 0
            {
                return self.call_instance(f, base, kwnames, next);
            }
            if !kwnames.is_null() {
                return Ok(false);
            }
            let Some(what) = crate::builtins::identify(callee) else { return Ok(false) };
            match what {
                Callee::Function(m, name, _) if m == "builtins" && n == 1 => {
                    let (method, how) = match name.to_bytes() {
                        b"len" => (lh_runtime::intern!("__len__"), operators::CALL_LEN),
                        b"iter" => (lh_runtime::intern!("__iter__"), operators::CALL_ITER),
                        b"next" => (lh_runtime::intern!("__next__"), operators::PLAIN),
                        b"abs" => (lh_runtime::intern!("__abs__"), operators::PLAIN),
                        _ => return Ok(false),
                    };
                    if python_method(self.actual(at + 1), method).is_none() {
                        return Ok(false);
                    }
                    self.fix(at)?;
                    self.special_method(method, at + 1, &[], how)
                }
                Callee::Class(t) if t == &raw mut lh_runtime::type_table::PySuper_Type && n == 0 => {
                    self.super_object(base)
                }
                _ => Ok(false),
            }
        }
    }

    /// `o(...)` is its class's `__call__` with `o` in front.
    unsafe fn call_instance(
        &mut self,
        f: *mut PyFunctionObject,
        base: i32,
        kwnames: Ob,
        next: u32,
    ) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let o = self.actual(base + 1);
            let Some((func, order)) = bind_args(f.cast(), self.sp - base - 1, kwnames) else {
                return Ok(false);
            };
            if !self.inlinable((*func).func_code.cast()) {
                return Ok(false);
            }
            let v = self.get(base + 1)?;
            if !self.guard_class(v, o)? {
                return Ok(false);
            }
            let fv = self.pin(func.cast());
            self.guard_function(fv, func)?;
            let order = self.keyword_defaults(func, order)?;
            let mut args = vec![];
            for s in (base + 1..self.sp).rev() {
                args.push(self.pop(s)?);
            }
            args.reverse();
            let null = self.pop(base)?;
            self.b().drop_ref(null, ops::DROP_MAYBE_NULL)?;
            self.b().own(fv)?;
            self.enter_function(func, fv, &args, &order, base, 0, next)?;
            // The interpreter finds the call of a method.
            incref(func.cast());
            let f = self.outer.last().expect("entered").frame;
            *frame::localsplus(f).add(base as usize) = func.cast();
            Ok(true)
        }
    }

    /// A bound method in the callable's place with only arguments behind it (a `with` statement's `__exit__`).
    unsafe fn call_bound(&mut self, base: i32, kwnames: Ob, next: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let m = self.actual(base);
            if !exact::<Method>(m) || !kwnames.is_null() {
                return Ok(false);
            }
            let (f, o) = ((*m.cast::<PyMethodObject>()).im_func, (*m.cast::<PyMethodObject>()).im_self);
            let Some((func, order)) = bind_args(f, self.sp - base, null_mut()) else { return Ok(false) };
            if !self.inlinable((*func).func_code.cast()) {
                return Ok(false);
            }
            let v = self.get(base)?;
            self.b().guard_type(v, Method::type_ptr() as u64, true)?;
            let fv = self.b().fload(v, METHOD_FUNC)?;
            let ov = self.b().fload(v, METHOD_SELF)?;
            self.guard_function(fv, func)?;
            let order = self.keyword_defaults(func, order)?;
            let mut args = vec![];
            let mut live = vec![o];
            for s in (base + 1..self.sp).rev() {
                args.push(self.pop(s)?);
            }
            live.extend((base + 1..self.sp).map(|s| self.actual(s)));
            self.b().own(ov)?;
            self.b().own(fv)?;
            args.push(ov);
            args.reverse();
            let v = self.pop(base)?;
            let kept = if self.b().is_virtual(v) { ops::DROP_SILENT } else { 0 };
            self.b().drop_ref(v, kept)?;
            let at = next - 1;
            self.entering = Some(Entering { func, args: live, flags: 0, at, sp: base });
            self.enter_function(func, fv, &args, &order, base, 0, next)?;
            Ok(true)
        }
    }

    /// `super()`: no object yet, only what it is made of.
    unsafe fn super_object(&mut self, base: i32) -> Rec<bool> {
        // SAFETY: live operands; the frame's code tells what its locals are.
        unsafe {
            let code = frame::code_ref(self.frame);
            let kinds = code.localspluskinds();
            let cells = lh_runtime::codeobject::FAST_CELL;
            if (*self.code).co_argcount == 0 || kinds[0] & cells != 0 || self.actual(0).is_null() {
                return Ok(false);
            }
            let free = lh_runtime::codeobject::FAST_FREE;
            let names = code.localsplusnames();
            let at = names.iter().enumerate().position(|(i, n)| {
                kinds[i] & free != 0 && n.is(lh_runtime::intern!("__class__").as_object())
            });
            let Some(at) = at else { return Ok(false) };
            let cell = self.actual(at as i32);
            let class =
                if exact::<CellObject>(cell) { (*cell.cast::<PyCellObject>()).ob_ref } else { null_mut() };
            let o = self.actual(0);
            let ty = Object::from_ptr(o).ty();
            if class.is_null()
                || !Type::check(Object::from_ptr(class))
                || Type::check(Object::from_ptr(o))
                || !ty.is_subtype(Object::from_ptr(class).downcast_unchecked())
            {
                return Ok(false);
            }
            self.fix(base + 1)?;
            let ov = self.get(0)?;
            if !self.guard_class(ov, o)? {
                return Ok(false);
            }
            let cv = self.get(at as i32)?;
            let x = self.b().fload(cv, CELL_REF)?;
            let want = self.pin(class);
            self.b().guard_value(x, want)?;
            let tv = self.pin((*o).ob_type.cast());
            self.b().own(want)?;
            self.b().own(ov)?;
            self.b().own(tv)?;
            let s = self.b().new_object(SUPER, &[want, ov, tv])?;
            self.supers.insert(s, (ov, class.cast()));
            let all = [self.actual(base + 1), null_mut()];
            self.result(2, &all, s)?;
            Ok(true)
        }
    }

    /// A method of `super()`: the function found behind the class and the object itself.
    pub(crate) unsafe fn super_method(&mut self, v: R, a: Ob, name: &Str) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let Some(&(ov, class)) = self.supers.get(&v) else { return Ok(false) };
            if !self.b().is_virtual(v) || (*a).ob_type != &raw mut lh_runtime::type_table::PySuper_Type {
                return Ok(false);
            }
            let o = (*a.cast::<lh_interp::superobject::SuperObject>()).obj;
            let Some(f) = lh_interp::superobject::method_behind(class, Object::from_ptr(o).ty(), name) else {
                return Ok(false);
            };
            let fv = self.pin(f);
            self.b().own(fv)?;
            self.b().own(ov)?;
            let s = self.pop(sp - 1)?;
            self.put(sp - 1, fv)?;
            self.put(sp, ov)?;
            self.b().drop_ref(s, ops::DROP_SILENT)?;
            Ok(true)
        }
    }

    // ---- with ----

    /// `with o:` by methods of a type from C.
    unsafe fn enter_with_c(&mut self, o: Ob) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let enter = c_method(o, lh_runtime::intern!("__enter__"));
            let exit = c_method(o, lh_runtime::intern!("__exit__"));
            let (Some((def, Some(f))), Some((exit, _))) = (enter, exit) else { return Ok(false) };
            let v = self.get(sp - 1)?;
            if !self.guard_class(v, o)? {
                return Ok(false);
            }
            let r = if (*def).ml_flags & METH_NOARGS != 0 {
                let null = self.b().null();
                self.call_c2(f, v, null)?
            } else {
                let (none, zero) = (self.b().null(), self.b().int(0));
                self.call_c_any(f, &[v, none, zero, none])?
            };
            let v = self.pop(sp - 1)?;
            let exit = self.b().ptr(exit as u64);
            let m = self.b().new_object(BOUND_METHOD, &[exit, v])?;
            self.put(sp - 1, m)?;
            self.put(sp, r)?;
            Ok(true)
        }
    }
    /// `with o:` by methods written in Python: the bound `__exit__` takes the object's place, `__enter__` is entered.
    pub(crate) unsafe fn enter_with(&mut self, next: u32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let o = self.actual(sp - 1);
            let enter = python_method(o, lh_runtime::intern!("__enter__"));
            let exit = python_method(o, lh_runtime::intern!("__exit__"));
            let (Some(enter), Some(exit)) = (enter, exit) else { return self.enter_with_c(o) };
            let Some((func, order)) = bind_args(enter.cast(), 1, null_mut()) else { return Ok(false) };
            if !self.inlinable((*func).func_code.cast()) {
                return Ok(false);
            }
            let v = self.get(sp - 1)?;
            if !self.guard_class(v, o)? {
                return Ok(false);
            }
            let fv = self.pin(func.cast());
            self.guard_function(fv, func)?;
            let order = self.keyword_defaults(func, order)?;
            let xv = self.pin(exit.cast());
            self.b().own(fv)?;
            self.b().own(xv)?;
            self.b().own(v)?;
            let m = self.b().new_object(METHOD, &[xv, v])?;
            let v = self.pop(sp - 1)?;
            self.put(sp - 1, m)?;
            self.enter_function(func, fv, &[v], &order, sp, 0, next)?;
            // The same on the interpreter's stack.
            let f = self.outer.last().expect("entered").frame;
            let bound = Method::new(Object::from_ptr(exit.cast()), Object::from_ptr(o)).into_raw();
            let slot = frame::localsplus(f).add(sp as usize - 1);
            let o = Owned::<Object>::from_raw(std::mem::replace(&mut *slot, bound));
            self.entering = Some(Entering { func, args: vec![o.as_ptr()], flags: 0, at: next - 1, sp });
            self.with_object = Some(o);
            Ok(true)
        }
    }
}

/// An instruction that only wants to know whether its operand is true.
fn is_truth(o: u8) -> bool {
    matches!(
        o,
        op::UNARY_NOT
            | op::JUMP_IF_FALSE_OR_POP
            | op::JUMP_IF_TRUE_OR_POP
            | op::POP_JUMP_FORWARD_IF_FALSE
            | op::POP_JUMP_FORWARD_IF_TRUE
            | op::POP_JUMP_BACKWARD_IF_FALSE
            | op::POP_JUMP_BACKWARD_IF_TRUE
    )
}
