//! Start-up of the runtime: readies every built-in type in dependency order.

use crate::prelude::*;

/// Fills in a type's slots ahead of readying it: its instances are made (and may die) while other types are readied.
fn slots_of<T: ClassDef>() {
    let mut b = TypeBuilder::new(T::type_ptr());
    T::prepare(&mut b);
    T::install(&mut b);
}

/// Readies the built-in types. Called once, with the GIL held, before anything else.
pub fn init_types() -> PyResult<()> {
    crate::gc::init();
    slots_of::<Str>();
    slots_of::<Int>();
    slots_of::<Tuple>();
    slots_of::<List>();
    slots_of::<Dict>();
    slots_of::<CFunction>();
    slots_of::<MethodDescr>();
    slots_of::<crate::descrobject::ClassMethodDescr>();
    slots_of::<MemberDescr>();
    slots_of::<GetSetDescr>();
    slots_of::<WrapperDescr>();
    slots_of::<StaticMethod>();
    slots_of::<Type>();
    // `object` and `type` first: everything inherits from them.
    ready::<Object>()?;
    ready::<Type>()?;
    ready::<StaticMethod>()?;
    ready::<CFunction>()?;
    // text
    crate::str_methods::init()?;
    crate::bytes_types::init()?;
    crate::memoryview::init()?;
    crate::picklebuf::init()?;
    // numbers
    crate::intobject::init()?;
    crate::floatobject::init()?;
    crate::complexobject::init()?;
    // containers
    crate::tupleobject::init()?;
    crate::listobject::init()?;
    crate::dictobject::init()?;
    crate::dict_views::init()?;
    crate::odictobject::init()?;
    crate::set_methods::init()?;
    crate::sliceobject::init()?;
    crate::rangeobject::init()?;
    crate::enumobject::init()?;
    crate::iterobject::init()?;
    // lead
    crate::namespaceobject::init()?;
    crate::genericalias::init()?;
    crate::contextobject::init()?;
    crate::container_calls::init()?;
    crate::capsule::init()?;
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
    crate::codeobject::init()?;
    crate::funcobject::init()?;
    crate::interpreterid::init()?;
    // Exported types that nothing here makes instances of; C code may look into them.
    use crate::type_table::{_PyBytesIOBuffer_Type, PyStdPrinter_Type};
    for t in [&raw mut _PyBytesIOBuffer_Type, &raw mut PyStdPrinter_Type] {
        // SAFETY: static types whose base is ready. Without instances there is nothing to traverse.
        unsafe {
            (*t).tp_flags &= !lh_abi::Py_TPFLAGS_HAVE_GC;
            crate::typeobject::ready(t)?;
        }
    }
    Ok(())
}
