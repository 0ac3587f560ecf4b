"""Of the collections at the end, `gc.callbacks` are told of the first only, while what they use is still there."""
import gc
import os


class Told:
    def __init__(self):
        self.phases = []


told = Told()


def note(phase, info, write=os.write):
    told.phases.append(phase)
    write(1, f"{phase} {info['generation']} {len(told.phases)}\n".encode())


gc.collect()
gc.callbacks.append(note)
gc.collect(1)
