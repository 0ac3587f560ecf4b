//! Shared libraries and symbols, with handles as plain numbers (that is how ctypes passes them around) and the dynamic
//! linker's own message on failure.

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;

use libloading::os::unix::Library;

pub use libc::{RTLD_GLOBAL, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};

/// What `dlerror` said, without libloading's words around it.
fn message(e: libloading::Error) -> String {
    std::error::Error::source(&e).map_or_else(|| e.to_string(), |s| s.to_string())
}

/// Opens a library; `None` is the main program and everything it has loaded globally. Symbols are always bound at
/// once: a missing symbol shows here and not as a crash later.
pub fn open(name: Option<&CStr>, mode: c_int) -> Result<*mut c_void, String> {
    let name = name.map(|n| OsStr::from_bytes(n.to_bytes()));
    // SAFETY: loading runs the library's initialisers; that is what the user asked for.
    let lib = unsafe { Library::open(name, mode | RTLD_NOW) };
    lib.map(Library::into_raw).map_err(message)
}

/// Address of a symbol, which may be null only for symbols defined as null (an error as well).
///
/// # Safety
/// `handle` came from [`open`] and is not closed.
pub unsafe fn symbol(handle: *mut c_void, name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: by contract the handle is open; forgetting the library leaves it so.
    unsafe {
        let lib = Library::from_raw(handle);
        let found = lib.get::<*mut c_void>(name.to_bytes_with_nul()).map(|s| s.into_raw()).map_err(message);
        std::mem::forget(lib);
        found.and_then(|p| if p.is_null() { Err("symbol is null".to_string()) } else { Ok(p) })
    }
}

/// # Safety
/// `handle` came from [`open`]; nothing of the library is used afterwards.
pub unsafe fn close(handle: *mut c_void) -> Result<(), String> {
    // SAFETY: by contract.
    unsafe { Library::from_raw(handle) }.close().map_err(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_finds_and_reports() {
        let libm = open(Some(c"libm.so.6"), RTLD_LOCAL).unwrap();
        // SAFETY: libm stays open until closed below; `cos` has this type.
        unsafe {
            let cos: extern "C" fn(f64) -> f64 = std::mem::transmute(symbol(libm, c"cos").unwrap());
            assert_eq!(cos(0.0), 1.0);
            assert!(symbol(libm, c"no_such_thing").unwrap_err().ends_with("undefined symbol: no_such_thing"));
            close(libm).unwrap();
        }
        let e = open(Some(c"/no/such/lib.so"), RTLD_LOCAL).unwrap_err();
        assert_eq!(e, "/no/such/lib.so: cannot open shared object file: No such file or directory");
        assert!(open(None, RTLD_LOCAL).is_ok());
    }
}
