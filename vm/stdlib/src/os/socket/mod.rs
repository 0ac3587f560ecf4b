//! `_socket`: the socket type (`sock.rs`), addresses (`addr.rs`) and name services.

use super::util::*;
use addr::{Addr, AddrInfo, gai_failed, herror_failed, host_bytes, lookup, resolve};
use lh_runtime::codecs;
use lh_runtime::number;
use lh_runtime::prelude::*;
use sock::{DEFAULT_TIMEOUT, Socket};
use std::ffi::{CStr, CString};
use std::sync::atomic::Ordering::Relaxed;

pub mod addr;
pub mod constants;
pub mod sock;

/// A host name argument.
pub struct Host(CString);
impl<'a> FromPy<'a> for Host {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        host_bytes(o).map(Host)
    }
}
fn text(s: &CStr) -> Owned<Object> {
    codecs::fs_decode(s.to_bytes()).into_object()
}

/// gethostbyname(host) -> address
///
/// Return the IP address (a string of the form '255.255.255.255') for a host.
#[pyfunction]
pub fn gethostbyname(host: Host) -> PyResult<Owned<Object>> {
    audit("socket.gethostbyname", &[&*fs_text(host.0.as_bytes())])?;
    let a = resolve(&host.0, libc::AF_INET)?;
    let t = addr::make(&a)?;
    Ok(t.downcast::<Tuple>().expect("an IPv4 address is a pair").get(0))
}

/// `(name, aliases, addresses)` of a host entry.
///
/// # Safety
/// `h` is null or the C library's entry.
unsafe fn host_entry(h: *const libc::hostent) -> PyResult<Owned<Tuple>> {
    if h.is_null() {
        return Err(herror_failed());
    }
    // SAFETY: the caller's promise; lists end in null.
    unsafe {
        let (aliases, ips) = (List::new(), List::new());
        let mut p = (*h).h_aliases;
        while !p.is_null() && !(*p).is_null() {
            aliases.push(fs_str(*p));
            p = p.add(1);
        }
        let mut p = (*h).h_addr_list;
        while !(*p).is_null() {
            let mut b = [0 as libc::c_char; 64];
            addr::inet_ntop((*h).h_addrtype, (*p).cast(), b.as_mut_ptr(), 64);
            ips.push(fs_str(b.as_ptr()));
            p = p.add(1);
        }
        Ok(Tuple::from_vec(vec![fs_str((*h).h_name), aliases.into_object(), ips.into_object()]))
    }
}
unsafe extern "C" {
    #[link_name = "gethostbyname"]
    fn libc_gethostbyname(name: *const libc::c_char) -> *const libc::hostent;
    #[link_name = "gethostbyaddr"]
    fn libc_gethostbyaddr(a: *const libc::c_void, len: libc::socklen_t, family: i32) -> *const libc::hostent;
}
/// gethostbyname_ex(host) -> (name, aliaslist, addresslist)
///
/// Return the true host name, a list of aliases, and a list of IP addresses,
/// for a host.  The host argument is a string giving a host name or IP number.
#[pyfunction]
pub fn gethostbyname_ex(host: Host) -> PyResult<Owned<Tuple>> {
    audit("socket.gethostbyname", &[&*fs_text(host.0.as_bytes())])?;
    resolve(&host.0, libc::AF_INET)?;
    // SAFETY: the library's static entry, read before its next call.
    unsafe { host_entry(libc_gethostbyname(host.0.as_ptr())) }
}
fn fs_text(b: &[u8]) -> Owned<Str> {
    lh_runtime::codecs::fs_decode(b)
}
/// gethostbyaddr(host) -> (name, aliaslist, addresslist)
///
/// Return the true host name, a list of aliases, and a list of IP addresses,
/// for a host.  The host argument is a string giving a host name or IP number.
#[pyfunction]
pub fn gethostbyaddr(ip_address: Host) -> PyResult<Owned<Tuple>> {
    let a = resolve(&ip_address.0, libc::AF_UNSPEC)?;
    let base = (&raw const a.storage).cast::<u8>();
    let (at, n) = match a.family() {
        libc::AF_INET => (4, 4),
        libc::AF_INET6 => (8, 16),
        _ => return raise!(OSError, "unsupported address family"),
    };
    // SAFETY: the address bytes lie at these offsets; the library's static entry is read before its next call.
    unsafe { host_entry(libc_gethostbyaddr(base.add(at).cast(), n, a.family())) }
}
/// gethostname() -> string
///
/// Return the current host name.
#[pyfunction]
pub fn gethostname() -> PyResult<Owned<Object>> {
    audit("socket.gethostname", &[])?;
    let mut b = [0 as libc::c_char; 1024];
    quick(c!(libc::gethostname(b.as_mut_ptr(), b.len() - 1)))?;
    // SAFETY: the text ends in NUL.
    Ok(unsafe { fs_str(b.as_ptr()) })
}
/// sethostname(name)
///
/// Sets the hostname to name.
#[pyfunction]
pub fn sethostname(name: FsBytes) -> PyResult<()> {
    quick(c!(libc::sethostname(name.0.as_ptr(), name.0.as_bytes().len()))).map(|_| ())
}

