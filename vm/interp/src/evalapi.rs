//! What the built-in functions need of the evaluation loop and the compiler: fills `builtins::EVAL_API`.
//!
//! Compiling: source text goes to `lh_compiler`, whose code units become code objects; its errors become `SyntaxError`s with
//! CPython's fields, its warnings are issued once the source is known to be good.

use crate::builtins::{Compile, EVAL_API, EvalApi, FrameLocals, Mode, Source};
use crate::prelude::*;
use crate::{bind, eval, frame};
use lh_compiler as lc;
use std::cell::RefCell;
use std::ptr::null_mut;

const FUTURE_MASK: i32 = 0x1fe_0000;
const DONT_IMPLY_DEDENT: i32 = 0x200;
const ONLY_AST: i32 = 0x400;
const IGNORE_COOKIE: i32 = 0x800;
const TOP_LEVEL_AWAIT: i32 = 0x2000;
const ALLOW_INCOMPLETE: i32 = 0x4000;

pub fn install() {
    let _ = EVAL_API.set(EvalApi {
        eval_code: crate::eval_code_closure,
        call_with_locals,
        current_locals: crate::current_locals,
        current_globals: crate::current_globals,
        current_builtins: || crate::current_builtins().into_object(),
        current_code_flags,
        frame_locals,
        compile,
    });
}

fn call_with_locals(function: &Function, namespace: &Object) -> PyResult {
    // SAFETY: the references to function and namespace go to the frame, which `run` takes over.
    unsafe {
        let ts = Thread::current_ptr();
        let l = namespace.own().into_raw();
        let f = bind::frame_for_call(ts, function.own().into_raw().cast(), l, null_mut(), 0, null_mut());
        if f.is_null() {
            return Err(Raised::already_set());
        }
        from_c(eval::run(ts, f, false))
    }
}

fn current_code_flags() -> i32 {
    // SAFETY: the current thread's frame.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() { 0 } else { (*(*f).code).co_flags }
    }
}

fn frame_locals() -> Option<FrameLocals> {
    // SAFETY: the current thread's frame; its places stay while the caller's built-in function runs.
    unsafe {
        let f = frame::current(Thread::current_ptr());
        if f.is_null() {
            return None;
        }
        Some(FrameLocals { code: frame::code_ref(f).own(), locals: frame::localsplus(f) })
    }
}

// ---- Compiling ----

fn compile(c: Compile<'_>) -> PyResult {
    let filename = c.filename.to_str_lossy().into_owned();
    let Source::Text(text) = c.source else {
        return raise!(NotImplementedError, "compiling AST objects is not supported yet");
    };
    if c.flags & ONLY_AST != 0 {
        return raise!(NotImplementedError, "AST objects are not supported yet");
    }
    let mode = match c.mode {
        Mode::Exec => lc::Mode::Exec,
        Mode::Eval => lc::Mode::Eval,
        Mode::Single => lc::Mode::Single,
        Mode::FuncType => return raise!(NotImplementedError, "compile() mode 'func_type' is not supported yet"),
    };
    let optimize = if c.optimize < 0 { lh_runtime::sysobject::config().optimize } else { c.optimize };
    let warnings: lc::warnings::Sink = RefCell::new(vec![]);
    let decode_error: RefCell<Option<Owned<Exception>>> = RefCell::new(None);
    let decode = |encoding: &str, bytes: &[u8]| -> Option<String> {
        match lh_runtime::codecs::decode(bytes, encoding, "strict") {
            Ok(s) => s.downcast::<Str>().and_then(|s| match s.to_str() {
                Ok(t) => Some(t.to_string()),
                Err(e) => {
                    e.clear();
                    None
                }
            }),
            Err(e) => {
                *decode_error.borrow_mut() = Some(e.take());
                None
            }
        }
    };
    let flags = lc::CompileFlags {
        future: (c.flags & FUTURE_MASK) as u32,
        optimize: optimize.clamp(0, 2) as u8,
        allow_top_level_await: c.flags & TOP_LEVEL_AWAIT != 0,
        ignore_cookie: c.flags & IGNORE_COOKIE != 0,
        allow_incomplete: c.flags & ALLOW_INCOMPLETE != 0,
        dont_imply_dedent: c.flags & DONT_IMPLY_DEDENT != 0,
        warnings: Some(&warnings),
        decode: Some(&decode),
        ..lc::CompileFlags::default()
    };
    let unit = match lc::compile(text, &filename, mode, &flags) {
        Ok(u) => u,
        Err(e) => return Err(raise_syntax_error(&e, &filename)),
    };
    for w in warnings.into_inner() {
        issue(&w, &filename, text)?;
    }
    Code::from_unit(&unit).map(Owned::into_object)
}

fn raise_syntax_error(e: &lc::SyntaxError, filename: &str) -> Raised {
    use lc::ErrorKind as K;
    let class = match e.kind {
        K::Indentation => exc::IndentationError(),
        K::Tab => exc::TabError(),
        K::Value => return raised!(ValueError, "{}", e.msg),
        K::Recursion => return raised!(RecursionError, "{}", e.msg),
        K::NeedsCodec => return raised!(SyntaxError, "unknown encoding: {}", e.msg),
        K::Syntax => exc::SyntaxError(),
        K::Incomplete => match lh_runtime::import::import_module("codeop") {
            // `codeop` looks for this class by name; CPython's own is private to it.
            Ok(_) => exc::SyntaxError(),
            Err(x) => return x,
        },
    };
    let int = |v: i32| Int::from_i64(v as i64).into_object();
    let text = e.text.as_ref().map_or_else(none, |t| Str::new(t).into_object());
    let mut place = vec![Str::new(filename).into_object(), int(e.lineno), int(e.offset), text];
    if e.end_lineno > 0 || e.end_offset > 0 {
        place.push(int(e.end_lineno));
        place.push(int(e.end_offset));
    }
    let args = if e.lineno == 0 && e.offset == 0 && e.text.is_none() {
        Tuple::from_vec(vec![Str::new(&e.msg).into_object()])
    } else {
        Tuple::from_vec(vec![Str::new(&e.msg).into_object(), Tuple::from_vec(place).into_object()])
    };
    set_object(class, Some(args.into_object()))
}

fn issue(w: &lc::warnings::Warning, filename: &str, source: &[u8]) -> PyResult<()> {
    let category = match w.category {
        lc::warnings::Category::Syntax => exc::SyntaxWarning(),
        lc::warnings::Category::Deprecation => exc::DeprecationWarning(),
    };
    match lh_runtime::warnings::warn_explicit(category, &w.msg, filename, w.loc.line as i64, None) {
        Err(e) if e.matches(category) => {
            // The filter made it an error: a syntax error at the same place.
            e.clear();
            let line = source.split(|b| *b == b'\n').nth((w.loc.line as usize).saturating_sub(1));
            let error = lc::SyntaxError {
                kind: lc::ErrorKind::Syntax,
                msg: w.msg.clone(),
                lineno: w.loc.line,
                offset: w.loc.col + 1,
                end_lineno: w.loc.end_line,
                end_offset: w.loc.end_col + 1,
                text: line.map(|l| String::from_utf8_lossy(l).into_owned()),
            };
            Err(raise_syntax_error(&error, filename))
        }
        r => r,
    }
}
