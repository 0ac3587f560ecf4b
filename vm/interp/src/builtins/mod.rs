//! The `builtins` module.
use crate::prelude::*;
pub fn init() -> PyResult<()> {
    Ok(())
}
