# Compiled loops give way: to other threads, to signals, to the collector.
import gc, signal, sys, threading, time, weakref

sys.setswitchinterval(0.001)
done = []
lock = threading.Lock()

def spin(n, out):
    t = 0
    for i in range(n):
        for j in range(3):
            t += i ^ j
    with lock:
        out.append(t)

threads = [threading.Thread(target=spin, args=(60000, done)) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(done), len(set(done)))

flag = False
def setter():
    global flag
    time.sleep(0.05)
    flag = True
def waits():
    n = 0
    while not flag:
        n += 1
    return n > 0
t = threading.Thread(target=setter)
t.start()
print(waits())
t.join()

counter = 0
def counts(n):
    global counter
    for _ in range(n):
        with lock:
            counter += 1
threads = [threading.Thread(target=counts, args=(4000,)) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(counter)

class Alarm(Exception):
    pass
def ring(*_):
    raise Alarm("ring")
signal.signal(signal.SIGALRM, ring)
def forever():
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    n = 0
    while True:
        n += 1
        n ^= 3
try:
    forever()
except Alarm as e:
    print(e)

class Node:
    def __init__(self):
        self.me = self
def cycles(n):
    first = Node()
    r = weakref.ref(first)
    del first
    for i in range(n):
        Node()
    return r() is None
print(cycles(6000))

def shared(n):
    d = {}
    def work(k):
        for i in range(n):
            d[(k, i % 10)] = d.get((k, i % 10), 0) + 1
    ts = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    return sorted(d.items())[:3], sum(d.values())
print(shared(3000))
