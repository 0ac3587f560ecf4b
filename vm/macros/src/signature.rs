//! Python signatures: parsing `"(a, b=None, /, *, key=0)"`, and the code that fetches and converts each argument.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericArgument, PathArguments, Type};

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ParamKind {
    PosOnly,
    PosOrKw,
    KwOnly,
    VarArgs,
    VarKw,
}

pub struct Param {
    pub name: String,
    pub kind: ParamKind,
    pub default: Option<String>,
}

pub struct Signature {
    pub params: Vec<Param>,
    pub text: String,
}

/// Parses the text between (and with) the parentheses.
pub fn parse(text: &str) -> Result<Signature, String> {
    let inner = text
        .trim()
        .strip_prefix('(')
        .and_then(|t| t.strip_suffix(')'))
        .ok_or("a signature is written in parentheses")?;
    let mut parts = vec![];
    let (mut depth, mut cur, mut quote_char) = (0, String::new(), None);
    for c in inner.chars() {
        match (quote_char, c) {
            (Some(q), c) if c == q => quote_char = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote_char = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(std::mem::take(&mut cur));
                continue;
            }
            _ => {}
        }
        cur.push(c);
    }
    if !cur.trim().is_empty() {
        parts.push(cur);
    }
    let mut params: Vec<Param> = vec![];
    let mut kind = ParamKind::PosOrKw;
    for p in &parts {
        let p = p.trim();
        if p == "/" {
            params.iter_mut().for_each(|q| q.kind = ParamKind::PosOnly);
        } else if p == "*" {
            kind = ParamKind::KwOnly;
        } else if let Some(n) = p.strip_prefix("**") {
            params.push(Param { name: n.into(), kind: ParamKind::VarKw, default: None });
        } else if let Some(n) = p.strip_prefix('*') {
            params.push(Param { name: n.into(), kind: ParamKind::VarArgs, default: None });
            kind = ParamKind::KwOnly;
        } else {
            let (n, d) = match p.split_once('=') {
                Some((n, d)) => (n.trim(), Some(d.trim().to_string())),
                None => (p, None),
            };
            params.push(Param { name: n.to_string(), kind, default: d });
        }
    }
    Ok(Signature { params, text: text.trim().to_string() })
}

/// A signature made from the Rust parameters: all positional-only, `Option` ones optional.
pub fn from_rust(args: &[(String, Type)]) -> Signature {
    let params: Vec<Param> = args
        .iter()
        .map(|(n, t)| Param {
            name: n.trim_start_matches('_').to_string(),
            kind: ParamKind::PosOnly,
            default: option_inner(t).map(|_| "<unrepresentable>".to_string()),
        })
        .collect();
    let mut text: Vec<String> = params
        .iter()
        .map(|p| match &p.default {
            Some(d) => format!("{}={}", p.name, d),
            None => p.name.clone(),
        })
        .collect();
    if !text.is_empty() {
        text.push("/".into());
    }
    Signature { params, text: format!("({})", text.join(", ")) }
}

/// `X` of `Option<X>`.
pub fn option_inner(t: &Type) -> Option<&Type> {
    if let Type::Path(p) = t
        && let Some(s) = p.path.segments.last()
        && s.ident == "Option"
        && let PathArguments::AngleBracketed(a) = &s.arguments
        && let Some(GenericArgument::Type(x)) = a.args.first()
    {
        return Some(x);
    }
    None
}

fn is_object_ref(t: &Type) -> bool {
    matches!(t, Type::Reference(r) if matches!(&*r.elem, Type::Path(p) if p.path.is_ident("Object")))
}

