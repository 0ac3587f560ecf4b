//! The tracing JIT on top of the pure crates: what is hot, recording, compiled traces, leaving them. See docs/jit.md.
//!
//! ```text
//!   interp ──hot_loop──▶ manager ──starts──▶ recorder (one handler per bytecode) ──Builder──▶ trace ──x64──▶ code
//!     ▲                                                                                                     │
//!     └───────────────────────── exit: frame rebuilt from the snapshot ◀────────── enter ◀──────────────────┘
//! ```
//!
//! A loop is recorded while the interpreter runs it. What has no recording yet aborts the attempt; the location is then penalised.

pub mod builtins;
pub mod descs;
pub mod force;
pub mod functions;
pub mod generic;
pub mod helpers;
pub mod inline;
pub mod manager;
pub mod record;
pub mod record_call;
pub mod record_data;
mod record_exc;
mod record_gen;
mod record_iter;
mod record_methods;
pub mod record_num;
pub mod record_obj;
mod record_slots;
mod record_star;
mod record_text;
pub mod trial;
mod visits;

/// How the JIT takes part (`-X jit=`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Off,
    On,
    /// Compile at once and leave traces at random.
    Stress,
}

/// Installs the hooks. Called once at start-up, with the GIL held.
pub fn install(mode: Mode) {
    if mode != Mode::Off && cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        manager::install(mode)
    }
}

/// The end of the program: traces are not entered any more and let go of the objects in their code, so that what the
/// modules take down is really gone. Called with the GIL held.
pub fn uninstall() {
    manager::uninstall()
}
