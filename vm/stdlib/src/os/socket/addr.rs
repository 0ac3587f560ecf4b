//! Socket addresses: from Python's tuples and strings to C's and back; name resolution errors.

use crate::os::util::*;
use lh_runtime::codecs;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::ffi::{CStr, CString};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// A C address of any family.
#[derive(Clone, Copy)]
pub struct Addr {
    pub storage: libc::sockaddr_storage,
    pub len: libc::socklen_t,
}

impl Addr {
    pub fn empty() -> Addr {
        // SAFETY: an all-zero address is valid.
        Addr {
            // SAFETY: an all-zero address is valid.
            storage: unsafe { std::mem::zeroed() },
            len: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        }
    }
    fn of<T>(v: T) -> Addr {
        let mut a = Addr::empty();
        // SAFETY: every address struct fits the storage.
        unsafe { (&raw mut a.storage).cast::<T>().write(v) };
        a.len = size_of::<T>() as libc::socklen_t;
        a
    }
    pub fn ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }
    pub fn mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }
    pub fn family(&self) -> i32 {
        self.storage.ss_family as i32
    }
}

// ---- Errors ----

fn class(cell: &AtomicPtr<lh_runtime::abi::PyTypeObject>, name: &str) -> PyResult<&'static Type> {
    let mut p = cell.load(Relaxed);
    if p.is_null() {
        p = new_exception("socket", name, exc::OSError())?.into_raw().cast();
        cell.store(p, Relaxed);
    }
    // SAFETY: the type is kept for ever.
    Ok(unsafe { Type::from_raw_ref(p) })
}
pub fn gaierror() -> PyResult<&'static Type> {
    static CELL: AtomicPtr<lh_runtime::abi::PyTypeObject> = AtomicPtr::new(null_mut());
    class(&CELL, "gaierror")
}
pub fn herror() -> PyResult<&'static Type> {
    static CELL: AtomicPtr<lh_runtime::abi::PyTypeObject> = AtomicPtr::new(null_mut());
    class(&CELL, "herror")
}
fn pair_error(t: PyResult<&'static Type>, code: i32, text: &str) -> Raised {
    match t {
        Ok(t) => {
            let v = Tuple::from_vec(vec![int(code as i64), Str::new(text).into_object()]);
            set_object(t, Some(v.into_object()))
        }
        Err(e) => e,
    }
}
/// The exception for a failed `getaddrinfo` or `getnameinfo`.
pub fn gai_failed(code: i32) -> Raised {
    if code == libc::EAI_SYSTEM {
        return raise_last_os_error();
    }
    // SAFETY: gai_strerror answers a C string.
    let text = unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned();
    pair_error(gaierror(), code, &text)
}
unsafe extern "C" {
    pub fn inet_pton(family: i32, text: *const libc::c_char, to: *mut libc::c_void) -> i32;
    pub fn inet_ntop(
        family: i32,
        from: *const libc::c_void,
        to: *mut libc::c_char,
        n: u32,
    ) -> *const libc::c_char;
    fn __h_errno_location() -> *mut i32;
    safe fn hstrerror(e: i32) -> *const libc::c_char;
}
pub fn herror_failed() -> Raised {
    // SAFETY: thread-local memory of the C library; hstrerror answers a C string.
    let (code, text) = unsafe {
        let e = *__h_errno_location();
        (e, CStr::from_ptr(hstrerror(e)).to_string_lossy().into_owned())
    };
    pair_error(herror(), code, &text)
}

// ---- Hosts ----

/// A host name as bytes: IDNA for text beyond ASCII.
pub fn host_bytes(o: &Object) -> PyResult<CString> {
    let b = if let Some(s) = o.downcast::<Str>() {
        if s.is_ascii() {
            s.to_str()?.as_bytes().to_vec()
        } else {
            let e = codecs::encode(s, "idna", "strict")?;
            e.downcast::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default()
        }
    } else if let Some(b) = o.downcast::<Bytes>() {
        b.as_bytes().to_vec()
    } else if let Some(b) = o.downcast::<ByteArray>() {
        b.to_vec()
    } else {
        return raise!(TypeError, "str, bytes or bytearray expected, not {}", o.ty().name());
    };
    match CString::new(b) {
        Ok(s) => Ok(s),
        Err(_) => raise!(TypeError, "host name must not contain null character"),
    }
}

/// The results of `getaddrinfo`, freed on drop.
pub struct AddrInfo(pub *mut libc::addrinfo);
impl Drop for AddrInfo {
    fn drop(&mut self) {
        if !self.0.is_null() {
            c!(libc::freeaddrinfo(self.0));
        }
    }
}
impl AddrInfo {
    pub fn iter(&self) -> impl Iterator<Item = &libc::addrinfo> {
        // SAFETY: a list that ends in null.
        std::iter::successors(unsafe { self.0.as_ref() }, |a| unsafe { a.ai_next.as_ref() })
    }
    /// The address of an entry.
    pub fn addr(a: &libc::addrinfo) -> Addr {
        let mut r = Addr::empty();
        // SAFETY: an entry's address has the length it says, at most that of the storage.
        unsafe {
            std::ptr::copy_nonoverlapping(a.ai_addr.cast::<u8>(), r.mut_ptr().cast(), a.ai_addrlen as usize);
        }
        r.len = a.ai_addrlen;
        r
    }
}

