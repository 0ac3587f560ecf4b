//! Compiled traces: where they start, entering them, leaving them, hot exits, penalties.
//!
//! A location (the back edge of a loop) goes `Counting -> Recording -> Compiled`, or back to counting with a penalty after an
//! abort, and to `Never` after too many of those.

use crate::Mode;
use crate::functions::{self, FunctionRoot};
use crate::inline::{self, FrameInfo};
use crate::record::{Next, Recorder, Why};
use crate::trial::{self, Record, Window};
use crate::visits::{self, Visits};
use lh_abi::*;
use lh_interp::frame::{self, Frame};
use lh_interp::jit::{Enter, JitHooks};
use lh_jit_ir::{Trace, *};
use lh_jit_opt::Builder;
use lh_runtime::codeobject::quick;
use lh_runtime::interpreter::Interp;
use lh_runtime::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::UnsafeCell;
use std::time::{Duration, Instant};

/// Snapshot kinds.
pub const RESUME: u32 = 0;
/// The instruction at `pc` raised; the exception is set.
pub const RAISE: u32 = 1;
/// `FOR_ITER` at `pc` has called the iterator; on top of the stack lies the item, or null: exhausted, or an exception is set.
pub const ITER_STEP: u32 = 2;
/// Behind a native call whose result object is on top of the stack: null if making it raised.
pub const RESULT: u32 = 3;
/// The interpreter has something to see to before the instruction at `pc` (signals, other threads).
pub const POLL: u32 = 4;
/// The frame returns the value that lies behind its locals, all of which are in memory.
pub const RETURN: u32 = 5;
/// The bits above these eight of a snapshot's kind say which inlined frames have their header in memory (see `inline.rs`).
const KIND: u32 = 0xff;

/// So many failed recordings end the attempts at a loop.
const HOPELESS: u32 = 4;
/// Native stack that must be left for a trace to be entered: calls out of traces nest natively, the interpreter's do not.
const NATIVE_ROOM: usize = 2 << 20;
/// So many hot loops end a recording that does not go on.
const MAX_BLOCKED: u32 = 1000;
/// What recording a bytecode costs, about.
const STEP: Duration = Duration::from_nanos(700);
/// So many recordings of a loop are given up because that iteration leaves it, each followed by another soon.
const MAX_LEFT: u32 = 3;
const AGAIN_AFTER: u16 = 5;
/// So often a trace that was cut is left at its end before the rest is recorded.
const CUT_LIMIT: u32 = 4;
/// Bridges one root may have.
const MAX_BRIDGES: u32 = 60;

/// What leaving a trace by one of its exits needs, in one place: exits are taken often, and out of cold caches.
pub struct Way {
    /// How the state is restored, once the exit has been taken.
    plan: Option<&'static plan::Plan>,
    /// How often it was taken, and at which number it is looked at whether it is to get a bridge.
    pub hits: u32,
    due: u32,
    tries: u8,
    /// Only the root frame is to be put in order, and the interpreter goes on at `pc` with a stack of `sp`.
    plain: bool,
    poll: bool,
    returns: bool,
    pc: u32,
    sp: u32,
}

impl Way {
    fn of(t: &Trace, x: &lh_jit_x64::Site) -> Way {
        let snap = &t.snaps[x.snap as usize];
        let kind = snap.kind & KIND;
        let (pc, sp) = snap.frames.last().map_or((0, 0), |f| (f.pc, f.sp));
        let plain = x.forced.is_none() && snap.frames.len() == 1 && matches!(kind, RESUME | POLL);
        let (poll, returns) = (kind == POLL, kind == RETURN);
        Way { plan: None, hits: 0, due: exit_limit(0), tries: 0, plain, poll, returns, pc, sp }
    }
}

/// A compiled trace, root or bridge. What entering and leaving look at comes first.
#[repr(C)]
pub struct Compiled {
    pub entry: u64,
    /// Words a root keeps above its frame for inlined ones.
    pub room: usize,
    pub(crate) visits: Visits,
    /// Of a function's root: entries, and how many of these runs did not end in a return.
    pub entries: u64,
    pub early: u64,
    pub ways: Vec<Way>,
    /// Root this one belongs to (itself for roots).
    pub root: u32,
    pub bridges: u32,
    /// A function's, from its entry on.
    pub function: bool,
    /// It ends where the recording got too long: what follows is to become a bridge at its last exit.
    pub cut: bool,
    /// Not entered any more: what it took for granted of the world is no longer so.
    pub retired: bool,
    pub trial: Record,
    pub trace: Trace,
    pub exits: Vec<lh_jit_x64::Site>,
    pub calls: Vec<lh_jit_x64::Site>,
    pub cells: Box<[u64]>,
    /// The word that holds the root's entry address, for bridges to link to.
    pub entry_cell: Box<u64>,
    /// The loop's label and the word that holds its address, for bridges that can meet its contract.
    pub label: Option<LabelCode>,
    pub label_cell: Box<u64>,
    /// The loop's head, as a unit of its code.
    pub head: u32,
    /// Of a function's root: the bridges it had when it was last looked at how its runs end.
    pub settled: u32,
    /// Objects whose addresses are in the code.
    pub pins: Vec<Owned<Object>>,
    /// Whose program it is; null when that has ended.
    interp: *mut Interp,
    /// Where the code is, to give it back.
    code: Option<lh_foreign::arena::Code>,
}

impl Compiled {
    /// A trace just installed at `entry`, head and root given, that nothing has happened to yet and that pins nothing.
    fn new(
        trace: Trace,
        c: lh_jit_x64::Compiled,
        entry: u64,
        cells: Box<[u64]>,
        (head, root): (u32, u32),
        trial: Record,
    ) -> Compiled {
        let ways = c.exits.iter().map(|x| Way::of(&trace, x)).collect();
        let label_cell = Box::new(c.label.as_ref().map_or(0, |l| entry + l.offset as u64));
        let label = c.label.map(|l| LabelCode { cell: &raw const *label_cell as u64, ..l });
        Compiled {
            trace,
            exits: c.exits,
            calls: c.calls,
            entry,
            cells,
            ways,
            entry_cell: Box::new(entry),
            label,
            label_cell,
            head,
            root,
            bridges: 0,
            function: false,
            cut: false,
            room: inline::ROOM,
            entries: 0,
            early: 0,
            settled: 0,
            trial,
            visits: Visits::default(),
            retired: false,
            pins: vec![],
            interp: lh_runtime::interpreter::current(),
            code: None,
        }
    }
}

