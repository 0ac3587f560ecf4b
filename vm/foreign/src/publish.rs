//! The question "what is your native signature?", asked of any callable.
//!
//! Who owns a kind of callable registers a provider for it, keyed by the address of the vectorcall function that its
//! instances carry: that pointer is what the interpreter and the recorder have read anyway. So neither has to know which
//! packages exist, and an extension can take part by registering too.
//!
//! An answer holds as long as the word at `version_at` in the callable keeps its value; a trace that inlines the call
//! guards the callable's identity and that word. The types named in the signature live at least as long as the version.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::place::PointerMaker;
use crate::sig::{NativeSig, RawObj};
use crate::stub::BoxHelpers;

#[derive(Clone)]
pub struct Published {
    pub sig: Arc<NativeSig>,
    /// Offset in the callable of a word that changes with the signature.
    pub version_at: u32,
    pub version: u64,
    /// Types, boxing functions and GIL hooks to use around the call.
    pub helpers: &'static BoxHelpers,
    /// Results that the signature only says are wrapped: pointer instances of this class, made so. It lives as long as
    /// the version.
    pub pointer: Option<(RawObj, PointerMaker)>,
}

/// # Safety
/// Called with a live callable whose vectorcall function is the one registered, the GIL held. It must not run Python.
pub type Provider = unsafe fn(callable: RawObj) -> Option<Published>;

static PROVIDERS: RwLock<Option<HashMap<usize, Provider>>> = RwLock::new(None);

/// Registers the provider for callables with this vectorcall function.
pub fn register(vectorcall: usize, provider: Provider) {
    let mut p = PROVIDERS.write().unwrap_or_else(|e| e.into_inner());
    p.get_or_insert_with(HashMap::new).insert(vectorcall, provider);
}

/// The native signature of a callable, if it has one.
///
/// # Safety
/// `callable` is live, `vectorcall` is its vectorcall function, the GIL is held.
pub unsafe fn native_sig(vectorcall: usize, callable: RawObj) -> Option<Published> {
    let provider = *PROVIDERS.read().unwrap_or_else(|e| e.into_inner()).as_ref()?.get(&vectorcall)?;
    // SAFETY: the caller's promise.
    unsafe { provider(callable) }
}
