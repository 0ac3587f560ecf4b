//! Python functions inlined into a trace.
//!
//! ```text
//!   data stack:  … root frame … | BASE: [frame 1: header, locals, stack][frame 2] …          | datastack_top
//!                                 reserved when the trace is entered (`ROOM` words)
//! ```
//!
//! The frame of an inlined function has its place there, at a distance from BASE known while recording. Its slots are virtual like
//! any frame's; the two references its header owns (function, code) are slots of it with negative numbers. The rest of the header is
//! written the first time something may look at frames (`write_headers`), and then the frame is also counted as a level of recursion
//! and made the thread's current frame. Snapshot kinds say which headers are written, so that an exit knows which it has to write.
//!
//! Not inlined: generators, functions whose loops go round more than a few times (those have traces of their own), and
//! whatever an earlier recording could not follow.

use crate::descs::*;
use crate::manager::{RAISE, RESUME, state};
use crate::record::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame::{self, FRAME_WORDS, Frame};
use lh_jit_ir::*;
use lh_jit_opt::R;
use lh_runtime::prelude::*;
use rustc_hash::FxHashMap as HashMap;

/// Words of data stack reserved for the inlined frames of a trace.
pub const ROOM: usize = 512;
pub const MAX_DEPTH: usize = 10;
/// So often a function may be inlined inside itself.
const MAX_SELF: usize = 1;
/// The same where the root is a function that calls itself: the deeper, the fewer entries.
const MAX_SELF_FUNCTION: usize = 2;
/// Bytecodes (in units) of the longest function that is inlined.
pub const MAX_UNITS: usize = 1500;
/// In the flags of a [`FrameInfo`]: the frame is a generator's and lies in that.
pub const GENERATOR: u8 = 0x80;
/// Word of the JIT frame that holds BASE.
pub const BASE: u32 = jf::EMBEDDER as u32;

pub const FUNC_SLOT: i32 = -(FRAME_WORDS as i32);
const CODE_SLOT: i32 = FUNC_SLOT + 4;

/// What an exit must know of an inlined frame (its `token`).
pub struct FrameInfo {
    pub code: *mut PyCodeObject,
    pub globals: *mut PyObject,
    pub builtins: *mut PyObject,
    pub flags: u8,
}

/// A caller of the innermost frame.
pub struct Level {
    pub frame: *mut Frame,
    pub code: *mut PyCodeObject,
    pub base: Option<R>,
    pub info: *const FrameInfo,
    pub header: bool,
    pub shadow: HashMap<i32, R>,
    /// Where it goes on, and the slot for the callee's value (-1: none wanted).
    pub resume: u32,
    pub ret: i32,
    /// Its stack's height without a value of the callee.
    pub sp: i32,
}

/// Is the code of a kind that is never inlined?
unsafe fn unfit(code: *mut PyCodeObject) -> bool {
    // SAFETY: live code.
    unsafe {
        let c = Object::from_ptr(code.cast()).downcast_unchecked::<Code>();
        let n = c.len_units();
        n > MAX_UNITS || (0..n).any(|u| matches!(c.unit_at(u).0, op::RETURN_GENERATOR | op::IMPORT_STAR))
    }
}

impl Recorder {
    /// Which frames (by number, 0 is the root) have their header in memory.
    pub(crate) fn written(&self) -> u32 {
        let mut m = 0;
        for (k, l) in self.outer.iter().enumerate().skip(1) {
            m |= (l.header as u32) << k;
        }
        if !self.outer.is_empty() {
            m |= (self.header as u32) << self.outer.len();
        }
        m
    }

    pub(crate) fn push_level(&mut self, base: R, info: *const FrameInfo, resume: u32, ret: i32, sp: i32) {
        self.outer.push(Level {
            frame: self.frame,
            code: self.code,
            base: self.base,
            info: self.info,
            header: self.header,
            shadow: std::mem::take(&mut self.shadow),
            resume,
            ret,
            sp,
        });
        self.base = Some(base);
        self.info = info;
        self.header = false;
        self.frame = std::ptr::null_mut();
        // SAFETY: infos live as long as the process.
        self.code = unsafe { (*info).code };
    }

