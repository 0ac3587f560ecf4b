//! `print`, `input`, `open`, `breakpoint`.

use super::attrs::count;
use lh_runtime::prelude::*;
use lh_runtime::sysobject::{audit, sys_get};

fn text_or_none<'a>(v: Option<&'a Object>, what: &str) -> PyResult<Option<&'a Str>> {
    match v {
        None => Ok(None),
        Some(v) if v.is_none() => Ok(None),
        Some(v) => match v.downcast::<Str>() {
            Some(s) => Ok(Some(s)),
            None => raise!(TypeError, "{} must be None or a string, not {}", what, v.ty().name()),
        },
    }
}

/// Text whose making can neither run Python code nor fail.
fn is_plain(o: &Object) -> bool {
    o.is_exact::<Str>() || o.is_exact::<Int>() || o.is_exact::<Float>() || o.is_exact::<Bool>() || o.is_none()
}

/// The whole line, if all arguments are plain.
fn plain_line(a: &Args<'_>, sep: Option<&Str>, end: Option<&Str>) -> Option<Owned<Str>> {
    if !a.iter().all(is_plain) {
        return None;
    }
    if a.len() == 1
        && let Some(s) = a.get(0).and_then(|o| o.downcast_exact::<Str>())
        && end.is_some_and(|e| e.is_empty())
    {
        return Some(s.own());
    }
    let mut b = StrBuilder::new();
    for (i, x) in a.iter().enumerate() {
        if i > 0 {
            match sep {
                Some(s) => b.push_obj(s),
                None => b.push(' ' as u32),
            }
        }
        match x.downcast_exact::<Str>() {
            Some(s) => b.push_obj(s),
            None => match x.str() {
                Ok(s) => b.push_obj(&s),
                // Integers with more digits than the limit: the ordinary way raises the error.
                Err(e) => {
                    e.clear();
                    return None;
                }
            },
        }
    }
    match end {
        Some(e) => b.push_obj(e),
        None => b.push('\n' as u32),
    }
    Some(b.finish())
}

/// Prints the values to a stream, `sys.stdout` by default.
///
///   sep
///     text between the values, a space by default.
///   end
///     text after the last value, a newline by default.
///   file
///     an object with a `write` method.
///   flush
///     whether to flush the stream afterwards.
#[pyfunction(raw, signature = "(*args, sep=' ', end='\\n', file=None, flush=False)")]
pub fn print(a: Args<'_>) -> PyResult<()> {
    let (mut sep, mut end, mut file, mut flush) = (None, None, None, None);
    for (k, v) in a.kwargs() {
        match &*k.to_str_lossy() {
            "sep" => sep = Some(v),
            "end" => end = Some(v),
            "file" => file = Some(v).filter(|f| !f.is_none()),
            "flush" => flush = Some(v),
            other => return raise!(TypeError, "'{}' is an invalid keyword argument for print()", other),
        }
    }
    let flush = match flush {
        None => false,
        Some(f) => f.is_true()?,
    };
    let file = match file {
        Some(f) => Some(f.own()),
        None => match sys_get("stdout") {
            Some(f) if f.is_none() => return Ok(()),
            f => f,
        },
    };
    let sep = text_or_none(sep, "sep")?;
    let end = text_or_none(end, "end")?;
    let Some(file) = file else {
        if lh_runtime::import::loaded_module("io").is_some() {
            return raise!(RuntimeError, "lost sys.stdout");
        }
        return print_to_fd(&a, sep, end);
    };
    // One `write` for the whole line is only done where nobody can see the difference: built-in stream types.
    if !file.ty().is_heap()
        && let Some(line) = plain_line(&a, sep, end)
    {
        file.call_method_interned(intern!("write"), &[&line])?;
    } else {
        let write = file.get_attr(intern!("write"))?;
        for (i, x) in a.iter().enumerate() {
            if i > 0 {
                match sep {
                    Some(s) => write.call1(s)?,
                    None => write.call1(intern!(" "))?,
                };
            }
            match x.downcast_exact::<Str>() {
                Some(s) => write.call1(s)?,
                None => write.call1(&*x.str()?)?,
            };
        }
        match end {
            Some(e) => write.call1(e)?,
            None => write.call1(intern!("\n"))?,
        };
    }
    if flush {
        file.call_method("flush", &[])?;
    }
    Ok(())
}

/// Before there is a `sys.stdout`: straight to file descriptor 1.
fn print_to_fd(a: &Args<'_>, sep: Option<&Str>, end: Option<&Str>) -> PyResult<()> {
    let mut line = String::new();
    for (i, x) in a.iter().enumerate() {
        if i > 0 {
            line.push_str(&sep.map_or(" ".into(), |s| s.to_str_lossy()));
        }
        line.push_str(&x.str()?.to_str_lossy());
    }
    line.push_str(&end.map_or("\n".into(), |e| e.to_str_lossy()));
    let mut rest = line.as_bytes();
    while !rest.is_empty() {
        // SAFETY: a buffer of that length.
        let n = unsafe { libc::write(1, rest.as_ptr().cast(), rest.len()) };
        if n < 0 {
            if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted {
                continue;
            }
            return Err(lh_runtime::errors::raise_last_os_error());
        }
        rest = &rest[n as usize..];
    }
    Ok(())
}

