//! Wrappers: from a Rust function and its signature to a C function, its flags and its doc string.

use crate::signature::{self, Signature};
use crate::util::*;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{FnArg, ItemFn, Pat, Type, spanned::Spanned};

/// What stands before the Python-visible parameters.
#[derive(Clone, Copy, PartialEq)]
pub enum Receiver {
    /// A module function without access to its module.
    None,
    /// `module: &Module`.
    Module,
    /// `&self`.
    SelfRef,
    /// `cls: &Type` of a class method.
    Class,
    /// A static method.
    Static,
}

pub struct Wrapped {
    /// The `unsafe extern "C" fn __wrap` item.
    pub item: TokenStream,
    pub flags: TokenStream,
    pub doc: String,
    pub name: String,
}

/// Names and types of the parameters after the receiver.
pub fn rust_params(inputs: &[&FnArg]) -> Vec<(String, Type)> {
    inputs
        .iter()
        .filter_map(|a| match a {
            FnArg::Typed(t) => {
                let n = match &*t.pat {
                    Pat::Ident(i) => i.ident.to_string(),
                    _ => "arg".into(),
                };
                Some((n, (*t.ty).clone()))
            }
            FnArg::Receiver(_) => None,
        })
        .collect()
}

pub fn signature_for(
    opts: &Options,
    params: &[(String, Type)],
    at: proc_macro2::Span,
) -> syn::Result<Signature> {
    match opts.string("signature") {
        Some(s) => signature::parse(&s).map_err(|e| syn::Error::new(at, e)),
        None => Ok(signature::from_rust(params)),
    }
}

/// The function for `METH_VARARGS` around one for `METH_FASTCALL`: what CPython calls in that way C code may replace by its own
/// function of that kind, or call with a tuple.
fn with_tuple(w: Wrapped) -> Wrapped {
    let fast = w.item;
    let item = quote! {
        unsafe extern "C" fn __wrap(__self: *mut ::lh_runtime::abi::PyObject, __tuple: *mut ::lh_runtime::abi::PyObject)
            -> *mut ::lh_runtime::abi::PyObject {
            #fast
            // SAFETY: called by the call protocol with a live tuple.
            unsafe {
                let __t = ::lh_runtime::object::Object::from_ptr(__tuple).downcast_unchecked::<::lh_runtime::kinds::Tuple>();
                __wrap(__self, __t.items_ptr(), __t.len() as isize)
            }
        }
    };
    Wrapped { item, flags: quote!(::lh_runtime::abi::METH_VARARGS), ..w }
}

