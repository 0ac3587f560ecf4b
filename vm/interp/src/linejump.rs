//! `frame.f_lineno = n` in a trace function: where the frame may go on, and what must leave its value stack for that.
//!
//! Each instruction gets the *shape* of the value stack before it runs: the kind of every entry, found by following the control
//! flow from the start of the code and from its exception handlers. A jump is allowed where the target's shape is what remains of the present
//! one after popping: so out of loops and handlers, never into them. Of several instructions that begin the line, the one that keeps
//! most of the stack is taken.

use crate::frame;
use crate::frameobject::FrameObj;
use crate::prelude::*;
use crate::trace;
use lh_bytecode::opcode as bc;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Iterator,
    Except,
    Value,
    Null,
    Lasti,
}
use Entry::{Except, Iterator, Lasti, Null, Value};

/// The stack's shape, bottom first.
type Shape = Rc<Vec<Entry>>;

impl Entry {
    fn serves_as(self, wanted: Entry) -> bool {
        match wanted {
            Value => self != Null,
            Null => true,
            _ => self == wanted,
        }
    }
}

fn fits(from: &[Entry], to: &[Entry]) -> bool {
    to.len() <= from.len() && from.iter().zip(to).all(|(f, t)| f.serves_as(*t))
}

fn popped(s: &Shape, n: usize) -> Shape {
    Rc::new(s[..s.len().saturating_sub(n)].to_vec())
}
fn pushed(s: &Shape, e: &[Entry]) -> Shape {
    let mut v = s.to_vec();
    v.extend_from_slice(e);
    Rc::new(v)
}

/// The shape before each code unit, `None` where control never gets.
fn shapes(code: &Code) -> Vec<Option<Shape>> {
    let n = code.len_units();
    let mut at: Vec<Option<Shape>> = vec![None; n + 1];
    const RESUMABLE: i32 = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    // A generator is sent None when it starts.
    let first = if code.flags() & RESUMABLE != 0 { vec![Value] } else { vec![] };
    at[0] = Some(Rc::new(first));
    let handlers: Vec<_> = lh_bytecode::exctable::decode(code.exceptiontable().as_bytes()).collect();
    let mut again = true;
    while again {
        again = false;
        let mut arg = 0usize;
        let mut i = 0;
        while i < n {
            let (op, low) = code.unit_at(i);
            arg = arg << 8 | low as usize;
            let after = i + 1 + bc::cache_entries(op);
            if op == op::EXTENDED_ARG {
                if at[i + 1].is_none() {
                    at[i + 1] = at[i].clone();
                }
                i += 1;
                continue;
            }
            if let Some(s) = at[i].clone() {
                let mut go = |target: usize, s: Shape| {
                    if target <= n && at[target].is_none() {
                        at[target] = Some(s);
                        again |= target < i;
                    }
                };
                flow(op, arg, after, &s, &mut go);
            }
            arg = 0;
            i = after;
        }
        for h in &handlers {
            let (start, target) = (h.start as usize, h.target as usize);
            if target >= n || start >= n || at[target].is_some() {
                continue;
            }
            let Some(s) = at[start].clone() else { continue };
            let kept = Rc::new(s[..(h.depth as usize).min(s.len())].to_vec());
            at[target] = Some(pushed(&kept, if h.lasti { &[Lasti, Except] } else { &[Except] }));
            again = true;
        }
    }
    at
}

/// Says where control goes from an instruction, and with what shape.
fn flow(op: u8, arg: usize, after: usize, s: &Shape, go: &mut dyn FnMut(usize, Shape)) {
    match op {
        op::RETURN_VALUE | op::RAISE_VARARGS | op::RERAISE => {}
        op::JUMP_FORWARD => go(after + arg, s.clone()),
        op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => go(after.wrapping_sub(arg), s.clone()),
        op::FOR_ITER => {
            go(after + arg, popped(s, 1));
            go(after, pushed(s, &[Value]));
        }
        _ if bc::is_jump(op) => {
            let target = if bc::is_backward_jump(op) { after.wrapping_sub(arg) } else { after + arg };
            let delta = |jump| bc::stack_effect(op, arg as u32, jump).unwrap_or(0);
            go(target, changed(s, delta(true)));
            go(after, changed(s, delta(false)));
        }
        op::GET_ITER | op::GET_AITER => go(after, pushed(&popped(s, 1), &[Iterator])),
        op::PUSH_EXC_INFO => go(after, pushed(s, &[Except])),
        op::POP_EXCEPT => go(after, popped(s, 1)),
        op::PUSH_NULL => go(after, pushed(s, &[Null])),
        op::LOAD_GLOBAL if arg & 1 != 0 => go(after, pushed(s, &[Null, Value])),
        op::LOAD_METHOD => go(after, pushed(&popped(s, 1), &[Null, Value])),
        op::PRECALL => go(after, s.clone()),
        op::CALL => go(after, pushed(&popped(s, arg + 2), &[Value])),
        op::COPY if arg <= s.len() => go(after, pushed(s, &[s[s.len() - arg]])),
        op::SWAP if arg <= s.len() && arg > 0 => {
            let mut v = s.to_vec();
            let top = v.len() - 1;
            v.swap(top, top + 1 - arg);
            go(after, Rc::new(v));
        }
        _ => go(after, changed(s, bc::stack_effect(op, arg as u32, false).unwrap_or(0))),
    }
}
fn changed(s: &Shape, delta: i32) -> Shape {
    match delta {
        0 => s.clone(),
        d if d < 0 => popped(s, -d as usize),
        d => pushed(s, &vec![Value; d as usize]),
    }
}