pub fn lookup(
    host: Option<&CStr>,
    service: Option<&CStr>,
    family: i32,
    kind: i32,
    proto: i32,
    flags: i32,
) -> PyResult<AddrInfo> {
    // SAFETY: an all-zero hint is valid; results are freed by AddrInfo.
    unsafe {
        let mut hints: libc::addrinfo = std::mem::zeroed();
        hints.ai_family = family;
        hints.ai_socktype = kind;
        hints.ai_protocol = proto;
        hints.ai_flags = flags;
        let mut res = null_mut();
        let p = |s: Option<&CStr>| s.map_or(std::ptr::null(), |s| s.as_ptr());
        let (h, s) = (p(host), p(service));
        let e = lh_runtime::thread::allow_threads(|| libc::getaddrinfo(h, s, &hints, &mut res));
        if e != 0 { Err(gai_failed(e)) } else { Ok(AddrInfo(res)) }
    }
}

/// The address of a host name for a family (`AF_UNSPEC`: any); the port stays 0.
pub fn resolve(name: &CStr, family: i32) -> PyResult<Addr> {
    if name.is_empty() {
        let info = lookup(None, Some(c"0"), family, libc::SOCK_DGRAM, 0, libc::AI_PASSIVE)?;
        let mut it = info.iter();
        let first = it.next().map(AddrInfo::addr);
        if it.next().is_some() {
            return raise!(OSError, "wildcard resolved to multiple address");
        }
        return first.map_or_else(|| raise!(OSError, "unsupported address family"), Ok);
    }
    if name.to_bytes() == b"255.255.255.255" || name.to_bytes() == b"<broadcast>" {
        if family != libc::AF_INET && family != libc::AF_UNSPEC {
            return raise!(OSError, "address family mismatched");
        }
        return Ok(inet(u32::MAX.to_ne_bytes(), 0));
    }
    if family == libc::AF_INET || family == libc::AF_UNSPEC {
        let mut b = [0u8; 4];
        if c!(inet_pton(libc::AF_INET, name.as_ptr(), b.as_mut_ptr().cast())) == 1 {
            return Ok(inet(b, 0));
        }
    }
    let info = lookup(Some(name), None, family, 0, 0, 0)?;
    match info.iter().next() {
        Some(a) => Ok(AddrInfo::addr(a)),
        None => raise!(OSError, "no address"),
    }
}

fn inet(b: [u8; 4], port: u16) -> Addr {
    Addr::of(libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(b) },
        sin_zero: [0; 8],
    })
}

fn port_of(o: &Object, caller: &str) -> PyResult<u16> {
    let i = i32::from_py(o, ArgCtx { func: caller, pos: 0, name: None })?;
    u16::try_from(i).map_err(|_| raised!(OverflowError, "{}(): port must be 0-65535.", caller))
}

