//! `syslog`: messages to the system's log.

use super::util::*;
use lh_runtime::codecs;
use lh_runtime::prelude::*;
use std::ffi::CString;
use std::sync::Mutex;

/// The identity given to `openlog`, which the C library keeps a pointer to; `None`: not open.
/// The open log's name, if it has one.
static IDENT: Mutex<Option<Option<CString>>> = Mutex::new(None);

fn c_text(s: &Str) -> PyResult<CString> {
    CString::new(codecs::fs_encode(s)?).map_err(|_| raised!(ValueError, "embedded null character"))
}
/// The program's name, as `sys.argv[0]` has it.
fn default_ident() -> Option<CString> {
    let argv = lh_runtime::sysobject::sys_get("argv");
    let first = argv.as_ref().and_then(|a| a.downcast::<List>()).and_then(|l| l.get(0));
    let text = first
        .as_ref()
        .and_then(|f| f.downcast::<Str>())
        .map(|s| s.to_str_lossy().into_owned())
        .unwrap_or_default();
    CString::new(text.rsplit('/').next().unwrap_or_default()).ok().filter(|t| !t.is_empty())
}
fn open(ident: Option<CString>, option: i32, facility: i32) -> PyResult<()> {
    let text = ident.or_else(default_ident);
    let name = text.as_ref().map_or_else(none, |t| Str::new(&t.to_string_lossy()).into_object());
    lh_runtime::sysobject::audit(
        "syslog.openlog",
        &[&*name, &*Int::from_i64(option as i64), &*Int::from_i64(facility as i64)],
    )?;
    let mut i = IDENT.lock().expect("never poisoned");
    let name = text.as_ref().map_or(std::ptr::null(), |t| t.as_ptr());
    c!(libc::openlog(name, option, facility));
    // The C library goes on reading the name.
    *i = Some(text);
    Ok(())
}

/// openlog([ident[, logoption[, facility]]]): opens the connection to the system log.
#[pyfunction(signature = "(ident=None, logoption=0, facility=8)")]
pub fn openlog(ident: Option<&Str>, logoption: i32, facility: i32) -> PyResult<()> {
    open(ident.map(c_text).transpose()?, logoption, facility)
}
/// syslog([priority,] message): sends a message to the system log.
#[pyfunction(name = "syslog", raw)]
pub fn write(a: Args<'_>) -> PyResult<()> {
    let (priority, message) = match (a.get(0), a.get(1)) {
        (Some(m), None) => (libc::LOG_INFO, m),
        (Some(p), Some(m)) => (i32::from_py(p, ArgCtx { func: "syslog", pos: 1, name: None })?, m),
        _ => return raise!(TypeError, "[priority,] message string"),
    };
    let Some(s) = message.downcast::<Str>() else {
        return raise!(TypeError, "[priority,] message string");
    };
    let text = c_text(s)?;
    lh_runtime::sysobject::audit("syslog.syslog", &[&*Int::from_i64(priority as i64), s])?;
    if IDENT.lock().expect("never poisoned").is_none() {
        open(None, 0, libc::LOG_USER)?;
    }
    lh_runtime::thread::allow_threads(|| c!(libc::syslog(priority, c"%s".as_ptr(), text.as_ptr())));
    Ok(())
}
/// closelog(): closes the connection to the system log.
#[pyfunction]
pub fn closelog() -> PyResult<()> {
    lh_runtime::sysobject::audit("syslog.closelog", &[])?;
    let mut i = IDENT.lock().expect("never poisoned");
    if i.is_some() {
        c!(libc::closelog());
        *i = None;
    }
    Ok(())
}
/// setlogmask(mask): sets the log mask, answering the old one.
#[pyfunction]
pub fn setlogmask(maskpri: i32) -> PyResult<i32> {
    lh_runtime::sysobject::audit("syslog.setlogmask", &[&*Int::from_i64(maskpri as i64)])?;
    Ok(c!(libc::setlogmask(maskpri)))
}
/// The mask of one priority.
#[allow(non_snake_case)]
#[pyfunction]
pub fn LOG_MASK(pri: i32) -> i32 {
    1 << pri
}
/// The mask of all priorities up to one.
#[allow(non_snake_case)]
#[pyfunction]
pub fn LOG_UPTO(pri: i32) -> i32 {
    (1 << (pri + 1)) - 1
}

const CONSTANTS: &[(&str, i64)] = &[
    ("LOG_EMERG", 0),
    ("LOG_ALERT", 1),
    ("LOG_CRIT", 2),
    ("LOG_ERR", 3),
    ("LOG_WARNING", 4),
    ("LOG_NOTICE", 5),
    ("LOG_INFO", 6),
    ("LOG_DEBUG", 7),
    ("LOG_PID", 1),
    ("LOG_CONS", 2),
    ("LOG_NDELAY", 8),
    ("LOG_ODELAY", 4),
    ("LOG_NOWAIT", 16),
    ("LOG_PERROR", 32),
    ("LOG_KERN", 0),
    ("LOG_USER", 8),
    ("LOG_MAIL", 16),
    ("LOG_DAEMON", 24),
    ("LOG_AUTH", 32),
    ("LOG_LPR", 48),
    ("LOG_LOCAL0", 128),
    ("LOG_LOCAL1", 136),
    ("LOG_LOCAL2", 144),
    ("LOG_LOCAL3", 152),
    ("LOG_LOCAL4", 160),
    ("LOG_LOCAL5", 168),
    ("LOG_LOCAL6", 176),
    ("LOG_LOCAL7", 184),
    ("LOG_SYSLOG", 40),
    ("LOG_CRON", 72),
    ("LOG_UUCP", 64),
    ("LOG_NEWS", 56),
    ("LOG_AUTHPRIV", 80),
];

module! { "syslog", doc: "Interface to the Unix syslog library routines.",
functions: [openlog, write, closelog, setlogmask, LOG_MASK, LOG_UPTO], init: |m| add_ints(m, CONSTANTS) }