    /// May a function of this code be inlined here?
    pub(crate) unsafe fn inlinable(&mut self, code: *mut PyCodeObject) -> bool {
        // SAFETY: live code.
        unsafe {
            let same = self.outer.iter().filter(|l| l.code == code).count() + (self.code == code) as usize;
            self.outer.len() < MAX_DEPTH
                && same <= if self.function { MAX_SELF_FUNCTION } else { MAX_SELF }
                && self.fits(code)
                && !state().no_inline.contains(&(code as usize))
                && !unfit(code)
        }
    }

    /// Inlines the call of a Python function; false if it has to go through the call protocol. The callable is in slot `base` (a
    /// method's function, `n + 1` arguments behind it) or `base + 1`.
    pub(crate) unsafe fn inline_function(
        &mut self,
        base: i32,
        kwnames: *mut PyObject,
        next: u32,
    ) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let method = !self.actual(base).is_null();
            let at = if method { base } else { base + 1 };
            let callee = self.actual(at);
            let Some((func, order)) = bind_args(callee, self.sp - at - 1, kwnames) else { return Ok(false) };
            let code = (*func).func_code.cast::<PyCodeObject>();
            let mut root = std::ptr::null_mut();
            if !self.inlinable(code) {
                match self.root_to_call(code) {
                    Some(r) => root = r,
                    None => return Ok(false),
                }
            }
            let f = self.get(at)?;
            self.guard_function(f, func)?;
            let order = self.keyword_defaults(func, order)?;
            // From here on nothing can fail.
            let mut args = vec![];
            for s in (at + 1..self.sp).rev() {
                args.push(self.pop(s)?);
            }
            args.reverse();
            let fv = self.pop(at)?;
            if !method {
                let null = self.pop(base)?;
                self.b().drop_ref(null, ops::DROP_MAYBE_NULL)?;
            }
            if root.is_null() {
                self.enter_function(func, fv, &args, &order, base, 0, next)?;
            } else {
                self.call_root(func, fv, &args, &order, base, root)?;
            }
            Ok(true)
        }
    }
    /// The function with a trace of its own that this code is, or will be when the present recording is done.
    unsafe fn root_to_call(
        &mut self,
        code: *mut PyCodeObject,
    ) -> Option<*mut crate::functions::FunctionRoot> {
        // SAFETY: live code; roots live for ever.
        unsafe {
            let recording = self.function && self.root_code == code;
            let r = crate::functions::function_root(state(), code)?;
            ((recording || (*r).trace != crate::functions::NO_TRACE) && self.fits(code)).then_some(r)
        }
    }
    /// Is there room for another frame of this code above the inlined ones?
    unsafe fn fits(&self, code: *mut PyCodeObject) -> bool {
        // SAFETY: live code.
        unsafe {
            let mut words = frame::frame_words(code);
            for l in self.outer.iter().skip(1) {
                words += frame::frame_words(l.code);
            }
            if !self.outer.is_empty() {
                words += frame::frame_words(self.code);
            }
            words <= self.room
        }
    }

    /// Looks keyword defaults up: their dictionary may change without the function noticing.
    pub(crate) unsafe fn keyword_defaults(
        &mut self,
        func: *mut PyFunctionObject,
        mut order: Vec<Arg>,
    ) -> Rec<Vec<Arg>> {
        // SAFETY: a live function; `bind_args` has found the name in its dictionary.
        unsafe {
            let mut guarded = false;
            for a in &mut order {
                if let Arg::Keyword(index) = *a {
                    let d = Object::from_ptr((*func).func_kwdefaults).downcast_unchecked::<Dict>();
                    if !guarded {
                        self.guard_keys(d)?;
                        guarded = true;
                    }
                    *a = Arg::Value(self.entry(d, index)?.0);
                }
            }
            Ok(order)
        }
    }

    /// A new tuple of up to four values, whose references it takes over.
    pub(crate) unsafe fn make_tuple(&mut self, items: &[R]) -> Rec<R> {
        if items.is_empty() {
            let e = Tuple::from_vec(vec![]);
            let v = self.pin(e.as_ptr());
            self.b().own(v)?;
            return Ok(v);
        }
        Ok(self.b().new_object(TUPLE + items.len() as u32 - 1, items)?)
    }

    /// Guards that a value is this function, or one that runs the same.
    pub(crate) unsafe fn guard_function(&mut self, f: R, func: *mut PyFunctionObject) -> Rec {
        // SAFETY: a live function.
        unsafe {
            let o = Object::from_ptr(func.cast()).downcast_unchecked::<Function>();
            if self.b().const_of(f) == Some(func as u64) {
                let version = o.version();
                let v = self.b().fload(f, FUNC_VERSION)?;
                let want = self.b().int(version as i64);
                return Ok(self.b().guard_value(v, want)?);
            }
            // Not kept alive: whatever its identity, code, namespaces and defaults decide.
            self.b().guard_type(f, Function::type_ptr() as u64, true)?;
            let pairs = [
                (FUNC_CODE, (*func).func_code as u64),
                (FUNC_GLOBALS, (*func).func_globals as u64),
                (FUNC_BUILTINS, (*func).func_builtins as u64),
                (FUNC_DEFAULTS, (*func).func_defaults as u64),
                (FUNC_KWDEFAULTS, (*func).func_kwdefaults as u64),
                (FUNC_VECTORCALL, (*func).vectorcall.map_or(0, |f| f as usize as u64)),
            ];
            for (field, bits) in pairs {
                let v = self.b().fload(f, field)?;
                let want = self.b().ptr(bits);
                self.b().guard_value(v, want)?;
            }
            let owned = [
                (*func).func_code,
                (*func).func_globals,
                (*func).func_builtins,
                (*func).func_defaults,
                (*func).func_kwdefaults,
            ];
            for p in owned {
                if !p.is_null() {
                    self.pin(p);
                }
            }
            Ok(())
        }
    }

    /// The values of a function's parameters, with their references. What collects arguments is made while the caller's frame is the
    /// innermost one.
    pub(crate) unsafe fn bind_values(&mut self, args: &[R], order: &[Arg]) -> Rec<Vec<R>> {
        // SAFETY: live defaults.
        unsafe {
            let mut values = vec![];
            for a in order {
                values.push(match a {
                    Arg::Given(k) => args[*k],
                    Arg::Default(o) => {
                        let d = self.pin(*o);
                        self.b().own(d)?;
                        d
                    }
                    Arg::Value(v) => {
                        self.b().own(*v)?;
                        *v
                    }
                    Arg::Keyword(_) => return Err(Why::Unbound),
                    Arg::Rest(from, to) => self.make_tuple(&args[*from..*to])?,
                    Arg::Names(names) => {
                        let d = self.b().call(crate::helpers::NEW_DICT, &[], false)?;
                        for (name, k) in names {
                            let name = self.pin(*name);
                            self.b().call(crate::helpers::PUT_NAME, &[d, name, args[*k]], false)?;
                        }
                        d
                    }
                });
            }
            Ok(values)
        }
    }

    /// Enters a function: the operands have been popped; `order[i]` says where local `i` gets its value from.
    #[allow(clippy::too_many_arguments)]
    pub(crate) unsafe fn enter_function(
        &mut self,
        func: *mut PyFunctionObject,
        fv: R,
        args: &[R],
        order: &[Arg],
        sp: i32,
        flags: u8,
        next: u32,
    ) -> Rec {
        // SAFETY: a live function.
        unsafe {
            let code = (*func).func_code.cast::<PyCodeObject>();
            let ret = if flags & frame::INIT != 0 { -1 } else { sp };
            let info = state().frame_info(FrameInfo {
                code,
                globals: (*func).func_globals,
                builtins: (*func).func_builtins,
                flags,
            });
            let c = self.pin(code.cast());
            let values = self.bind_values(args, order)?;
            let base = self.next_base()?;
            self.snapshot(RESUME, next, sp)?;
            self.b().push_frame(base, info as u64, next, (*code).co_nlocalsplus)?;
            self.push_level(base, info, next, ret, sp);
            for (i, v) in values.into_iter().enumerate() {
                self.put(i as i32, v)?;
            }
            self.put(FUNC_SLOT, fv)?;
            self.b().own(c)?;
            self.put(CODE_SLOT, c)?;
            self.expect = Some(0);
            Ok(())
        }
    }

    /// Where the next inlined frame lies.
    pub(crate) unsafe fn next_base(&mut self) -> Rec<R> {
        // SAFETY: live code; infos live as long as the process.
        unsafe {
            let mut last = (self.base, self.info, self.code);
            let mut k = self.outer.len();
            // Generators' frames lie elsewhere.
            while last.0.is_some() && (*last.1).flags & GENERATOR != 0 {
                k -= 1;
                last = (self.outer[k].base, self.outer[k].info, self.outer[k].code);
            }
            match last.0 {
                None => Ok(self.b().emit_ty(Op::JLoad, Ty::Ptr, &[], BASE)?),
                Some(r) => {
                    let k = self.b().int((frame::frame_words(last.2) * 8) as i64);
                    Ok(self.b().emit(Op::PAdd, &[r, k])?)
                }
            }
        }
    }

    /// Makes the inlined frames visible: something may look at them from here on.
    pub(crate) unsafe fn write_headers(&mut self) -> Rec {
        if self.outer.is_empty() || self.header {
            return Ok(());
        }
        // SAFETY: infos live as long as the process; codes are pinned.
        unsafe {
            let depth = self.outer.len();
            let mut count = 0;
            for k in 1..=depth {
                let (base, info, done) = if k == depth {
                    (self.base, self.info, self.header)
                } else {
                    (self.outer[k].base, self.outer[k].info, self.outer[k].header)
                };
                if done {
                    continue;
                }
                count += 1;
                let base = base.expect("an inlined frame has an address");
                let up = &self.outer[k - 1];
                let site = frame::first_instr(up.code).add(up.resume as usize).sub(1) as u64;
                let up = match up.base {
                    Some(r) => r,
                    None => self.b().frame(),
                };
                let site = self.b().ptr(site);
                self.b().fstore(up, FRAME_PREV, site)?;
                self.b().fstore(base, FRAME_PREVIOUS, up)?;
                if (*info).flags & GENERATOR != 0 {
                    self.link_generator(base)?;
                    if k == depth {
                        self.header = true;
                    } else {
                        self.outer[k].header = true;
                    }
                    continue;
                }
                for (field, bits) in [
                    (FRAME_GLOBALS_W, (*info).globals as u64),
                    (FRAME_BUILTINS_W, (*info).builtins as u64),
                    (FRAME_LOCALS, 0),
                    (FRAME_OBJ, 0),
                ] {
                    let v = self.b().ptr(bits);
                    self.b().fstore(base, field, v)?;
                }
                let word = self.b().int(header_word((*info).flags));
                self.b().fstore(base, FRAME_WORD, word)?;
                if k == depth {
                    self.header = true;
                } else {
                    self.outer[k].header = true;
                }
            }
            let base = self.base.expect("inlined");
            self.make_current(base)?;
            self.recurse(-count)
        }
    }
    pub(crate) fn make_current(&mut self, f: R) -> Rec {
        let ts = self.b().emit(Op::Ts, &[])?;
        let c = self.b().fload(ts, TS_CFRAME)?;
        Ok(self.b().fstore(c, CFRAME_CURRENT, f)?)
    }
    pub(crate) fn recurse(&mut self, by: i64) -> Rec {
        let ts = self.b().emit(Op::Ts, &[])?;
        let n = self.b().fload(ts, TS_RECURSION)?;
        let d = self.b().int(by);
        let n = self.b().emit(Op::Add, &[n, d])?;
        Ok(self.b().fstore(ts, TS_RECURSION, n)?)
    }

    /// A caller is the innermost frame again.
    pub(crate) fn take_level(&mut self, l: Level) {
        self.frame = l.frame;
        self.code = l.code;
        self.base = l.base;
        self.info = l.info;
        self.header = l.header;
        self.shadow = l.shadow;
    }

    /// RETURN_VALUE of an inlined function.
    pub(crate) unsafe fn leave_inlined(&mut self) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let up = self.outer.last().ok_or(Why::Left)?;
            let (resume, flags) = (up.resume, (*self.info).flags);
            if flags & GENERATOR != 0 {
                return self.generator_return();
            }
            if flags & frame::OPERATOR == 0 {
                return self.leave_frame(|_, _, _| Ok(resume));
            }
            self.check_answer()?;
            self.leave_frame(|me, v, a| me.finish_method(resume - 1, flags >> frame::HOW, v, a))
        }
    }

    /// Leaves the innermost frame, whose value is on top of its stack. `finish` gets a method's value (any other is where the caller wants
    /// it) and says where the caller goes on.
    pub(crate) unsafe fn leave_frame(
        &mut self,
        finish: impl FnOnce(&mut Self, R, *mut PyObject) -> Rec<u32>,
    ) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let n = (*self.code).co_nlocalsplus;
            let up = self.outer.last().ok_or(Why::Left)?;
            let ret = up.ret;
            let operator = (*self.info).flags & frame::OPERATOR != 0;
            if self.header && !(*self.frame).frame_obj.is_null() {
                self.give_up_frame_object()?;
            }
            let here = self.here();
            if self.header {
                for field in [FRAME_OBJ, FRAME_LOCALS] {
                    let v = self.b().fload(here, field)?;
                    self.b().emit(Op::GNull, &[v])?;
                }
            }
            let value = self.actual(sp - 1);
            if ret < 0 {
                if !Object::from_ptr(value).is_none() {
                    return Err(Why::Operands(op::RETURN_VALUE));
                }
                let v = self.get(sp - 1)?;
                let c = self.b().object(value as u64);
                self.b().guard_value(v, c)?;
            }
            let mut locals = vec![];
            for i in 0..n {
                let a = self.actual(i);
                let v = self.get(i)?;
                // What a caller's slot holds has another reference anyway.
                if !self.outer.iter().any(|l| l.shadow.values().any(|x| *x == v)) {
                    self.prepare_release(v, a)?;
                }
                locals.push((v, a));
            }
            let result = self.pop(sp - 1)?;
            for i in 0..n {
                locals[i as usize].0 = self.pop(i)?;
            }
            let fv = self.pop(FUNC_SLOT)?;
            let cv = self.pop(CODE_SLOT)?;
            self.b().pop_frame()?;
            let func = (*self.frame).func;
            let code = self.code;
            let was_written = self.header;
            let l = self.outer.pop().expect("inlined");
            self.take_level(l);
            if was_written {
                let f = self.here();
                self.make_current(f)?;
                self.recurse(1)?;
            }
            if operator {
            } else if ret >= 0 {
                self.put(ret, result)?;
            } else {
                self.b().drop_ref(result, ops::DROP_NOT_LAST)?;
            }
            self.acted = true;
            for (v, a) in locals {
                self.release(v, a)?;
            }
            self.release(fv, func.cast())?;
            self.release(cv, code.cast())?;
            finish(self, result, value)
        }
    }

    /// COPY_FREE_VARS: the closure's cells become the last slots of the frame.
    pub(crate) unsafe fn copy_free_vars(&mut self, n: i32) -> Rec {
        // SAFETY: the code says that the function has `n` free variables.
        unsafe {
            if self.outer.is_empty() {
                return Err(Why::Opcode(op::COPY_FREE_VARS));
            }
            let first = (*self.code).co_nlocalsplus - n;
            let f = self.get(FUNC_SLOT)?;
            let t = self.b().fload(f, FUNC_CLOSURE)?;
            self.b().emit(Op::GNonNull, &[t])?;
            for i in 0..n {
                let k = self.b().int(i as i64);
                let c = self.b().aload(t, TUPLE_ITEM, k)?;
                self.b().own(c)?;
                // The slot held null.
                self.put(first + i, c)?;
            }
            Ok(())
        }
    }

    /// A new instance that is only made when somebody can see it, if the class is of a simple layout and has no `__del__`.
    unsafe fn virtual_instance(&mut self, t: *mut PyTypeObject) -> Rec<Option<R>> {
        // SAFETY: a heap type whose instances object's `__new__` makes.
        unsafe {
            use lh_runtime::{instance, typeobject};
            let plain = (*t).tp_alloc.map(|f| f as usize)
                == Some(typeobject::generic_alloc as *const () as usize)
                && (*t).tp_finalize.is_none()
                && (*t).tp_del.is_none()
                && (*t).tp_itemsize == 0;
            let mro = Type::from_raw_ref(t).mro();
            // Where members of `__slots__` lie.
            let mut places = vec![];
            for c in mro.iter() {
                let c = c.as_ptr().cast::<PyTypeObject>();
                if c == &raw mut lh_runtime::type_table::PyBaseObject_Type {
                    continue;
                }
                if (*c).tp_flags & Py_TPFLAGS_HEAPTYPE == 0 {
                    return Ok(None);
                }
                for d in Type::from_raw_ref(c).dict().values_vec() {
                    if let Some(m) = d.downcast_exact::<MemberDescr>() {
                        let def = m.member();
                        if (*m.as_struct()).d_common.d_type == c && (*def).r#type == T_OBJECT_EX {
                            places.push((*def).offset);
                        }
                    }
                }
            }
            let weak = if (*t).tp_weaklistoffset != 0 { 8 } else { 0 };
            let first = size_of::<PyObject>() as isize;
            places.sort();
            let slots = places.len();
            let in_order = places.iter().enumerate().all(|(k, at)| *at == first + 8 * k as isize);
            if !plain || !in_order || (*t).tp_basicsize != first + weak + 8 * slots as isize {
                return Ok(None);
            }
            let (class, n) = if (*t).tp_flags & Py_TPFLAGS_MANAGED_DICT != 0 {
                let n = instance::capacity_for(t);
                // Without known names the room would shrink later.
                if slots != 0
                    || (*instance::shared_keys(t)).len() == 0
                    || !(LEAST_VALUES..=MOST_FIELDS).contains(&n)
                {
                    return Ok(None);
                }
                (INSTANCE + (n - LEAST_VALUES) as u32, n)
            } else {
                let n = slots;
                if (*t).tp_dictoffset != 0 || weak != 0 || !(1..=MOST_FIELDS).contains(&n) {
                    return Ok(None);
                }
                (SLOTTED + n as u32 - 1, n)
            };
            let mut fields = vec![self.b().ptr(t as u64)];
            let null = self.b().null();
            fields.resize(n + 1, null);
            Ok(Some(self.b().new_object(class, &fields)?))
        }
    }

    /// A class whose `__init__` is a Python function: the object is made, `__init__` inlined.
    pub(crate) unsafe fn inline_class(
        &mut self,
        base: i32,
        n: i32,
        kwnames: *mut PyObject,
        next: u32,
    ) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            if !self.actual(base).is_null() {
                return Ok(false);
            }
            let class = self.actual(base + 1);
            if (*class).ob_type != Type::type_ptr() {
                return Ok(false);
            }
            let t = class.cast::<PyTypeObject>();
            let plain_new = (*t).tp_new.map(|f| f as usize)
                == lh_runtime::type_table::PyBaseObject_Type.tp_new.map(|f| f as usize);
            if !plain_new
                || (*t).tp_flags & Py_TPFLAGS_HEAPTYPE == 0
                || (*t).tp_flags & Py_TPFLAGS_IS_ABSTRACT != 0
            {
                return Ok(false);
            }
            let ty = Object::from_ptr(class).downcast_unchecked::<Type>();
            let version = ty.version();
            let Some(init) = ty.lookup(lh_runtime::intern!("__init__")) else { return Ok(false) };
            if version == 0 {
                return Ok(false);
            }
            let Some((func, order)) = bind_args(init.ptr(), n + 1, kwnames) else { return Ok(false) };
            let code = (*func).func_code.cast::<PyCodeObject>();
            if !self.inlinable(code) {
                return Ok(false);
            }
            let cv = self.get(base + 1)?;
            let c = self.pin(class);
            self.b().guard_value(cv, c)?;
            let tp = self.b().ptr(class as u64);
            let x = self.b().fload(tp, TYPE_VERSION)?;
            let want = self.b().int(version as i64);
            self.b().guard_value(x, want)?;
            let fv = self.pin(func.cast());
            self.guard_function(fv, func)?;
            let order = self.keyword_defaults(func, order)?;
            let object = match self.virtual_instance(t)? {
                Some(o) => o,
                None => {
                    self.set_prev()?;
                    let o = self.b().call(crate::helpers::NEW_OBJECT, &[c], false)?;
                    self.snapshot(RAISE, self.pc, self.sp)?;
                    self.b().emit(Op::GNonNull, &[o])?;
                    self.b().guard_type(o, class as u64, false)?;
                    o
                }
            };
            let mut args = vec![];
            for s in (base + 2..self.sp).rev() {
                args.push(self.pop(s)?);
            }
            args.push(object);
            args.reverse();
            let cv = self.pop(base + 1)?;
            let null = self.pop(base)?;
            self.b().drop_ref(null, ops::DROP_MAYBE_NULL)?;
            // One reference for the caller's stack, one for `self`.
            self.b().own(object)?;
            self.put(base, object)?;
            self.b().drop_ref(cv, ops::DROP_NOT_LAST)?;
            self.b().own(fv)?;
            self.enter_function(func, fv, &args, &order, base + 1, frame::INIT, next)?;
            Ok(true)
        }
    }
}

