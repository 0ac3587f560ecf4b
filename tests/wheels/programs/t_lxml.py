"""The main job of lxml, with output that does not change."""
from lxml import etree, html
r = etree.fromstring('<a x="1"><b>t</b>tail<c/></a>')
print(etree.tostring(r), r.xpath('//b/text()'), r.get('x'), [e.tag for e in r.iter()])
x = etree.XSLT(etree.XML('<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><o><xsl:value-of select="/a/b"/></o></xsl:template></xsl:stylesheet>'))
print(str(x(r)))
try:
    etree.fromstring('<a>')
except etree.XMLSyntaxError as e:
    print(e)
print(html.fromstring('<p>hi<br>x').text_content(), etree.tostring(etree.Element('q', {'z': 'ü'})))

class R(etree.ElementBase):
    pass
f = etree.FunctionNamespace(None)
f['dbl'] = lambda c, x: x * 2
print(r.xpath('dbl(3)'))
