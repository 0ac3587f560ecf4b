//! `marshal.h`: marshalled objects and numbers in memory and in C files.

use crate::prelude::*;
use lh_runtime::marshal;
use libc::FILE;

/// Writes what `f` holds; a short write leaves the error in the stream, as C expects.
///
/// # Safety
/// `f` is an open stream.
unsafe fn write(f: *mut FILE, b: &[u8]) {
    // SAFETY: the caller's promise.
    unsafe { libc::fwrite(b.as_ptr().cast(), 1, b.len(), f) };
}
/// The next bytes of a stream; `EOFError` if they are not all there.
///
/// # Safety
/// `f` is an open stream.
unsafe fn read<const N: usize>(f: *mut FILE) -> PyResult<[u8; N]> {
    let mut b = [0; N];
    // SAFETY: the caller's promise; the buffer has room.
    let n = unsafe { libc::fread(b.as_mut_ptr().cast(), 1, N, f) };
    if n == N { Ok(b) } else { raise!(EOFError, "EOF read where data expected") }
}
/// Everything up to the stream's end.
///
/// # Safety
/// `f` is an open stream.
unsafe fn rest(f: *mut FILE) -> Vec<u8> {
    let mut all = vec![];
    let mut b = [0u8; 8192];
    loop {
        // SAFETY: the caller's promise; the buffer has room.
        let n = unsafe { libc::fread(b.as_mut_ptr().cast(), 1, b.len(), f) };
        if n == 0 {
            return all;
        }
        all.extend(&b[..n]);
    }
}

capi! {
    fn PyMarshal_WriteObjectToString(o: &Object, version: c_int) -> obj { Ok(Bytes::new(&marshal::dumps(o, version)?)) }
    fn PyMarshal_ReadObjectFromString(p: *const u8, n: isize) -> obj {
        marshal::loads(std::slice::from_raw_parts(p, n.max(0) as usize))
    }
    fn PyMarshal_WriteLongToFile(v: c_long, f: *mut FILE, _version: c_int) -> void { write(f, &(v as i32).to_le_bytes()) }
    fn PyMarshal_WriteObjectToFile(o: &Object, f: *mut FILE, version: c_int) -> void { write(f, &marshal::dumps(o, version)?) }
    fn PyMarshal_ReadShortFromFile(f: *mut FILE) -> (c_int, -1) { read(f).map(|b| i16::from_le_bytes(b) as c_int) }
    fn PyMarshal_ReadLongFromFile(f: *mut FILE) -> (c_long, -1) { read(f).map(|b| i32::from_le_bytes(b) as c_long) }
    /// The stream is left behind the object, if it can seek.
    fn PyMarshal_ReadObjectFromFile(f: *mut FILE) -> obj {
        let b = rest(f);
        let (o, used) = marshal::loads_prefix(&b)?;
        libc::fseek(f, used as c_long - b.len() as c_long, libc::SEEK_CUR);
        Ok(o)
    }
    fn PyMarshal_ReadLastObjectFromFile(f: *mut FILE) -> obj { marshal::loads(&rest(f)) }
}
