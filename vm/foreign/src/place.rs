//! The question "where does this attribute, this item lie in C memory?", asked of objects that stand for such memory.
//!
//! As with native signatures ([`crate::publish`]) whoever owns a kind of object registers a provider under the address of
//! the function that would otherwise be called: an attribute's descriptor get, a type's subscript slot. An answer holds
//! for all instances of the object's exact class as long as the class's version stays; a trace guards both.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::RwLock;

use crate::sig::{RawObj, ResultKind};

/// Offset, in every object that stands for C memory, of the word that points to the memory.
pub const MEMORY_AT: u32 = 16;

/// Makes the object for a part of another's memory: class, the other, the part's number, its address. A new reference or
/// null with an exception.
pub type PartMaker = unsafe extern "C" fn(RawObj, RawObj, usize, *mut c_void) -> RawObj;
/// Makes a pointer object: class, address.
pub type PointerMaker = unsafe extern "C" fn(RawObj, *mut c_void) -> RawObj;

/// How a piece of memory becomes an object.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Held {
    /// A number, as if a function had returned it.
    Value(ResultKind),
    /// An object of its own over the same memory. The class lives as long as the asked object's.
    Part { class: RawObj, make: PartMaker },
}

/// Where an attribute lies.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Place {
    /// Behind the address that the object's memory holds (which must not be null), not in its memory itself.
    pub through: bool,
    /// In bytes.
    pub offset: usize,
    /// The part's number.
    pub index: usize,
    pub held: Held,
}

/// Where items lie, for an integer index.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Items {
    pub through: bool,
    /// Valid indices are below it; `None`: all are, negative ones too.
    pub len: Option<usize>,
    /// In bytes.
    pub stride: usize,
    pub held: Held,
}

/// # Safety
/// Called with a live descriptor and a live instance of a class it was found on, the GIL held. It must not run Python.
pub type PlaceProvider = unsafe fn(descriptor: RawObj, instance: RawObj) -> Option<Place>;
/// # Safety
/// Called with a live object whose subscript function is the registered one, the GIL held. It must not run Python.
pub type ItemsProvider = unsafe fn(object: RawObj) -> Option<Items>;

#[derive(Clone, Copy)]
enum Provider {
    Place(PlaceProvider),
    Items(ItemsProvider),
}

static PROVIDERS: RwLock<Option<HashMap<usize, Provider>>> = RwLock::new(None);

fn register(function: usize, provider: Provider) {
    let mut p = PROVIDERS.write().unwrap_or_else(|e| e.into_inner());
    p.get_or_insert_with(HashMap::new).insert(function, provider);
}
fn provider(function: usize) -> Option<Provider> {
    PROVIDERS.read().unwrap_or_else(|e| e.into_inner()).as_ref()?.get(&function).copied()
}

/// For attributes whose value this function (a descriptor's get, or a getter) would make.
pub fn register_place(function: usize, provider: PlaceProvider) {
    register(function, Provider::Place(provider));
}
/// For objects whose type has this subscript function.
pub fn register_items(function: usize, provider: ItemsProvider) {
    register(function, Provider::Items(provider));
}

/// Where an attribute lies, if it lies in C memory.
///
/// # Safety
/// `function` belongs to the descriptor, which was found on the instance's class; both are live, the GIL is held.
pub unsafe fn place(function: usize, descriptor: RawObj, instance: RawObj) -> Option<Place> {
    match provider(function)? {
        // SAFETY: the caller's promise.
        Provider::Place(f) => unsafe { f(descriptor, instance) },
        Provider::Items(_) => None,
    }
}

/// Where an object's items lie, if they lie in C memory.
///
/// # Safety
/// `subscript` is the object's type's; the object is live, the GIL is held.
pub unsafe fn items(subscript: usize, object: RawObj) -> Option<Items> {
    match provider(subscript)? {
        // SAFETY: the caller's promise.
        Provider::Items(f) => unsafe { f(object) },
        Provider::Place(_) => None,
    }
}
