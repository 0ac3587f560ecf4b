import jinja2

env = jinja2.Environment(loader=jinja2.DictLoader({
    "base": "<title>{% block title %}base{% endblock %}</title>{% block body %}{% endblock %}",
    "page": """{% extends "base" %}{% from "macros" import field with context %}
{% block title %}{{ super() }}: {{ title|e }}{% endblock %}
{% block body -%}
{% for row in rows|sort(attribute="n", reverse=true) if row.n %}
  {{ loop.index }}/{{ loop.length }} {{ row.n|round(2) }} {{ row.name|upper|replace("A", "4")|truncate(6) }} {{ loop.cycle("odd", "even") }}
{%- else %}none{% endfor %}
{{ field("q", [1, 2]|join(",")) }}
{% set ns = namespace(total=0) %}{% for r in rows %}{% set ns.total = ns.total + r.n %}{% endfor %}{{ ns.total }}
{% filter indent(4) %}a
b{% endfilter %}{{ "%05.1f"|format(3.14159) }} {{ rows|map(attribute="name")|list }} {{ {"k": [1, {"x": "<"}]}|tojson }}
{% raw %}{{ raw }}{% endraw %} {{ undefined_thing|default("dflt") }} {{ 5 is divisibleby 5 }} {{ rows|groupby("n")|length }}
{% endblock %}""",
    "macros": "{% macro field(name, value='') %}<input name={{ name }} value='{{ value }}'>{{ caller() if caller }}{% endmacro %}",
    "bad": "{% for x in %}",
    "err": "line\n{{ 1 // 0 }}",
}), autoescape=True, trim_blocks=True)


class Row:
    def __init__(self, n, name): self.n, self.name = n, name


print(env.get_template("page").render(title="<T&>", rows=[Row(1.005, "alpha"), Row(2, "bananas and"), Row(0, "zero")]))
for name in ("bad", "err", "nope"):
    try:
        env.get_template(name).render()
    except Exception as e:
        print(type(e).__name__, e, getattr(e, "lineno", None))
import traceback
try:
    env.get_template("err").render()
except ZeroDivisionError:
    print([line.strip() for line in traceback.format_exc().splitlines() if "template" in line])
print(env.compile("{{ a.b[c](d)|e }}", raw=True))
strict = jinja2.Environment(undefined=jinja2.StrictUndefined)
try:
    strict.from_string("{{ x.y }}").render(x={})
except jinja2.UndefinedError as e:
    print(e)