impl Compiled {
    /// Is the exit a return of the root frame?
    #[inline]
    pub fn is_return(&self, n: u32) -> bool {
        self.ways[n as usize].returns
    }
}

/// Where each exit of a trace goes: to the exit routine until it gets a bridge.
fn exit_cells(s: &State, t: &Trace) -> Box<[u64]> {
    let guards = t.insts.iter().filter(|i| i.snap != NO_SNAP).count() + 1;
    vec![s.exit_routine; guards].into_boxed_slice()
}

/// A trace that is running: its frame, its JIT frame and the run of the interpreter it belongs to.
#[derive(Clone, Copy)]
pub struct Activation {
    pub frame: *mut Frame,
    pub jf: *mut u64,
    cframe: *mut lh_abi::_PyCFrame,
}

pub struct State {
    pub mode: Mode,
    pub descs: &'static Descs,
    pub traces: Vec<Box<Compiled>>,
    /// Loop head (address of the instruction) to trace.
    pub heads: FxHashMap<usize, u32>,
    /// Back edge (address) to trace.
    pub edges: FxHashMap<usize, u32>,
    pub penalties: FxHashMap<usize, u32>,
    pub recorder: Option<Recorder>,
    /// Instructions no recording gets past: traces end there.
    pub unrecordable: FxHashSet<usize>,
    /// Functions with traces of their own, by their code.
    pub functions: FxHashMap<usize, Box<FunctionRoot>>,
    /// Code that is not inlined.
    pub no_inline: FxHashSet<usize>,
    /// Hot loops met while another recording was going on.
    blocked: u32,
    /// Call instructions whose native code keeps calling back or being overtaken: they go through the call protocol.
    pub calls_back: FxHashSet<usize>,
    /// The window of the trial that is going on.
    pub window: Option<Window>,
    /// Recordings begun.
    pub recordings: u32,
    /// How often recordings of a loop met an iteration that leaves it.
    left: FxHashMap<usize, u32>,
    /// How often recordings of a loop met an exception.
    pub raised: FxHashMap<usize, u32>,
    /// Instructions that raised while a recording took for granted that they would not, and how often.
    pub raises: FxHashMap<usize, u32>,
    begun: Instant,
    /// Time that went into recording and compiling.
    spent: Duration,
    infos: FxHashMap<(usize, usize, usize, u8), Box<FrameInfo>>,
    pub active: Vec<Activation>,
    pub pool: Vec<Box<[u64]>>,
    enter: unsafe extern "C" fn(*mut PyThreadState, *mut u64, u64) -> u64,
    exit_routine: u64,
    dump: Option<String>,
    seed: u64,
}

struct Shared(UnsafeCell<Option<Box<State>>>);
// SAFETY: only touched while the GIL is held.
unsafe impl Sync for Shared {}
static STATE: Shared = Shared(UnsafeCell::new(None));

/// The JIT's state; the GIL is held.
pub fn state() -> &'static mut State {
    // SAFETY: set by `install`; the GIL serialises all users, none of which keeps the borrow across Python code.
    unsafe { (*STATE.0.get()).as_mut().expect("installed") }
}

// The unwinder has been told.
const _: () = assert!(lh_foreign::arena::TRACE_ROOM == lh_jit_x64::asm::OUT_BYTES as usize);

pub fn install(mode: Mode) {
    let Ok(arena) = lh_foreign::arena::Arena::traces() else { return };
    let (code, exit) = lh_jit_x64::asm::trampoline();
    let Ok(c) = arena.install(&code) else { return };
    let base = c.addr() as u64;
    // SAFETY: the trampoline has this signature (see lh_jit_x64::asm).
    let enter = unsafe {
        std::mem::transmute::<u64, unsafe extern "C" fn(*mut PyThreadState, *mut u64, u64) -> u64>(base)
    };
    let s = State {
        mode,
        descs: Box::leak(Box::new(crate::descs::make())),
        traces: vec![],
        heads: FxHashMap::default(),
        edges: FxHashMap::default(),
        penalties: FxHashMap::default(),
        recorder: None,
        unrecordable: FxHashSet::default(),
        functions: FxHashMap::default(),
        no_inline: FxHashSet::default(),
        blocked: 0,
        calls_back: FxHashSet::default(),
        window: None,
        recordings: 0,
        left: FxHashMap::default(),
        raised: FxHashMap::default(),
        raises: FxHashMap::default(),
        begun: Instant::now(),
        spent: Duration::ZERO,
        infos: FxHashMap::default(),
        active: vec![],
        pool: vec![],
        enter,
        exit_routine: base + exit as u64,
        dump: std::env::var("LANCEHEAD_JIT_DUMP").ok(),
        seed: 0x9e37_79b9_7f4a_7c15,
    };
    // SAFETY: start-up, GIL held.
    unsafe { *STATE.0.get() = Some(Box::new(s)) };
    if mode == Mode::Stress {
        lh_interp::jit::set_thresholds(2, 2);
    }
    lh_interp::jit::count_calls(true);
    lh_runtime::consume::enable(true, if mode == Mode::Stress { 3 } else { 48 });
    let _ = lh_runtime::interpreter::ON_END.set(interpreter_ends);
    let _ = lh_runtime::thread::CALLBACK_HOOK.set(crate::force::force_all);
    lh_interp::jit::install(JitHooks {
        hot_loop,
        hot_function,
        enter: enter_hook,
        record,
        attend: trial::attend,
        root,
    });
}

/// Nothing is entered any more; objects that are in the code alone go. Code that is being run keeps them.
pub fn uninstall() {
    // SAFETY: as in `state`.
    let Some(s) = (unsafe { (*STATE.0.get()).as_mut() }) else { return };
    if !s.active.is_empty() {
        return;
    }
    lh_interp::jit::uninstall();
    let recorder = s.recorder.take();
    let pins: Vec<_> = s
        .traces
        .iter_mut()
        .flat_map(|t| {
            t.retired = true;
            std::mem::take(&mut t.pins)
        })
        .collect();
    // What runs now, destructors among it, may ask for the state.
    drop(recorder);
    drop(pins);
}

