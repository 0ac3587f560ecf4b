//! `longobject.h`, `boolobject.h`, `floatobject.h`, `complexobject.h`.

use crate::prelude::*;

/// The integer behind an argument that must be one or have `__index__`.
fn int(o: &Object) -> PyResult<Owned<Int>> {
    match o.downcast::<Int>() {
        Some(i) => Ok(i.own()),
        None => number::index(o),
    }
}
/// As `int`, for functions that take no `__index__`.
fn exactly_int(o: &Object) -> PyResult<&Int> {
    match o.downcast::<Int>() {
        Some(i) => Ok(i),
        None => raise!(TypeError, "an integer is required"),
    }
}
#[inline(always)]
fn signed(o: &Object, c_type: &'static str) -> PyResult<i64> {
    match o.downcast::<Int>().and_then(|i| i.compact()) {
        Some(v) => Ok(v),
        None => signed_slow(o, c_type),
    }
}
#[inline(never)]
fn signed_slow(o: &Object, c_type: &str) -> PyResult<i64> {
    match int(o)?.to_i64() {
        Some(v) => Ok(v),
        None => raise!(OverflowError, "Python int too large to convert to C {}", c_type),
    }
}
/// The commonest: an int of up to two digits that isn't negative.
#[inline(always)]
fn natural(o: &Object) -> Option<u64> {
    o.downcast::<Int>().and_then(|i| i.compact()).and_then(|v| u64::try_from(v).ok())
}
#[inline(always)]
fn unsigned(o: &Object, c_type: &str) -> PyResult<u64> {
    match natural(o) {
        Some(v) => Ok(v),
        None => unsigned_slow(o, c_type),
    }
}
#[inline(never)]
fn unsigned_slow(o: &Object, c_type: &str) -> PyResult<u64> {
    let i = exactly_int(o)?;
    match i.to_u64() {
        Some(v) => Ok(v),
        None if i.is_negative() => raise!(OverflowError, "can't convert negative value to unsigned int"),
        None => raise!(OverflowError, "Python int too large to convert to C {}", c_type),
    }
}
/// # Safety
/// `overflow` is writable.
#[inline(always)]
unsafe fn and_overflow(o: &Object, overflow: *mut c_int) -> PyResult<i64> {
    // SAFETY: the caller's promise.
    unsafe {
        *overflow = 0;
        match o.downcast::<Int>().and_then(|i| i.compact()) {
            Some(v) => Ok(v),
            None => and_overflow_slow(o, overflow),
        }
    }
}
/// # Safety
/// `overflow` is writable.
#[inline(never)]
unsafe fn and_overflow_slow(o: &Object, overflow: *mut c_int) -> PyResult<i64> {
    // SAFETY: the caller's promise.
    unsafe {
        let i = int(o)?;
        Ok(i.to_i64().unwrap_or_else(|| {
            *overflow = if i.is_negative() { -1 } else { 1 };
            -1
        }))
    }
}
/// # Safety
/// `p` has room for a `T`.
unsafe fn converted<T: TryFrom<u64>>(o: &Object, p: *mut T, c_type: &str) -> PyResult<c_int> {
    let i = number::index(o)?;
    if i.is_negative() {
        return raise!(ValueError, "value must be positive");
    }
    match i.to_u64().and_then(|v| T::try_from(v).ok()) {
        Some(v) => {
            // SAFETY: the caller's promise.
            unsafe { *p = v };
            Ok(1)
        }
        None => raise!(OverflowError, "Python int too large to convert to C {}", c_type),
    }
}
#[inline(always)]
fn wrapped(o: &Object) -> PyResult<u64> {
    match o.downcast::<Int>().and_then(|i| i.compact()) {
        Some(v) => Ok(v as u64),
        None => Ok(int(o)?.to_u64_wrapping()),
    }
}
/// The base that a number's text has if `base` leaves it open, and where its digits end.
fn digits_end(s: &[u8], mut base: u32) -> (u32, usize) {
    let mut at = s.iter().take_while(|c| c.is_ascii_whitespace() || **c == 11).count();
    at += matches!(s.get(at), Some(b'+' | b'-')) as usize;
    let prefix = match (s.get(at), s.get(at + 1)) {
        (Some(b'0'), Some(b'x' | b'X')) => 16,
        (Some(b'0'), Some(b'o' | b'O')) => 8,
        (Some(b'0'), Some(b'b' | b'B')) => 2,
        _ => 0,
    };
    if base == 0 && s.get(at) != Some(&b'0') {
        base = 10;
    }
    if prefix != 0 && (base == 0 || base == prefix) {
        base = prefix;
        at += 2;
    }
    // What begins with a 0 and no prefix keeps its open base: only zeros may follow.
    let digits = if base == 0 { 10 } else { base };
    at += s[at..].iter().take_while(|c| (**c as char).is_digit(digits)).count();
    (base, at)
}
/// The number that digits of `base` alone spell, which fits easily.
fn plain_digits(s: &[u8], base: u32) -> Option<i64> {
    let (negative, digits) = match s {
        [b'-', d @ ..] => (true, d),
        d => (false, d),
    };
    if base == 0 || digits.is_empty() || digits.len() > 11 {
        return None;
    }
    let mut v = 0i64;
    for d in digits {
        v = v * base as i64 + (*d as char).to_digit(base)? as i64;
    }
    Some(if negative { -v } else { v })
}
fn float_of(o: &Object) -> PyResult<f64> {
    number::as_f64(o)
}
/// User and group ids: -1 stands for "unchanged".
///
/// # Safety
/// `p` is writable.
unsafe fn id_converter(o: &Object, p: *mut u32, what: &str) -> PyResult<c_int> {
    let i = match number::index(o) {
        Ok(i) => i,
        Err(e) => {
            e.clear();
            return raise!(TypeError, "{} should be integer, not {}", what, o.ty().name());
        }
    };
    match i.to_i64() {
        Some(v @ -1..=0xffff_ffff) => {
            // SAFETY: the caller's promise.
            unsafe { *p = v as u32 };
            Ok(1)
        }
        Some(v) if v < 0 => raise!(OverflowError, "{} is less than minimum", what),
        None if i.is_negative() => raise!(OverflowError, "{} is less than minimum", what),
        _ => raise!(OverflowError, "{} is greater than maximum", what),
    }
}

