//! Objects as Rust sees them: `Object`, the kinds of object, and owned references.
//!
//! Every Python object is a C struct whose layout is CPython 3.11's. Rust code reaches it in two ways:
//!
//! ```text
//!   &T          a borrow: somebody else keeps the object alive (T: Kind)
//!   Owned<T>    one reference count, given back on drop
//! ```
//!
//! `T` is a *kind*: either a **layout kind**, a transparent wrapper of a struct of `lh_abi` (`Str`, `List`, `Type`, …), or
//! a **payload kind**, a Rust struct embedded behind the head of its base (`#[pyclass]`). All kinds deref to `Object`.
//! Wrapped structs sit in an `UnsafeCell`: C code and other borrows alias and change all of it at any time, so a `&T`
//! promises only that the object lives and is of that kind, never that its fields stay.
//!
//! Invariants: a reference exists only while the GIL is held; an `Owned` is never null; counts change hands silently only in
//! `into_raw` / `from_raw`.

use core::cell::{Cell, RefCell, UnsafeCell};
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;
use lh_abi::*;

use crate::kinds::Type;

/// Any Python object.
#[repr(transparent)]
pub struct Object(UnsafeCell<PyObject>);

/// A Rust type that describes some Python objects.
///
/// # Safety
/// If `type_ptr()` is a (super)type of an object, then a valid `Self` lies `OFFSET` bytes into it.
pub unsafe trait Kind: 'static + Sized {
    /// Bytes from the object's head to `Self`: 0 for layout kinds, the base's size for payload kinds.
    const OFFSET: usize;
    /// `tp_basicsize` of the kind's own type.
    const BASICSIZE: usize;
    /// The static type object.
    fn type_ptr() -> *mut PyTypeObject;

    /// Fills in what every instance of a payload kind needs (deallocation, tracing); made by `#[pyclass]`.
    fn prepare(_b: &mut crate::builder::TypeBuilder) {}
    /// Is `o` an instance of this kind (or of a subtype)?
    fn check(o: &Object) -> bool {
        // SAFETY: both are live type objects.
        unsafe {
            (*o.as_ptr()).ob_type == Self::type_ptr() || is_subtype((*o.as_ptr()).ob_type, Self::type_ptr())
        }
    }
    /// The kind's type object.
    fn class() -> &'static Type {
        // SAFETY: static type objects live for ever.
        unsafe { Type::from_raw_ref(Self::type_ptr()) }
    }
    /// The object this value is part of.
    fn as_object(&self) -> &Object {
        // SAFETY: a `Self` of an object lies OFFSET bytes behind its head (trait contract).
        // Through an address: a payload without cells is immutable behind `&self` for the optimiser, the head in front of it is not.
        unsafe { &*((self as *const Self as usize - Self::OFFSET) as *const Object) }
    }
    /// # Safety
    /// `o` is of this kind.
    unsafe fn from_object(o: &Object) -> &Self {
        // SAFETY: trait contract.
        unsafe { &*((o as *const Object).cast::<u8>().add(Self::OFFSET).cast::<Self>()) }
    }
    /// The head of the object.
    fn raw(&self) -> *mut PyObject {
        self.as_object().as_ptr()
    }
    /// A new reference to the object.
    fn own(&self) -> Owned<Self> {
        // SAFETY: the object is live while borrowed; the new count is the Owned's.
        unsafe {
            let p = self.raw();
            (*p).ob_refcnt += 1;
            Owned::from_raw(p)
        }
    }
}

/// Whether `sub` is `sup` or derives from it; `None`: it has no MRO yet.
///
/// # Safety
/// Both are live type objects.
#[inline(always)]
pub unsafe fn by_mro(sub: *mut PyTypeObject, sup: *mut PyTypeObject) -> Option<bool> {
    // SAFETY: tp_mro of a ready type is a tuple of types.
    unsafe {
        let mro = (*sub).tp_mro.cast::<PyTupleObject>();
        if mro.is_null() {
            return None;
        }
        let mut p = (&raw const (*mro).ob_item).cast::<*mut PyObject>();
        let end = p.add((*mro).ob_base.ob_size as usize);
        while p < end {
            if *p == sup.cast() {
                return Some(true);
            }
            p = p.add(1);
        }
        Some(false)
    }
}

