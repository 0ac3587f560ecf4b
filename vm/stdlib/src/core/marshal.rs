//! The `marshal` module over `lh_runtime::marshal`.

use lh_runtime::prelude::*;
use lh_runtime::sysobject::{audit, is_audited};

/// Return the bytes object that would be written to a file by dump(value, file).
#[pyfunction(signature = "(value, version=4, /)")]
fn dumps(value: &Object, version: i32) -> PyResult<Vec<u8>> {
    audit("marshal.dumps", &[value, &*Int::from_i64(version as i64)])?;
    lh_runtime::marshal::dumps(value, version)
}
/// Write the value on the open file.
#[pyfunction(signature = "(value, file, version=4, /)")]
fn dump(value: &Object, file: &Object, version: i32) -> PyResult {
    audit("marshal.dumps", &[value, &*Int::from_i64(version as i64)])?;
    let b = Bytes::new(&lh_runtime::marshal::dumps(value, version)?);
    file.call_method("write", &[&b])
}
/// Convert the bytes-like object to a value. Extra bytes in the input are ignored.
#[pyfunction(signature = "(bytes, /)")]
fn loads(bytes: Buffer) -> PyResult {
    if is_audited() {
        audit("marshal.loads", &[&*Bytes::new(bytes.as_bytes())])?;
    }
    lh_runtime::marshal::loads(bytes.as_bytes())
}
/// Read one value from the open file and return it.
#[pyfunction(signature = "(file, /)")]
fn load(file: &Object) -> PyResult {
    audit("marshal.load", &[])?;
    // The file must be left right behind the value: its length is known only after reading it.
    let empty = file.call_method("read", &[&*Int::from_i64(0)])?;
    if !empty.is_instance_of::<Bytes>() {
        return raise!(TypeError, "file.read() returned not bytes but {}", empty.ty().name());
    }
    let mut data = vec![];
    let mut step = 1i64;
    loop {
        let more = file.call_method("read", &[&*Int::from_i64(step)])?;
        let Some(b) = more.downcast::<Bytes>() else {
            return raise!(TypeError, "file.read() returned not bytes but {}", more.ty().name());
        };
        let at_end = b.is_empty();
        data.extend_from_slice(b.as_bytes());
        match lh_runtime::marshal::loads_prefix(&data) {
            Ok((v, used)) => {
                if used < data.len() {
                    let back = used as i64 - data.len() as i64;
                    file.call_method("seek", &[&*Int::from_i64(back), &*Int::from_i64(1)])?;
                }
                return Ok(v);
            }
            Err(e) if !at_end && e.matches(exc::EOFError()) => e.clear(),
            Err(e) => return Err(e),
        }
        step = if step == 1 { 1024 } else { step * 4 };
    }
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("version", &Int::from_i64(4))
}

module! {
    "marshal",
    doc: "Reading and writing Python values in a binary form specific to Python.",
    functions: [dump, dumps, load, loads],
    init: setup
}