/// The last word of a frame's header while the frame runs.
pub fn header_word(flags: u8) -> i64 {
    0xffff_ffff | (flags as i64) << 32 | (frame::OWNED_BY_THREAD as i64) << 40
}

/// Where a parameter's value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    /// The n-th operand.
    Given(usize),
    Default(*mut PyObject),
    /// An entry of the function's keyword defaults, and what has been loaded from there.
    Keyword(usize),
    Value(R),
    /// `*args`: the operands of a range.
    Rest(usize, usize),
    /// `**kwargs`: names and operands.
    Names(Vec<(*mut PyObject, usize)>),
}

/// So many operands `*args` and `**kwargs` of an inlined function may collect.
const MAX_REST: usize = 4;

/// How `n` operands (the last of them named by `kwnames`) become the parameters of a Python function.
pub(crate) unsafe fn bind_args(
    callee: *mut PyObject,
    n: i32,
    kwnames: *mut PyObject,
) -> Option<(*mut PyFunctionObject, Vec<Arg>)> {
    // SAFETY: a live callable.
    unsafe {
        let o = Object::from_ptr(callee);
        if !o.is_exact::<Function>() {
            return None;
        }
        let func = callee.cast::<PyFunctionObject>();
        let code = (*func).func_code.cast::<PyCodeObject>();
        let usual = (*func).vectorcall.map(|v| v as usize)
            == Some(lh_interp::bind::function_vectorcall as *const () as usize);
        if !usual
            || (*code).co_flags & CO_OPTIMIZED == 0
            || (*code).co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0
            || o.downcast_unchecked::<Function>().version() == 0
        {
            return None;
        }
        let argcount = (*code).co_argcount as usize;
        let kwonly = (*code).co_kwonlyargcount as usize;
        let names: Vec<*mut PyObject> = if kwnames.is_null() {
            vec![]
        } else {
            Object::from_ptr(kwnames).downcast_unchecked::<Tuple>().as_slice_raw().to_vec()
        };
        let positional = n as usize - names.len();
        let rest = (*code).co_flags & CO_VARARGS != 0;
        let collects = (*code).co_flags & CO_VARKEYWORDS != 0;
        if positional > argcount && (!rest || positional - argcount > MAX_REST) {
            return None;
        }
        let mut args: Vec<Option<Arg>> = vec![None; argcount + kwonly];
        for (i, a) in args.iter_mut().enumerate().take(positional.min(argcount)) {
            *a = Some(Arg::Given(i));
        }
        let code_obj = Object::from_ptr(code.cast()).downcast_unchecked::<Code>();
        let params = code_obj.localsplusnames().as_slice_raw();
        let mut others = vec![];
        for (k, name) in names.iter().enumerate() {
            // Names in code are interned: identity decides, anything else goes the long way.
            match params.iter().take(argcount + kwonly).position(|p| p == name) {
                Some(i) if i < (*code).co_posonlyargcount as usize || args[i].is_some() => return None,
                Some(i) => args[i] = Some(Arg::Given(positional + k)),
                None if collects && others.len() < MAX_REST => others.push((*name, positional + k)),
                None => return None,
            }
        }
        let defaults: Vec<*mut PyObject> = if (*func).func_defaults.is_null() {
            vec![]
        } else {
            Object::from_ptr((*func).func_defaults).downcast_unchecked::<Tuple>().as_slice_raw().to_vec()
        };
        let mut out = vec![];
        for (i, a) in args.into_iter().enumerate() {
            out.push(match a {
                Some(a) => a,
                None if i < argcount => {
                    Arg::Default(*defaults.get((i + defaults.len()).checked_sub(argcount)?)?)
                }
                None => {
                    let d = Object::from_ptr_opt((*func).func_kwdefaults)?.downcast_exact::<Dict>()?;
                    let name = Object::from_ptr(params[i]).downcast_unchecked::<Str>();
                    let index = d.index_of(name)?;
                    d.value_at(index)?;
                    if d.keys_version() == 0 {
                        return None;
                    }
                    Arg::Keyword(index)
                }
            });
        }
        if rest {
            out.push(Arg::Rest(argcount.min(positional), positional));
        }
        if collects {
            out.push(Arg::Names(others));
        }
        Some((func, out))
    }
}
