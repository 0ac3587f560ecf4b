//! `module`, and `module!` for modules written in Rust.

#![allow(unused_variables)]
use crate::errors::*;
use crate::kinds::*;
use crate::object::*;
use lh_abi::*;

impl Module {
    pub fn new(name: &str) -> Owned<Module> { todo!() }
    pub fn dict(&self) -> &Dict { todo!() }
    pub fn add(&self, name: &str, value: &Object) -> PyResult<()> { todo!() }
    pub fn name(&self) -> String { todo!() }
    pub fn get(&self, name: &str) -> PyResult<Owned<Object>> { todo!() }
    pub fn add_functions(&self, defs: Vec<PyMethodDef>) -> PyResult<()> { todo!() }
    pub fn set_doc(&self, doc: &str) -> PyResult<()> { todo!() }
}
/// Defines `pub fn NAME_module() -> PyResult<Owned<Module>>`-style constructors:
/// `module! { "math", doc: "text", functions: [sqrt, sin], types: [Chain], init: setup }` defines `pub fn make() -> PyResult<Owned<Module>>`.
/// Every key after the name may be left out, in this order.
#[macro_export]
macro_rules! module {
    ($name:literal $(, doc: $doc:expr)? $(, functions: [$($f:ident),* $(,)?])? $(, types: [$($t:ty),* $(,)?])? $(, init: $init:expr)? $(,)?) => {
        /// Makes the module.
        pub fn make() -> $crate::errors::PyResult<$crate::object::Owned<$crate::kinds::Module>> {
            let m = $crate::kinds::Module::new($name);
            $( m.set_doc($doc)?; )?
            $( m.add_functions(vec![$($f::def()),*])?; )?
            $( $( {
                let t = $crate::builder::ready::<$t>()?;
                let n = t.name();
                m.add(n.rsplit('.').next().unwrap_or(&n), t)?;
            } )* )?
            $( { let f: fn(&$crate::kinds::Module) -> $crate::errors::PyResult<()> = $init; f(&m)?; } )?
            Ok(m)
        }
    };
}