capi! {
    fn PyBool_FromLong(v: c_long) -> obj { Ok(bool_obj(v != 0)) }

    fn PyLong_FromLong(v: c_long) -> obj { Ok(Int::from_i64(v)) }
    fn PyLong_FromLongLong(v: c_longlong) -> obj { Ok(Int::from_i64(v)) }
    fn PyLong_FromSsize_t(v: isize) -> obj { Ok(Int::from_i64(v as i64)) }
    fn PyLong_FromUnsignedLong(v: c_ulong) -> obj { Ok(Int::from_u64(v)) }
    fn PyLong_FromUnsignedLongLong(v: c_ulonglong) -> obj { Ok(Int::from_u64(v)) }
    fn PyLong_FromSize_t(v: usize) -> obj { Ok(Int::from_u64(v as u64)) }
    fn PyLong_FromDouble(v: f64) -> obj { Int::from_f64(v) }
    fn PyLong_FromVoidPtr(p: *mut c_void) -> obj { Ok(Int::from_u64(p as u64)) }
    fn PyLong_FromString(s: &CStr, end: *mut *const c_char, base: c_int) -> obj {
        if base != 0 && !(2..=36).contains(&base) {
            return raise!(ValueError, "int() arg 2 must be >= 2 and <= 36");
        }
        if let Some(v) = plain_digits(s.to_bytes(), base as u32) {
            if !end.is_null() {
                *end = s.as_ptr().add(s.to_bytes().len());
            }
            return Ok(Int::from_i64(v));
        }
        let (base, stop) = digits_end(s.to_bytes(), base as u32);
        let r = Int::parse(&text(s), base);
        if !end.is_null() {
            *end = s.as_ptr().add(if r.is_ok() { s.to_bytes().len() } else { stop });
        }
        r
    }
    fn PyLong_FromUnicodeObject(s: &Str, base: c_int) -> obj { lh_runtime::intobject::text::parse_obj(s, base as u32) }
    fn _PyLong_FromGid(v: u32) -> obj { Ok(if v == u32::MAX { Int::from_i64(-1) } else { Int::from_u64(v as u64) }) }
    fn _PyLong_FromUid(v: u32) -> obj { Ok(if v == u32::MAX { Int::from_i64(-1) } else { Int::from_u64(v as u64) }) }
    fn _Py_Gid_Converter(o: &Object, p: *mut u32) -> (c_int, 0) { id_converter(o, p, "gid") }
    fn _Py_Uid_Converter(o: &Object, p: *mut u32) -> (c_int, 0) { id_converter(o, p, "uid") }

    fn PyLong_AsLong(o: &Object) -> (c_long, -1) short { Some(quick::<Int>(o)?.compact()? as _) } { signed(o, "long") }
    fn PyLong_AsLongLong(o: &Object) -> (c_longlong, -1) short { Some(quick::<Int>(o)?.compact()? as _) } {
        if let Some(v) = o.downcast::<Int>().and_then(|i| i.compact()) {
            return Ok(v);
        }
        match int(o)?.to_i64() {
            Some(v) => Ok(v),
            None => raise!(OverflowError, "int too big to convert"),
        }
    }
    fn PyLong_AsLongAndOverflow(o: &Object, overflow: *mut c_int) -> (c_long, -1) short { let v = quick::<Int>(o)?.compact()?; *overflow = 0; Some(v) } { and_overflow(o, overflow) }
    fn PyLong_AsLongLongAndOverflow(o: &Object, overflow: *mut c_int) -> (c_longlong, -1) short { let v = quick::<Int>(o)?.compact()?; *overflow = 0; Some(v) } { and_overflow(o, overflow) }
    fn PyLong_AsSsize_t(o: &Object) -> (isize, -1) short { Some(quick::<Int>(o)?.compact()? as _) } {
        if let Some(v) = o.downcast::<Int>().and_then(|i| i.compact()) {
            return Ok(v as isize);
        }
        match exactly_int(o)?.to_i64() {
            Some(v) => Ok(v as isize),
            None => raise!(OverflowError, "Python int too large to convert to C ssize_t"),
        }
    }
    fn PyLong_AsSize_t(o: &Object) -> (usize, usize::MAX) short { Some(u64::try_from(quick::<Int>(o)?.compact()?).ok()? as _) } {
        if let Some(v) = natural(o) {
            return Ok(v as usize);
        }
        let i = exactly_int(o)?;
        match i.to_u64() {
            Some(v) => Ok(v as usize),
            None if i.is_negative() => raise!(OverflowError, "can't convert negative value to size_t"),
            None => raise!(OverflowError, "Python int too large to convert to C size_t"),
        }
    }
    fn PyLong_AsUnsignedLong(o: &Object) -> (c_ulong, c_ulong::MAX) short { Some(u64::try_from(quick::<Int>(o)?.compact()?).ok()? as _) } { unsigned(o, "unsigned long") }
    fn PyLong_AsUnsignedLongLong(o: &Object) -> (c_ulonglong, c_ulonglong::MAX) short { Some(u64::try_from(quick::<Int>(o)?.compact()?).ok()? as _) } {
        if let Some(v) = natural(o) {
            return Ok(v);
        }
        let i = exactly_int(o)?;
        match i.to_u64() {
            Some(v) => Ok(v),
            None if i.is_negative() => raise!(OverflowError, "can't convert negative int to unsigned"),
            None => raise!(OverflowError, "int too big to convert"),
        }
    }
    fn PyLong_AsUnsignedLongMask(o: &Object) -> (c_ulong, c_ulong::MAX) short { Some(quick::<Int>(o)?.compact()? as _) } { wrapped(o) }
    fn PyLong_AsUnsignedLongLongMask(o: &Object) -> (c_ulonglong, c_ulonglong::MAX) short { Some(quick::<Int>(o)?.compact()? as _) } { wrapped(o) }
    fn PyLong_AsDouble(o: &Object) -> (f64, -1.0) short { let v = quick::<Int>(o)?.compact()?; if v.unsigned_abs() < 1 << 53 { Some(v as f64) } else { None } } { exactly_int(o)?.to_f64() }
    fn PyLong_AsVoidPtr(o: &Object) -> (*mut c_void, null_mut()) {
        let i = exactly_int(o)?;
        match i.to_u64().or_else(|| i.to_i64().map(|v| v as u64)) {
            Some(v) => Ok(v as *mut c_void),
            None => raise!(OverflowError, "int too big to convert"),
        }
    }
    fn _PyLong_AsInt(o: &Object) -> (c_int, -1) short { c_int::try_from(quick::<Int>(o)?.compact()?).ok() } {
        match int(o)?.to_i64().and_then(|v| c_int::try_from(v).ok()) {
            Some(v) => Ok(v),
            None => raise!(OverflowError, "Python int too large to convert to C int"),
        }
    }
    fn _PyLong_AsTime_t(o: &Object) -> (i64, -1) {
        match int(o)?.to_i64() {
            Some(v) => Ok(v),
            None => raise!(OverflowError, "timestamp out of range for platform time_t"),
        }
    }
    fn _PyLong_FromTime_t(v: i64) -> obj { Ok(Int::from_i64(v)) }
    fn _PyLong_AsByteArray(i: &Int, out: *mut u8, n: usize, little: c_int, is_signed: c_int) -> status {
        if is_signed == 0 && i.is_negative() {
            return raise!(OverflowError, "can't convert negative int to unsigned");
        }
        let word = if is_signed != 0 { i.to_i64() } else { i.to_u64().map(|v| v as i64) };
        if let Some(v) = word
            && n > 0
            && (n >= 8 || if is_signed != 0 { v << (64 - 8 * n) >> (64 - 8 * n) == v } else { v as u64 >> (8 * n) == 0 })
        {
            let fill = if is_signed != 0 && v < 0 { 0xff } else { 0 };
            for k in 0..n {
                *out.add(if little != 0 { k } else { n - 1 - k }) = if k < 8 { (v >> (8 * k)) as u8 } else { fill };
            }
            return Ok(());
        }
        let mut b = i.to_le_bytes(n, is_signed != 0)?;
        if little == 0 {
            b.reverse();
        }
        out.copy_from_nonoverlapping(b.as_ptr(), n);
        Ok(())
    }
    fn _PyLong_FromByteArray(p: *const u8, n: usize, little: c_int, is_signed: c_int) -> obj {
        if n == 0 {
            return Ok(Int::from_i64(0));
        }
        if n <= 8 {
            let mut b = [0u8; 8];
            for k in 0..n {
                b[k] = *p.add(if little != 0 { k } else { n - 1 - k });
            }
            return Ok(Int::from_le_bytes(&b[..n], is_signed != 0));
        }
        let mut b = std::slice::from_raw_parts(p, n).to_vec();
        if little == 0 {
            b.reverse();
        }
        Ok(Int::from_le_bytes(&b, is_signed != 0))
    }
    fn _PyLong_Sign(i: &Int) -> [c_int] { i.sign() }
    fn _PyLong_NumBits(i: &Int) -> [usize] { i.bit_length() as usize }
    fn _PyLong_Copy(i: &Int) -> obj { Ok(i.exact()) }
    fn _PyLong_GCD(a: &Int, b: &Int) -> obj { Ok(a.gcd(b)) }
    fn _PyLong_Lshift(a: &Int, n: usize) -> obj { a.shl(n as u64) }
    fn _PyLong_Rshift(a: &Int, n: usize) -> obj { Ok(a.shr(n as u64)) }
    fn _PyLong_Format(o: &Object, base: c_int) -> obj { crate::abstract_::to_base(o, base) }
    fn _PyLong_Frexp(i: &Int, e: *mut isize) -> (f64, -1.0) {
        // Sixty-four leading bits decide the rounding; lower ones only stick.
        let bits = i.bit_length();
        let m = i.abs();
        let shift = bits.saturating_sub(64);
        let top = m.shr(shift);
        let sticky = shift > 0 && !top.shl(shift)?.equals(&m);
        let v = (top.to_u64().unwrap_or(0) | sticky as u64) as f64;
        let (f, x) = frexp(v);
        *e = x as isize + shift as isize;
        Ok(if i.is_negative() { -f } else { f })
    }
    fn _PyLong_DivmodNear(a: &Int, b: &Int) -> obj {
        let (mut q, mut r) = a.divmod(b)?;
        // Round half to even: twice the remainder against the divisor.
        let twice = r.shl(1)?;
        let order = if b.is_negative() { b.compare(&twice) } else { twice.compare(b) };
        let odd = q.to_le_bytes((q.bit_length() / 8 + 1) as usize, true)?[0] & 1 == 1;
        if order.is_gt() || (order.is_eq() && odd) {
            q = q.add(&Int::from_i64(1));
            r = r.sub(b);
        }
        Ok(Tuple::pair(q.into_object(), r.into_object()))
    }
    /// Room for `n` digits, which the caller fills.
    fn _PyLong_New(n: isize) -> borrowed {
        let p = lh_runtime::alloc::malloc(24 + 4 * (n.max(1) as usize)).cast::<PyLongObject>();
        if p.is_null() {
            return Err(crate::object::no_memory());
        }
        (*p).ob_base.ob_base = PyObject { ob_refcnt: 1, ob_type: Int::type_ptr() };
        (*p).ob_base.ob_size = n;
        (&raw mut (*p).ob_digit).cast::<u32>().write(0);
        Ok(p.cast())
    }
    fn _PyLong_UnsignedShort_Converter(o: &Object, p: *mut u16) -> (c_int, 0) { converted(o, p, "unsigned short") }
    fn _PyLong_UnsignedInt_Converter(o: &Object, p: *mut u32) -> (c_int, 0) { converted(o, p, "unsigned int") }
    fn _PyLong_UnsignedLong_Converter(o: &Object, p: *mut u64) -> (c_int, 0) { converted(o, p, "unsigned long") }
    fn _PyLong_UnsignedLongLong_Converter(o: &Object, p: *mut u64) -> (c_int, 0) { converted(o, p, "unsigned long long") }
    fn _PyLong_Size_t_Converter(o: &Object, p: *mut u64) -> (c_int, 0) { converted(o, p, "size_t") }
    fn _Py_convert_optional_to_ssize_t(o: &Object, p: *mut isize) -> (c_int, 0) {
        if o.is_none() {
            return Ok(1);
        }
        if !number::has_index(o) {
            return raise!(TypeError, "argument should be integer or None, not {}", o.ty().name());
        }
        *p = number::as_isize(o, Some(exc::OverflowError()))?;
        Ok(1)
    }
    fn PyLong_GetInfo() -> obj {
        match lh_runtime::sysobject::sys_get("int_info") {
            Some(i) => Ok(i),
            None => raise!(RuntimeError, "lost sys.int_info"),
        }
    }

    fn PyFloat_FromDouble(v: f64) -> obj { Ok(Float::new(v)) }
    fn PyFloat_FromString(o: &Object) -> obj { Ok(Float::new(lh_runtime::floatobject::from_text(o)?)) }
    fn PyFloat_AsDouble(o: &Object) -> (f64, -1.0) short { Some(quick::<Float>(o)?.value()) } { float_of(o) }
    fn PyFloat_GetMax() -> [f64] { f64::MAX }
    fn PyFloat_GetMin() -> [f64] { f64::MIN_POSITIVE }
    fn PyFloat_GetInfo() -> obj {
        match lh_runtime::sysobject::sys_get("float_info") {
            Some(i) => Ok(i),
            None => raise!(RuntimeError, "lost sys.float_info"),
        }
    }
    fn PyFloat_Pack2(x: f64, p: *mut u8, little: c_int) -> status {
        let b = half_bits(x)?;
        put(p, b.to_le_bytes(), little);
        Ok(())
    }
    fn PyFloat_Pack4(x: f64, p: *mut u8, little: c_int) -> status {
        let y = x as f32;
        if y.is_infinite() && x.is_finite() {
            return raise!(OverflowError, "float too large to pack with f format");
        }
        put(p, y.to_le_bytes(), little);
        Ok(())
    }
    fn PyFloat_Pack8(x: f64, p: *mut u8, little: c_int) -> status { put(p, x.to_le_bytes(), little); Ok(()) }
    fn PyFloat_Unpack2(p: *const u8, little: c_int) -> [f64] {
        let b = u16::from_le_bytes(got(p, little));
        let (sign, e, m) = (b >> 15, (b >> 10) & 31, (b & 1023) as f64);
        let v = match e {
            0 => m * 2f64.powi(-24),
            31 if m == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1.0 + m / 1024.0) * 2f64.powi(e as i32 - 15),
        };
        if sign == 1 { -v } else { v }
    }
    fn PyFloat_Unpack4(p: *const u8, little: c_int) -> [f64] { f32::from_le_bytes(got(p, little)) as f64 }
    fn PyFloat_Unpack8(p: *const u8, little: c_int) -> [f64] { f64::from_le_bytes(got(p, little)) }
    fn _Py_HashDouble(o: Option<&Object>, v: f64) -> [isize] {
        match o {
            Some(o) => lh_runtime::floatobject::hash_object(o, v),
            None => lh_runtime::floatobject::hash(v),
        }
    }
    fn _Py_dg_infinity(sign: c_int) -> [f64] { if sign != 0 { f64::NEG_INFINITY } else { f64::INFINITY } }
    fn _Py_dg_stdnan(sign: c_int) -> [f64] { f64::NAN.copysign(if sign != 0 { -1.0 } else { 1.0 }) }
    fn PyOS_string_to_double(s: &CStr, end: *mut *const c_char, overflow: Option<&Object>) -> (f64, -1.0) {
        let b = s.to_bytes();
        let Some((v, n)) = lh_runtime::floatobject::parse_prefix(b) else {
            return raise!(ValueError, "could not convert string to float: '{}'", text(s));
        };
        if end.is_null() {
            if n != b.len() {
                return raise!(ValueError, "could not convert string to float: '{}'", text(s));
            }
        } else {
            *end = s.as_ptr().add(n);
        }
        if let Some(t) = overflow
            && v.is_infinite()
            && b.iter().any(u8::is_ascii_digit)
        {
            let m = Str::new(&format!("value too large to convert to float: '{}'", text(s)));
            return Err(set_object(t, Some(m.into_object())));
        }
        Ok(v)
    }
    /// A `malloc`ed text of a float; `kind` becomes 0 finite, 1 infinite, 2 NaN.
    fn PyOS_double_to_string(v: f64, code: u8, precision: c_int, flags: c_int, kind: *mut c_int) -> [*mut c_char] {
        if !kind.is_null() {
            *kind = if v.is_nan() { 2 } else { v.is_infinite() as c_int };
        }
        let style = lh_runtime::floatobject::Style { plus: flags & 1 != 0, dot_0: flags & 2 != 0, alt: flags & 4 != 0, ..Default::default() };
        let t = lh_runtime::floatobject::to_text(v, code, precision.max(0) as usize, style);
        crate::object::dup(&std::ffi::CString::new(t).unwrap_or_default())
    }

    fn PyComplex_FromDoubles(re: f64, im: f64) -> obj { Ok(Complex::new(re, im)) }
    fn PyComplex_RealAsDouble(o: &Object) -> (f64, -1.0) {
        match o.downcast::<Complex>() { Some(c) => Ok(c.value().0), None => float_of(o) }
    }
    fn PyComplex_ImagAsDouble(o: &Object) -> (f64, -1.0) {
        match o.downcast::<Complex>() { Some(c) => Ok(c.value().1), None => Ok(0.0) }
    }
    fn PyComplex_FromCComplex(z: CComplex) -> obj { Ok(Complex::new(z.re, z.im)) }
    fn PyComplex_AsCComplex(o: &Object) -> (CComplex, CComplex { re: -1.0, im: 0.0 }) {
        let (re, im) = lh_runtime::complexobject::as_complex(o)?;
        Ok(CComplex { re, im })
    }
    fn _Py_c_sum(a: CComplex, b: CComplex) -> [CComplex] { CComplex { re: a.re + b.re, im: a.im + b.im } }
    fn _Py_c_diff(a: CComplex, b: CComplex) -> [CComplex] { CComplex { re: a.re - b.re, im: a.im - b.im } }
    fn _Py_c_neg(a: CComplex) -> [CComplex] { CComplex { re: -a.re, im: -a.im } }
    fn _Py_c_prod(a: CComplex, b: CComplex) -> [CComplex] {
        let (re, im) = lh_runtime::complexobject::mul((a.re, a.im), (b.re, b.im));
        CComplex { re, im }
    }
    fn _Py_c_quot(a: CComplex, b: CComplex) -> [CComplex] {
        match lh_runtime::complexobject::div((a.re, a.im), (b.re, b.im)) {
            Some((re, im)) => CComplex { re, im },
            None => { *libc::__errno_location() = libc::EDOM; CComplex { re: 0.0, im: 0.0 } }
        }
    }
    fn _Py_c_pow(a: CComplex, b: CComplex) -> [CComplex] {
        match lh_runtime::complexobject::power((a.re, a.im), (b.re, b.im)) {
            Ok((re, im)) => CComplex { re, im },
            Err(e) => {
                *libc::__errno_location() = if e.matches(exc::OverflowError()) { libc::ERANGE } else { libc::EDOM };
                e.clear();
                CComplex { re: 0.0, im: 0.0 }
            }
        }
    }
    fn _Py_c_abs(a: CComplex) -> [f64] {
        lh_runtime::complexobject::abs((a.re, a.im)).unwrap_or_else(|| { *libc::__errno_location() = libc::ERANGE; f64::INFINITY })
    }
}