fn c_text(s: &str) -> PyResult<CString> {
    CString::new(s).map_err(|_| raised!(ValueError, "embedded null character"))
}
fn protocol(proto: Option<&str>) -> PyResult<Option<CString>> {
    proto.map(c_text).transpose()
}
/// getservbyname(servicename[, protocolname]) -> integer
///
/// Return a port number from a service name and protocol name.
/// The optional protocol name, if given, should be 'tcp' or 'udp',
/// otherwise any protocol will match.
#[pyfunction]
pub fn getservbyname(servicename: &str, protocolname: Option<&str>) -> PyResult<u16> {
    let (n, p) = (c_text(servicename)?, protocol(protocolname)?);
    let s = c!(libc::getservbyname(n.as_ptr(), p.as_ref().map_or(std::ptr::null(), |p| p.as_ptr())));
    if s.is_null() {
        return raise!(OSError, "service/proto not found");
    }
    // SAFETY: the library's static entry.
    Ok(u16::from_be(unsafe { (*s).s_port } as u16))
}
/// getservbyport(port[, protocolname]) -> string
///
/// Return the service name from a port number and protocol name.
/// The optional protocol name, if given, should be 'tcp' or 'udp',
/// otherwise any protocol will match.
#[pyfunction]
pub fn getservbyport(port: i32, protocolname: Option<&str>) -> PyResult<Owned<Object>> {
    let Ok(port) = u16::try_from(port) else {
        return raise!(OverflowError, "getservbyport: port must be 0-65535.");
    };
    let p = protocol(protocolname)?;
    let s = c!(libc::getservbyport(port.to_be() as i32, p.as_ref().map_or(std::ptr::null(), |p| p.as_ptr())));
    if s.is_null() {
        return raise!(OSError, "port/proto not found");
    }
    // SAFETY: the library's static entry.
    Ok(unsafe { fs_str((*s).s_name) })
}
/// getprotobyname(name) -> integer
///
/// Return the protocol number for the named protocol.  (Rarely used.)
#[pyfunction]
pub fn getprotobyname(name: &str) -> PyResult<i32> {
    let n = c_text(name)?;
    let p = c!(libc::getprotobyname(n.as_ptr()));
    if p.is_null() {
        return raise!(OSError, "protocol not found");
    }
    // SAFETY: the library's static entry.
    Ok(unsafe { (*p).p_proto })
}
/// close(integer) -> None
///
/// Close an integer socket file descriptor.  This is like os.close(), but for
/// sockets; on some platforms os.close() won't work for socket file descriptors.
#[pyfunction]
pub fn close(fd: i32) -> PyResult<()> {
    let r = lh_runtime::thread::allow_threads(|| c!(libc::close(fd)));
    if r < 0 && errno() != libc::ECONNRESET { Err(raise_last_os_error()) } else { Ok(()) }
}
/// dup(integer) -> integer
///
/// Duplicate an integer socket file descriptor.  This is like os.dup(), but for
/// sockets; on some platforms os.dup() won't work for socket file descriptors.
#[pyfunction]
pub fn dup(fd: i32) -> PyResult<i32> {
    call(|| c!(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0)))
}
/// socketpair([family[, type [, proto]]]) -> (socket object, socket object)
///
/// Create a pair of socket objects from the sockets returned by the platform
/// socketpair() function.
/// The arguments are the same as for socket() except the default family is
/// AF_UNIX if defined on the platform; otherwise, the default is AF_INET.
#[pyfunction(signature = "(family=1, type=1, proto=0, /)")]
pub fn socketpair(family: i32, kind: i32, proto: i32) -> PyResult<(Owned<Object>, Owned<Object>)> {
    let mut fds = [0; 2];
    call(|| c!(libc::socketpair(family, kind | libc::SOCK_CLOEXEC, proto, fds.as_mut_ptr())))?;
    let make = |fd: i32| {
        Socket::class().call(&[
            &*int(family as i64),
            &*int(kind as i64),
            &*int(proto as i64),
            &*int(fd as i64),
        ])
    };
    let a = make(fds[0]);
    let b = make(fds[1]);
    Ok((a?, b?))
}