/// The frame of the innermost trace, if no interpreter runs inside it: the thread's current frame may be an inlined one that is
/// gone or not written yet.
fn root(ts: *mut PyThreadState) -> Option<*mut Frame> {
    // SAFETY: the caller's own thread state.
    let c = unsafe { (*ts).cframe };
    state().active.iter().rfind(|a| a.cframe == c).map(|a| a.frame)
}

impl State {
    pub fn dumping(&self, what: char) -> bool {
        self.dump.as_ref().is_some_and(|d| d.contains(what))
    }
    pub fn event(&self, text: impl FnOnce() -> String) {
        if self.dumping('t') {
            eprintln!("{}", text());
        }
    }
    fn random(&mut self, n: u64) -> bool {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed.is_multiple_of(n)
    }
    /// The one description of frames that are alike.
    pub fn frame_info(&mut self, i: FrameInfo) -> *const FrameInfo {
        let key = (i.code as usize, i.globals as usize, i.builtins as usize, i.flags);
        &raw const **self.infos.entry(key).or_insert_with(|| Box::new(i))
    }
    /// Has recording and compiling taken more than its share of the time so far?
    pub fn over_budget(&self) -> bool {
        let run = self.begun.elapsed();
        let young = run.min(Duration::from_secs(1));
        let share = Duration::from_micros(1500) + young / 14 + (run - young) / 60;
        self.mode != Mode::Stress && self.spent > share
    }
    /// A root's loop is left to the interpreter for good.
    pub fn give_back(&mut self, t: u32) {
        let x = &mut self.traces[t as usize];
        x.retired = true;
        self.heads.retain(|_, h| *h != t);
        functions::forget_trace(self, t);
        let head = head_of(&self.traces[t as usize]);
        self.penalties.insert(head as usize, HOPELESS);
    }
    /// Has recording the loop with this head been given up?
    pub fn is_hopeless(&self, head: usize) -> bool {
        self.penalties.get(&head).is_some_and(|p| *p >= HOPELESS)
    }
    pub fn exit_routine(&self) -> u64 {
        self.exit_routine
    }
}

/// Address of a root's first instruction.
pub fn head_of(x: &Compiled) -> *mut u16 {
    let code = x.pins[0].as_ptr().cast();
    // SAFETY: a root's first pin is its code.
    unsafe { frame::first_instr(code).add(x.head as usize) }
}

/// Where code is: `file:line`.
pub fn place(f: *mut Frame, unit: u32) -> String {
    // SAFETY: a live frame.
    unsafe {
        let c = frame::code_ref(f);
        let file = Object::from_ptr((*c.as_struct()).co_filename).str();
        let name = file.map_or_else(|_| "?".into(), |s| s.to_str_lossy().into_owned());
        format!("{}:{}", name, c.line_at(unit as isize).unwrap_or(0))
    }
}

unsafe fn may_trace(ts: *mut PyThreadState) -> bool {
    // SAFETY: the current thread.
    unsafe {
        (*ts).c_tracefunc.is_none()
            && (*ts).c_profilefunc.is_none()
            && lh_interp::framehook::installed().is_none()
    }
}

unsafe fn hot_loop(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) -> Enter {
    let s = state();
    // SAFETY: the interpreter's contract for hooks.
    unsafe {
        // The frame stands at the loop's head.
        let head = (*f).prev_instr.add(1);
        trial::tidy(s);
        if s.window.is_some()
            && let Some(&t) = s.heads.get(&(head as usize))
            && trial::interpreted_done(s, t)
        {
            return Enter::Stay;
        }
        if s.recorder.is_some() {
            s.blocked += 1;
            if s.blocked > MAX_BLOCKED {
                // Its thread waits for something, or is gone.
                s.recorder = None;
                lh_interp::jit::forget_pause();
                lh_interp::jit::set_recording(false);
            }
            return Enter::Stay;
        }
        s.blocked = 0;
        if !may_trace(ts) {
            return Enter::Stay;
        }
        if let Some(&t) = s.heads.get(&(head as usize)) {
            if !visits::rests(s, t) {
                patch(s, at, t);
            }
            return run(ts, f, t);
        }
        let pen = s.penalties.get(&(head as usize)).copied().unwrap_or(0);
        if pen >= HOPELESS {
            return Enter::Stay;
        }
        if pen > 0 && !s.random(1 << pen) || s.over_budget() {
            return Enter::Stay;
        }
        let unit = head.offset_from(frame::first_instr((*f).code)) as u32;
        s.event(|| format!("start loop {}", place(f, unit)));
        s.recordings += 1;
        let mut r = Recorder::root(s.descs, f, unit, at, (*f).stacktop);
        if s.left.get(&(head as usize)).copied().unwrap_or(0) < MAX_LEFT {
            r.keep_inside();
        }
        s.recorder = Some(r);
        lh_interp::jit::set_recording(true);
    }
    Enter::Stay
}

/// A function that calls itself gets a root at its entry.
unsafe fn hot_function(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) -> Enter {
    let s = state();
    // SAFETY: the interpreter's contract for hooks.
    unsafe {
        let code = (*f).code;
        if s.recorder.is_some() || !may_trace(ts) || (*f).owner != frame::OWNED_BY_THREAD || s.over_budget() {
            return Enter::Stay;
        }
        if !s.wants_root(f) || functions::function_root(s, code).is_none() {
            return Enter::Stay;
        }
        let head = at.add(1);
        if let Some(&t) = s.heads.get(&(head as usize)) {
            if !visits::rests(s, t) {
                patch(s, at, t);
            }
            return run(ts, f, t);
        }
        if s.is_hopeless(head as usize) {
            return Enter::Stay;
        }
        let unit = head.offset_from(frame::first_instr(code)) as u32;
        s.event(|| format!("start function {}", place(f, unit)));
        let mut r = Recorder::root(s.descs, f, unit, at, (*f).stacktop);
        r.function = true;
        r.room = functions::room(code);
        s.recorder = Some(r);
        lh_interp::jit::set_recording(true);
    }
    Enter::Stay
}

