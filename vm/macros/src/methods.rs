//! `#[pymethods]`: an `impl` block as methods, getters, setters, constructors and slots of the kind's type.

use crate::function::{Receiver, rust_params, signature_for, wrap};
use crate::signature::ParamKind;
use crate::util::*;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, ImplItem, ItemImpl, spanned::Spanned};

const MARKS: &[&str] =
    &["pymethod", "classmethod", "staticmethod", "getter", "setter", "slot", "new", "init", "classattr"];

fn mark(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|a| MARKS.iter().any(|m| a.path().is_ident(m)))
}

/// Which shim of `lh_runtime::slots` fits a slot.
fn shim(slot: &str) -> Option<&'static str> {
    Some(match slot {
        "tp_repr" | "tp_str" | "tp_iter" | "nb_negative" | "nb_positive" | "nb_absolute" | "nb_invert"
        | "nb_int" | "nb_float" | "nb_index" | "am_await" | "am_aiter" | "am_anext" => "slot_unary",
        "tp_iternext" => "slot_iternext",
        "tp_hash" => "slot_hash",
        "nb_bool" => "slot_inquiry",
        "sq_length" | "mp_length" => "slot_len",
        "nb_add" | "nb_subtract" | "nb_multiply" | "nb_remainder" | "nb_divmod" | "nb_lshift"
        | "nb_rshift" | "nb_and" | "nb_xor" | "nb_or" | "nb_floor_divide" | "nb_true_divide"
        | "nb_matrix_multiply" => "slot_binary_op",
        "nb_power" => "slot_ternary_op",
        "sq_concat"
        | "sq_inplace_concat"
        | "mp_subscript"
        | "tp_getattro"
        | "nb_inplace_add"
        | "nb_inplace_subtract"
        | "nb_inplace_multiply"
        | "nb_inplace_remainder"
        | "nb_inplace_lshift"
        | "nb_inplace_rshift"
        | "nb_inplace_and"
        | "nb_inplace_xor"
        | "nb_inplace_or"
        | "nb_inplace_floor_divide"
        | "nb_inplace_true_divide"
        | "nb_inplace_matrix_multiply" => "slot_binary",
        "sq_item" | "sq_repeat" | "sq_inplace_repeat" => "slot_ssizearg",
        "sq_ass_item" => "slot_ass_item",
        "sq_contains" => "slot_contains",
        "mp_ass_subscript" | "tp_setattro" => "slot_set",
        "tp_descr_set" => "slot_descr_set",
        "tp_call" => "slot_call",
        "tp_richcompare" => "slot_richcompare",
        "tp_descr_get" => "slot_descr_get",
        "tp_init" => "slot_init",
        "tp_new" => "slot_new",
        "tp_traverse" => "slot_traverse",
        "tp_clear" => "slot_clear",
        "tp_dealloc" | "tp_finalize" => "slot_destructor",
        "bf_getbuffer" => "slot_getbuffer",
        "bf_releasebuffer" => "slot_releasebuffer",
        _ => return None,
    })
}