fn short(name: &str, o: &Object) -> PyResult<u16> {
    let v = i32::from_py(o, ArgCtx { func: name, pos: 1, name: None })?;
    if v < 0 {
        return raise!(
            OverflowError,
            "{}: can't convert negative Python int to C 16-bit unsigned integer",
            name
        );
    }
    u16::try_from(v).map_err(|_| {
        raised!(OverflowError, "{}: Python int too large to convert to C 16-bit unsigned integer", name)
    })
}
fn long(o: &Object) -> PyResult<u32> {
    let Some(i) = o.downcast::<Int>() else {
        return raise!(TypeError, "expected int, {} found", o.ty().name());
    };
    if i.is_negative() {
        return raise!(OverflowError, "can't convert negative value to unsigned int");
    }
    i.to_u64()
        .and_then(|v| u32::try_from(v).ok())
        .map_or_else(|| raise!(OverflowError, "int larger than 32 bits"), Ok)
}
/// Convert a 16-bit unsigned integer from network to host byte order.
#[pyfunction]
pub fn ntohs(x: &Object) -> PyResult<u16> {
    short("ntohs", x).map(u16::from_be)
}
/// Convert a 16-bit unsigned integer from host to network byte order.
#[pyfunction]
pub fn htons(x: &Object) -> PyResult<u16> {
    short("htons", x).map(u16::to_be)
}
/// Convert a 32-bit integer from network to host byte order.
#[pyfunction]
pub fn ntohl(x: &Object) -> PyResult<u32> {
    long(x).map(u32::from_be)
}
/// Convert a 32-bit integer from host to network byte order.
#[pyfunction]
pub fn htonl(x: &Object) -> PyResult<u32> {
    long(x).map(u32::to_be)
}
/// inet_aton(string) -> bytes giving packed 32-bit IP representation
///
/// Convert an IP address in string format (123.45.67.89) to the 32-bit packed
/// binary format used in low-level network functions.
#[pyfunction]
pub fn inet_aton(ip_addr: &str) -> PyResult<Vec<u8>> {
    unsafe extern "C" {
        #[link_name = "inet_aton"]
        fn libc_inet_aton(s: *const libc::c_char, a: *mut libc::in_addr) -> i32;
    }
    let s = c_text(ip_addr)?;
    let mut a = libc::in_addr { s_addr: 0 };
    if c!(libc_inet_aton(s.as_ptr(), &mut a)) == 0 {
        return raise!(OSError, "illegal IP address string passed to inet_aton");
    }
    Ok(a.s_addr.to_ne_bytes().to_vec())
}
/// inet_ntoa(packed_ip) -> ip_address_string
///
/// Convert an IP address from 32-bit packed binary format to string format
#[pyfunction]
pub fn inet_ntoa(packed_ip: Buffer) -> PyResult<String> {
    match packed_ip.as_bytes() {
        [a, b, c, d] => Ok(format!("{a}.{b}.{c}.{d}")),
        _ => raise!(OSError, "packed IP wrong length for inet_ntoa"),
    }
}
/// inet_pton(af, ip) -> packed IP address string
///
/// Convert an IP address from string format to a packed string suitable
/// for use with low-level network functions.
#[pyfunction]
pub fn inet_pton(af: i32, ip: &str) -> PyResult<Vec<u8>> {
    let s = c_text(ip)?;
    let mut b = [0u8; 16];
    match c!(addr::inet_pton(af, s.as_ptr(), b.as_mut_ptr().cast())) {
        -1 => Err(raise_last_os_error()),
        0 => raise!(OSError, "illegal IP address string passed to inet_pton"),
        _ => Ok(b[..if af == libc::AF_INET { 4 } else { 16 }].to_vec()),
    }
}
/// inet_ntop(af, packed_ip) -> string formatted IP address
///
/// Convert a packed IP address of the given family to string format.
#[pyfunction]
pub fn inet_ntop(af: i32, packed_ip: Buffer) -> PyResult<Owned<Object>> {
    let n = match af {
        libc::AF_INET => 4,
        libc::AF_INET6 => 16,
        _ => return raise!(ValueError, "unknown address family {}", af),
    };
    if packed_ip.len() != n {
        return raise!(ValueError, "invalid length of packed IP address string");
    }
    let mut b = [0 as libc::c_char; 64];
    let p = packed_ip.as_bytes().as_ptr();
    if c!(addr::inet_ntop(af, p.cast(), b.as_mut_ptr(), 64)).is_null() {
        return Err(raise_last_os_error());
    }
    // SAFETY: the text ends in NUL.
    Ok(unsafe { fs_str(b.as_ptr()) })
}