/// Puts JIT_LOOP in place of the back edge.
unsafe fn patch(s: &mut State, at: *mut u16, t: u32) {
    // SAFETY: a back edge in the adaptive copy of its code, which the trace's pins keep alive.
    unsafe {
        let op = match *at as u8 {
            lh_bytecode::opcode::JUMP_BACKWARD => quick::JIT_LOOP,
            lh_bytecode::opcode::RESUME => quick::JIT_RESUME,
            lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_TRUE => quick::JIT_WHILE_TRUE,
            lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_FALSE => quick::JIT_WHILE_FALSE,
            lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_NONE => quick::JIT_WHILE_NONE,
            lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_NOT_NONE => quick::JIT_WHILE_NOT_NONE,
            _ => return,
        };
        *at = (*at & 0xff00) | op as u16;
    }
    s.edges.insert(at as usize, t);
}

unsafe fn enter_hook(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) -> Enter {
    let s = state();
    match s.edges.get(&(at as usize)) {
        // SAFETY: the interpreter's contract for hooks.
        Some(&t) if (s.recorder.is_none() || lh_interp::jit::paused()) && unsafe { may_trace(ts) } => unsafe {
            run(ts, f, t)
        },
        _ => Enter::Stay,
    }
}

unsafe fn record(ts: *mut PyThreadState, f: *mut Frame, at: *mut u16) {
    let s = state();
    let Some(mut r) = s.recorder.take() else {
        lh_interp::jit::set_recording(false);
        return;
    };
    // SAFETY: the current thread.
    if !unsafe { may_trace(ts) } {
        lh_interp::jit::set_recording(false);
        return give_up(s, &r, Why::Traced);
    }
    loop {
        // SAFETY: the interpreter's contract for hooks.
        match unsafe { r.step(f, at) } {
            Ok(Next::More) => s.recorder = Some(r),
            Ok(Next::Switch(head, edge, sp)) => {
                let again = head == r.head && edge == r.edge;
                s.event(|| format!("{} at {}", if again { "start over" } else { "inner loop" }, r.place()));
                let restarts = if again { r.restarts + 1 } else { 0 };
                // SAFETY: the frame is at the loop's head or about to jump there.
                r = unsafe { Recorder::root(s.descs, f, head, edge, sp) };
                r.restarts = restarts;
                if again {
                    continue;
                }
                s.recorder = Some(r);
            }
            Ok(how) => {
                lh_interp::jit::set_recording(false);
                s.spent += STEP * r.steps as u32;
                let t = Instant::now();
                close(s, r, how);
                state().spent += t.elapsed();
            }
            Err(why) => {
                lh_interp::jit::set_recording(false);
                s.spent += STEP * r.steps as u32;
                give_up(s, &r, why);
            }
        }
        return;
    }
}

fn give_up(s: &mut State, r: &Recorder, why: Why) {
    let at = r.place();
    s.event(|| format!("abort at {at}: {why}"));
    if why == Why::Raised {
        *s.raises.entry(r.at()).or_insert(0) += 1;
    }
    if matches!(why, Why::Opcode(_) | Why::Operands(_) | Why::TooLong | Why::Unbound) {
        if !r.outer.is_empty() {
            // Without what cannot be inlined it may work.
            s.no_inline.insert(r.code as usize);
            return;
        }
        s.unrecordable.insert(r.at());
    }
    match r.bridge {
        // Another iteration may do without.
        None if why == Why::Raised && crate::record_exc::raised_again(r.head_addr()) => {
            // SAFETY: the GIL is held.
            unsafe { lh_interp::jit::hot_after(r.head_addr() as *mut u16, AGAIN_AFTER) };
        }
        None if why == Why::Outside => {
            *s.left.entry(r.head_addr()).or_insert(0) += 1;
            // SAFETY: the GIL is held.
            unsafe { lh_interp::jit::hot_after(r.head_addr() as *mut u16, AGAIN_AFTER) };
        }
        // Leaving the loop meanwhile says little about the loop.
        None if why == Why::Left && !s.random(8) => {}
        None if why == Why::FirstBound => {
            *s.penalties.entry(r.head_addr()).or_insert(0) += 1;
            // SAFETY: the GIL is held.
            unsafe { lh_interp::jit::hot_after(r.head_addr() as *mut u16, AGAIN_AFTER) };
        }
        // A generator's loop.
        None if matches!(why, Why::Opcode(_)) => {
            s.penalties.insert(r.head_addr(), HOPELESS);
        }
        None => *s.penalties.entry(r.head_addr()).or_insert(0) += 1,
        Some((t, n)) => {
            s.traces[t as usize].ways[n as usize].tries += 1;
            let root = s.traces[t as usize].root;
            s.traces[root as usize].trial.leaves = 0;
        }
    }
}

