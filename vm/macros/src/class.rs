//! `#[pyclass]`: a Rust struct as the payload of a Python type.

use crate::util::*;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, ItemStruct};

pub fn expand(attr: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let opts = Options::from_tokens(attr)?;
    let mut st: ItemStruct = syn::parse2(item)?;
    let ident = st.ident.clone();
    let name = opts.string("name").unwrap_or_else(|| ident.to_string());
    let full = match opts.string("module") {
        Some(m) => format!("{m}.{name}"),
        None => name.clone(),
    };
    let base = match opts.expr("base") {
        Some(e) => quote!(#e),
        None => quote!(::lh_runtime::object::Object),
    };
    let doc = opts.string("doc").unwrap_or_else(|| doc_of(&st.attrs));
    let (cname, cdoc) = (c_str(&full), c_str(&doc));
    let doc_ptr = if doc.is_empty() { quote!(::core::ptr::null()) } else { quote!(#cdoc.as_ptr()) };
    let mut flags = quote!(::lh_runtime::abi::Py_TPFLAGS_DEFAULT);
    let gc = !opts.flag("nogc");
    if gc {
        flags = quote!(#flags | ::lh_runtime::abi::Py_TPFLAGS_HAVE_GC);
    }
    if opts.flag("basetype") {
        flags = quote!(#flags | ::lh_runtime::abi::Py_TPFLAGS_BASETYPE);
    }
    if !opts.flag("mutabletype") {
        flags = quote!(#flags | ::lh_runtime::abi::Py_TPFLAGS_IMMUTABLETYPE);
    }
    if opts.flag("no_new") {
        flags = quote!(#flags | ::lh_runtime::abi::Py_TPFLAGS_DISALLOW_INSTANTIATION);
    }
    if opts.flag("sequence") {
        flags = quote!(#flags | ::lh_runtime::abi::Py_TPFLAGS_SEQUENCE);
    }
    if opts.flag("mapping") {
        flags = quote!(#flags | ::lh_runtime::abi::Py_TPFLAGS_MAPPING);
    }
    let (weak, dict) = (opts.flag("weakref") as usize, opts.flag("dict") as usize);
    // A payload that has the word for weak references itself, as C code expects it, says where.
    let weak_at = opts.expr("weakoffset");
    let weak_offset = match &weak_at {
        Some(e) => quote!(#e),
        None => {
            quote!(if #weak == 1 { <#ident as ::lh_runtime::object::Kind>::BASICSIZE as isize - 8 * (1 + #dict as isize) } else { 0 })
        }
    };
    let mut traces = vec![];
    let mut clears = vec![];
    if let Fields::Named(fs) = &mut st.fields {
        for f in &mut fs.named {
            let skip = f.attrs.iter().any(|a| a.path().is_ident("notrace"));
            f.attrs.retain(|a| !a.path().is_ident("notrace"));
            let fi = f.ident.as_ref().expect("named");
            if !skip {
                traces.push(quote!(::lh_runtime::object::Trace::trace(&self.#fi, __v);));
                clears.push(quote!(::lh_runtime::object::Trace::clear_refs(&self.#fi);));
            }
        }
    }
    Ok(quote! {
        #st
        // SAFETY: the type's instances are made by `Payload::build_in`, which writes a `Self` at OFFSET.
        unsafe impl ::lh_runtime::object::Kind for #ident {
            const OFFSET: usize = <#base as ::lh_runtime::object::Kind>::BASICSIZE.next_multiple_of(8);
            const BASICSIZE: usize = (Self::OFFSET + ::core::mem::size_of::<#ident>()).next_multiple_of(8) + 8 * (#weak + #dict);
            fn type_ptr() -> *mut ::lh_runtime::abi::PyTypeObject {
                static mut TYPE: ::lh_runtime::abi::PyTypeObject = ::lh_runtime::abi::PyTypeObject {
                    ob_base: ::lh_runtime::abi::PyVarObject {
                        ob_base: ::lh_runtime::abi::PyObject { ob_refcnt: 1, ob_type: &raw mut ::lh_runtime::type_table::PyType_Type },
                        ob_size: 0,
                    },
                    tp_name: #cname.as_ptr(),
                    tp_doc: #doc_ptr,
                    tp_basicsize: <#ident as ::lh_runtime::object::Kind>::BASICSIZE as isize,
                    tp_flags: #flags,
                    tp_weaklistoffset: #weak_offset,
                    tp_dictoffset: if #dict == 1 { <#ident as ::lh_runtime::object::Kind>::BASICSIZE as isize - 8 } else { 0 },
                    ..::lh_runtime::abi::PyTypeObject::ZERO
                };
                &raw mut TYPE
            }
            fn prepare(b: &mut ::lh_runtime::builder::TypeBuilder) {
                ::lh_runtime::builder::prepare_payload::<#ident>(b, <#base as ::lh_runtime::object::Kind>::type_ptr());
            }
        }
        impl ::lh_runtime::builder::Payload for #ident {
            fn trace_fields(&self, __v: &mut ::lh_runtime::object::Visitor) {
                let _ = &__v;
                #(#traces)*
            }
            fn clear_fields(&self) {
                #(#clears)*
            }
        }
        impl ::core::ops::Deref for #ident {
            type Target = ::lh_runtime::object::Object;
            fn deref(&self) -> &::lh_runtime::object::Object {
                ::lh_runtime::object::Kind::as_object(self)
            }
        }
    })
}
