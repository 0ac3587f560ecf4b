//! `select`: waiting for descriptors with select, poll and epoll.

use super::util::*;
use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// A time limit in nanoseconds from now; `None` waits for ever. `unit` is what the number counts, in nanoseconds.
fn timeout_ns(o: Option<&Object>, unit: f64, what: &str) -> PyResult<Option<i64>> {
    let Some(o) = o.filter(|o| !o.is_none()) else { return Ok(None) };
    let v = if let Some(f) = o.downcast::<Float>() {
        f.value()
    } else if number::has_index(o) {
        number::index(o)?.to_f64().unwrap_or(f64::INFINITY)
    } else {
        return raise!(TypeError, "timeout must be {} or None", what);
    };
    if v.is_nan() {
        return raise!(ValueError, "Invalid value NaN (not a number)");
    }
    // Away from zero: what is negative stays so.
    let ns = if v < 0.0 { (v * unit).floor() } else { (v * unit).ceil() };
    if ns.abs() > 9.2e18 {
        return raise!(OverflowError, "timestamp too large to convert to C _PyTime_t");
    }
    Ok(Some(ns as i64))
}

/// Waits with `f(nanoseconds left)`, again after signals, until the time is over.
fn waiting(limit: Option<i64>, mut f: impl FnMut(Option<i64>) -> i32) -> PyResult<i32> {
    let end = limit.map(|l| monotonic_ns().saturating_add(l));
    let mut left = limit;
    loop {
        let r = lh_runtime::thread::allow_threads(|| f(left));
        if r >= 0 {
            return Ok(r);
        }
        match errno() {
            libc::EINTR => super::signal::check_signals()?,
            e => return Err(raise_errno(e, None)),
        }
        if let Some(e) = end {
            let now = e - monotonic_ns();
            if now < 0 {
                return Ok(0);
            }
            left = Some(now);
        }
    }
}

/// Milliseconds for poll: -1 for ever, rounded up.
fn millis(left: Option<i64>) -> i32 {
    match left {
        None => -1,
        Some(ns) if ns < 0 => -1,
        Some(ns) => {
            ns.div_euclid(1_000_000).saturating_add((ns % 1_000_000 != 0) as i64).min(i32::MAX as i64) as i32
        }
    }
}

// ---- select ----

type Watched = Vec<(i32, Owned<Object>)>;

fn watched(o: &Object) -> PyResult<(Watched, libc::fd_set, i32)> {
    // A list is read as it is now: fileno() methods may change it.
    let list = o.downcast::<List>();
    let items = match list {
        Some(_) => vec![],
        None => match catching(exc::TypeError(), || o.to_items())? {
            Some(items) => items,
            None => return raise!(TypeError, "arguments 1-3 must be sequences"),
        },
    };
    // SAFETY: an all-zero set is empty.
    let (mut set, mut max, mut v) = (unsafe { std::mem::zeroed::<libc::fd_set>() }, -1, vec![]);
    let mut at = 0;
    while let Some(x) = list.map_or_else(|| items.get(at).cloned(), |l| l.get(at)) {
        at += 1;
        let fd = fileno(&x)?;
        if fd as usize >= libc::FD_SETSIZE {
            return raise!(ValueError, "filedescriptor out of range in select()");
        }
        c!(libc::FD_SET(fd, &mut set));
        max = max.max(fd);
        v.push((fd, x));
    }
    Ok((v, set, max))
}