/// An address argument for a socket of `family`; `caller` is the method's name, for messages.
pub fn parse(o: &Object, family: i32, caller: &str) -> PyResult<Addr> {
    let tuple = |what: &str| match o.downcast::<Tuple>() {
        Some(t) => Ok(t),
        None => raise!(TypeError, "{}(): {} address must be tuple, not {}", caller, what, o.ty().name()),
    };
    match family {
        libc::AF_UNIX => {
            let path = if let Some(s) = o.downcast::<Str>() {
                codecs::fs_encode(s)?
            } else {
                Buffer::simple(o)?.to_vec()
            };
            // SAFETY: plain bytes.
            let mut a: libc::sockaddr_un = unsafe { std::mem::zeroed() };
            let max = a.sun_path.len();
            // No name at all: the system finds an abstract one.
            let abstract_ = path.first().is_none_or(|b| *b == 0);
            if path.len() > max || !abstract_ && path.len() >= max {
                return raise!(OSError, "AF_UNIX path too long");
            }
            a.sun_family = libc::AF_UNIX as u16;
            for (d, s) in a.sun_path.iter_mut().zip(&path) {
                *d = *s as libc::c_char;
            }
            let mut r = Addr::of(a);
            r.len = (std::mem::offset_of!(libc::sockaddr_un, sun_path) + path.len() + usize::from(!abstract_))
                as libc::socklen_t;
            Ok(r)
        }
        libc::AF_INET => {
            let t = tuple("AF_INET")?;
            if t.len() != 2 {
                return raise!(TypeError, "AF_INET address must be a pair (host, port)");
            }
            let host = host_bytes(t.item_ref(0))?;
            let port = {
                number::index(t.item_ref(1))?;
                port_of(t.item_ref(1), caller)?
            };
            let mut a = resolve(&host, libc::AF_INET)?;
            // SAFETY: resolved for AF_INET.
            unsafe { (*(&raw mut a.storage).cast::<libc::sockaddr_in>()).sin_port = port.to_be() };
            Ok(a)
        }
        libc::AF_INET6 => {
            let t = tuple("AF_INET6")?;
            if t.len() < 2 || t.len() > 4 {
                return raise!(
                    TypeError,
                    "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"
                );
            }
            let host = host_bytes(t.item_ref(0))?;
            let port = port_of(t.item_ref(1), caller)?;
            let opt = |i: usize| {
                if i < t.len() {
                    u32::from_py(t.item_ref(i), ArgCtx { func: caller, pos: 0, name: None })
                } else {
                    Ok(0)
                }
            };
            let (flow, scope) = (opt(2)?, opt(3)?);
            if flow > 0xfffff {
                return raise!(OverflowError, "{}(): flowinfo must be 0-1048575.", caller);
            }
            let mut a = resolve(&host, libc::AF_INET6)?;
            // SAFETY: resolved for AF_INET6.
            unsafe {
                let p = (&raw mut a.storage).cast::<libc::sockaddr_in6>();
                (*p).sin6_port = port.to_be();
                (*p).sin6_flowinfo = flow.to_be();
                if t.len() == 4 {
                    (*p).sin6_scope_id = scope;
                }
            }
            Ok(a)
        }
        libc::AF_NETLINK => {
            let t = tuple("AF_NETLINK")?;
            if t.len() != 2 {
                return raise!(TypeError, "AF_NETLINK address must be a pair (pid, groups)");
            }
            // SAFETY: plain numbers.
            let mut a: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
            a.nl_family = libc::AF_NETLINK as u16;
            a.nl_pid = number::index(t.item_ref(0))?.to_u64_wrapping() as u32;
            a.nl_groups = number::index(t.item_ref(1))?.to_u64_wrapping() as u32;
            Ok(Addr::of(a))
        }
        libc::AF_VSOCK => {
            let t = tuple("AF_VSOCK")?;
            if t.len() != 2 {
                return raise!(TypeError, "AF_VSOCK address must be a pair (cid, port)");
            }
            // SAFETY: plain numbers.
            let mut a: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
            a.svm_family = libc::AF_VSOCK as u16;
            a.svm_cid = number::index(t.item_ref(0))?.to_u64_wrapping() as u32;
            a.svm_port = number::index(t.item_ref(1))?.to_u64_wrapping() as u32;
            Ok(Addr::of(a))
        }
        _ => raise!(OSError, "{}(): bad family", caller),
    }
}

/// An address as Python sees it.
pub fn make(a: &Addr) -> PyResult<Owned<Object>> {
    if a.len == 0 {
        return Ok(none());
    }
    let tuple = |v: Vec<Owned<Object>>| Ok(Tuple::from_vec(v).into_object());
    // SAFETY: the family says which struct the storage holds.
    unsafe {
        match a.family() {
            libc::AF_INET => {
                let p = (&raw const a.storage).cast::<libc::sockaddr_in>();
                let b = (*p).sin_addr.s_addr.to_ne_bytes();
                let host = format!("{}.{}.{}.{}", b[0], b[1], b[2], b[3]);
                tuple(vec![Str::new(&host).into_object(), int(u16::from_be((*p).sin_port) as i64)])
            }
            libc::AF_INET6 => {
                let p = (&raw const a.storage).cast::<libc::sockaddr_in6>();
                let mut b = [0 as libc::c_char; 64];
                inet_ntop(libc::AF_INET6, (&raw const (*p).sin6_addr).cast(), b.as_mut_ptr(), 64);
                let host = fs_str(b.as_ptr());
                tuple(vec![
                    host,
                    int(u16::from_be((*p).sin6_port) as i64),
                    int(u32::from_be((*p).sin6_flowinfo) as i64),
                    int((*p).sin6_scope_id as i64),
                ])
            }
            libc::AF_UNIX => {
                let p = (&raw const a.storage).cast::<libc::sockaddr_un>();
                let at = std::mem::offset_of!(libc::sockaddr_un, sun_path);
                let n = (a.len as usize).saturating_sub(at);
                let b = std::slice::from_raw_parts((&raw const (*p).sun_path).cast::<u8>(), n);
                if b.first() == Some(&0) {
                    return Ok(Bytes::new(b).into_object());
                }
                let n = b.iter().position(|c| *c == 0).unwrap_or(n);
                Ok(codecs::fs_decode(&b[..n]).into_object())
            }
            libc::AF_NETLINK => {
                let p = (&raw const a.storage).cast::<libc::sockaddr_nl>();
                tuple(vec![int((*p).nl_pid as i64), int((*p).nl_groups as i64)])
            }
            libc::AF_VSOCK => {
                let p = (&raw const a.storage).cast::<libc::sockaddr_vm>();
                tuple(vec![int((*p).svm_cid as i64), int((*p).svm_port as i64)])
            }
            f => {
                let b = std::slice::from_raw_parts(
                    (&raw const a.storage).cast::<u8>().add(2),
                    (a.len as usize).saturating_sub(2),
                );
                tuple(vec![int(f as i64), Bytes::new(b).into_object()])
            }
        }
    }
}
