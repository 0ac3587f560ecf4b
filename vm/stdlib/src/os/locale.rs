//! `_locale`: the C library's locale.

use super::util::*;
use lh_runtime::codecs;
use lh_runtime::prelude::*;
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

fn error() -> PyResult<&'static Type> {
    static CELL: AtomicPtr<lh_runtime::abi::PyTypeObject> = AtomicPtr::new(std::ptr::null_mut());
    let mut p = CELL.load(Relaxed);
    if p.is_null() {
        p = new_exception("locale", "Error", exc::Exception())?.into_raw().cast();
        CELL.store(p, Relaxed);
    }
    // SAFETY: the type is kept for ever.
    Ok(unsafe { Type::from_raw_ref(p) })
}
fn fail<T>(text: &str) -> PyResult<T> {
    Err(raise_fmt(error()?, format_args!("{text}")))
}
fn c_text(s: &Str) -> PyResult<CString> {
    CString::new(codecs::fs_encode(s)?).map_err(|_| raised!(ValueError, "embedded null character"))
}

/// Activates/queries locale processing.
#[pyfunction(signature = "(category, locale=None, /)")]
pub fn setlocale(category: i32, locale: Option<&Str>) -> PyResult<Owned<Object>> {
    let l = locale.map(c_text).transpose()?;
    let p = c!(libc::setlocale(category, l.as_ref().map_or(std::ptr::null(), |l| l.as_ptr())));
    if p.is_null() {
        return fail(if l.is_some() { "unsupported locale setting" } else { "locale query failed" });
    }
    // SAFETY: setlocale answers a C string.
    Ok(unsafe { fs_str(p) })
}

/// Returns numeric and monetary locale-specific parameters.
#[pyfunction]
pub fn localeconv() -> PyResult<Owned<Dict>> {
    let d = Dict::new();
    // SAFETY: the library's static struct of C strings.
    unsafe {
        let l = libc::localeconv();
        let groups = |p: *const libc::c_char| {
            let b = CStr::from_ptr(p).to_bytes();
            let mut v: Vec<Owned<Object>> = b.iter().map(|x| int(*x as i64)).collect();
            if b.last().is_some_and(|x| *x != i8::MAX as u8) {
                v.push(int(0));
            }
            List::from_vec(v)
        };
        let texts = [
            ("int_curr_symbol", (*l).int_curr_symbol),
            ("currency_symbol", (*l).currency_symbol),
            ("mon_decimal_point", (*l).mon_decimal_point),
            ("mon_thousands_sep", (*l).mon_thousands_sep),
            ("positive_sign", (*l).positive_sign),
            ("negative_sign", (*l).negative_sign),
            ("decimal_point", (*l).decimal_point),
            ("thousands_sep", (*l).thousands_sep),
        ];
        for (n, p) in texts {
            d.set_str(n, &fs_str(p))?;
        }
        let numbers = [
            ("int_frac_digits", (*l).int_frac_digits),
            ("frac_digits", (*l).frac_digits),
            ("p_cs_precedes", (*l).p_cs_precedes),
            ("p_sep_by_space", (*l).p_sep_by_space),
            ("n_cs_precedes", (*l).n_cs_precedes),
            ("n_sep_by_space", (*l).n_sep_by_space),
            ("p_sign_posn", (*l).p_sign_posn),
            ("n_sign_posn", (*l).n_sign_posn),
        ];
        for (n, v) in numbers {
            d.set_str(n, &Int::from_i64(v as i64))?;
        }
        d.set_str("mon_grouping", &groups((*l).mon_grouping))?;
        d.set_str("grouping", &groups((*l).grouping))?;
    }
    Ok(d)
}

