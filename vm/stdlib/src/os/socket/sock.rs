//! The `socket` type: a descriptor with a timeout.
//!
//! A timeout of -1 blocks, 0 never waits; with a positive one the descriptor is non-blocking and every operation first waits until it is ready.
//! The fields lie as `_ssl` expects them (`PySocketSockObject`).

use super::addr::{self, Addr};
use crate::os::util::*;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// `socket.setdefaulttimeout`, in nanoseconds; negative: none.
pub static DEFAULT_TIMEOUT: AtomicI64 = AtomicI64::new(-1_000_000_000);
const FOREVER: i64 = -1_000_000_000;

/// socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object
/// socket(family=-1, type=-1, proto=-1, fileno=None) -> socket object
///
/// Open a socket of the given type.  The family argument specifies the
/// address family; it defaults to AF_INET.  The type argument specifies
/// whether this is a stream (SOCK_STREAM, this is the default)
/// or datagram (SOCK_DGRAM) socket.  The protocol argument defaults to 0,
/// specifying the default protocol.  Keyword arguments are accepted.
/// The socket is created as non-inheritable.
#[pyclass(name = "socket", module = "_socket", basetype, nogc)]
#[repr(C)]
pub struct Socket {
    pub fd: Cell<i32>,
    family: Cell<i32>,
    kind: Cell<i32>,
    proto: Cell<i32>,
    errorhandler: Cell<*mut std::ffi::c_void>,
    pub timeout: Cell<i64>,
    state: Cell<*mut std::ffi::c_void>,
}

/// A timeout argument in nanoseconds.
pub fn timeout_of(o: &Object) -> PyResult<i64> {
    if o.is_none() {
        return Ok(FOREVER);
    }
    let ns = seconds_to_ns(o, true)?;
    if ns < 0 {
        return raise!(ValueError, "Timeout value out of range");
    }
    Ok(ns)
}

fn set_nonblocking(fd: i32, on: bool) -> PyResult<()> {
    let v: libc::c_int = on as i32;
    call(|| c!(libc::ioctl(fd, libc::FIONBIO, &v))).map(|_| ())
}

fn timed_out() -> Raised {
    raised!(TimeoutError, "timed out")
}

