"""The main job of pendulum, with output that does not change."""
import pendulum
a = pendulum.datetime(2020, 1, 31, tz="Europe/Paris")
print(a.add(months=1), a.in_timezone("UTC"), pendulum.parse("2020-02-29T12:00:00+01:00").isoformat(), (a.add(days=40, hours=3) - a).in_words(), a.format("dddd D MMMM YYYY"), pendulum.duration(days=10).in_words(locale="fr"))
print(pendulum.parse("P1Y2M3D"), a.start_of("week"), a.diff(a.add(years=1)).in_days(), pendulum.parse("2012-W05-5"), pendulum._pendulum.__name__ if hasattr(pendulum, "_pendulum") else "")
try:
    pendulum.parse("nonsense")
except Exception as e:
    print(type(e).__name__, e)