/// Compares two strings according to the locale.
#[pyfunction]
pub fn strcoll(os1: &Str, os2: &Str) -> PyResult<i32> {
    let (a, b) = (c_text(os1)?, c_text(os2)?);
    Ok(c!(libc::strcoll(a.as_ptr(), b.as_ptr())))
}
unsafe extern "C" {
    #[link_name = "wcsxfrm"]
    fn libc_wcsxfrm(to: *mut u32, from: *const u32, n: usize) -> usize;
}
/// Return a string that can be used as a key for locale-aware comparisons.
#[pyfunction]
pub fn strxfrm(string: &Str) -> PyResult<Owned<Str>> {
    let mut s: Vec<u32> = string.chars().collect();
    if s.contains(&0) {
        return raise!(ValueError, "embedded null character");
    }
    s.push(0);
    let mut v = vec![0u32; s.len() + 1];
    let mut n = c!(libc_wcsxfrm(v.as_mut_ptr(), s.as_ptr(), v.len()));
    if n >= v.len() {
        v.resize(n + 1, 0);
        n = c!(libc_wcsxfrm(v.as_mut_ptr(), s.as_ptr(), v.len()));
    }
    Ok(Str::from_code_points(&v[..n]))
}
/// Return the value for the locale information associated with key.
#[pyfunction]
pub fn nl_langinfo(key: i32) -> PyResult<Owned<Object>> {
    if !CONSTANTS[8..].iter().any(|c| c.1 == key as i64) {
        return raise!(ValueError, "unsupported langinfo constant");
    }
    let p = c!(libc::nl_langinfo(key));
    // SAFETY: nl_langinfo answers a C string.
    Ok(unsafe { fs_str(p) })
}
/// Get the current locale encoding.
#[pyfunction]
pub fn getencoding() -> Owned<Object> {
    // SAFETY: nl_langinfo answers a C string.
    let s = unsafe { CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) };
    if s.is_empty() { Str::new("UTF-8").into_object() } else { codecs::fs_decode(s.to_bytes()).into_object() }
}

unsafe extern "C" {
    #[link_name = "dcgettext"]
    fn libc_dcgettext(d: *const libc::c_char, m: *const libc::c_char, c: i32) -> *const libc::c_char;
    #[link_name = "textdomain"]
    fn libc_textdomain(d: *const libc::c_char) -> *const libc::c_char;
    #[link_name = "bindtextdomain"]
    fn libc_bindtextdomain(d: *const libc::c_char, p: *const libc::c_char) -> *const libc::c_char;
    #[link_name = "bind_textdomain_codeset"]
    fn libc_bind_codeset(d: *const libc::c_char, p: *const libc::c_char) -> *const libc::c_char;
}
fn opt(s: &Option<CString>) -> *const libc::c_char {
    s.as_ref().map_or(std::ptr::null(), |s| s.as_ptr())
}
fn translated(domain: Option<&Str>, msg: &Str, category: i32) -> PyResult<Owned<Object>> {
    let (d, m) = (domain.map(c_text).transpose()?, c_text(msg)?);
    // SAFETY: the library answers a C string: the translation or the message itself.
    Ok(unsafe { fs_str(libc_dcgettext(opt(&d), m.as_ptr(), category)) })
}
/// gettext(msg) -> string
/// Return translation of msg.
#[pyfunction]
pub fn gettext(msg: &Str) -> PyResult<Owned<Object>> {
    translated(None, msg, libc::LC_MESSAGES)
}
/// dgettext(domain, msg) -> string
/// Return translation of msg in domain.
#[pyfunction]
pub fn dgettext(domain: Nullable<&Str>, msg: &Str) -> PyResult<Owned<Object>> {
    translated(domain.0, msg, libc::LC_MESSAGES)
}
/// Return translation of msg in domain and category.
#[pyfunction]
pub fn dcgettext(domain: Nullable<&Str>, msg: &Str, category: i32) -> PyResult<Owned<Object>> {
    translated(domain.0, msg, category)
}
fn name_or_error(p: *const libc::c_char) -> PyResult<Owned<Object>> {
    if p.is_null() {
        return Err(raise_last_os_error());
    }
    // SAFETY: a C string.
    Ok(unsafe { fs_str(p) })
}
/// Set the C library's textdmain to domain, returning the new domain.
#[pyfunction]
pub fn textdomain(domain: Nullable<&Str>) -> PyResult<Owned<Object>> {
    let d = domain.0.map(c_text).transpose()?;
    name_or_error(c!(libc_textdomain(opt(&d))))
}
/// Bind the C library's domain to dir.
#[pyfunction]
pub fn bindtextdomain(domain: &Str, dir: &Object) -> PyResult<Owned<Object>> {
    if domain.is_empty() {
        return fail("domain must be a non-empty string");
    }
    let d = c_text(domain)?;
    let p = if dir.is_none() { None } else { Some(fs_bytes(dir)?) };
    name_or_error(c!(libc_bindtextdomain(d.as_ptr(), opt(&p))))
}
/// Bind the C library's domain to codeset.
#[pyfunction]
pub fn bind_textdomain_codeset(domain: &Str, codeset: Nullable<&Str>) -> PyResult<Owned<Object>> {
    let (d, s) = (c_text(domain)?, codeset.0.map(c_text).transpose()?);
    let p = c!(libc_bind_codeset(d.as_ptr(), opt(&s)));
    if p.is_null() { Ok(none()) } else { name_or_error(p) }
}

