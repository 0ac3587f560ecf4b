//! The fast tier of the evaluation loop: the frequent instructions, one small function each, chained by tail calls.
//!
//! ```text
//!   eval::run ──▶ fast::run ──▶ handler ─jmp▶ handler ─jmp▶ … ─jmp▶ leave ──▶ back in eval::run
//!       ▲                                                     │ SLOW:  execute the instruction at `pc` there, come back
//!       └─────────────────────────────────────────────────────┘ RAISE: the instruction at `pc` raised
//!                                                               DONE:  the entry frame is done
//! ```
//!
//! A handler gets the interpreter's registers as its arguments, so that the machine's calling convention keeps them in registers, and
//! ends by calling the next instruction's handler. In an optimised build that call is a jump (the signatures are equal, nothing is left to
//! do and no local's address has got out). Where the compiler doesn't promise that (debug builds), handlers return to `run` instead.
//!
//! Contract of all handlers: `pc` is the instruction, `sp` the first free stack entry, `f` the running frame, `k` its constants,
//! `arg` the instruction's argument; stack entries own their objects; the frame's `stacktop` is -1. What a handler doesn't want to
//! do (a missed cache, an error to report, a counter that is full) it leaves to `eval::run` *before* it has changed anything.
//! `prev_instr` is stored only where somebody may look: before anything that can run Python code or raise.
//!
//! The next handler is found in the context's `table`. While the thread is traced or profiled that is another one (`traced.rs`), so that
//! events are made where they are due; a handler that called out looks whether that has changed before it goes on. Nothing here runs while
//! the JIT records: its recorder sees every instruction in its base form, one at a time, in `eval::run`.

use crate::frame::{self, Frame};
use crate::prelude::*;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;

mod access;
mod arith;
mod blocks;
mod build;
mod calls;
mod flow;
mod gens;
mod ints;
mod native;
mod operands;
mod patterns;
mod slots;
mod traced;
mod traces;
mod vars;

pub(crate) use slots::converts;

pub(crate) type Pc = *mut u16;
pub(crate) type Sp = *mut *mut PyObject;

/// What handlers reach through one pointer, and where they leave the registers for `eval::run`.
pub struct Context {
    pub ts: *mut PyThreadState,
    pub cframe: *mut _PyCFrame,
    /// Names of keyword arguments between KW_NAMES and CALL.
    pub kwnames: *mut PyObject,
    pub frame: *mut Frame,
    pub pc: Pc,
    pub sp: Sp,
    /// Where the next instruction's handler is found.
    pub table: &'static Table,
    /// Where it is found once the instruction's events are made.
    pub after: &'static Table,
    /// The `use_tracing` for which these tables are.
    pub mode: u8,
    /// While tracing: the instruction whose events were made last.
    pub seen: Pc,
}
impl Context {
    /// A context without registers yet.
    pub fn new(ts: *mut PyThreadState, cframe: *mut _PyCFrame, frame: *mut Frame) -> Context {
        Context {
            ts,
            cframe,
            kwnames: null_mut(),
            frame,
            pc: null_mut(),
            sp: null_mut(),
            table: &TABLE,
            after: &TABLE,
            mode: 0,
            seen: null_mut(),
        }
    }
    /// Takes the tables for `use_tracing`, which is not `RECORDING`.
    pub fn set_mode(&mut self, use_tracing: u8) {
        (self.table, self.after) = traced::tables(use_tracing);
        self.mode = use_tracing;
        self.seen = null_mut();
    }
}

pub(crate) type Table = [Handler; 256];
pub(crate) type Handler = unsafe extern "C" fn(Pc, Sp, *mut Frame, *mut Context, Sp, usize) -> usize;

/// `eval::run` executes the instruction at `pc`.
pub const SLOW: usize = 0;
/// The instruction at `pc` raised.
pub const RAISE: usize = 1;
/// The frame that `eval::run` was called for has returned (and is popped) or yielded; the context's `sp` is the value.
pub const DONE: usize = 3;
/// The context's frame, whose `stacktop` is set, is left with the pending exception, whatever handlers it has.
pub const LEFT: usize = 4;
/// The context's frame, which a trace was left in, returns the context's `sp`; its `stacktop` is set.
pub const VALUE: usize = 6;
/// Go on here (only where tail calls aren't promised).
const NEXT: usize = 2;

