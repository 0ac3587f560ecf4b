//! Start-up of the runtime: readies every built-in type in dependency order.

use crate::errors::*;

/// Readies the built-in types. Called once, with the GIL held, before anything else.
pub fn init_types() -> PyResult<()> {
    todo!()
}