/// The recording is whole: optimise, compile, install.
fn close(s: &mut State, mut r: Recorder, how: Next) {
    let id = s.traces.len() as u32;
    let builder = r.builder.take().expect("recording");
    let began = std::time::Instant::now();
    let cut = matches!(how, Next::Cut);
    // The loop whose body the bridge came from: its label's contract is the one the builder knows.
    let home = r.bridge.map(|(p, _)| s.traces[p as usize].trace.link.as_ref().map_or(p, |l| l.trace_id));
    let trace = match how {
        Next::Loop => builder.finish_loop(),
        Next::Link(t) => {
            let to = &s.traces[t as usize];
            let cell = &raw const *to.entry_cell as u64;
            match &to.label {
                Some(l) if home == Some(t) => builder.finish_link_label(l, cell),
                _ => builder.finish_link(cell),
            }
        }
        _ => builder.finish_exit(),
    };
    let trace = match trace {
        Ok(t) => t,
        Err(e) => return give_up(s, &r, Why::Builder(e)),
    };
    if s.mode == Mode::Stress
        && let Err(e) = verify::verify(&trace, s.descs, true)
    {
        panic!("trace is wrong: {e}\n{}", print::trace(&trace, s.descs));
    }
    if s.dumping('i') {
        eprintln!("trace {id}\n{}", print::trace(&trace, s.descs));
    }
    let optimised = began.elapsed();
    let mut cells = exit_cells(s, &trace);
    let record = Record::new(s.mode == Mode::Stress || r.function);
    let countdown =
        (r.bridge.is_none() && !r.function && s.mode != Mode::Stress).then_some(lh_jit_x64::Countdown {
            word: &raw const *record.left as u64,
            flags: &raw const lh_runtime::thread::EVAL_BREAKER as u64,
            bits: lh_runtime::thread::BREAK_JIT as u8,
        });
    let options =
        lh_jit_x64::Options { trace_id: id, exit_cells: cells.as_mut_ptr() as u64, random: None, countdown };
    let c = match lh_jit_x64::compile(&trace, s.descs, &options) {
        Ok(c) => c,
        Err(e) => return give_up(s, &r, Why::Backend(e)),
    };
    let Ok(code) = lh_foreign::arena::Arena::traces().and_then(|a| a.install(&c.code)) else {
        return give_up(s, &r, Why::NoMemory);
    };
    let entry = code.addr() as u64;
    if s.dumping('m') {
        let hex: String = c.code.iter().map(|b| format!("{b:02x}")).collect();
        eprintln!("code {id} at {entry:#x} {hex}");
    }
    let root = match r.bridge {
        None => id,
        Some((t, _)) => s.traces[t as usize].root,
    };
    s.event(|| {
        let kind = if r.bridge.is_some() { "bridge" } else { "loop" };
        let (n, size, all) = (trace.insts.len(), c.code.len(), began.elapsed());
        format!(
            "trace {id} {kind} {}: {n} instructions, {size} bytes, {optimised:?} + {:?}",
            r.place(),
            all - optimised
        )
    });
    let pins = std::mem::take(&mut r.pins);
    let mut x = Box::new(Compiled {
        pins,
        cut,
        code: Some(code),
        ..Compiled::new(trace, c, entry, cells, (r.head, root), record)
    });
    if s.mode == Mode::Stress {
        x.ways.iter_mut().for_each(|w| w.due = 2);
    } else if cut && let Some(w) = x.ways.last_mut() {
        w.due = CUT_LIMIT;
    }
    s.traces.push(x);
    match r.bridge {
        None => {
            let code = s.traces[id as usize].pins.first().map(|c| c.as_ptr());
            for old in s.traces.iter_mut().filter(|x| x.retired && x.head == r.head) {
                if old.pins.first().map(|c| c.as_ptr()) == code {
                    *old.entry_cell = entry;
                }
            }
            s.heads.insert(r.head_addr(), id);
            if r.function {
                s.traces[id as usize].function = true;
                s.traces[id as usize].room = r.room;
                // SAFETY: the root frame's code is pinned.
                if let Some(f) = unsafe { functions::function_root(s, r.root_code) } {
                    // SAFETY: roots live for ever.
                    unsafe { (*f).trace = id };
                }
            }
            // SAFETY: the back edge that started the recording; its code is pinned.
            unsafe { patch(s, r.edge, id) };
        }
        Some((t, n)) => {
            s.traces[t as usize].cells[n as usize] = entry;
            s.traces[root as usize].bridges += 1;
            trial::changed(s, root);
            s.traces[root as usize].visits.forget();
        }
    }
}

/// Compiles a root once more without its countdown, which costs short loops a quarter of their time, now that it is to stay.
pub fn without_countdown(s: &mut State, t: u32) {
    let began = Instant::now();
    let x = &mut s.traces[t as usize];
    let exit_cells = x.cells.as_mut_ptr() as u64;
    let options = lh_jit_x64::Options { trace_id: t, exit_cells, random: None, countdown: None };
    let Ok(c) = lh_jit_x64::compile(&x.trace, s.descs, &options) else { return };
    // Whoever is in the old code still, links to the label or looks at an exit counts on the places it knows.
    let same_label = match (&c.label, &x.label) {
        (Some(a), Some(b)) => a.places == b.places && a.words == b.words && a.top == b.top,
        (a, b) => a.is_none() && b.is_none(),
    };
    if !same_label || c.exits != x.exits || c.calls != x.calls {
        return;
    }
    let Ok(code) = lh_foreign::arena::Arena::traces().and_then(|a| a.install(&c.code)) else { return };
    let entry = code.addr() as u64;
    if *x.entry_cell == x.entry {
        *x.entry_cell = entry;
    }
    x.entry = entry;
    if let (Some(new), Some(label)) = (&c.label, &mut x.label) {
        label.offset = new.offset;
        *x.label_cell = entry + new.offset as u64;
    }
    s.spent += began.elapsed();
}

/// Installs a trace that only leaves; answers its entry.
pub fn install_detour(s: &mut State, trace: Trace, root: u32, head: u32) -> Option<u64> {
    let id = s.traces.len() as u32;
    let mut cells = exit_cells(s, &trace);
    let options = lh_jit_x64::Options {
        trace_id: id,
        exit_cells: cells.as_mut_ptr() as u64,
        random: None,
        countdown: None,
    };
    let c = lh_jit_x64::compile(&trace, s.descs, &options).ok()?;
    let code = lh_foreign::arena::Arena::traces().and_then(|a| a.install(&c.code)).ok()?;
    let entry = code.addr() as u64;
    let detour = Compiled::new(trace, c, entry, cells, (head, root), Record::new(true));
    s.traces.push(Box::new(Compiled { retired: true, code: Some(code), ..detour }));
    Some(entry)
}

/// Makes a root's back edges ordinary ones again.
pub fn unpatch(s: &mut State, t: u32) {
    s.edges.retain(|at, x| {
        if *x != t {
            return true;
        }
        let at = *at as *mut u16;
        // SAFETY: a back edge that `patch` has changed; its code is pinned.
        unsafe {
            let op = match *at as u8 {
                quick::JIT_LOOP => lh_bytecode::opcode::JUMP_BACKWARD,
                quick::JIT_RESUME => lh_bytecode::opcode::RESUME,
                quick::JIT_WHILE_TRUE => lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_TRUE,
                quick::JIT_WHILE_FALSE => lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_FALSE,
                quick::JIT_WHILE_NONE => lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_NONE,
                quick::JIT_WHILE_NOT_NONE => lh_bytecode::opcode::POP_JUMP_BACKWARD_IF_NOT_NONE,
                _ => return false,
            };
            *at = (*at & 0xff00) | op as u16;
        }
        false
    });
}

