//! x86-64 back end: one trace in, position-independent machine code and exit tables out.
//!
//! Register allocation is one forward walk over straight-line code with next-use positions found beforehand
//! ([`alloc`]); lowering is one small function per family of ops ([`lower`]), encoding is in [`asm`].
//!
//! Pinned: `rbx` = jf, `r15` = ts. Scratch: `r11`, `xmm15`. All traces share the native frame that
//! [`asm::trampoline`] makes, so linking traces is a plain jump.
//!
//! Leaving: a guard jumps to its stub behind the code; the stub stores live registers to the dump area in jf, then
//! the exit word, then jumps through `exit_cells[n]`. Every value a snapshot names has a place that is a byte offset
//! in jf (dump area or spill slot), so restoring and bridges read nothing but jf.

pub mod alloc;
// dynasm's expansion converts register numbers that already have the right type.
#[allow(clippy::useless_conversion)]
pub mod asm;
mod call;
mod lower;
mod mem;

use lh_jit_ir::*;

/// Where code goes. The arena of the VM and the tests' `mmap` both implement it.
pub trait CodeSink {
    /// Makes `size` bytes executable with what `fill` answers for their final address.
    fn install(&mut self, size: usize, fill: &mut dyn FnMut(u64) -> Vec<u8>) -> Option<*const u8>;
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Upper half of the exit and call words.
    pub trace_id: u32,
    /// Address of `[*const u8; number of guards]`: where each exit goes.
    pub exit_cells: u64,
    /// Choose registers at random (tests).
    pub random: Option<u64>,
    /// Iterations of the loop are counted down in a word; at zero bits are set in another.
    pub countdown: Option<Countdown>,
}

#[derive(Clone, Copy, Debug)]
pub struct Countdown {
    /// Address of an `i64`.
    pub word: u64,
    /// Address of an atomic `u32`, and what is set there.
    pub flags: u64,
    pub bits: u8,
}

/// A place where the trace can be left or looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    pub inst: usize,
    pub snap: u32,
    /// Instruction values the snapshot reads and their byte offsets in jf.
    pub places: Vec<(Val, u32)>,
    /// A `guard_quiet`: the exit to take instead if the call has been forced by the time it is left.
    pub forced: Option<u32>,
}

impl Site {
    pub fn place(&self, v: Val) -> u32 {
        self.find(v).expect("a snapshot value has a place")
    }
    /// As [`Site::place`] for values that the exit may not have kept.
    pub fn find(&self, v: Val) -> Option<u32> {
        self.places.iter().find(|p| p.0 == v).map(|p| p.1)
    }
}

#[derive(Clone, Debug)]
pub struct Compiled {
    pub code: Vec<u8>,
    /// By exit number.
    pub exits: Vec<Site>,
    /// Calls that may force; the call word's lower half is the index.
    pub calls: Vec<Site>,
    /// Bytes of jf used.
    pub jf_size: u32,
    /// The loop label, for bridges that go back to it.
    pub label: Option<LabelCode>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    TooManySpills,
    /// More outgoing stack arguments than the shared frame has room for.
    StackArguments,
    Encoding,
}

/// Compiles a verified trace.
pub fn compile(t: &Trace, d: &Descs, o: &Options) -> Result<Compiled, Error> {
    lower::Lower::new(t, d, *o).run()
}

#[cfg(test)]
mod tests;