const CONSTANTS: &[(&str, i64)] = &[
    ("LC_CTYPE", 0),
    ("LC_TIME", 2),
    ("LC_COLLATE", 3),
    ("LC_MONETARY", 4),
    ("LC_MESSAGES", 5),
    ("LC_NUMERIC", 1),
    ("LC_ALL", 6),
    ("CHAR_MAX", 127),
    ("DAY_1", 131079),
    ("DAY_2", 131080),
    ("DAY_3", 131081),
    ("DAY_4", 131082),
    ("DAY_5", 131083),
    ("DAY_6", 131084),
    ("DAY_7", 131085),
    ("ABDAY_1", 131072),
    ("ABDAY_2", 131073),
    ("ABDAY_3", 131074),
    ("ABDAY_4", 131075),
    ("ABDAY_5", 131076),
    ("ABDAY_6", 131077),
    ("ABDAY_7", 131078),
    ("MON_1", 131098),
    ("MON_2", 131099),
    ("MON_3", 131100),
    ("MON_4", 131101),
    ("MON_5", 131102),
    ("MON_6", 131103),
    ("MON_7", 131104),
    ("MON_8", 131105),
    ("MON_9", 131106),
    ("MON_10", 131107),
    ("MON_11", 131108),
    ("MON_12", 131109),
    ("ABMON_1", 131086),
    ("ABMON_2", 131087),
    ("ABMON_3", 131088),
    ("ABMON_4", 131089),
    ("ABMON_5", 131090),
    ("ABMON_6", 131091),
    ("ABMON_7", 131092),
    ("ABMON_8", 131093),
    ("ABMON_9", 131094),
    ("ABMON_10", 131095),
    ("ABMON_11", 131096),
    ("ABMON_12", 131097),
    ("RADIXCHAR", 65536),
    ("THOUSEP", 65537),
    ("CRNCYSTR", 262159),
    ("D_T_FMT", 131112),
    ("D_FMT", 131113),
    ("T_FMT", 131114),
    ("AM_STR", 131110),
    ("PM_STR", 131111),
    ("CODESET", 14),
    ("T_FMT_AMPM", 131115),
    ("ERA", 131116),
    ("ERA_D_FMT", 131118),
    ("ERA_D_T_FMT", 131120),
    ("ERA_T_FMT", 131121),
    ("ALT_DIGITS", 131119),
    ("YESEXPR", 327680),
    ("NOEXPR", 327681),
    ("_DATE_FMT", 131180),
];

module! { "_locale", doc: "Support for POSIX locales.",
functions: [setlocale, localeconv, strcoll, strxfrm, nl_langinfo, gettext, dgettext, dcgettext, textdomain, bindtextdomain,
    bind_textdomain_codeset, getencoding],
init: |m| {
    add_ints(m, CONSTANTS)?;
    m.add("Error", error()?)
} }
