//! The loops of built-in functions over what Python code makes, as Python code (see the runtime's `consume`).
//!
//! ```text
//!   sum ──Request──▶ hidden frame: for x in it: a = a + x ──▶ generator's frame
//! ```
//!
//! Their frames are hidden: none of their instructions is traceable, so that frames, tracebacks, tracing and profiling pass them over as
//! they do a frame that has not begun; nor do they count as levels of recursion. Each maker of items has a function of its own,
//! for a trace follows one maker.

use crate::builtins::{Compile, Mode, Source};
use crate::jit;
use crate::prelude::*;
use lh_runtime::consume::{Loop, Request, Sink, maker_with};
use lh_runtime::iterobject::{Filter, Map};
use std::cell::UnsafeCell;
use std::collections::HashMap;

/// Makers beyond this number share their functions.
const MOST: usize = 500;
/// Levels of recursion and native stack that must be left.
const LEVELS: i32 = 4;
const NATIVE_ROOM: usize = 1 << 20;

/// How the items come.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Head {
    Plain,
    /// `g` of each.
    Mapped,
    /// Those for which `g` is true.
    Filtered,
    /// Those that are true.
    True,
}

struct Table(UnsafeCell<Option<Functions>>);
struct Functions {
    made: HashMap<(Loop, Head, usize), Owned<Function>>,
    globals: Owned<Dict>,
    /// What hands items to a [`Sink`].
    push: Owned<Object>,
}
// SAFETY: only touched while the GIL is held.
unsafe impl Sync for Table {}
static TABLE: Table = Table(UnsafeCell::new(None));

fn source(what: Loop, head: Head) -> String {
    // An item goes before the next one is asked for, as it does natively.
    let head = match head {
        Head::Plain => " for x in it:\n",
        // A StopIteration of the function is the map's own.
        Head::Mapped => " for y in it:\n  try: x = g(y)\n  except StopIteration: break\n  y = None\n",
        Head::Filtered => {
            " for x in it:\n  try:\n   if not g(x):\n    x = None\n    continue\n  except StopIteration: break\n"
        }
        Head::True => " for x in it:\n  if not x:\n   x = None\n   continue\n",
    };
    let (body, result) = match what {
        Loop::Sum => ("  a = a + x\n", "a"),
        Loop::Any => ("  if x: return True\n", "False"),
        Loop::All => ("  if not x: return False\n", "True"),
        Loop::Append => ("  a.append(x)\n", "None"),
        Loop::Keys => ("  a.append(f(x))\n", "None"),
        Loop::Least => ("  if x < a: a = x\n", "a"),
        Loop::Greatest => ("  if x > a: a = x\n", "a"),
        Loop::LeastBy => ("  k = f(x)\n  if k < b:\n   a = x\n   b = k\n  k = None\n", "a"),
        Loop::GreatestBy => ("  k = f(x)\n  if k > b:\n   a = x\n   b = k\n  k = None\n", "a"),
        Loop::Fold => ("  a = f(a, x)\n", "a"),
        Loop::Each => ("  f(a, x)\n", "None"),
    };
    format!("def consume(it, g, f, a, b):\n{head}{body}  x = None\n return {result}\n")
}

/// The function of a loop; its code is nobody else's.
fn make(what: Loop, head: Head, globals: &Dict) -> PyResult<Owned<Function>> {
    let module = crate::compile::compile(Compile {
        source: Source::Text(source(what, head).as_bytes()),
        filename: &Str::new("<consumer>"),
        mode: Mode::Exec,
        flags: 0,
        optimize: 0,
        feature_version: -1,
        from_file: false,
    })?;
    let module = module.downcast::<Code>().expect("code");
    let code = module.consts().iter().find_map(|c| c.downcast::<Code>()).expect("a function").own();
    // SAFETY: code that nothing has run yet. What is looped over is an iterator already, and need not have `__iter__`.
    unsafe {
        for i in 0..code.len_units() {
            let p = code.units().add(i);
            if *p as u8 == op::GET_ITER {
                *p = op::NOP as u16;
            }
        }
        (*code.as_struct())._co_firsttraceable = i32::MAX;
        let f = Function::new(&code, globals, None)?;
        lh_runtime::gc::untrack(f.ptr());
        Ok(f)
    }
}

