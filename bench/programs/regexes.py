"""Regular expressions: searching, groups, substitution, tokenising."""
import re


def run():
    text = "\n".join("2024-%02d-%02d user%d@example.org GET /a/b?id=%d&x=%x 200 %d.%d" %
                     (i % 12 + 1, i % 28 + 1, i, i, i * 77, i, i * 3) for i in range(900))
    acc = len(re.findall(r"\d+", text))
    acc += len(re.findall(r"(\w+)@(\w+)\.org", text))
    acc += len(re.sub(r"id=(\d+)", lambda m: "id=" + m.group(1)[::-1], text))
    date = re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)")
    for line in text.splitlines():
        m = date.match(line)
        acc += int(m["m"]) + int(m.group("d"))
        if re.search(r"(?:/a)+/b\?.*x=[0-9a-f]+ 200", line):
            acc += 1
    token = re.compile(r"\s*(?:(\d+)|([a-z]\w*)|(.))", re.I)
    acc += sum(1 for m in token.finditer(text[:20000]) if m.lastindex == 2)
    acc += len(re.split(r"[\s,?&]+", text))
    return acc
