//! Attribute parsing and doc strings.

use proc_macro2::TokenStream;
use syn::{
    Attribute, Expr, Lit, Meta, Token,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// `name`, `name = value` or `name(a, b)` items of an attribute.
#[derive(Default)]
pub struct Options {
    pub items: Vec<Meta>,
}

impl Parse for Options {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let items = Punctuated::<Meta, Token![,]>::parse_terminated(input)?;
        Ok(Options { items: items.into_iter().collect() })
    }
}

impl Options {
    pub fn from_tokens(t: TokenStream) -> syn::Result<Options> {
        syn::parse2(t)
    }
    /// The options of a helper attribute such as `#[slot(tp_repr)]`.
    pub fn from_attr(a: &Attribute) -> syn::Result<Options> {
        match &a.meta {
            Meta::Path(_) => Ok(Options::default()),
            Meta::List(l) => syn::parse2(l.tokens.clone()),
            Meta::NameValue(_) => Err(syn::Error::new_spanned(a, "expected #[name] or #[name(...)]")),
        }
    }
    pub fn flag(&self, name: &str) -> bool {
        self.items.iter().any(|m| m.path().is_ident(name))
    }
    pub fn string(&self, name: &str) -> Option<String> {
        let mut e = self.expr(name)?;
        // A literal that came through a `macro_rules!` parameter sits in an invisible group.
        while let Expr::Group(g) = e {
            e = *g.expr;
        }
        match e {
            Expr::Lit(l) => match l.lit {
                Lit::Str(s) => Some(s.value()),
                _ => None,
            },
            _ => None,
        }
    }
    pub fn expr(&self, name: &str) -> Option<Expr> {
        self.items.iter().find_map(|m| match m {
            Meta::NameValue(nv) if nv.path.is_ident(name) => Some(nv.value.clone()),
            _ => None,
        })
    }
    /// The identifiers of `name(a, b)`.
    pub fn idents(&self, name: &str) -> Vec<syn::Ident> {
        self.items
            .iter()
            .find_map(|m| match m {
                Meta::List(l) if l.path.is_ident(name) => l
                    .parse_args_with(Punctuated::<syn::Ident, Token![,]>::parse_terminated)
                    .ok()
                    .map(|p| p.into_iter().collect()),
                _ => None,
            })
            .unwrap_or_default()
    }
    /// The first bare word.
    pub fn first_word(&self) -> Option<String> {
        self.items.iter().find_map(|m| match m {
            Meta::Path(p) => p.get_ident().map(|i| i.to_string()),
            _ => None,
        })
    }
}

/// The text of the `///` comments.
pub fn doc_of(attrs: &[Attribute]) -> String {
    let mut lines = vec![];
    for a in attrs {
        if let Meta::NameValue(nv) = &a.meta
            && nv.path.is_ident("doc")
            && let Expr::Lit(l) = &nv.value
            && let Lit::Str(s) = &l.lit
        {
            let v = s.value();
            lines.push(v.strip_prefix(' ').unwrap_or(&v).to_string());
        }
    }
    lines.join("\n")
}

/// A `&CStr` literal expression.
pub fn c_str(s: &str) -> TokenStream {
    let lit = syn::LitCStr::new(
        &std::ffi::CString::new(s.replace('\0', "")).expect("no NUL"),
        proc_macro2::Span::call_site(),
    );
    quote::quote!(#lit)
}
