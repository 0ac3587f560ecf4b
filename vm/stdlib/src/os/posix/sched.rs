//! Users, groups, sessions, priorities and scheduling; facts about the machine; randomness.

use crate::os::util::*;
use lh_runtime::codecs;
use lh_runtime::prelude::*;
use std::ffi::CStr;

macro_rules! simple_queries {
    ($($name:ident $doc:literal;)*) => { $(
        #[doc = $doc]
        #[pyfunction]
        pub fn $name() -> i64 {
            c!(libc::$name()) as i64
        }
    )* };
}
simple_queries! {
    getpid "Return the current process id.";
    getppid "Return the parent's process id.";
    getpgrp "Return the current process group id.";
}
macro_rules! id_queries {
    ($($name:ident $doc:literal;)*) => { $(
        #[doc = $doc]
        #[pyfunction]
        pub fn $name() -> Owned<Object> {
            id_obj(c!(libc::$name()))
        }
    )* };
}
id_queries! {
    getuid "Return the current process's user id.";
    geteuid "Return the current process's effective user id.";
    getgid "Return the current process's group id.";
    getegid "Return the current process's effective group id.";
}
macro_rules! id_setters {
    ($($name:ident ($($a:ident: $t:ty),*) $doc:literal;)*) => { $(
        #[doc = $doc]
        #[pyfunction]
        pub fn $name($($a: $t),*) -> PyResult<()> {
            quick(c!(libc::$name($($a.0),*))).map(|_| ())
        }
    )* };
}
id_setters! {
    setuid(uid: Uid) "Set the current process's user id.";
    seteuid(euid: Uid) "Set the current process's effective user id.";
    setreuid(ruid: Uid, euid: Uid) "Set the current process's real and effective user ids.";
    setresuid(ruid: Uid, euid: Uid, suid: Uid) "Set the current process's real, effective, and saved user ids.";
    setgid(gid: Gid) "Set the current process's group id.";
    setegid(egid: Gid) "Set the current process's effective group id.";
    setregid(rgid: Gid, egid: Gid) "Set the current process's real and effective group ids.";
    setresgid(rgid: Gid, egid: Gid, sgid: Gid) "Set the current process's real, effective, and saved group ids.";
}
/// Return a tuple of the current process's real, effective, and saved user ids.
#[pyfunction]
pub fn getresuid() -> PyResult<(Owned<Object>, Owned<Object>, Owned<Object>)> {
    let (mut a, mut b, mut d) = (0, 0, 0);
    quick(c!(libc::getresuid(&mut a, &mut b, &mut d)))?;
    Ok((id_obj(a), id_obj(b), id_obj(d)))
}
/// Return a tuple of the current process's real, effective, and saved group ids.
#[pyfunction]
pub fn getresgid() -> PyResult<(Owned<Object>, Owned<Object>, Owned<Object>)> {
    let (mut a, mut b, mut d) = (0, 0, 0);
    quick(c!(libc::getresgid(&mut a, &mut b, &mut d)))?;
    Ok((id_obj(a), id_obj(b), id_obj(d)))
}
/// Return list of supplemental group IDs for the process.
#[pyfunction]
pub fn getgroups() -> PyResult<Vec<Owned<Object>>> {
    let n = quick(c!(libc::getgroups(0, std::ptr::null_mut())))?;
    let mut v = vec![0; n as usize];
    let n = quick(c!(libc::getgroups(n, v.as_mut_ptr())))?;
    v.truncate(n as usize);
    Ok(v.into_iter().map(id_obj).collect())
}
/// Set the groups of the current process to list.
#[pyfunction]
pub fn setgroups(groups: &Object) -> PyResult<()> {
    let mut v = vec![];
    groups.for_each(|g| {
        v.push(Gid::from_py(&g, ArgCtx { func: "setgroups", pos: 1, name: None })?.0);
        Ok(())
    })?;
    quick(c!(libc::setgroups(v.len(), v.as_ptr()))).map(|_| ())
}
/// Returns a list of groups to which a user belongs.
#[pyfunction]
pub fn getgrouplist(user: FsBytes, group: Gid) -> PyResult<Vec<Owned<Object>>> {
    let mut v: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let mut n = v.len() as i32;
        if c!(libc::getgrouplist(user.0.as_ptr(), group.0, v.as_mut_ptr(), &mut n)) >= 0 {
            v.truncate(n as usize);
            return Ok(v.into_iter().map(id_obj).collect());
        }
        v.resize((n as usize).max(v.len() * 2), 0);
    }
}
/// Initialize the group access list.
///
/// Call the system initgroups() to initialize the group access list with all of
/// the groups of which the specified username is a member, plus the specified
/// group id.
#[pyfunction]
pub fn initgroups(username: FsBytes, gid: Gid) -> PyResult<()> {
    quick(c!(libc::initgroups(username.0.as_ptr(), gid.0))).map(|_| ())
}
/// Call the system call getpgid(), and return the result.
#[pyfunction(signature = "(pid)")]
pub fn getpgid(pid: i32) -> PyResult<i32> {
    quick(c!(libc::getpgid(pid)))
}
/// Make the current process the leader of its process group.
#[pyfunction]
pub fn setpgrp() -> PyResult<()> {
    quick(c!(libc::setpgid(0, 0))).map(|_| ())
}
/// Call the system call getsid(pid) and return the result.
#[pyfunction]
pub fn getsid(pid: i32) -> PyResult<i32> {
    quick(c!(libc::getsid(pid)))
}
/// Call the system call setsid().
#[pyfunction]
pub fn setsid() -> PyResult<()> {
    quick(c!(libc::setsid())).map(|_| ())
}
/// Call the system call setpgid(pid, pgrp).
#[pyfunction]
pub fn setpgid(pid: i32, pgrp: i32) -> PyResult<()> {
    quick(c!(libc::setpgid(pid, pgrp))).map(|_| ())
}
/// Return the actual login name.
#[pyfunction]
pub fn getlogin() -> PyResult<Owned<Object>> {
    set_errno(0);
    let p = c!(libc::getlogin());
    if p.is_null() {
        let e = errno();
        return if e != 0 {
            Err(raise_errno(e, None))
        } else {
            raise!(OSError, "unable to determine login name")
        };
    }
    // SAFETY: a C string.
    Ok(unsafe { fs_str(p) })
}

