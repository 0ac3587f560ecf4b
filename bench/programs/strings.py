"""Text: concatenation, formatting, splitting, joining, searching, case."""


def run():
    s = ""
    for i in range(9000):
        s += str(i)
        s += ","
    parts = s.split(",")
    acc = len(s) + len(parts)
    out = []
    for i, p in enumerate(parts[:7000]):
        out.append(f"{i:05d}:{p!r}:{i / 7:.3f}")
        out.append("%s=%d" % (p, i))
        out.append("{}-{}".format(p, i))
    text = "\n".join(out)
    acc += len(text) + text.count("=1") + text.find("06999")
    for line in text.splitlines()[:6000]:
        if line.startswith("0") and line.endswith("1"):
            acc += 1
        acc += len(line.strip().replace(":", "; ").upper().title().split())
    rot = str.maketrans("0123456789", "1234567890")
    acc += sum(map(ord, text[:20000].translate(rot)))
    for c in text[:20000]:
        if c.isdigit():
            acc += 1
        elif c in "=-:":
            acc += 2
    return acc
