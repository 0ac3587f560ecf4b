//! Trials: is a loop really faster compiled than interpreted? Measured, not guessed.
//!
//! The label of every root counts its iterations down in a word. At zero it sets `BREAK_JIT`, the poll at the loop's head leaves the
//! trace and the interpreter calls [`attend`]. Then windows of compiled and of interpreted iterations are timed in turn, one loop at
//! a time in the whole process; wall time a window takes, divided by the times the loop's head was passed, is what is compared, so
//! entering, leaving and whatever surrounds the loop count as well. A loop that loses goes back to the interpreter for good.
//!
//! One that stays is compiled once more without the countdown.
//!
//! While a loop is interpreted its back edges are ordinary ones again, and traces that go on at its head find an exit there.

use crate::Mode;
use crate::manager::{POLL, State, head_of, state, unpatch};
use lh_interp::jit;
use lh_jit_opt::Builder;
use std::time::{Duration, Instant};

/// Iterations before a new loop is tried, and before one that has got bridges is tried again.
const FIRST: i64 = 400;
const AGAIN: i64 = 1500;
/// What "never" is, in iterations.
const NEVER: i64 = i64::MAX;
/// Iterations of a window, compiled and interpreted alike, so that both see as much of what lies between one run of the loop and
/// the next: to begin with, if that is over too soon, and if it takes too long.
const NORMAL: i64 = 60;
const LONG: i64 = 300;
const SHORT: i64 = 20;
const TOO_SOON: Duration = Duration::from_micros(15);
const TOO_LATE: Duration = Duration::from_millis(3);
/// A window that takes longer than this and than many times what was expected is given up: the loop has ended.
const STALE: Duration = Duration::from_millis(25);
const ROUNDS: usize = 6;
/// Sizes of the rounds' windows, in hundredths: a loop that comes in bursts shall not always meet the same pause.
const SIZES: [i64; ROUNDS] = [100, 60, 85, 35, 70, 50];
const MAX_STALE: u8 = 4;
const MAX_TRIALS: u8 = 4;
/// So many times a trial waits for bridges that may still come.
const PATIENT: u32 = 12;

/// What is known of one root.
pub struct Record {
    /// Iterations until the label asks for attention.
    pub left: Box<i64>,
    decided: bool,
    /// Interpreted for good.
    pub lost: bool,
    trials: u8,
    stale: u8,
    /// Exits since the last bridge, and how often the trial was put off.
    pub leaves: u32,
    put_off: u32,
    window: i64,
    /// Nanoseconds an iteration took in each window, compiled and interpreted.
    compiled: Vec<f64>,
    interpreted: Vec<f64>,
    /// Where traces that link to this root's entry go while it is interpreted.
    detour: u64,
}

/// The window that is being timed.
pub struct Window {
    pub root: u32,
    pub interpreted: bool,
    count: u64,
    began: Instant,
    /// Recordings begun so far: one during the window spoils it.
    recordings: u32,
    patience: Duration,
}

impl Record {
    pub fn new(stress: bool) -> Record {
        Record {
            left: Box::new(if stress { NEVER } else { FIRST }),
            decided: stress,
            lost: false,
            trials: 0,
            stale: 0,
            leaves: 0,
            put_off: 0,
            window: NORMAL,
            compiled: vec![],
            interpreted: vec![],
            detour: 0,
        }
    }
    /// Has the label asked for attention?
    pub fn is_due(&self) -> bool {
        *self.left <= 0 && !self.decided
    }
    /// Has a trial found the compiled loop to be no slower?
    pub fn has_won(&self) -> bool {
        self.decided && self.trials > 0 && !self.lost
    }
    fn forget(&mut self) {
        self.window = NORMAL;
        self.compiled.clear();
        self.interpreted.clear();
    }
}

/// The best measurement and the next.
fn best_two(x: &[f64]) -> (f64, f64) {
    let mut x = x.to_vec();
    x.sort_by(f64::total_cmp);
    let first = x.first().copied().unwrap_or(f64::MAX);
    (first, x.get(1).copied().unwrap_or(first))
}

fn note(s: &State, w: &Window, ns: f64) {
    if s.dumping('w') {
        let how = if w.interpreted { "interpreted" } else { "compiled" };
        eprintln!("window of trace {}: {} {how}, {ns:.0} ns each", w.root, w.count);
    }
}

/// Called when a label's count has run out, or a root without a loop has been entered often.
pub fn attend() {
    let s = state();
    if s.mode == Mode::Stress {
        return;
    }
    if let Some(w) = &s.window {
        if w.began.elapsed() > w.patience {
            give_up_window(s);
        } else if !w.interpreted && s.traces[w.root as usize].trial.is_due() {
            return compiled_done(s);
        }
    }
    let over = s.over_budget();
    let busy = s.window.is_some() || s.recorder.is_some();
    for t in 0..s.traces.len() {
        let x = &mut s.traces[t];
        if !x.trial.is_due() || x.root as usize != t {
            continue;
        }
        // Exits that are about to get bridges must have had the time to get hot.
        let wait = x.trial.leaves < 4 * crate::manager::exit_limit(x.bridges);
        if x.retired {
            x.trial.decided = true;
        } else if x.visits.resting {
            *x.trial.left = FIRST;
        } else if over || wait && x.trial.put_off < PATIENT {
            x.trial.put_off += 1;
            *x.trial.left = FIRST;
        } else if busy || s.window.is_some() {
            *x.trial.left = FIRST;
        } else {
            x.trial.forget();
            start_compiled(s, t as u32);
        }
    }
}