/// Takes a root out of use, if it has been replaced only a few times: another recording will find the world as it is now.
unsafe fn retire(s: &mut State, t: u32) -> bool {
    let (head, code) = (s.traces[t as usize].head, s.traces[t as usize].pins.first().map(|c| c.as_ptr()));
    let same = |x: &Compiled| x.retired && x.head == head && x.pins.first().map(|c| c.as_ptr()) == code;
    if s.traces[t as usize].retired || s.traces.iter().filter(|x| same(x)).count() >= 4 {
        return false;
    }
    s.traces[t as usize].retired = true;
    s.heads.retain(|_, x| *x != t);
    functions::forget_trace(s, t);
    unpatch(s, t);
    true
}

/// Nothing of an interpreter's program will run any more: its traces let go of what they pin, and what is known of its code is forgotten, for
/// other code may come to lie at its addresses.
fn interpreter_ends(i: *mut Interp) {
    let s = state();
    let recorder = s.recorder.take();
    if recorder.is_some() {
        lh_interp::jit::forget_pause();
        lh_interp::jit::set_recording(false);
    }
    let mut dead: Vec<Owned<Object>> = vec![];
    for t in 0..s.traces.len() {
        if s.traces[t].interp != i {
            continue;
        }
        s.heads.retain(|_, h| *h != t as u32);
        functions::forget_trace(s, t as u32);
        unpatch(s, t as u32);
        if s.window.as_ref().is_some_and(|w| w.root as usize == t) {
            s.window = None;
        }
        let x = &mut *s.traces[t];
        (x.interp, x.retired) = (std::ptr::null_mut(), true);
        dead.append(&mut x.pins);
        (x.trace, x.exits, x.calls, x.ways) = (Trace::default(), vec![], vec![], vec![]);
        if let (Ok(a), Some(code)) = (lh_foreign::arena::Arena::traces(), x.code.take()) {
            // SAFETY: none of the interpreter's frames is left, and no way leads to the code any more.
            unsafe { a.free(code) };
        }
    }
    let codes: FxHashSet<usize> =
        dead.iter().filter(|o| o.is_exact::<Code>()).map(|o| o.ptr() as usize).collect();
    s.functions.retain(|c, _| !codes.contains(c));
    s.infos.retain(|k, _| !codes.contains(&k.0));
    s.no_inline.retain(|c| !codes.contains(c));
    // Runs Python code, perhaps.
    drop((dead, recorder));
}

/// A native call during which Python ran. When that keeps happening the call is not worth a place in a trace.
unsafe fn overtaken(t: u32, n: u32, call: usize) {
    let s = state();
    let tr = &mut s.traces[t as usize];
    let way = &mut tr.ways[n as usize];
    way.hits += 1;
    let root = tr.root;
    if way.hits >= 6 && s.calls_back.insert(call) {
        s.event(|| format!("native call in trace {t} is overtaken"));
        // SAFETY: the GIL is held.
        unsafe { retire(s, root) };
    }
}

/// Does the guard ask about the world rather than about the frame? Then it will fail from now on.
fn is_about_the_world(t: &Trace, guard: usize) -> bool {
    let i = &t.insts[guard];
    let mut v = i.args[0];
    if i.op != Op::GValue || !v.is_inst() {
        return false;
    }
    while v.is_inst() {
        let x = &t.insts[v.index()];
        if x.op != Op::FLoad {
            return false;
        }
        v = x.args[0];
    }
    true
}

/// Runs a trace for the frame and puts the frame in order when it is left.
unsafe fn run(ts: *mut PyThreadState, f: *mut Frame, t: u32) -> Enter {
    // SAFETY: the frame stands at the trace's head; `state()` is fetched anew after the trace, in which anything may have run.
    unsafe {
        let s = state();
        let root = &mut s.traces[t as usize];
        root.entries += 1;
        let (entry, room) = (root.entry, root.room);
        let timed = root.visits.count();
        if root.trial.is_due() {
            trial::attend();
            let interpreted = |w: &Window| w.root == t && w.interpreted;
            if s.window.as_ref().is_some_and(interpreted) {
                return Enter::Stay;
            }
        }
        if !has_room(ts) {
            return Enter::Stay;
        }
        let recordings = s.recordings;
        let began = timed.then(Instant::now);
        let Some((word, mut jf, base)) = enter_trace(ts, f, entry, room) else {
            clear();
            return Enter::Stay;
        };
        let inside = began.map(|b| b.elapsed());
        let r = leave(ts, f, (word >> 32) as u32, word as u32, jf.as_mut_ptr(), base);
        state().pool.push(jf);
        if let (Some(began), Some(inside)) = (began, inside) {
            visits::timed(t, inside, began.elapsed() - inside, recordings);
        }
        r
    }
}

/// Is there room for inlined frames in number, and on the native stack?
pub unsafe fn has_room(ts: *mut PyThreadState) -> bool {
    // SAFETY: the current thread.
    unsafe {
        (*ts).recursion_remaining >= inline::MAX_DEPTH as i32 + 2
            && lh_runtime::thread::native_stack_left() >= NATIVE_ROOM
    }
}

/// Enters machine code: the exit word, the JIT frame and the room for inlined frames; `None` (with an exception) if there is no memory.
#[allow(clippy::type_complexity)]
#[inline]
pub unsafe fn enter_trace(
    ts: *mut PyThreadState,
    f: *mut Frame,
    entry: u64,
    room: usize,
) -> Option<(u64, Box<[u64]>, *mut *mut PyObject)> {
    // SAFETY: as `run`.
    unsafe {
        let base = frame::push_words(ts, room);
        if base.is_null() {
            return None;
        }
        let s = state();
        let mut jf = s.pool.pop().unwrap_or_else(|| vec![0u64; jf::SIZE / 8].into_boxed_slice());
        jf[jf::FRAME as usize / 8] = f as u64;
        jf[jf::FORCED as usize / 8] = 0;
        jf[inline::BASE as usize / 8] = base as u64;
        jf[jf::CALL as usize / 8] = 0;
        (*f).stacktop = -1;
        let p = jf.as_mut_ptr();
        s.active.push(Activation { frame: f, jf: p, cframe: (*ts).cframe });
        crate::force::ACTIVE.store(s.active.len(), std::sync::atomic::Ordering::Relaxed);
        let word = (s.enter)(ts, p, entry);
        lh_runtime::thread::settle_steal(ts);
        let s = state();
        match s.active.last() {
            Some(a) if a.jf == p => drop(s.active.pop()),
            // Another thread has entered one since.
            _ => s.active.retain(|a| a.jf != p),
        }
        crate::force::ACTIVE.store(s.active.len(), std::sync::atomic::Ordering::Relaxed);
        Some((word, jf, base))
    }
}

