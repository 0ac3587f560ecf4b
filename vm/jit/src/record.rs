//! The recorder: one handler per bytecode, looking at the live operands before the interpreter runs the instruction.
//!
//! Rules (docs/jit.md): a snapshot of the instruction's start comes first, guards use it, effects come last. Values are taken
//! from slots and put back as the interpreter would move them, references included. A comparison is decided where it stands (its
//! outcome is guarded there), so that the jump behind it finds a constant.
//!
//! Files: this one has the machinery, arithmetic, jumps and loops; `record_obj.rs` attributes, globals, subscripts;
//! `record_call.rs` calls, native ones above all.

use crate::descs::*;
use crate::helpers as h;
use crate::manager::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame::{self, Frame};
use lh_jit_ir::*;
use lh_jit_opt::{Abort, Builder, R};
use lh_runtime::codeobject::quick;
use lh_runtime::prelude::*;
use std::collections::HashMap;
use std::fmt;

/// Why a recording came to nothing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Why {
    /// No recording for this bytecode (yet).
    Opcode(u8),
    /// Operands of kinds that are not recorded.
    Operands(u8),
    /// Control went elsewhere than the recording says.
    Flow,
    TooLong,
    /// The loop was left while being recorded.
    Left,
    InnerLoop,
    Unbound,
    Builder(Abort),
    Backend(lh_jit_x64::Error),
    NoMemory,
}
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Opcode(o) => write!(f, "{} is not recorded", op::name(*o).unwrap_or("?")),
            Why::Operands(o) => {
                write!(f, "{} with such operands is not recorded", op::name(*o).unwrap_or("?"))
            }
            Why::Flow => f.write_str("control went elsewhere"),
            Why::TooLong => f.write_str("trace too long"),
            Why::Left => f.write_str("loop left while recording"),
            Why::InnerLoop => f.write_str("an inner loop comes first"),
            Why::Unbound => f.write_str("unbound variable"),
            Why::Builder(a) => write!(f, "optimiser: {a:?}"),
            Why::Backend(e) => write!(f, "back end: {e:?}"),
            Why::NoMemory => f.write_str("no executable memory"),
        }
    }
}
impl From<Abort> for Why {
    fn from(a: Abort) -> Why {
        Why::Builder(a)
    }
}
pub type Rec<T = ()> = Result<T, Why>;

const MAX_OPS: usize = 4000;

pub struct Recorder {
    pub builder: Option<Builder<'static>>,
    pub frame: *mut Frame,
    pub code: *mut PyCodeObject,
    pub head: u32,
    pub edge: *mut u16,
    pub bridge: Option<(u32, u32)>,
    pub pins: Vec<Owned<Object>>,
    expect: Option<u32>,
    started: bool,
    steps: usize,
    foreign: usize,
    /// What slots are known to hold.
    shadow: HashMap<i32, R>,
    /// The instruction has had an effect: no guard may fail from here on but those on that effect's own result.
    acted: bool,
    pub(crate) kwnames: *mut PyObject,
    /// Unit and stack height of the instruction being recorded.
    pub(crate) pc: u32,
    pub(crate) sp: i32,
}

/// The instruction behind any EXTENDED_ARG prefixes, as the unit after it, and its argument.
///
/// # Safety
/// `at` is an instruction of live code. The first value points behind the instruction's caches.
pub unsafe fn decode(at: *mut u16) -> (*mut u16, u32) {
    // SAFETY: the caller's promise.
    unsafe {
        let (mut p, mut arg) = (at, 0u32);
        loop {
            arg = arg << 8 | (*p >> 8) as u32;
            let o = quick::BASE[*p as u8 as usize];
            if o != op::EXTENDED_ARG {
                return (p.add(1 + op::cache_entries(o)), arg);
            }
            p = p.add(1);
        }
    }
}

unsafe fn exact<T: Kind>(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { (*o).ob_type == T::type_ptr() }
}

