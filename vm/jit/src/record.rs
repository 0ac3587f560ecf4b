//! The recorder: one handler per bytecode, looking at the live operands before the interpreter runs the instruction.
//!
//! Rules (docs/jit.md): a snapshot of the instruction's start comes first, guards use it, effects come last. Values are taken
//! from slots and put back as the interpreter would move them, references included. A comparison is decided where it stands (its
//! outcome is guarded there), so that the jump behind it finds a constant. What only the interpreter's own run of the
//! instruction can tell (did the iterator give an item?) is decided at the next step ([`Pending`]).
//!
//! Files: this one has the machinery and the dispatch; `record_num.rs` arithmetic and comparison; `record_iter.rs` iteration and
//! unpacking; `record_obj.rs` attributes, globals, subscripts; `record_call.rs` calls, native ones above all; `inline.rs` Python
//! functions; `generic.rs` everything that has no recording of its own.

use crate::descs::*;
use crate::helpers as h;
use crate::inline::{FrameInfo, Level};
use crate::manager::*;
use lh_abi::*;
use lh_bytecode::opcode as op;
use lh_interp::frame::{self, Frame};
use lh_jit_ir::*;
use lh_jit_opt::{Abort, Builder, R};
use lh_runtime::codeobject::quick;
use lh_runtime::prelude::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
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
    /// An instruction raised, and a handler of the frame took over.
    Raised,
    /// The loop was left in one of its first recordings: an iteration that goes on is worth more.
    Outside,
    InnerLoop,
    Unbound,
    /// Too long to come back to its head, and a local has got its first value: the next iteration differs.
    FirstBound,
    /// A trace or profile function was set: a trace makes no events.
    Traced,
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
            Why::Raised => f.write_str("an instruction raised"),
            Why::Outside => f.write_str("this iteration leaves the loop"),
            Why::InnerLoop => f.write_str("an inner loop comes first"),
            Why::Unbound => f.write_str("unbound variable"),
            Why::FirstBound => f.write_str("a variable got its first value"),
            Why::Traced => f.write_str("the thread is traced"),
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

/// Limits on what one trace may hold: bytecodes, and instructions after optimisation.
const MAX_STEPS: usize = 700;
const MAX_OPS: usize = 2500;
/// So many times an inner loop that has no trace may go round inside a recording.
const MAX_UNROLL: u32 = 4;
/// The same for loops of inlined functions.
const MAX_UNROLL_INLINED: u32 = 8;

/// How a recording goes on after a step.
pub enum Next {
    More,
    /// Back at its own head: close the loop.
    Loop,
    /// At the head of this root: go on there.
    Link(u32),
    /// The interpreter goes on from here.
    Exit,
    /// The recording is as long as one may be: its last exit gets the rest as a bridge.
    Cut,
    /// The root frame has returned.
    Return,
    /// Record the loop with this head (a unit of the frame's code) and back edge instead, with this stack height.
    Switch(u32, *mut u16, i32),
}

/// What the instruction just recorded comes to once it has run.
pub(crate) enum Pending {
    /// `FOR_ITER` through a call: the value in the stack's top slot is an item, or null at the end.
    Iter { x: R, sp: i32, pc: u32, next: u32, end: u32 },
    /// An instruction that may have raised (`r` is 0 then): the stack's height in that case and otherwise.
    Raise { r: R, low: i32, sp: i32, pc: u32, next: u32 },
    /// A conditional jump on a truth value found by arbitrary code; the operand is gone.
    Truth { r: R, sp: i32, yes: u32, no: u32 },
}

