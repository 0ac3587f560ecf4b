//! `_queue.SimpleQueue`: an unbounded queue whose `put` never blocks and may be called from destructors and signal handlers.

use lh_runtime::prelude::*;
use lh_runtime::{number, thread};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

module! {
    "_queue",
    doc: "C implementation of the Python queue module.\nThis module is an implementation detail, please do not use it directly.",
    types: [SimpleQueue],
    init: setup,
}

/// `_queue.Empty`.
fn empty() -> PyResult<Owned<Object>> {
    static EMPTY: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let p = match EMPTY.get() {
        Some(p) => *p,
        None => {
            let ns = Dict::new();
            ns.set_str("__module__", &Str::new("_queue"))?;
            ns.set_str("__doc__", &Str::new("Exception raised by Queue.get(block=0)/get_nowait()."))?;
            let bases = Tuple::from_refs(&[exc::Exception()]);
            let t = Type::class().call(&[&Str::new("Empty"), &bases, &ns])?;
            *EMPTY.get_or_init(|| t.into_raw() as usize)
        }
    };
    // SAFETY: the class is kept for ever.
    Ok(unsafe { Object::from_ptr(p as *mut lh_abi::PyObject) }.own())
}

fn setup(m: &Module) -> PyResult<()> {
    m.add("Empty", &*empty()?)
}

/// Where getters sleep.
struct Bell {
    rung: Mutex<u64>,
    ring: Condvar,
}

/// Simple, unbounded, reentrant FIFO queue.
#[pyclass(name = "SimpleQueue", module = "_queue", basetype, weakref)]
pub struct SimpleQueue {
    items: RefCell<VecDeque<Owned<Object>>>,
    #[notrace]
    bell: Arc<Bell>,
    waiters: Cell<usize>,
}

impl SimpleQueue {
    fn take(&self) -> Option<Owned<Object>> {
        self.items.borrow_mut().pop_front()
    }
    fn raise_empty<T>() -> PyResult<T> {
        Err(set_object(&*empty()?, None))
    }
    fn wait_for_item(&self, block: bool, timeout: Option<&Object>) -> PyResult {
        let mut deadline = None;
        if block && let Some(t) = timeout.filter(|t| !t.is_none()) {
            let secs = number::as_f64(t)?;
            if secs < 0.0 {
                return raise!(ValueError, "'timeout' must be a non-negative number");
            }
            if secs > 9223372036.0 {
                return raise!(OverflowError, "timeout value is too large");
            }
            deadline = Some(Instant::now() + Duration::from_secs_f64(secs));
        }
        loop {
            if let Some(x) = self.take() {
                return Ok(x);
            }
            if !block || deadline.is_some_and(|d| Instant::now() >= d) {
                return Self::raise_empty();
            }
            let bell = self.bell.clone();
            // What rings after this number was read wakes the wait below.
            let seen = *bell.rung.lock().expect("never poisoned");
            if !self.items.borrow().is_empty() {
                continue;
            }
            self.waiters.set(self.waiters.get() + 1);
            thread::allow_threads(|| {
                let mut n = bell.rung.lock().expect("never poisoned");
                // Short naps, so that signals are seen to.
                let nap = Duration::from_millis(50);
                let nap = deadline.map_or(nap, |d| d.saturating_duration_since(Instant::now()).min(nap));
                if *n == seen {
                    n = bell.ring.wait_timeout(n, nap).expect("never poisoned").0;
                }
                drop(n);
            });
            self.waiters.set(self.waiters.get() - 1);
            if thread::EVAL_BREAKER.load(std::sync::atomic::Ordering::Relaxed) & thread::BREAK_SIGNAL != 0 {
                (lh_runtime::hooks::hooks().run_pending)()?;
            }
        }
    }
}

#[pymethods]
impl SimpleQueue {
    #[new(name = "SimpleQueue", signature = "()")]
    fn new(cls: &Type) -> PyResult<Owned<SimpleQueue>> {
        SimpleQueue {
            items: RefCell::new(VecDeque::new()),
            bell: Arc::new(Bell { rung: Mutex::new(0), ring: Condvar::new() }),
            waiters: Cell::new(0),
        }
        .build_in(cls)
    }
    /// Put the item on the queue.
    ///
    /// The optional 'block' and 'timeout' arguments are ignored, as this method
    /// never blocks.  They are provided for compatibility with the Queue class.
    #[pymethod(signature = "(item, block=True, timeout=None)")]
    fn put(&self, item: &Object, _block: Option<&Object>, _timeout: Option<&Object>) {
        self.items.borrow_mut().push_back(item.own());
        if self.waiters.get() > 0 {
            *self.bell.rung.lock().expect("never poisoned") += 1;
            self.bell.ring.notify_one();
        }
    }
    /// Put an item into the queue without blocking.
    ///
    /// This is exactly equivalent to `put(item)` and is only provided
    /// for compatibility with the Queue class.
    #[pymethod(signature = "(item)")]
    fn put_nowait(&self, item: &Object) {
        self.put(item, None, None)
    }
    /// Remove and return an item from the queue.
    ///
    /// If optional args 'block' is true and 'timeout' is None (the default),
    /// block if necessary until an item is available. If 'timeout' is
    /// a non-negative number, it blocks at most 'timeout' seconds and raises
    /// the Empty exception if no item was available within that time.
    /// Otherwise ('block' is false), return an item if one is immediately
    /// available, else raise the Empty exception ('timeout' is ignored
    /// in that case).
    #[pymethod(signature = "(block=True, timeout=None)")]
    fn get(&self, block: bool, timeout: Option<&Object>) -> PyResult {
        self.wait_for_item(block, timeout)
    }
    /// Remove and return an item from the queue without blocking.
    ///
    /// Only get an item if one is immediately available. Otherwise
    /// raise the Empty exception.
    #[pymethod]
    fn get_nowait(&self) -> PyResult {
        self.wait_for_item(false, None)
    }
    /// Return True if the queue is empty, False otherwise (not reliable!).
    #[pymethod]
    fn empty(&self) -> bool {
        self.items.borrow().is_empty()
    }
    /// Return the approximate size of the queue (not reliable!).
    #[pymethod]
    fn qsize(&self) -> usize {
        self.items.borrow().len()
    }
    /// See PEP 585
    #[classmethod]
    fn __class_getitem__(cls: &Type, object: &Object) -> PyResult {
        lh_runtime::genericalias::new(cls, object)
    }
}
