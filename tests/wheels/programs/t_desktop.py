"""PySide6 off screen, pygame without a screen, PyBullet, Panda3D: signals, events, subclasses that C++ calls, errors."""

import os
import sys

os.environ |= {
    "QT_QPA_PLATFORM": "offscreen",
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}
from PySide6.QtWidgets import *
from PySide6.QtCore import *
from PySide6.QtGui import *

a = QApplication(sys.argv)


class W(QWidget):
    sig = Signal(int, str)

    def __init__(s):
        super().__init__()
        l = QVBoxLayout(s)
        s.b = QPushButton("x")
        l.addWidget(s.b)
        s.e = QLineEdit("abc")
        l.addWidget(s.e)
        s.b.clicked.connect(s.on)
        s.n = 0
        s.ev = []

    @Slot()
    def on(s):
        s.n += 1
        s.sig.emit(s.n, "q")

    def paintEvent(s, e):
        p = QPainter(s)
        p.fillRect(s.rect(), Qt.red)
        p.end()
        s.ev.append("paint")

    def resizeEvent(s, e):
        s.ev.append(("r", e.size().width()))


w = W()
got = []
w.sig.connect(lambda i, t: got.append((i, t)))
w.resize(200, 100)
w.show()
w.b.click()
w.b.click()
a.processEvents()
print(w.n, got, sorted(set(map(str, w.ev))), w.e.text(), w.size(), w.grab().toImage().pixelColor(2, 2).name())
m = QStandardItemModel(2, 2)
m.setItem(0, 0, QStandardItem("i"))
print(
    m.index(0, 0).data(),
    m.rowCount(),
    QPoint(1, 2) + QPoint(3, 4),
    QRect(0, 0, 5, 5).contains(QPoint(2, 2)),
    Qt.AlignLeft | Qt.AlignTop,
    repr(Qt.red),
)


class M(QAbstractListModel):
    def rowCount(s, p=QModelIndex()):
        return 3

    def data(s, i, r):
        return f"row {i.row()}" if r == Qt.DisplayRole else None


v = QListView()
mm = M()
v.setModel(mm)
v.show()
a.processEvents()
print(mm.index(1, 0).data(), mm.match(mm.index(0, 0), Qt.DisplayRole, "row 2")[0].row())
t = QTimer(singleShot=True)
t.timeout.connect(a.quit)
t.start(20)
print(a.exec())
for f in (lambda: w.resize("x"), lambda: QPoint(1, 2, 3), lambda: w.nope, lambda: QTimer(foo=1)):
    try:
        f()
    except Exception as e:
        print(type(e).__name__, str(e)[:200])


class O(QObject):
    def getp(s):
        return 5

    p = Property(int, getp)


print(
    O().property("p"),
    O().metaObject().className(),
    QSettings is not None,
    QByteArray(b"abc").data(),
    QDate(2020, 1, 2).toPython(),
    QJsonDocument.fromJson(b'{"a":[1,2]}').object(),
)
th = QThread()
r = []


class Wk(QObject):
    done = Signal()

    def go(s):
        r.append(QThread.currentThread() == th)
        s.done.emit()
        th.quit()


k = Wk()
k.moveToThread(th)
th.started.connect(k.go)
th.start()
th.wait(2000)
a.processEvents()
print(r)

import pygame, sys

pygame.init()
s = pygame.display.set_mode((64, 48))
s.fill((10, 20, 30))
pygame.draw.circle(s, "red", (20, 20), 8)
print(
    s.get_at((20, 20)),
    s.get_size(),
    pygame.Rect(1, 2, 3, 4).inflate(2, 2),
    pygame.Vector2(3, 4).length(),
    pygame.Color("blue") + pygame.Color(1, 2, 3),
)


class Sp(pygame.sprite.Sprite):
    def __init__(s, x):
        super().__init__()
        s.image = pygame.Surface((4, 4))
        s.rect = s.image.get_rect(topleft=(x, 0))

    def update(s):
        s.rect.x += 1


g = pygame.sprite.Group(Sp(0), Sp(9))
g.update()
g.draw(s)
print([p.rect.x for p in g], pygame.sprite.spritecollide(Sp(2), g, False).__len__())
pygame.event.post(pygame.event.Event(pygame.USEREVENT, a=1))
print([e.a for e in pygame.event.get(pygame.USEREVENT)])
a = pygame.surfarray.array3d(s)
print(a.shape, a[20, 20], pygame.transform.scale(s, (8, 8)).get_size(), pygame.mask.from_surface(s).count())
print(pygame.image.tobytes(s, "RGB")[:6], pygame.math.Vector3(1, 2, 3).cross((4, 5, 6)))
for f in (
    lambda: s.get_at((999, 0)),
    lambda: pygame.Rect("x"),
    lambda: pygame.Color("nope"),
    lambda: pygame.draw.line(s, 1, 2, 3),
    lambda: pygame.Vector2("a"),
):
    try:
        f()
    except Exception as e:
        print(type(e).__name__, e)
f = pygame.font.Font(None, 20)
print(f.size("abc"), f.render("x", True, "white").get_size())
ra = pygame.PixelArray(s)
print(ra[1, 1])
ra.close()
pygame.quit()

import pybullet as p

p.connect(p.DIRECT)
p.setGravity(0, 0, -9.8)
b = p.createMultiBody(1, p.createCollisionShape(p.GEOM_SPHERE, radius=0.1), basePosition=[0, 0, 1])
for _ in range(100):
    p.stepSimulation()
print(
    [round(x, 4) for x in p.getBasePositionAndOrientation(b)[0]],
    p.getNumBodies(),
    p.getEulerFromQuaternion([0, 0, 0, 1]),
    p.getContactPoints(),
)
try:
    p.loadURDF("/nope")
except p.error as e:
    print(e)
try:
    p.createCollisionShape("x")
except Exception as e:
    print(type(e).__name__, e)
p.disconnect()
from panda3d.core import *

print(LVector3f(1, 2, 3).cross(LVector3f(4, 5, 6)), LMatrix4f.translateMat(1, 2, 3).getRow(3), Filename("/a/b.c").getExtension())
n = NodePath("root")
c = n.attachNewNode("kid")
c.setPos(1, 2, 3)
c.setPythonTag("k", [1])
print(n.find("**/kid").getPos(), c.getPythonTag("k"), n.getChildren(), repr(c), c == n.find("kid"))
for f in (lambda: c.setPos("a"), lambda: LVector3f(1, 2, 3, 4, 5), lambda: n.find("zz").getPos(), lambda: LVector3f(1, 2, 3)[7]):
    try:
        print(f())
    except Exception as e:
        print(type(e).__name__, e)
from direct.task.Task import TaskManager

tm = TaskManager()
r = []


def t(task):
    r.append(task.frame)
    return task.cont if len(r) < 3 else task.done


tm.add(t, "t")
for _ in range(5):
    tm.step()
print(r)
import pyglet

pyglet.options["headless"] = True
from pyglet.math import Vec2, Mat4

print(Vec2(1, 2) + Vec2(3, 4), Mat4() @ Mat4())