/// Whether `sub` is `sup` or derives from it, by the MRO (bases before the MRO exists).
///
/// # Safety
/// Both are live type objects.
pub unsafe fn is_subtype(sub: *mut PyTypeObject, sup: *mut PyTypeObject) -> bool {
    // SAFETY: tp_mro of a ready type is a tuple of types; the tp_base chain ends in null.
    unsafe {
        if sub == sup {
            return true;
        }
        if let Some(r) = by_mro(sub, sup) {
            return r;
        }
        let mut t = sub;
        while !t.is_null() {
            if t == sup {
                return true;
            }
            t = (*t).tp_base;
        }
        sup == &raw mut crate::type_table::PyBaseObject_Type
    }
}

// SAFETY: an Object is the head itself and every object is an instance of `object`.
unsafe impl Kind for Object {
    const OFFSET: usize = 0;
    const BASICSIZE: usize = size_of::<PyObject>();
    fn type_ptr() -> *mut PyTypeObject {
        &raw mut crate::type_table::PyBaseObject_Type
    }
    #[inline]
    fn check(_: &Object) -> bool {
        true
    }
    #[inline]
    fn as_object(&self) -> &Object {
        self
    }
}

impl Object {
    /// # Safety
    /// `p` points to a live object that somebody keeps alive for `'a`.
    #[inline]
    pub unsafe fn from_ptr<'a>(p: *mut PyObject) -> &'a Object {
        debug_assert!(!p.is_null());
        // SAFETY: the caller's promise.
        unsafe { &*p.cast() }
    }
    /// As `from_ptr`, for pointers that may be null.
    ///
    /// # Safety
    /// As `from_ptr`, if not null.
    #[inline]
    pub unsafe fn from_ptr_opt<'a>(p: *mut PyObject) -> Option<&'a Object> {
        // SAFETY: the caller's promise.
        if p.is_null() { None } else { Some(unsafe { &*p.cast() }) }
    }
    #[inline]
    pub fn as_ptr(&self) -> *mut PyObject {
        self.0.get()
    }
    #[inline]
    pub fn ob_type(&self) -> *mut PyTypeObject {
        // SAFETY: a live object's head is readable.
        unsafe { (*self.as_ptr()).ob_type }
    }
    /// `type(self)`.
    #[inline]
    pub fn ty(&self) -> &Type {
        // SAFETY: an object keeps its type alive.
        unsafe { Type::from_raw_ref(self.ob_type()) }
    }
    #[inline]
    pub fn refcnt(&self) -> isize {
        // SAFETY: a live object's head is readable.
        unsafe { (*self.as_ptr()).ob_refcnt }
    }
    #[inline]
    pub fn is<T: Kind>(&self, other: &T) -> bool {
        self.as_ptr() == other.raw()
    }
    #[inline]
    pub fn is_none(&self) -> bool {
        self.as_ptr() == &raw mut crate::singletons::_Py_NoneStruct
    }
    #[inline]
    pub fn is_not_implemented(&self) -> bool {
        self.as_ptr() == &raw mut crate::singletons::_Py_NotImplementedStruct
    }
    #[inline]
    pub fn is_true_object(&self) -> bool {
        self.as_ptr() == (&raw mut crate::singletons::_Py_TrueStruct).cast()
    }
    #[inline]
    pub fn is_false_object(&self) -> bool {
        self.as_ptr() == (&raw mut crate::singletons::_Py_FalseStruct).cast()
    }
    /// This object as a `T`, if it is an instance of `T`'s type or of a subtype.
    #[inline]
    pub fn downcast<T: Kind>(&self) -> Option<&T> {
        // SAFETY: just checked.
        if T::check(self) { Some(unsafe { T::from_object(self) }) } else { None }
    }
    /// This object as a `T`, if its type is exactly `T`'s.
    #[inline]
    pub fn downcast_exact<T: Kind>(&self) -> Option<&T> {
        // SAFETY: just checked.
        if self.ob_type() == T::type_ptr() { Some(unsafe { T::from_object(self) }) } else { None }
    }
    /// # Safety
    /// The object is an instance of `T`'s type.
    #[inline]
    pub unsafe fn downcast_unchecked<T: Kind>(&self) -> &T {
        debug_assert!(T::check(self));
        // SAFETY: the caller's promise.
        unsafe { T::from_object(self) }
    }
    #[inline]
    pub fn is_instance_of<T: Kind>(&self) -> bool {
        T::check(self)
    }
    #[inline]
    pub fn is_exact<T: Kind>(&self) -> bool {
        self.ob_type() == T::type_ptr()
    }
}