/// Wait until one or more file descriptors are ready for some kind of I/O.
///
/// The first three arguments are iterables of file descriptors to be waited for:
/// rlist -- wait until ready for reading
/// wlist -- wait until ready for writing
/// xlist -- wait for an "exceptional condition"
/// If only one kind of condition is required, pass [] for the other lists.
///
/// A file descriptor is either a socket or file object, or a small integer
/// gotten from a fileno() method call on one of those.
///
/// The optional 4th argument specifies a timeout in seconds; it may be
/// a floating point number to specify fractions of seconds.  If it is absent
/// or None, the call will never time out.
///
/// The return value is a tuple of three lists corresponding to the first three
/// arguments; each contains the subset of the corresponding file descriptors
/// that are ready.
#[pyfunction(signature = "(rlist, wlist, xlist, timeout=None, /)")]
pub fn select(
    rlist: &Object,
    wlist: &Object,
    xlist: &Object,
    timeout: Option<&Object>,
) -> PyResult<(Owned<List>, Owned<List>, Owned<List>)> {
    let limit = match timeout.filter(|t| !t.is_none()) {
        Some(t) if !Float::check(t) && !number::has_index(t) => {
            return raise!(TypeError, "timeout must be a float or None");
        }
        t => timeout_ns(t, 1e9, "a float")?,
    };
    if limit.is_some_and(|l| l < 0) {
        return raise!(ValueError, "timeout must be non-negative");
    }
    let lists = [watched(rlist)?, watched(wlist)?, watched(xlist)?];
    let n = 1 + lists.iter().map(|l| l.2).max().unwrap_or(-1);
    let mut sets = [lists[0].1, lists[1].1, lists[2].1];
    waiting(limit, |left| {
        sets = [lists[0].1, lists[1].1, lists[2].1];
        let mut tv = left.map(|ns| libc::timeval {
            tv_sec: ns / 1_000_000_000,
            tv_usec: (ns % 1_000_000_000 + 999) / 1000,
        });
        if let Some(t) = &mut tv
            && t.tv_usec >= 1_000_000
        {
            t.tv_sec += 1;
            t.tv_usec = 0;
        }
        let [a, b, x] = &mut sets;
        c!(libc::select(n, a, b, x, tv.as_mut().map_or(std::ptr::null_mut(), |t| t)))
    })?;
    let ready = |i: usize| {
        let hits = lists[i].0.iter().filter(|(fd, _)| c!(libc::FD_ISSET(*fd, &sets[i])));
        List::from_vec(hits.map(|(_, o)| o.clone()).collect())
    };
    Ok((ready(0), ready(1), ready(2)))
}

// ---- poll ----

/// A set of polled descriptors.
#[pyclass(name = "poll", module = "select", no_new, nogc)]
pub struct Poll {
    #[notrace]
    fds: RefCell<BTreeMap<i32, u16>>,
    busy: Cell<bool>,
}

/// An event mask of 16 bits.
struct Mask(u16);
impl<'a> FromPy<'a> for Mask {
    fn from_py(o: &'a Object, _: ArgCtx<'_>) -> PyResult<Self> {
        let i = number::index(o)?;
        if i.is_negative() {
            return raise!(ValueError, "value must be positive");
        }
        match i.to_u64().and_then(|v| u16::try_from(v).ok()) {
            Some(v) => Ok(Mask(v)),
            None => raise!(OverflowError, "Python int too large for C unsigned short"),
        }
    }
}

#[pymethods]
impl Poll {
    /// Register a file descriptor with the polling object.
    ///
    ///   fd
    ///     either an integer, or an object with a fileno() method returning an int
    ///   eventmask
    ///     an optional bitmask describing the type of events to check for
    #[pymethod(signature = "(fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)")]
    fn register(&self, fd: Fildes, eventmask: Option<Mask>) {
        self.fds.borrow_mut().insert(fd.0, eventmask.map_or(7, |m| m.0));
    }
    /// Modify an already registered file descriptor.
    ///
    ///   fd
    ///     either an integer, or an object with a fileno() method returning
    ///     an int
    ///   eventmask
    ///     a bitmask describing the type of events to check for
    #[pymethod]
    fn modify(&self, fd: Fildes, eventmask: Mask) -> PyResult<()> {
        match self.fds.borrow_mut().get_mut(&fd.0) {
            Some(m) => *m = eventmask.0,
            None => return Err(raise_errno(libc::ENOENT, None)),
        }
        Ok(())
    }
    /// Remove a file descriptor being tracked by the polling object.
    #[pymethod]
    fn unregister(&self, fd: Fildes) -> PyResult<()> {
        if self.fds.borrow_mut().remove(&fd.0).is_none() {
            let key = Int::from_i64(fd.0 as i64);
            return Err(set_object(exc::KeyError(), Some(key.into_object())));
        }
        Ok(())
    }
    /// Polls the set of registered file descriptors.
    ///
    ///   timeout
    ///     The maximum time to wait in milliseconds, or else None (or a negative
    ///     value) to wait indefinitely.
    ///
    /// Returns a list containing any descriptors that have events or errors to
    /// report, as a list of (fd, event) 2-tuples.
    #[pymethod(signature = "(timeout=None, /)")]
    fn poll(&self, timeout: Option<&Object>) -> PyResult<Owned<List>> {
        let limit = timeout_ns(timeout, 1e6, "an integer")?.filter(|l| *l >= 0);
        if limit.is_some_and(|l| l / 1_000_000 > i32::MAX as i64) {
            return raise!(OverflowError, "timeout is too large");
        }
        if self.busy.replace(true) {
            return raise!(RuntimeError, "concurrent poll() invocation");
        }
        let mut v: Vec<libc::pollfd> = self
            .fds
            .borrow()
            .iter()
            .map(|(fd, ev)| libc::pollfd { fd: *fd, events: *ev as i16, revents: 0 })
            .collect();
        let r = waiting(limit, |left| c!(libc::poll(v.as_mut_ptr(), v.len() as libc::nfds_t, millis(left))));
        self.busy.set(false);
        r?;
        let hits = v.iter().filter(|p| p.revents != 0);
        let pairs = hits.map(|p| {
            let pair = vec![int(p.fd as i64), int(p.revents as u16 as i64)];
            Tuple::from_vec(pair).into_object()
        });
        Ok(List::from_vec(pairs.collect()))
    }
}