/// Add increment to the priority of process and return the new priority.
#[pyfunction]
pub fn nice(increment: i32) -> PyResult<i32> {
    set_errno(0);
    let v = c!(libc::nice(increment));
    if v == -1 && errno() != 0 { Err(raise_errno(errno(), None)) } else { Ok(v) }
}
/// Return program scheduling priority.
#[pyfunction(signature = "(which, who)")]
pub fn getpriority(which: i32, who: i32) -> PyResult<i32> {
    set_errno(0);
    let v = c!(libc::getpriority(which as _, who as libc::id_t));
    if errno() != 0 { Err(raise_errno(errno(), None)) } else { Ok(v) }
}
/// Set program scheduling priority.
#[pyfunction(signature = "(which, who, priority)")]
pub fn setpriority(which: i32, who: i32, priority: i32) -> PyResult<()> {
    quick(c!(libc::setpriority(which as _, who as libc::id_t, priority))).map(|_| ())
}

struct_seq!(
    sched_param,
    "posix.sched_param",
    "Currently has only one field: sched_priority\n\n  sched_priority\n    A scheduling parameter.",
    1,
    ["sched_priority"]
);

/// `sched_param(sched_priority)`: the one field is the argument, not a sequence.
unsafe extern "C" fn new_sched_param(
    t: *mut lh_abi::PyTypeObject,
    args: *mut lh_abi::PyObject,
    kw: *mut lh_abi::PyObject,
) -> *mut lh_abi::PyObject {
    lh_runtime::border::object(|| {
        // SAFETY: tp_new is called with a type, a tuple and a dict or null.
        let (t, args, kw) = unsafe {
            let kw = Object::from_ptr_opt(kw).map(|k| k.downcast_unchecked::<Dict>());
            (Type::from_raw_ref(t), Object::from_ptr(args).downcast_unchecked::<Tuple>(), kw)
        };
        let named = match kw {
            Some(k) => k.get_str_key(intern!("sched_priority"))?,
            None => None,
        };
        let given = args.len() + kw.map_or(0, |k| k.len());
        let priority = match (args.len(), named) {
            (1, None) if given == 1 => args.get(0),
            (0, Some(p)) if given == 1 => p,
            (_, _) if given == 0 => {
                return raise!(TypeError, "sched_param() missing required argument 'sched_priority' (pos 1)");
            }
            _ => return raise!(TypeError, "sched_param() takes at most 1 argument ({} given)", given),
        };
        Ok(lh_runtime::structseq::new(t, vec![priority]).into_object())
    })
}
/// Makes the constructor of `sched_param` take its field.
pub fn set_up() -> PyResult<()> {
    let t = sched_param()?;
    // SAFETY: a ready type that nobody else knows yet.
    unsafe { (*t.tp()).tp_new = Some(new_sched_param) };
    Ok(())
}
pub fn param_of(o: &Object) -> PyResult<libc::sched_param> {
    if o.ob_type() != sched_param()?.tp() {
        return raise!(TypeError, "must have a sched_param object");
    }
    let t = o.downcast::<Tuple>().expect("a struct sequence is a tuple");
    match t.item_ref(0).downcast::<Int>().and_then(|i| i.to_i64()) {
        Some(v) if i32::try_from(v).is_ok() => Ok(libc::sched_param { sched_priority: v as i32 }),
        Some(_) => raise!(OverflowError, "sched_priority out of range"),
        None => raise!(TypeError, "an integer is required"),
    }
}
/// Get the maximum scheduling priority for policy.
#[pyfunction(signature = "(policy)")]
pub fn sched_get_priority_max(policy: i32) -> PyResult<i32> {
    quick(c!(libc::sched_get_priority_max(policy)))
}
/// Get the minimum scheduling priority for policy.
#[pyfunction(signature = "(policy)")]
pub fn sched_get_priority_min(policy: i32) -> PyResult<i32> {
    quick(c!(libc::sched_get_priority_min(policy)))
}
/// Returns scheduling parameters for the process identified by pid.
///
/// If pid is 0, returns parameters for the calling process.
#[pyfunction]
pub fn sched_getparam(pid: i32) -> PyResult<Owned<Tuple>> {
    let mut p = libc::sched_param { sched_priority: 0 };
    quick(c!(libc::sched_getparam(pid, &mut p)))?;
    Ok(lh_runtime::structseq::new(sched_param()?, vec![int(p.sched_priority as i64)]))
}
/// Get the scheduling policy for the process identified by pid.
///
/// Passing 0 for pid returns the scheduling policy for the calling process.
#[pyfunction]
pub fn sched_getscheduler(pid: i32) -> PyResult<i32> {
    quick(c!(libc::sched_getscheduler(pid)))
}
/// Return the round-robin quantum for the process identified by pid, in seconds.
#[pyfunction]
pub fn sched_rr_get_interval(pid: i32) -> PyResult<f64> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    quick(c!(libc::sched_rr_get_interval(pid, &mut t)))?;
    Ok(t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64)
}
/// Set scheduling parameters for the process identified by pid.
#[pyfunction]
pub fn sched_setparam(pid: i32, param: &Object) -> PyResult<()> {
    let p = param_of(param)?;
    quick(c!(libc::sched_setparam(pid, &p))).map(|_| ())
}
/// Set the scheduling policy for the process identified by pid.
#[pyfunction]
pub fn sched_setscheduler(pid: i32, policy: i32, param: &Object) -> PyResult<()> {
    let p = param_of(param)?;
    quick(c!(libc::sched_setscheduler(pid, policy, &p))).map(|_| ())
}
/// Voluntarily relinquish the CPU.
#[pyfunction]
pub fn sched_yield() -> PyResult<()> {
    call(|| c!(libc::sched_yield())).map(|_| ())
}
const CPU_WORDS: usize = 1024;
/// Set the CPU affinity of the process identified by pid to mask.
///
///   pid
///     The pid of the process whose CPU affinity to set.
///   mask
///     An iterable of integers identifying CPUs.
#[pyfunction]
pub fn sched_setaffinity(pid: i32, mask: &Object) -> PyResult<()> {
    let mut set = vec![0u64; CPU_WORDS];
    mask.for_each(|x| {
        let Some(i) = x.downcast::<Int>() else {
            return raise!(
                TypeError,
                "expected an iterator of ints, but iterator yielded {}",
                x.ty().repr_lossy()
            );
        };
        match i.to_i64() {
            _ if i.is_negative() => raise!(ValueError, "negative CPU number"),
            None => raise!(OverflowError, "Python int too large to convert to C long"),
            Some(v) if v > i32::MAX as i64 - 1 => raise!(OverflowError, "CPU number too large"),
            Some(v) if (v as usize) < CPU_WORDS * 64 => {
                set[v as usize / 64] |= 1 << (v % 64);
                Ok(())
            }
            _ => Err(raise_errno(libc::EINVAL, None)),
        }
    })?;
    quick(c!(libc::sched_setaffinity(pid, set.len() * 8, set.as_ptr().cast()))).map(|_| ())
}
fn affinity(pid: i32) -> PyResult<Vec<u64>> {
    let mut set = vec![0u64; CPU_WORDS];
    quick(c!(libc::sched_getaffinity(pid, set.len() * 8, set.as_mut_ptr().cast())))?;
    Ok(set)
}
/// Return the affinity of the process identified by pid (or the current process if zero).
///
/// The affinity is returned as a set of CPU identifiers.
#[pyfunction]
pub fn sched_getaffinity(pid: i32) -> PyResult<Owned<Set>> {
    let s = affinity(pid)?;
    let out = Set::new();
    for i in 0..CPU_WORDS * 64 {
        if s[i / 64] >> (i % 64) & 1 == 1 {
            out.add(&Int::from_usize(i))?;
        }
    }
    Ok(out)
}
/// Return the number of CPUs in the system; return None if indeterminable.
///
/// This number is not equivalent to the number of CPUs the current process can
/// use.  The number of usable CPUs can be obtained with
/// ``len(os.sched_getaffinity(0))``
#[pyfunction]
pub fn cpu_count() -> Option<i64> {
    Some(c!(libc::sysconf(libc::_SC_NPROCESSORS_ONLN))).filter(|n| *n > 0)
}
/// Return average recent system load information.
///
/// Return the number of processes in the system run queue averaged over
/// the last 1, 5, and 15 minutes as a tuple of three floats.
/// Raises OSError if the load average was unobtainable.
#[pyfunction]
pub fn getloadavg() -> PyResult<(f64, f64, f64)> {
    let mut v = [0f64; 3];
    if c!(libc::getloadavg(v.as_mut_ptr(), 3)) != 3 {
        return raise!(OSError, "Load averages are unobtainable");
    }
    Ok((v[0], v[1], v[2]))
}

