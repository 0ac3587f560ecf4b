//! `_random`: the Mersenne Twister MT19937, with CPython's seeding so that seeded sequences agree.

use lh_runtime::number;
use lh_runtime::prelude::*;
use std::cell::{Cell, RefCell};

const N: usize = 624;
const M: usize = 397;

/// The generator: 624 words of state and how many of them have been handed out.
struct Twister {
    state: [u32; N],
    index: usize,
}

impl Default for Twister {
    fn default() -> Self {
        Twister { state: [0; N], index: N + 1 }
    }
}

impl Twister {
    fn init(&mut self, seed: u32) {
        self.state[0] = seed;
        for i in 1..N {
            let prev = self.state[i - 1];
            self.state[i] = 1812433253u32.wrapping_mul(prev ^ (prev >> 30)).wrapping_add(i as u32);
        }
        self.index = N;
    }
    fn init_by_array(&mut self, key: &[u32]) {
        self.init(19650218);
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let prev = self.state[i - 1];
            self.state[i] = (self.state[i] ^ (prev ^ (prev >> 30)).wrapping_mul(1664525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                self.state[0] = self.state[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..N - 1 {
            let prev = self.state[i - 1];
            self.state[i] =
                (self.state[i] ^ (prev ^ (prev >> 30)).wrapping_mul(1566083941)).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                self.state[0] = self.state[N - 1];
                i = 1;
            }
        }
        self.state[0] = 0x8000_0000;
    }
    fn next(&mut self) -> u32 {
        if self.index >= N {
            for k in 0..N {
                let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % N] & 0x7fff_ffff);
                let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[k] = self.state[(k + M) % N] ^ (y >> 1) ^ twist;
            }
            self.index = 0;
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }
}

/// Random() -> create a random number generator with its own internal state.
#[pyclass(name = "Random", module = "_random", basetype, nogc)]
pub struct Random {
    #[notrace]
    twister: RefCell<Twister>,
    seeded: Cell<bool>,
}

impl Random {
    fn seed_from(&self, arg: Option<&Object>) -> PyResult<()> {
        let key = match arg.filter(|a| !a.is_none()) {
            None => {
                let b = crate::os::posix::sched::random_bytes(N * 4, 0)?;
                b.as_chunks::<4>().0.iter().map(|c| u32::from_le_bytes(*c)).collect::<Vec<_>>()
            }
            Some(a) => {
                // Ints by their magnitude, anything else by its hash.
                let i = match a.downcast::<Int>() {
                    Some(i) => i.abs(),
                    None => Int::from_u64(a.hash_obj()? as u64),
                };
                let mut k = i.magnitude().to_u32_digits();
                if k.is_empty() {
                    k.push(0);
                }
                k
            }
        };
        self.twister.borrow_mut().init_by_array(&key);
        self.seeded.set(true);
        Ok(())
    }
}

#[pymethods]
impl Random {
    #[slot(tp_new)]
    fn new_slot(cls: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Owned<Random>> {
        if cls.tp() == Random::type_ptr() && kwargs.is_some_and(|k| k.len() > 0) {
            return raise!(TypeError, "Random() takes no keyword arguments");
        }
        if cls.tp() == Random::type_ptr() && args.len() > 1 {
            return raise!(TypeError, "Random() requires 0 or 1 argument");
        }
        let r = Random { twister: RefCell::default(), seeded: Cell::new(false) }.build_in(cls)?;
        r.seed_from(if args.len() > 0 { Some(args.item_ref(0)) } else { None })?;
        Ok(r)
    }
    #[slot(tp_init)]
    fn init(&self, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        Ok(())
    }
    /// random() -> x in the interval [0, 1).
    #[pymethod(signature = "()")]
    fn random(&self) -> f64 {
        let mut t = self.twister.borrow_mut();
        let (a, b) = (t.next() >> 5, t.next() >> 6);
        (a as f64 * 67108864.0 + b as f64) * (1.0 / 9007199254740992.0)
    }
    /// seed([n]) -> None.
    ///
    /// Defaults to use urandom and falls back to a combination
    /// of the current time and the process identifier.
    #[pymethod(signature = "(n=None, /)")]
    fn seed(&self, n: Option<&Object>) -> PyResult<()> {
        self.seed_from(n)
    }
    /// getstate() -> tuple containing the current state.
    #[pymethod(signature = "()")]
    fn getstate(&self) -> Owned<Tuple> {
        let t = self.twister.borrow();
        let mut v: Vec<Owned<Object>> =
            t.state.iter().map(|x| Int::from_i64(*x as i64).into_object()).collect();
        v.push(Int::from_usize(t.index).into_object());
        Tuple::from_vec(v)
    }
    /// setstate(state) -> None.  Restores generator state.
    #[pymethod(signature = "(state, /)")]
    fn setstate(&self, state: &Object) -> PyResult<()> {
        let Some(s) = state.downcast::<Tuple>() else {
            return raise!(TypeError, "state vector must be a tuple");
        };
        if s.len() != N + 1 {
            return raise!(ValueError, "state vector is the wrong size");
        }
        let mut words = [0u32; N];
        for (i, w) in words.iter_mut().enumerate() {
            let v = u64::from_py(s.item_ref(i), ArgCtx { func: "setstate", pos: 1, name: None })?;
            *w = v as u32;
        }
        let index = i64::from_py(s.item_ref(N), ArgCtx { func: "setstate", pos: 1, name: None })?;
        if !(0..=N as i64).contains(&index) {
            return raise!(ValueError, "invalid state");
        }
        *self.twister.borrow_mut() = Twister { state: words, index: index as usize };
        Ok(())
    }
    /// getrandbits(k) -> x.  Generates an int with k random bits.
    #[pymethod(signature = "(k, /)")]
    fn getrandbits(&self, k: &Object) -> PyResult<Owned<Int>> {
        let k = number::index(k)?;
        let k = match k.to_i64() {
            Some(v) if v < 0 => return raise!(ValueError, "number of bits must be non-negative"),
            Some(v) if v <= i32::MAX as i64 => v as usize,
            _ => return raise!(OverflowError, "Python int too large to convert to C int"),
        };
        let mut t = self.twister.borrow_mut();
        if k == 0 {
            return Ok(Int::from_i64(0));
        }
        if k <= 32 {
            return Ok(Int::from_i64((t.next() >> (32 - k)) as i64));
        }
        let mut words: Vec<u32> = Vec::with_capacity(k.div_ceil(32));
        let mut left = k;
        while left > 0 {
            let r = t.next();
            words.push(if left < 32 { r >> (32 - left) } else { r });
            left = left.saturating_sub(32);
        }
        Ok(Int::from_biguint(&num_bigint::BigUint::new(words), false))
    }
}

module! { "_random", doc: "Module implements the Mersenne Twister random number generator.", types: [Random] }
