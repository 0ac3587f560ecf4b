//! aarch64 back end: to come.
//!
//! It will take the same verified traces as `lh-jit-x64` and answer the same tables (exits, call sites, places as byte
//! offsets in jf). Until then traces on aarch64 can only run in the reference executor of `lh-jit-ir`.
