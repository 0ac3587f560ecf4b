//! `list.sort`.

use crate::errors::*;
use crate::kinds::*;
use crate::object::*;

impl List {
    pub fn sort(&self, _key: Option<&Object>, _reverse: bool) -> PyResult<()> {
        crate::raise!(NotImplementedError, "sorting is not there yet")
    }
}