/// Goes to the instruction at `$pc`.
macro_rules! next {
    ($pc:expr, $sp:expr, $f:expr, $cx:expr, $k:expr) => {{
        let pc: $crate::fast::Pc = $pc;
        #[cfg(not(debug_assertions))]
        {
            let w = *pc as usize;
            return (*$cx).table[w & 0xff](pc, $sp, $f, $cx, $k, w >> 8);
        }
        #[cfg(debug_assertions)]
        {
            return $crate::fast::step(pc, $sp, $f, $cx, $k, 0);
        }
    }};
}
/// As `next`, where Python code may have run: looks whether the thread is traced or recorded now (or no longer).
macro_rules! next_checked {
    ($pc:expr, $sp:expr, $f:expr, $cx:expr, $k:expr) => {{
        if (*(*$cx).cframe).use_tracing != (*$cx).mode {
            return $crate::fast::traced::switch($pc, $sp, $f, $cx, $k, 0);
        }
        next!($pc, $sp, $f, $cx, $k)
    }};
}
/// Gives back one count of `$o`, then goes on at `$pc`.
macro_rules! drop_next {
    ($o:expr, $pc:expr, $sp:expr, $f:expr, $cx:expr, $k:expr) => {{
        let o: *mut PyObject = $o;
        let n = (*o).ob_refcnt - 1;
        (*o).ob_refcnt = n;
        if n == 0 {
            return $crate::fast::dealloc_next($pc, $sp, $f, $cx, $k, o as usize);
        }
        next!($pc, $sp, $f, $cx, $k)
    }};
}
/// A handler: its registers by name, and what it does.
macro_rules! handler {
    ($(#[$meta:meta])* fn $name:ident($pc:ident, $sp:ident, $f:ident, $cx:ident, $k:ident, $arg:ident) { $($body:tt)* }) => {
        $(#[$meta])*
        pub(super) unsafe extern "C" fn $name($pc: Pc, $sp: Sp, $f: *mut Frame, $cx: *mut Context, $k: Sp, $arg: usize) -> usize {
            // SAFETY: the handlers' contract.
            unsafe { $($body)* }
        }
    };
}
/// A handler that pushes what `$e` makes, or raises.
macro_rules! push_new {
    ($name:ident, |$f:ident, $sp:ident, $arg:ident| $e:expr) => {
        $crate::fast::handler! {
            fn $name(pc, $sp, $f, cx, k, $arg) {
                (*$f).prev_instr = pc;
                let v = raw($e);
                if v.is_null() {
                    return raise(pc, $sp, $f, cx, k, $arg);
                }
                *$sp = v;
                next_checked!(pc.add(1), $sp.add(1), $f, cx, k)
            }
        }
    };
}
pub(crate) use {drop_next, handler, next, next_checked, push_new};

/// Leaves the instruction at `pc`, whose argument is `arg`, to `eval::run`.
pub(crate) unsafe extern "C" fn leave(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    _k: Sp,
    arg: usize,
) -> usize {
    // SAFETY: the handlers' contract; an argument of more than a byte comes from EXTENDED_ARGs in front.
    unsafe {
        (*cx).pc = match arg {
            0..=0xff => pc,
            0x100..=0xffff => pc.sub(1),
            0x1_0000..=0xff_ffff => pc.sub(2),
            _ => pc.sub(3),
        };
        (*cx).sp = sp;
        (*cx).frame = f;
        SLOW
    }
}
/// The instruction at `pc` raised.
#[cold]
#[inline(never)]
pub(crate) unsafe extern "C" fn raise(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    _k: Sp,
    _arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        (*cx).pc = pc;
        (*cx).sp = sp;
        (*cx).frame = f;
        RAISE
    }
}
/// Goes on at `pc` by way of `run`.
#[cfg_attr(not(debug_assertions), allow(dead_code))]
pub(crate) unsafe extern "C" fn step(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    _k: Sp,
    _arg: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        (*cx).pc = pc;
        (*cx).sp = sp;
        (*cx).frame = f;
        NEXT
    }
}
/// Frees the object `o`, whose count has reached zero, then goes on at `pc` (the instruction before is the one that let go of it).
#[inline(never)]
pub(crate) unsafe extern "C" fn dealloc_next(
    pc: Pc,
    sp: Sp,
    f: *mut Frame,
    cx: *mut Context,
    k: Sp,
    o: usize,
) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        (*f).prev_instr = pc.sub(1);
        lh_runtime::object::dealloc(o as *mut PyObject);
        next_checked!(pc, sp, f, cx, k)
    }
}

