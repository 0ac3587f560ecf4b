//! Built-in functions, methods and classes that are recorded as what they do, and direct calls of the others' C functions.

use crate::descs::*;
use crate::helpers as h;
use crate::record::*;
use lh_abi::*;
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;
use std::ffi::CStr;

/// What is called, as far as it is known here.
pub(crate) enum Callee {
    /// A function of a module: module, name.
    Function(String, &'static CStr, *mut PyMethodDef),
    /// A method of a built-in type, `self` first among the arguments.
    Method(*mut PyTypeObject, &'static CStr, *mut PyMethodDef),
    Class(*mut PyTypeObject),
}

/// Where the arguments of a call lie, for functions that take an array.
#[derive(Clone, Copy)]
pub(crate) enum Array {
    /// They end the stack.
    Stack,
    /// There.
    At(R),
    /// Nowhere yet.
    Loose,
}

pub(crate) unsafe fn identify(callee: *mut PyObject) -> Option<Callee> {
    // SAFETY: a live callable; method definitions live as long as their owners, which the trace pins.
    unsafe {
        let o = Object::from_ptr(callee);
        if o.is_exact::<CFunction>() {
            let f = callee.cast::<PyCFunctionObject>();
            let module = if (*f).m_module.is_null() {
                String::new()
            } else {
                Object::from_ptr((*f).m_module).str().ok()?.to_str_lossy().into_owned()
            };
            return Some(Callee::Function(module, CStr::from_ptr((*(*f).m_ml).ml_name), (*f).m_ml));
        }
        if o.is_exact::<MethodDescr>() {
            let d = callee.cast::<PyMethodDescrObject>();
            let def = (*d).d_method;
            return Some(Callee::Method((*d).d_common.d_type, CStr::from_ptr((*def).ml_name), def));
        }
        if (*callee).ob_type == Type::type_ptr() {
            return Some(Callee::Class(callee.cast()));
        }
        None
    }
}

impl Recorder {
    /// Records a call of a built-in; false if it is none of those known here. `at` is the callable's slot, `base` the call's lowest.
    pub(crate) unsafe fn builtin(&mut self, base: i32, at: i32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let callee = self.actual(at);
            let Some(what) = identify(callee) else { return Ok(false) };
            if let Callee::Function(m, name, _) = &what
                && m == "sys"
                && matches!(name.to_bytes(), b"settrace" | b"setprofile")
            {
                // What follows may be traced another time.
                return Err(Why::Operands(lh_bytecode::opcode::CALL));
            }
            let n = self.sp - at - 1;
            let known = match &what {
                Callee::Function(m, name, _) => self.function(m, name.to_bytes(), at, n)?,
                Callee::Method(t, name, _) => self.method(*t, name.to_bytes(), at, n)?,
                Callee::Class(t) => self.class(*t, at, n)?,
            };
            let result = match known {
                Some(r) => r,
                None => {
                    let (def, owner) = match what {
                        Callee::Function(_, _, def) => (def, None),
                        Callee::Method(t, _, def) => (def, Some(t)),
                        Callee::Class(t) => {
                            let args = self.operands(at + 1)?;
                            return match self.direct_class(t, at, &args, Array::Stack)? {
                                Some(r) => self.answered(base, r),
                                None => Ok(false),
                            };
                        }
                    };
                    let args = self.operands(at + 1)?;
                    match self.direct(callee, def, owner, at, &args, std::ptr::null_mut(), Array::Stack)? {
                        Some(r) => r,
                        None => return Ok(false),
                    }
                }
            };
            self.answered(base, result)
        }
    }

    /// As `builtin`, for a call with the keyword names `names`.
    pub(crate) unsafe fn builtin_named(&mut self, base: i32, at: i32, names: *mut PyObject) -> Rec<bool> {
        // SAFETY: live operands; the names are a constant of the code.
        unsafe {
            let callee = self.actual(at);
            let (def, owner) = match identify(callee) {
                Some(Callee::Function(_, _, def)) => (def, None),
                Some(Callee::Method(t, _, def)) => (def, Some(t)),
                _ => return Ok(false),
            };
            let args = self.operands(at + 1)?;
            match self.direct(callee, def, owner, at, &args, names, Array::Stack)? {
                Some(r) => self.answered(base, r),
                None => Ok(false),
            }
        }
    }
    /// The stack's entries from `first` on.
    pub(crate) unsafe fn operands(&mut self, first: i32) -> Rec<Vec<(R, *mut PyObject)>> {
        // SAFETY: live operands.
        unsafe { (first..self.sp).map(|s| Ok((self.get(s)?, self.actual(s)))).collect() }
    }
    /// The call's operands, from `base` on, give way to its result: the arguments go first, then the callable.
    pub(crate) unsafe fn answered(&mut self, base: i32, r: R) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let first = if self.actual(base).is_null() { base + 2 } else { base + 1 };
            let mut gone = vec![];
            for s in (base..self.sp).rev() {
                gone.push((self.pop(s)?, self.actual(s)));
            }
            gone.reverse();
            self.put(base, r)?;
            gone.rotate_left((first - base) as usize);
            for (v, a) in gone {
                self.release(v, a)?;
            }
            Ok(true)
        }
    }
    /// The call of a class whose instances C functions make.
    pub(crate) unsafe fn direct_class(
        &mut self,
        t: *mut PyTypeObject,
        at: i32,
        args: &[(R, *mut PyObject)],
        array: Array,
    ) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let n = args.len();
            if t == Type::type_ptr() || n > 3 || lh_runtime::type_attrs::made_in_python(t).is_some() {
                return Ok(None);
            }
            self.fix(at)?;
            if let (Some(f), Array::Stack) = (&(*t).tp_vectorcall, array) {
                let class = self.get(at)?;
                let (first, k, null) = (self.stack_address(at + 1)?, self.offset_count(n), self.b().null());
                return Ok(Some(self.call_c_any(*f as usize, &[class, first, k, null])?));
            }
            let mut all = vec![self.get(at)?, self.b().int(n as i64)];
            all.extend(args.iter().map(|(x, _)| *x));
            let null = self.b().null();
            all.resize(5, null);
            if let Some(f) = (*t).tp_vectorcall {
                let f = self.b().ptr(f as usize as u64);
                all.insert(0, f);
                return Ok(Some(self.call_ref(h::CALL_VECTOR, &all)?));
            }
            Ok(Some(self.call_ref(h::CALL_C_CLASS, &all)?))
        }
    }
    /// So many arguments, in front of which the stack has a word that the callee may use meanwhile.
    fn offset_count(&mut self, n: usize) -> R {
        self.b().int((n | PY_VECTORCALL_ARGUMENTS_OFFSET) as i64)
    }
    /// The call of an object by its type's `tp_call` or its own vectorcall function, if they are native code.
    pub(crate) unsafe fn direct_object(&mut self, base: i32, at: i32) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let callee = self.actual(at);
            let t = (*callee).ob_type;
            let n = (self.sp - at - 1) as usize;
            // What knows more of its callee than its type does has been asked before.
            let other = [Function::type_ptr(), Method::type_ptr(), Type::type_ptr(), CFunction::type_ptr()];
            if other.contains(&t) || (*t).tp_flags & Py_TPFLAGS_TYPE_SUBCLASS != 0 {
                return Ok(false);
            }
            let args = self.operands(at + 1)?;
            let v = self.get(at)?;
            if (*t).tp_flags & Py_TPFLAGS_HAVE_VECTORCALL != 0 {
                let offset = (*t).tp_vectorcall_offset;
                let Some(field) = u32::try_from(offset).ok().and_then(word) else { return Ok(false) };
                let own = *callee.cast::<u8>().offset(offset).cast::<*mut u8>();
                if own.is_null() || !self.guard_class(v, callee)? {
                    return Ok(false);
                }
                let f = self.b().fload(v, field)?;
                self.b().emit(Op::GNonNull, &[f])?;
                let (first, k, null) = (self.stack_address(at + 1)?, self.offset_count(n), self.b().null());
                let r = self.call_c_loaded(&[f, v, first, k, null])?;
                return self.answered(base, r);
            }
            let Some(f) = (*t).tp_call else { return Ok(false) };
            let native = Object::from_ptr(callee)
                .ty()
                .lookup(lh_runtime::intern!("__call__"))
                .is_some_and(|d| d.is_exact::<WrapperDescr>());
            if n > 4 || !native || !self.guard_class(v, callee)? {
                return Ok(false);
            }
            let items: Vec<R> = args.iter().map(|(x, _)| *x).collect();
            for x in &items {
                self.b().own(*x)?;
            }
            let tuple = self.make_tuple(&items)?;
            let null = self.b().null();
            let r = self.call_c3(f as usize, v, tuple, null)?;
            if n == 0 {
                self.b().drop_ref(tuple, ops::DROP_NOT_LAST)?;
            } else {
                // The stack has the items too.
                self.b().call(h::DROP_SHELL, &[tuple], false)?;
            }
            self.answered(base, r)
        }
    }

    /// The callable is a constant from here on.
    pub(crate) unsafe fn fix(&mut self, at: i32) -> Rec {
        // SAFETY: a live operand.
        unsafe {
            let callee = self.actual(at);
            let v = self.get(at)?;
            let c = self.pin(callee);
            Ok(self.b().guard_value(v, c)?)
        }
    }
    fn owned(&mut self, o: &Object) -> Rec<R> {
        let c = self.b().object(o.as_ptr() as u64);
        self.b().own(c)?;
        Ok(c)
    }

    /// Number of items of a value, where a field says it.
    unsafe fn length_of(&mut self, slot: i32) -> Rec<Option<R>> {
        // SAFETY: a live operand.
        unsafe {
            let a = self.actual(slot);
            let t = (*a).ob_type;
            let field = if exact::<List>(a) {
                LIST_SIZE
            } else if exact::<Tuple>(a) || exact::<Bytes>(a) {
                TUPLE_SIZE
            } else if exact::<Str>(a) {
                UNICODE_LEN
            } else if exact::<Dict>(a) {
                DICT_USED
            } else if t == Set::type_ptr() {
                SET_USED
            } else {
                return Ok(None);
            };
            let v = self.get(slot)?;
            self.b().guard_type(v, t as u64, true)?;
            Ok(Some(self.b().fload(v, field)?))
        }
    }

    unsafe fn function(&mut self, module: &str, name: &[u8], at: i32, n: i32) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let first = at + 1;
            match (module, name, n) {
                ("builtins", b"len", 1) => {
                    self.fix(at)?;
                    let len = match self.length_of(first)? {
                        Some(n) => n,
                        None => match self.length_by_slot(first)? {
                            Some(n) => n,
                            None => return Ok(None),
                        },
                    };
                    Ok(Some(self.b().emit(Op::BoxI, &[len])?))
                }
                ("builtins", b"next", 1) if (*(*self.actual(first)).ob_type).tp_iternext.is_some() => {
                    self.fix(at)?;
                    self.next_by_slot(first)
                }
                ("builtins", b"hash", 1) => {
                    self.fix(at)?;
                    match self.hash_by_slot(first)? {
                        Some(n) => Ok(Some(self.b().emit(Op::BoxI, &[n])?)),
                        None => Ok(None),
                    }
                }
                ("builtins", b"repr", 1) => {
                    self.fix(at)?;
                    let v = self.get(first)?;
                    self.text(v, self.actual(first), true)
                }
                ("builtins", b"iter", 1) => {
                    self.fix(at)?;
                    let v = self.get(first)?;
                    Ok(Some(self.call_ref(h::GET_ITER, &[v])?))
                }
                ("builtins", b"isinstance", 2) => {
                    let (o, c) = (self.actual(first), self.actual(first + 1));
                    if (*c).ob_type != Type::type_ptr() {
                        return Ok(None);
                    }
                    let t = Object::from_ptr((*o).ob_type.cast()).downcast_unchecked::<Type>();
                    let yes = t.is_subtype(Object::from_ptr(c).downcast_unchecked::<Type>());
                    // An object may claim another class: only if its type says so.
                    if !yes && (*(*o).ob_type).tp_getattro != Some(lh_runtime::typeobject::generic_getattro) {
                        return Ok(None);
                    }
                    self.fix(at)?;
                    self.fix(first + 1)?;
                    let v = self.get(first)?;
                    if !self.guard_class(v, o)?
                        || (!yes
                            && t.lookup(lh_runtime::intern!("__class__")).map(|x| x.ptr())
                                != base_class_attr())
                    {
                        return Ok(None);
                    }
                    Ok(Some(self.owned(bool_ref(yes))?))
                }
                ("builtins", b"getattr", 2) => {
                    let name = self.get(first + 1)?;
                    if self.b().const_of(name).is_none() || !exact::<Str>(self.actual(first + 1)) {
                        return Ok(None);
                    }
                    let name = Object::from_ptr(self.actual(first + 1)).downcast_unchecked::<Str>();
                    let (v, a) = (self.get(first)?, self.actual(first));
                    if let Some((base, k, _)) = self.instance_value(v, a, name)? {
                        self.fix(at)?;
                        let x = self.b().aload(base, INST_VALUE, k)?;
                        self.b().emit(Op::GNonNull, &[x])?;
                        self.b().own(x)?;
                        return Ok(Some(x));
                    }
                    self.fix(at)?;
                    self.load_described(v, a, name)
                }
                ("builtins", b"abs", 1) => {
                    let a = self.actual(first);
                    let v = self.get(first)?;
                    if exact::<Float>(a) {
                        self.fix(at)?;
                        let x = self.float_of(v)?;
                        let x = self.b().emit(Op::FAbs, &[x])?;
                        return Ok(Some(self.b().emit(Op::BoxF, &[x])?));
                    }
                    if small(a, 1 << 59) {
                        self.fix(at)?;
                        let x = self.int_of(v)?;
                        let zero = self.b().int(0);
                        let neg = self.b().emit(Op::Lt, &[x, zero])?;
                        let x = if value(a) < 0 {
                            self.b().emit(Op::GTrue, &[neg])?;
                            self.b().emit(Op::SubOv, &[zero, x])?
                        } else {
                            self.b().emit(Op::GFalse, &[neg])?;
                            x
                        };
                        return Ok(Some(self.b().emit(Op::BoxI, &[x])?));
                    }
                    Ok(None)
                }
                ("builtins", b"min" | b"max", 2) => {
                    let (aa, ba) = (self.actual(first), self.actual(first + 1));
                    let (a, b) = (self.get(first)?, self.get(first + 1)?);
                    // The second wins only if it is truly less (greater).
                    let (c, second) = if small(aa, 1 << 59) && small(ba, 1 << 59) {
                        self.fix(at)?;
                        let (x, y) = (self.int_of(a)?, self.int_of(b)?);
                        let o = if name == b"min" { Op::Lt } else { Op::Gt };
                        let (p, q) = (value(aa), value(ba));
                        (self.b().emit(o, &[y, x])?, if name == b"min" { q < p } else { q > p })
                    } else if exact::<Float>(aa) && exact::<Float>(ba) {
                        self.fix(at)?;
                        let (x, y) = (self.float_of(a)?, self.float_of(b)?);
                        let o = if name == b"min" { Op::FLt } else { Op::FGt };
                        let (p, q) = (float_value(aa), float_value(ba));
                        (self.b().emit(o, &[y, x])?, if name == b"min" { q < p } else { q > p })
                    } else {
                        return Ok(None);
                    };
                    self.b().emit(if second { Op::GTrue } else { Op::GFalse }, &[c])?;
                    let r = if second { b } else { a };
                    self.b().own(r)?;
                    Ok(Some(r))
                }
                ("builtins", b"ord", 1) => {
                    let a = self.actual(first);
                    if !exact::<Str>(a) || Object::from_ptr(a).downcast_unchecked::<Str>().len() != 1 {
                        return Ok(None);
                    }
                    self.fix(at)?;
                    let v = self.get(first)?;
                    self.b().guard_type(v, Str::type_ptr() as u64, true)?;
                    let len = self.b().fload(v, UNICODE_LEN)?;
                    let one = self.b().int(1);
                    self.b().guard_value(len, one)?;
                    let x = self.b().call(h::ORD, &[v], false)?;
                    Ok(Some(self.b().emit(Op::BoxI, &[x])?))
                }
                ("builtins", b"chr", 1) => {
                    let a = self.actual(first);
                    if !small(a, 1 << 40) || !(0..0x110000).contains(&value(a)) {
                        return Ok(None);
                    }
                    self.fix(at)?;
                    let v = self.get(first)?;
                    let x = self.int_of(v)?;
                    let lim = self.b().int(0x110000);
                    let ok = self.b().emit(Op::Ult, &[x, lim])?;
                    self.b().emit(Op::GTrue, &[ok])?;
                    Ok(Some(self.b().call(h::CHR, &[x], false)?))
                }
                ("math", _, 1) => {
                    let a = self.actual(first);
                    if !exact::<Float>(a) && !small(a, 1 << 53) {
                        return Ok(None);
                    }
                    let p = float_value(a);
                    let f: Option<u32> = match name {
                        b"sqrt" if p >= 0.0 => None,
                        b"fabs" => None,
                        b"sin" if p.is_finite() => Some(h::SIN),
                        b"cos" if p.is_finite() => Some(h::COS),
                        b"exp" if p.abs() < 700.0 => Some(h::EXP),
                        b"log" if p > 0.0 && p.is_finite() => Some(h::LOG),
                        b"floor" | b"ceil" if p.abs() < 1e15 && exact::<Float>(a) => None,
                        _ => return Ok(None),
                    };
                    self.fix(at)?;
                    let v = self.get(first)?;
                    let x = self.number_of(v, a, lh_bytecode::opcode::CALL)?;
                    if name == b"floor" || name == b"ceil" {
                        let i = self.b().emit(Op::F2I, &[x])?;
                        let back = self.b().emit(Op::I2F, &[i])?;
                        // Truncation went the wrong way: one more step.
                        let (o, by) = if name == b"floor" { (Op::FLt, -1) } else { (Op::FGt, 1) };
                        let c = self.b().emit(o, &[x, back])?;
                        let by = self.b().int(by);
                        let d = self.b().emit(Op::Mul, &[c, by])?;
                        let i = self.b().emit(Op::AddOv, &[i, d])?;
                        return Ok(Some(self.b().emit(Op::BoxI, &[i])?));
                    }
                    let r = match f {
                        Some(f) => {
                            let r = self.b().call(f, &[x], false)?;
                            // No domain error, no overflow: those are the interpreter's to report.
                            let d = self.b().emit(Op::FSub, &[r, r])?;
                            let z = self.b().float(0.0);
                            let ok = self.b().emit(Op::FEq, &[d, z])?;
                            self.b().emit(Op::GTrue, &[ok])?;
                            r
                        }
                        None if name == b"sqrt" => {
                            let z = self.b().float(0.0);
                            let ok = self.b().emit(Op::FGe, &[x, z])?;
                            self.b().emit(Op::GTrue, &[ok])?;
                            self.b().emit(Op::FSqrt, &[x])?
                        }
                        None => self.b().emit(Op::FAbs, &[x])?,
                    };
                    Ok(Some(self.b().emit(Op::BoxF, &[r])?))
                }
                _ => Ok(None),
            }
        }
    }

    unsafe fn method(&mut self, t: *mut PyTypeObject, name: &[u8], at: i32, n: i32) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let this = at + 1;
            if n < 1 || (*self.actual(this)).ob_type != t {
                return Ok(None);
            }
            if t == List::type_ptr() {
                match (name, n) {
                    (b"append", 2) => {
                        self.fix(at)?;
                        let l = self.get(this)?;
                        self.b().guard_type(l, t as u64, true)?;
                        let x = self.get(this + 1)?;
                        self.b().own(x)?;
                        self.b().call(h::LIST_APPEND, &[l, x], false)?;
                        self.act();
                        return Ok(Some(self.owned(none_ref())?));
                    }
                    (b"pop", 1)
                        if Object::from_ptr(self.actual(this)).downcast_unchecked::<List>().len() > 0 =>
                    {
                        self.fix(at)?;
                        let l = self.get(this)?;
                        self.b().guard_type(l, t as u64, true)?;
                        let len = self.b().fload(l, LIST_SIZE)?;
                        let zero = self.b().int(0);
                        let ok = self.b().emit(Op::Gt, &[len, zero])?;
                        self.b().emit(Op::GTrue, &[ok])?;
                        let r = self.b().call(h::LIST_POP, &[l], false)?;
                        self.act();
                        return Ok(Some(r));
                    }
                    _ => {}
                }
            }
            if t == Dict::type_ptr()
                && name == b"get"
                && (n == 2 || n == 3)
                && exact::<Str>(self.actual(this + 1))
                && Object::from_ptr(self.actual(this)).downcast_unchecked::<Dict>().keys_are_strings()
            {
                self.fix(at)?;
                let (d, k) = (self.get(this)?, self.get(this + 1)?);
                self.b().guard_type(d, t as u64, true)?;
                self.b().guard_type(k, Str::type_ptr() as u64, true)?;
                let default =
                    if n == 3 { self.get(this + 2)? } else { self.b().object(none_ref().as_ptr() as u64) };
                let r = self.b().call(h::DICT_GET_DEFAULT, &[d, k, default], false)?;
                self.b().emit(Op::GNonNull, &[r])?;
                return Ok(Some(r));
            }
            if t == Dict::type_ptr()
                && name == b"get"
                && (n == 2 || n == 3)
                && self.quiet_key(self.actual(this + 1))
            {
                self.fix(at)?;
                let (d, k) = (self.get(this)?, self.get(this + 1)?);
                self.b().guard_type(d, t as u64, true)?;
                self.guard_plain(k, self.actual(this + 1))?;
                let default =
                    if n == 3 { self.get(this + 2)? } else { self.b().object(none_ref().as_ptr() as u64) };
                let r = self.b().call(h::DICT_GET_KEY_DEFAULT, &[d, k, default], false)?;
                self.b().emit(Op::GNonNull, &[r])?;
                return Ok(Some(r));
            }
            Ok(None)
        }
    }

    unsafe fn class(&mut self, t: *mut PyTypeObject, at: i32, n: i32) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let first = at + 1;
            if t == &raw mut lh_runtime::type_table::PyRange_Type && (n == 1 || n == 2) {
                if !(first..self.sp).all(|s| small(self.actual(s), 1 << 40)) {
                    return Ok(None);
                }
                self.fix(at)?;
                let mut ints = vec![];
                for s in first..self.sp {
                    let v = self.get(s)?;
                    ints.push(self.int_of(v)?);
                }
                let zero = self.b().int(0);
                let (start, stop) = if n == 1 { (zero, ints[0]) } else { (ints[0], ints[1]) };
                return Ok(Some(self.b().call(h::MAKE_RANGE, &[start, stop], false)?));
            }
            if n != 1 {
                return Ok(None);
            }
            let a = self.actual(first);
            let v = self.get(first)?;
            if t == Type::type_ptr() {
                self.fix(at)?;
                if !self.guard_class(v, a)? {
                    return Ok(None);
                }
                let c = self.pin((*a).ob_type.cast());
                self.b().own(c)?;
                return Ok(Some(c));
            }
            if t == Float::type_ptr() && (exact::<Float>(a) || small(a, 1 << 53)) {
                self.fix(at)?;
                if exact::<Float>(a) {
                    self.b().guard_type(v, t as u64, true)?;
                    self.b().own(v)?;
                    return Ok(Some(v));
                }
                let x = self.number_of(v, a, lh_bytecode::opcode::CALL)?;
                return Ok(Some(self.b().emit(Op::BoxF, &[x])?));
            }
            if t == Float::type_ptr() && !exact::<Str>(a) && (*a).ob_type != Int::type_ptr() {
                self.fix(at)?;
                return self.float_by_slot(v, a);
            }
            if t == Str::type_ptr() {
                self.fix(at)?;
                return self.text(v, a, false);
            }
            if t == Bool::type_ptr() {
                self.fix(at)?;
                let truth = self.truth(v, a)?;
                let r = self.bool_object(truth)?;
                self.b().own(r)?;
                return Ok(Some(r));
            }
            if t == Int::type_ptr() && (exact::<Int>(a) || exact::<Float>(a) && float_value(a).abs() < 1e15) {
                self.fix(at)?;
                if exact::<Int>(a) {
                    self.b().guard_type(v, t as u64, true)?;
                    self.b().own(v)?;
                    return Ok(Some(v));
                }
                let x = self.float_of(v)?;
                let i = self.b().emit(Op::F2I, &[x])?;
                return Ok(Some(self.b().emit(Op::BoxI, &[i])?));
            }
            Ok(None)
        }
    }

    /// What a built-in function, the callable in slot `at`, gives its C function as `self`.
    pub(crate) unsafe fn receiver(
        &mut self,
        callee: *mut PyObject,
        def: *mut PyMethodDef,
        at: i32,
    ) -> Rec<R> {
        // SAFETY: live operands.
        unsafe {
            let of = (*callee.cast::<PyCFunctionObject>()).m_self;
            if of.is_null() || Object::from_ptr(of).is_instance_of::<Module>() {
                self.fix(at)?;
                return Ok(self.b().object(of as u64));
            }
            // A bound method, made anew for every call as a rule: what counts is the function.
            let v = self.get(at)?;
            self.b().guard_type(v, CFunction::type_ptr() as u64, true)?;
            let ml = self.b().fload(v, CFUNC_ML)?;
            let want = self.b().ptr(def as u64);
            self.b().guard_value(ml, want)?;
            let of = self.b().fload(v, CFUNC_SELF)?;
            self.b().emit(Op::GNonNull, &[of])?;
            Ok(of)
        }
    }
    /// Calls a built-in's C function without the call protocol. `at` is the callable's slot.
    #[allow(clippy::too_many_arguments)]
    pub(crate) unsafe fn direct(
        &mut self,
        callee: *mut PyObject,
        def: *mut PyMethodDef,
        owner: Option<*mut PyTypeObject>,
        at: i32,
        args: &[(R, *mut PyObject)],
        names: *mut PyObject,
        array: Array,
    ) -> Rec<Option<R>> {
        // SAFETY: live operands.
        unsafe {
            let Some(f) = (*def).ml_meth else { return Ok(None) };
            let flags = (*def).ml_flags & !(METH_COEXIST | METH_CLASS | METH_STATIC);
            let mut args = args;
            let mut first = None;
            let this = match owner {
                Some(t) => {
                    let Some(((v, o), rest)) = args.split_first() else { return Ok(None) };
                    let (v, o) = (*v, *o);
                    let of = Object::from_ptr((*o).ob_type.cast()).downcast_unchecked::<Type>();
                    if !of.is_subtype(Object::from_ptr(t.cast()).downcast_unchecked::<Type>()) {
                        return Ok(None);
                    }
                    self.fix(at)?;
                    if !self.guard_class(v, o)? {
                        return Ok(None);
                    }
                    args = rest;
                    first = Some(o);
                    v
                }
                None => {
                    let this = self.receiver(callee, def, at)?;
                    // Extensions put their own functions into definitions of ours: clocks that stand still.
                    if !of_a_library(def) {
                        let definition = self.b().ptr(def as u64);
                        let now = self.b().fload(definition, DEF_FUNCTION)?;
                        let want = self.b().ptr(f as usize as u64);
                        self.b().guard_value(now, want)?;
                    }
                    this
                }
            };
            let function = self.b().ptr(f as usize as u64);
            let null = self.b().null();
            if owner == Some(Str::type_ptr())
                && names.is_null()
                && first.is_some_and(|o| exact::<Str>(o))
                && QUIET_STR_METHODS.contains(&CStr::from_ptr((*def).ml_name).to_bytes())
                && args.iter().all(|(_, a)| self.quiet_key(*a))
            {
                for (x, a) in args {
                    self.guard_plain(*x, *a)?;
                }
                let mut args: Vec<R> = args.iter().map(|(x, _)| *x).collect();
                let count = args.len();
                let r = match flags {
                    METH_O if count == 1 => self.b().call(h::ASK_C_O, &[function, this, args[0]], false)?,
                    METH_NOARGS if count == 0 => self.b().call(h::ASK_C_O, &[function, this, null], false)?,
                    x if (x == METH_FASTCALL || x == METH_FASTCALL | METH_KEYWORDS) && count <= 2 => {
                        let k = self.b().int(count as i64);
                        args.resize(2, null);
                        self.b().call(h::ASK_C_FAST, &[function, this, k, args[0], args[1]], false)?
                    }
                    _ => return Ok(None),
                };
                self.b().emit(Op::GNonNull, &[r])?;
                return Ok(Some(r));
            }
            let args: Vec<R> = args.iter().map(|(x, _)| *x).collect();
            let count = args.len() as i32;
            let takes_array = flags & METH_FASTCALL != 0;
            let array = match array {
                Array::Stack if takes_array => Some(self.stack_address(self.sp - count)?),
                Array::At(p) if takes_array => {
                    let skip = self.b().int(8 * owner.is_some() as i64);
                    Some(self.displaced(p, skip)?)
                }
                _ => None,
            };
            if let Some(p) = array {
                let named = if names.is_null() { 0 } else { (*names.cast::<PyVarObject>()).ob_size as i32 };
                let k = self.b().int((count - named) as i64);
                let names = if names.is_null() { null } else { self.b().object(names as u64) };
                let with_names = flags & METH_KEYWORDS != 0;
                return Ok(match flags & !METH_KEYWORDS {
                    // One that takes no names ignores the fourth argument.
                    METH_FASTCALL if with_names || named == 0 => {
                        Some(self.call_c_any(f as usize, &[this, p, k, names])?)
                    }
                    x if x == METH_METHOD | METH_FASTCALL && with_names && owner.is_some() => {
                        let class = self.b().ptr(owner.map_or(0, |t| t as u64));
                        Some(self.call_c_any(f as usize, &[this, class, p, k, names])?)
                    }
                    _ => None,
                });
            }
            let padded = |to: usize| {
                let mut v = args.clone();
                v.resize(to, null);
                v
            };
            if !names.is_null() {
                let named = Object::from_ptr(names).downcast_unchecked::<Tuple>().len() as i32;
                let helper = match flags {
                    x if x == METH_FASTCALL | METH_KEYWORDS => h::CALL_C_NAMES,
                    x if x == METH_VARARGS | METH_KEYWORDS => h::CALL_C_DICT,
                    _ => return Ok(None),
                };
                if !(named..=3).contains(&count) {
                    return Ok(None);
                }
                let k = self.b().int((count - named) as i64);
                let names = self.b().object(names as u64);
                let all = [&[function, this, k, names][..], &padded(3)].concat();
                return Ok(Some(self.call_ref(helper, &all)?));
            }
            let r = match flags {
                METH_O if count == 1 => self.call_c2(f as usize, this, args[0])?,
                METH_NOARGS if count == 0 => self.call_c2(f as usize, this, null)?,
                x if x == METH_METHOD | METH_FASTCALL | METH_KEYWORDS && count <= 3 && owner.is_some() => {
                    let class = self.b().ptr(owner.map_or(0, |t| t as u64));
                    let k = self.b().int(count as i64);
                    self.call_ref(h::CALL_C_METHOD, &[&[function, this, class, k][..], &padded(3)].concat())?
                }
                x if x & !METH_KEYWORDS == METH_VARARGS && count <= 3 => {
                    let k = self.b().int(count as i64);
                    self.call_ref(h::CALL_C_TUPLE, &[&[function, this, k][..], &padded(3)].concat())?
                }
                x if (x == METH_FASTCALL || x == METH_FASTCALL | METH_KEYWORDS) && count <= 6 => {
                    let k = self.b().int(count as i64);
                    let (helper, room) = match count {
                        0..=2 => (h::CALL_C_FAST, 2),
                        3 => (h::CALL_C_FAST3, 3),
                        _ => (h::CALL_C_FAST6, 6),
                    };
                    self.call_ref(helper, &[&[function, this, k][..], &padded(room)].concat())?
                }
                _ => return Ok(None),
            };
            Ok(Some(r))
        }
    }
}

