//! `_md5`, `_sha1`, `_sha256`, `_sha512`, `_sha3`: hash objects around the RustCrypto implementations.

use digest::{Digest, ExtendableOutput, Update, XofReader};
use lh_runtime::prelude::*;
use std::cell::RefCell;

/// Above this size hashing runs without the GIL.
const GIL_MINSIZE: usize = 2047;

/// The bytes of an argument to be hashed.
pub fn hashed(o: &Object) -> PyResult<Buffer> {
    if Str::check(o) {
        return raise!(TypeError, "Strings must be encoded before hashing");
    }
    if !lh_runtime::buffer::supports_buffer(o) {
        return raise!(TypeError, "object supporting the buffer API required");
    }
    let b = Buffer::simple(o)?;
    if b.view.ndim > 1 {
        return raise!(BufferError, "Buffer must be single dimension");
    }
    Ok(b)
}

pub fn hex(b: &[u8]) -> String {
    let mut out = vec![0; 2 * b.len()];
    lh_runtime::bytes_methods::hex_digits(b, &mut out);
    out.into_iter().map(char::from).collect()
}

/// Feeds `o` to a hash state, without the GIL if there is much of it.
pub fn feed<T: Send>(state: &RefCell<T>, o: &Object, f: impl FnOnce(&mut T, &[u8]) + Send) -> PyResult<()> {
    let b = hashed(o)?;
    let data = b.as_bytes();
    let Ok(mut s) = state.try_borrow_mut() else {
        return raise!(RuntimeError, "hash object is being updated by another thread");
    };
    if data.len() > GIL_MINSIZE {
        lh_runtime::thread::allow_threads(|| f(&mut s, data));
    } else {
        f(&mut s, data);
    }
    Ok(())
}

macro_rules! hash_type {
    ($ty:ident, $state:ty, $pyname:tt, $module:tt, $label:expr, $block:expr, $maker:ident) => {
        #[pyclass(name = $pyname, module = $module, no_new, nogc)]
        pub struct $ty {
            #[notrace]
            state: RefCell<$state>,
        }
        #[pymethods]
        impl $ty {
            /// Update this hash object's state with the provided string.
            #[pymethod(signature = "(obj, /)")]
            fn update(&self, obj: &Object) -> PyResult<()> {
                feed(&self.state, obj, |s, d| Update::update(s, d))
            }
            /// Return the digest value as a bytes object.
            #[pymethod(signature = "()")]
            fn digest(&self) -> Vec<u8> {
                self.state.borrow().clone().finalize().to_vec()
            }
            /// Return the digest value as a string of hexadecimal digits.
            #[pymethod(signature = "()")]
            fn hexdigest(&self) -> String {
                hex(&self.state.borrow().clone().finalize())
            }
            /// Return a copy of the hash object.
            #[pymethod(signature = "()")]
            fn copy(&self) -> Owned<$ty> {
                $ty { state: self.state.clone() }.build()
            }
            #[getter]
            fn name(&self) -> &'static str {
                $label
            }
            #[getter]
            fn digest_size(&self) -> usize {
                <$state as Digest>::output_size()
            }
            #[getter]
            fn block_size(&self) -> usize {
                $block
            }
        }
        /// Return a new hash object, optionally initialised with a string.
        #[pyfunction(signature = "(string=b'', *, usedforsecurity=True)")]
        pub fn $maker(string: Option<&Object>, usedforsecurity: bool) -> PyResult<Owned<$ty>> {
            let _ = usedforsecurity;
            let h = $ty { state: RefCell::new(<$state>::default()) }.build();
            if let Some(s) = string {
                feed(&h.state, s, |s, d| Update::update(s, d))?;
            }
            Ok(h)
        }
    };
}

pub mod md5 {
    use super::*;
    hash_type!(Md5Type, md5_impl::Md5, "md5", "_md5", "md5", 64, md5);
    module! { "_md5", functions: [md5], init: |m| m.add("MD5Type", ready::<Md5Type>()?) }
}
pub mod sha1 {
    use super::*;
    hash_type!(Sha1Type, sha1_impl::Sha1, "sha1", "_sha1", "sha1", 64, sha1);
    module! { "_sha1", functions: [sha1], init: |m| m.add("SHA1Type", ready::<Sha1Type>()?) }
}
pub mod sha256 {
    use super::*;
    hash_type!(Sha224Type, sha2::Sha224, "sha224", "_sha256", "sha224", 64, sha224);
    hash_type!(Sha256Type, sha2::Sha256, "sha256", "_sha256", "sha256", 64, sha256);
    module! { "_sha256", functions: [sha256, sha224], init: |m| {
        m.add("SHA224Type", ready::<Sha224Type>()?)?;
        m.add("SHA256Type", ready::<Sha256Type>()?)
    } }
}
pub mod sha512 {
    use super::*;
    hash_type!(Sha384Type, sha2::Sha384, "sha384", "_sha512", "sha384", 128, sha384);
    hash_type!(Sha512Type, sha2::Sha512, "sha512", "_sha512", "sha512", 128, sha512);
    module! { "_sha512", functions: [sha512, sha384], init: |m| {
        m.add("SHA384Type", ready::<Sha384Type>()?)?;
        m.add("SHA512Type", ready::<Sha512Type>()?)
    } }
}

pub mod sha3 {
    use super::*;
    use sha3_impl::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
    use shake::{Shake128, Shake256};

