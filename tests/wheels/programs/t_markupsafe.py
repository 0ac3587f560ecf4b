"""The main job of markupsafe, with output that does not change."""
from markupsafe import escape, Markup
print(escape('<a href="x">&\'</a>'), Markup('<b>%s</b>') % '<i>', Markup('a').join(['<', 'b']), escape(5), escape(Markup('<x>')))