pub struct Recorder {
    pub builder: Option<Builder<'static>>,
    /// The innermost frame; null when it is about to be pushed.
    pub frame: *mut Frame,
    pub code: *mut PyCodeObject,
    /// Head of the loop (or first unit of the function), in the root frame's code.
    pub head: u32,
    pub edge: *mut u16,
    pub bridge: Option<(u32, u32)>,
    pub pins: Vec<Owned<Object>>,
    pub root_code: *mut PyCodeObject,
    /// Callers of the innermost frame, outermost first.
    pub(crate) outer: Vec<Level>,
    /// The innermost frame's address, unless it is the root.
    pub(crate) base: Option<R>,
    pub(crate) info: *const FrameInfo,
    /// The innermost frame's header is in memory.
    pub(crate) header: bool,
    pub(crate) expect: Option<u32>,
    pub(crate) pending: Option<Pending>,
    started: bool,
    /// A local got its first value: the next iteration differs.
    first_bound: bool,
    pub restarts: u32,
    /// The last unit of the loop that is to stay inside itself while it is recorded.
    stay_inside: Option<u32>,
    /// The root starts at a function's entry and ends at its return.
    pub function: bool,
    /// Words there are for inlined frames.
    pub room: usize,
    /// Bytecodes recorded.
    pub steps: usize,
    visits: HashMap<usize, u32>,
    foreign: usize,
    /// What slots are known to hold.
    pub(crate) shadow: HashMap<i32, R>,
    /// Values that a container which nobody has touched since still holds: giving a reference back is not giving the last one back.
    supported: HashSet<R>,
    /// A value guarded to have another reference, by the present instruction.
    shared: Option<R>,
    /// The present instruction has dropped something, and perhaps run a destructor.
    dropped: bool,
    wild: bool,
    /// The instruction has had an effect: no guard may fail from here on but those on that effect's own result.
    pub(crate) acted: bool,
    pub(crate) kwnames: *mut PyObject,
    /// The KW_NAMES in front of the call being recorded: whoever leaves at the call must go back to it.
    pub(crate) names_at: Option<u32>,
    /// A frame to be pushed for the instruction just recorded.
    pub(crate) entering: Option<crate::record_methods::Entering>,
    /// Keeps the object of a `with` statement until the frame of its `__enter__` has been made.
    pub(crate) with_object: Option<Owned<Object>>,
    /// What virtual `super` objects are about: object and class.
    pub(crate) supers: HashMap<R, (R, *mut PyTypeObject)>,
    /// The instruction's unit behind any EXTENDED_ARG.
    pub(crate) real: u32,
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

pub(crate) unsafe fn exact<T: Kind>(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { (*o).ob_type == T::type_ptr() }
}

impl Recorder {
    pub unsafe fn root(d: &'static Descs, f: *mut Frame, head: u32, edge: *mut u16, sp: i32) -> Recorder {
        // SAFETY: the frame stands at the head of its loop.
        unsafe { Self::with(Builder::new(d, (*f).code as u64, head, sp as u32), f, head, edge, None, head) }
    }
    /// `frames`: the exit's frames with their snapshot, outermost first; `written` their headers' mask.
    pub unsafe fn bridge(
        b: Builder<'static>,
        frames: &[(*mut Frame, SnapFrame)],
        written: u32,
        head: u32,
        at: (u32, u32),
    ) -> Recorder {
        // SAFETY: the innermost frame stands at the exit's instruction.
        unsafe {
            let (root, first) = (frames[0].0, frames[frames.len() - 1].1.pc);
            let mut r = Self::with(b, root, head, std::ptr::null_mut(), Some(at), first);
            for k in 1..frames.len() {
                let (f, s) = &frames[k];
                let up = &frames[k - 1].1;
                let base = r.b().frame_base(k);
                let info = s.token as *const FrameInfo;
                let ret = if (*info).flags & frame::INIT != 0 { -1 } else { up.sp as i32 };
                r.push_level(base, info, up.pc, ret, up.sp as i32);
                r.frame = *f;
                r.header = written >> k & 1 != 0;
            }
            r.expect = Some(first);
            r
        }
    }
    /// The first recordings of a loop are of an iteration that goes on in the loop.
    pub unsafe fn keep_inside(&mut self) {
        // SAFETY: the code is pinned.
        unsafe {
            let first = frame::first_instr(self.root_code);
            let n = Object::from_ptr(self.root_code.cast()).downcast_unchecked::<Code>().len_units() as u32;
            let (mut u, mut last) = (self.head, None);
            while u < n {
                let (next, arg) = decode(first.add(u as usize));
                let mut real = first.add(u as usize);
                while quick::BASE[*real as u8 as usize] == op::EXTENDED_ARG {
                    real = real.add(1);
                }
                let o = quick::BASE[*real as u8 as usize];
                u = next.offset_from(first) as u32;
                let back = matches!(
                    o,
                    op::JUMP_BACKWARD
                        | op::POP_JUMP_BACKWARD_IF_TRUE
                        | op::POP_JUMP_BACKWARD_IF_FALSE
                        | op::POP_JUMP_BACKWARD_IF_NONE
                        | op::POP_JUMP_BACKWARD_IF_NOT_NONE
                );
                if back && u.wrapping_sub(arg) == self.head {
                    last = Some(u - 1);
                }
            }
            self.stay_inside = last;
        }
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
                root_code: code,
                head,
                edge,
                bridge,
                pins: vec![Object::from_ptr(code.cast()).own()],
                outer: vec![],
                base: None,
                info: std::ptr::null(),
                header: true,
                expect: Some(first),
                pending: None,
                started: false,
                first_bound: false,
                restarts: 0,
                stay_inside: None,
                function: false,
                room: crate::inline::ROOM,
                visits: HashMap::default(),
                steps: 0,
                foreign: 0,
                shadow: HashMap::default(),
                supported: HashSet::default(),
                shared: None,
                dropped: false,
                wild: false,
                acted: false,
                kwnames: std::ptr::null_mut(),
                names_at: None,
                entering: None,
                with_object: None,
                supers: HashMap::default(),
                real: first,
                pc: first,
                sp: 0,
            }
        }
    }
    pub fn head_addr(&self) -> usize {
        // SAFETY: the code is pinned.
        unsafe { frame::first_instr(self.root_code).add(self.head as usize) as usize }
    }
    /// Address of the instruction being recorded.
    pub fn at(&self) -> usize {
        // SAFETY: the code is pinned.
        unsafe { frame::first_instr(self.code).add(self.pc as usize) as usize }
    }
    pub fn place(&self) -> String {
        // SAFETY: the code is pinned.
        unsafe {
            let c = Object::from_ptr(self.code.cast()).downcast_unchecked::<Code>();
            let root = Object::from_ptr(self.root_code.cast()).downcast_unchecked::<Code>();
            let file = Object::from_ptr((*c.as_struct()).co_filename).str();
            let name = file.map_or_else(|_| "?".into(), |s| s.to_str_lossy().into_owned());
            format!(
                "{}:{} (loop at {})",
                name,
                c.line_at(self.pc as isize).unwrap_or(0),
                root.line_at(self.head as isize).unwrap_or(0)
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
    /// Address of the innermost frame.
    pub(crate) fn here(&mut self) -> R {
        match self.base {
            Some(r) => r,
            None => self.b().frame(),
        }
    }
    pub(crate) fn is_silent(&mut self, o: *mut PyObject) -> bool {
        // SAFETY: a live object.
        let t = unsafe { (*o).ob_type } as u64;
        self.b().descs().silent_types.contains(&t)
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
    /// A value has been read from an item, an attribute or a cell.
    pub(crate) fn support(&mut self, v: R) {
        if !self.acted && !self.wild {
            self.supported.insert(v);
        }
    }
    /// Will the value on top of the stack outlive the instruction that takes it? (It is in some other slot, say.)
    pub(crate) fn supports(&mut self, v: R) -> bool {
        let here = self.shadow.values().filter(|x| **x == v).count();
        self.supported.contains(&v)
            || here > 1
            || self.outer.iter().any(|l| l.shadow.values().any(|x| *x == v))
            || self.b().const_of(v).is_some()
    }
    /// The instruction has an effect.
    pub(crate) fn act(&mut self) {
        self.acted = true;
        self.supported.clear();
    }
    /// Nothing is known of containers any more.
    pub(crate) fn supported_no_more(&mut self) {
        self.supported.clear();
    }
    /// Is the value in a slot of one of the frames, or a constant, or still where it was read?
    pub(crate) fn held(&mut self, v: R) -> bool {
        self.supported.contains(&v)
            || self.shadow.values().any(|x| *x == v)
            || self.outer.iter().any(|l| l.shadow.values().any(|x| *x == v))
            || self.b().const_of(v).is_some()
    }
    /// Gives back one reference of a value whose live object is `actual`.
    pub unsafe fn release(&mut self, v: R, actual: *mut PyObject) -> Rec {
        // SAFETY: a live object or null.
        unsafe {
            if actual.is_null() {
                self.b().drop_ref(v, ops::DROP_MAYBE_NULL)?;
                return Ok(());
            }
            if self.held(v) {
                self.b().drop_ref(v, ops::DROP_NOT_LAST)?;
                return Ok(());
            }
            let t = (*actual).ob_type as u64;
            let known = self.b().type_of(v) == Some(t);
            let free = !self.acted && !self.dropped;
            let silent = self.is_silent(actual);
            if !silent && free && self.shared.is_none() && (*actual).ob_refcnt > 1 && !self.b().is_virtual(v)
            {
                self.b().emit(Op::GShared, &[v])?;
                self.shared = Some(v);
            }
            self.dropped = true;
            if silent && (known || free) {
                self.b().guard_type(v, t, true)?;
                self.b().drop_ref(v, ops::DROP_SILENT)?;
            } else if self.shared == Some(v) {
                // Good for one drop.
                self.shared = None;
                self.b().drop_ref(v, ops::DROP_NOT_LAST)?;
            } else {
                self.b().drop_ref(v, 0)?;
                self.wild = true;
                self.supported.clear();
            }
            Ok(())
        }
    }
    /// Guards ahead of effects what `release` will want to know about the value in a slot.
    pub(crate) unsafe fn prepare_release(&mut self, v: R, actual: *mut PyObject) -> Rec {
        // SAFETY: a live object or null.
        unsafe {
            if actual.is_null() || self.acted || self.dropped {
                return Ok(());
            }
            if self.is_silent(actual) {
                self.b().guard_type(v, (*actual).ob_type as u64, true)?;
            } else if self.shared.is_none()
                && (*actual).ob_refcnt > 1
                && self.b().const_of(v).is_none()
                && !self.b().is_virtual(v)
            {
                self.b().emit(Op::GShared, &[v])?;
                self.shared = Some(v);
            }
            Ok(())
        }
    }

    /// The state here, for the guards that follow.
    pub(crate) fn snapshot(&mut self, kind: u32, pc: u32, sp: i32) -> Rec {
        let kind = kind | self.written() << 8;
        self.b().snapshot(kind, pc, sp as u32)?;
        Ok(())
    }
    /// The state at the start of the instruction.
    pub fn snap(&mut self) -> Rec {
        self.snapshot(RESUME, self.names_at.unwrap_or(self.pc), self.sp)
    }
    /// Before a call that may run Python: frames must be linked and line numbers right.
    pub unsafe fn set_prev(&mut self) -> Rec {
        // SAFETY: the code is pinned.
        unsafe {
            self.supported.clear();
            self.write_headers()?;
            let at = frame::first_instr(self.code).add(self.pc as usize) as u64;
            let f = self.here();
            let p = self.b().ptr(at);
            self.b().fstore(f, FRAME_PREV, p)?;
        }
        Ok(())
    }
    /// A helper that answers a new reference or null with an exception set.
    pub unsafe fn call_ref(&mut self, helper: u32, args: &[R]) -> Rec<R> {
        // SAFETY: as set_prev.
        unsafe { self.set_prev()? };
        let r = self.b().call(helper, args, false)?;
        self.act();
        self.snapshot(RAISE, self.pc, self.sp)?;
        self.b().emit(Op::GNonNull, &[r])?;
        Ok(r)
    }
    /// A helper that answers a number, negative (or zero with `zero`) when it raised.
    pub unsafe fn call_status(&mut self, helper: u32, args: &[R], zero: bool) -> Rec<R> {
        // SAFETY: as set_prev.
        unsafe { self.set_prev()? };
        let r = self.b().call(helper, args, false)?;
        self.act();
        self.snapshot(RAISE, self.pc, self.sp)?;
        let limit = self.b().int(if zero { 1 } else { 0 });
        let ok = self.b().emit(Op::Ge, &[r, limit])?;
        self.b().emit(Op::GTrue, &[ok])?;
        Ok(r)
    }

    // ---- Steps ----

    /// A frame that the trace does not follow runs: native code called Python.
    unsafe fn elsewhere(&mut self, f: *mut Frame) -> Rec<Next> {
        // SAFETY: frames of the running thread.
        unsafe {
            self.foreign += 1;
            let ours = if self.frame.is_null() {
                self.outer.last().map_or(std::ptr::null_mut(), |l| l.frame)
            } else {
                self.frame
            };
            let mut up = (*f).previous;
            for _ in 0..100 {
                if up == ours && !up.is_null() && self.foreign < 500 {
                    lh_interp::jit::pause_until_left(f);
                    return Ok(Next::More);
                }
                if up.is_null() {
                    break;
                }
                up = (*up).previous;
            }
            Err(Why::Left)
        }
    }

    /// Records the instruction at `at`.
    pub unsafe fn step(&mut self, f: *mut Frame, at: *mut u16) -> Rec<Next> {
        // SAFETY: the interpreter's contract: the frame stands before the instruction, `stacktop` set.
        unsafe {
            if self.frame.is_null() {
                let up = self.outer.last().expect("a frame is entered from another").frame;
                if (*f).previous != up || (*f).code != self.code {
                    return if f == up { Err(Why::Flow) } else { self.elsewhere(f) };
                }
                self.frame = f;
            }
            let unit = at.offset_from(frame::first_instr((*f).code)) as u32;
            if f != self.frame && !self.raised_out_to(f, unit) {
                return self.elsewhere(f);
            }
            if f == self.frame && (*f).code != self.code {
                return Err(Why::Flow);
            }
            if self.pending.is_none() && self.expect != Some(unit) {
                return Err(if self.has_raised(unit) { Why::Raised } else { Why::Flow });
            }
            if !matches!(quick::BASE[*at as u8 as usize], op::PRECALL | op::CALL) {
                self.names_at = None;
            }
            if let Some(p) = self.pending.take() {
                self.act();
                self.settle(p, unit)?;
            }
            self.pc = unit;
            self.sp = (*f).stacktop;
            let top = self.outer.is_empty();
            if self.started && top {
                if self.stay_inside.is_some_and(|last| unit > last || unit < self.head) {
                    return Err(Why::Outside);
                }
                if unit == self.head && self.bridge.is_none() {
                    self.snap()?;
                    if !self.first_bound {
                        return Ok(Next::Loop);
                    }
                    if self.restarts >= 2 {
                        return Err(Why::Unbound);
                    }
                    return Ok(Next::Switch(self.head, self.edge, self.sp));
                }
                if let Some(&t) = state().heads.get(&(at as usize)) {
                    self.snap()?;
                    return Ok(Next::Link(t));
                }
            }
            self.steps += 1;
            if self.steps > MAX_STEPS || self.b().ops() > MAX_OPS {
                if self.first_bound && self.bridge.is_none() && !self.function {
                    return Err(Why::FirstBound);
                }
                self.snap()?;
                return Ok(Next::Cut);
            }
            if !self.started {
                self.started = true;
                if self.bridge.is_none() {
                    self.snapshot(POLL, self.pc, self.sp)?;
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
            self.real = real.offset_from(frame::first_instr(self.code)) as u32;
            self.acted = false;
            self.dropped = false;
            self.wild = false;
            self.shared = None;
            self.snap()?;
            if top && o == op::RETURN_VALUE && self.function {
                return self.return_from_root();
            }
            if matches!(o, op::RAISE_VARARGS | op::RERAISE) && self.raise_instruction(o, arg)? {
                return Ok(Next::More);
            }
            if top
                && self.steps > 1
                && self.ends_here(o, at)
                && !(o == op::SEND && self.can_resume(self.sp - 2, Some(self.sp - 1)))
            {
                return match o {
                    _ if self.bridge.is_some() || self.function => Ok(Next::Exit),
                    op::YIELD_VALUE | op::SEND => Err(Why::Opcode(o)),
                    _ => Err(Why::Left),
                };
            }
            if let Some(s) = self.back_edge(o, arg, next_unit, real)? {
                return Ok(s);
            }
            if !top && matches!(o, op::RAISE_VARARGS | op::RERAISE) {
                if let Some(to) = self.stop_iteration(if o == op::RAISE_VARARGS { arg } else { 0 })? {
                    // The interpreter gets there by the exception.
                    self.expect = Some(to);
                    return Ok(Next::More);
                }
                // No fault of the function's.
                return if self.bridge.is_some() && self.steps > 1 { Ok(Next::Exit) } else { Err(Why::Left) };
            }
            if self.may_raise(o, arg) {
                self.raising_form(o, arg, next_unit)?;
                return Ok(Next::More);
            }
            let to = self.instruction(o, arg, next_unit)?;
            if let Some(e) = self.entering.take() {
                self.push_entered(e)?;
                self.with_object = None;
            }
            // A call that was inlined goes on in the callee.
            if self.pending.is_none() && !self.frame.is_null() {
                self.expect = Some(to);
            }
            Ok(Next::More)
        }
    }

    /// Must the interpreter take over before this instruction of the root frame?
    fn ends_here(&self, o: u8, at: *mut u16) -> bool {
        matches!(
            o,
            op::RETURN_VALUE
                | op::YIELD_VALUE
                | op::RETURN_GENERATOR
                | op::SEND
                | op::RAISE_VARARGS
                | op::RERAISE
        ) || state().unrecordable.contains(&(at as usize))
    }

    /// Another loop's back edge in the root frame: it goes round a few times inside the recording, then it is recorded itself.
    unsafe fn back_edge(&mut self, o: u8, arg: u32, next: u32, at: *mut u16) -> Rec<Option<Next>> {
        let jumps = match o {
            op::JUMP_BACKWARD => true,
            op::POP_JUMP_BACKWARD_IF_FALSE | op::POP_JUMP_BACKWARD_IF_TRUE => {
                // SAFETY: a live operand.
                let v = unsafe { Object::from_ptr(self.actual(self.sp - 1)) };
                // What built-in values are runs no code.
                let known = !v.ty().has_flag(Py_TPFLAGS_HEAPTYPE);
                known && v.is_true().unwrap_or(false) == (o == op::POP_JUMP_BACKWARD_IF_TRUE)
            }
            op::POP_JUMP_BACKWARD_IF_NONE | op::POP_JUMP_BACKWARD_IF_NOT_NONE => {
                // SAFETY: a live operand.
                let v = unsafe { Object::from_ptr(self.actual(self.sp - 1)) };
                v.is_none() == (o == op::POP_JUMP_BACKWARD_IF_NONE)
            }
            _ => return Ok(None),
        };
        let to = next - arg;
        let top = self.outer.is_empty();
        if !jumps || top && to == self.head && self.bridge.is_none() {
            return Ok(None);
        }
        // SAFETY: the code is pinned.
        let head = unsafe { frame::first_instr(self.code).add(to as usize) };
        let n = self.visits.entry(head as usize).or_insert(0);
        *n += 1;
        if *n <= if top { MAX_UNROLL } else { MAX_UNROLL_INLINED } {
            return Ok(None);
        }
        if !top {
            return Err(Why::TooLong);
        }
        let s = state();
        if s.heads.contains_key(&(head as usize)) {
            return Ok(None);
        }
        if s.is_hopeless(head as usize) {
            return Err(Why::InnerLoop);
        }
        let sp = self.sp - (o != op::JUMP_BACKWARD) as i32;
        Ok(Some(Next::Switch(to, at, sp)))
    }

    /// Records what the instruction before came to, now that it has run and control is at `unit`.
    unsafe fn settle(&mut self, p: Pending, unit: u32) -> Rec {
        match p {
            Pending::Iter { x, sp, pc, next, end } => {
                self.snapshot(ITER_STEP, pc, sp + 1)?;
                if unit == next {
                    self.b().emit(Op::GNonNull, &[x])?;
                } else if unit == end {
                    self.b().emit(Op::GNull, &[x])?;
                    self.b().emit(Op::GNoExc, &[])?;
                    let x = self.pop(sp)?;
                    let it = self.pop(sp - 1)?;
                    self.b().drop_ref(x, ops::DROP_MAYBE_NULL)?;
                    self.b().drop_ref(it, 0)?;
                    self.supported.clear();
                } else {
                    return Err(Why::Flow);
                }
            }
            // SAFETY: the frames are as the interpreter found them.
            Pending::Raise { r, low, sp, pc, next } => unsafe {
                if unit == next {
                    self.snapshot(RAISE, pc, low)?;
                    self.b().emit(Op::GTrue, &[r])?;
                } else {
                    let l = self.landing(pc).filter(|l| l.handler.target == unit).ok_or(Why::Flow)?;
                    self.snapshot(RESUME, next, sp)?;
                    self.b().emit(Op::GFalse, &[r])?;
                    (self.pc, self.sp) = (pc, low);
                    self.unwind(l, true)?;
                }
            },
            Pending::Truth { r, sp, yes, no } => {
                if unit == yes {
                    self.snapshot(RESUME, no, sp)?;
                    self.b().emit(Op::GTrue, &[r])?;
                } else if unit == no {
                    self.snapshot(RESUME, yes, sp)?;
                    self.b().emit(Op::GFalse, &[r])?;
                } else {
                    return Err(Why::Flow);
                }
            }
        }
        Ok(())
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
                    self.names_at = Some(self.pc);
                    self.kwnames = *(&raw const (*t).ob_item).cast::<*mut PyObject>().add(arg as usize);
                }
                op::LOAD_FAST | op::LOAD_CLOSURE => {
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
                    let old = self.get(n)?;
                    if old_actual.is_null() {
                        // By the next iteration it will be bound.
                        self.first_bound |= self.outer.is_empty();
                        self.b().emit(Op::GNull, &[old])?;
                    } else {
                        self.b().emit(Op::GNonNull, &[old])?;
                        self.prepare_release(old, old_actual)?;
                    }
                    let v = self.pop(sp - 1)?;
                    let old = self.pop(n)?;
                    self.put(n, v)?;
                    self.release(old, old_actual)?;
                }
                op::DELETE_FAST => {
                    let old_actual = self.actual(n);
                    if old_actual.is_null() {
                        return Err(Why::Unbound);
                    }
                    let old = self.get(n)?;
                    self.b().emit(Op::GNonNull, &[old])?;
                    self.prepare_release(old, old_actual)?;
                    let old = self.pop(n)?;
                    let null = self.b().null();
                    self.put(n, null)?;
                    self.release(old, old_actual)?;
                }
                op::POP_TOP => {
                    let a = self.actual(sp - 1);
                    let v = self.pop(sp - 1)?;
                    self.release(v, a)?;
                }
                op::PUSH_NULL => {
                    let v = self.b().null();
                    self.put(sp, v)?;
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
                op::CONTAINS_OP => self.contains(arg)?,
                op::UNARY_NEGATIVE | op::UNARY_INVERT | op::UNARY_POSITIVE | op::UNARY_NOT => {
                    self.unary(o)?
                }
                op::JUMP_FORWARD => return Ok(next + arg),
                op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => return Ok(next - arg),
                op::POP_JUMP_FORWARD_IF_FALSE | op::POP_JUMP_FORWARD_IF_TRUE => {
                    return self.jump(o == op::POP_JUMP_FORWARD_IF_TRUE, next + arg, next);
                }
                op::POP_JUMP_BACKWARD_IF_FALSE | op::POP_JUMP_BACKWARD_IF_TRUE => {
                    return self.jump(o == op::POP_JUMP_BACKWARD_IF_TRUE, next - arg, next);
                }
                op::POP_JUMP_FORWARD_IF_NONE
                | op::POP_JUMP_FORWARD_IF_NOT_NONE
                | op::POP_JUMP_BACKWARD_IF_NONE
                | op::POP_JUMP_BACKWARD_IF_NOT_NONE => {
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
                    let none = matches!(o, op::POP_JUMP_FORWARD_IF_NONE | op::POP_JUMP_BACKWARD_IF_NONE);
                    let back = matches!(o, op::POP_JUMP_BACKWARD_IF_NONE | op::POP_JUMP_BACKWARD_IF_NOT_NONE);
                    let to = if back { next - arg } else { next + arg };
                    return Ok(if is == none { to } else { next });
                }
                op::JUMP_IF_FALSE_OR_POP | op::JUMP_IF_TRUE_OR_POP => {
                    let Some(t) = self.guard_truth(sp - 1)? else {
                        if self.truth_method()? {
                            return Ok(next);
                        }
                        return Err(Why::Operands(o));
                    };
                    if t == (o == op::JUMP_IF_TRUE_OR_POP) {
                        return Ok(next + arg);
                    }
                    let a = self.actual(sp - 1);
                    let v = self.pop(sp - 1)?;
                    self.release(v, a)?;
                }
                op::GET_ITER => self.get_iter()?,
                op::FOR_ITER => return self.for_iter(arg, next),
                op::LOAD_GLOBAL => self.load_global(arg)?,
                op::STORE_GLOBAL => self.store_global(arg)?,
                op::LOAD_ATTR => self.load_attr(arg)?,
                op::STORE_ATTR => self.store_attr(arg)?,
                op::LOAD_METHOD => self.load_method(arg)?,
                op::BEFORE_WITH if self.enter_with(next)? => {}
                op::DELETE_SUBSCR
                    if self.special_method(
                        lh_runtime::intern!("__delitem__"),
                        sp - 2,
                        &[sp - 1],
                        lh_interp::operators::PLAIN,
                    )? => {}
                op::BINARY_SUBSCR => self.subscript()?,
                op::STORE_SUBSCR => self.store_subscript()?,
                op::UNPACK_SEQUENCE => self.unpack(n)?,
                op::LOAD_DEREF => {
                    let c = self.get(n)?;
                    let v = self.b().fload(c, CELL_REF)?;
                    self.b().emit(Op::GNonNull, &[v])?;
                    self.b().own(v)?;
                    self.support(v);
                    self.put(sp, v)?;
                }
                op::STORE_DEREF => {
                    let cell = self.actual(n).cast::<PyCellObject>();
                    let now = (*cell).ob_ref;
                    let c = self.get(n)?;
                    let old = self.b().fload(c, CELL_REF)?;
                    if now.is_null() {
                        self.b().emit(Op::GNull, &[old])?;
                    } else {
                        self.b().emit(Op::GNonNull, &[old])?;
                        self.prepare_release(old, now)?;
                    }
                    let x = self.pop(sp - 1)?;
                    self.b().fstore(c, CELL_REF, x)?;
                    self.b().emit_ty(Op::Yield, Ty::Void, &[x], 0)?;
                    self.act();
                    self.gone(old, now)?;
                }
                op::COPY_FREE_VARS => self.copy_free_vars(n)?,
                op::LIST_APPEND => {
                    let la = self.actual(sp - n - 1);
                    if !exact::<List>(la) {
                        return self.generic(o, arg, next);
                    }
                    let l = self.get(sp - n - 1)?;
                    self.b().guard_type(l, List::type_ptr() as u64, true)?;
                    let v = self.pop(sp - 1)?;
                    self.b().call(h::LIST_APPEND, &[l, v], false)?;
                }
                op::CALL => {
                    self.call(n, next)?;
                    // The next instruction may be the call that gets this one's value.
                    self.names_at = None;
                }
                op::CALL_FUNCTION_EX if self.call_star(arg, next)? => {}
                op::BUILD_MAP if arg == 0 => self.new_dict()?,
                op::DICT_MERGE => self.dict_merge(n)?,
                op::LIST_EXTEND if self.list_extend(n)? => {}
                op::LIST_TO_TUPLE => self.list_to_tuple()?,
                op::BUILD_SLICE => self.build_slice(n)?,
                op::FORMAT_VALUE if self.format_value(arg)? => {}
                op::BUILD_TUPLE | op::BUILD_LIST if n <= 4 => {
                    let mut items = vec![];
                    for i in (1..=n).rev() {
                        items.push(self.pop(sp - i)?);
                    }
                    let r = if o == op::BUILD_TUPLE {
                        self.make_tuple(&items)?
                    } else {
                        self.b().call(h::LISTS_OF[items.len()], &items, false)?
                    };
                    self.put(sp - n, r)?;
                }
                op::PUSH_EXC_INFO => self.push_exc_info()?,
                op::POP_EXCEPT => self.pop_except()?,
                op::CHECK_EXC_MATCH if self.check_exc_match()? => {}
                op::RETURN_VALUE => return self.leave_inlined(),
                op::YIELD_VALUE if self.in_generator() => return self.yield_value(),
                op::SEND if self.resume(sp - 2, Some(sp - 1))? => {}
                _ => return self.generic(o, arg, next),
            }
            Ok(next)
        }
    }

    /// Gives back the reference a place in memory held before it was overwritten. Its type has been guarded if it is silent.
    pub(crate) unsafe fn gone(&mut self, old: R, actual: *mut PyObject) -> Rec {
        if actual.is_null() {
            return Ok(());
        }
        // SAFETY: a live object.
        let (silent, t) = (self.is_silent(actual), unsafe { (*actual).ob_type } as u64);
        if silent && self.b().type_of(old) == Some(t) {
            self.b().adopt(old)?;
            self.b().drop_ref(old, ops::DROP_SILENT)?;
            return Ok(());
        }
        if self.shared == Some(old) {
            // Good for one drop.
            self.shared = None;
            self.b().adopt(old)?;
            self.b().drop_ref(old, ops::DROP_NOT_LAST)?;
            return Ok(());
        }
        let p = self.b().cast(Ty::Ptr, old)?;
        self.b().call(if silent { h::RELEASE_SILENT } else { h::RELEASE }, &[p], false)?;
        Ok(())
    }

    /// A conditional jump to `to` if the operand's truth is `when`, else to `next`.
    unsafe fn jump(&mut self, when: bool, to: u32, next: u32) -> Rec<u32> {
        // SAFETY: live operands.
        unsafe {
            let sp = self.sp;
            let a = self.actual(sp - 1);
            if let Some(t) = self.guard_truth(sp - 1)? {
                let v = self.pop(sp - 1)?;
                self.release(v, a)?;
                return Ok(if t == when { to } else { next });
            }
            if self.truth_method()? {
                return Ok(next);
            }
            // Arbitrary code finds out.
            let v = self.get(sp - 1)?;
            let r = self.truth(v, a)?;
            let v = self.pop(sp - 1)?;
            self.release(v, a)?;
            let (yes, no) = if when { (to, next) } else { (next, to) };
            self.pending = Some(Pending::Truth { r, sp: sp - 1, yes, no });
            Ok(next)
        }
    }

    /// Pops `n` operands and pushes a known truth value.
    pub(crate) unsafe fn replace(&mut self, n: i32, actuals: &[*mut PyObject], value: bool) -> Rec {
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
    /// `True` or `False` (borrowed) for 1 or 0.
    pub(crate) fn bool_object(&mut self, r: R) -> Rec<R> {
        let (t, f) = (bool_ref(true).as_ptr() as i64, bool_ref(false).as_ptr() as i64);
        let d = self.b().int(t.wrapping_sub(f));
        let base = self.b().int(f);
        let x = self.b().emit(Op::Mul, &[r, d])?;
        let x = self.b().emit(Op::Add, &[x, base])?;
        Ok(self.b().cast(Ty::Ref, x)?)
    }
    /// As `replace`, for a number that is 0 or 1 at run time: guarded to what it is now is not known, so both outcomes are made
    /// objects by arithmetic on their addresses.
    pub(crate) unsafe fn result_bool(&mut self, n: i32, actuals: &[*mut PyObject], r: R) -> Rec {
        // SAFETY: as replace.
        unsafe {
            let o = self.bool_object(r)?;
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
pub unsafe fn float_value(o: *mut PyObject) -> f64 {
    // SAFETY: a live int or float.
    unsafe {
        match Object::from_ptr(o).downcast_exact::<Float>() {
            Some(f) => f.value(),
            None => value(o) as f64,
        }
    }
}