/// Makes the wrapper of `call` (a path) for the receiver and signature.
pub fn wrap(
    call: TokenStream,
    self_ty: Option<&TokenStream>,
    name: &str,
    recv: Receiver,
    opts: &Options,
    params: &[(String, Type)],
    doc: &str,
    at: proc_macro2::Span,
) -> syn::Result<Wrapped> {
    let recv_expr = match recv {
        Receiver::None | Receiver::Static => quote!(),
        Receiver::Module => quote!(
            ::lh_runtime::object::Object::from_ptr(__self)
                .downcast_unchecked::<::lh_runtime::kinds::Module>(),
        ),
        Receiver::SelfRef => {
            quote!(::lh_runtime::object::Object::from_ptr(__self).downcast_unchecked::<#self_ty>(),)
        }
        Receiver::Class => quote!(
            ::lh_runtime::object::Object::from_ptr(__self).downcast_unchecked::<::lh_runtime::kinds::Type>(),
        ),
    };
    if opts.flag("raw") {
        // fn f([receiver,] args: Args<'_>) -> impl IntoPy
        let text = opts.string("signature").unwrap_or_default();
        // `raw, positional`: the call itself refuses keywords.
        let positional = opts.flag("positional");
        let (kw_param, kw_value) = if positional {
            (quote!(), quote!(::core::ptr::null_mut()))
        } else {
            (quote!(, __kwnames: *mut ::lh_runtime::abi::PyObject), quote!(__kwnames))
        };
        let item = quote! {
            unsafe extern "C" fn __wrap(__self: *mut ::lh_runtime::abi::PyObject, __args: *const *mut ::lh_runtime::abi::PyObject,
                __n: isize #kw_param) -> *mut ::lh_runtime::abi::PyObject {
                // SAFETY: called by the call protocol with live arguments.
                unsafe { ::lh_runtime::border::object(|| {
                    let __a = ::lh_runtime::args::Args::new(__args, __n as usize, #kw_value);
                    ::lh_runtime::convert::IntoPy::into_py(#call(#recv_expr __a))
                }) }
            }
        };
        let w = Wrapped {
            item,
            flags: if positional {
                quote!(::lh_runtime::abi::METH_FASTCALL)
            } else {
                quote!(::lh_runtime::abi::METH_FASTCALL | ::lh_runtime::abi::METH_KEYWORDS)
            },
            doc: with_signature(name, &text, recv, doc),
            name: name.into(),
        };
        return Ok(if opts.flag("varargs") && positional { with_tuple(w) } else { w });
    }
    let sig = signature_for(opts, params, at)?;
    let types: Vec<Type> = params.iter().map(|p| p.1.clone()).collect();
    let conv = sig.conversions(name, &types).map_err(|e| syn::Error::new(at, e))?;
    let n = sig.params.len();
    let (item, flags);
    let varargs = opts.flag("varargs");
    if n == 0 {
        flags = quote!(::lh_runtime::abi::METH_NOARGS);
        item = quote! {
            unsafe extern "C" fn __wrap(__self: *mut ::lh_runtime::abi::PyObject, _: *mut ::lh_runtime::abi::PyObject)
                -> *mut ::lh_runtime::abi::PyObject {
                // SAFETY: called by the call protocol with live arguments.
                unsafe { ::lh_runtime::border::object(|| ::lh_runtime::convert::IntoPy::into_py(#call(#recv_expr))) }
            }
        };
    } else if n == 1 && sig.all_required_posonly() && !varargs {
        flags = quote!(::lh_runtime::abi::METH_O);
        // With a single parameter CPython leaves the position out of the message.
        let conv = sig.conversions(name, &types).map_err(|e| syn::Error::new(at, e))?;
        item = quote! {
            unsafe extern "C" fn __wrap(__self: *mut ::lh_runtime::abi::PyObject, __arg: *mut ::lh_runtime::abi::PyObject)
                -> *mut ::lh_runtime::abi::PyObject {
                // SAFETY: called by the call protocol with live arguments.
                unsafe { ::lh_runtime::border::object(|| {
                    let __v = [__arg];
                    ::lh_runtime::convert::IntoPy::into_py(#call(#recv_expr #(#conv),*))
                }) }
            }
        };
    } else {
        // Functions in the style of `METH_VARARGS` refuse keywords by themselves, under their plain name.
        let keywords = sig.takes_keywords() || opts.flag("parse_tuple");
        flags = if keywords {
            quote!(::lh_runtime::abi::METH_FASTCALL | ::lh_runtime::abi::METH_KEYWORDS)
        } else {
            quote!(::lh_runtime::abi::METH_FASTCALL)
        };
        let spec = sig.spec(name, opts.flag("parse_tuple") || opts.flag("parse_stack"));
        let count = sig
            .params
            .iter()
            .filter(|p| !matches!(p.kind, signature::ParamKind::VarArgs | signature::ParamKind::VarKw))
            .count();
        let has_var = sig.has_var();
        // Without keywords the call itself refuses them, in the name of the function.
        let (kw_param, kw_value) = if keywords {
            (quote!(, __kwnames: *mut ::lh_runtime::abi::PyObject), quote!(__kwnames))
        } else {
            (quote!(), quote!(::core::ptr::null_mut()))
        };
        let slow = quote!(::lh_runtime::args::parse_fast(&SPEC, __args, __n as usize, #kw_value, &mut __v)?);
        let parse = if has_var {
            quote!(let (__var, __kw) = #slow;)
        } else {
            // The commonest call is parsed in place.
            quote! {
                const QUICK: ::lh_runtime::args::Quick = {
                    const S: ::lh_runtime::args::ArgSpec = #spec;
                    S.quick()
                };
                let __given: *mut ::lh_runtime::abi::PyObject = #kw_value;
                if __given.is_null() && QUICK.takes(__n as usize) {
                    for (__i, __o) in __v.iter_mut().enumerate().take(__n as usize) {
                        *__o = *__args.add(__i);
                    }
                } else {
                    let _ = #slow;
                }
            }
        };
        item = quote! {
            unsafe extern "C" fn __wrap(__self: *mut ::lh_runtime::abi::PyObject, __args: *const *mut ::lh_runtime::abi::PyObject,
                __n: isize #kw_param) -> *mut ::lh_runtime::abi::PyObject {
                static SPEC: ::lh_runtime::args::ArgSpec = #spec;
                // SAFETY: called by the call protocol with live arguments.
                unsafe { ::lh_runtime::border::object(|| {
                    let mut __v = [::core::ptr::null_mut::<::lh_runtime::abi::PyObject>(); #count];
                    #parse
                    ::lh_runtime::convert::IntoPy::into_py(#call(#recv_expr #(#conv),*))
                }) }
            }
        };
    }
    let w = Wrapped { item, flags, doc: with_signature(name, &sig.text, recv, doc), name: name.into() };
    Ok(if varargs && n > 0 && !sig.takes_keywords() { with_tuple(w) } else { w })
}

fn with_signature(name: &str, text: &str, recv: Receiver, doc: &str) -> String {
    if text.is_empty() || text.contains("<unrepresentable>") && !doc.is_empty() && text.is_empty() {
        return doc.to_string();
    }
    let lead = match recv {
        Receiver::None | Receiver::Module => "$module",
        Receiver::SelfRef => "$self",
        Receiver::Class => "$type",
        Receiver::Static => "",
    };
    let inner = text.trim_start_matches('(').strip_suffix(')').unwrap_or("");
    let sig = match (lead.is_empty(), inner.trim().is_empty()) {
        (true, _) => format!("({inner})"),
        // A lone receiver is positional-only.
        (false, true) => format!("({lead})"),
        (false, false) => format!("({lead}, {inner})"),
    };
    let sig = if inner.trim().is_empty() && !lead.is_empty() { format!("({lead}, /)") } else { sig };
    format!("{name}{sig}\n--\n\n{doc}")
}

/// `#[pyfunction]`.
pub fn expand(attr: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let opts = Options::from_tokens(attr)?;
    let f: ItemFn = syn::parse2(item)?;
    let ident = &f.sig.ident;
    let name = opts.string("name").unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_string());
    let mut inputs: Vec<&FnArg> = f.sig.inputs.iter().collect();
    let mut recv = Receiver::None;
    if let Some(FnArg::Typed(t)) = inputs.first()
        && let Pat::Ident(i) = &*t.pat
        && (i.ident == "module" || i.ident == "_module")
    {
        recv = Receiver::Module;
        inputs.remove(0);
    }
    let params = rust_params(&inputs);
    let doc = doc_of(&f.attrs);
    let w = wrap(quote!(super::#ident), None, &name, recv, &opts, &params, &doc, f.sig.span())?;
    let (item, flags, cname, cdoc) = (w.item, w.flags, c_str(&w.name), c_str(&w.doc));
    let mod_name = format_ident!("{}", ident);
    let vis = &f.vis;
    Ok(quote! {
        #f
        #[allow(non_snake_case, unused_imports, unused_variables, unused_mut, clippy::all)]
        #vis mod #mod_name {
            use super::*;
            #item
            /// The function's method definition.
            pub fn def() -> ::lh_runtime::abi::PyMethodDef {
                ::lh_runtime::builder::method_def(#cname, __wrap as *const (), #flags, #cdoc)
            }
        }
    })
}