/// `Py_complex`: passed and returned in two vector registers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CComplex {
    pub re: f64,
    pub im: f64,
}
impl Arg for CComplex {
    type C = CComplex;
    unsafe fn take(c: CComplex) -> PyResult<CComplex> {
        Ok(c)
    }
}

/// # Safety
/// Room for `N` bytes.
unsafe fn put<const N: usize>(p: *mut u8, mut b: [u8; N], little: c_int) {
    if little == 0 {
        b.reverse();
    }
    // SAFETY: the caller's promise.
    unsafe { p.copy_from_nonoverlapping(b.as_ptr(), N) }
}
/// # Safety
/// `N` readable bytes.
unsafe fn got<const N: usize>(p: *const u8, little: c_int) -> [u8; N] {
    // SAFETY: the caller's promise.
    let mut b = unsafe { *p.cast::<[u8; N]>() };
    if little == 0 {
        b.reverse();
    }
    b
}

fn frexp(v: f64) -> (f64, i32) {
    if v == 0.0 || !v.is_finite() {
        return (v, 0);
    }
    let bits = v.to_bits();
    let e = (bits >> 52 & 0x7ff) as i32;
    if e == 0 {
        let (f, x) = frexp(v * 2f64.powi(64));
        return (f, x - 64);
    }
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), e - 1022)
}

/// IEEE half precision, rounded half to even.
fn half_bits(x: f64) -> PyResult<u16> {
    let sign = (x.is_sign_negative() as u16) << 15;
    if x.is_nan() {
        return Ok(sign | 0x7e00);
    }
    let a = x.abs();
    if a.is_infinite() {
        return Ok(sign | 0x7c00);
    }
    if a < 2f64.powi(-14) {
        return Ok(sign | round_even(a * 2f64.powi(24)) as u16);
    }
    let (f, e) = frexp(a);
    let m = round_even(f * 2048.0) as u32;
    let (m, e) = if m == 2048 { (1024, e + 1) } else { (m, e) };
    if e + 14 >= 31 {
        return raise!(OverflowError, "float too large to pack with e format");
    }
    Ok(sign | ((e + 14) as u16) << 10 | (m & 1023) as u16)
}
fn round_even(v: f64) -> f64 {
    v.round_ties_even()
}