/// One reference to an object, given back on drop.
#[repr(transparent)]
pub struct Owned<T: Kind = Object>(NonNull<PyObject>, PhantomData<T>);

impl<T: Kind> Owned<T> {
    /// Takes over one reference count.
    ///
    /// # Safety
    /// `p` is a live object of kind `T` and the caller gives up one count of it.
    #[inline]
    pub unsafe fn from_raw(p: *mut PyObject) -> Owned<T> {
        debug_assert!(!p.is_null());
        // SAFETY: not null by contract.
        Owned(unsafe { NonNull::new_unchecked(p) }, PhantomData)
    }
    /// As `from_raw`; `None` for null.
    ///
    /// # Safety
    /// As `from_raw`, if not null.
    #[inline]
    pub unsafe fn from_raw_opt(p: *mut PyObject) -> Option<Owned<T>> {
        NonNull::new(p).map(|p| Owned(p, PhantomData))
    }
    /// Gives the reference count to the caller.
    #[inline]
    pub fn into_raw(self) -> *mut PyObject {
        let p = self.0.as_ptr();
        core::mem::forget(self);
        p
    }
    #[inline]
    pub fn into_object(self) -> Owned<Object> {
        // SAFETY: every object is an Object.
        unsafe { Owned::from_raw(self.into_raw()) }
    }
    #[inline]
    pub fn downcast_owned<U: Kind>(self) -> Result<Owned<U>, Owned<T>> {
        if U::check((*self).as_object()) {
            // SAFETY: just checked.
            Ok(unsafe { Owned::from_raw(self.into_raw()) })
        } else {
            Err(self)
        }
    }
    /// # Safety
    /// The object is of kind `U`.
    #[inline]
    pub unsafe fn cast_unchecked<U: Kind>(self) -> Owned<U> {
        // SAFETY: the caller's promise.
        unsafe { Owned::from_raw(self.into_raw()) }
    }
    #[inline]
    pub fn ptr(&self) -> *mut PyObject {
        self.0.as_ptr()
    }
}

impl<T: Kind> Deref for Owned<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we hold a count, and the object is a T.
        unsafe { T::from_object(&*self.0.as_ptr().cast()) }
    }
}

impl<T: Kind> Clone for Owned<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: the object is live.
        unsafe { (*self.0.as_ptr()).ob_refcnt += 1 };
        Owned(self.0, PhantomData)
    }
}

impl<T: Kind> Drop for Owned<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: we own one count.
        unsafe { decref(self.0.as_ptr()) }
    }
}

impl<T: Kind> AsRef<Object> for Owned<T> {
    fn as_ref(&self) -> &Object {
        (**self).as_object()
    }
}

/// # Safety
/// `p` is a live object.
#[inline]
pub unsafe fn incref(p: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe { (*p).ob_refcnt += 1 }
}