/// Puts the frame a trace was left in (and those inlined in it) in order.
pub unsafe fn leave(
    ts: *mut PyThreadState,
    root: *mut Frame,
    t: u32,
    n: u32,
    jf: *mut u64,
    base: *mut *mut PyObject,
) -> Enter {
    // SAFETY: the exit's values lie in jf where its site says; restoring may run destructors, so nothing of the state is borrowed.
    unsafe {
        let s = state();
        let way = &s.traces[t as usize].ways[n as usize];
        if let Some(plan) = way.plan
            && way.plain
        {
            return leave_root(ts, root, (t, n), (way.pc, way.sp), plan, jf, base);
        }
        let tr: *const Compiled = &raw const *s.traces[t as usize];
        let mut n = n;
        let mut site = &(&(*tr).exits)[n as usize];
        let quiet = site.forced.is_some();
        let mut forced = false;
        if let Some(other) = site.forced
            && *jf.add(jf::FORCED as usize / 8) != 0
        {
            forced = true;
            n = other;
            site = &(&(*tr).exits)[n as usize];
        }
        let snap = &(&(*tr).trace.snaps)[site.snap as usize];
        let get = |v: Val| -> u64 {
            match (*tr).trace.const_bits(v) {
                Some(c) => c,
                None => *jf.cast::<u8>().add(site.place(v) as usize).cast::<u64>(),
            }
        };
        let kind = snap.kind & KIND;
        let f = link_frames(ts, root, snap, &get, base);
        let (pc, sp) = snap.frames.last().map_or((0, 0), |f| (f.pc, f.sp));
        let first = frame::first_instr((*f).code);
        // Where it stands, for whoever looks while the slots are filled.
        (*f).prev_instr = first.add(pc as usize);
        let saved = if matches!(kind, RESUME | RESULT | POLL) { None } else { Some(fetch()) };
        let plan = match s.traces[t as usize].ways[n as usize].plan {
            Some(p) => p,
            None => {
                let p =
                    &*Box::leak(Box::new(plan::Plan::new(&(*tr).trace, snap, s.descs, &|v| site.place(v))));
                s.traces[t as usize].ways[n as usize].plan = Some(p);
                p
            }
        };
        plan.run(s.descs, ts as u64, jf.cast());
        if let Some((a, b, c)) = saved {
            restore(a, b, c);
        }
        let mut up = f;
        for x in snap.frames.iter().rev() {
            (*up).stacktop = x.sp as i32;
            up = (*up).previous;
        }
        let s = state();
        s.event_exit(t, n, kind);
        let root = (*tr).root;
        if kind != RETURN && s.traces[root as usize].function {
            functions::left_early(s, root);
        }
        match kind {
            RAISE => {
                if !quiet {
                    hot_exit(f, t, n, snap, true);
                }
                Enter::Raise(f)
            }
            RETURN => {
                let v = functions::take_value(f);
                Enter::Leave(f, v)
            }
            ITER_STEP => {
                let top = frame::localsplus(f).add(sp as usize - 1);
                let (next, arg) = crate::record::decode(first.add(pc as usize));
                if !(*top).is_null() {
                    (*f).prev_instr = next.sub(1);
                    return Enter::Continue(f);
                }
                (*f).stacktop -= 1;
                if occurred() {
                    if !matches(exc::StopIteration()) {
                        return Enter::Raise(f);
                    }
                    clear();
                }
                let old = std::mem::replace(&mut *top.sub(1), std::ptr::null_mut());
                (*f).stacktop -= 1;
                (*f).prev_instr = next.add(arg as usize).sub(1);
                decref(old);
                Enter::Continue(f)
            }
            RESULT if (*frame::localsplus(f).add(sp as usize - 1)).is_null() => {
                (*f).stacktop = sp as i32 - 1;
                (*f).prev_instr = first
                    .add(pc as usize)
                    .sub(1 + lh_bytecode::opcode::cache_entries(lh_bytecode::opcode::CALL));
                Enter::Raise(f)
            }
            _ => {
                (*f).prev_instr = first.add(pc as usize).sub(1);
                // What happened during a native call, or a request to stop, is no property of the loop.
                if !quiet && kind != POLL {
                    hot_exit(f, t, n, snap, false);
                } else if forced {
                    let call = first
                        .add(pc as usize)
                        .sub(1 + lh_bytecode::opcode::cache_entries(lh_bytecode::opcode::CALL));
                    overtaken(t, n, call as usize);
                }
                Enter::Continue(f)
            }
        }
    }
}

/// As `leave`, by an exit in the root frame that has been taken before and where nothing is to be finished.
#[inline]
unsafe fn leave_root(
    ts: *mut PyThreadState,
    f: *mut Frame,
    (t, n): (u32, u32),
    (pc, sp): (u32, u32),
    plan: &'static plan::Plan,
    jf: *mut u64,
    base: *mut *mut PyObject,
) -> Enter {
    // SAFETY: as `leave`.
    unsafe {
        frame::pop_words(ts, base);
        (*(*ts).cframe).current_frame = f.cast();
        let at = frame::first_instr((*f).code).add(pc as usize);
        (*f).prev_instr = at;
        plan.run(state().descs, ts as u64, jf.cast());
        (*f).stacktop = sp as i32;
        (*f).prev_instr = at.sub(1);
        let s = state();
        let x = &mut s.traces[t as usize];
        let root = x.root;
        let way = &mut x.ways[n as usize];
        let poll = way.poll;
        way.hits += !poll as u32;
        let due = !poll && way.hits >= way.due;
        if s.dump.is_some() {
            s.event_exit(t, n, if poll { POLL } else { RESUME });
        }
        let r = &mut s.traces[root as usize];
        r.trial.leaves += !poll as u32;
        if r.function {
            functions::left_early(s, root);
        }
        if due {
            let x: *const Compiled = &raw const *s.traces[t as usize];
            consider(f, t, n, &(&(*x).trace.snaps)[(&(*x).exits)[n as usize].snap as usize], false);
        }
        Enter::Continue(f)
    }
}