struct_seq!(
    uname_result,
    "posix.uname_result",
    "uname_result: Result from os.uname().

This object may be accessed either as a tuple of
  (sysname, nodename, release, version, machine),
or via the attributes sysname, nodename, release, version, and machine.

See os.uname for more information.",
    5,
    ["sysname", "nodename", "release", "version", "machine"]
);

/// Return an object identifying the current operating system.
///
/// The object behaves like a named tuple with the following fields:
///   (sysname, nodename, release, version, machine)
#[pyfunction]
pub fn uname() -> PyResult<Owned<Tuple>> {
    // SAFETY: uname fills the zeroed struct with C strings.
    unsafe {
        let mut u: libc::utsname = std::mem::zeroed();
        quick(libc::uname(&mut u))?;
        let v = [
            u.sysname.as_ptr(),
            u.nodename.as_ptr(),
            u.release.as_ptr(),
            u.version.as_ptr(),
            u.machine.as_ptr(),
        ];
        let v = v.map(|p| codecs::fs_decode(CStr::from_ptr(p).to_bytes()).into_object());
        Ok(lh_runtime::structseq::new(uname_result()?, v.into()))
    }
}

struct_seq!(
    times_result,
    "posix.times_result",
    "times_result: Result from os.times().

This object may be accessed either as a tuple of
  (user, system, children_user, children_system, elapsed),
or via the attributes user, system, children_user, children_system,
and elapsed.

See os.times for more information.",
    5,
    ["user", "system", "children_user", "children_system", "elapsed"]
);

