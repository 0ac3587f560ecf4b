"""A scanner's loop: more values carried round than there are registers, some of them in memory, left and entered at many places."""
import random


class Action:
    pass


MISSING = object()


# Compiled anew for every machine, so that each is recorded from another state.
SCANNER = r'''
class Scanner:
    def __init__(self, text):
        self.buffer = text
        self.cur_pos = 0
        self.trace = 0

    def run(self, initial):
        state = initial
        cur_pos = 0
        cur_line = 0
        line_start = 0
        cur_char = self.buffer[0]
        input_state = 1
        next_pos = 1
        buf_start = 0
        buffer = self.buffer
        size = len(buffer)
        steps = 0
        b_action, b_pos, b_line, b_start, b_char, b_input, b_next = None, 0, 0, 0, "", 0, 0
        trace = self.trace
        while 1:
            if trace:
                print(state["number"])
            action = state["action"]
            if action is not None:
                b_action, b_pos, b_line, b_start, b_char, b_input, b_next = \
                    action, cur_pos, cur_line, line_start, cur_char, input_state, next_pos
            c = cur_char
            new_state = state.get(c, MISSING)
            if new_state is MISSING:
                new_state = c and state.get("else")
            if new_state:
                state = new_state
                steps += 1
                if input_state == 1:
                    cur_pos = next_pos
                    index = next_pos - buf_start
                    if index < size:
                        c = buffer[index]
                        next_pos += 1
                    else:
                        c = ""
                    if c == "\n":
                        cur_char = "eol"
                        input_state = 2
                    elif not c:
                        return steps, b_pos, b_next
                    else:
                        cur_char = c
                elif input_state == 2:
                    cur_char = "\n"
                    input_state = 3
                elif input_state == 3:
                    cur_line += 1
                    line_start = cur_pos = next_pos
                    cur_char = "bol"
                    input_state = 1
            elif b_action is not None:
                action, cur_pos, cur_line, line_start, cur_char, input_state, next_pos = \
                    b_action, b_pos, b_line, b_start, b_char, b_input, b_next
                b_action = None
                state = initial
                cur_char = buffer[next_pos] if next_pos < size else ""
                next_pos += 1
                if not cur_char:
                    return steps, b_pos, b_next
            else:
                return steps, "stop"
'''


def machine(choose):
    states = [{"action": Action() if choose.random() < .5 else None, "number": i} for i in range(6)]
    for s in states:
        for key in ["a", "b", "c", "d", "\n", "eol", "bol", "else"]:
            if len(key) == 3 or choose.random() < .85:
                s[key] = choose.choice(states)
    return states


for seed in range(24):
    names = {"MISSING": MISSING}
    exec(SCANNER, names)
    states = machine(random.Random(seed))
    choose = random.Random(seed + 1000)
    results = [names["Scanner"]("".join(choose.choice("aabbccdd\nx") for _ in range(60))).run(states[0]) for _ in range(120)]
    print(seed, sum(len(str(r)) for r in results), results[::37])
    assert all("action" in s and s["number"] == i for i, s in enumerate(states))
