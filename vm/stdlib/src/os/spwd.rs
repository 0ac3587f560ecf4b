//! `spwd`: the shadow password database.

use super::util::*;
use lh_runtime::prelude::*;
use lh_runtime::structseq;

struct_seq!(
    struct_spwd,
    "spwd.struct_spwd",
    "spwd.struct_spwd: an entry of the shadow password database, a tuple whose items are attributes too.",
    9,
    [
        "sp_namp",
        "sp_pwdp",
        "sp_lstchg",
        "sp_min",
        "sp_max",
        "sp_warn",
        "sp_inact",
        "sp_expire",
        "sp_flag",
        "sp_nam",
        "sp_pwd"
    ]
);

/// # Safety
/// `p` is a filled entry.
unsafe fn entry(p: *const libc::spwd) -> PyResult<Owned<Tuple>> {
    // SAFETY: the caller's promise; null texts are empty.
    unsafe {
        let s = |p: *const libc::c_char| if p.is_null() { none() } else { fs_str(p) };
        let p = &*p;
        let numbers = [p.sp_lstchg, p.sp_min, p.sp_max, p.sp_warn, p.sp_inact, p.sp_expire];
        let mut v = vec![s(p.sp_namp), s(p.sp_pwdp)];
        v.extend(numbers.iter().map(|n| int(*n)));
        v.push(int(p.sp_flag as i64));
        v.extend([s(p.sp_namp), s(p.sp_pwdp)]);
        Ok(structseq::new(struct_spwd()?, v))
    }
}

/// Return the shadow password database entry for the given user name.
///
/// See `help(spwd)` for more on shadow password database entries.
#[pyfunction]
pub fn getspnam(arg: &Str) -> PyResult<Owned<Tuple>> {
    let n = fs_bytes(arg)?;
    // The C library may leave its number unset where the name is not found.
    // SAFETY: this thread's error number.
    unsafe { *libc::__errno_location() = 0 };
    let p = c!(libc::getspnam(n.as_ptr()));
    if p.is_null() {
        let e = errno();
        if e != 0 && e != libc::ENOENT {
            return Err(raise_errno(e, None));
        }
        return raise!(KeyError, "getspnam(): name not found");
    }
    // SAFETY: the library's static entry, valid until its next call.
    unsafe { entry(p) }
}
/// Return a list of all available shadow password database entries, in arbitrary order.
///
/// See `help(spwd)` for more on shadow password database entries.
#[pyfunction]
pub fn getspall() -> PyResult<Owned<List>> {
    let l = List::new();
    c!(libc::setspent());
    loop {
        let p = c!(libc::getspent());
        if p.is_null() {
            break;
        }
        // SAFETY: as above.
        l.push(unsafe { entry(p)? }.into_object());
    }
    c!(libc::endspent());
    Ok(l)
}

fn setup(m: &Module) -> PyResult<()> {
    lh_runtime::number::warn(
        exc::DeprecationWarning(),
        "'spwd' is deprecated and slated for removal in Python 3.13",
        7,
    )?;
    m.add("struct_spwd", struct_spwd()?)
}

module! { "spwd", doc: "This module provides access to the Unix shadow password database.",
functions: [getspnam, getspall], init: setup }
