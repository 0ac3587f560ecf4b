//! `grp`: the group database.

use super::util::*;
use lh_runtime::prelude::*;
use lh_runtime::structseq;

struct_seq!(
    struct_group,
    "grp.struct_group",
    "grp.struct_group: Results from getgr*() routines.

This object may be accessed either as a tuple of
  (gr_name,gr_passwd,gr_gid,gr_mem)
or via the object attributes as named in the above tuple.",
    4,
    ["gr_name", "gr_passwd", "gr_gid", "gr_mem"]
);

/// # Safety
/// `p` is a filled entry.
unsafe fn entry(p: *const libc::group) -> PyResult<Owned<Tuple>> {
    // SAFETY: the caller's promise; members end in NULL.
    unsafe {
        let s = |p: *const libc::c_char| if p.is_null() { none() } else { fs_str(p) };
        let p = &*p;
        let members = List::new();
        let mut m = p.gr_mem;
        while !m.is_null() && !(*m).is_null() {
            members.push(fs_str(*m));
            m = m.add(1);
        }
        Ok(structseq::new(
            struct_group()?,
            vec![s(p.gr_name), s(p.gr_passwd), id_obj(p.gr_gid), members.into_object()],
        ))
    }
}

/// Return the group database entry for the given numeric group ID.
///
/// If id is not valid, raise KeyError.
#[pyfunction(signature = "(id)")]
pub fn getgrgid(id: &Object) -> PyResult<Owned<Tuple>> {
    let gid = match Gid::from_py(id, ArgCtx { func: "getgrgid", pos: 0, name: None }) {
        Ok(g) => g.0,
        Err(e) if e.matches(exc::OverflowError()) => {
            e.clear();
            return raise!(KeyError, "getgrgid(): gid not found");
        }
        Err(e) => return Err(e),
    };
    let p = c!(libc::getgrgid(gid));
    if p.is_null() {
        return raise!(KeyError, "getgrgid(): gid not found: {}", gid);
    }
    // SAFETY: the library's static entry, valid until its next call.
    unsafe { entry(p) }
}
/// Return the group database entry for the given group name.
///
/// If name is not valid, raise KeyError.
#[pyfunction(signature = "(name)")]
pub fn getgrnam(name: &Str) -> PyResult<Owned<Tuple>> {
    let n = fs_bytes(name)?;
    let p = c!(libc::getgrnam(n.as_ptr()));
    if p.is_null() {
        return raise!(KeyError, "getgrnam(): name not found: {}", name.repr()?.to_str_lossy());
    }
    // SAFETY: as above.
    unsafe { entry(p) }
}
/// Return a list of all available group entries, in arbitrary order.
///
/// An entry whose name starts with '+' or '-' represents an instruction
/// to use YP/NIS and may not be accessible via getgrnam or getgrgid.
#[pyfunction]
pub fn getgrall() -> PyResult<Owned<List>> {
    let l = List::new();
    c!(libc::setgrent());
    loop {
        let p = c!(libc::getgrent());
        if p.is_null() {
            break;
        }
        // SAFETY: as above.
        l.push(unsafe { entry(p)? }.into_object());
    }
    c!(libc::endgrent());
    Ok(l)
}

module! { "grp", doc: "Access to the Unix group database.", functions: [getgrgid, getgrnam, getgrall],
init: |m| m.add("struct_group", struct_group()?) }