fn stream(name: &str) -> PyResult {
    match sys_get(name).filter(|f| !f.is_none()) {
        Some(f) => Ok(f),
        None => raise!(RuntimeError, "input(): lost sys.{}", name),
    }
}

/// A line of text from standard input, without its newline. The prompt, if given, is printed first. `EOFError` at the end.
#[pyfunction(raw, signature = "(prompt='', /)")]
pub fn input(a: Args<'_>) -> PyResult<Owned<Str>> {
    count(&a, "input", 0, 1)?;
    let (fin, fout, ferr) = (stream("stdin")?, stream("stdout")?, stream("stderr")?);
    match a.get(0) {
        Some(p) => audit("builtins.input", &[p])?,
        None => audit("builtins.input", &[none_ref()])?,
    }
    if let Err(e) = ferr.call_method("flush", &[]) {
        e.clear();
    }
    if lh_runtime::readline::installed() && is_descriptor(&fin, 0) && is_descriptor(&fout, 1) {
        return edited_input(&fin, &fout, a.get(0));
    }
    if let Some(p) = a.get(0) {
        fout.call_method("write", &[&*p.str()?])?;
    }
    if let Err(e) = fout.call_method("flush", &[]) {
        e.clear();
    }
    let line = fin.call_method("readline", &[])?;
    let Some(s) = line.downcast::<Str>() else {
        return raise!(TypeError, "object.readline() returned non-string");
    };
    let n = s.len();
    if n == 0 {
        return raise!(EOFError, "EOF when reading a line");
    }
    let r = if s.char_at(n - 1) == '\n' as u32 { s.slice(0, n - 1) } else { s.own() };
    audit("builtins.input/result", &[&r])?;
    Ok(r)
}

/// Is the stream that of the process's own descriptor?
fn is_descriptor(stream: &Object, fd: i64) -> bool {
    match stream.call_method("fileno", &[]) {
        Ok(n) => n.downcast::<Int>().and_then(|i| i.to_i64()) == Some(fd),
        Err(e) => {
            e.clear();
            false
        }
    }
}

/// `input` at a terminal with a line editor.
fn edited_input(fin: &Object, fout: &Object, prompt: Option<&Object>) -> PyResult<Owned<Str>> {
    let of = |stream: &Object, name: &str| -> PyResult<String> {
        let v = stream.get_attr_str(name)?;
        Ok(v.downcast::<Str>().map_or_else(|| "strict".into(), |s| s.to_str_lossy().into_owned()))
    };
    if let Err(e) = fout.call_method("flush", &[]) {
        e.clear();
    }
    let text = match prompt {
        Some(p) => {
            let s = p.str()?;
            lh_runtime::codecs::encode_to_bytes(&s, &of(fout, "encoding")?, &of(fout, "errors")?)?
        }
        None => Bytes::new(b"").into_object(),
    };
    let bytes = text.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default();
    let Ok(prompt) = std::ffi::CString::new(bytes) else {
        return raise!(ValueError, "input: prompt string cannot contain null characters");
    };
    let mut line = lh_runtime::readline::read_line(&prompt)?;
    if line.is_empty() {
        return raise!(EOFError);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    let r = lh_runtime::codecs::decode_to_str(&line, &of(fin, "encoding")?, &of(fin, "errors")?)?;
    audit("builtins.input/result", &[&r])?;
    Ok(r)
}

/// Opens a file and answers a stream: text, or bytes with 'b' in the mode. The documentation is `io.open`'s.
#[pyfunction(
    signature = "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"
)]
pub fn open(
    file: &Object,
    mode: Option<&Object>,
    buffering: Option<&Object>,
    encoding: Option<&Object>,
    errors: Option<&Object>,
    newline: Option<&Object>,
    closefd: Option<&Object>,
    opener: Option<&Object>,
) -> PyResult {
    let io_open = lh_runtime::import::import_module("_io")?.get_attr_str("open")?;
    let names = ["mode", "buffering", "encoding", "errors", "newline", "closefd", "opener"];
    let values = [mode, buffering, encoding, errors, newline, closefd, opener];
    let given: Vec<(&str, &Object)> =
        names.into_iter().zip(values).filter_map(|(n, v)| v.map(|v| (n, v))).collect();
    io_open.call_kw(&[file], &given)
}

/// breakpoint(*args, **kws)
///
/// Calls `sys.breakpointhook` with the arguments, which by default enters the debugger `pdb`.
#[pyfunction(raw)]
pub fn breakpoint(a: Args<'_>) -> PyResult {
    let Some(hook) = sys_get("breakpointhook") else {
        return raise!(RuntimeError, "lost sys.breakpointhook");
    };
    audit("builtins.breakpoint", &[&*hook])?;
    let args: Vec<&Object> = a.iter().collect();
    if !a.has_kwargs() {
        return hook.call(&args);
    }
    let kw = Dict::new();
    for (k, v) in a.kwargs() {
        kw.set_item(k, v)?;
    }
    hook.call_tuple(&Tuple::from_refs(&args), Some(&kw))
}