/// A root got another bridge: what was measured may not hold any more.
pub fn changed(s: &mut State, root: u32) {
    let busy = s.window.as_ref().is_some_and(|w| w.root == root);
    let r = &mut s.traces[root as usize].trial;
    r.leaves = 0;
    r.put_off = 0;
    if r.decided && r.trials < MAX_TRIALS && !r.lost && !busy && s.mode != Mode::Stress {
        r.decided = false;
        *r.left = AGAIN;
    }
}

fn start_compiled(s: &mut State, t: u32) {
    let r = &mut s.traces[t as usize].trial;
    let window = r.window * SIZES[r.interpreted.len() % ROUNDS] / 100;
    let expected = r.compiled.first().copied().unwrap_or(0.0) * window as f64;
    *r.left = window;
    let count = window as u64;
    s.window = Some(Window {
        root: t,
        interpreted: false,
        count,
        began: Instant::now(),
        recordings: s.recordings,
        patience: STALE + Duration::from_nanos(expected as u64 * 8),
    });
}

/// A window of compiled iterations is over; interpreted ones follow.
fn compiled_done(s: &mut State) {
    let w = s.window.take().expect("running");
    let took = w.began.elapsed();
    let x = &mut s.traces[w.root as usize];
    let t = &mut x.trial;
    if w.recordings != s.recordings || s.recorder.is_some() {
        *t.left = FIRST;
        return;
    }
    if took < TOO_SOON && t.window < LONG {
        t.window = LONG;
        return start_compiled(s, w.root);
    }
    if took > TOO_LATE {
        t.window = SHORT;
    }
    let ns = took.as_nanos() as f64 / w.count as f64;
    note(s, &w, ns);
    let t = &mut s.traces[w.root as usize].trial;
    t.compiled.push(ns);
    *t.left = NEVER;
    let n = t.window * SIZES[t.interpreted.len() % ROUNDS] / 100;
    start_interpreted(s, w.root, n as u64);
}

fn start_interpreted(s: &mut State, t: u32, n: u64) {
    if !detour(s, t) {
        s.traces[t as usize].trial.decided = true;
        return;
    }
    unpatch(s, t);
    let x = &s.traces[t as usize];
    let head = head_of(x);
    let expected = x.trial.compiled.first().copied().unwrap_or(0.0) * n as f64;
    // SAFETY: the GIL is held.
    unsafe { jit::hot_after(head, n as u16) };
    s.window = Some(Window {
        root: t,
        interpreted: true,
        count: n,
        began: Instant::now(),
        recordings: s.recordings,
        patience: STALE + Duration::from_nanos(expected as u64 * 20),
    });
}

/// The head of the root `t` is hot in the interpreter. True: it stays there for now.
pub fn interpreted_done(s: &mut State, t: u32) -> bool {
    let Some(w) = s.window.take_if(|w| w.root == t && w.interpreted) else { return false };
    let took = w.began.elapsed();
    end_detour(s, t);
    let (rec, now) = (w.recordings, s.recordings);
    note(s, &w, took.as_nanos() as f64 / w.count as f64);
    let r = &mut s.traces[t as usize].trial;
    if rec != now || took > w.patience {
        *r.left = FIRST;
        return false;
    }
    let ns = took.as_nanos() as f64 / w.count as f64;
    r.interpreted.push(ns);
    let rounds = r.interpreted.len();
    let (c, i) = (best_two(&r.compiled), best_two(&r.interpreted));
    let wins = i.0 > c.0 * 1.35;
    // Windows in which the loop was left for a while are outliers: the best ones count, but not a single one.
    let by = |f: f64| c.0 > i.0 * f && c.1 > i.1 * f;
    let loses = rounds >= ROUNDS && by(1.04) || rounds >= 4 && by(2.0);
    if !wins && !loses && rounds < ROUNDS {
        start_compiled(s, t);
        return false;
    }
    r.decided = true;
    r.trials += 1;
    *r.left = NEVER;
    let text = if loses { "loses" } else { "stays" };
    s.event(|| format!("trial of trace {t}: {:.0} ns compiled, {:.0} interpreted: {text}", c.0, i.0));
    if loses {
        // For good.
        s.traces[t as usize].trial.lost = true;
        detour(s, t);
        unpatch(s, t);
        s.give_back(t);
        return true;
    }
    crate::manager::without_countdown(s, t);
    false
}

/// The loop of the window is not running any more.
fn give_up_window(s: &mut State) {
    let Some(w) = s.window.take() else { return };
    end_detour(s, w.root);
    let r = &mut s.traces[w.root as usize].trial;
    r.stale += 1;
    r.decided = r.stale >= MAX_STALE;
    *r.left = if r.decided { NEVER } else { FIRST };
}
/// Ends a window nobody has ended for too long. For those who pass by.
pub fn tidy(s: &mut State) {
    if s.window.as_ref().is_some_and(|w| w.began.elapsed() > w.patience) {
        give_up_window(s);
    }
}

/// Sends traces that would go on at the root's entry back to the interpreter.
fn detour(s: &mut State, t: u32) -> bool {
    if s.traces[t as usize].trial.detour == 0 {
        let x = &s.traces[t as usize];
        let sp = x.trace.snaps[0].frames[0].sp;
        let mut b = Builder::new(s.descs, x.pins[0].as_ptr() as u64, x.head, sp);
        if b.snapshot(POLL, x.head, sp).is_err() {
            return false;
        }
        let Ok(trace) = b.finish_exit() else { return false };
        let (root, head) = (x.root, x.head);
        let Some(entry) = crate::manager::install_detour(s, trace, root, head) else { return false };
        s.traces[t as usize].trial.detour = entry;
    }
    let x = &mut s.traces[t as usize];
    *x.entry_cell = x.trial.detour;
    true
}
fn end_detour(s: &mut State, t: u32) {
    let x = &mut s.traces[t as usize];
    if !x.retired && !x.trial.lost {
        *x.entry_cell = x.entry;
    }
}
