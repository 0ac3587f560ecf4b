"""The main job of sqlalchemy, with output that does not change."""
from sqlalchemy import *
from sqlalchemy.orm import *

class B(DeclarativeBase):
    pass

class U(B):
    __tablename__ = 'u'
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list['P']] = relationship(back_populates='u')

class P(B):
    __tablename__ = 'p'
    id: Mapped[int] = mapped_column(primary_key=True)
    t: Mapped[str]
    uid: Mapped[int] = mapped_column(ForeignKey('u.id'))
    u: Mapped[U] = relationship(back_populates='posts')
e = create_engine('sqlite://')
B.metadata.create_all(e)
with Session(e) as s:
    s.add_all([U(name=f'n{i}', posts=[P(t=f't{i}{j}') for j in range(2)]) for i in range(3)])
    s.commit()
    print(s.scalars(select(U.name).order_by(U.name.desc())).all(), [(u.name, [p.t for p in u.posts]) for u in s.scalars(select(U))], s.execute(select(func.count()).select_from(P)).scalar())