/// The line each code unit begins, -1 where none begins.
fn line_starts(code: &Code) -> Vec<i32> {
    let n = code.len_units();
    let lines = code.line_array();
    let mut out = vec![-1; n];
    let mut i = 0;
    let mut before = -1;
    while i < n {
        // SAFETY: the array has an entry for each unit.
        let line = unsafe { *lines.add(i) };
        if line != before {
            out[i] = line;
            before = line;
        }
        i += 1 + bc::cache_entries(code.unit_at(i).0);
    }
    out
}

fn why_not(to: &Option<Shape>) -> &'static str {
    match to.as_ref().map(|s| s.last().copied()) {
        None => "can't jump into an exception handler, or code may be unreachable",
        Some(Some(Except)) => "can't jump into an 'except' block as there's no exception",
        Some(Some(Lasti)) => "can't jump into a re-raising block as there's no location",
        Some(Some(Iterator)) => "can't jump into the body of a for loop",
        Some(_) => "incompatible stacks",
    }
}

/// `frame.f_lineno = v`.
pub fn jump_to_line(fo: &FrameObj, v: &Object) -> PyResult<()> {
    // SAFETY: a live frame; while its trace function runs its stack is all in memory.
    unsafe {
        let ts = Thread::current_ptr();
        match (*ts).tracing_what {
            _ if (*ts).tracing == 0 => {
                return raise!(ValueError, "f_lineno can only be set by a trace function");
            }
            trace::LINE if (*fo.as_struct()).f_trace.is_null() => {
                return raise!(ValueError, "f_lineno can only be set by a trace function");
            }
            trace::LINE => {}
            trace::CALL => {
                return raise!(ValueError, "can't jump from the 'call' trace event of a new frame");
            }
            _ => return raise!(ValueError, "can only jump from a 'line' trace event"),
        }
        let f = fo.frame();
        let code = frame::code_ref(f);
        let line = match v.downcast::<Int>().and_then(|i| i.to_i64()).map(i32::try_from) {
            Some(Ok(l)) => l,
            _ => return raise!(ValueError, "lineno out of range"),
        };
        if line < code.firstlineno() {
            return raise!(ValueError, "line {} comes before the current code block", line);
        }
        let starts = line_starts(code);
        let Some(line) = starts.iter().copied().filter(|l| *l >= line).min() else {
            return raise!(ValueError, "line {} comes after the current code block", line);
        };
        let shapes = shapes(code);
        let here = frame::last_unit(f).max(0) as usize;
        let Some(from) = shapes[here].clone() else {
            return raise!(ValueError, "can't jump from within an exception handler");
        };
        let mut best: Option<(usize, usize)> = None;
        let mut reason = None;
        for i in (0..starts.len()).filter(|i| starts[*i] == line) {
            match &shapes[i] {
                Some(to) if fits(&from, to) => {
                    if best.is_none_or(|(_, depth)| to.len() > depth) {
                        best = Some((i, to.len()));
                    }
                }
                to => reason = reason.or(Some(why_not(to))),
            }
        }
        let Some((target, depth)) = best else {
            let text = reason.unwrap_or("cannot find bytecode for specified line");
            return raise!(ValueError, "{}", text);
        };
        frame::locals_to_fast(f, false);
        for kind in from[depth..].iter().rev() {
            (*f).stacktop -= 1;
            let top = frame::localsplus(f).add((*f).stacktop as usize);
            let value = core::mem::replace(&mut *top, core::ptr::null_mut());
            if *kind == Except {
                // The exception handled outside becomes the one handled again.
                let info = (*ts).exc_info;
                xdecref(core::mem::replace(&mut (*info).exc_value, value));
            } else {
                xdecref(value);
            }
        }
        (*f).prev_instr = frame::first_instr((*f).code).add(target);
        (*fo.as_struct()).f_lineno = 0;
    }
    Ok(())
}