/// getaddrinfo(host, port [, family, type, proto, flags])
///     -> list of (family, type, proto, canonname, sockaddr)
///
/// Resolve host and port into addrinfo struct.
#[pyfunction(signature = "(host, port, family=0, type=0, proto=0, flags=0)")]
pub fn getaddrinfo(
    host: &Object,
    port: &Object,
    family: i32,
    kind: i32,
    proto: i32,
    flags: i32,
) -> PyResult<Owned<List>> {
    let numbers = [family, kind, proto].map(|n| int(n as i64));
    audit("socket.getaddrinfo", &[host, port, &numbers[0], &numbers[1], &numbers[2]])?;
    let h = if host.is_none() {
        None
    } else if Str::check(host) || Bytes::check(host) {
        Some(host_bytes(host)?)
    } else {
        return raise!(TypeError, "getaddrinfo() argument 1 must be string or None");
    };
    let p = if port.is_none() {
        None
    } else if let Some(i) = port.downcast::<Int>() {
        let Some(v) = i.to_i64() else {
            return raise!(OverflowError, "Python int too large to convert to C long");
        };
        Some(c_text(&v.to_string())?)
    } else if let Some(s) = port.downcast::<Str>() {
        Some(c_text(s.to_str()?)?)
    } else if let Some(b) = port.downcast::<Bytes>() {
        CString::new(b.as_bytes()).ok()
    } else {
        return raise!(OSError, "Int or String expected");
    };
    let info = lookup(h.as_deref(), p.as_deref(), family, kind, proto, flags)?;
    let out = List::new();
    for a in info.iter() {
        // SAFETY: null or a C string.
        let canon = if a.ai_canonname.is_null() { c"" } else { unsafe { CStr::from_ptr(a.ai_canonname) } };
        let row = vec![
            int(a.ai_family as i64),
            int(a.ai_socktype as i64),
            int(a.ai_protocol as i64),
            text(canon),
            addr::make(&AddrInfo::addr(a))?,
        ];
        out.push(Tuple::from_vec(row).into_object());
    }
    Ok(out)
}
/// getnameinfo(sockaddr, flags) --> (host, port)
///
/// Get host and port for a sockaddr.
#[pyfunction]
pub fn getnameinfo(sockaddr: &Object, flags: i32) -> PyResult<(Owned<Object>, Owned<Object>)> {
    let Some(t) = sockaddr.downcast::<Tuple>() else {
        return raise!(TypeError, "getnameinfo() argument 1 must be a tuple");
    };
    if t.len() < 2 || t.len() > 4 {
        return raise!(TypeError, "getnameinfo(): illegal sockaddr argument");
    }
    let Some(h) = t.item_ref(0).downcast::<Str>() else {
        return raise!(TypeError, "getnameinfo(): illegal sockaddr argument");
    };
    let h = c_text(h.to_str()?)?;
    let opt = |i: usize| {
        if i < t.len() {
            u32::from_py(t.item_ref(i), ArgCtx { func: "getnameinfo", pos: 1, name: None })
        } else {
            Ok(0)
        }
    };
    let (port, flow, scope) = (opt(1)?, opt(2)?, opt(3)?);
    if flow > 0xfffff {
        return raise!(OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
    }
    let info = lookup(
        Some(&h),
        Some(&c_text(&port.to_string())?),
        libc::AF_UNSPEC,
        libc::SOCK_DGRAM,
        0,
        libc::AI_NUMERICHOST,
    )?;
    let mut it = info.iter();
    let Some(first) = it.next() else { return raise!(OSError, "no address") };
    let mut a: Addr = AddrInfo::addr(first);
    if it.next().is_some() {
        return raise!(OSError, "sockaddr resolved to multiple addresses");
    }
    match a.family() {
        libc::AF_INET if t.len() != 2 => return raise!(OSError, "IPv4 sockaddr must be 2 tuple"),
        // SAFETY: the family says which struct it is.
        libc::AF_INET6 => unsafe {
            let p = (&raw mut a.storage).cast::<libc::sockaddr_in6>();
            (*p).sin6_flowinfo = flow.to_be();
            (*p).sin6_scope_id = scope;
        },
        _ => {}
    }
    let (mut hb, mut sb) = ([0 as libc::c_char; 1025], [0 as libc::c_char; 32]);
    let e = lh_runtime::thread::allow_threads(|| {
        c!(libc::getnameinfo(a.ptr(), a.len, hb.as_mut_ptr(), 1025, sb.as_mut_ptr(), 32, flags))
    });
    if e != 0 {
        return Err(gai_failed(e));
    }
    // SAFETY: both texts end in NUL.
    unsafe { Ok((fs_str(hb.as_ptr()), fs_str(sb.as_ptr()))) }
}

/// getdefaulttimeout() -> timeout
///
/// Returns the default timeout in seconds (float) for new socket objects.
/// A value of None indicates that new socket objects have no timeout.
/// When the socket module is first imported, the default is None.
#[pyfunction]
pub fn getdefaulttimeout() -> Owned<Object> {
    let t = DEFAULT_TIMEOUT.load(Relaxed);
    if t < 0 { none() } else { float(t as f64 / 1e9) }
}
/// setdefaulttimeout(timeout)
///
/// Set the default timeout in seconds (float) for new socket objects.
/// A value of None indicates that new socket objects have no timeout.
/// When the socket module is first imported, the default is None.
#[pyfunction]
pub fn setdefaulttimeout(timeout: &Object) -> PyResult<()> {
    DEFAULT_TIMEOUT.store(sock::timeout_of(timeout)?, Relaxed);
    Ok(())
}
/// if_nameindex()
///
/// Returns a list of network interface information (index, name) tuples.
#[pyfunction]
pub fn if_nameindex() -> PyResult<Owned<List>> {
    let out = List::new();
    let start = c!(libc::if_nameindex());
    if start.is_null() {
        return Err(raise_last_os_error());
    }
    // SAFETY: a list that ends in an entry with index 0; freed once.
    unsafe {
        let mut p = start;
        while (*p).if_index != 0 && !(*p).if_name.is_null() {
            let row = vec![int((*p).if_index as i64), fs_str((*p).if_name)];
            out.push(Tuple::from_vec(row).into_object());
            p = p.add(1);
        }
        libc::if_freenameindex(start);
    }
    Ok(out)
}
/// if_nametoindex(if_name)
///
/// Returns the interface index corresponding to the interface name if_name.
#[pyfunction]
pub fn if_nametoindex(name: FsBytes) -> PyResult<u32> {
    match c!(libc::if_nametoindex(name.0.as_ptr())) {
        0 => raise!(OSError, "no interface with this name"),
        i => Ok(i),
    }
}
/// if_indextoname(if_index)
///
/// Returns the interface name corresponding to the interface index if_index.
#[pyfunction]
pub fn if_indextoname(index: u32) -> PyResult<Owned<Object>> {
    let mut b = [0 as libc::c_char; 64];
    if c!(libc::if_indextoname(index, b.as_mut_ptr())).is_null() {
        return Err(raise_last_os_error());
    }
    // SAFETY: the name ends in NUL.
    Ok(unsafe { fs_str(b.as_ptr()) })
}
/// What a control message of that length takes, as `f` says; with `f(at)` more it must still be a C int.
fn control_length(o: &Object, f: impl Fn(u32) -> u32, at: u32, what: &str) -> PyResult<u32> {
    let n = number::as_isize(o, Some(exc::OverflowError()))?;
    if n < 0 || n > i32::MAX as isize - f(at) as isize {
        return raise!(OverflowError, "{}() argument out of range", what);
    }
    Ok(f(n as u32))
}
/// CMSG_LEN(length) -> control message length
///
/// Return the total length, without trailing padding, of an ancillary
/// data item with associated data of the given length.
#[allow(non_snake_case)]
#[pyfunction]
pub fn CMSG_LEN(length: &Object) -> PyResult<u32> {
    control_length(length, |n| c!(libc::CMSG_LEN(n)), 0, "CMSG_LEN")
}
/// CMSG_SPACE(length) -> buffer size
///
/// Return the buffer size needed for recvmsg() to receive an ancillary
/// data item with associated data of the given length, along with any
/// trailing padding.
#[allow(non_snake_case)]
#[pyfunction]
pub fn CMSG_SPACE(length: &Object) -> PyResult<u32> {
    control_length(length, |n| c!(libc::CMSG_SPACE(n)), 1, "CMSG_SPACE")
}

fn setup(m: &Module) -> PyResult<()> {
    add_ints(m, constants::CONSTANTS)?;
    // What `_ssl` asks for: the type, OSError and TimeoutError.
    let api: &'static [usize; 3] = Box::leak(Box::new([
        Socket::type_ptr() as usize,
        exc::OSError().tp() as usize,
        exc::TimeoutError().tp() as usize,
    ]));
    m.add("CAPI", &*lh_runtime::capsule::new((&raw const *api).cast_mut().cast(), c"_socket.CAPI")?)?;
    m.add("SocketType", Socket::class())?;
    m.add("error", exc::OSError())?;
    m.add("timeout", exc::TimeoutError())?;
    m.add("gaierror", addr::gaierror()?)?;
    m.add("herror", addr::herror()?)?;
    m.add("has_ipv6", bool_ref(true))
}

module! { "_socket", doc: "Implementation module for socket operations.\n\nSee the socket module for documentation.",
functions: [gethostbyname, gethostbyname_ex, gethostbyaddr, gethostname, sethostname, getservbyname, getservbyport,
    getprotobyname, close, dup, socketpair, ntohs, ntohl, htons, htonl, inet_aton, inet_ntoa, inet_pton, inet_ntop,
    getaddrinfo, getnameinfo, getdefaulttimeout, setdefaulttimeout, if_nameindex, if_nametoindex, if_indextoname,
    CMSG_LEN, CMSG_SPACE],
types: [Socket], init: setup }
