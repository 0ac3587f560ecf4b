"""The main job of charset-normalizer, with output that does not change."""
import charset_normalizer, charset_normalizer.md
for text, enc in (("Это простой русский текст для проверки кодировки.", "cp1251"), ("Voilà l'été, où êtes-vous? Ça va très bien.", "utf-8"), ("日本語のテキストです。よろしくお願いします。", "utf-16")):
    r = charset_normalizer.from_bytes((text * 5).encode(enc)).best()
    print(r.encoding, str(r)[:20], r.language)
print(charset_normalizer.detect(b"plain ascii"))