/// Makes the inlined frames of an exit ordinary frames (but for their slots) and answers the innermost one.
unsafe fn link_frames(
    ts: *mut PyThreadState,
    root: *mut Frame,
    snap: &Snapshot,
    get: &dyn Fn(Val) -> u64,
    base: *mut *mut PyObject,
) -> *mut Frame {
    // SAFETY: the frames lie in the room reserved at `base`; infos live as long as the process.
    unsafe {
        let mut f = root;
        let mut top = base;
        for k in 1..snap.frames.len() {
            let x = &snap.frames[k];
            let i = get(x.base) as *mut Frame;
            let info = x.token as *const FrameInfo;
            let site = frame::first_instr((*f).code).add(snap.frames[k - 1].pc as usize).sub(1);
            (*f).prev_instr = site;
            if (*info).flags & inline::GENERATOR != 0 {
                if snap.kind >> (8 + k) & 1 == 0 {
                    crate::record_gen::link(ts, i, f);
                }
                f = i;
                continue;
            }
            top = i.cast::<*mut PyObject>().add(frame::frame_words((*info).code));
            if snap.kind >> (8 + k) & 1 == 0 {
                (*i).globals = (*info).globals;
                (*i).builtins = (*info).builtins;
                (*i).locals = std::ptr::null_mut();
                (*i).frame_obj = std::ptr::null_mut();
                (*i).previous = f;
                (&raw mut (*i).stacktop).cast::<i64>().write(inline::header_word((*info).flags));
                (*ts).recursion_remaining -= 1;
            }
            (*i).code = (*info).code;
            f = i;
        }
        if top == base {
            frame::pop_words(ts, base);
        } else {
            (*ts).datastack_top = top;
        }
        (*(*ts).cframe).current_frame = f.cast();
        f
    }
}

impl State {
    fn event_exit(&self, t: u32, n: u32, kind: u32) {
        if self.dumping('x') {
            eprintln!("exit {n} of trace {t}, kind {kind}");
        }
    }
}

/// The more bridges a loop has, the more often one of its exits must be taken to deserve another.
pub fn exit_limit(bridges: u32) -> u32 {
    (20 + 20 * bridges).min(800)
}

/// Counts an exit; a hot one gets a bridge. `raised`: the exception is set.
unsafe fn hot_exit(f: *mut Frame, t: u32, n: u32, snap: &Snapshot, raised: bool) {
    let s = state();
    let x = &mut s.traces[t as usize];
    let root = x.root;
    let way = &mut x.ways[n as usize];
    way.hits += 1;
    let due = way.hits >= way.due;
    s.traces[root as usize].trial.leaves += 1;
    if due {
        // SAFETY: as the caller's.
        unsafe { consider(f, t, n, snap, raised) }
    }
}

/// The exit has been taken often: is it time for a bridge?
#[cold]
#[inline(never)]
unsafe fn consider(f: *mut Frame, t: u32, n: u32, snap: &Snapshot, raised: bool) {
    let s = state();
    let root = s.traces[t as usize].root;
    let bridges = s.traces[root as usize].bridges;
    let tr = &mut s.traces[t as usize];
    let last = tr.trace.insts.last().is_some_and(|i| i.op == Op::Exit) && n as usize + 1 == tr.exits.len();
    let limit = match s.mode {
        Mode::Stress => 2,
        _ if last && tr.cut => CUT_LIMIT,
        _ => exit_limit(bridges),
    };
    let linked = tr.cells[n as usize] != s.exit_routine;
    let way = &mut tr.ways[n as usize];
    // The exit a trace ends with is mostly there because nothing can be recorded behind it.
    if way.tries >= 3 || last && !tr.cut || bridges >= MAX_BRIDGES {
        way.due = u32::MAX;
        return;
    }
    if way.hits < limit {
        // It has got more bridges meanwhile.
        way.due = limit;
        return;
    }
    way.due = way.hits.saturating_add(limit);
    if linked || s.recorder.is_some() || s.over_budget() {
        return;
    }
    // SAFETY: the exit's frame; the parent trace lives for ever.
    unsafe {
        let tr: *const Compiled = &raw const *s.traces[t as usize];
        let tr: &'static Compiled = &*tr;
        let site = &tr.exits[n as usize];
        if root == t
            && tr.trace.loop_at().is_some_and(|l| site.inst < l)
            && is_about_the_world(&tr.trace, site.inst)
            && retire(s, t)
        {
            let head_pc = tr.head;
            s.event(|| format!("trace {t} retired, {}", place(f, head_pc)));
            return;
        }
        let b = Builder::bridge(s.descs, &tr.trace, snap, &|v| site.find(v));
        let head = s.traces[root as usize].head;
        let mut frames = vec![];
        let mut up = f;
        for x in snap.frames.iter().rev() {
            frames.push((up, x.clone()));
            up = (*up).previous;
        }
        frames.reverse();
        let pc = snap.frames.last().map_or(0, |f| f.pc);
        s.event(|| format!("start bridge at exit {n} of trace {t}, {}", place(f, pc)));
        s.recordings += 1;
        let mut r = Recorder::bridge(b, &frames, snap.kind >> 8, head, (t, n));
        r.function = s.traces[root as usize].function;
        r.room = s.traces[root as usize].room;
        if raised && let Err(why) = r.start_raised() {
            s.event(|| format!("no bridge: {why}"));
            s.traces[t as usize].ways[n as usize].tries = u8::MAX;
            return;
        }
        s.recorder = Some(r);
        lh_interp::jit::set_recording(true);
    }
}
