"""The main job of pillow, with output that does not change."""
from PIL import Image, ImageDraw, ImageFilter
import io
im = Image.new('RGB', (64, 48), (10, 20, 30))
d = ImageDraw.Draw(im)
d.ellipse((5, 5, 40, 40), fill='red', outline='blue')
d.text((3, 3), 'hi')
im = im.resize((32, 24), Image.BICUBIC).filter(ImageFilter.BLUR).rotate(30)
print(im.getpixel((10, 10)), im.histogram()[:5])
b = io.BytesIO()
im.save(b, 'PNG')
c = Image.open(io.BytesIO(b.getvalue()))
print(c.size, c.mode, c.tobytes() == im.tobytes())
b = io.BytesIO()
im.save(b, 'JPEG')
print(Image.open(b).format, im.convert('L').getextrema())