    fn xof_length(o: &Object) -> PyResult<usize> {
        let i = lh_runtime::number::index(o)?;
        if i.is_negative() {
            return raise!(ValueError, "value must be positive");
        }
        match i.to_usize() {
            Some(n) if n < 1 << 29 => Ok(n),
            _ => raise!(ValueError, "length is too large"),
        }
    }

    macro_rules! fixed {
        ($ty:ident, $state:ty, $name:tt, $block:expr) => {
            #[pyclass(name = $name, module = "_sha3", nogc)]
            pub struct $ty {
                #[notrace]
                state: RefCell<$state>,
            }
            #[pymethods]
            impl $ty {
                #[new(name = $name, signature = "(data=b'', /, *, usedforsecurity=True)")]
                fn new(cls: &Type, data: Option<&Object>, usedforsecurity: bool) -> PyResult<Owned<$ty>> {
                    let _ = usedforsecurity;
                    let h = $ty { state: RefCell::new(<$state>::default()) }.build_in(cls)?;
                    if let Some(d) = data {
                        h.update(d)?;
                    }
                    Ok(h)
                }
                /// Update this hash object's state with the provided bytes-like object.
                #[pymethod(signature = "(data, /)")]
                fn update(&self, data: &Object) -> PyResult<()> {
                    feed(&self.state, data, |s, d| Update::update(s, d))
                }
                /// Return a copy of the hash object.
                #[pymethod(signature = "()")]
                fn copy(&self) -> Owned<$ty> {
                    $ty { state: self.state.clone() }.build()
                }
                #[getter]
                fn name(&self) -> &'static str {
                    $name
                }
                #[getter]
                fn block_size(&self) -> usize {
                    $block
                }
                #[getter]
                fn _rate_bits(&self) -> usize {
                    $block * 8
                }
                #[getter]
                fn _capacity_bits(&self) -> usize {
                    1600 - $block * 8
                }
                #[getter]
                fn _suffix(&self) -> Vec<u8> {
                    vec![6]
                }
                /// Return the digest value as a bytes object.
                #[pymethod(signature = "()")]
                fn digest(&self) -> Vec<u8> {
                    self.state.borrow().clone().finalize().to_vec()
                }
                /// Return the digest value as a string of hexadecimal digits.
                #[pymethod(signature = "()")]
                fn hexdigest(&self) -> String {
                    hex(&self.state.borrow().clone().finalize())
                }
                #[getter]
                fn digest_size(&self) -> usize {
                    <$state as Digest>::output_size()
                }
            }
        };
    }
    macro_rules! extendable {
        ($ty:ident, $state:ty, $name:tt, $block:expr) => {
            #[pyclass(name = $name, module = "_sha3", nogc)]
            pub struct $ty {
                #[notrace]
                state: RefCell<$state>,
            }
            #[pymethods]
            impl $ty {
                #[new(name = $name, signature = "(data=b'', /, *, usedforsecurity=True)")]
                fn new(cls: &Type, data: Option<&Object>, usedforsecurity: bool) -> PyResult<Owned<$ty>> {
                    let _ = usedforsecurity;
                    let h = $ty { state: RefCell::new(<$state>::default()) }.build_in(cls)?;
                    if let Some(d) = data {
                        h.update(d)?;
                    }
                    Ok(h)
                }
                /// Update this hash object's state with the provided bytes-like object.
                #[pymethod(signature = "(data, /)")]
                fn update(&self, data: &Object) -> PyResult<()> {
                    feed(&self.state, data, |s, d| Update::update(s, d))
                }
                /// Return a copy of the hash object.
                #[pymethod(signature = "()")]
                fn copy(&self) -> Owned<$ty> {
                    $ty { state: self.state.clone() }.build()
                }
                #[getter]
                fn name(&self) -> &'static str {
                    $name
                }
                #[getter]
                fn block_size(&self) -> usize {
                    $block
                }
                #[getter]
                fn _rate_bits(&self) -> usize {
                    $block * 8
                }
                #[getter]
                fn _capacity_bits(&self) -> usize {
                    1600 - $block * 8
                }
                #[getter]
                fn _suffix(&self) -> Vec<u8> {
                    vec![0x1f]
                }
                /// Return the digest value as a bytes object.
                #[pymethod(signature = "(length, /)")]
                fn digest(&self, length: &Object) -> PyResult<Vec<u8>> {
                    let mut v = lh_runtime::alloc::zeroed(xof_length(length)?)?;
                    self.state.borrow().clone().finalize_xof().read(&mut v);
                    Ok(v)
                }
                /// Return the digest value as a string of hexadecimal digits.
                #[pymethod(signature = "(length, /)")]
                fn hexdigest(&self, length: &Object) -> PyResult<String> {
                    Ok(hex(&self.digest(length)?))
                }
                #[getter]
                fn digest_size(&self) -> usize {
                    0
                }
            }
        };
    }
    fixed!(Sha3x224, Sha3_224, "sha3_224", 144);
    fixed!(Sha3x256, Sha3_256, "sha3_256", 136);
    fixed!(Sha3x384, Sha3_384, "sha3_384", 104);
    fixed!(Sha3x512, Sha3_512, "sha3_512", 72);
    extendable!(ShakeType128, Shake128, "shake_128", 168);
    extendable!(ShakeType256, Shake256, "shake_256", 136);

    module! { "_sha3", types: [Sha3x224, Sha3x256, Sha3x384, Sha3x512, ShakeType128, ShakeType256], init: |m| {
        m.add("keccakopt", &Int::from_i64(64))?;
        m.add("implementation", &Str::new("RustCrypto keccak, 64 bit"))
    } }
}