impl Recorder {
    pub unsafe fn root(d: &'static Descs, f: *mut Frame, head: u32, edge: *mut u16) -> Recorder {
        // SAFETY: the frame stands at the head of its loop.
        unsafe {
            let sp = (*f).stacktop as u32;
            Self::with(Builder::new(d, (*f).code as u64, head, sp), f, head, edge, None, head)
        }
    }
    pub unsafe fn bridge(b: Builder<'static>, f: *mut Frame, head: u32, pc: u32, at: (u32, u32)) -> Recorder {
        // SAFETY: the frame stands at the exit's instruction.
        unsafe { Self::with(b, f, head, std::ptr::null_mut(), Some(at), pc) }
    }
    unsafe fn with(
        b: Builder<'static>,
        f: *mut Frame,
        head: u32,
        edge: *mut u16,
        bridge: Option<(u32, u32)>,
        first: u32,
    ) -> Recorder {
        // SAFETY: a live frame; the code is pinned for as long as the trace lives.
        unsafe {
            let code = (*f).code;
            Recorder {
                builder: Some(b),
                frame: f,
                code,
                head,
                edge,
                bridge,
                pins: vec![Object::from_ptr(code.cast()).own()],
                expect: Some(first),
                started: false,
                steps: 0,
                foreign: 0,
                shadow: HashMap::new(),
                acted: false,
                kwnames: std::ptr::null_mut(),
                pc: first,
                sp: 0,
            }
        }
    }
    pub fn head_addr(&self) -> usize {
        // SAFETY: the code is pinned.
        unsafe { frame::first_instr(self.code).add(self.head as usize) as usize }
    }
    pub fn place(&self) -> String {
        // SAFETY: the code is pinned.
        unsafe {
            let c = Object::from_ptr(self.code.cast()).downcast_unchecked::<Code>();
            let file = Object::from_ptr((*c.as_struct()).co_filename).str();
            let name = file.map_or_else(|_| "?".into(), |s| s.to_str_lossy().into_owned());
            format!(
                "{}:{} (loop at {})",
                name,
                c.line_at(self.pc as isize).unwrap_or(0),
                c.line_at(self.head as isize).unwrap_or(0)
            )
        }
    }
    pub fn b(&mut self) -> &mut Builder<'static> {
        self.builder.as_mut().expect("recording")
    }
    /// Keeps an object alive as long as the trace and makes it a constant.
    pub fn pin(&mut self, o: *mut PyObject) -> R {
        // SAFETY: a live object.
        self.pins.push(unsafe { Object::from_ptr(o) }.own());
        self.b().object(o as u64)
    }

    // ---- Slots ----

    /// The live object in a slot.
    pub unsafe fn actual(&self, slot: i32) -> *mut PyObject {
        // SAFETY: the frame is at the instruction being recorded; the slot is below its stack pointer.
        unsafe { *frame::localsplus(self.frame).add(slot as usize) }
    }
    pub fn get(&mut self, slot: i32) -> Rec<R> {
        if let Some(r) = self.shadow.get(&slot) {
            return Ok(*r);
        }
        let r = self.b().sget(slot)?;
        self.shadow.insert(slot, r);
        Ok(r)
    }
    pub fn pop(&mut self, slot: i32) -> Rec<R> {
        let known = self.shadow.remove(&slot);
        let r = self.b().spop(slot)?;
        Ok(known.unwrap_or(r))
    }
    pub fn put(&mut self, slot: i32, v: R) -> Rec {
        self.b().sput(slot, v)?;
        self.shadow.insert(slot, v);
        Ok(())
    }
    pub fn forget(&mut self, lo: i32, hi: i32) -> Rec {
        self.shadow.retain(|k, _| !(lo..hi).contains(k));
        self.b().clobber(lo, hi)?;
        Ok(())
    }
    /// Gives back one reference of a value whose live object is `actual`.
    pub unsafe fn release(&mut self, v: R, actual: *mut PyObject) -> Rec {
        // SAFETY: a live object.
        unsafe {
            let elsewhere = self.shadow.values().any(|x| *x == v);
            let constant = self.b().const_of(v).is_some();
            if elsewhere || constant {
                self.b().drop_ref(v, ops::DROP_NOT_LAST)?;
                return Ok(());
            }
            let t = (*actual).ob_type as u64;
            let known = self.b().type_of(v) == Some(t);
            if self.b().descs().silent_types.contains(&t) && (known || !self.acted) {
                self.b().guard_type(v, t, true)?;
                self.b().drop_ref(v, ops::DROP_SILENT)?;
            } else {
                self.b().drop_ref(v, 0)?;
            }
            Ok(())
        }
    }
    pub fn snap(&mut self) -> Rec {
        let (pc, sp) = (self.pc, self.sp as u32);
        self.b().snapshot(RESUME, pc, sp)?;
        Ok(())
    }
    /// Before a call that may run Python: line numbers must be right.
    pub unsafe fn set_prev(&mut self) -> Rec {
        // SAFETY: the code is pinned.
        let at = unsafe { frame::first_instr(self.code).add(self.pc as usize) } as u64;
        let f = self.b().frame();
        let p = self.b().ptr(at);
        self.b().fstore(f, FRAME_PREV, p)?;
        Ok(())
    }
    /// A helper that answers a new reference or null with an exception set.
    pub unsafe fn call_ref(&mut self, helper: u32, args: &[R]) -> Rec<R> {
        // SAFETY: as set_prev.
        unsafe { self.set_prev()? };
        let r = self.b().call(helper, args, false)?;
        self.acted = true;
        let (pc, sp) = (self.pc, self.sp as u32);
        self.b().snapshot(RAISE, pc, sp)?;
        self.b().emit(Op::GNonNull, &[r])?;
        Ok(r)
    }
    /// A helper that answers a number, negative (or zero with `zero`) when it raised.
    pub unsafe fn call_status(&mut self, helper: u32, args: &[R], zero: bool) -> Rec<R> {
        // SAFETY: as set_prev.
        unsafe { self.set_prev()? };
        let r = self.b().call(helper, args, false)?;
        self.acted = true;
        let (pc, sp) = (self.pc, self.sp as u32);
        self.b().snapshot(RAISE, pc, sp)?;
        let limit = self.b().int(if zero { 1 } else { 0 });
        let ok = self.b().emit(Op::Ge, &[r, limit])?;
        self.b().emit(Op::GTrue, &[ok])?;
        Ok(r)
    }

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
    unsafe fn number_of(&mut self, v: R, actual: *mut PyObject, o: u8) -> Rec<R> {
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
    unsafe fn guard_below(&mut self, i: R, limit: i64) -> Rec {
        let (l, w) = (self.b().int(limit), self.b().int(2 * limit));
        let s = self.b().emit(Op::Add, &[i, l])?;
        let ok = self.b().emit(Op::Ult, &[s, w])?;
        self.b().emit(Op::GTrue, &[ok])?;
        Ok(())
    }

    // ---- Steps ----

    /// Records the instruction at `at`; true when the loop is closed.
    pub unsafe fn step(&mut self, f: *mut Frame, at: *mut u16) -> Rec<bool> {
        // SAFETY: the interpreter's contract: the frame stands before the instruction, `stacktop` set.
        unsafe {
            if f != self.frame {
                self.foreign += 1;
                return if self.foreign > 50_000 { Err(Why::Left) } else { Ok(false) };
            }
            let unit = at.offset_from(frame::first_instr(self.code)) as u32;
            if (*f).code != self.code || self.expect != Some(unit) {
                return Err(Why::Flow);
            }
            self.pc = unit;
            self.sp = (*f).stacktop;
            if self.started && unit == self.head {
                self.snap()?;
                return Ok(true);
            }
            self.steps += 1;
            if self.steps > MAX_OPS || self.b().ops() > 12_000 {
                return Err(Why::TooLong);
            }
            if !self.started {
                self.started = true;
                if self.bridge.is_none() {
                    self.snap()?;
                    let p = self.b().ptr(&raw const lh_runtime::thread::EVAL_BREAKER as u64);
                    let v = self.b().fload(p, BREAKER)?;
                    self.b().emit(Op::GFalse, &[v])?;
                }
            }
            let (next, arg) = decode(at);
            let mut real = at;
            while quick::BASE[*real as u8 as usize] == op::EXTENDED_ARG {
                real = real.add(1);
            }
            let o = quick::BASE[*real as u8 as usize];
            let next_unit = next.offset_from(frame::first_instr(self.code)) as u32;
            self.acted = false;
            self.snap()?;
            let to = self.instruction(o, arg, next_unit)?;
            self.expect = Some(to);
            Ok(false)
        }
    }

    /// Records one instruction; answers the unit where control goes on.
    unsafe fn instruction(&mut self, o: u8, arg: u32, next: u32) -> Rec<u32> {
        // SAFETY: live operands in the frame's slots, as the instruction finds them.
        unsafe {
            let sp = self.sp;
            let n = arg as i32;
            match o {
                op::NOP | op::CACHE | op::RESUME => {}
                op::PRECALL => self.precall(n)?,
                op::KW_NAMES => {
                    let t = (*self.code).co_consts.cast::<PyTupleObject>();
                    self.kwnames = *(&raw const (*t).ob_item).cast::<*mut PyObject>().add(arg as usize);
                }
                op::LOAD_FAST => {
                    if self.actual(n).is_null() {
                        return Err(Why::Unbound);
                    }
                    let v = self.get(n)?;
                    self.b().emit(Op::GNonNull, &[v])?;
                    self.b().own(v)?;
                    self.put(sp, v)?;
                }
                op::LOAD_CONST => {
                    let t = (*self.code).co_consts.cast::<PyTupleObject>();
                    let c = *(&raw const (*t).ob_item).cast::<*mut PyObject>().add(arg as usize);
                    let v = self.b().object(c as u64);
                    self.b().own(v)?;
                    self.put(sp, v)?;
                }
                op::STORE_FAST => {
                    let old_actual = self.actual(n);
                    if old_actual.is_null() {
                        // Bound for the first time in this iteration: by the next one it will not be.
                        return Err(Why::Unbound);
                    }
                    let old = self.get(n)?;
                    self.b().emit(Op::GNonNull, &[old])?;
                    if self.b().descs().silent_types.contains(&((*old_actual).ob_type as u64)) {
                        let t = (*old_actual).ob_type as u64;
                        self.b().guard_type(old, t, true)?;
                    }
                    let v = self.pop(sp - 1)?;
                    let old = self.pop(n)?;
                    self.put(n, v)?;
                    self.release(old, old_actual)?;
                }
                op::POP_TOP => {
                    let a = self.actual(sp - 1);
                    let v = self.pop(sp - 1)?;
                    self.release(v, a)?;
                }
                op::PUSH_NULL => {
                    let v = self.b().null();
                    self.b().sput(sp, v)?;
                    self.shadow.insert(sp, v);
                }
                op::COPY => {
                    let v = self.get(sp - n)?;
                    self.b().own(v)?;
                    self.put(sp, v)?;
                }
                op::SWAP => {
                    let a = self.pop(sp - 1)?;
                    let b = self.pop(sp - n)?;
                    self.put(sp - n, a)?;
                    self.put(sp - 1, b)?;
                }
                op::BINARY_OP => self.binary(arg)?,
                op::COMPARE_OP => self.compare(arg)?,
                op::IS_OP => {
                    let (aa, ba) = (self.actual(sp - 2), self.actual(sp - 1));
                    let (a, b) = (self.get(sp - 2)?, self.get(sp - 1)?);
                    let c = self.b().emit(Op::Eq, &[a, b])?;
                    let is = aa == ba;
                    self.b().emit(if is { Op::GTrue } else { Op::GFalse }, &[c])?;
                    self.replace(2, &[ba, aa], is != (arg == 1))?;
                }
                op::CONTAINS_OP => {
                    let (aa, ba) = (self.actual(sp - 2), self.actual(sp - 1));
                    let (a, b) = (self.get(sp - 2)?, self.get(sp - 1)?);
                    let r = self.call_status(h::CONTAINS, &[b, a], false)?;
                    let one = self.b().int(if arg == 1 { 1 } else { 0 });
                    let r = self.b().emit(Op::Xor, &[r, one])?;
                    self.result_bool(2, &[ba, aa], r)?;
                }
                op::UNARY_NEGATIVE | op::UNARY_INVERT | op::UNARY_POSITIVE | op::UNARY_NOT => {
                    self.unary(o)?
                }
                op::JUMP_FORWARD => return Ok(next + arg),
                op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => {
                    let to = next - arg;
                    if to != self.head {
                        return Err(Why::InnerLoop);
                    }
                    return Ok(to);
                }
                op::POP_JUMP_FORWARD_IF_FALSE | op::POP_JUMP_FORWARD_IF_TRUE => {
                    let t = self.pop_truth(o)?;
                    return Ok(if t == (o == op::POP_JUMP_FORWARD_IF_TRUE) { next + arg } else { next });
                }
                op::POP_JUMP_BACKWARD_IF_FALSE | op::POP_JUMP_BACKWARD_IF_TRUE => {
                    let t = self.pop_truth(o)?;
                    if t == (o == op::POP_JUMP_BACKWARD_IF_TRUE) {
                        return if next - arg == self.head { Ok(self.head) } else { Err(Why::InnerLoop) };
                    }
                }
                op::POP_JUMP_FORWARD_IF_NONE | op::POP_JUMP_FORWARD_IF_NOT_NONE => {
                    let a = self.actual(sp - 1);
                    let v = self.get(sp - 1)?;
                    let is = Object::from_ptr(a).is_none();
                    let c = self.b().object(none_ref().as_ptr() as u64);
                    if is {
                        self.b().guard_value(v, c)?;
                    } else {
                        let e = self.b().emit(Op::Eq, &[v, c])?;
                        self.b().emit(Op::GFalse, &[e])?;
                    }
                    let v = self.pop(sp - 1)?;
                    self.release(v, a)?;
                    return Ok(if is == (o == op::POP_JUMP_FORWARD_IF_NONE) { next + arg } else { next });
                }
                op::JUMP_IF_FALSE_OR_POP | op::JUMP_IF_TRUE_OR_POP => {
                    let t = self.guard_truth(sp - 1, o)?;
                    if t == (o == op::JUMP_IF_TRUE_OR_POP) {
                        return Ok(next + arg);
                    }
                    let a = self.actual(sp - 1);
                    let v = self.pop(sp - 1)?;
                    self.release(v, a)?;
                }
                op::FOR_ITER => return self.for_iter(arg, next),
                op::LOAD_GLOBAL => self.load_global(arg)?,
                op::STORE_GLOBAL => self.store_global(arg)?,
                op::LOAD_ATTR => self.load_attr(arg)?,
                op::STORE_ATTR => self.store_attr(arg)?,
                op::LOAD_METHOD => self.load_method(arg)?,
                op::BINARY_SUBSCR => self.subscript()?,
                op::STORE_SUBSCR => self.store_subscript()?,
                op::UNPACK_SEQUENCE => self.unpack(n)?,
                op::BUILD_TUPLE | op::BUILD_LIST => {
                    self.call_frame(h::BUILD, sp - n, n, if o == op::BUILD_LIST { 1 } else { 0 }, sp - n)?;
                }
                op::LIST_APPEND => {
                    let la = self.actual(sp - n - 1);
                    if !exact::<List>(la) {
                        return Err(Why::Operands(o));
                    }
                    let l = self.get(sp - n - 1)?;
                    self.b().guard_type(l, List::type_ptr() as u64, true)?;
                    let v = self.pop(sp - 1)?;
                    self.b().call(h::LIST_APPEND, &[l, v], false)?;
                }
                op::CALL => self.call(n)?,
                _ => return Err(Why::Opcode(o)),
            }
            Ok(next)
        }
    }

    /// Pops `n` operands and pushes a known truth value.
    unsafe fn replace(&mut self, n: i32, actuals: &[*mut PyObject], value: bool) -> Rec {
        // SAFETY: the operands' live objects, top first.
        unsafe {
            let c = self.b().object(bool_ref(value).as_ptr() as u64);
            let sp = self.sp;
            let vals: Vec<R> = (1..=n).map(|i| self.pop(sp - i)).collect::<Rec<_>>()?;
            self.b().own(c)?;
            self.put(sp - n, c)?;
            for (v, a) in vals.iter().zip(actuals) {
                self.release(*v, *a)?;
            }
            Ok(())
        }
    }
    /// As `replace`, for a number that is 0 or 1 at run time: guarded to what it is now is not known, so both outcomes are made
    /// objects by arithmetic on their addresses.
    unsafe fn result_bool(&mut self, n: i32, actuals: &[*mut PyObject], r: R) -> Rec {
        // SAFETY: as replace.
        unsafe {
            let (t, f) = (bool_ref(true).as_ptr() as i64, bool_ref(false).as_ptr() as i64);
            let d = self.b().int(t.wrapping_sub(f));
            let base = self.b().int(f);
            let x = self.b().emit(Op::Mul, &[r, d])?;
            let x = self.b().emit(Op::Add, &[x, base])?;
            let o = self.b().cast(Ty::Ref, x)?;
            let sp = self.sp;
            let vals: Vec<R> = (1..=n).map(|i| self.pop(sp - i)).collect::<Rec<_>>()?;
            self.b().own(o)?;
            self.put(sp - n, o)?;
            for (v, a) in vals.iter().zip(actuals) {
                self.release(*v, *a)?;
            }
            Ok(())
        }
    }
    /// Pops `n` operands and pushes a new reference.
    pub unsafe fn result(&mut self, n: i32, actuals: &[*mut PyObject], r: R) -> Rec {
        // SAFETY: as replace.
        unsafe {
            let sp = self.sp;
            let vals: Vec<R> = (1..=n).map(|i| self.pop(sp - i)).collect::<Rec<_>>()?;
            self.put(sp - n, r)?;
            for (v, a) in vals.iter().zip(actuals) {
                self.release(*v, *a)?;
            }
            Ok(())
        }
    }

    unsafe fn unary(&mut self, o: u8) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            if o == op::UNARY_NOT {
                let t = self.guard_truth(sp - 1, o)?;
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
            let k = self.b().int(match o {
                op::UNARY_NEGATIVE => 0,
                op::UNARY_INVERT => 1,
                _ => 2,
            });
            let r = self.call_ref(h::UNARY, &[k, v])?;
            self.result(1, &[a], r)
        }
    }

    unsafe fn binary(&mut self, arg: u32) -> Rec {
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
    unsafe fn generic_binary(&mut self, arg: u32, a: R, b: R, aa: *mut PyObject, ba: *mut PyObject) -> Rec {
        // SAFETY: live operands.
        unsafe {
            // `s += t` may resize its operand in place: left to the interpreter.
            if arg == 13 && exact::<Str>(aa) {
                return Err(Why::Operands(op::BINARY_OP));
            }
            let k = self.b().int(arg as i64);
            let r = self.call_ref(h::BINARY, &[k, a, b])?;
            self.result(2, &[ba, aa], r)
        }
    }

    unsafe fn compare(&mut self, arg: u32) -> Rec {
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
            let k = self.b().int(arg as i64);
            let r = self.call_ref(h::COMPARE, &[k, a, b])?;
            self.result(2, &[ba, aa], r)
        }
    }

    /// Guards that the value in a slot has the truth value it has now; answers that.
    pub unsafe fn guard_truth(&mut self, slot: i32, o: u8) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let a = self.actual(slot);
            let ob = Object::from_ptr(a);
            let v = self.get(slot)?;
            if ob.is_true_object() || ob.is_false_object() || ob.is_none() {
                let c = self.b().object(a as u64);
                self.b().guard_value(v, c)?;
                return Ok(ob.is_true_object());
            }
            let zero = self.b().int(0);
            let (n, is) = if exact::<Int>(a) && small(a, 1 << 59) {
                (self.int_of(v)?, value(a) != 0)
            } else if exact::<List>(a) {
                self.b().guard_type(v, List::type_ptr() as u64, true)?;
                (self.b().fload(v, LIST_SIZE)?, ob.downcast_unchecked::<List>().len() != 0)
            } else if exact::<Tuple>(a) {
                self.b().guard_type(v, Tuple::type_ptr() as u64, true)?;
                (self.b().fload(v, TUPLE_SIZE)?, ob.downcast_unchecked::<Tuple>().len() != 0)
            } else if exact::<Str>(a) {
                self.b().guard_type(v, Str::type_ptr() as u64, true)?;
                (self.b().fload(v, UNICODE_LEN)?, ob.downcast_unchecked::<Str>().len() != 0)
            } else if exact::<Float>(a) {
                let x = self.float_of(v)?;
                let z = self.b().float(0.0);
                let is = float_value(a) != 0.0;
                (self.b().emit(Op::FNe, &[x, z])?, is)
            } else {
                return Err(Why::Operands(o));
            };
            let c = self.b().emit(Op::Ne, &[n, zero])?;
            self.b().emit(if is { Op::GTrue } else { Op::GFalse }, &[c])?;
            Ok(is)
        }
    }
    unsafe fn pop_truth(&mut self, o: u8) -> Rec<bool> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            let t = self.guard_truth(sp - 1, o)?;
            let v = self.pop(sp - 1)?;
            self.release(v, a)?;
            Ok(t)
        }
    }

    unsafe fn for_iter(&mut self, arg: u32, next: u32) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let it = self.actual(sp - 1);
            let t = (*it).ob_type;
            let v = self.get(sp - 1)?;
            if t == &raw mut lh_runtime::type_table::PyRangeIter_Type {
                let r = it.cast::<lh_runtime::rangeobject::RangeIterObject>();
                if (*r).index >= (*r).len {
                    return Err(Why::Left);
                }
                self.b().guard_type(v, t as u64, true)?;
                let i = self.b().fload(v, RANGE_INDEX)?;
                let len = self.b().fload(v, RANGE_LEN)?;
                let more = self.b().emit(Op::Lt, &[i, len])?;
                self.b().emit(Op::GTrue, &[more])?;
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
                if seq.is_null()
                    || (*seq).ob_type != want
                    || (*s).it_index >= (*seq.cast::<PyVarObject>()).ob_size
                {
                    return Err(Why::Left);
                }
                self.b().guard_type(v, t as u64, true)?;
                let q = self.b().fload(v, SEQIT_SEQ)?;
                self.b().emit(Op::GNonNull, &[q])?;
                self.b().guard_type(q, want as u64, true)?;
                let i = self.b().fload(v, SEQIT_INDEX)?;
                let len = self.b().fload(q, if list { LIST_SIZE } else { TUPLE_SIZE })?;
                let more = self.b().emit(Op::Ult, &[i, len])?;
                self.b().emit(Op::GTrue, &[more])?;
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
            // Any other iterator: its own `__next__`. What it will answer is not known yet, so the recording bets on an item.
            let _ = arg;
            if t == &raw mut lh_runtime::type_table::PyGen_Type {
                return Err(Why::Operands(op::FOR_ITER));
            }
            self.set_prev()?;
            let x = self.b().call(h::ITER_NEXT, &[v], false)?;
            let (pc, spu) = (self.pc, sp as u32);
            self.b().snapshot(ITER_END, pc, spu)?;
            self.b().emit(Op::GNonNull, &[x])?;
            self.put(sp, x)?;
            Ok(next)
        }
    }

    unsafe fn unpack(&mut self, n: i32) -> Rec {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            let size = (*a.cast::<PyVarObject>()).ob_size;
            let v = self.get(sp - 1)?;
            let tuple = exact::<Tuple>(a);
            if !(tuple || exact::<List>(a)) || size != n as isize {
                return Err(Why::Operands(op::UNPACK_SEQUENCE));
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

/// Is the exact int below `limit` in size?
pub unsafe fn small(o: *mut PyObject, limit: i64) -> bool {
    // SAFETY: a live object.
    unsafe {
        exact::<Int>(o)
            && Object::from_ptr(o)
                .downcast_unchecked::<Int>()
                .to_i64()
                .is_some_and(|v| v > -limit && v < limit)
    }
}
pub unsafe fn value(o: *mut PyObject) -> i64 {
    // SAFETY: a live int.
    unsafe { Object::from_ptr(o).downcast_unchecked::<Int>().to_i64().unwrap_or(i64::MAX) }
}
unsafe fn float_value(o: *mut PyObject) -> f64 {
    // SAFETY: a live int or float.
    unsafe {
        match Object::from_ptr(o).downcast_exact::<Float>() {
            Some(f) => f.value(),
            None => value(o) as f64,
        }
    }
}