/// Runs instructions from `pc` on until one is to be executed by `eval::run` (`SLOW`) or has raised (`RAISE`).
#[inline(always)]
pub unsafe fn run(cx: *mut Context, pc: Pc, sp: Sp, f: *mut Frame) -> usize {
    // SAFETY: the handlers' contract.
    unsafe {
        let w = *pc as usize;
        let mut why = (*cx).table[w & 0xff](pc, sp, f, cx, consts(f), w >> 8);
        while why == NEXT {
            let (pc, f) = ((*cx).pc, (*cx).frame);
            let w = *pc as usize;
            why = (*cx).table[w & 0xff](pc, (*cx).sp, f, cx, consts(f), w >> 8);
        }
        why
    }
}

/// The constants of a frame's code.
#[inline(always)]
pub(crate) unsafe fn consts(f: *mut Frame) -> Sp {
    // SAFETY: a frame owns its code, that its constants.
    unsafe { (&raw mut (*(*(*f).code).co_consts.cast::<PyTupleObject>()).ob_item).cast() }
}
/// Name `i` of a frame's code.
#[inline(always)]
pub(crate) unsafe fn name(f: *mut Frame, i: usize) -> *mut PyObject {
    // SAFETY: the code has the name.
    unsafe {
        *(&raw const (*(*(*f).code).co_names.cast::<PyTupleObject>()).ob_item).cast::<*mut PyObject>().add(i)
    }
}
#[inline(always)]
pub(crate) unsafe fn exact<T: Kind>(o: *mut PyObject) -> bool {
    // SAFETY: a live object.
    unsafe { (*o).ob_type == T::type_ptr() }
}
/// Is there work for the evaluation loop?
#[inline(always)]
pub(crate) fn breaker() -> bool {
    lh_runtime::thread::EVAL_BREAKER.load(Ordering::Relaxed) != 0
}
#[inline(always)]
pub(crate) fn py_bool(v: bool) -> *mut PyObject {
    let p: *mut PyObject = if v {
        (&raw mut lh_runtime::singletons::_Py_TrueStruct).cast()
    } else {
        (&raw mut lh_runtime::singletons::_Py_FalseStruct).cast()
    };
    p
}
#[inline(always)]
pub(crate) fn is_true_object(v: *mut PyObject) -> bool {
    v == (&raw mut lh_runtime::singletons::_Py_TrueStruct).cast()
}
#[inline(always)]
pub(crate) fn is_false_object(v: *mut PyObject) -> bool {
    v == (&raw mut lh_runtime::singletons::_Py_FalseStruct).cast()
}
#[inline(always)]
pub(crate) fn is_none_object(v: *mut PyObject) -> bool {
    v == (&raw mut lh_runtime::singletons::_Py_NoneStruct).cast()
}
/// An adaptive instruction in its base form: counts; true when `eval::run` should specialise it.
#[inline(always)]
pub(crate) unsafe fn warm(pc: Pc) -> bool {
    // SAFETY: the first cache unit is the counter.
    unsafe {
        let c = *pc.add(1) as i16;
        if c >= crate::specialize::WARM {
            return true;
        }
        *pc.add(1) = (c + 1) as u16;
        false
    }
}
pub(crate) static TABLE: Table = {
    let mut t: [Handler; 256] = [leave; 256];
    macro_rules! table {
        ($($op:expr => $h:expr;)*) => {$( t[$op as usize] = $h; )*};
    }
    table! {
        op::NOP => vars::nop;
        op::EXTENDED_ARG => vars::extended_arg;
        op::LOAD_FAST => vars::load_fast;
        quick::LOAD_FAST__LOAD_FAST => vars::load_fast_twice;
        op::LOAD_CLOSURE => vars::load_fast;
        op::LOAD_CONST => vars::load_const;
        op::STORE_FAST => vars::store_fast;
        op::POP_TOP => vars::pop_top;
        op::PUSH_NULL => vars::push_null;
        op::COPY => vars::copy;
        op::SWAP => vars::swap;
        op::LOAD_DEREF => vars::load_deref;
        op::STORE_DEREF => vars::store_deref;
        op::COPY_FREE_VARS => vars::copy_free_vars;
        op::MAKE_CELL => vars::make_cell;
        op::DELETE_FAST => vars::delete_fast;
        op::LOAD_NAME => vars::load_name;
        op::STORE_NAME => vars::store_name;
        op::STORE_GLOBAL => vars::store_global;
        op::IMPORT_NAME => vars::import_name;
        op::IMPORT_FROM => vars::import_from;
        quick::LOAD_GLOBAL_MODULE => vars::load_global_module;
        quick::LOAD_GLOBAL_BUILTIN => vars::load_global_builtin;
        op::KW_NAMES => vars::kw_names;

        op::UNARY_NOT => arith::unary_not;
        op::UNARY_NEGATIVE => arith::unary_negative;
        op::UNARY_INVERT => arith::unary_invert;
        op::BINARY_OP => arith::binary_op;
        quick::BINARY_OP_ADD_INT => arith::add_int;
        quick::BINARY_OP_SUB_INT => arith::sub_int;
        quick::BINARY_OP_MUL_INT => arith::mul_int;
        quick::BINARY_OP_INT => arith::other_int;
        quick::BINARY_OP_FLOAT => arith::mixed_float;
        quick::BINARY_OP_ADD_FLOAT => arith::add_float;
        quick::BINARY_OP_SUB_FLOAT => arith::sub_float;
        quick::BINARY_OP_MUL_FLOAT => arith::mul_float;
        quick::BINARY_OP_DIV_FLOAT => arith::div_float;
        quick::BINARY_OP_ADD_STR => arith::add_str;
        op::COMPARE_OP => arith::compare_op;
        quick::COMPARE_INT => arith::compare_int;
        quick::COMPARE_FLOAT => arith::compare_float;
        quick::COMPARE_STR => arith::compare_str;
        quick::COMPARE_INT_JUMP => arith::compare_int_jump;
        quick::COMPARE_FLOAT_JUMP => arith::compare_float_jump;
        quick::COMPARE_STR_JUMP => arith::compare_str_jump;
        op::IS_OP => arith::is_op;
        op::CONTAINS_OP => arith::contains_op;

        op::BINARY_SUBSCR => access::binary_subscr;
        quick::BINARY_SUBSCR_LIST => access::subscr_list;
        quick::BINARY_SUBSCR_TUPLE => access::subscr_tuple;
        quick::BINARY_SUBSCR_DICT => access::subscr_dict;
        quick::BINARY_SUBSCR_PY => calls::subscr_py;
        op::STORE_SUBSCR => access::store_subscr;
        quick::STORE_SUBSCR_LIST => access::store_subscr_list;
        quick::STORE_SUBSCR_DICT => access::store_subscr_dict;
        op::DELETE_SUBSCR => access::delete_subscr;
        op::LOAD_ATTR => access::load_attr;
        quick::LOAD_ATTR_VALUE => access::load_attr_value;
        quick::LOAD_ATTR_SLOT => access::load_attr_slot;
        quick::LOAD_ATTR_MEMBER => native::load_member;
        quick::LOAD_ATTR_GETSET => native::load_getset;
        quick::LOAD_ATTR_MODULE => access::load_attr_module;
        op::STORE_ATTR => access::store_attr;
        quick::STORE_ATTR_VALUE => access::store_attr_value;
        quick::STORE_ATTR_SLOT => access::store_attr_slot;
        quick::STORE_ATTR_MEMBER => native::store_member;
        quick::STORE_ATTR_GETSET => native::store_getset;
        op::LOAD_METHOD => access::load_method;
        quick::LOAD_METHOD_PLAIN => access::load_method_plain;
        quick::LOAD_METHOD_VALUES => access::load_method_values;
        quick::LOAD_METHOD_DICT => access::load_method_dict;
        quick::LOAD_METHOD_CLASS => access::load_method_class;
        quick::LOAD_METHOD_MODULE => access::load_method_module;
        quick::LOAD_METHOD_BOUND => access::load_method_bound;
        quick::LOAD_METHOD_CLASS_BOUND => access::load_method_class_bound;

        op::JUMP_FORWARD => flow::jump_forward;
        op::JUMP_BACKWARD => flow::jump_backward;
        op::JUMP_BACKWARD_NO_INTERRUPT => flow::jump_backward_no_interrupt;
        op::POP_JUMP_FORWARD_IF_FALSE => flow::pop_jump_if_false;
        op::POP_JUMP_FORWARD_IF_TRUE => flow::pop_jump_if_true;
        quick::JIT_LOOP => traces::back;
        quick::JIT_RESUME => traces::entry;
        quick::JIT_WHILE_TRUE => traces::while_true;
        quick::JIT_WHILE_FALSE => traces::while_false;
        op::POP_JUMP_BACKWARD_IF_FALSE => flow::pop_jump_back_if_false;
        op::POP_JUMP_BACKWARD_IF_TRUE => flow::pop_jump_back_if_true;
        op::POP_JUMP_BACKWARD_IF_NONE => flow::pop_jump_back_if_none;
        op::POP_JUMP_BACKWARD_IF_NOT_NONE => flow::pop_jump_back_if_not_none;
        op::POP_JUMP_FORWARD_IF_NONE => flow::pop_jump_if_none;
        op::POP_JUMP_FORWARD_IF_NOT_NONE => flow::pop_jump_if_not_none;
        op::JUMP_IF_FALSE_OR_POP => flow::jump_if_false_or_pop;
        op::JUMP_IF_TRUE_OR_POP => flow::jump_if_true_or_pop;
        op::GET_ITER => flow::get_iter;
        op::FOR_ITER => flow::for_iter;
        op::RESUME => flow::resume;

        op::PRECALL => calls::precall;
        op::CALL => calls::call;
        quick::PRECALL_PY => calls::precall_py;
        quick::PRECALL_PY_BOUND => calls::precall_py_bound;
        quick::PRECALL_BUILTIN_O => native::builtin_o;
        quick::PRECALL_BUILTIN_FAST => native::builtin_fast;
        quick::PRECALL_METHOD_O => native::method_o;
        quick::PRECALL_METHOD_NOARGS => native::method_noargs;
        quick::PRECALL_METHOD_FAST => native::method_fast;
        quick::PRECALL_TYPE_1 => slots::type_of;
        quick::PRECALL_LEN => slots::len;
        quick::PRECALL_HASH => slots::hash;
        quick::PRECALL_ITER => slots::iter;
        quick::PRECALL_NEXT => slots::next;
        quick::PRECALL_ISINSTANCE => calls::isinstance;
        quick::PRECALL_LIST_APPEND => calls::list_append_call;
        quick::PRECALL_CLASS => native::class;
        quick::PRECALL_NATIVE => native::native;
        quick::PRECALL_PY_CLASS => calls::class_py;
        op::RETURN_VALUE => calls::return_value;

        op::CALL_FUNCTION_EX => calls::call_function_ex;
        op::MAKE_FUNCTION => calls::make_function;

        op::SEND => gens::send;
        op::YIELD_VALUE => gens::yield_value;
        op::RETURN_GENERATOR => gens::return_generator;
        op::GET_YIELD_FROM_ITER => gens::get_yield_from_iter;
        op::GET_AWAITABLE => gens::get_awaitable;
        op::GET_AITER => gens::get_aiter;
        op::GET_ANEXT => gens::get_anext;
        op::ASYNC_GEN_WRAP => gens::async_gen_wrap;

        op::GET_LEN => patterns::get_len;
        op::MATCH_KEYS => patterns::match_keys;
        op::MATCH_MAPPING => patterns::match_mapping;
        op::MATCH_SEQUENCE => patterns::match_sequence;
        op::MATCH_CLASS => patterns::match_class;

        op::PUSH_EXC_INFO => blocks::push_exc_info;
        op::POP_EXCEPT => blocks::pop_except;
        op::CHECK_EXC_MATCH => blocks::check_exc_match;
        op::BEFORE_WITH => blocks::before_with;
        op::WITH_EXCEPT_START => blocks::with_except_start;

        op::BUILD_TUPLE => build::build_tuple;
        op::BUILD_LIST => build::build_list;
        op::BUILD_MAP => build::build_map;
        op::BUILD_STRING => build::build_string;
        op::BUILD_SLICE => build::build_slice;
        op::FORMAT_VALUE => build::format_value;
        op::LIST_APPEND => build::list_append;
        op::MAP_ADD => build::map_add;
        op::SET_ADD => build::set_add;
        op::UNPACK_SEQUENCE => build::unpack_sequence;
        op::BUILD_SET => build::build_set;
        op::BUILD_CONST_KEY_MAP => build::build_const_key_map;
        op::LIST_EXTEND => build::list_extend;
        op::SET_UPDATE => build::set_update;
        op::DICT_UPDATE => build::dict_update;
        op::DICT_MERGE => build::dict_merge;
        op::LIST_TO_TUPLE => build::list_to_tuple;
    }
    t
};