/// Returns a polling object.
///
/// This object supports registering and unregistering file descriptors, and then
/// polling them for I/O events.
#[pyfunction]
pub fn poll() -> Owned<Poll> {
    Poll { fds: RefCell::default(), busy: Cell::new(false) }.build()
}

// ---- epoll ----

/// Returns an epolling object.
///
///   sizehint
///     The expected number of events to be registered.  It must be positive,
///     or -1 to use the default.  It is only used on older systems where
///     epoll_create1() is not available; otherwise it has no effect (though its
///     value is still checked).
///   flags
///     Deprecated and completely ignored.  However, when supplied, its value
///     must be 0 or select.EPOLL_CLOEXEC, otherwise OSError is raised.
#[pyclass(name = "epoll", module = "select", nogc)]
pub struct Epoll {
    fd: Cell<i32>,
}

impl Drop for Epoll {
    fn drop(&mut self) {
        if self.fd.get() >= 0 {
            c!(libc::close(self.fd.get()));
        }
    }
}

impl Epoll {
    fn open_fd(&self) -> PyResult<i32> {
        match self.fd.get() {
            fd if fd < 0 => raise!(ValueError, "I/O operation on closed epoll object"),
            fd => Ok(fd),
        }
    }
    fn control(&self, op: i32, fd: i32, events: u32) -> PyResult<()> {
        let ep = self.open_fd()?;
        let mut ev = libc::epoll_event { events, u64: fd as u64 };
        call(|| c!(libc::epoll_ctl(ep, op, fd, &mut ev))).map(|_| ())
    }
    fn do_close(&self) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd >= 0 && lh_runtime::thread::allow_threads(|| c!(libc::close(fd))) < 0 {
            return Err(raise_last_os_error());
        }
        Ok(())
    }
}