/// Hands an item to the closure whose address is the first argument. Only the loops made here know of it.
#[pyfunction(raw)]
fn push(args: Args<'_>) -> PyResult<()> {
    let at = args.get(0).and_then(|a| a.downcast_exact::<Int>()).and_then(|a| a.to_i64()).unwrap_or(0);
    let x = args.get(1).expect("an item").own();
    // SAFETY: the address of the sink of a request that is running.
    unsafe { ((*(at as *mut Sink<'_>)).f)(x) }
}

fn functions() -> PyResult<&'static mut Functions> {
    // SAFETY: only touched while the GIL is held, and never dropped.
    unsafe {
        let t = &mut *TABLE.0.get();
        if t.is_none() {
            let globals = Dict::new();
            lh_runtime::gc::untrack(globals.ptr());
            globals.set_item(&Str::new("__builtins__"), &crate::current_builtins())?;
            let def = Box::leak(Box::new(push::def()));
            let push = CFunction::new(def, None, None).into_object();
            lh_runtime::gc::untrack(push.ptr());
            *t = Some(Functions { made: HashMap::new(), globals, push });
        }
        Ok(t.as_mut().expect("made"))
    }
}

fn function(what: Loop, head: Head, key: usize) -> PyResult<Owned<Function>> {
    let t = functions()?;
    let key = if t.made.len() >= MOST { 0 } else { key };
    if let Some(f) = t.made.get(&(what, head, key)) {
        return Ok(f.own());
    }
    let f = make(what, head, &t.globals)?;
    functions()?.made.insert((what, head, key), f.own());
    Ok(f)
}

/// `lh_runtime::consume::RUN`.
pub fn run(q: Request<'_>) -> Option<PyResult> {
    let ts = Thread::current_ptr();
    // SAFETY: the current thread.
    let usual = unsafe {
        (*ts).c_tracefunc.is_none()
            && (*ts).c_profilefunc.is_none()
            && (*ts).recursion_remaining > LEVELS
            && lh_runtime::thread::native_stack_left() > NATIVE_ROOM
    };
    // Whoever evaluates frames is not to see these.
    if !usual
        || crate::framehook::installed().is_some()
        || !jit::is_enabled()
        || !lh_runtime::interpreter::is_main()
    {
        return None;
    }
    let (head, it, g) = if let Some((g, it)) = q.it.downcast_exact::<Map>().and_then(|m| m.parts()) {
        (Head::Mapped, it, g)
    } else if let Some(m) = q.it.downcast_exact::<Filter>() {
        let (g, it) = m.parts();
        let truth = g.is_none() || g.as_ptr() == Bool::type_ptr().cast();
        (if truth { Head::True } else { Head::Filtered }, it, g)
    } else {
        (Head::Plain, q.it, none_ref())
    };
    let f = match function(q.what, head, maker_with(q.it, q.f)) {
        Ok(f) => f,
        Err(e) => return Some(Err(e)),
    };
    let none = none_ref();
    let called = if q.what == Loop::Each {
        match functions() {
            Ok(t) => &*t.push,
            Err(e) => return Some(Err(e)),
        }
    } else {
        q.f.unwrap_or(none)
    };
    // SAFETY: the current thread; the level that the hidden frame counts.
    unsafe { (*ts).recursion_remaining += 1 };
    let r = f.call(&[it, g, called, q.a.unwrap_or(none), q.b.unwrap_or(none)]);
    // SAFETY: as above.
    unsafe { (*ts).recursion_remaining -= 1 };
    Some(r)
}
