//! Start-up of the runtime: readies every built-in type in dependency order.

use crate::prelude::*;

/// Readies the built-in types. Called once, with the GIL held, before anything else.
///
/// `object` and `type` come first; dictionaries, strings and tuples are used while they are made, which works because those need only
/// their static type objects to exist.
pub fn init_types() -> PyResult<()> {
    crate::gc::init();
    ready::<Object>()?;
    ready::<Type>()?;
    // text
    // numbers
    crate::intobject::init()?;
    crate::floatobject::init()?;
    crate::complexobject::init()?;
    // containers
    // the lead's
    crate::descrobject::init()?;
    crate::property::init()?;
    crate::methodobject::init()?;
    crate::classobject::init()?;
    crate::exceptions::init()?;
    crate::object_type::init()?;
    crate::weakref::init()?;
    crate::moduleobject::init()?;
    // interp
    Ok(())
}