/// Return a collection containing process timing information.
///
/// The object returned behaves like a named tuple with these fields:
///   (utime, stime, cutime, cstime, elapsed_time)
/// All fields are floating point numbers.
#[pyfunction]
pub fn times() -> PyResult<Owned<Tuple>> {
    // SAFETY: times fills the zeroed struct.
    let mut t: libc::tms = unsafe { std::mem::zeroed() };
    let ticks = c!(libc::sysconf(libc::_SC_CLK_TCK)) as f64;
    let e = c!(libc::times(&mut t));
    let v = [t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime, e];
    Ok(lh_runtime::structseq::new(times_result()?, v.map(|x| float(x as f64 / ticks)).into()))
}

/// Set the current numeric umask and return the previous umask.
#[pyfunction]
pub fn umask(mask: i32) -> u32 {
    c!(libc::umask(mask as libc::mode_t))
}
/// Translate an error code to a message string.
#[pyfunction]
pub fn strerror(code: i32) -> String {
    let mut b = [0u8; 256];
    // SAFETY: the buffer's size is given; the text ends in NUL.
    unsafe {
        libc::strerror_r(code, b.as_mut_ptr().cast(), b.len());
        CStr::from_ptr(b.as_ptr().cast()).to_string_lossy().into_owned()
    }
}

/// `n` bytes from the kernel's generator.
pub fn random_bytes(n: usize, flags: u32) -> PyResult<Vec<u8>> {
    let mut v = lh_runtime::alloc::zeroed::<u8>(n)?;
    let mut done = 0;
    while done < n {
        let got = call(|| c!(libc::getrandom(v[done..].as_mut_ptr().cast(), n - done, flags)))?;
        done += got as usize;
    }
    Ok(v)
}
/// Return a bytes object containing random bytes suitable for cryptographic use.
#[pyfunction]
pub fn urandom(size: isize) -> PyResult<Vec<u8>> {
    if size < 0 {
        return raise!(ValueError, "negative argument not allowed");
    }
    random_bytes(size as usize, 0)
}
/// Obtain a series of random bytes.
#[pyfunction(signature = "(size, flags=0)")]
pub fn getrandom(size: isize, flags: u32) -> PyResult<Vec<u8>> {
    if size < 0 {
        return Err(raise_errno(libc::EINVAL, None));
    }
    let mut v = lh_runtime::alloc::zeroed::<u8>(size as usize)?;
    let n = call(|| c!(libc::getrandom(v.as_mut_ptr().cast(), v.len(), flags)))?;
    v.truncate(n as usize);
    Ok(v)
}
