//! `pwd`: the password database.

use super::util::*;
use lh_runtime::prelude::*;
use lh_runtime::structseq;

struct_seq!(
    struct_passwd,
    "pwd.struct_passwd",
    "pwd.struct_passwd: Results from getpw*() routines.

This object may be accessed either as a tuple of
  (pw_name,pw_passwd,pw_uid,pw_gid,pw_gecos,pw_dir,pw_shell)
or via the object attributes as named in the above tuple.",
    7,
    ["pw_name", "pw_passwd", "pw_uid", "pw_gid", "pw_gecos", "pw_dir", "pw_shell"]
);

/// # Safety
/// `p` is a filled entry.
unsafe fn entry(p: *const libc::passwd) -> PyResult<Owned<Tuple>> {
    // SAFETY: the caller's promise; null texts are empty.
    unsafe {
        let s = |p: *const libc::c_char| if p.is_null() { none() } else { fs_str(p) };
        let p = &*p;
        let v = vec![
            s(p.pw_name),
            s(p.pw_passwd),
            id_obj(p.pw_uid),
            id_obj(p.pw_gid),
            s(p.pw_gecos),
            s(p.pw_dir),
            s(p.pw_shell),
        ];
        Ok(structseq::new(struct_passwd()?, v))
    }
}

/// Return the password database entry for the given numeric user ID.
///
/// See `help(pwd)` for more on password database entries.
#[pyfunction]
pub fn getpwuid(uid: &Object) -> PyResult<Owned<Tuple>> {
    let id = match Uid::from_py(uid, ArgCtx { func: "getpwuid", pos: 0, name: None }) {
        Ok(u) => u.0,
        Err(e) if e.matches(exc::OverflowError()) => {
            e.clear();
            return raise!(KeyError, "getpwuid(): uid not found");
        }
        Err(e) => return Err(e),
    };
    let p = c!(libc::getpwuid(id));
    if p.is_null() {
        return raise!(KeyError, "getpwuid(): uid not found: {}", id);
    }
    // SAFETY: the library's static entry, valid until its next call.
    unsafe { entry(p) }
}
/// Return the password database entry for the given user name.
///
/// See `help(pwd)` for more on password database entries.
#[pyfunction]
pub fn getpwnam(name: &Str) -> PyResult<Owned<Tuple>> {
    let n = fs_bytes(name)?;
    let p = c!(libc::getpwnam(n.as_ptr()));
    if p.is_null() {
        return raise!(KeyError, "getpwnam(): name not found: {}", name.repr()?.to_str_lossy());
    }
    // SAFETY: as above.
    unsafe { entry(p) }
}
/// Return a list of all available password database entries, in arbitrary order.
///
/// See help(pwd) for more on password database entries.
#[pyfunction]
pub fn getpwall() -> PyResult<Owned<List>> {
    let l = List::new();
    c!(libc::setpwent());
    loop {
        let p = c!(libc::getpwent());
        if p.is_null() {
            break;
        }
        // SAFETY: as above.
        l.push(unsafe { entry(p)? }.into_object());
    }
    c!(libc::endpwent());
    Ok(l)
}

module! { "pwd", doc: "This module provides access to the Unix password database.",
functions: [getpwuid, getpwnam, getpwall], init: |m| m.add("struct_passwd", struct_passwd()?) }