pub fn expand(attr: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let opts = Options::from_tokens(attr)?;
    let mut imp: ItemImpl = syn::parse2(item)?;
    let self_ty = {
        let t = &imp.self_ty;
        quote!(#t)
    };
    let mut body: Vec<TokenStream> = vec![];
    for it in &mut imp.items {
        let ImplItem::Fn(f) = it else { continue };
        let Some(m) = mark(&f.attrs) else { continue };
        let kind = m.path().get_ident().expect("ident").to_string();
        let o = Options::from_attr(m)?;
        let ident = f.sig.ident.clone();
        let call = quote!(<#self_ty>::#ident);
        let doc = doc_of(&f.attrs);
        let rust_name = ident.to_string().trim_start_matches("r#").to_string();
        let at = f.sig.span();
        let inputs: Vec<&FnArg> = f.sig.inputs.iter().collect();
        let has_self = matches!(inputs.first(), Some(FnArg::Receiver(_)));
        match kind.as_str() {
            "pymethod" | "classmethod" | "staticmethod" => {
                let name = o.string("name").unwrap_or(rust_name);
                let (recv, rest) = match kind.as_str() {
                    "pymethod" if has_self => (Receiver::SelfRef, &inputs[1..]),
                    "classmethod" => (Receiver::Class, &inputs[1..]),
                    "staticmethod" => (Receiver::Static, &inputs[..]),
                    _ => return Err(syn::Error::new(at, "a method takes &self")),
                };
                let w = wrap(call, Some(&self_ty), &name, recv, &o, &rust_params(rest), &doc, at)?;
                let (item, mut flags, cname, cdoc) = (w.item, w.flags, c_str(&w.name), c_str(&w.doc));
                if recv == Receiver::Class {
                    flags = quote!(#flags | ::lh_runtime::abi::METH_CLASS);
                }
                if recv == Receiver::Static {
                    flags = quote!(#flags | ::lh_runtime::abi::METH_STATIC);
                }
                if o.flag("coexist") {
                    flags = quote!(#flags | ::lh_runtime::abi::METH_COEXIST);
                }
                body.push(quote!({ #item b.method(::lh_runtime::builder::method_def(#cname, __wrap as *const (), #flags, #cdoc)); }));
            }
            "getter" => {
                let name = o.string("name").or_else(|| o.first_word()).unwrap_or(rust_name);
                let (cname, cdoc) = (c_str(&name), c_str(&doc));
                let doc_ptr = if doc.is_empty() { quote!(None) } else { quote!(Some(#cdoc)) };
                body.push(quote!({
                    unsafe extern "C" fn __get(__self: *mut ::lh_runtime::abi::PyObject, _: *mut ::core::ffi::c_void)
                        -> *mut ::lh_runtime::abi::PyObject {
                        // SAFETY: the descriptor checked the type of the object.
                        unsafe { ::lh_runtime::border::object(|| ::lh_runtime::convert::IntoPy::into_py(
                            #call(::lh_runtime::object::Object::from_ptr(__self).downcast_unchecked::<#self_ty>()))) }
                    }
                    b.getter(#cname, __get, #doc_ptr);
                }));
            }
            "setter" => {
                let name = o
                    .string("name")
                    .or_else(|| o.first_word())
                    .unwrap_or_else(|| rust_name.trim_start_matches("set_").to_string());
                let cname = c_str(&name);
                body.push(quote!({
                    unsafe extern "C" fn __set(__self: *mut ::lh_runtime::abi::PyObject, __value: *mut ::lh_runtime::abi::PyObject,
                        _: *mut ::core::ffi::c_void) -> ::core::ffi::c_int {
                        // SAFETY: the descriptor checked the type of the object.
                        unsafe { ::lh_runtime::border::status(|| #call(
                            ::lh_runtime::object::Object::from_ptr(__self).downcast_unchecked::<#self_ty>(),
                            ::lh_runtime::object::Object::from_ptr_opt(__value))) }
                    }
                    b.setter(#cname, __set);
                }));
            }
            "classattr" => {
                let name = o.string("name").unwrap_or(rust_name);
                body.push(quote!(b.class_attr(#name, || ::lh_runtime::convert::IntoPy::into_py(#call()));));
            }
            "slot" => {
                let slot = o.first_word().ok_or_else(|| syn::Error::new(at, "which slot?"))?;
                let Some(sh) = shim(&slot) else {
                    return Err(syn::Error::new(at, format!("no shim for slot {slot}")));
                };
                let (sh, id) = (format_ident!("{}", sh), format_ident!("Py_{}", slot));
                body.push(quote!(b.slot(::lh_runtime::abi::#id, ::lh_runtime::#sh!(#self_ty, #call));));
            }
            "new" | "init" => {
                let is_new = kind == "new";
                let params = rust_params(&inputs[1..]);
                let sig = signature_for(&o, &params, at)?;
                let types: Vec<syn::Type> = params.iter().map(|p| p.1.clone()).collect();
                let tname = o.string("name");
                let fname = tname.clone().unwrap_or_else(|| self_ty.to_string().to_lowercase());
                let conv = sig.conversions(&fname, &types).map_err(|e| syn::Error::new(at, e))?;
                let spec = sig.spec(&fname, o.flag("parse_tuple"));
                let count = sig
                    .params
                    .iter()
                    .filter(|p| !matches!(p.kind, ParamKind::VarArgs | ParamKind::VarKw))
                    .count();
                let var_names = if sig.has_var() { quote!((__var, __kw)) } else { quote!(_) };
                // Without keywords of its own, `__new__` leaves them to the `__init__` of a subclass.
                let leave = if is_new && !sig.takes_keywords() {
                    quote! {
                        let __kwargs = ::lh_runtime::args::keywords_of_new(
                            __cls, <#self_ty as ::lh_runtime::object::Kind>::type_ptr(), __kwargs);
                    }
                } else {
                    quote!()
                };
                let parse = quote! {
                    #leave
                    static SPEC: ::lh_runtime::args::ArgSpec = #spec;
                    let mut __v = [::core::ptr::null_mut::<::lh_runtime::abi::PyObject>(); #count];
                    let #var_names = ::lh_runtime::args::parse_tuple(&SPEC, __args, __kwargs, &mut __v)?;
                };
                if is_new {
                    body.push(quote!({
                        unsafe extern "C" fn __new(__cls: *mut ::lh_runtime::abi::PyTypeObject, __args: *mut ::lh_runtime::abi::PyObject,
                            __kwargs: *mut ::lh_runtime::abi::PyObject) -> *mut ::lh_runtime::abi::PyObject {
                            // SAFETY: tp_new is called with a type, a tuple and a dict or null.
                            unsafe { ::lh_runtime::border::object(|| {
                                #parse
                                ::lh_runtime::convert::IntoPy::into_py(#call(::lh_runtime::kinds::Type::from_raw_ref(__cls) #(, #conv)*))
                            }) }
                        }
                        b.slot(::lh_runtime::abi::Py_tp_new, __new as *mut ::core::ffi::c_void);
                    }));
                } else {
                    body.push(quote!({
                        unsafe extern "C" fn __init(__self: *mut ::lh_runtime::abi::PyObject, __args: *mut ::lh_runtime::abi::PyObject,
                            __kwargs: *mut ::lh_runtime::abi::PyObject) -> ::core::ffi::c_int {
                            // SAFETY: tp_init is called with an instance, a tuple and a dict or null.
                            unsafe { ::lh_runtime::border::status(|| {
                                #parse
                                #call(::lh_runtime::object::Object::from_ptr(__self).downcast_unchecked::<#self_ty>() #(, #conv)*)
                            }) }
                        }
                        b.slot(::lh_runtime::abi::Py_tp_init, __init as *mut ::core::ffi::c_void);
                    }));
                }
                let lead = if is_new { "$type" } else { "$self" };
                let _ = lead;
                let sig_text = sig.text.clone();
                let short = tname.unwrap_or_default();
                if !short.is_empty() {
                    body.push(quote!(b.text_signature(#short, #sig_text);));
                }
            }
            _ => unreachable!("listed in MARKS"),
        }
        let f_attrs = std::mem::take(&mut f.attrs);
        f.attrs = f_attrs.into_iter().filter(|a| !MARKS.iter().any(|m| a.path().is_ident(m))).collect();
    }
    let parts = opts.idents("parts").into_iter().map(|p| {
        let f = format_ident!("install_{}", p);
        quote!(<#self_ty>::#f(b);)
    });
    let extra = opts.expr("extra").map(|e| quote!(#e(b);));
    let install = match opts.string("part") {
        Some(p) => {
            let f = format_ident!("install_{}", p);
            quote! {
                #[allow(unused_variables, unused_mut, clippy::all)]
                impl #self_ty {
                    /// Adds this block's methods to the type.
                    pub fn #f(b: &mut ::lh_runtime::builder::TypeBuilder) { #(#body)* #extra }
                }
            }
        }
        None => quote! {
            #[allow(unused_variables, unused_mut, clippy::all)]
            impl ::lh_runtime::builder::ClassDef for #self_ty {
                fn install(b: &mut ::lh_runtime::builder::TypeBuilder) { #(#body)* #(#parts)* #extra }
            }
        },
    };
    Ok(quote! {
        #imp
        #install
    })
}