/// # Safety
/// `p` is null or a live object.
#[inline]
pub unsafe fn xincref(p: *mut PyObject) {
    if !p.is_null() {
        // SAFETY: the caller's promise.
        unsafe { (*p).ob_refcnt += 1 }
    }
}

/// Gives back one count; may run arbitrary Python code (destructors).
///
/// # Safety
/// `p` is a live object and the caller owns one count.
#[inline]
pub unsafe fn decref(p: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let n = (*p).ob_refcnt - 1;
        (*p).ob_refcnt = n;
        if n == 0 {
            dealloc(p)
        }
    }
}

/// # Safety
/// As `decref`, or null.
#[inline]
pub unsafe fn xdecref(p: *mut PyObject) {
    if !p.is_null() {
        // SAFETY: the caller's promise.
        unsafe { decref(p) }
    }
}

/// Calls the type's deallocator.
///
/// # Safety
/// The count of `p` has just reached zero.
#[inline(never)]
pub unsafe fn dealloc(p: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe { dealloc_here(p) }
}
/// `dealloc`, for a caller that is nothing else.
///
/// # Safety
/// As `dealloc`.
#[inline(always)]
pub unsafe fn dealloc_here(p: *mut PyObject) {
    // SAFETY: every ready type has a tp_dealloc. An exact int holds nothing, and is what dies most.
    unsafe {
        if (*p).ob_type == &raw mut crate::type_table::PyLong_Type {
            return crate::intobject::free_int(p);
        }
        if crate::thread::dealloc_is_deep() {
            return crate::trash::dealloc_deep(p);
        }
        ((*(*p).ob_type).tp_dealloc.unwrap_unchecked())(p)
    }
}

/// Converts a new reference or null (with the error set) as C functions return it.
///
/// # Safety
/// `p` is null with an exception set, or a new reference of kind `T`.
#[inline]
pub unsafe fn from_c<T: Kind>(p: *mut PyObject) -> crate::errors::PyResult<Owned<T>> {
    // SAFETY: the caller's promise.
    match unsafe { Owned::from_raw_opt(p) } {
        Some(o) => Ok(o),
        None => Err(crate::errors::Raised::already_set()),
    }
}

// ---- Cells that hold references ----

/// A mutable field that holds a reference or nothing. Reads hand out new references, so that no borrow of a field can outlive a
/// change of it; replaced values are dropped after the new one is in place.
pub struct Slot<T: Kind = Object>(Cell<Option<Owned<T>>>);

impl<T: Kind> Slot<T> {
    pub const fn empty() -> Self {
        Slot(Cell::new(None))
    }
    pub const fn new(value: Option<Owned<T>>) -> Self {
        Slot(Cell::new(value))
    }
    pub fn of(value: Owned<T>) -> Self {
        Slot(Cell::new(Some(value)))
    }
    #[inline]
    pub fn get(&self) -> Option<Owned<T>> {
        // SAFETY: the clone only bumps a count: nothing can re-enter while the field is looked at.
        unsafe { (*self.0.as_ptr()).clone() }
    }
    /// A borrow for as long as the caller knows that nothing can change the field.
    ///
    /// # Safety
    /// No code that could set this slot runs while the borrow lives.
    #[inline]
    pub unsafe fn peek(&self) -> Option<&T> {
        // SAFETY: the caller's promise.
        unsafe { (*self.0.as_ptr()).as_deref() }
    }
    pub fn is_some(&self) -> bool {
        // SAFETY: a plain look at the discriminant.
        unsafe { (*self.0.as_ptr()).is_some() }
    }
    #[inline]
    pub fn set(&self, value: Option<Owned<T>>) {
        drop(self.0.replace(value));
    }
    #[inline]
    pub fn take(&self) -> Option<Owned<T>> {
        self.0.take()
    }
    pub fn replace(&self, value: Option<Owned<T>>) -> Option<Owned<T>> {
        self.0.replace(value)
    }
}

