# frame.f_lineno = n in a trace function: where it may go and where not.
import sys


def run(func, jump_from, jump_to):
    first = func.__code__.co_firstlineno
    out = []
    done = False

    def trace(frame, event, arg):
        nonlocal done
        if frame.f_code is not func.__code__:
            return None
        if event == "line" and frame.f_lineno == first + jump_from and not done:
            done = True
            try:
                frame.f_lineno = first + jump_to
            except ValueError as e:
                out.append(str(e).replace(str(first + jump_to), "N"))
        return trace

    sys.settrace(trace)
    try:
        func(out)
    except Exception as e:
        out.append(type(e).__name__)
    finally:
        sys.settrace(None)
    print(func.__name__, jump_from, jump_to, out)


def loop(out):
    for i in 1, 2, 3:
        out.append(i)
        out.append(i * 10)
    out.append("end")
    with open("/dev/null") as f:
        out.append("in with")
    out.append("after with")
    try:
        1 / 0
    except ZeroDivisionError:
        out.append("handler")
    out.append("last")


for a in (2, 3, 4, 6, 7, 11):
    for b in (-1, 2, 3, 4, 6, 7, 9, 11, 99):
        run(loop, a, b)