impl Socket {
    /// Waits until the descriptor is ready; false: the deadline passed.
    fn wait(&self, events: i16, deadline: Option<i64>) -> PyResult<bool> {
        loop {
            let left = deadline.map(|d| d - monotonic_ns());
            if left.is_some_and(|l| l < 0) {
                return Ok(false);
            }
            let ms = left.map_or(-1, |l| ((l + 999_999) / 1_000_000).min(i32::MAX as i64) as i32);
            let mut p = libc::pollfd { fd: self.fd.get(), events, revents: 0 };
            let r = lh_runtime::thread::allow_threads(|| c!(libc::poll(&mut p, 1, ms)));
            match r {
                0 => return Ok(false),
                r if r > 0 => return Ok(true),
                _ => match errno() {
                    libc::EINTR => crate::os::signal::check_signals()?,
                    e => return Err(raise_errno(e, None)),
                },
            }
        }
    }
    fn deadline(&self) -> Option<i64> {
        let t = self.timeout.get();
        (t > 0).then(|| monotonic_ns().saturating_add(t))
    }
    /// Runs an operation that may have to wait.
    fn run<T: PartialOrd + Default>(
        &self,
        events: i16,
        deadline: Option<i64>,
        mut f: impl FnMut(i32) -> T,
    ) -> PyResult<T> {
        loop {
            if self.timeout.get() > 0 && !self.wait(events, deadline)? {
                return Err(timed_out());
            }
            let fd = self.fd.get();
            let r = lh_runtime::thread::allow_threads(|| f(fd));
            if r >= T::default() {
                return Ok(r);
            }
            match errno() {
                libc::EINTR => crate::os::signal::check_signals()?,
                e if self.timeout.get() > 0 && (e == libc::EWOULDBLOCK || e == libc::EAGAIN) => {}
                e => return Err(raise_errno(e, None)),
            }
        }
    }
    fn reading<T: PartialOrd + Default>(&self, f: impl FnMut(i32) -> T) -> PyResult<T> {
        self.run(libc::POLLIN, self.deadline(), f)
    }
    fn writing<T: PartialOrd + Default>(&self, f: impl FnMut(i32) -> T) -> PyResult<T> {
        self.run(libc::POLLOUT, self.deadline(), f)
    }
    /// Connects; the error number, 0 for success.
    fn do_connect(&self, a: &Addr) -> PyResult<i32> {
        let fd = self.fd.get();
        let r = lh_runtime::thread::allow_threads(|| c!(libc::connect(fd, a.ptr(), a.len)));
        if r == 0 {
            return Ok(0);
        }
        let e = errno();
        let wait = match e {
            libc::EINTR => {
                crate::os::signal::check_signals()?;
                self.timeout.get() != 0
            }
            libc::EINPROGRESS => self.timeout.get() > 0,
            _ => false,
        };
        if !wait {
            return Ok(e);
        }
        if !self.wait(libc::POLLOUT, self.deadline())? {
            return Err(timed_out());
        }
        let (mut v, mut n) = (0i32, 4 as libc::socklen_t);
        quick(c!(libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, (&raw mut v).cast(), &mut n)))?;
        Ok(if v == libc::EISCONN { 0 } else { v })
    }
    fn set_up(&self, fd: i32, family: i32, kind: i32, proto: i32) -> PyResult<()> {
        self.fd.set(fd);
        self.family.set(family);
        self.kind.set(kind & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK));
        self.proto.set(proto);
        if kind & libc::SOCK_NONBLOCK != 0 {
            self.timeout.set(0);
        } else {
            let t = DEFAULT_TIMEOUT.load(Relaxed);
            self.timeout.set(t);
            if t >= 0 {
                set_nonblocking(fd, true)?;
            }
        }
        Ok(())
    }
    fn parse(&self, o: &Object, caller: &str) -> PyResult<Addr> {
        addr::parse(o, self.family.get(), caller)
    }
    fn recv_bytes(&self, n: isize, flags: i32) -> PyResult<Vec<u8>> {
        let mut v: Vec<u8> = vec![];
        if v.try_reserve_exact(n as usize).is_err() {
            return raise!(MemoryError);
        }
        if n == 0 {
            return Ok(v);
        }
        let p = v.as_mut_ptr();
        let got = self.reading(|fd| c!(libc::recv(fd, p.cast(), n as usize, flags)))?;
        // SAFETY: the system wrote that many bytes.
        unsafe { v.set_len(got as usize) };
        Ok(v)
    }
    fn recv_from(&self, p: *mut u8, n: usize, flags: i32) -> PyResult<(usize, Owned<Object>)> {
        let mut a = Addr::empty();
        let got = self.reading(|fd| {
            a.len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            c!(libc::recvfrom(fd, p.cast(), n, flags, (&raw mut a.storage).cast(), &mut a.len))
        })?;
        Ok((got as usize, addr::make(&a)?))
    }
    /// The length to read into a buffer: all of it by default.
    fn into_len(b: &Buffer, n: isize, what: &str) -> PyResult<usize> {
        if n < 0 {
            return raise!(ValueError, "negative buffersize in {}", what);
        }
        let n = n as usize;
        if n > b.len() {
            return raise!(
                ValueError,
                "{}",
                if what == "recv_into" {
                    "buffer too small for requested bytes"
                } else {
                    "nbytes is greater than the length of the buffer"
                }
            );
        }
        Ok(if n == 0 { b.len() } else { n })
    }
    /// Receives with ancillary data into iovecs.
    fn recv_msg(
        &self,
        iov: &mut [libc::iovec],
        ancbufsize: isize,
        flags: i32,
    ) -> PyResult<(usize, Owned<Object>, i32, Owned<Object>)> {
        if ancbufsize < 0 || ancbufsize > i32::MAX as isize {
            return raise!(ValueError, "invalid ancillary data buffer length");
        }
        let mut control = vec![0u64; (ancbufsize as usize).div_ceil(8)];
        let mut a = Addr::empty();
        // SAFETY: an all-zero header is valid; its pointers are live during the call.
        let mut m: libc::msghdr = unsafe { std::mem::zeroed() };
        let got = self.reading(|fd| {
            m.msg_name = (&raw mut a.storage).cast();
            m.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            m.msg_iov = iov.as_mut_ptr();
            m.msg_iovlen = iov.len();
            m.msg_control = if ancbufsize == 0 { std::ptr::null_mut() } else { control.as_mut_ptr().cast() };
            m.msg_controllen = ancbufsize as usize;
            c!(libc::recvmsg(fd, &mut m, flags))
        })?;
        a.len = m.msg_namelen;
        let anc = List::new();
        // SAFETY: the kernel filled the control block; the macros walk it within its length.
        unsafe {
            let mut h = libc::CMSG_FIRSTHDR(&m);
            while !h.is_null() {
                let start = libc::CMSG_DATA(h) as usize;
                let end = (h as usize + (*h).cmsg_len).min(m.msg_control as usize + m.msg_controllen);
                let data = std::slice::from_raw_parts(start as *const u8, end.saturating_sub(start));
                let item = vec![
                    int((*h).cmsg_level as i64),
                    int((*h).cmsg_type as i64),
                    Bytes::new(data).into_object(),
                ];
                anc.push(Tuple::from_vec(item).into_object());
                h = libc::CMSG_NXTHDR(&m, h);
            }
        }
        Ok((got as usize, anc.into_object(), m.msg_flags, addr::make(&a)?))
    }
}