impl Signature {
    pub fn has_var(&self) -> bool {
        self.params.iter().any(|p| matches!(p.kind, ParamKind::VarArgs | ParamKind::VarKw))
    }
    pub fn all_required_posonly(&self) -> bool {
        self.params.iter().all(|p| p.kind == ParamKind::PosOnly && p.default.is_none())
    }
    /// Can any argument be given by keyword?
    pub fn takes_keywords(&self) -> bool {
        self.params.iter().any(|p| !matches!(p.kind, ParamKind::PosOnly | ParamKind::VarArgs))
    }
    /// The `ArgSpec` constant. `parse_tuple`: errors are worded as by `PyArg_ParseTuple`.
    pub fn spec(&self, fname: &str, parse_tuple: bool) -> TokenStream {
        let plain: Vec<&Param> =
            self.params.iter().filter(|p| !matches!(p.kind, ParamKind::VarArgs | ParamKind::VarKw)).collect();
        let names = plain.iter().map(|p| p.name.clone());
        let required = plain.iter().map(|p| p.default.is_none());
        let posonly = plain.iter().filter(|p| p.kind == ParamKind::PosOnly).count();
        let pos = plain.iter().filter(|p| p.kind != ParamKind::KwOnly).count();
        let varargs = self.params.iter().any(|p| p.kind == ParamKind::VarArgs);
        let varkw = self.params.iter().any(|p| p.kind == ParamKind::VarKw);
        quote! {
            ::lh_runtime::args::ArgSpec {
                fname: #fname,
                names: &[#(#names),*],
                required: &[#(#required),*],
                posonly: #posonly,
                pos: #pos,
                varargs: #varargs,
                varkw: #varkw,
                parse_tuple: #parse_tuple,
            }
        }
    }
    /// One conversion expression per Rust parameter, reading `__v[i]` (raw pointers), `__var` and `__kw`.
    pub fn conversions(&self, fname: &str, types: &[Type]) -> Result<Vec<TokenStream>, String> {
        if types.len() != self.params.len() {
            return Err(format!(
                "the signature has {} parameters and the function {}",
                self.params.len(),
                types.len()
            ));
        }
        let mut out = vec![];
        let mut i = 0usize;
        for (p, t) in self.params.iter().zip(types) {
            match p.kind {
                ParamKind::VarArgs => {
                    out.push(quote!(__var.as_deref().expect("collected")));
                    continue;
                }
                ParamKind::VarKw => {
                    out.push(quote!(__kw.as_deref()));
                    continue;
                }
                _ => {}
            }
            // A function with a single argument doesn't count it.
            let pos = if self.params.len() == 1 && self.all_required_posonly() { 0 } else { i + 1 };
            let name = if p.kind == ParamKind::PosOnly {
                quote!(None)
            } else {
                let n = &p.name;
                quote!(Some(#n))
            };
            let ctx = quote!(::lh_runtime::convert::ArgCtx { func: #fname, pos: #pos, name: #name });
            let raw = quote!(__v[#i]);
            let obj = quote!(::lh_runtime::object::Object::from_ptr(#raw));
            let code = if let Some(inner) = option_inner(t) {
                if p.default.as_deref() == Some("None") && !is_object_ref(inner) {
                    quote!(if #raw.is_null() || #obj.is_none() { None } else {
                        Some(<#inner as ::lh_runtime::convert::FromPy>::from_py(#obj, #ctx)?)
                    })
                } else {
                    quote!(if #raw.is_null() { None } else {
                        Some(<#inner as ::lh_runtime::convert::FromPy>::from_py(#obj, #ctx)?)
                    })
                }
            } else if let Some(d) = &p.default {
                let rust_default = match d.as_str() {
                    "True" => "true".to_string(),
                    "False" => "false".to_string(),
                    s if s.starts_with('\'') && s.ends_with('\'') && s.len() >= 2 => {
                        format!("{:?}", &s[1..s.len() - 1])
                    }
                    s => s.to_string(),
                };
                let e: TokenStream = rust_default
                    .parse()
                    .map_err(|_| format!("parameter '{}': default '{}' needs an Option type", p.name, d))?;
                if d == "None" {
                    return Err(format!("parameter '{}' with default None needs an Option type", p.name));
                }
                quote!(if #raw.is_null() { #e } else {
                    <#t as ::lh_runtime::convert::FromPy>::from_py(#obj, #ctx)?
                })
            } else {
                quote!(<#t as ::lh_runtime::convert::FromPy>::from_py(#obj, #ctx)?)
            };
            out.push(code);
            i += 1;
        }
        Ok(out)
    }
}
