# Many threads that ask for the interpreter all the time.
import queue
import sys
import threading

sys.setswitchinterval(1e-6)
n = [0]
lock = threading.Lock()


def work():
    for i in range(300):
        with lock:
            n[0] += 1


threads = [threading.Thread(target=work) for i in range(20)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(n)
q = queue.SimpleQueue()
out = []


def take():
    while (x := q.get()) is not None:
        out.append(x)


threads = [threading.Thread(target=take) for i in range(10)]
for t in threads:
    t.start()
for i in range(2000):
    q.put(i)
for t in threads:
    q.put(None)
for t in threads:
    t.join()
print(sorted(out) == list(range(2000)))