fn pair(a: Owned<Object>, b: Owned<Object>) -> Owned<Tuple> {
    Tuple::from_vec(vec![a, b])
}
fn bufsize(n: isize, what: &str) -> PyResult<()> {
    if n < 0 {
        return raise!(ValueError, "negative buffersize in {}", what);
    }
    Ok(())
}

#[pymethods]
impl Socket {
    #[slot(tp_new)]
    fn new_slot(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<Owned<Socket>> {
        let null = || Cell::new(std::ptr::null_mut());
        Socket {
            fd: Cell::new(-1),
            family: Cell::new(0),
            kind: Cell::new(0),
            proto: Cell::new(0),
            errorhandler: null(),
            timeout: Cell::new(FOREVER),
            state: null(),
        }
        .build_in(cls)
    }
    #[init(signature = "(family=-1, type=-1, proto=-1, fileno=None)")]
    fn init(&self, family: i32, kind: i32, proto: i32, fileno: Option<&Object>) -> PyResult<()> {
        audit("socket.__new__", &[self, &int(family as i64), &int(kind as i64), &int(proto as i64)])?;
        let Some(f) = fileno.filter(|f| !f.is_none()) else {
            let family = if family == -1 { libc::AF_INET } else { family };
            let kind = if kind == -1 { libc::SOCK_STREAM } else { kind };
            let proto = if proto == -1 { 0 } else { proto };
            let fd = call(|| c!(libc::socket(family, kind | libc::SOCK_CLOEXEC, proto)))?;
            return self.set_up(fd, family, kind, proto);
        };
        if Float::check(f) {
            return raise!(TypeError, "integer argument expected, got float");
        }
        let fd = i32::from_py(f, ArgCtx { func: "socket", pos: 4, name: None })?;
        if fd < 0 {
            return raise!(ValueError, "negative file descriptor");
        }
        let mut a = Addr::empty();
        let known = c!(libc::getsockname(fd, (&raw mut a.storage).cast(), &mut a.len)) == 0;
        if !known && matches!(errno(), libc::EBADF | libc::ENOTSOCK) {
            return Err(raise_last_os_error());
        }
        if !known && family == -1 {
            return Err(raise_last_os_error());
        }
        let family = if family == -1 { a.family() } else { family };
        let option = |name: i32| -> PyResult<i32> {
            let (mut v, mut n) = (0i32, 4 as libc::socklen_t);
            quick(c!(libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut v).cast(), &mut n)))?;
            Ok(v)
        };
        let kind = if kind == -1 { option(libc::SO_TYPE)? } else { kind };
        let proto = if proto == -1 { option(libc::SO_PROTOCOL)? } else { proto };
        self.set_up(fd, family, kind, proto)
    }
    #[slot(tp_finalize)]
    fn finalize(o: *mut lh_runtime::abi::PyObject) {
        // SAFETY: the object still lives while it is finalised.
        let s = unsafe { lh_runtime::slots::this::<Socket>(o) };
        if s.fd.get() != -1 {
            preserving(|| {
                let text = format!("unclosed {}", s.repr_lossy());
                if let Err(e) = number::warn(exc::ResourceWarning(), &text, 1) {
                    let shown = e.matches(exc::Warning());
                    if shown {
                        write_unraisable(Some(s), None);
                    } else {
                        e.clear();
                    }
                }
            });
            let fd = s.fd.replace(-1);
            lh_runtime::thread::allow_threads(|| c!(libc::close(fd)));
        }
    }
    #[slot(tp_repr)]
    fn repr_slot(&self) -> String {
        format!(
            "<socket object, fd={}, family={}, type={}, proto={}>",
            self.fd.get(),
            self.family.get(),
            self.kind.get(),
            self.proto.get()
        )
    }
    /// the socket family
    #[getter]
    fn family(&self) -> i32 {
        self.family.get()
    }
    /// the socket type
    #[getter(name = "type")]
    fn kind(&self) -> i32 {
        self.kind.get()
    }
    /// the socket protocol
    #[getter]
    fn proto(&self) -> i32 {
        self.proto.get()
    }
    /// the socket timeout
    #[getter]
    fn timeout(&self) -> Owned<Object> {
        self.gettimeout()
    }
    /// _accept() -> (integer, address info)
    ///
    /// Wait for an incoming connection.  Return a new socket file descriptor
    /// representing the connection, and the address of the client.
    /// For IP sockets, the address info is a pair (hostaddr, port).
    #[pymethod(signature = "()")]
    fn _accept(&self) -> PyResult<Owned<Tuple>> {
        let mut a = Addr::empty();
        let fd = self.reading(|fd| {
            a.len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            c!(libc::accept4(fd, (&raw mut a.storage).cast(), &mut a.len, libc::SOCK_CLOEXEC))
        })?;
        Ok(pair(int(fd as i64), addr::make(&a)?))
    }
    /// bind(address)
    ///
    /// Bind the socket to a local address.  For IP sockets, the address is a
    /// pair (host, port); the host must refer to the local host.
    #[pymethod(signature = "(address, /)")]
    fn bind(&self, address: &Object) -> PyResult<()> {
        let a = self.parse(address, "bind")?;
        audit("socket.bind", &[self, address])?;
        let fd = self.fd.get();
        quick(c!(libc::bind(fd, a.ptr(), a.len))).map(|_| ())
    }
    /// close()
    ///
    /// Close the socket.  It cannot be used after this call.
    #[pymethod(signature = "()")]
    fn close(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd != -1
            && lh_runtime::thread::allow_threads(|| c!(libc::close(fd))) < 0
            && errno() != libc::ECONNRESET
        {
            return Err(raise_last_os_error());
        }
        Ok(())
    }
    /// detach()
    ///
    /// Close the socket object without closing the underlying file descriptor.
    /// The object cannot be used after this call, but the file descriptor
    /// can be reused for other purposes.  The file descriptor is returned.
    #[pymethod(signature = "()")]
    fn detach(&self) -> i32 {
        self.fd.replace(-1)
    }
    /// connect(address)
    ///
    /// Connect the socket to a remote address.  For IP sockets, the address
    /// is a pair (host, port).
    #[pymethod(signature = "(address, /)")]
    fn connect(&self, address: &Object) -> PyResult<()> {
        let a = self.parse(address, "connect")?;
        audit("socket.connect", &[self, address])?;
        match self.do_connect(&a)? {
            0 => Ok(()),
            e => Err(raise_errno(e, None)),
        }
    }
    /// connect_ex(address) -> errno
    ///
    /// This is like connect(address), but returns an error code (the errno value)
    /// instead of raising an exception when an error occurs.
    #[pymethod(signature = "(address, /)")]
    fn connect_ex(&self, address: &Object) -> PyResult<i32> {
        let a = self.parse(address, "connect_ex")?;
        match self.do_connect(&a) {
            Err(e) if e.matches(exc::TimeoutError()) => {
                e.clear();
                Ok(libc::EAGAIN)
            }
            r => r,
        }
    }
    /// fileno() -> integer
    ///
    /// Return the integer file descriptor of the socket.
    #[pymethod(signature = "()")]
    fn fileno(&self) -> i32 {
        self.fd.get()
    }
    /// getpeername() -> address info
    ///
    /// Return the address of the remote endpoint.  For IP sockets, the address
    /// info is a pair (hostaddr, port).
    #[pymethod(signature = "()")]
    fn getpeername(&self) -> PyResult<Owned<Object>> {
        let mut a = Addr::empty();
        quick(c!(libc::getpeername(self.fd.get(), (&raw mut a.storage).cast(), &mut a.len)))?;
        addr::make(&a)
    }
    /// getsockname() -> address info
    ///
    /// Return the address of the local endpoint. The format depends on the
    /// address family. For IPv4 sockets, the address info is a pair
    /// (hostaddr, port). For IPv6 sockets, the address info is a 4-tuple
    /// (hostaddr, port, flowinfo, scope_id).
    #[pymethod(signature = "()")]
    fn getsockname(&self) -> PyResult<Owned<Object>> {
        let mut a = Addr::empty();
        quick(c!(libc::getsockname(self.fd.get(), (&raw mut a.storage).cast(), &mut a.len)))?;
        addr::make(&a)
    }
    /// getsockopt(level, option[, buffersize]) -> value
    ///
    /// Get a socket option.  See the Unix manual for level and option.
    /// If a nonzero buffersize argument is given, the return value is a
    /// string of that length; otherwise it is an integer.
    #[pymethod(signature = "(level, option, buflen=0, /)")]
    fn getsockopt(&self, level: i32, option: i32, buflen: i32) -> PyResult<Owned<Object>> {
        if buflen == 0 && self.family.get() == libc::AF_VSOCK {
            // Its options are 64 bits wide.
            let (mut v, mut n) = (0u64, 8 as libc::socklen_t);
            quick(c!(libc::getsockopt(self.fd.get(), level, option, (&raw mut v).cast(), &mut n)))?;
            return Ok(Int::from_u64(v).into_object());
        }
        if buflen == 0 {
            let (mut v, mut n) = (0i32, 4 as libc::socklen_t);
            quick(c!(libc::getsockopt(self.fd.get(), level, option, (&raw mut v).cast(), &mut n)))?;
            return Ok(int(v as i64));
        }
        if !(0..=1024).contains(&buflen) {
            return raise!(OSError, "getsockopt buflen out of range");
        }
        let mut b = vec![0u8; buflen as usize];
        let mut n = buflen as libc::socklen_t;
        quick(c!(libc::getsockopt(self.fd.get(), level, option, b.as_mut_ptr().cast(), &mut n)))?;
        Ok(Bytes::new(&b[..n as usize]).into_object())
    }
    /// setsockopt(level, option, value: int)
    /// setsockopt(level, option, value: buffer)
    /// setsockopt(level, option, None, optlen: int)
    ///
    /// Set a socket option.  See the Unix manual for level and option.
    /// The value argument can either be an integer, a string buffer, or
    /// None, optlen.
    #[pymethod(signature = "(level, option, value, optlen=None, /)")]
    fn setsockopt(&self, level: i32, option: i32, value: &Object, optlen: Option<u32>) -> PyResult<()> {
        let fd = self.fd.get();
        let r = if let Some(n) = optlen {
            if !value.is_none() {
                return raise!(TypeError, "setsockopt() argument 3 must be None, not {}", value.ty().name());
            }
            c!(libc::setsockopt(fd, level, option, std::ptr::null(), n))
        } else if number::has_index(value) && self.family.get() == libc::AF_VSOCK {
            let v = u64::from_py(value, ArgCtx { func: "setsockopt", pos: 3, name: None })?;
            c!(libc::setsockopt(fd, level, option, (&raw const v).cast(), 8))
        } else if number::has_index(value) {
            let v = i32::from_py(value, ArgCtx { func: "setsockopt", pos: 3, name: None })?;
            c!(libc::setsockopt(fd, level, option, (&raw const v).cast(), 4))
        } else {
            let b = Buffer::simple(value)?.to_vec();
            c!(libc::setsockopt(fd, level, option, b.as_ptr().cast(), b.len() as u32))
        };
        quick(r).map(|_| ())
    }
    /// gettimeout() -> timeout
    ///
    /// Returns the timeout in seconds (float) associated with socket
    /// operations. A timeout of None indicates that timeouts on socket
    /// operations are disabled.
    #[pymethod(signature = "()")]
    fn gettimeout(&self) -> Owned<Object> {
        let t = self.timeout.get();
        if t < 0 { none() } else { float(t as f64 / 1e9) }
    }
    /// settimeout(timeout)
    ///
    /// Set a timeout on socket operations.  'timeout' can be a float,
    /// giving in seconds, or None.  Setting a timeout of None disables
    /// the timeout feature and is equivalent to setblocking(1).
    /// Setting a timeout of zero is the same as setblocking(0).
    #[pymethod(signature = "(timeout, /)")]
    fn settimeout(&self, timeout: &Object) -> PyResult<()> {
        let t = timeout_of(timeout)?;
        self.timeout.set(t);
        set_nonblocking(self.fd.get(), t >= 0)
    }
    /// setblocking(flag)
    ///
    /// Set the socket to blocking (flag is true) or non-blocking (false).
    /// setblocking(True) is equivalent to settimeout(None);
    /// setblocking(False) is equivalent to settimeout(0.0).
    #[pymethod(signature = "(flag, /)")]
    fn setblocking(&self, flag: bool) -> PyResult<()> {
        self.timeout.set(if flag { FOREVER } else { 0 });
        set_nonblocking(self.fd.get(), !flag)
    }
    /// getblocking()
    ///
    /// Returns True if socket is in blocking mode, or False if it
    /// is in non-blocking mode.
    #[pymethod(signature = "()")]
    fn getblocking(&self) -> bool {
        self.timeout.get() != 0
    }
    /// listen([backlog])
    ///
    /// Enable a server to accept connections.  If backlog is specified, it must be
    /// at least 0 (if it is lower, it is set to 0); it specifies the number of
    /// unaccepted connections that the system will allow before refusing new
    /// connections. If not specified, a default reasonable value is chosen.
    #[pymethod(signature = "(backlog=128, /)")]
    fn listen(&self, backlog: i32) -> PyResult<()> {
        quick(c!(libc::listen(self.fd.get(), backlog.max(0)))).map(|_| ())
    }
    /// recv(buffersize[, flags]) -> data
    ///
    /// Receive up to buffersize bytes from the socket.  For the optional flags
    /// argument, see the Unix manual.  When no data is available, block until
    /// at least one byte is available or until the remote end is closed.  When
    /// the remote end is closed and all data is read, return the empty string.
    #[pymethod(signature = "(buffersize, flags=0, /)")]
    fn recv(&self, buffersize: isize, flags: i32) -> PyResult<Vec<u8>> {
        bufsize(buffersize, "recv")?;
        self.recv_bytes(buffersize, flags)
    }
    /// recv_into(buffer, [nbytes[, flags]]) -> nbytes_read
    ///
    /// A version of recv() that stores its data into a buffer rather than creating
    /// a new string.  Receive up to buffersize bytes from the socket.  If buffersize
    /// is not specified (or 0), receive up to the size available in the given buffer.
    #[pymethod(signature = "(buffer, nbytes=0, flags=0)")]
    fn recv_into(&self, buffer: &Object, nbytes: isize, flags: i32) -> PyResult<isize> {
        let mut b = Buffer::writable(buffer)?;
        let n = Self::into_len(&b, nbytes, "recv_into")?;
        if n == 0 {
            return Ok(0);
        }
        let p = b.as_bytes_mut().as_mut_ptr();
        self.reading(|fd| c!(libc::recv(fd, p.cast(), n, flags)))
    }
    /// recvfrom(buffersize[, flags]) -> (data, address info)
    ///
    /// Like recv(buffersize, flags) but also return the sender's address info.
    #[pymethod(signature = "(buffersize, flags=0, /)")]
    fn recvfrom(&self, buffersize: isize, flags: i32) -> PyResult<Owned<Tuple>> {
        bufsize(buffersize, "recvfrom")?;
        let mut v = lh_runtime::alloc::zeroed::<u8>(buffersize as usize)?;
        let (n, a) = self.recv_from(v.as_mut_ptr(), v.len(), flags)?;
        Ok(pair(Bytes::new(&v[..n]).into_object(), a))
    }
    /// recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)
    ///
    /// Like recv_into(buffer[, nbytes[, flags]]) but also return the sender's address info.
    #[pymethod(signature = "(buffer, nbytes=0, flags=0)")]
    fn recvfrom_into(&self, buffer: &Object, nbytes: isize, flags: i32) -> PyResult<Owned<Tuple>> {
        let mut b = Buffer::writable(buffer)?;
        let n = Self::into_len(&b, nbytes, "recvfrom_into")?;
        let (n, a) = self.recv_from(b.as_bytes_mut().as_mut_ptr(), n, flags)?;
        Ok(pair(int(n as i64), a))
    }
    /// recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)
    ///
    /// Receive normal data (up to bufsize bytes) and ancillary data from the
    /// socket.  The ancbufsize argument sets the size in bytes of the
    /// internal buffer used to receive the ancillary data; it defaults to 0,
    /// meaning that no ancillary data will be received.  ancdata is a list of
    /// (cmsg_level, cmsg_type, cmsg_data) tuples.
    #[pymethod(signature = "(bufsize, ancbufsize=0, flags=0, /)")]
    fn recvmsg(&self, size: isize, ancbufsize: isize, flags: i32) -> PyResult<Owned<Tuple>> {
        if size < 0 {
            return raise!(ValueError, "negative buffer size in recvmsg()");
        }
        let mut v = lh_runtime::alloc::zeroed::<u8>(size as usize)?;
        let mut iov = [libc::iovec { iov_base: v.as_mut_ptr().cast(), iov_len: v.len() }];
        let (n, anc, f, a) = self.recv_msg(&mut iov, ancbufsize, flags)?;
        Ok(Tuple::from_vec(vec![Bytes::new(&v[..n]).into_object(), anc, int(f as i64), a]))
    }
    /// recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)
    ///
    /// Receive normal data and ancillary data from the socket, scattering the
    /// non-ancillary data into a series of buffers, an iterable of objects that
    /// export writable buffers.
    #[pymethod(signature = "(buffers, ancbufsize=0, flags=0, /)")]
    fn recvmsg_into(&self, buffers: &Object, ancbufsize: isize, flags: i32) -> PyResult<Owned<Tuple>> {
        let mut bufs = vec![];
        let Some(items) = catching(exc::TypeError(), || buffers.to_items())? else {
            return raise!(TypeError, "recvmsg_into() argument 1 must be an iterable");
        };
        for b in &items {
            let Some(b) = catching(exc::Exception(), || Buffer::writable(b))? else {
                return raise!(
                    TypeError,
                    "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers"
                );
            };
            bufs.push(b);
        }
        let mut iov: Vec<_> = bufs
            .iter_mut()
            .map(|b| libc::iovec { iov_base: b.as_bytes_mut().as_mut_ptr().cast(), iov_len: b.len() })
            .collect();
        let (n, anc, f, a) = self.recv_msg(&mut iov, ancbufsize, flags)?;
        Ok(Tuple::from_vec(vec![int(n as i64), anc, int(f as i64), a]))
    }
    /// send(data[, flags]) -> count
    ///
    /// Send a data string to the socket.  For the optional flags
    /// argument, see the Unix manual.  Return the number of bytes
    /// sent; this may be less than len(data) if the network is busy.
    #[pymethod(signature = "(data, flags=0, /)")]
    fn send(&self, data: Buffer, flags: i32) -> PyResult<isize> {
        let (p, n) = (data.as_bytes().as_ptr(), data.len());
        self.writing(|fd| c!(libc::send(fd, p.cast(), n, flags)))
    }
    /// sendall(data[, flags])
    ///
    /// Send a data string to the socket.  For the optional flags
    /// argument, see the Unix manual.  This calls send() repeatedly
    /// until all data is sent.  If an error occurs, it's impossible
    /// to tell how much data has been sent.
    #[pymethod(signature = "(data, flags=0, /)")]
    fn sendall(&self, data: Buffer, flags: i32) -> PyResult<()> {
        let deadline = self.deadline();
        let b = data.as_bytes();
        let mut done = 0;
        loop {
            let (p, n) = (b[done..].as_ptr(), b.len() - done);
            done += self.run(libc::POLLOUT, deadline, |fd| c!(libc::send(fd, p.cast(), n, flags)))? as usize;
            crate::os::signal::check_signals()?;
            if done >= b.len() {
                return Ok(());
            }
        }
    }
    /// sendto(data, [flags,] address) -> count
    ///
    /// Like send(data, flags) but allows specifying the destination address.
    /// For IP sockets, the address is a pair (hostaddr, port).
    #[pymethod(raw)]
    fn sendto(&self, a: Args<'_>) -> PyResult<isize> {
        a.no_kwargs("sendto")?;
        let (flags, to) = match a.len() {
            2 => (0, a.get(1)),
            3 => {
                let f =
                    i32::from_py(a.get(1).expect("counted"), ArgCtx { func: "sendto", pos: 2, name: None })?;
                (f, a.get(2))
            }
            n => return raise!(TypeError, "sendto() takes 2 or 3 arguments ({} given)", n),
        };
        let b = Buffer::simple(a.get(0).expect("counted"))?;
        let to = self.parse(to.expect("counted"), "sendto")?;
        let (p, n) = (b.as_bytes().as_ptr(), b.len());
        self.writing(|fd| c!(libc::sendto(fd, p.cast(), n, flags, to.ptr(), to.len)))
    }
    /// sendmsg(buffers[, ancdata[, flags[, address]]]) -> count
    ///
    /// Send normal and ancillary data to the socket, gathering the
    /// non-ancillary data from a series of buffers and concatenating it into
    /// a single message.  ancdata is an iterable of (cmsg_level, cmsg_type, cmsg_data)
    /// tuples.  The return value is the number of bytes of non-ancillary data sent.
    #[pymethod(signature = "(buffers, ancdata=None, flags=0, address=None, /)")]
    fn sendmsg(
        &self,
        buffers: &Object,
        ancdata: Option<&Object>,
        flags: i32,
        address: Option<&Object>,
    ) -> PyResult<isize> {
        let mut bufs = vec![];
        let Some(items) = catching(exc::TypeError(), || buffers.to_items())? else {
            return raise!(TypeError, "sendmsg() argument 1 must be iterable");
        };
        for b in items {
            bufs.push(Buffer::simple(&b)?);
        }
        let mut iov: Vec<_> = bufs
            .iter()
            .map(|b| libc::iovec { iov_base: b.as_bytes().as_ptr().cast_mut().cast(), iov_len: b.len() })
            .collect();
        let mut anc = vec![];
        if let Some(a) = ancdata.filter(|a| !a.is_none()) {
            let Some(items) = catching(exc::TypeError(), || a.to_items())? else {
                return raise!(TypeError, "sendmsg() argument 2 must be iterable");
            };
            for item in items {
                let Some(t) = item.downcast::<Tuple>().filter(|t| t.len() == 3) else {
                    return raise!(TypeError, "sendmsg() argument 2 must be a sequence of 3-tuples");
                };
                let n =
                    |i: usize| i32::from_py(t.item_ref(i), ArgCtx { func: "sendmsg", pos: 2, name: None });
                anc.push((n(0)?, n(1)?, Buffer::simple(t.item_ref(2))?.to_vec()));
            }
        }
        let to = match address.filter(|a| !a.is_none()) {
            Some(a) => Some(self.parse(a, "sendmsg")?),
            None => None,
        };
        let total: usize = anc.iter().map(|a| c!(libc::CMSG_SPACE(a.2.len() as u32)) as usize).sum();
        let mut control = vec![0u64; total.div_ceil(8)];
        // SAFETY: the control block has room for all items; the macros walk it within its length.
        let m = unsafe {
            let mut m: libc::msghdr = std::mem::zeroed();
            if let Some(t) = &to {
                m.msg_name = t.ptr().cast_mut().cast();
                m.msg_namelen = t.len;
            }
            m.msg_iov = iov.as_mut_ptr();
            m.msg_iovlen = iov.len();
            if total > 0 {
                m.msg_control = control.as_mut_ptr().cast();
                m.msg_controllen = total;
                let mut h = libc::CMSG_FIRSTHDR(&m);
                for (level, kind, data) in &anc {
                    (*h).cmsg_level = *level;
                    (*h).cmsg_type = *kind;
                    (*h).cmsg_len = libc::CMSG_LEN(data.len() as u32) as usize;
                    std::ptr::copy_nonoverlapping(data.as_ptr(), libc::CMSG_DATA(h), data.len());
                    h = libc::CMSG_NXTHDR(&m, h);
                }
            }
            m
        };
        self.writing(|fd| c!(libc::sendmsg(fd, &m, flags)))
    }
    /// shutdown(flag)
    ///
    /// Shut down the reading side of the socket (flag == SHUT_RD), the writing side
    /// of the socket (flag == SHUT_WR), or both ends (flag == SHUT_RDWR).
    #[pymethod(signature = "(how, /)")]
    fn shutdown(&self, how: i32) -> PyResult<()> {
        call(|| c!(libc::shutdown(self.fd.get(), how))).map(|_| ())
    }
}