#[pymethods]
impl Epoll {
    #[new(name = "epoll", signature = "(sizehint=-1, flags=0)")]
    fn new(cls: &Type, sizehint: i32, flags: i32) -> PyResult<Owned<Epoll>> {
        if sizehint < -1 || sizehint == 0 {
            return raise!(ValueError, "negative sizehint");
        }
        if flags != 0 && flags != libc::EPOLL_CLOEXEC {
            return raise!(OSError, "invalid flags");
        }
        let fd = call(|| c!(libc::epoll_create1(libc::EPOLL_CLOEXEC)))?;
        Epoll { fd: Cell::new(fd) }.build_in(cls)
    }
    /// Create an epoll object from a given control fd.
    #[classmethod(signature = "(fd, /)")]
    fn fromfd(cls: &Type, fd: i32) -> PyResult<Owned<Epoll>> {
        Epoll { fd: Cell::new(fd) }.build_in(cls)
    }
    /// Close the epoll control file descriptor.
    ///
    /// Further operations on the epoll object will raise an exception.
    #[pymethod(signature = "()")]
    fn close(&self) -> PyResult<()> {
        self.do_close()
    }
    /// True if the epoll handler is closed
    #[getter]
    fn closed(&self) -> bool {
        self.fd.get() < 0
    }
    /// Return the epoll control file descriptor.
    #[pymethod(signature = "()")]
    fn fileno(&self) -> PyResult<i32> {
        self.open_fd()
    }
    /// Registers a new fd or raises an OSError if the fd is already registered.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    ///   eventmask
    ///     a bit set composed of the various EPOLL constants
    ///
    /// The epoll interface supports all file descriptors that support poll.
    #[pymethod(signature = "(fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)")]
    fn register(&self, fd: Fildes, eventmask: Option<u64>) -> PyResult<()> {
        self.control(libc::EPOLL_CTL_ADD, fd.0, eventmask.unwrap_or(7) as u32)
    }
    /// Modify event mask for a registered file descriptor.
    ///
    ///   fd
    ///     the target file descriptor of the operation
    ///   eventmask
    ///     a bit set composed of the various EPOLL constants
    #[pymethod(signature = "(fd, eventmask)")]
    fn modify(&self, fd: Fildes, eventmask: u64) -> PyResult<()> {
        self.control(libc::EPOLL_CTL_MOD, fd.0, eventmask as u32)
    }
    /// Remove a registered file descriptor from the epoll object.
    #[pymethod(signature = "(fd)")]
    fn unregister(&self, fd: Fildes) -> PyResult<()> {
        self.control(libc::EPOLL_CTL_DEL, fd.0, 0)
    }
    /// Wait for events on the epoll file descriptor.
    ///
    ///   timeout
    ///     the maximum time to wait in seconds (as float);
    ///     a timeout of None or -1 makes poll wait indefinitely
    ///   maxevents
    ///     the maximum number of events returned; -1 means no limit
    ///
    /// Returns a list containing any descriptors that have events to report,
    /// as a list of (fd, events) 2-tuples.
    #[pymethod(signature = "(timeout=None, maxevents=-1)")]
    fn poll(&self, timeout: Option<&Object>, maxevents: i32) -> PyResult<Owned<List>> {
        let ep = self.open_fd()?;
        let limit = timeout_ns(timeout, 1e9, "an integer")?.filter(|l| *l >= 0);
        let n = match maxevents {
            -1 => libc::FD_SETSIZE as i32 - 1,
            n if n < 1 => return raise!(ValueError, "maxevents must be greater than 0, got {}", n),
            n => n,
        };
        let mut v = vec![libc::epoll_event { events: 0, u64: 0 }; n as usize];
        let got = waiting(limit, |left| c!(libc::epoll_wait(ep, v.as_mut_ptr(), n, millis(left))))?;
        let pairs = v[..got as usize].iter().map(|e| {
            let (fd, events) = (e.u64 as i32, e.events);
            Tuple::from_vec(vec![int(fd as i64), int(events as i64)]).into_object()
        });
        Ok(List::from_vec(pairs.collect()))
    }
    #[pymethod(signature = "()")]
    fn __enter__(&self) -> PyResult<Owned<Epoll>> {
        self.open_fd()?;
        Ok(self.own())
    }
    #[pymethod(signature = "(exc_type=None, exc_value=None, exc_tb=None, /)")]
    fn __exit__(&self, _t: Option<&Object>, _v: Option<&Object>, _tb: Option<&Object>) -> PyResult<()> {
        self.do_close()
    }
}

fn setup(m: &Module) -> PyResult<()> {
    ready::<Poll>()?;
    m.add("error", exc::OSError())?;
    add_ints(
        m,
        &[
            ("PIPE_BUF", 4096),
            ("POLLIN", 1),
            ("POLLPRI", 2),
            ("POLLOUT", 4),
            ("POLLERR", 8),
            ("POLLHUP", 16),
            ("POLLNVAL", 32),
            ("POLLRDNORM", 64),
            ("POLLRDBAND", 128),
            ("POLLWRNORM", 256),
            ("POLLWRBAND", 512),
            ("POLLMSG", 1024),
            ("POLLRDHUP", 8192),
            ("EPOLLIN", 1),
            ("EPOLLOUT", 4),
            ("EPOLLPRI", 2),
            ("EPOLLERR", 8),
            ("EPOLLHUP", 16),
            ("EPOLLRDHUP", 8192),
            ("EPOLLET", 1 << 31),
            ("EPOLLONESHOT", 1 << 30),
            ("EPOLLEXCLUSIVE", 1 << 28),
            ("EPOLLRDNORM", 64),
            ("EPOLLRDBAND", 128),
            ("EPOLLWRNORM", 256),
            ("EPOLLWRBAND", 512),
            ("EPOLLMSG", 1024),
            ("EPOLL_CLOEXEC", 524288),
        ],
    )
}

module! { "select", doc: "This module supports asynchronous I/O on multiple file descriptors.",
functions: [select, poll], types: [Epoll], init: setup }
