"""A small operating-system simulation (in the manner of Richards): classes, attributes, method calls, linked queues."""


class Packet:
    def __init__(self, link, ident, kind):
        self.link = link
        self.ident = ident
        self.kind = kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        p = queue
        while p.link is not None:
            p = p.link
        p.link = self
        return queue


class Task:
    def __init__(self, sched, ident, priority, queue):
        self.sched = sched
        self.ident = ident
        self.priority = priority
        self.queue = queue
        self.holding = False
        self.waiting = queue is None
        sched.table[ident] = self
        sched.order.append(self)

    def add(self, packet):
        self.queue = packet.append_to(self.queue)
        self.waiting = False

    def step(self):
        packet = self.queue
        if packet is not None:
            self.queue = packet.link
        self.run(packet)


class Idle(Task):
    def __init__(self, sched, ident, count):
        Task.__init__(self, sched, ident, 0, None)
        self.seed = 1
        self.count = count
        self.waiting = False

    def run(self, packet):
        self.count -= 1
        if self.count == 0:
            self.holding = True
            return
        if self.seed & 1 == 0:
            self.seed >>= 1
            self.sched.release(4)
        else:
            self.seed = (self.seed >> 1) ^ 0xD008
            self.sched.release(5)


class Worker(Task):
    def __init__(self, sched, ident, priority, queue, dest):
        Task.__init__(self, sched, ident, priority, queue)
        self.dest = dest
        self.turn = 0

    def run(self, packet):
        if packet is None:
            self.waiting = True
            return
        self.turn = (self.turn + 1) % 26
        for i in range(4):
            packet.data[i] = self.turn + i
        packet.datum = self.ident
        self.sched.send(packet, self.dest)


class Device(Task):
    def __init__(self, sched, ident, priority, dest):
        Task.__init__(self, sched, ident, priority, None)
        self.dest = dest
        self.pending = None

    def run(self, packet):
        if packet is None:
            if self.pending is None:
                self.waiting = True
                return
            p = self.pending
            self.pending = None
            self.sched.send(p, self.dest)
        else:
            self.pending = packet
            self.holding = True
            self.sched.held += 1


class Scheduler:
    def __init__(self):
        self.table = [None] * 8
        self.order = []
        self.sent = 0
        self.held = 0

    def send(self, packet, dest):
        self.sent += 1
        self.table[dest].add(packet)

    def release(self, ident):
        self.table[ident].holding = False

    def loop(self):
        live = True
        while live:
            live = False
            for task in self.order:
                if not task.holding and not task.waiting:
                    task.step()
                    live = True


def run():
    s = Scheduler()
    Idle(s, 1, 100000)
    q = Packet(Packet(None, 2, 1), 2, 1)
    Worker(s, 2, 1000, q, 3)
    Worker(s, 3, 2000, Packet(None, 3, 1), 4)
    Device(s, 4, 3000, 5)
    Device(s, 5, 4000, 2)
    s.loop()
    return s.sent, s.held
