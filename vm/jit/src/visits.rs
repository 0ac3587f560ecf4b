//! Visits: is entering a trace worth its while?
//!
//! Getting from the interpreter into a trace and back costs about as much as interpreting some fifty instructions, more in a program with
//! so many loops that neither trace nor exit are in the caches. A loop that mostly goes round once or twice doesn't earn that. So
//! some of the entries are timed: how long was the trace run, how long did it take to put the frame in order behind it? Where the second is much
//! more, the root *rests*: its back edges are ordinary ones again, that is, it is entered only when they have become hot anew, once in some hundred
//! iterations. A loop that is a long one this time is so entered soon, whatever it was before; if such entries stay long, the root is
//! woken. Traces that go on at its head do so all the while.
//!
//! A trial (`trial.rs`) compares the two ways with one another, but takes long and is about one loop at a time; what it found out holds.

use crate::Mode;
use crate::manager::{State, exit_limit, state, unpatch};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// One entry of so many is timed, twice as many each time that entering has turned out to be worth its while, and so many of these decide.
const EVERY: u32 = 8;
const MAX_CALM: u32 = 5;
/// The first entries are not timed: what they meet is cold.
const COLD: u32 = 32;
const SAMPLES: u32 = 16;
/// While a root rests all its entries are timed; so many decide.
const RESTING_SAMPLES: u32 = 8;
/// Putting a frame in order takes no longer; what does has run a destructor, was interrupted, or was the first of its kind.
const MOST: Duration = Duration::from_nanos(200);
/// How often a root may be woken.
const MAX_RESTS: u32 = 5;

/// What is known of the entries of one root.
#[derive(Default)]
pub struct Visits {
    /// Entries since the last bridge, or since it was last decided.
    entries: u32,
    samples: u32,
    /// Time in the trace, and time to get out of it.
    inside: Duration,
    around: Duration,
    pub resting: bool,
    /// It rests although exits might have got bridges, had there been time to compile them.
    early: bool,
    rests: u32,
    calm: u32,
}

impl Visits {
    /// An entry; is it to be timed?
    #[inline]
    pub fn count(&mut self) -> bool {
        self.entries = self.entries.wrapping_add(1);
        self.resting || self.entries & ((EVERY << self.calm) - 1) == 0 && self.entries > COLD
    }
    /// What was measured says nothing about entries to come.
    pub fn forget(&mut self) {
        (self.entries, self.samples) = (0, 0);
        (self.inside, self.around) = (Duration::ZERO, Duration::ZERO);
    }
}

/// The back edge of a resting root is hot: does it rest on?
pub fn rests(s: &mut State, t: u32) -> bool {
    let over = s.over_budget();
    let v = &mut s.traces[t as usize].visits;
    if v.resting && v.early && !over && v.rests < MAX_RESTS {
        wake(s, t);
        return false;
    }
    v.resting
}

fn wake(s: &mut State, t: u32) {
    let v = &mut s.traces[t as usize].visits;
    v.resting = false;
    v.forget();
    s.event(|| format!("trace {t} is entered at every back edge again"));
}

/// What reading the clock takes.
fn clock() -> Duration {
    static TAKES: OnceLock<Duration> = OnceLock::new();
    *TAKES.get_or_init(|| (0..20).map(|_| Instant::now().elapsed()).min().unwrap_or_default())
}

/// A timed entry: `recordings` is how many had begun before it.
pub fn timed(t: u32, inside: Duration, around: Duration, recordings: u32) {
    let s = state();
    let (inside, around) = (inside.saturating_sub(clock()), around.saturating_sub(clock()));
    if s.mode == Mode::Stress || s.recordings != recordings || s.recorder.is_some() {
        return;
    }
    let over = s.over_budget();
    let in_window = s.window.as_ref().is_some_and(|w| w.root == t);
    let x = &mut s.traces[t as usize];
    let v = &mut x.visits;
    if x.retired || in_window {
        return v.forget();
    }
    v.samples += 1;
    v.inside += inside;
    v.around += around.min(MOST);
    if v.resting {
        if v.samples < RESTING_SAMPLES {
            return;
        }
        let long = v.inside > v.around * 4;
        v.forget();
        if long && v.rests < MAX_RESTS {
            wake(s, t);
        }
        return;
    }
    // Exits that are about to get bridges must have had the time to get hot.
    let settled = v.entries >= (4 * exit_limit(x.bridges)) << (2 * v.rests);
    if v.samples < SAMPLES || !settled {
        return;
    }
    // Interpreted it takes some four times as long as in a trace, and getting in costs about half of what getting out does.
    let short = v.inside * 2 < v.around;
    let (a, b) = (v.inside / v.samples, v.around / v.samples);
    v.forget();
    if short && !x.trial.has_won() {
        v.resting = true;
        v.calm = 0;
        v.early = over;
        v.rests += 1;
        unpatch(s, t);
        s.event(|| format!("trace {t} rests: {a:?} in it, {b:?} behind it"));
    } else {
        v.calm = (v.calm + 1).min(MAX_CALM);
    }
}