// ---- Tracing for the cycle collector ----

/// What a `tp_traverse` hands on.
pub struct Visitor {
    pub visit: visitproc,
    pub arg: *mut core::ffi::c_void,
    /// The first non-zero answer; visiting stops there.
    pub result: core::ffi::c_int,
}

impl Visitor {
    #[inline]
    pub fn visit_ptr(&mut self, p: *mut PyObject) {
        if self.result == 0 && !p.is_null() {
            // SAFETY: the collector's visit function takes any live object.
            self.result = unsafe { (self.visit)(p, self.arg) }
        }
    }
    pub fn visit<T: Kind>(&mut self, o: &T) {
        self.visit_ptr(o.raw())
    }
}

/// Values that may hold references: a `#[pyclass]`'s fields.
pub trait Trace {
    fn trace(&self, _v: &mut Visitor) {}
    /// Drops the references that may close a cycle, where the field allows it. (Not called `clear`: that would hide `Vec::clear`.)
    fn clear_refs(&self) {}
}

impl<T: Kind> Trace for Owned<T> {
    fn trace(&self, v: &mut Visitor) {
        v.visit_ptr(self.ptr())
    }
}
impl<T: Kind> Trace for Slot<T> {
    fn trace(&self, v: &mut Visitor) {
        // SAFETY: visiting changes no field.
        if let Some(o) = unsafe { self.peek() } {
            v.visit_ptr(o.raw())
        }
    }
    fn clear_refs(&self) {
        drop(self.take())
    }
}
impl<T: Trace> Trace for Option<T> {
    fn trace(&self, v: &mut Visitor) {
        if let Some(x) = self {
            x.trace(v)
        }
    }
}
impl<T: Trace> Trace for Vec<T> {
    fn trace(&self, v: &mut Visitor) {
        self.iter().for_each(|x| x.trace(v))
    }
}
impl<T: Trace, const N: usize> Trace for [T; N] {
    fn trace(&self, v: &mut Visitor) {
        self.iter().for_each(|x| x.trace(v))
    }
    fn clear_refs(&self) {
        self.iter().for_each(|x| x.clear_refs())
    }
}
impl<T: Trace> Trace for Box<T> {
    fn trace(&self, v: &mut Visitor) {
        (**self).trace(v)
    }
}
impl<T: Trace> Trace for std::collections::VecDeque<T> {
    fn trace(&self, v: &mut Visitor) {
        self.iter().for_each(|x| x.trace(v))
    }
}
impl<T: Trace> Trace for Cell<T> {
    fn trace(&self, v: &mut Visitor) {
        // SAFETY: visiting changes no field.
        unsafe { (*self.as_ptr()).trace(v) }
    }
}
impl<T: Trace + Default> Trace for RefCell<T> {
    fn trace(&self, v: &mut Visitor) {
        // SAFETY: visiting changes no field, and the collector never runs inside a borrow that is being changed.
        unsafe { (*self.as_ptr()).trace(v) }
    }
    fn clear_refs(&self) {
        if let Ok(mut x) = self.try_borrow_mut() {
            let old = std::mem::take(&mut *x);
            drop(x);
            drop(old);
        }
    }
}
impl<A: Trace, B: Trace> Trace for (A, B) {
    fn trace(&self, v: &mut Visitor) {
        self.0.trace(v);
        self.1.trace(v)
    }
}
macro_rules! no_references {
    ($($t:ty),*) => { $(impl Trace for $t {})* };
}
no_references!(
    bool,
    i8,
    i16,
    i32,
    i64,
    isize,
    u8,
    u16,
    u32,
    u64,
    usize,
    f32,
    f64,
    char,
    String,
    (),
    core::ffi::CStr,
    std::ffi::CString
);
impl<T> Trace for *mut T {}
impl<T> Trace for *const T {}