/// Does a definition lie in a file that was loaded? Ours lie in the heap.
fn of_a_library(def: *mut PyMethodDef) -> bool {
    // SAFETY: a place to write to.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        libc::dladdr(def.cast(), &mut info) != 0
    }
}

/// Methods of `str` that, called with ints and strings, run no other code and can be run twice.
const QUIET_STR_METHODS: &[&[u8]] = &[
    b"startswith",
    b"endswith",
    b"find",
    b"rfind",
    b"index",
    b"rindex",
    b"count",
    b"isdigit",
    b"isalpha",
    b"isalnum",
    b"isspace",
    b"isupper",
    b"islower",
    b"isnumeric",
    b"isdecimal",
    b"isidentifier",
    b"strip",
    b"lstrip",
    b"rstrip",
    b"lower",
    b"upper",
    b"replace",
    b"split",
    b"rsplit",
    b"splitlines",
    b"title",
    b"capitalize",
    b"swapcase",
    b"casefold",
    b"zfill",
    b"center",
    b"ljust",
    b"rjust",
    b"partition",
    b"rpartition",
    b"removeprefix",
    b"removesuffix",
    b"expandtabs",
];

/// `object.__class__`.
fn base_class_attr() -> Option<*mut PyObject> {
    // SAFETY: the base type lives for ever.
    unsafe {
        Object::from_ptr((&raw mut lh_runtime::type_table::PyBaseObject_Type).cast())
            .downcast_unchecked::<Type>()
            .lookup(lh_runtime::intern!("__class__"))
            .map(|x| x.ptr())
    }
}
